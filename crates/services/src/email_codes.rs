//! Sign-in by a code that is sent to a proven address. Whose address it is, and whether anybody's, is looked up when the mail
//! is sent: who asks does the same and hears the same for every address.
//!
//! Two rows: the challenge of whoever asked, which counts wrong codes whether there is somebody or not, and, once the mail
//! is sent, the code, which is the user's and dies with any change of their credentials. A code is good with its own
//! challenge alone: whoever reads the mail without having asked has no use for it, and there is no link to be followed
//! in somebody else's browser.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use userd_crypto::{OpaqueSecret, constant_time_eq};
use userd_model::{Email, Refusal, Sealed, Timestamp, UserId};
use userd_storage::{Failure, UnitOfWork, repositories::one_time_tokens::OneTimeToken};

use crate::{
    Completion, Context, Dependencies,
    change::{Change, Changes},
    deliveries::{Asked, Deliveries, Letter},
    email_code_rows::{CODE_PURPOSE, LIFE, hash_of_code, hash_of_sent},
    limits::{Limited, Limits},
    mailbox_limits::{Asking, Reserved},
    mailbox_proofs::{MOST_FAILURES, digits_of},
    sealing::row_context,
    sessions::{Proof, Sessions, device_name},
    sign_in_outcome,
    user_reader::internal,
};

const CHALLENGE_PURPOSE: &str = "email_code_challenge";
const CONTEXT: &str = "one_time_tokens|email_code_challenge";

/// Signs in by mailed codes.
#[derive(Clone)]
pub struct EmailCodes {
    pub(crate) deps: Dependencies,
    pub(crate) changes: Changes,
    pub(crate) sessions: Sessions,
    pub(crate) limits: Limits,
    pub(crate) deliveries: Arc<Deliveries>,
}

/// What whoever asked comes back with, and the code of the mail.
pub struct CodeBegun {
    /// The code is good with it alone.
    pub challenge: String,
    /// Seconds.
    pub expires_in: u64,
}

impl std::fmt::Debug for CodeBegun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeBegun").finish_non_exhaustive()
    }
}

/// What is remembered of a challenge, sealed.
#[derive(Serialize, Deserialize)]
struct Remembered {
    failures: u32,
    /// The claim of the address: wrong codes are counted by it too.
    #[serde(default)]
    claim: Vec<u8>,
}

impl EmailCodes {
    /// Sends a code to the address, if somebody here has proven it.
    ///
    /// # Errors
    /// `NotFound` where it is switched off; `InvalidInput` for what is no address, `TooManyAttempts`.
    pub async fn begin(&self, ctx: &Context, email: &str) -> Result<CodeBegun, Failure> {
        self.must_be_on()?;
        let address = Email::parse(email).map_err(|detail| Refusal::field("/email", detail))?;
        self.limits.reserve_from(Limited::MailPerNetwork, &ctx.origin).await?;
        let (challenge, hash) = OpaqueSecret::mint("", self.deps.random.as_ref());
        let hash = &hash;
        let claim = &self.deps.crypto.index.claim_hash("email", address.as_str()).to_vec();
        let asked = Asked::from(ctx, ctx.now).by(Asking::of(&self.deps, ctx).await?);
        let letter = &Letter::SignInCode { claim: claim.clone(), challenge: hash.to_vec(), asked };
        self.changes
            .run(ctx, "begin_email_code", |mut change| async move {
                let row = OneTimeToken {
                    hash: hash.to_vec(),
                    purpose: CHALLENGE_PURPOSE.to_owned(),
                    owner: None,
                    payload: self.seal(hash, &Remembered { failures: 0, claim: claim.clone() })?,
                    created_at: change.now,
                    expires_at: change.now.plus(LIFE),
                };
                change.one_time_tokens().insert(&row).await?;
                self.deliveries.post(&mut change, letter, None).await?;
                change.commit(()).await
            })
            .await?;
        self.deliveries.wake();
        Ok(CodeBegun { challenge: challenge.to_string(), expires_in: LIFE.as_secs() })
    }

    /// Signs in by the code of the mail.
    ///
    /// # Errors
    /// `NotFound` where it is switched off; `InvalidCode` for what is wrong, used, out of date or asked for by somebody
    /// else; `TooManyAttempts`, and those of the completion.
    pub async fn finish(
        &self,
        ctx: &Context,
        challenge: &str,
        code: &str,
        device: Option<&str>,
    ) -> Result<Completion, Failure> {
        self.must_be_on()?;
        let end = self.prove(ctx, challenge, code, device).await;
        sign_in_outcome::ended(sign_in_outcome::EMAIL_CODE, end.as_ref().map(Completion::who));
        end
    }

