//! Signing keys, the private halves sealed. Few rows; replicas read them all.

use userd_model::{KeyState, Sealed, SigningKeyRecord};

use super::known;
use crate::{Row, StoreError, UnitOfWork, statements};

/// Signing keys.
pub struct SigningKeys<'a>(pub(super) &'a mut UnitOfWork);

statements! {
    INSERT = "signing_keys.insert": "INSERT INTO signing_keys (kid, algorithm, state, public_jwk, private_key, \
        created_at, activated_at, retired_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        (Text, Text, Text, Json, Bytes, Timestamp, Timestamp, Timestamp) -> ();
    EVERY = "signing_keys.every": "SELECT kid, algorithm, state, public_jwk, private_key, created_at, activated_at, \
        retired_at FROM signing_keys ORDER BY kid"
        () -> (Text, Text, Text, Json, Bytes, Timestamp, Timestamp, Timestamp);
    BY_KID = "signing_keys.by_kid": "SELECT kid, algorithm, state, public_jwk, private_key, created_at, \
        activated_at, retired_at FROM signing_keys WHERE kid = $1"
        (Text) -> (Text, Text, Text, Json, Bytes, Timestamp, Timestamp, Timestamp);
    UPDATE = "signing_keys.update": "UPDATE signing_keys SET state = $1, private_key = $2, activated_at = $3, \
        retired_at = $4 WHERE kid = $5"
        (Text, Bytes, Timestamp, Timestamp, Text) -> ();
    REMOVE = "signing_keys.remove": "DELETE FROM signing_keys WHERE kid = $1" (Text) -> ();
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
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn all(&mut self) -> Result<Vec<SigningKeyRecord>, StoreError> {
        self.0.many(&EVERY, &[], key).await
    }

    /// The key with this name.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn find(&mut self, kid: &str) -> Result<Option<SigningKeyRecord>, StoreError> {
        self.0.one(&BY_KID, &[kid.into()], key).await
    }

    /// Writes state, sealed private half and the times of the state changes; the rest of a key never changes.
    ///
    /// # Errors
    /// Storage faults only.
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
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn remove(&mut self, kid: &str) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[kid.into()]).await
    }
}

fn key(row: &mut Row) -> Result<SigningKeyRecord, StoreError> {
    Ok(SigningKeyRecord {
        kid: row.text(0)?,
        algorithm: row.text(1)?,
        state: known("key state", KeyState::parse(&row.text(2)?))?,
        public_jwk: row.json(3)?,
        private_key: Sealed(row.bytes(4)?),
        created_at: row.timestamp(5)?,
        activated_at: row.timestamp_or_null(6)?,
        retired_at: row.timestamp_or_null(7)?,
    })
}
