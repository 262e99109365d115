//! Roles and permissions as a file declares them: what would change, and the change. What a file declares is managed: the
//! API refuses to change it. What it declares no longer is nobody's to manage, and stays.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;
use userd_model::{
    Act, Actor, EventKind, Refusal, Role, RoleRules, fact::Subject, permission::RegisteredPermission, text,
};
use userd_storage::Failure;

use super::{
    Permissions,
    edit::{RoleInput, Roles},
    registry::every_permission,
    told,
};
use crate::{
    Context,
    role_reader::{every_role, read},
};

/// What a file declares.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// Permissions: name, description, whether users may ask for it.
    pub permissions: Vec<(String, Option<String>, bool)>,
    /// Roles.
    pub roles: Vec<(String, RoleInput)>,
}

/// One difference between what is declared and what is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// `permission` or `role`.
    pub kind: &'static str,
    /// Which.
    pub name: String,
    /// `add`; `change`; `manage`: it is so already, and is managed from now on; `release`: it is declared no longer.
    pub change: &'static str,
    /// What is different, in words.
    pub differences: Vec<String>,
}

impl Roles {
    /// What would change.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn plan(&self, ctx: &Context, declared: &Declared) -> Result<Vec<Planned>, Failure> {
        ctx.may(&Act::ManageRoles)?;
        let mut reading = self.deps.store.reading();
        let registered = every_permission(&mut reading).await?;
        let mut planned: Vec<Planned> =
            declared.permissions.iter().filter_map(|one| of_permission(&registered, one)).collect();
        for (name, input) in &declared.roles {
            let found = read(&mut reading, name).await?;
            let stored = reading.roles().find(name).await?.is_some();
            match found {
                None => planned.push(difference("role", name, "add", differences(&Role::default(), input))),
                Some(role) => {
                    let differences = differences(&role, input);
                    if !differences.is_empty() {
                        planned.push(difference("role", name, "change", differences));
                    } else if !role.managed || !stored {
                        planned.push(difference("role", name, "manage", Vec::new()));
                    }
                }
            }
        }
        let is_declared = |role: &Role| declared.roles.iter().any(|(name, _)| *name == role.name);
        let released = every_role(&mut reading).await?.into_iter().filter(|role| role.managed && !is_declared(role));
        planned.extend(released.map(|role| difference("role", &role.name, "release", Vec::new())));
        let is_declared = |name: &str| declared.permissions.iter().any(|(declared, ..)| declared == name);
        let released = registered.iter().filter(|one| one.managed && !is_declared(&one.name));
        planned.extend(released.map(|one| difference("permission", &one.name, "release", Vec::new())));
        Ok(planned)
    }

    /// Makes it so. Run again after a failure, it goes on.
    ///
    /// # Errors
    /// `Forbidden` for anybody but the operator; what making and changing a role refuses.
    pub async fn apply(
        &self,
        ctx: &Context,
        permissions: &Permissions,
        declared: &Declared,
    ) -> Result<Vec<Planned>, Failure> {
        if ctx.actor != Actor::Operator {
            return Err(Refusal::Forbidden.into());
        }
        let planned = self.plan(ctx, declared).await?;
        let inputs: BTreeMap<&str, &RoleInput> =
            declared.roles.iter().map(|(name, input)| (name.as_str(), input)).collect();
        for (name, description, requestable) in &declared.permissions {
            if planned.iter().any(|one| one.kind == "permission" && one.name == *name) {
                permissions.declare(ctx, name, description.as_deref(), *requestable).await?;
            }
        }
        // First all that is new, so that roles may include each other in whatever order.
        for one in planned.iter().filter(|one| one.kind == "role" && one.change == "add") {
            self.create(ctx, &one.name, &RoleInput::default(), None).await?;
        }
        for one in planned.iter().filter(|one| one.kind == "role" && one.change != "release") {
            if let Some(input) = inputs.get(one.name.as_str()) {
                self.replace(ctx, &one.name, input, None).await?;
                self.set_managed(ctx, &one.name, true).await?;
            }
        }
        for one in planned.iter().filter(|one| one.change == "release") {
            match one.kind {
                "role" => self.set_managed(ctx, &one.name, false).await?,
                _ => permissions.release(ctx, &one.name).await?,
            }
        }
        Ok(planned)
    }

    /// Every role and permission that is not built in, as a file would declare them.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn export(&self, ctx: &Context) -> Result<Declared, Failure> {
        ctx.may(&Act::ReadRoles)?;
        let mut reading = self.deps.store.reading();
        let roles = every_role(&mut reading).await?.into_iter();
        let roles =
            roles.map(|Role { name, permissions, rules, .. }| (name, RoleInput { permissions, rules })).collect();
        let permissions = every_permission(&mut reading).await?.into_iter();
        let permissions = permissions.map(|one| (one.name, one.description, one.requestable)).collect();
        Ok(Declared { permissions, roles })
    }

    async fn set_managed(&self, ctx: &Context, name: &str, managed: bool) -> Result<(), Failure> {
        self.changes
            .run(ctx, "manage_role", |mut change| async move {
                let now = change.now;
                if let Some(old) = read(&mut change, name).await?.filter(|role| role.managed != managed) {
                    let role = Role { managed, version: old.version + 1, ..old.clone() };
                    change.roles().upsert(&role, now).await?;
                    change.event(EventKind::RoleChanged, Subject::role(name), told::role_changed(&old, &role));
                    change.role_changed(name, role.version, false);
                }
                change.commit(()).await
            })
            .await
    }
}

