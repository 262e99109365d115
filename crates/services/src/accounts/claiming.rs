//! Claims of an account on what is unique: addresses, usernames and their looks. Deliberately absent: what an account is
//! beside (`register.rs`).

use userd_model::{Refusal, Timestamp, UserId, Username};
use userd_storage::{Failure, StoreError, UnitOfWork, repositories::claims::Claim};

use crate::Dependencies;

/// A username claims two things: itself, and its look.
pub(super) fn username_claims(
    deps: &Dependencies,
    username: &Username,
    owner: UserId,
    now: Timestamp,
) -> [(Claim, Refusal); 2] {
    [
        (claim(deps, "username", &username.canonical(), owner, now), Refusal::UsernameTaken),
        (claim(deps, "username_skeleton", &username.skeleton(), owner, now), Refusal::UsernameTaken),
    ]
}

/// A claim on one unique value.
pub(crate) fn claim(deps: &Dependencies, kind: &'static str, canonical: &str, owner: UserId, now: Timestamp) -> Claim {
    Claim { hash: deps.crypto.index.claim_hash(kind, canonical).to_vec(), kind, owner, created_at: now }
}

/// Claims unique values, all or none; refuses with what stands beside the first that is taken.
pub(crate) async fn claim_all(uow: &mut UnitOfWork, wanted: &[(Claim, Refusal)]) -> Result<(), Failure> {
    // Reading first lets the database see the conflict of two transactions as one that can be run again.
    must_be_free(uow, wanted).await?;
    let claims: Vec<Claim> = wanted.iter().map(|(claim, _)| claim.clone()).collect();
    match uow.claims().insert_many(&claims).await {
        // It was free a moment ago: a lost race. The database has given the transaction up; the re-run finds it taken.
        Err(StoreError::Duplicate(_)) => Err(StoreError::Conflict.into()),
        other => Ok(other?),
    }
}

/// Refuses with what stands beside the first that is taken.
pub(super) async fn must_be_free(uow: &mut UnitOfWork, wanted: &[(Claim, Refusal)]) -> Result<(), Failure> {
    let claims: Vec<Claim> = wanted.iter().map(|(claim, _)| claim.clone()).collect();
    let found = uow.claims().find_many(&claims).await?;
    match wanted.iter().zip(found).find(|(_, found)| found.is_some()) {
        Some(((_, taken), _)) => Err(taken.clone().into()),
        None => Ok(()),
    }
}
