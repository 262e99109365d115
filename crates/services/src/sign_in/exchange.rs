//! The one-time code for tokens. The code travels in a URL, the tokens never do: it lives a minute, works once, and
//! where the application began with a proof key, only together with it. Shown a second time it ends the session that
//! it began.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use userd_crypto::{OpaqueSecret, constant_time_eq};
use userd_model::{Refusal, SessionId, Timestamp, UserId};
use userd_storage::{Failure, UnitOfWork};

use super::{SignIn, attempts::Keep};
use crate::{
    Origin, SignedIn,
    limits::Limited,
    sessions::{NewSession, Proof, end_within},
};

const LIFE: Duration = Duration::from_secs(60);
const PREFIX: &str = "";
const PURPOSE: &str = "exchange_code";
const CONTEXT: &str = "secrets|exchange_code";
/// A code that was exchanged, for as long as it is worth knowing that somebody shows it again.
const SPENT: &str = "spent_exchange_code";
const SPENT_LIFE: Duration = Duration::from_secs(600);

#[derive(Serialize, Deserialize)]
struct Admitted {
    user: UserId,
    code_challenge: Option<String>,
}

impl SignIn {
    pub(super) async fn mint_code(&self, user: UserId, code_challenge: Option<String>) -> Result<String, Failure> {
        let (code, hash) = OpaqueSecret::mint(PREFIX, self.parts.random.as_ref());
        let admitted = Admitted { user, code_challenge };
        let keep = Keep { purpose: PURPOSE, context: CONTEXT, owner: Some(user), life: LIFE };
        self.remember(&hash, &keep, &admitted, self.parts.now()).await?;
        Ok(code.to_string())
    }

    /// Exchanges a code for tokens.
    ///
    /// # Errors
    /// `InvalidCode` for an unknown, used or expired code or a wrong verifier; `Blocked`.
    pub async fn exchange(
        &self,
        code: &str,
        verifier: Option<&str>,
        device_name: Option<&str>,
        origin: &Origin,
    ) -> Result<SignedIn, Failure> {
        self.limits.reserve_from(Limited::SignInPerNetwork, origin).await?;
        let device_name = crate::sessions::device_name(device_name)?;
        let hash = &OpaqueSecret::hash_of(PREFIX, code).ok_or(Refusal::InvalidCode)?;
        let now = self.parts.now();
        let found = self.parts.store.reading().one_time_tokens().find(hash, PURPOSE, now).await?;
        let admitted: Option<Admitted> = found.map(|code| self.unseal(CONTEXT, code.payload)).transpose()?;
        let proven = admitted.filter(|admitted| proves(admitted.code_challenge.as_deref(), verifier));
        let begun = match proven {
            Some(admitted) => self.begin_session(admitted.user, Some(hash), device_name, origin).await,
            None => Err(Refusal::InvalidCode.into()),
        };
        if let Err(Failure::Refused(_)) = begun {
            self.void(hash, now).await?;
        }
        let signed_in = begun?;
        self.limits.give_back(Limited::SignInPerNetwork, &origin.network).await;
        Ok(signed_in)
    }

    /// Uses a code up that was shown in vain. Where it has been exchanged before, one of the two who showed it is a
    /// thief, so what it began ends (RFC 6749, section 4.1.2).
    async fn void(&self, hash: &[u8; 32], now: Timestamp) -> Result<(), Failure> {
        let mut reading = self.parts.store.reading();
        let exists = reading.one_time_tokens().find(hash, PURPOSE, now).await?.is_some()
            || reading.one_time_tokens().find(hash, SPENT, now).await?.is_some();
        if !exists {
            return Ok(());
        }
        let ends = self.parts.random.secret();
        let entries = self
            .parts
            .store
            .transact("void_exchange_code", |mut uow| async move {
                uow.one_time_tokens().take(hash, PURPOSE, now).await?;
                let Some(spent) = uow.one_time_tokens().take(hash, SPENT, now).await? else {
                    return uow.commit(Vec::new()).await;
                };
                let session: SessionId = self.unseal(CONTEXT, spent.payload)?;
                let session = uow.sessions().find(session).await?.filter(|session| session.is_alive(now));
                let session = session.into_iter().collect();
                let entries = end_within(&self.parts, &mut uow, session, "code_replayed", ends, now).await?;
                uow.commit(entries).await
            })
            .await?;
        self.revocations.announce(&entries).await;
        Ok(())
    }

    /// Starts the session of an admitted user.
    pub(super) async fn start_session(
        &self,
        user: UserId,
        device_name: Option<String>,
        origin: &Origin,
    ) -> Result<SignedIn, Failure> {
        self.begin_session(user, None, device_name, origin).await
    }

    /// Starts the session and, in the same unit of work, uses the code up: what stays in its place tells which session
    /// it began.
    async fn begin_session(
        &self,
        user: UserId,
        code: Option<&[u8; 32]>,
        device_name: Option<String>,
        origin: &Origin,
    ) -> Result<SignedIn, Failure> {
        let now = self.parts.now();
        let new: &NewSession = &self.sessions.mint(user, Proof { amr: "fed", device_name, origin }, now);
        let keep = Keep { purpose: SPENT, context: CONTEXT, owner: Some(user), life: SPENT_LIFE };
        let spent = code.map(|hash| self.sealed_secret(hash, &keep, &new.session.id, now)).transpose()?;
        let spent = &spent;
        let (user, pushed_out) = self
            .parts
            .store
            .transact("sign_in", |mut uow: UnitOfWork| async move {
                if let Some(spent) = spent {
                    uow.one_time_tokens().take(&spent.hash, PURPOSE, now).await?.ok_or(Refusal::InvalidCode)?;
                    uow.one_time_tokens().insert(spent).await?;
                }
                let mut user = uow.users().find(user).await?.ok_or(Refusal::InvalidCode)?;
                user.must_be_active()?;
                uow.users().record_sign_in(user.id, now).await?;
                user.last_sign_in_at = Some(now);
                let pushed_out = self.sessions.store(&mut uow, new, now).await?;
                uow.commit((user, pushed_out)).await
            })
            .await?;
        self.people.signed_in(&user).await;
        self.revocations.announce(&pushed_out).await;
        self.sessions.signed_in(&user, new, now).await
    }
}

/// Without a challenge a verifier must be absent too: sending one would hide a downgrade.
fn proves(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            constant_time_eq(challenge.as_bytes(), userd_providers::pkce_challenge(verifier).as_bytes())
        }
        _ => false,
    }
}
