//! Requests for a change of rights, and for an account where registration asks for approval: asked for by those whom they
//! concern, decided by others. The state machine is the model's (`userd_model::access_request`); here is who may ask and
//! decide, and what follows.

mod account;
mod approvers;
mod ask;
mod buttons;
mod chat;
mod decide;
mod escalate;
mod list;
mod tell;

use std::sync::Arc;

use userd_model::{
    AccessRequest, Decision, EventKind, GrantKind, Permission, RequestKind, RequestState, RequestedAction, RoleRules,
    Sealed, Timestamp, User,
};
use userd_storage::{Failure, UnitOfWork};

pub(crate) use self::account::Approvals;
pub use self::ask::AccessInput;
pub(crate) use self::buttons::{Pressed, parse};
pub(crate) use self::chat::InChat;
pub use self::decide::DecisionInput;
pub use self::list::RequestsPage;
use crate::{
    Dependencies, Settings,
    change::{Change, Changes},
    deliveries::Deliveries,
    idempotency::IdempotencyKeys,
    limits::Limits,
    role_reader::{permissions_of, read},
    roles::REASON,
    user_reader::open_field,
};

/// Takes and decides requests.
#[derive(Clone)]
pub struct AccessRequests {
    pub(crate) deps: Dependencies,
    pub(crate) changes: Changes,
    pub(crate) limits: Limits,
    pub(crate) idempotency: IdempotencyKeys,
    pub(crate) deliveries: Arc<Deliveries>,
}

/// A request as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestView {
    /// The request.
    pub request: AccessRequest,
    /// Its state now: it may have expired by itself.
    pub state: RequestState,
    /// Why.
    pub reason: Option<String>,
    /// What was decided, each with its comment.
    pub decisions: Vec<(Decision, Option<String>)>,
}

/// What can be asked for, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requestable {
    /// A role or a permission.
    pub kind: GrantKind,
    /// Which.
    pub name: String,
    /// What is said of it, and the rules of asking for it.
    pub rules: RoleRules,
}

/// Under what name comments on decisions are sealed.
const COMMENT: &str = "decision_comment";

/// What somebody asks for, as it is now.
#[derive(Clone, Debug)]
pub(crate) struct Thing {
    rules: RoleRules,
    allows: Vec<Permission>,
    /// Whoever holds it may decide, where they could give what is asked for.
    right: Permission,
}

impl Thing {
    /// What a request is about, if it is there.
    async fn of(uow: &mut UnitOfWork, request: &AccessRequest, settings: &Settings) -> Result<Option<Self>, Failure> {
        match request.kind {
            RequestKind::Role => Self::find(uow, GrantKind::Role, &request.name).await,
            RequestKind::Permission => Self::find(uow, GrantKind::Permission, &request.name).await,
            RequestKind::Account => Ok(Some(Self::account(settings))),
        }
    }

    /// Whether a button of the bot may decide it.
    const fn is_decided_in_chat(&self, settings: &Settings) -> bool {
        settings.decide_in_chat && self.rules.decide_in_chat
    }

    /// The role or permission with this name, if there is one.
    async fn find(uow: &mut UnitOfWork, kind: GrantKind, name: &str) -> Result<Option<Self>, Failure> {
        let right = Permission::ROLES_GRANT;
        match kind {
            GrantKind::Role => {
                let Some(role) = read(uow, name).await? else { return Ok(None) };
                let rules = role.rules.clone();
                Ok(Some(Self { rules, allows: permissions_of(uow, vec![role]).await?, right }))
            }
            GrantKind::Permission => {
                let Some(permission) = Permission::parse(name) else { return Ok(None) };
                let registered = uow.permissions().find(name).await?;
                if registered.is_none() && !permission.is_well_known() {
                    return Ok(None);
                }
                let (description, requestable) =
                    registered.map(|found| (found.description, found.requestable)).unwrap_or_default();
                let rules = RoleRules { description, requestable, ..RoleRules::default() };
                Ok(Some(Self { rules, allows: vec![permission], right }))
            }
        }
    }
}

impl AccessRequests {
    fn view(&self, request: AccessRequest, requester: Option<&User>, now: Timestamp) -> Result<RequestView, Failure> {
        let opened = |field: &str, sealed: Option<&Sealed>| match requester {
            Some(user) => open_field(&self.deps, user, field, sealed),
            None => Ok(None),
        };
        let reason = opened(REASON, request.reason.as_ref())?;
        let mut decisions = Vec::with_capacity(request.decisions.len());
        for decision in &request.decisions {
            decisions.push((decision.clone(), opened(COMMENT, decision.comment.as_ref())?));
        }
        Ok(RequestView { state: request.state_at(now), request, reason, decisions })
    }
}

/// Writes a request that has ended, and tells.
async fn close(change: &mut Change<'_>, request: &AccessRequest, comment: Option<&str>) -> Result<(), Failure> {
    change.access_requests().write(request).await?;
    change.open_access_requests().remove(request).await?;
    let data = data(request, &[("state", request.state.as_str())]);
    let fact = change.event(EventKind::AccessRequestClosed, request.requester, data);
    if let Some(comment) = comment {
        fact.personal(serde_json::json!({ "comment": comment }));
    }
    Ok(())
}

fn data(request: &AccessRequest, more: &[(&str, &str)]) -> serde_json::Value {
    let mut data = serde_json::json!({
        "request_id": request.id, "kind": request.kind.as_str(), "name": request.name, "action": request.action.as_str(),
    });
    if let Some(members) = data.as_object_mut() {
        members.extend(more.iter().map(|(name, value)| ((*name).to_owned(), serde_json::json!(value))));
    }
    data
}

/// Whether there is something to change: none asks for what is so already.
fn changes_something(user: &User, kind: GrantKind, name: &str, action: RequestedAction) -> bool {
    match action {
        // What ends by itself can be asked for again before it does.
        RequestedAction::Grant => user.period_of(kind, name).is_none_or(|period| period.expires_at.is_some()),
        RequestedAction::Revoke => user.holds(kind, name),
        // Registrations ask for it, nobody else.
        RequestedAction::Register => false,
    }
}