    async fn prove(
        &self,
        ctx: &Context,
        challenge: &str,
        code: &str,
        device: Option<&str>,
    ) -> Result<Completion, Failure> {
        self.limits.reserve_from(Limited::CodePerNetwork, &ctx.origin).await?;
        let device_name = device_name(device)?;
        let hash = &OpaqueSecret::hash_of("", challenge).ok_or(Refusal::InvalidCode)?;
        let (now, code) = (self.deps.now(), &digits_of(code));
        let owner = self.sent(&mut self.deps.store.reading(), hash, now).await?.and_then(|sent| sent.owner);
        let reserved = self.reserve_guess(ctx, hash, owner, now).await?;
        // Whoever is nobody's is compared in the same way, with nothing.
        let owner = owner.unwrap_or(UserId(uuid::Uuid::nil()));
        let proof = Proof { amr: "otp", device_name, identity: None, device: None };
        let arrival = &self.sessions.arrive(ctx, owner, proof, now);
        let completed = self
            .changes
            .run(ctx, "sign_in_by_email_code", |mut change| async move {
                if !self.is_right(&mut change, hash, owner, code).await? {
                    return change.commit(None).await;
                }
                let user = change.users().find(owner).await?.ok_or(Refusal::InvalidCode)?;
                let completed = self.sessions.complete(&mut change, user, arrival).await.map_err(unknown)?;
                change.commit(Some(completed)).await
            })
            .await?
            .ok_or(Refusal::InvalidCode)?;
        self.limits.give_back(Limited::CodePerNetwork, &ctx.origin.network).await;
        self.limits.give_all_back(reserved).await;
        self.sessions.completion(completed, arrival).await
    }

    /// Counts a code by the address that its challenge is of, whatever other challenges that has. What is no challenge has no
    /// code to be guessed.
    async fn reserve_guess(
        &self,
        ctx: &Context,
        hash: &[u8; 32],
        owner: Option<UserId>,
        now: Timestamp,
    ) -> Result<Reserved, Failure> {
        let found = self.deps.store.reading().one_time_tokens().find(hash, CHALLENGE_PURPOSE, now).await?;
        let Some(row) = found else { return Ok(Reserved::default()) };
        let claim = self.open(hash, row.payload)?.claim;
        let asking = Asking::of(&self.deps, ctx).await?;
        Ok(self.limits.reserve_guess(&claim, asking.is(owner)).await?)
    }

    /// Compares a code, and uses challenge and code up where it is right; a wrong one is counted.
    async fn is_right(
        &self,
        change: &mut Change<'_>,
        hash: &[u8; 32],
        owner: UserId,
        code: &str,
    ) -> Result<bool, Failure> {
        let now = change.now;
        let Some(row) = change.one_time_tokens().find(hash, CHALLENGE_PURPOSE, now).await? else { return Ok(false) };
        let remembered = self.open(hash, row.payload)?;
        let sent = self.sent(change, hash, now).await?;
        let expected = self.hash_of_code(hash, code);
        let is_right = constant_time_eq(sent.as_ref().map_or(&[0; 32][..], |sent| &sent.payload), &expected);
        let is_theirs = sent.as_ref().is_some_and(|sent| sent.owner == Some(owner));
        let (failures, claim) = (remembered.failures + 1, remembered.claim);
        if is_right && is_theirs || failures >= MOST_FAILURES {
            change.one_time_tokens().take(hash, CHALLENGE_PURPOSE, now).await?;
            change.one_time_tokens().take(&self.hash_of_sent(hash), CODE_PURPOSE, now).await?;
        } else {
            let payload = self.seal(hash, &Remembered { failures, claim })?;
            change.one_time_tokens().update_payload(hash, &payload).await?;
        }
        Ok(is_right && is_theirs)
    }

    /// The row of the code that was sent for a challenge.
    async fn sent(
        &self,
        unit: &mut UnitOfWork,
        challenge: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<OneTimeToken>, Failure> {
        Ok(unit.one_time_tokens().find(&self.hash_of_sent(challenge), CODE_PURPOSE, now).await?)
    }

    fn hash_of_sent(&self, challenge: &[u8]) -> [u8; 32] {
        hash_of_sent(&self.deps, challenge)
    }

    fn hash_of_code(&self, challenge: &[u8], code: &str) -> [u8; 32] {
        hash_of_code(&self.deps, challenge, code)
    }

    fn must_be_on(&self) -> Result<(), Refusal> {
        if self.deps.settings.email_code_sign_in { Ok(()) } else { Err(Refusal::NotFound) }
    }

    fn seal(&self, hash: &[u8; 32], remembered: &Remembered) -> Result<Vec<u8>, Failure> {
        let plain = serde_json::to_vec(remembered).map_err(internal)?;
        let context = row_context(CONTEXT, &[hash]);
        Ok(self.deps.vault.seal(self.deps.random.as_ref(), &context, &plain).map_err(internal)?.0)
    }

    fn open(&self, hash: &[u8; 32], payload: Vec<u8>) -> Result<Remembered, Failure> {
        let plain = self.deps.vault.open(&row_context(CONTEXT, &[hash]), &Sealed(payload)).map_err(internal)?;
        serde_json::from_slice(&plain).map_err(internal)
    }
}

/// An account that is gone is no account.
fn unknown(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(Refusal::NotSignedIn) => Refusal::InvalidCode.into(),
        other => other,
    }
}
