//! Signing keys, the private halves sealed. Few rows; replicas read them all.

use userd_model::{KeyState, Sealed, SigningKeyRecord};

use super::known;
use crate::{
    Row, StoreError, UnitOfWork,
    tables::{List, Shape, position, statements_of},
};

/// Signing keys.
pub struct SigningKeys<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { SIGNING_KEYS:
    INSERT = "signing_keys.insert": Shape::Insert;
    EVERY = "signing_keys.every": Shape::List(List::by_key().unlimited());
    BY_KID = "signing_keys.by_kid": Shape::Find;
    UPDATE = "signing_keys.update": Shape::Update(&["state", "private_key", "activated_at", "retired_at"]);
    REMOVE = "signing_keys.remove": Shape::Remove;
}

impl SigningKeys<'_> {
    /// Adds a key.
    ///
    /// # Errors
    /// `Duplicate(Key("signing_keys"))` when the `kid` exists.
    pub async fn insert(&mut self, key: &SigningKeyRecord) -> Result<(), StoreError> {
        let values = [
            key.kid.as_str().into(),
            key.algorithm.as_str().into(),
            key.state.as_str().into(),
            key.public_jwk.clone().into(),
            key.private_key.0.clone().into(),
            key.created_at.into(),
            key.activated_at.into(),
            key.retired_at.into(),
        ];
        self.0.write(&INSERT, &values).await
    }

    /// Every key in every state, by `kid`.
    pub async fn all(&mut self) -> Result<Vec<SigningKeyRecord>, StoreError> {
        self.0.many(&EVERY, &[], key).await
    }

    /// The key with this name.
    pub async fn find(&mut self, kid: &str) -> Result<Option<SigningKeyRecord>, StoreError> {
        self.0.one(&BY_KID, &[kid.into()], key).await
    }

    /// Writes state, sealed private half and the times of the state changes; the rest of a key never changes.
    pub async fn update(&mut self, key: &SigningKeyRecord) -> Result<(), StoreError> {
        let values = [
            key.state.as_str().into(),
            key.private_key.0.clone().into(),
            key.activated_at.into(),
            key.retired_at.into(),
            key.kid.as_str().into(),
        ];
        self.0.write(&UPDATE, &values).await
    }

    /// Removes a key whose last token has expired.
    pub async fn remove(&mut self, kid: &str) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[kid.into()]).await
    }
}

fn key(row: &mut Row) -> Result<SigningKeyRecord, StoreError> {
    Ok(SigningKeyRecord {
        kid: row.text(position!(SIGNING_KEYS.kid))?,
        algorithm: row.text(position!(SIGNING_KEYS.algorithm))?,
        state: known("key state", KeyState::parse(&row.text(position!(SIGNING_KEYS.state))?))?,
        public_jwk: row.json(position!(SIGNING_KEYS.public_jwk))?,
        private_key: Sealed(row.bytes(position!(SIGNING_KEYS.private_key))?),
        created_at: row.timestamp(position!(SIGNING_KEYS.created_at))?,
        activated_at: row.timestamp_or_null(position!(SIGNING_KEYS.activated_at))?,
        retired_at: row.timestamp_or_null(position!(SIGNING_KEYS.retired_at))?,
    })
}
