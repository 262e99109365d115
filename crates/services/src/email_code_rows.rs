//! The codes of sign-in mails as they are stored: made when the mail is sent, found by the hash of the challenge that they
//! are good with. What signs in by them is in `email_codes.rs`.

use std::time::Duration;

use userd_crypto::Zeroizing;
use userd_model::UserId;
use userd_storage::{Failure, repositories::one_time_tokens::OneTimeToken};

use crate::{Dependencies, change::Changes, mailbox_proofs::six_digits};

pub(crate) const CODE_PURPOSE: &str = "email_code";
/// How long challenge and code are good.
pub(crate) const LIFE: Duration = Duration::from_secs(600);

/// Makes the code, when its mail is sent to whom it is for; none where the address was taken from the account meanwhile: what
/// takes it away lets the codes die that there are.
pub(crate) async fn mint_code(
    deps: &Dependencies,
    changes: &Changes,
    challenge: &[u8],
    (claim, owner): (&[u8], UserId),
) -> Result<Option<Zeroizing<String>>, Failure> {
    let code = six_digits(deps.random.as_ref());
    let (hash, payload) = (&hash_of_sent(deps, challenge), &hash_of_code(deps, challenge, &code));
    let is_made = changes
        .run(&changes.system_context(), "mint_email_code", |mut change| async move {
            if change.claims().find(claim).await?.is_none_or(|claim| claim.owner != owner) {
                return change.commit(false).await;
            }
            let row = OneTimeToken {
                hash: hash.to_vec(),
                purpose: CODE_PURPOSE.to_owned(),
                owner: Some(owner),
                payload: payload.to_vec(),
                created_at: change.now,
                expires_at: change.now.plus(LIFE),
            };
            // A mail that is tried again has another code.
            change.one_time_tokens().replace(&row).await?;
            change.commit(true).await
        })
        .await?;
    Ok(is_made.then_some(code))
}

pub(crate) fn hash_of_sent(deps: &Dependencies, challenge: &[u8]) -> [u8; 32] {
    deps.crypto.index.keyed_hash("code for a challenge", &[challenge])
}

pub(crate) fn hash_of_code(deps: &Dependencies, challenge: &[u8], code: &str) -> [u8; 32] {
    deps.crypto.index.keyed_hash("code of a sign-in mail", &[challenge, code.as_bytes()])
}
