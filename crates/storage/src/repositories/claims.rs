//! Claims: uniqueness as a table, the same on all engines. The key is a keyed hash of the canonical value, so that
//! the value itself is not readable here.

use userd_model::{Timestamp, UserId};

use super::{MOST, first_row};
use crate::{Call, Row, StoreError, UnitOfWork, Value, statements};

/// Claims.
pub struct Claims<'a>(pub(super) &'a mut UnitOfWork);

/// A claim to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The blind index of (kind, canonical value).
    pub hash: Vec<u8>,
    /// `email`, `username`, `username_skeleton`, `phone`, `identity` or `first_admin`.
    pub kind: &'static str,
    /// Whose.
    pub owner: UserId,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A claim as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredClaim {
    /// The blind index of (kind, canonical value).
    pub hash: Vec<u8>,
    /// See [`Claim::kind`].
    pub kind: String,
    /// Whose.
    pub owner: UserId,
    /// When it was made.
    pub created_at: Timestamp,
}

statements! {
    INSERT = "claims.insert": "INSERT INTO claims (claim_hash, kind, owner_id, created_at) VALUES ($1, $2, $3, $4)"
        (Bytes, Text, Uuid, Timestamp) -> ();
    BY_HASH = "claims.by_hash": "SELECT claim_hash, kind, owner_id, created_at FROM claims WHERE claim_hash = $1"
        (Bytes) -> (Bytes, Text, Uuid, Timestamp);
    REMOVE = "claims.remove": "DELETE FROM claims WHERE claim_hash = $1" (Bytes) -> ();
    BY_OWNER = "claims.by_owner": "SELECT claim_hash, kind, owner_id, created_at FROM claims WHERE owner_id = $1 \
        ORDER BY owner_id, kind, claim_hash LIMIT $2"
        (Uuid, I64) -> (Bytes, Text, Uuid, Timestamp);
}

impl Claims<'_> {
    /// Claims a value.
    ///
    /// # Errors
    /// `Duplicate(Key("claims"))` when it is taken, by whomever. A lost race may show as `Conflict` instead; the
    /// re-run then finds the value taken.
    pub async fn insert(&mut self, claim: &Claim) -> Result<(), StoreError> {
        self.insert_many(std::slice::from_ref(claim)).await
    }

    /// The same for many, in one round trip where the engine can; all or, with the unit of work, none. Never deferred:
    /// whoever loses a race must hear it at once.
    ///
    /// # Errors
    /// As [`Self::insert`].
    pub async fn insert_many(&mut self, claims: &[Claim]) -> Result<(), StoreError> {
        let rows: Vec<[Value; 4]> = claims.iter().map(inserted).collect();
        let calls: Vec<Call<'_>> = rows.iter().map(|values| Call { statement: &INSERT, values }).collect();
        self.0.run_together(&calls).await.map(drop)
    }

    /// Who has claimed each of these values, in their order, asked together.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn find_many(&mut self, claims: &[Claim]) -> Result<Vec<Option<StoredClaim>>, StoreError> {
        let keys: Vec<[Value; 1]> = claims.iter().map(|claim| [claim.hash.as_slice().into()]).collect();
        let calls: Vec<Call<'_>> = keys.iter().map(|values| Call { statement: &BY_HASH, values }).collect();
        let answers = self.0.run_together(&calls).await?;
        answers.into_iter().map(|rows| first_row(&BY_HASH, Some(rows), claim)).collect()
    }

    /// Who has claimed the value with this hash.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn find(&mut self, hash: &[u8]) -> Result<Option<StoredClaim>, StoreError> {
        self.0.one(&BY_HASH, &[hash.into()], claim).await
    }

    /// Gives the value free.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn remove(&mut self, hash: &[u8]) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[hash.into()]).await
    }

    /// Everything one user has claimed, by kind; at most 1,000.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn of_owner(&mut self, owner: UserId) -> Result<Vec<StoredClaim>, StoreError> {
        self.0.many(&BY_OWNER, &[owner.into(), i64::from(MOST).into()], claim).await
    }
}

fn claim(row: &mut Row) -> Result<StoredClaim, StoreError> {
    Ok(StoredClaim {
        hash: row.bytes(0)?,
        kind: row.text(1)?,
        owner: UserId(row.uuid(2)?),
        created_at: row.timestamp(3)?,
    })
}

/// The values of INSERT.
fn inserted(claim: &Claim) -> [Value; 4] {
    [claim.hash.clone().into(), claim.kind.into(), claim.owner.into(), claim.created_at.into()]
}
