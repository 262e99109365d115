//! Identities: links between users and accounts elsewhere. That an account elsewhere belongs to one user only is a
//! claim, not a rule of this table.

use userd_model::{Identity, IdentityId, Sealed, UserId};

use super::MOST;
use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{List, Range, Shape, position, statements_of},
};

/// Identities.
pub struct Identities<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { IDENTITIES:
    INSERT = "identities.insert": Shape::Insert;
    BY_ID = "identities.by_id": Shape::Find;
    UPDATE = "identities.update": Shape::Update(&[
        "provider", "issuer", "subject", "profile", "tokens", "client_id", "bot_access", "last_used_at",
    ]);
    BY_USER = "identities.by_user": Shape::List(List::along("identities_by_user").equal(1));
    OF_PROVIDER = "identities.of_provider":
        Shape::List(List::along("identities_by_provider").equal(1).range(Range::Behind));
    REMOVE = "identities.remove": Shape::Remove;
}

impl Identities<'_> {
    /// Adds a link.
    ///
    /// # Errors
    /// `Duplicate(Key("identities"))` when the id exists.
    pub async fn insert(&mut self, identity: &Identity) -> Result<(), StoreError> {
        let values = [
            identity.id.into(),
            identity.user_id.into(),
            identity.provider.as_str().into(),
            identity.issuer.as_str().into(),
            identity.subject.0.clone().into(),
            sealed(identity.profile.as_ref()),
            sealed(identity.tokens.as_ref()),
            identity.client_id.as_str().into(),
            identity.bot_access.into(),
            identity.created_at.into(),
            identity.last_used_at.into(),
        ];
        self.0.write(&INSERT, &values).await
    }

    /// The link with this id.
    pub async fn find(&mut self, id: IdentityId) -> Result<Option<Identity>, StoreError> {
        self.0.one(&BY_ID, &[id.into()], identity).await
    }

    /// Writes every column but the id, the user and `created_at`. Nothing happens when the id is unknown.
    pub async fn update(&mut self, identity: &Identity) -> Result<(), StoreError> {
        let values = [
            identity.provider.as_str().into(),
            identity.issuer.as_str().into(),
            identity.subject.0.clone().into(),
            sealed(identity.profile.as_ref()),
            sealed(identity.tokens.as_ref()),
            identity.client_id.as_str().into(),
            identity.bot_access.into(),
            identity.last_used_at.into(),
            identity.id.into(),
        ];
        self.0.write(&UPDATE, &values).await
    }

    /// The user's links by (`created_at`, id); at most 1,000.
    pub async fn of_user(&mut self, user: UserId) -> Result<Vec<Identity>, StoreError> {
        self.0.many(&BY_USER, &[user.into(), i64::from(MOST).into()], identity).await
    }

    /// Up to `limit` links to a provider by id ascending, behind `after`.
    pub async fn of_provider(
        &mut self,
        provider: &str,
        after: IdentityId,
        limit: u32,
    ) -> Result<Vec<Identity>, StoreError> {
        self.0.many(&OF_PROVIDER, &[provider.into(), after.into(), i64::from(limit).into()], identity).await
    }

    /// Removes a link.
    pub async fn remove(&mut self, id: IdentityId) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[id.into()]).await
    }
}

fn identity(row: &mut Row) -> Result<Identity, StoreError> {
    Ok(Identity {
        id: IdentityId(row.uuid(position!(IDENTITIES.id))?),
        user_id: UserId(row.uuid(position!(IDENTITIES.user_id))?),
        provider: row.text(position!(IDENTITIES.provider))?,
        issuer: row.text(position!(IDENTITIES.issuer))?,
        subject: Sealed(row.bytes(position!(IDENTITIES.subject))?),
        profile: row.bytes_or_null(position!(IDENTITIES.profile))?.map(Sealed),
        tokens: row.bytes_or_null(position!(IDENTITIES.tokens))?.map(Sealed),
        client_id: row.text(position!(IDENTITIES.client_id))?,
        bot_access: row.bool(position!(IDENTITIES.bot_access))?,
        created_at: row.timestamp(position!(IDENTITIES.created_at))?,
        last_used_at: row.timestamp(position!(IDENTITIES.last_used_at))?,
    })
}

fn sealed(value: Option<&Sealed>) -> Value {
    value.map(|sealed| sealed.0.clone()).into()
}
