//! Roles, made and changed. Nobody puts into a role what they may not do themselves, nor takes such a thing out of one.

use std::collections::BTreeSet;

use userd_model::{
    Act, Actor, EventKind, GrantKind, InvalidField, Permission, Refusal, Role, RoleRules, fact::Subject,
    role::AutoApprove, text,
};
use userd_storage::{Failure, UnitOfWork};

use super::told;
use crate::{
    Context, Dependencies, IdempotentRequest,
    change::{Change, Changes},
    idempotency::{IdempotencyKeys, Made},
    recent_proof,
    role_reader::{every_role, read, read_permissions},
};

/// Makes and changes roles.
pub struct Roles {
    pub(crate) deps: Dependencies,
    pub(crate) changes: Changes,
    pub(crate) idempotency: IdempotencyKeys,
}

/// What a role shall be.
#[derive(Clone, Debug, Default)]
pub struct RoleInput {
    /// What it allows by itself.
    pub permissions: Vec<String>,
    /// What else it is.
    pub rules: RoleRules,
}

impl Roles {
    /// A page of roles by name, behind one: the built-in ones among them.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn page(&self, ctx: &Context, after: Option<&str>, limit: u32) -> Result<Vec<Role>, Failure> {
        ctx.may(&Act::ReadRoles)?;
        let after = after.unwrap_or_default();
        let mut found = self.deps.store.reading().roles().page(after, limit).await?;
        let has = |found: &[Role], name: &str| found.iter().any(|role| role.name == name);
        for name in Role::built_in_names().filter(|name| *name > after) {
            if !has(&found, name) || name == Role::ADMIN {
                found.retain(|role| role.name != name);
                found.extend(Role::built_in(name));
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found.truncate(limit as usize);
        Ok(found)
    }

    /// One role.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn show(&self, ctx: &Context, name: &str) -> Result<Role, Failure> {
        ctx.may(&Act::ReadRoles)?;
        read(&mut self.deps.store.reading(), name).await?.ok_or_else(|| Refusal::NotFound.into())
    }

