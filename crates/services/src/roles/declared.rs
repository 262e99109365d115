//! Roles and permissions as a file declares them: what would change, and the change. What a file declares is managed: the
//! API refuses to change it. What it declares no longer is nobody's to manage, and stays.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::json;
use userd_model::{
    Act, Actor, EventKind, InvalidField, Permission, Refusal, Role, RoleRules, fact::Subject,
    permission::RegisteredPermission, text,
};
use userd_storage::{Failure, UnitOfWork};

use super::{
    Permissions,
    edit::{self, CIRCLE, NO_DOT_FIRST, NO_PERMISSION, NO_ROLE, NO_USER, RoleInput, Roles},
    registry::{self, every_permission},
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
    /// `Forbidden`; `InvalidInput` for what applying would refuse, all of it, at its place in the file.
    pub async fn plan(&self, ctx: &Context, declared: &Declared) -> Result<Vec<Planned>, Failure> {
        ctx.may(&Act::ManageRoles)?;
        let mut reading = self.deps.store.reading();
        let registered = every_permission(&mut reading).await?;
        let stored = every_role(&mut reading).await?;
        let mut wrong = faults(declared, &registered, &stored);
        wrong.extend(unknown_users(&mut reading, declared).await?);
        if !wrong.is_empty() {
            return Err(Refusal::InvalidInput(wrong).into());
        }
        let mut planned: Vec<Planned> =
            declared.permissions.iter().filter_map(|one| of_permission(&registered, one)).collect();
        for (name, input) in &declared.roles {
            let found = read(&mut reading, name).await?;
            let has_row = stored.iter().any(|role| role.name == *name);
            match found {
                None => planned.push(difference("role", name, "add", differences(&Role::default(), input))),
                Some(role) => {
                    let differences = differences(&role, input);
                    if !differences.is_empty() {
                        planned.push(difference("role", name, "change", differences));
                    } else if !role.managed || !has_row {
                        planned.push(difference("role", name, "manage", Vec::new()));
                    }
                }
            }
        }
        let is_declared = |role: &Role| declared.roles.iter().any(|(name, _)| *name == role.name);
        let released = stored.into_iter().filter(|role| role.managed && !is_declared(role));
        planned.extend(released.map(|role| difference("role", &role.name, "release", Vec::new())));
        let is_declared = |name: &str| declared.permissions.iter().any(|(declared, ..)| declared == name);
        let released = registered.iter().filter(|one| one.managed && !is_declared(&one.name));
        planned.extend(released.map(|one| difference("permission", &one.name, "release", Vec::new())));
        Ok(planned)
    }

    /// Makes it so. What can be told to be wrong is refused before anything changes; run again after a failure, it goes on.
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
        // One may come to include another that included it so far: what stands in its way is changed before it.
        let mut left: Vec<&Planned> =
            planned.iter().filter(|one| one.kind == "role" && one.change != "release").collect();
        while !left.is_empty() {
            let (mut later, mut refused) = (Vec::new(), None);
            for one in &left {
                let Some(input) = inputs.get(one.name.as_str()) else { continue };
                match self.replace(ctx, &one.name, input, None).await {
                    Err(Failure::Refused(Refusal::InvalidInput(wrong))) => {
                        later.push(*one);
                        refused = Some(wrong);
                    }
                    replaced => {
                        replaced?;
                        self.set_managed(ctx, &one.name, true).await?;
                    }
                }
            }
            if later.len() == left.len()
                && let Some(wrong) = refused
            {
                return Err(Refusal::InvalidInput(wrong).into());
            }
            left = later;
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

/// What applying would refuse, against the permissions and roles that are there by then: those of the file among them.
fn faults(declared: &Declared, registered: &[RegisteredPermission], stored: &[Role]) -> Vec<InvalidField> {
    let mut wrong = Vec::new();
    let mut words: BTreeSet<&str> = registered.iter().map(|one| one.name.as_str()).collect();
    for (at, (name, description, _)) in declared.permissions.iter().enumerate() {
        let place = format!("/permissions/{at}");
        if let Err(refusal) = registry::checked(name, description.as_deref()) {
            wrong.extend(inside(&place, refusal));
        } else if !Permission::is_new_word(name) && !words.contains(name.as_str()) {
            wrong.push(InvalidField::new(format!("{place}/name"), NO_DOT_FIRST));
        } else if declared.permissions.iter().take(at).any(|(other, ..)| other == name) {
            // Each would undo what the other says, at every application.
            wrong.push(InvalidField::new(format!("{place}/name"), "another permission has this name"));
        }
    }
    words.extend(declared.permissions.iter().map(|(name, ..)| name.as_str()));
    let mut included: BTreeMap<&str, &[String]> =
        Role::built_in_names().map(|name| (name, <&[String]>::default())).collect();
    included.extend(stored.iter().map(|role| (role.name.as_str(), role.rules.includes.as_slice())));
    for (at, (name, input)) in declared.roles.iter().enumerate() {
        let place = format!("/roles/{at}");
        if let Err(refusal) = edit::checked(name, input, 0) {
            wrong.extend(inside(&place, refusal));
        } else if name == Role::ADMIN {
            wrong.extend(inside(&place, Refusal::BuiltIn));
        } else if !Role::is_new_name(name) && !included.contains_key(name.as_str()) {
            wrong.push(InvalidField::new(format!("{place}/name"), NO_DOT_FIRST));
        } else if declared.roles.iter().take(at).any(|(other, _)| other == name) {
            wrong.push(InvalidField::new(format!("{place}/name"), "another role has this name"));
        }
    }
    included.extend(declared.roles.iter().map(|(name, input)| (name.as_str(), input.rules.includes.as_slice())));
    for (at, (name, input)) in declared.roles.iter().enumerate() {
        let mut must = |lawful: bool, pointer: String, detail: &str| {
            if !lawful {
                wrong.push(InvalidField::new(format!("/roles/{at}{pointer}"), detail));
            }
        };
        for (place, word) in input.permissions.iter().enumerate() {
            // What is no word at all has been told.
            let permission = Permission::parse(word);
            let is_there = permission.is_none_or(|one| one.is_well_known()) || words.contains(word.as_str());
            must(is_there, format!("/permissions/{place}"), NO_PERMISSION);
        }
        for (pointer, names) in input.rules.named_roles() {
            for (place, other) in names.iter().enumerate() {
                let is_there = !Role::is_name(other) || included.contains_key(other.as_str());
                must(is_there, format!("{pointer}/{place}"), NO_ROLE);
            }
        }
        for (place, other) in input.rules.includes.iter().enumerate().filter(|(_, other)| *other != name) {
            must(!reaches(&included, other, name), format!("/includes/{place}"), CIRCLE);
        }
    }
    wrong
}

/// The users whom roles of the file name and nobody is.
async fn unknown_users(uow: &mut UnitOfWork, declared: &Declared) -> Result<Vec<InvalidField>, Failure> {
    let mut wrong = Vec::new();
    for (at, (_, RoleInput { rules, .. })) in declared.roles.iter().enumerate() {
        let lists = [("approvers", &rules.approvers.users), ("escalate_to", &rules.escalate_to.users)];
        for (list, users) in lists {
            for (place, id) in users.iter().enumerate() {
                if uow.users().find(*id).await?.is_none() {
                    wrong.push(InvalidField::new(format!("/roles/{at}/{list}/users/{place}"), NO_USER));
                }
            }
        }
    }
    Ok(wrong)
}

/// What is refused of one entry, at its place in the file.
fn inside(place: &str, refusal: Refusal) -> Vec<InvalidField> {
    match refusal {
        Refusal::InvalidInput(fields) => {
            let told = |field: InvalidField| InvalidField::new(format!("{place}{}", field.pointer), field.detail);
            fields.into_iter().map(told).collect()
        }
        other => vec![InvalidField::new(format!("{place}/name"), other.to_string())],
    }
}

/// Whether one role includes another, over whatever many others.
fn reaches<'a>(included: &BTreeMap<&'a str, &'a [String]>, from: &'a str, target: &str) -> bool {
    let (mut seen, mut left) = (BTreeSet::new(), vec![from]);
    while let Some(name) = left.pop() {
        if name == target {
            return true;
        }
        if seen.insert(name) {
            left.extend(included.get(name).copied().unwrap_or_default().iter().map(String::as_str));
        }
    }
    false
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
    // As it would be stored; what cannot be has been refused.
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
