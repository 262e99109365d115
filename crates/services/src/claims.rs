//! Claims of an account on what is unique: addresses, usernames and their looks. The address of a deleted account that never
//! proved it is no obstacle to anybody: the claim on it goes to whoever wants it (decision 0068).
//!
//! Deliberately absent: what an account is beside (`accounts/register.rs`).

use userd_model::{Refusal, Timestamp, UserId, Username};
use userd_storage::{
    Failure, StoreError, UnitOfWork,
    repositories::claims::{Claim, StoredClaim},
};

use crate::Dependencies;

/// The kind of the one claim that the first administrator holds. It outlives them.
pub(crate) const FIRST_ADMINISTRATOR: &str = "first_admin";

/// The kind of claims on what people were called by the software that they come from. They outlive the account: who was
/// brought over and erased since is not brought over again.
pub(crate) const IMPORTED: &str = "imported";

/// A username claims two things: itself, and its look.
pub(crate) fn username_claims(
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
    for given_up in obstacles(uow, wanted).await? {
        uow.claims().remove(&given_up.hash).await?;
    }
    let claims: Vec<Claim> = wanted.iter().map(|(claim, _)| claim.clone()).collect();
    match uow.claims().insert_many(&claims).await {
        // It was free a moment ago: a lost race. The database has given the transaction up; the re-run finds it taken.
        Err(StoreError::Duplicate(_)) => Err(StoreError::Conflict.into()),
        other => Ok(other?),
    }
}

/// Refuses with what stands beside the first that is taken.
pub(crate) async fn must_be_free(uow: &mut UnitOfWork, wanted: &[(Claim, Refusal)]) -> Result<(), Failure> {
    obstacles(uow, wanted).await.map(drop)
}

/// Whose a claim is; nobody's where its owner gives it up.
pub(crate) async fn holder(uow: &mut UnitOfWork, hash: &[u8]) -> Result<Option<UserId>, Failure> {
    match uow.claims().find(hash).await? {
        Some(found) if !is_given_up(uow, &found).await? => Ok(Some(found.owner)),
        _ => Ok(None),
    }
}

/// The claims that are given up and have to go first.
///
/// # Errors
/// What stands beside the first that is taken.
async fn obstacles(uow: &mut UnitOfWork, wanted: &[(Claim, Refusal)]) -> Result<Vec<StoredClaim>, Failure> {
    let claims: Vec<Claim> = wanted.iter().map(|(claim, _)| claim.clone()).collect();
    let found = uow.claims().find_many(&claims).await?;
    let mut given_up = Vec::new();
    for ((_, taken), found) in wanted.iter().zip(found) {
        let Some(found) = found else { continue };
        if !is_given_up(uow, &found).await? {
            return Err(taken.clone().into());
        }
        given_up.push(found);
    }
    Ok(given_up)
}

async fn is_given_up(uow: &mut UnitOfWork, found: &StoredClaim) -> Result<bool, Failure> {
    if found.kind != "email" {
        return Ok(false);
    }
    Ok(uow.users().find(found.owner).await?.is_some_and(|owner| owner.gives_up_its_address()))
}
