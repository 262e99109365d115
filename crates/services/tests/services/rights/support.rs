//! Roles and people for the cases of rights.

use userd_model::{AccessRequest, GrantKind, RequestedAction, Role, RoleRules};
use userd_services::{
    Failure,
    access_requests::{AccessInput, RequestView},
    notifications::Shown,
    roles::{GrantInput, RoleInput},
};

use crate::{
    fixture::TestApp,
    personas::{Member, acting, of},
};

/// A request for a role.
pub(crate) fn wanting(name: &str) -> AccessInput {
    AccessInput {
        kind: GrantKind::Role,
        name: name.to_owned(),
        action: RequestedAction::Grant,
        reason: Some("I need it".to_owned()),
        starts_at: None,
        duration_seconds: None,
    }
}

/// What a role shall allow.
pub(crate) fn allowing(permissions: &[&str], rules: RoleRules) -> RoleInput {
    RoleInput { permissions: permissions.iter().map(|word| (*word).to_owned()).collect(), rules }
}

pub(crate) fn requestable() -> RoleRules {
    RoleRules { requestable: true, ..RoleRules::default() }
}

/// What the inbox of a member says, the newest first.
pub(crate) async fn titles(app: &TestApp, member: &Member) -> Vec<String> {
    let page = app.notifications.list(&of(app, member), Shown::Inbox, None, 50).await.unwrap();
    page.items.into_iter().map(|item| item.content.title).collect()
}

impl TestApp {
    /// A permission of another service.
    pub(crate) async fn register_permission(&self, name: &str) {
        self.permissions.register(&self.operator_context(), name, None, false, None).await.unwrap();
    }

    /// A role, made by the operator.
    pub(crate) async fn make_role(&self, name: &str, permissions: &[&str], rules: RoleRules) -> Role {
        self.roles.create(&self.operator_context(), name, &allowing(permissions, rules), None).await.unwrap()
    }

    /// A role, given by the operator.
    pub(crate) async fn give_role(&self, member: &Member, name: &str) {
        let input = GrantInput::default();
        self.grants.grant(&self.operator_context(), member.id, GrantKind::Role, name, &input).await.unwrap();
    }

    /// A request of a member, with what their token says they may do.
    pub(crate) async fn ask(&self, member: &Member, input: AccessInput) -> Result<RequestView, Failure> {
        self.access_requests.ask(&acting(self, &self.actor(member).await), input, None).await
    }

    /// The stored request.
    pub(crate) async fn request(&self, view: &RequestView) -> AccessRequest {
        self.reading().access_requests().find(view.request.id).await.unwrap().unwrap()
    }
}
