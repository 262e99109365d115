//! The words of permissions: ours, and those that other services have registered. A word is registered before it can be
//! given to anybody, so that a misspelt one is noticed.

use serde_json::json;
use userd_model::{
    Act, Actor, EventKind, GrantKind, Permission, Refusal, fact::Subject, permission::RegisteredPermission, text,
};
use userd_storage::{Failure, UnitOfWork};

use super::{edit::NO_DOT_FIRST, told};
use crate::{
    Context, Dependencies, IdempotentRequest,
    change::{Change, Changes},
    idempotency::{IdempotencyKeys, Made},
    recent_proof,
    role_reader::every_role,
};

/// Registers permissions.
pub struct Permissions {
    pub(crate) deps: Dependencies,
    pub(crate) changes: Changes,
    pub(crate) idempotency: IdempotencyKeys,
}

/// A permission as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionView {
    /// The word.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Whether users may ask for it by itself.
    pub requestable: bool,
    /// Whether it is one of this service's own.
    pub built_in: bool,
    /// Whether the configuration declares it: then only `userd roles apply` changes it.
    pub managed: bool,
}

/// Permissions read at once.
const PAGE: u32 = 500;

impl Permissions {
    /// A page of permissions by name, behind one: ours among them.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn page(&self, ctx: &Context, after: Option<&str>, limit: u32) -> Result<Vec<PermissionView>, Failure> {
        ctx.may(&Act::ReadRoles)?;
        let after = after.unwrap_or_default();
        let found = self.deps.store.reading().permissions().page(after, limit).await?;
        let ours = Permission::WELL_KNOWN.iter().filter(|known| known.as_str() > after);
        let ours = ours.map(|known| PermissionView {
            name: known.as_str().to_owned(),
            description: Some(known.about().to_owned()),
            requestable: false,
            built_in: true,
            managed: false,
        });
        let mut all: Vec<PermissionView> = found.into_iter().map(view).chain(ours).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all.truncate(limit as usize);
        Ok(all)
    }

    /// Registers a word of another service.
    ///
    /// # Errors
    /// `Forbidden`, `InvalidInput`, `NameTaken`, `BuiltIn` for one of ours. For a repeat: `IdempotencyMismatch`,
    /// `ReplayRefused`; `NotFound` when it is gone.
    pub async fn register(
        &self,
        ctx: &Context,
        name: &str,
        description: Option<&str>,
        requestable: bool,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<PermissionView, Failure> {
        self.may_manage(ctx).await?;
        let new = &self.drafted(ctx, name, description, requestable)?;
        if !Permission::is_new_word(name) {
            return Err(Refusal::field("/name", NO_DOT_FIRST).into());
        }
        self.changes
            .run(ctx, "register_permission", |mut change| async move {
                if let Some(made) = self.idempotency.find(&mut change, idempotent).await? {
                    let Made::Permission(name) = made else { return Err(Refusal::IdempotencyMismatch.into()) };
                    let before = change.permissions().find(&name).await?.ok_or(Refusal::NotFound)?;
                    return change.commit(view(before)).await;
                }
                if change.permissions().find(name).await?.is_some() {
                    return Err(Refusal::NameTaken.into());
                }
                let maker = ctx.user().ok().map(|(user, _)| user);
                self.idempotency.save(&mut change, idempotent, Made::Permission(name.to_owned()), maker).await?;
                write(&mut change, None, new).await?;
                change.commit(view(new.clone())).await
            })
            .await
    }

    /// Makes a word what the configuration says, registered before or not; from then on it is the configuration's.
    pub(super) async fn declare(
        &self,
        ctx: &Context,
        name: &str,
        description: Option<&str>,
        requestable: bool,
    ) -> Result<(), Failure> {
        let new = &self.drafted(ctx, name, description, requestable)?;
        self.changes
            .run(ctx, "declare_permission", |mut change| async move {
                let old = change.permissions().find(name).await?;
                // Who registered it, and when, stays as it is.
                let new = RegisteredPermission {
                    description: new.description.clone(),
                    requestable,
                    managed: true,
                    ..old.clone().unwrap_or_else(|| new.clone())
                };
                write(&mut change, old.as_ref(), &new).await?;
                change.commit(()).await
            })
            .await
    }

    /// The configuration declares a word no longer: it stays, and is nobody's to manage.
    pub(super) async fn release(&self, ctx: &Context, name: &str) -> Result<(), Failure> {
        self.changes
            .run(ctx, "release_permission", |mut change| async move {
                if let Some(old) = change.permissions().find(name).await? {
                    let new = RegisteredPermission { managed: false, ..old.clone() };
                    write(&mut change, Some(&old), &new).await?;
                }
                change.commit(()).await
            })
            .await
    }

    /// Removes a word that nobody holds and no role has.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `InUse`, `BuiltIn` for one of ours, `ManagedByConfiguration`.
    pub async fn remove(&self, ctx: &Context, name: &str) -> Result<(), Failure> {
        self.may_manage(ctx).await?;
        if Permission::parse(name).ok_or(Refusal::NotFound)?.is_well_known() {
            return Err(Refusal::BuiltIn.into());
        }
        ctx.actor.must_reach(name)?;
        self.changes
            .run(ctx, "remove_permission", |mut change| async move {
                let old = change.permissions().find(name).await?.ok_or(Refusal::NotFound)?;
                if old.managed && ctx.actor != Actor::Operator {
                    return Err(Refusal::ManagedByConfiguration.into());
                }
                let is_held = !change.user_terms().holders_of(GrantKind::Permission, name).await?.is_empty();
                let has = |role: &userd_model::Role| role.permissions.iter().any(|word| word == name);
                if is_held || every_role(&mut change).await?.iter().any(has) {
                    return Err(Refusal::InUse.into());
                }
                change.permissions().remove(name).await?;
                let data = json!({ "before": told::permission(&old) });
                change.event(EventKind::PermissionRemoved, Subject::permission(name), data);
                change.commit(()).await
            })
            .await
    }

    /// What is registered, as far as it can be told without what is there.
    fn drafted(
        &self,
        ctx: &Context,
        name: &str,
        description: Option<&str>,
        requestable: bool,
    ) -> Result<RegisteredPermission, Refusal> {
        let description = checked(name, description)?;
        ctx.actor.must_reach(name)?;
        Ok(RegisteredPermission {
            name: name.to_owned(),
            description,
            requestable,
            registered_by: ctx.actor.name(),
            created_at: self.deps.now(),
            managed: false,
        })
    }

    async fn may_manage(&self, ctx: &Context) -> Result<(), Failure> {
        ctx.may(&Act::ManagePermissions)?;
        recent_proof::must_be_strong(ctx, &mut self.deps.store.reading()).await
    }
}