    /// Makes a role.
    ///
    /// # Errors
    /// `Forbidden`, also for a rule that grants it at once by whoever may not give rights; `InvalidInput`, `NameTaken`. For a
    /// repeat: `IdempotencyMismatch`, `ReplayRefused`; `NotFound` when it is gone.
    pub async fn create(
        &self,
        ctx: &Context,
        name: &str,
        input: &RoleInput,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<Role, Failure> {
        self.may_edit(ctx).await?;
        ctx.actor.must_reach(name)?;
        let new = &checked(name, input, 1)?;
        if !Role::is_new_name(name) {
            return Err(Refusal::field("/name", NO_DOT_FIRST).into());
        }
        self.changes
            .run(ctx, "create_role", |mut change| async move {
                if let Some(made) = self.idempotency.find(&mut change, idempotent).await? {
                    let Made::Role(name) = made else { return Err(Refusal::IdempotencyMismatch.into()) };
                    let before = read(&mut change, &name).await?.ok_or(Refusal::NotFound)?;
                    return change.commit(before).await;
                }
                if read(&mut change, name).await?.is_some() {
                    return Err(Refusal::NameTaken.into());
                }
                must_fit(&mut change, &ctx.actor, None, new).await?;
                if rule_forbids(&mut change, &ctx.actor, None, new).await? {
                    return Err(Refusal::Forbidden.into());
                }
                let now = change.now;
                change.roles().upsert(new, now).await?;
                let maker = ctx.user().ok().map(|(user, _)| user);
                self.idempotency.save(&mut change, idempotent, Made::Role(new.name.clone()), maker).await?;
                change.event(EventKind::RoleCreated, Subject::role(name), told::role_created(new));
                change.role_changed(name, new.version, false);
                change.commit(new.clone()).await
            })
            .await
    }

    /// Makes a role what it shall be. Tokens that carry what it does not allow any more are dead at once.
    ///
    /// # Errors
    /// `Forbidden` as at [`Self::create`], and for more in a role that the editor holds; `InvalidInput`, `NotFound`,
    /// `VersionMismatch`, `BuiltIn` for `admin`, `ManagedByConfiguration`.
    pub async fn replace(
        &self,
        ctx: &Context,
        name: &str,
        input: &RoleInput,
        expected: Option<i64>,
    ) -> Result<Role, Failure> {
        self.may_edit(ctx).await?;
        ctx.actor.must_reach(name)?;
        let new = &checked(name, input, 0)?;
        self.changes
            .run(ctx, "change_role", |mut change| async move {
                let old = editable(&mut change, name, expected).await?;
                let new = Role { version: old.version + 1, managed: old.managed, ..new.clone() };
                if (&new.permissions, &new.rules) == (&old.permissions, &old.rules) {
                    return change.commit(old).await;
                }
                must_fit(&mut change, &ctx.actor, Some(&old), &new).await?;
                if rule_forbids(&mut change, &ctx.actor, Some(&old), &new).await? {
                    return Err(Refusal::Forbidden.into());
                }
                must_not_widen_own(&mut change, &new).await?;
                self.write(&mut change, &old, &new).await?;
                change.event(EventKind::RoleChanged, Subject::role(name), told::role_changed(&old, &new));
                change.commit(new).await
            })
            .await
    }

    /// Removes a role that nobody holds and no other one names. A built-in one that was changed is as it was before.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `BuiltIn`, `InUse`, `ManagedByConfiguration`.
    pub async fn remove(&self, ctx: &Context, name: &str, expected: Option<i64>) -> Result<(), Failure> {
        self.may_edit(ctx).await?;
        ctx.actor.must_reach(name)?;
        self.changes
            .run(ctx, "remove_role", |mut change| async move {
                let old = editable(&mut change, name, expected).await?;
                let built_in = Role::built_in(name);
                if built_in.is_some() && change.roles().find(name).await?.is_none() {
                    return Err(Refusal::BuiltIn.into());
                }
                let before = read_permissions(&mut change, &[name.to_owned()]).await?;
                must_give(&ctx.actor, &before)?;
                let data = told::role_removed(&old, built_in.as_ref());
                match built_in {
                    Some(role) => {
                        // The version goes on, or tokens of now would count again.
                        let role = Role { version: old.version + 1, ..role };
                        let after = allowed_by(&mut change, &role).await?;
                        must_give(&ctx.actor, &after)?;
                        must_not_widen_own(&mut change, &role).await?;
                        self.write(&mut change, &old, &role).await?;
                    }
                    None => {
                        self.must_be_unused(&mut change, name).await?;
                        change.roles().remove(name).await?;
                        change.role_changed(name, old.version + 1, false);
                    }
                }
                change.event(EventKind::RoleRemoved, Subject::role(name), data);
                change.commit(()).await
            })
            .await
    }

    /// Whether somebody may edit roles now: asked before they fill a form in, and by every edit.
    ///
    /// # Errors
    /// `Forbidden`, `InsufficientAuthentication`.
    pub async fn may_edit(&self, ctx: &Context) -> Result<(), Failure> {
        ctx.may(&Act::ManageRoles)?;
        recent_proof::must_be_strong(ctx, &mut self.deps.store.reading()).await
    }

    /// Whether a rule that grants this role at once, or one above it, keeps the actor from changing it, whatever the change: for
    /// whoever would offer one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn is_kept_by_a_rule(&self, ctx: &Context, role: &Role) -> Result<bool, Failure> {
        rule_forbids(&mut self.deps.store.reading(), &ctx.actor, Some(role), role).await
    }

    /// Writes a role. Each that includes it allows something else too, and less where it does.
    async fn write(&self, change: &mut Change<'_>, old: &Role, new: &Role) -> Result<(), Failure> {
        let name = [old.name.clone()];
        let before = read_permissions(change, &name).await?;
        let now = change.now;
        change.roles().upsert(new, now).await?;
        let after = read_permissions(change, &name).await?;
        let allows_less = before.iter().any(|permission| !after.contains(permission));
        change.role_changed(&new.name, new.version, allows_less);
        for mut above in including(change, &new.name).await? {
            above.version += 1;
            change.roles().upsert(&above, now).await?;
            change.role_changed(&above.name, above.version, allows_less);
        }
        Ok(())
    }

