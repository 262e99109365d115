//! Accounts that wait: where registration asks for approval, the account that somebody makes for themself is there and
//! claims its names, and every way in ends with `approval_pending` until somebody has decided the request for it.

use std::sync::Arc;

use userd_model::{
    AccessRequest, EventKind, Permission, RequestKind, RequestState, RequestedAction, RoleRules, User, UserStatus,
    role::Approvers,
};
use userd_storage::Failure;

use super::{Thing, approvers::eligible, data, tell::tell_approvers};
use crate::{
    Dependencies, Settings,
    change::Change,
    deliveries::Deliveries,
    while_deleted::{as_it_comes_back, stays_deleted},
};

/// What an account is called in its request.
const NAME: &str = "registration";

/// For how long a request for an account can be decided. Nobody's name is taken for ever by an answer that never comes.
const TTL: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 60 * 60);

/// Asks for accounts that wait.
#[derive(Clone)]
pub(crate) struct Approvals {
    pub(crate) deps: Dependencies,
    pub(crate) deliveries: Arc<Deliveries>,
}

impl Thing {
    /// An account.
    pub(super) fn account(settings: &Settings) -> Self {
        let approvers = Approvers { roles: settings.registration_approvers.clone(), users: Vec::new() };
        let rules = RoleRules { approvers, decide_in_chat: true, ..RoleRules::default() };
        Self { rules, allows: Vec::new(), right: Permission::USERS_MANAGE }
    }
}

impl Approvals {
    /// Opens the request for an account that waits, in the change that makes the account, and tells those who may decide.
    /// Does nothing for one that does not wait.
    pub(crate) async fn ask(&self, change: &mut Change<'_>, user: &User) -> Result<(), Failure> {
        let Some(since) = user.awaits_approval_since else { return Ok(()) };
        let request = AccessRequest {
            id: change.id(),
            requester: user.id,
            kind: RequestKind::Account,
            name: NAME.to_owned(),
            action: RequestedAction::Register,
            reason: None,
            starts_at: None,
            duration_seconds: None,
            state: RequestState::Open,
            decisions: Vec::new(),
            created_at: since,
            expires_at: since.plus(TTL),
            version: 1,
        };
        change.event(EventKind::AccessRequestOpened, user.id, data(&request, &[]));
        let now = change.now;
        let thing = Thing::account(&self.deps.settings);
        let approvers = eligible(change, &self.deps, &thing, &request, now).await?;
        change.open_access_requests().insert(&request).await?;
        change.access_requests().write(&request).await?;
        let message = change.id();
        tell_approvers(&self.deliveries, change, message, (&request, user), (&approvers, &thing)).await
    }
}

/// What comes of the request for an account: it waits no longer, and where it was not approved it is blocked, as an
/// administrator would, who can still change their mind.
pub(super) async fn settle(change: &mut Change<'_>, request: &AccessRequest, user: &mut User) -> Result<(), Failure> {
    let (now, epoch) = (change.now, user.security_epoch);
    if user.awaits_approval_since.is_none() {
        return Ok(());
    }
    user.decide_approval(now);
    if request.state != RequestState::Approved {
        // One that was deleted meanwhile comes back blocked, not let in by its restoration.
        let deletion = as_it_comes_back(change, user).await?;
        if user.status != UserStatus::Deleted {
            user.block(None, now)?;
            change.event(EventKind::UserBlocked, user.id, serde_json::json!({}));
        }
        if let Some(deletion) = deletion {
            stays_deleted(change, user, deletion).await?;
        }
    }
    change.users().update(user).await?;
    if user.security_epoch > epoch {
        change.revoke_before_epoch(user);
    }
    change.forget(user);
    Ok(())
}