/// What is said of a word, if both are lawful as far as it can be told without what is there.
pub(super) fn checked(name: &str, description: Option<&str>) -> Result<Option<String>, Refusal> {
    let permission =
        Permission::parse(name).ok_or_else(|| Refusal::field("/name", "1 to 100 of a-z, 0-9, _, . and -"))?;
    if permission.is_well_known() {
        return Err(Refusal::BuiltIn);
    }
    description.map(text::reason).transpose().map_err(|detail| Refusal::field("/description", detail))
}

/// Writes a word, and tells what is new of it.
async fn write(
    change: &mut Change<'_>,
    old: Option<&RegisteredPermission>,
    new: &RegisteredPermission,
) -> Result<(), Failure> {
    let subject = Subject::permission(&new.name);
    match old {
        Some(old) if old == new => return Ok(()),
        Some(old) => change.event(EventKind::PermissionChanged, subject, told::permission_changed(old, new)),
        None => change.event(EventKind::PermissionRegistered, subject, json!({ "after": told::permission(new) })),
    };
    Ok(change.permissions().upsert(new).await?)
}

/// Every registered word.
pub(super) async fn every_permission(uow: &mut UnitOfWork) -> Result<Vec<RegisteredPermission>, Failure> {
    let mut all: Vec<RegisteredPermission> = Vec::new();
    loop {
        let after = all.last().map(|last| last.name.clone()).unwrap_or_default();
        let page = uow.permissions().page(&after, PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

fn view(permission: RegisteredPermission) -> PermissionView {
    let RegisteredPermission { name, description, requestable, managed, .. } = permission;
    PermissionView { name, description, requestable, built_in: false, managed }
}
