//! Keys that shared signals are signed with, the private halves sealed.

use userd_model::{Sealed, StreamKey};

use crate::{
    Row, StoreError, UnitOfWork,
    tables::{List, Shape, position, statements_of},
};

/// Keys of shared signals.
pub struct StreamKeys<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { STREAM_KEYS:
    INSERT = "stream_keys.insert": Shape::Insert;
    EVERY = "stream_keys.every": Shape::List(List::by_key().unlimited());
    REMOVE = "stream_keys.remove": Shape::Remove;
}

impl StreamKeys<'_> {
    /// Adds a key.
    ///
    /// # Errors
    /// `Duplicate(Key("stream_keys"))` when the name exists.
    pub async fn insert(&mut self, key: &StreamKey) -> Result<(), StoreError> {
        let values = [
            key.kid.as_str().into(),
            key.public_jwk.clone().into(),
            key.private_key.0.clone().into(),
            key.created_at.into(),
        ];
        self.0.write(&INSERT, &values).await
    }

    /// Every key, oldest first.
    pub async fn all(&mut self) -> Result<Vec<StreamKey>, StoreError> {
        let mut keys = self.0.many(&EVERY, &[], key).await?;
        keys.sort_by(|a, b| (a.created_at, &a.kid).cmp(&(b.created_at, &b.kid)));
        Ok(keys)
    }

    /// Forgets a key.
    pub async fn remove(&mut self, kid: &str) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[kid.into()]).await
    }
}

fn key(row: &mut Row) -> Result<StreamKey, StoreError> {
    Ok(StreamKey {
        kid: row.text(position!(STREAM_KEYS.kid))?,
        public_jwk: row.json(position!(STREAM_KEYS.public_jwk))?,
        private_key: Sealed(row.bytes(position!(STREAM_KEYS.private_key))?),
        created_at: row.timestamp(position!(STREAM_KEYS.created_at))?,
    })
}
