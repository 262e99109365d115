//! When blocks end by themselves.

use userd_model::{Timestamp, UserId};

use crate::{
    Row, StoreError, UnitOfWork,
    tables::{List, Range, Shape, position, statements_of},
};

/// When blocks end by themselves.
pub struct BlockEnds<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { BLOCK_ENDS:
    UPSERT = "block_ends.upsert": Shape::Upsert;
    REMOVE = "block_ends.remove": Shape::Remove;
    DUE = "block_ends.due": Shape::List(List::along("block_ends_by_end").range(Range::UpTo));
}

impl BlockEnds<'_> {
    /// Looks at this account then. One moment for each account: the newest counts.
    pub async fn place(&mut self, user: UserId, ends_at: Timestamp) -> Result<(), StoreError> {
        self.0.write(&UPSERT, &[user.into(), ends_at.into()]).await
    }

    /// There is nothing to look at any more.
    pub async fn remove(&mut self, user: UserId) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[user.into()]).await
    }

    /// Up to `limit` accounts whose blocks end by `now`, the earliest first.
    pub async fn due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<UserId>, StoreError> {
        self.0.many(&DUE, &[now.into(), i64::from(limit).into()], user).await
    }
}

fn user(row: &mut Row) -> Result<UserId, StoreError> {
    Ok(UserId(row.uuid(position!(BLOCK_ENDS.user_id))?))
}
