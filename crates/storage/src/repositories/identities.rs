//! Identities: links between users and accounts elsewhere. That an account elsewhere belongs to one user only is a
//! claim, not a rule of this table.

use userd_model::{Identity, IdentityId, Sealed, UserId};

use super::MOST;
use crate::{Row, StoreError, UnitOfWork, Value, statements};

/// Identities.
pub struct Identities<'a>(pub(super) &'a mut UnitOfWork);

statements! {
    INSERT = "identities.insert": "INSERT INTO identities (id, user_id, provider, issuer, subject, profile, tokens, \
        client_id, bot_access, created_at, last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        (Uuid, Uuid, Text, Text, Bytes, Bytes, Bytes, Text, Bool, Timestamp, Timestamp) -> ();
    BY_ID = "identities.by_id": "SELECT id, user_id, provider, issuer, subject, profile, tokens, client_id, \
        bot_access, created_at, last_used_at FROM identities WHERE id = $1"
        (Uuid) -> (Uuid, Uuid, Text, Text, Bytes, Bytes, Bytes, Text, Bool, Timestamp, Timestamp);
    UPDATE = "identities.update": "UPDATE identities SET provider = $1, issuer = $2, subject = $3, profile = $4, \
        tokens = $5, client_id = $6, bot_access = $7, last_used_at = $8 WHERE id = $9"
        (Text, Text, Bytes, Bytes, Bytes, Text, Bool, Timestamp, Uuid) -> ();
    BY_USER = "identities.by_user": "SELECT id, user_id, provider, issuer, subject, profile, tokens, client_id, \
        bot_access, created_at, last_used_at FROM identities WHERE user_id = $1 \
        ORDER BY user_id, created_at, id LIMIT $2"
        (Uuid, I64) -> (Uuid, Uuid, Text, Text, Bytes, Bytes, Bytes, Text, Bool, Timestamp, Timestamp);
    REMOVE = "identities.remove": "DELETE FROM identities WHERE id = $1" (Uuid) -> ();
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
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn find(&mut self, id: IdentityId) -> Result<Option<Identity>, StoreError> {
        self.0.one(&BY_ID, &[id.into()], identity).await
    }

    /// Writes every column but the id, the user and `created_at`. Nothing happens when the id is unknown.
    ///
    /// # Errors
    /// Storage faults only.
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
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn of_user(&mut self, user: UserId) -> Result<Vec<Identity>, StoreError> {
        self.0.many(&BY_USER, &[user.into(), i64::from(MOST).into()], identity).await
    }

    /// Removes a link.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn remove(&mut self, id: IdentityId) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[id.into()]).await
    }
}

fn identity(row: &mut Row) -> Result<Identity, StoreError> {
    Ok(Identity {
        id: IdentityId(row.uuid(0)?),
        user_id: UserId(row.uuid(1)?),
        provider: row.text(2)?,
        issuer: row.text(3)?,
        subject: Sealed(row.bytes(4)?),
        profile: row.bytes_or_null(5)?.map(Sealed),
        tokens: row.bytes_or_null(6)?.map(Sealed),
        client_id: row.text(7)?,
        bot_access: row.bool(8)?,
        created_at: row.timestamp(9)?,
        last_used_at: row.timestamp(10)?,
    })
}

fn sealed(value: Option<&Sealed>) -> Value {
    value.map(|sealed| sealed.0.clone()).into()
}