    async fn must_be_unused(&self, change: &mut Change<'_>, name: &str) -> Result<(), Failure> {
        let is_held = !change.user_terms().holders(name).await?.is_empty();
        // What it says about itself ends with it.
        let names = |role: &Role| {
            let lists = role.rules.named_roles();
            role.name != name && lists.iter().any(|(_, roles)| roles.iter().any(|one| one == name))
        };
        if is_held || every_role(change).await?.iter().any(names) { Err(Refusal::InUse.into()) } else { Ok(()) }
    }
}

/// Roles that include this one, over whatever many others.
async fn including(uow: &mut UnitOfWork, name: &str) -> Result<Vec<Role>, Failure> {
    let all = every_role(uow).await?;
    let mut below = BTreeSet::from([name.to_owned()]);
    let mut found: Vec<Role> = Vec::new();
    loop {
        let is_new =
            |role: &&Role| !below.contains(&role.name) && role.rules.includes.iter().any(|n| below.contains(n));
        let more: Vec<Role> = all.iter().filter(is_new).cloned().collect();
        if more.is_empty() {
            return Ok(found);
        }
        below.extend(more.iter().map(|role| role.name.clone()));
        found.extend(more);
    }
}

/// What is wrong with a new name, and with what a role names; `declared.rs` says so of a whole file.
pub(super) const NO_DOT_FIRST: &str = "must not begin with a dot";
pub(super) const NO_PERMISSION: &str = "no such permission: register it first";
pub(super) const NO_ROLE: &str = "no such role";
pub(super) const CIRCLE: &str = "includes this role itself: roles cannot go in a circle";
pub(super) const NO_USER: &str = "no such user";

/// The role that is asked for, as far as it can be told without what is there.
pub(super) fn checked(name: &str, input: &RoleInput, version: i64) -> Result<Role, Refusal> {
    let mut role = Role {
        name: name.to_owned(),
        permissions: input.permissions.clone(),
        rules: input.rules.clone(),
        managed: false,
        version,
    };
    let mut wrong = role.faults();
    if !Role::is_name(name) {
        wrong.insert(0, InvalidField::new("/name", "1 to 100 of a-z, 0-9, _, . and -"));
    }
    for (pointer, words) in
        [("/description", &mut role.rules.description), ("/reason_prompt", &mut role.rules.reason_prompt)]
    {
        match words.as_deref().map(text::reason).transpose() {
            Ok(checked) => *words = checked,
            Err(detail) => wrong.push(InvalidField::new(pointer, detail)),
        }
    }
    let RoleRules { includes, approvers, auto_approve, escalate_to, .. } = &mut role.rules;
    let trusted = match auto_approve {
        AutoApprove::All(_) => None,
        AutoApprove::Holders { roles } => Some(roles),
    };
    let lists = [&mut role.permissions, includes, &mut approvers.roles, &mut escalate_to.roles];
    for list in lists.into_iter().chain(trusted) {
        list.sort_unstable();
        list.dedup();
    }
    if wrong.is_empty() { Ok(role) } else { Err(Refusal::InvalidInput(wrong)) }
}

/// The role as it is, if the API may change it.
async fn editable(change: &mut Change<'_>, name: &str, expected: Option<i64>) -> Result<Role, Failure> {
    let old = read(change, name).await?.ok_or(Refusal::NotFound)?;
    if old.is_admin() {
        return Err(Refusal::BuiltIn.into());
    }
    if old.managed && change.context.actor != Actor::Operator {
        return Err(Refusal::ManagedByConfiguration.into());
    }
    match expected {
        Some(version) if version != old.version => Err(Refusal::VersionMismatch.into()),
        _ => Ok(old),
    }
}