fn difference(kind: &'static str, name: &str, change: &'static str, differences: Vec<String>) -> Planned {
    Planned { kind, name: name.to_owned(), change, differences }
}

/// What is different between a permission and what it shall be, if anything is.
fn of_permission(
    registered: &[RegisteredPermission],
    (name, description, requestable): &(String, Option<String>, bool),
) -> Option<Planned> {
    let found = registered.iter().find(|one| one.name == *name);
    // As it would be stored: what cannot be is refused where it is applied.
    let description = description.as_ref().map(|words| text::reason(words).unwrap_or_else(|_| words.clone()));
    let (old, was_requestable) = found.map_or((&None, false), |one| (&one.description, one.requestable));
    let mut differences = Vec::new();
    if *old != description {
        differences.push(format!("description: {} -> {}", json!(old), json!(description)));
    }
    if was_requestable != *requestable {
        differences.push(format!("requestable: {was_requestable} -> {requestable}"));
    }
    match found {
        None => Some(difference("permission", name, "add", differences)),
        Some(_) if !differences.is_empty() => Some(difference("permission", name, "change", differences)),
        Some(one) if !one.managed => Some(difference("permission", name, "manage", differences)),
        Some(_) => None,
    }
}

/// What is different between a role and what it shall be.
fn differences(role: &Role, input: &RoleInput) -> Vec<String> {
    let mut found = Vec::new();
    let lists = [
        ("permission", &role.permissions, &input.permissions),
        ("include", &role.rules.includes, &input.rules.includes),
        ("approver role", &role.rules.approvers.roles, &input.rules.approvers.roles),
        ("role asked late", &role.rules.escalate_to.roles, &input.rules.escalate_to.roles),
    ];
    for (what, before, after) in lists {
        found.extend(after.iter().filter(|one| !before.contains(one)).map(|one| format!("+ {what} {one}")));
        found.extend(before.iter().filter(|one| !after.contains(one)).map(|one| format!("- {what} {one}")));
    }
    let without_lists = |rules: &RoleRules| {
        let mut rules = rules.clone();
        rules.includes.clear();
        rules.approvers.roles.clear();
        rules.escalate_to.roles.clear();
        serde_json::to_value(rules).unwrap_or_default()
    };
    let (before, after) = (without_lists(&role.rules), without_lists(&input.rules));
    for (name, value) in after.as_object().into_iter().flatten() {
        let old = before.get(name).unwrap_or(&serde_json::Value::Null);
        if old != value {
            found.push(format!("{name}: {old} -> {value}"));
        }
    }
    found
}
