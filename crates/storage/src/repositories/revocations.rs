//! The revocation feed: an append-only list in time order that verifiers follow. All entries share one scope today;
//! the column leads the index so that the feed can be split later without another index. Short-lived and small.

use userd_model::{Revocation, RevocationId, Timestamp};

use crate::{Row, StoreError, UnitOfWork, Value, statements};

/// The revocation feed.
pub struct Revocations<'a>(pub(super) &'a mut UnitOfWork);

/// The one scope in use.
const SCOPE: &str = "all";

statements! {
    INSERT = "revocations.insert":
        "INSERT INTO revocations (id, scope, recorded_at, expires_at, what) VALUES ($1, $2, $3, $4, $5)"
        (Uuid, Text, Timestamp, Timestamp, Json) -> ();
    SINCE = "revocations.since": "SELECT id, scope, recorded_at, expires_at, what FROM revocations \
        WHERE scope = $1 AND recorded_at >= $2 ORDER BY scope, recorded_at, id LIMIT $3"
        (Text, Timestamp, I64) -> (Uuid, Text, Timestamp, Timestamp, Json);
    FIRST_PAGE = "revocations.first_page": "SELECT id, scope, recorded_at, expires_at, what FROM revocations \
        WHERE scope = $1 ORDER BY scope, recorded_at, id LIMIT $2"
        (Text, I64) -> (Uuid, Text, Timestamp, Timestamp, Json);
    NEXT_PAGE = "revocations.next_page": "SELECT id, scope, recorded_at, expires_at, what FROM revocations \
        WHERE scope = $1 AND (recorded_at, id) > ($2, $3) ORDER BY scope, recorded_at, id LIMIT $4"
        (Text, Timestamp, Uuid, I64) -> (Uuid, Text, Timestamp, Timestamp, Json);
    EXPIRED = "revocations.expired":
        "SELECT expires_at, id FROM revocations WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2"
        (Timestamp, I64) -> (Timestamp, Uuid);
    REMOVE = "revocations.remove": "DELETE FROM revocations WHERE id = $1" (Uuid) -> ();
}

impl Revocations<'_> {
    /// Adds an entry.
    ///
    /// # Errors
    /// `Duplicate(Key("revocations"))` when the id exists.
    pub async fn insert(&mut self, revocation: &Revocation) -> Result<(), StoreError> {
        self.insert_many(std::slice::from_ref(revocation)).await
    }

    /// The same for many, in one round trip where the engine can.
    ///
    /// # Errors
    /// `Duplicate(Key("revocations"))` when an id exists.
    pub async fn insert_many(&mut self, revocations: &[Revocation]) -> Result<(), StoreError> {
        let rows = revocations.iter().map(inserted).collect::<Result<Vec<_>, _>>()?;
        self.0.write_many(&INSERT, rows).await
    }

    /// Up to `limit` entries recorded at `from` or later, by (`recorded_at`, id). Whoever polls asks again from a
    /// little before the last seen time, because entries become visible at commit, not in the order of their times.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn after(&mut self, from: Timestamp, limit: u32) -> Result<Vec<Revocation>, StoreError> {
        self.0.many(&SINCE, &[SCOPE.into(), from.into(), i64::from(limit).into()], revocation).await
    }

    /// Up to `limit` entries by (`recorded_at`, id), behind `after`.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn page(
        &mut self,
        after: Option<(Timestamp, RevocationId)>,
        limit: u32,
    ) -> Result<Vec<Revocation>, StoreError> {
        let limit = i64::from(limit).into();
        match after {
            None => self.0.many(&FIRST_PAGE, &[SCOPE.into(), limit], revocation).await,
            Some((at, id)) => self.0.many(&NEXT_PAGE, &[SCOPE.into(), at.into(), id.into(), limit], revocation).await,
        }
    }

    /// Removes up to `limit` entries that can be forgotten by `now`; answers how many.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn remove_expired(&mut self, now: Timestamp, limit: u32) -> Result<usize, StoreError> {
        let ids = self.0.many(&EXPIRED, &[now.into(), i64::from(limit).into()], |row| row.uuid(1)).await?;
        let count = ids.len();
        self.0.write_many(&REMOVE, ids.into_iter().map(|id| vec![id.into()]).collect()).await?;
        Ok(count)
    }
}

fn revocation(row: &mut Row) -> Result<Revocation, StoreError> {
    Ok(Revocation {
        id: RevocationId(row.uuid(0)?),
        recorded_at: row.timestamp(2)?,
        expires_at: row.timestamp(3)?,
        what: serde_json::from_value(row.json(4)?).map_err(|error| StoreError::corrupt(error.to_string()))?,
    })
}

/// The values of INSERT.
fn inserted(revocation: &Revocation) -> Result<Vec<Value>, StoreError> {
    let what = serde_json::to_value(&revocation.what).map_err(|error| StoreError::corrupt(error.to_string()))?;
    Ok(vec![
        revocation.id.into(),
        SCOPE.into(),
        revocation.recorded_at.into(),
        revocation.expires_at.into(),
        what.into(),
    ])
}
