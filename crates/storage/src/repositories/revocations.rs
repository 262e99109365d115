//! The revocation feed: an append-only list in time order that verifiers follow. All entries share one scope today;
//! the column leads the index so that the feed can be split later without another index. Short-lived and small.

use userd_model::{Revocation, RevocationId, Revoked, Timestamp};

use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{List, Range, Shape, position, statements_of},
};

/// The revocation feed.
pub struct Revocations<'a>(pub(super) &'a mut UnitOfWork);

/// The one scope in use.
const SCOPE: &str = "all";

statements_of! { REVOCATIONS:
    INSERT = "revocations.insert": Shape::Insert;
    SINCE = "revocations.since": Shape::List(List::along("revocations_by_time").equal(1).range(Range::From));
    FIRST_PAGE = "revocations.first_page": Shape::List(List::along("revocations_by_time").equal(1));
    NEXT_PAGE = "revocations.next_page":
        Shape::List(List::along("revocations_by_time").equal(1).range(Range::Behind));
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
    pub async fn after(&mut self, from: Timestamp, limit: u32) -> Result<Vec<Revocation>, StoreError> {
        self.0.many(&SINCE, &[SCOPE.into(), from.into(), i64::from(limit).into()], revocation).await
    }

    /// Up to `limit` entries by (`recorded_at`, id), behind `after`.
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
}

fn revocation(row: &mut Row) -> Result<Revocation, StoreError> {
    let recorded_at = row.timestamp(position!(REVOCATIONS.recorded_at))?;
    let mut what = serde_json::from_value(row.json(position!(REVOCATIONS.what))?)
        .map_err(|error| StoreError::corrupt(error.to_string()))?;
    // Written before entries said it themselves.
    if let Revoked::Client { before, .. } = &mut what
        && *before == 0
    {
        *before = recorded_at.micros();
    }
    Ok(Revocation {
        id: RevocationId(row.uuid(position!(REVOCATIONS.id))?),
        recorded_at,
        expires_at: row.timestamp(position!(REVOCATIONS.expires_at))?,
        what,
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
