//! Claims: uniqueness as a table, the same on all engines. The key is a keyed hash of the canonical value, so that
//! the value itself is not readable here.

use userd_model::{Timestamp, UserId};

use super::{MOST, first_row};
use crate::{
    Call, Row, StoreError, UnitOfWork, Value,
    tables::{List, Shape, position, statements_of},
};

/// Claims.
pub struct Claims<'a>(pub(super) &'a mut UnitOfWork);

/// A claim to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The blind index of (kind, canonical value).
    pub hash: Vec<u8>,
    /// `email`, `username`, `username_skeleton`, `former_username`, `phone`, `identity`, `passkey`, `first_admin` or
    /// `imported`.
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

statements_of! { CLAIMS:
    INSERT = "claims.insert": Shape::Insert;
    BY_HASH = "claims.by_hash": Shape::Find;
    REMOVE = "claims.remove": Shape::Remove;
    BY_OWNER = "claims.by_owner": Shape::List(List::along("claims_by_owner").equal(1));
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
    pub async fn find_many(&mut self, claims: &[Claim]) -> Result<Vec<Option<StoredClaim>>, StoreError> {
        let keys: Vec<[Value; 1]> = claims.iter().map(|claim| [claim.hash.as_slice().into()]).collect();
        let calls: Vec<Call<'_>> = keys.iter().map(|values| Call { statement: &BY_HASH, values }).collect();
        let answers = self.0.run_together(&calls).await?;
        answers.into_iter().map(|rows| first_row(&BY_HASH, Some(rows), claim)).collect()
    }

    /// Who has claimed the value with this hash.
    pub async fn find(&mut self, hash: &[u8]) -> Result<Option<StoredClaim>, StoreError> {
        self.0.one(&BY_HASH, &[hash.into()], claim).await
    }

    /// Gives the value free.
    pub async fn remove(&mut self, hash: &[u8]) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[hash.into()]).await
    }

    /// Everything one user has claimed, by kind; at most 1,000.
    pub async fn of_owner(&mut self, owner: UserId) -> Result<Vec<StoredClaim>, StoreError> {
        self.0.many(&BY_OWNER, &[owner.into(), i64::from(MOST).into()], claim).await
    }
}

fn claim(row: &mut Row) -> Result<StoredClaim, StoreError> {
    Ok(StoredClaim {
        hash: row.bytes(position!(CLAIMS.claim_hash))?,
        kind: row.text(position!(CLAIMS.kind))?,
        owner: UserId(row.uuid(position!(CLAIMS.owner_id))?),
        created_at: row.timestamp(position!(CLAIMS.created_at))?,
    })
}

/// The values of INSERT.
fn inserted(claim: &Claim) -> [Value; 4] {
    [claim.hash.clone().into(), claim.kind.into(), claim.owner.into(), claim.created_at.into()]
}
