//! The one-time code for tokens. The code travels in a URL, the tokens never do: it lives a minute, works once, and
//! where the application began with a proof key, only together with it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use userd_crypto::{OpaqueSecret, constant_time_eq};
use userd_model::{Refusal, UserId};
use userd_storage::{Failure, UnitOfWork};

use super::{SignIn, attempts::Keep};
use crate::{
    Origin, SignedIn,
    limits::Limited,
    sessions::{NewSession, Proof},
};

const LIFE: Duration = Duration::from_secs(60);
const PREFIX: &str = "";
const PURPOSE: &str = "exchange_code";
const CONTEXT: &str = "secrets|exchange_code";

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
        &self, code: &str, verifier: Option<&str>, device_name: Option<&str>, origin: &Origin,
    ) -> Result<SignedIn, Failure> {
        self.limits.reserve_from(Limited::SignInPerNetwork, origin).await?;
        let device_name = crate::sessions::device_name(device_name)?;
        let hash = &OpaqueSecret::hash_of(PREFIX, code).ok_or(Refusal::InvalidCode)?;
        let now = self.parts.now();
        // A code is used up by its first presentation, right or wrong.
        let taken = self
            .parts
            .store
            .transact("take_exchange_code", |mut uow| async move {
                let taken = uow.secrets().take(hash, PURPOSE, now).await?;
                uow.commit(taken).await
            })
            .await?
            .ok_or(Refusal::InvalidCode)?;
        let admitted: Admitted = self.unseal(CONTEXT, taken.payload)?;
        if !proves(admitted.code_challenge.as_deref(), verifier) {
            return Err(Refusal::InvalidCode.into());
        }
        let signed_in = self.start_session(admitted.user, device_name, origin).await?;
        self.limits.give_back(Limited::SignInPerNetwork, &origin.network).await;
        Ok(signed_in)
    }

    /// Starts the session of an admitted user.
    pub(super) async fn start_session(
        &self, user: UserId, device_name: Option<String>, origin: &Origin,
    ) -> Result<SignedIn, Failure> {
        let now = self.parts.now();
        let new: &NewSession = &self.sessions.mint(user, Proof { amr: "fed", device_name, origin }, now);
        let (user, pushed_out) = self
            .parts
            .store
            .transact("sign_in", |mut uow: UnitOfWork| async move {
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