/// Refuses permissions that are not registered, roles that are not there, circles, and whatever the editor may not give.
async fn must_fit(change: &mut Change<'_>, actor: &Actor, old: Option<&Role>, new: &Role) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for (place, word) in new.permissions.iter().enumerate() {
        if !is_registered(change, word).await? {
            let pointer = format!("/permissions/{place}");
            wrong.push(InvalidField::new(pointer, NO_PERMISSION));
        }
    }
    let RoleRules { includes, approvers, escalate_to, .. } = &new.rules;
    for (pointer, names) in new.rules.named_roles() {
        for (place, name) in names.iter().enumerate() {
            if *name != new.name && read(change, name).await?.is_none() {
                wrong.push(InvalidField::new(format!("{pointer}/{place}"), NO_ROLE));
            }
        }
    }
    for (place, name) in includes.iter().enumerate() {
        if reaches(change, name, &new.name).await? {
            wrong.push(InvalidField::new(format!("/includes/{place}"), CIRCLE));
        }
    }
    for (pointer, users) in [("/approvers/users", &approvers.users), ("/escalate_to/users", &escalate_to.users)] {
        for (place, id) in users.iter().enumerate() {
            if change.users().find(*id).await?.is_none() {
                wrong.push(InvalidField::new(format!("{pointer}/{place}"), NO_USER));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(Refusal::InvalidInput(wrong).into());
    }
    if let Some(old) = old {
        must_give(actor, &read_permissions(change, std::slice::from_ref(&old.name)).await?)?;
    }
    let permissions = allowed_by(change, new).await?;
    Ok(must_give(actor, &permissions)?)
}

/// What a role allows that is not written yet.
async fn allowed_by(uow: &mut UnitOfWork, role: &Role) -> Result<Vec<Permission>, Failure> {
    let mut permissions: Vec<Permission> = role.permissions.iter().filter_map(|word| Permission::parse(word)).collect();
    permissions.extend(read_permissions(uow, &role.rules.includes).await?);
    Ok(permissions)
}

/// Whoever holds a right for a while would hold it for good by a role of theirs that it is put into (decision 0064): nobody adds
/// to what they hold themselves, but those who may do everything and for good.
async fn must_not_widen_own(change: &mut Change<'_>, new: &Role) -> Result<(), Failure> {
    let Actor::User { id, .. } = change.context.actor else { return Ok(()) };
    let Some(user) = change.users().find(id).await? else { return Ok(()) };
    let now = change.now;
    let holds = |name: &str| {
        let period = user.period_of(GrantKind::Role, name);
        period.is_some_and(|period| period.expires_at.is_none_or(|end| end > now))
    };
    let is_own = holds(&new.name) || including(change, &new.name).await?.iter().any(|above| holds(&above.name));
    if !is_own || user.is_lasting_administrator() {
        return Ok(());
    }
    let before = read_permissions(change, std::slice::from_ref(&new.name)).await?;
    let after = allowed_by(change, new).await?;
    if after.iter().all(|permission| before.contains(permission)) { Ok(()) } else { Err(Refusal::Forbidden.into()) }
}

/// What a rule grants at once is given by whoever makes the rule, or what it leads to: that needs the right to give, besides the
/// one to manage (decision 0064). A role is what it includes, so those above it count too.
async fn rule_forbids(uow: &mut UnitOfWork, actor: &Actor, old: Option<&Role>, new: &Role) -> Result<bool, Failure> {
    if actor.holds(&Permission::ROLES_GRANT) {
        return Ok(false);
    }
    let is_on = |role: &Role| role.rules.auto_approve.is_on();
    Ok(is_on(new) || old.is_some_and(is_on) || including(uow, &new.name).await?.iter().any(is_on))
}

fn must_give(actor: &Actor, permissions: &[Permission]) -> Result<(), Refusal> {
    if permissions.iter().all(|permission| actor.may_give(permission)) { Ok(()) } else { Err(Refusal::Forbidden) }
}

/// Whether a permission may be used: one of ours, or a registered one.
pub(super) async fn is_registered(uow: &mut UnitOfWork, word: &str) -> Result<bool, Failure> {
    match Permission::parse(word) {
        None => Ok(false),
        Some(permission) if permission.is_well_known() => Ok(true),
        Some(_) => Ok(uow.permissions().find(word).await?.is_some()),
    }
}

async fn reaches(uow: &mut UnitOfWork, from: &str, target: &str) -> Result<bool, Failure> {
    let (mut seen, mut left) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(name) = left.pop() {
        if name == target {
            return Ok(true);
        }
        if seen.insert(name.clone())
            && let Some(role) = read(uow, &name).await?
        {
            left.extend(role.rules.includes);
        }
    }
    Ok(false)
}
