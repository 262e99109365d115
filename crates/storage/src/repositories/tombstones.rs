//! Accounts that were erased, or whose erasure has been decided.

use userd_model::{Timestamp, UserId};

use crate::{
    Row, StoreError, UnitOfWork,
    tables::{Shape, position, statements_of},
};

/// Accounts that were erased, or whose erasure has been decided.
pub struct Tombstones<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { TOMBSTONES:
    UPSERT = "tombstones.upsert": Shape::Upsert;
    BY_USER = "tombstones.by_user": Shape::Find;
}

impl Tombstones<'_> {
    /// The account is erased, or will be.
    pub async fn place(&mut self, user: UserId, purged_at: Timestamp) -> Result<(), StoreError> {
        self.0.write(&UPSERT, &[user.into(), purged_at.into()]).await
    }

    /// When this account was erased; while it is there, when that was decided.
    pub async fn find(&mut self, user: UserId) -> Result<Option<Timestamp>, StoreError> {
        self.0.one(&BY_USER, &[user.into()], |row: &mut Row| row.timestamp(position!(TOMBSTONES.purged_at))).await
    }
}
