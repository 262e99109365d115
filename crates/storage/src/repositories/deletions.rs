//! Deleted accounts, until they are restored or erased.

use userd_model::{DeletedBy, Deletion, Timestamp, UserId, UserStatus};

use crate::{
    Row, StoreError, UnitOfWork,
    tables::{List, Range, Shape, position, statements_of},
};

/// Deleted accounts.
pub struct Deletions<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { DELETIONS:
    UPSERT = "deletions.upsert": Shape::Upsert;
    BY_USER = "deletions.by_user": Shape::Find;
    REMOVE = "deletions.remove": Shape::Remove;
    UPDATE_PURGE = "deletions.update_purge": Shape::Update(&["purge_at"]);
    DUE = "deletions.due": Shape::List(List::along("deletions_by_purge").range(Range::UpTo));
    NEXT_PAGE = "deletions.next_page": Shape::List(List::along("deletions_by_purge").range(Range::Behind));
}

impl Deletions<'_> {
    /// Adds a deletion, or changes it. Of two at once the account's row lets one through.
    pub async fn write(&mut self, deletion: &Deletion) -> Result<(), StoreError> {
        let Deletion { user_id, by, status_before, deleted_at, purge_at } = deletion;
        let values = [
            (*user_id).into(),
            by.as_str().into(),
            status_before.as_str().into(),
            (*deleted_at).into(),
            (*purge_at).into(),
        ];
        self.0.write(&UPSERT, &values).await
    }

    /// The deletion of this account.
    pub async fn find(&mut self, user: UserId) -> Result<Option<Deletion>, StoreError> {
        self.0.one(&BY_USER, &[user.into()], deletion).await
    }

    /// The window ends now, before its time.
    pub async fn end_window(&mut self, user: UserId, purge_at: Timestamp) -> Result<(), StoreError> {
        self.0.write(&UPDATE_PURGE, &[purge_at.into(), user.into()]).await
    }

    /// The account is restored, or erased.
    pub async fn remove(&mut self, user: UserId) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[user.into()]).await
    }

    /// Those whose window has closed by `now`, the oldest first, behind `after`.
    pub async fn due(
        &mut self,
        now: Timestamp,
        after: Option<(Timestamp, UserId)>,
        limit: u32,
    ) -> Result<Vec<Deletion>, StoreError> {
        let limit = i64::from(limit).into();
        let Some((at, user)) = after else { return self.0.many(&DUE, &[now.into(), limit], deletion).await };
        let mut page = self.0.many(&NEXT_PAGE, &[at.into(), user.into(), limit], deletion).await?;
        page.retain(|found| found.purge_at <= now);
        Ok(page)
    }
}

fn deletion(row: &mut Row) -> Result<Deletion, StoreError> {
    let by = row.text(position!(DELETIONS.deleted_by))?;
    let status = row.text(position!(DELETIONS.status_before))?;
    Ok(Deletion {
        user_id: UserId(row.uuid(position!(DELETIONS.user_id))?),
        by: DeletedBy::parse(&by).ok_or_else(|| StoreError::corrupt("deletions.deleted_by"))?,
        status_before: UserStatus::parse(&status).ok_or_else(|| StoreError::corrupt("deletions.status_before"))?,
        deleted_at: row.timestamp(position!(DELETIONS.deleted_at))?,
        purge_at: row.timestamp(position!(DELETIONS.purge_at))?,
    })
}
