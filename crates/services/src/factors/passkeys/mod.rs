//! Passkeys: a way in by themselves, because they prove two things at once (the device, and who is at it), and a second
//! factor after any other way in. What browsers are asked and whether their answers are right is `crates/passkeys`.
//!
//! - `questions.rs`: what was asked, sealed, until it is answered once
//! - `set_up.rs`: a new one, in a session or as a step of a sign-in
//! - `proof.rs`: as a second factor, and for stepping up
//! - `sign_in.rs`: without a name

mod proof;
mod questions;
mod set_up;
mod sign_in;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use userd_model::{Factor, FactorKind, Refusal, User};
use userd_passkeys::{Named, Passkeys, Wrong};
use userd_storage::{Failure, repositories::claims::Claim};

use super::Factors;
use crate::{change::Change, user_reader::internal};

/// A question for the browser. Printing leaves it out.
pub struct PasskeyBegun {
    /// The answer is good with it alone.
    pub challenge: String,
    /// What goes through `navigator.credentials`, in its JSON form.
    pub options: Value,
    /// Seconds.
    pub expires_in: u64,
}

impl std::fmt::Debug for PasskeyBegun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasskeyBegun").finish_non_exhaustive()
    }
}

/// What claims of them are called.
pub(super) const CLAIM: &str = "passkey";

impl Factors {
    /// Those that are set up, or that there are none here.
    pub(super) fn passkeys(&self) -> Result<&Arc<dyn Passkeys>, Refusal> {
        self.deps.passkeys.as_ref().ok_or(Refusal::NotFound)
    }

    /// What names the passkey at its authenticator; none for another factor.
    pub(super) fn credential_id(&self, user: &User, factor: &Factor) -> Result<Option<Vec<u8>>, Failure> {
        let (FactorKind::Passkey, Some(passkeys)) = (factor.kind, &self.deps.passkeys) else { return Ok(None) };
        let key = self.open_secret(user, factor.id, &factor.secret)?;
        passkeys.credential_id(&key).map(Some).map_err(internal)
    }

    /// The names of those that the user holds.
    pub(super) fn credential_ids(&self, user: &User, held: &[Factor]) -> Result<Vec<Vec<u8>>, Failure> {
        held.iter().filter_map(|factor| self.credential_id(user, factor).transpose()).collect()
    }

    /// That a passkey is one user's. The same authenticator never makes one twice: whoever shows one again has it from
    /// somebody else.
    pub(super) fn claim_of(&self, user: &User, credential_id: &[u8], change: &Change<'_>) -> Claim {
        let hash = self.deps.crypto.index.claim_hash(CLAIM, &as_text(credential_id)).to_vec();
        Claim { hash, kind: CLAIM, owner: user.id, created_at: change.now }
    }

    /// Whether the answer is one of a passkey of the user's. Then what it is known by moves on with the change.
    pub(super) async fn is_right_passkey(
        &self,
        change: &mut Change<'_>,
        user: &User,
        held: Vec<Factor>,
        (state, named, answer): (&str, &Named, &Value),
    ) -> Result<bool, Failure> {
        let passkeys = self.passkeys()?;
        if user.data_key.is_none() || named.handle.is_some_and(|handle| handle != user.id.0) {
            return Ok(false);
        }
        for factor in held.into_iter().filter(|factor| factor.kind == FactorKind::Passkey) {
            let key = self.open_secret(user, factor.id, &factor.secret)?;
            if passkeys.credential_id(&key).map_err(internal)? != named.credential_id {
                continue;
            }
            let proven = match passkeys.finish_proof(state, answer, &key) {
                Ok(proven) => proven,
                Err(wrong) => {
                    say_why(&factor, &wrong);
                    return Ok(false);
                }
            };
            let secret = match proven.key == *key {
                true => factor.secret.clone(),
                false => self.seal_secret(user, factor.id, &proven.key)?,
            };
            let (counter, last_used_at) = (proven.counter.into(), Some(change.now));
            change.factors().update(&Factor { secret, counter, last_used_at, ..factor }).await?;
            return Ok(true);
        }
        Ok(false)
    }
}

/// For the operator. A copy is what counting is for: its owner should remove the passkey.
fn say_why(factor: &Factor, wrong: &Wrong) {
    let (user_id, factor_id) = (factor.user_id, factor.id);
    match wrong {
        Wrong::Copied => {
            metrics::counter!("userd_passkey_copies_suspected_total").increment(1);
            tracing::warn!(%user_id, %factor_id, "passkey refused: {wrong}");
        }
        Wrong::Malformed | Wrong::Refused(_) => tracing::info!(%user_id, %factor_id, "passkey refused: {wrong}"),
    }
}

/// As browsers write bytes in JSON.
pub(super) fn as_text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What is no answer of a browser.
fn malformed(wrong: Wrong) -> Refusal {
    match wrong {
        Wrong::Malformed => Refusal::field("/credential", "is no credential in WebAuthn's JSON form (`toJSON()`)"),
        Wrong::Refused(_) | Wrong::Copied => Refusal::InvalidPasskey,
    }
}
