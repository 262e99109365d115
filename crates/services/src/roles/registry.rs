//! The words of permissions: ours, and those that other services have registered. A word is registered before it can be
//! given to anybody, so that a misspelt one is noticed.

use userd_model::{
    Act, EventKind, GrantKind, Permission, Refusal, fact::Subject, permission::RegisteredPermission, text,
};
use userd_storage::Failure;

use crate::{
    Context, Dependencies, IdempotentRequest,
    change::Changes,
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
}

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
        let permission =
            Permission::parse(name).ok_or_else(|| Refusal::field("/name", "1 to 100 of a-z, 0-9, _, . and -"))?;
        if permission.is_well_known() {
            return Err(Refusal::BuiltIn.into());
        }
        ctx.actor.must_reach(name)?;
        let description = description.map(text::reason).transpose();
        let description = description.map_err(|detail| Refusal::field("/description", detail))?;
        let new = &RegisteredPermission {
            name: name.to_owned(),
            description,
            requestable,
            registered_by: ctx.actor.name(),
            created_at: self.deps.now(),
        };
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
                change.permissions().upsert(new).await?;
                let maker = ctx.user().ok().map(|(user, _)| user);
                self.idempotency.save(&mut change, idempotent, Made::Permission(name.to_owned()), maker).await?;
                change.event(EventKind::PermissionRegistered, Subject::permission(name), serde_json::json!({}));
                change.commit(view(new.clone())).await
            })
            .await
    }

    /// Removes a word that nobody holds and no role has.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `InUse`, `BuiltIn` for one of ours.
    pub async fn remove(&self, ctx: &Context, name: &str) -> Result<(), Failure> {
        self.may_manage(ctx).await?;
        if Permission::parse(name).ok_or(Refusal::NotFound)?.is_well_known() {
            return Err(Refusal::BuiltIn.into());
        }
        ctx.actor.must_reach(name)?;
        self.changes
            .run(ctx, "remove_permission", |mut change| async move {
                change.permissions().find(name).await?.ok_or(Refusal::NotFound)?;
                let is_held = !change.user_terms().holders_of(GrantKind::Permission, name).await?.is_empty();
                let has = |role: &userd_model::Role| role.permissions.iter().any(|word| word == name);
                if is_held || every_role(&mut change).await?.iter().any(has) {
                    return Err(Refusal::InUse.into());
                }
                change.permissions().remove(name).await?;
                change.event(EventKind::PermissionRemoved, Subject::permission(name), serde_json::json!({}));
                change.commit(()).await
            })
            .await
    }

    async fn may_manage(&self, ctx: &Context) -> Result<(), Failure> {
        ctx.may(&Act::ManagePermissions)?;
        recent_proof::must_be_strong(ctx, &mut self.deps.store.reading()).await
    }
}

fn view(permission: RegisteredPermission) -> PermissionView {
    let RegisteredPermission { name, description, requestable, .. } = permission;
    PermissionView { name, description, requestable, built_in: false }
}
