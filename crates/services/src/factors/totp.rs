//! Authenticator apps. Setting one up takes two steps: the secret is shown, and counts once a code of it was shown. In
//! between it waits in a one-time row, bound to the session or the sign-in that began it: whoever finds its id elsewhere
//! can do nothing with it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use userd_crypto::{TotpSecret, Zeroizing};
use userd_model::{Act, EventKind, Factor, FactorId, FactorKind, Refusal, Sealed, User, UserId, text};
use userd_storage::{Failure, repositories::one_time_tokens::OneTimeToken};

use super::{Factors, qr};
use crate::{
    Context, IdempotentRequest, change::Change, idempotency::Made, limits::Limited, outstanding::outstanding_dies,
    recent_proof, sealing::row_context, user_reader::internal,
};

/// A secret that waits for its first code. Printing leaves it out.
pub struct TotpBegun {
    /// Of the factor that it will be.
    pub id: FactorId,
    /// The same as an `otpauth` address.
    pub uri: Zeroizing<String>,
    /// The same as a picture of that address.
    pub qr_svg: Zeroizing<String>,
    /// For typing it.
    pub secret: Zeroizing<String>,
}

impl std::fmt::Debug for TotpBegun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TotpBegun").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What is remembered of it, sealed.
#[derive(Serialize, Deserialize)]
struct Waiting {
    name: Option<String>,
    /// Under the user's data key, as the factor will hold it.
    secret: Sealed,
    /// The session or the sign-in that began it.
    bound_to: String,
    failures: u32,
}

const LIFE: Duration = Duration::from_secs(600);
const PURPOSE: &str = "totp_setup";
const CONTEXT: &str = "one_time_tokens|totp_setup";
/// After so many wrong codes it has to be begun again.
const MOST_FAILURES: u32 = 5;
/// Factors that one user may hold.
const MOST_FACTORS: usize = 20;

impl Factors {
    /// Begins setting an authenticator app up.
    ///
    /// # Errors
    /// `InsufficientAuthentication`, `InvalidInput`, `TooManyAttempts`. For a repeat: `IdempotencyMismatch`, `ReplayRefused`;
    /// `SecretAlreadyShown` once it waits no more.
    pub async fn begin_totp(
        &self,
        ctx: &Context,
        name: Option<&str>,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<TotpBegun, Failure> {
        let (user, session) = ctx.user()?;
        ctx.may(&Act::ManageFactors(user))?;
        let held = recent_proof::must_be_given(ctx, &self.deps.settings, &mut self.deps.store.reading()).await?;
        must_have_room(&held)?;
        let id = FactorId::mint(self.deps.random.as_ref());
        self.begin_waiting(ctx, (user, id), name, &session.to_string(), idempotent).await
    }

    /// Makes a secret and lets it wait. One waits at a time.
    pub(super) async fn begin_waiting(
        &self,
        ctx: &Context,
        (user, id): (UserId, FactorId),
        name: Option<&str>,
        bound_to: &str,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<TotpBegun, Failure> {
        let name = name.map(text::device_name).transpose().map_err(|detail| Refusal::field("/name", detail))?;
        self.limits.reserve(Limited::FactorChange, &user.to_string()).await?;
        let secret = &TotpSecret::mint(self.deps.random.as_ref());
        let (name, hash) = (&name, self.setup_hash(id));
        let (user, id, secret) = self
            .changes
            .run(ctx, "begin_totp", |mut change| async move {
                let user = change.active_user(user).await?;
                if let Some(made) = self.idempotency.find(&mut change, idempotent).await? {
                    let (id, secret) = self.begun_before(&mut change, &user, made, bound_to).await?;
                    return change.commit((user, id, secret)).await;
                }
                change.one_time_tokens().remove_of_owner_for(user.id, PURPOSE).await?;
                let sealed = self.seal_secret(&user, id, secret.as_bytes())?;
                let waiting =
                    Waiting { name: name.clone(), secret: sealed, bound_to: bound_to.to_owned(), failures: 0 };
                let (created_at, expires_at) = (change.now, change.now.plus(LIFE));
                let (owner, payload) = (Some(user.id), self.seal_waiting(&hash, &waiting)?);
                let purpose = PURPOSE.to_owned();
                let row = OneTimeToken { hash: hash.to_vec(), purpose, owner, payload, created_at, expires_at };
                change.one_time_tokens().insert(&row).await?;
                self.idempotency.save(&mut change, idempotent, Made::Factor(id), owner).await?;
                let secret = TotpSecret::from_bytes(Zeroizing::new(secret.as_bytes().to_vec()));
                change.commit((user, id, secret)).await
            })
            .await?;
        self.begun(&user, id, &secret)
    }

    fn begun(&self, user: &User, id: FactorId, secret: &TotpSecret) -> Result<TotpBegun, Failure> {
        let uri = Zeroizing::new(self.otpauth(user, secret)?);
        let qr_svg = Zeroizing::new(qr::svg(&uri)?);
        Ok(TotpBegun { id, uri, qr_svg, secret: secret.base32() })
    }

    /// What waits for its first code, once more: for whoever has shown a wrong one in the session that began it.
    ///
    /// # Errors
    /// `NotFound` for what was not begun here a moment ago, or was answered wrongly too often; `InsufficientAuthentication`.
    pub async fn waiting_totp(&self, ctx: &Context, id: FactorId) -> Result<TotpBegun, Failure> {
        let (user, session) = ctx.user()?;
        ctx.may(&Act::ManageFactors(user))?;
        recent_proof::must_be_given(ctx, &self.deps.settings, &mut self.deps.store.reading()).await?;
        self.waiting(user, id, &session.to_string()).await
    }

    /// The secret that waits, for the session or the sign-in that began it and for nobody else.
    pub(super) async fn waiting(&self, user: UserId, id: FactorId, bound_to: &str) -> Result<TotpBegun, Failure> {
        let (hash, now) = (self.setup_hash(id), self.deps.now());
        let mut reading = self.deps.store.reading();
        let row = reading.one_time_tokens().find(&hash, PURPOSE, now).await?.ok_or(Refusal::NotFound)?;
        let waiting = self.open_waiting(&hash, row.payload)?;
        if row.owner != Some(user) || waiting.bound_to != bound_to {
            return Err(Refusal::NotFound.into());
        }
        let user = reading.users().find(user).await?.ok_or(Refusal::NotFound)?;
        let secret = TotpSecret::from_bytes(self.open_secret(&user, id, &waiting.secret)?);
        self.begun(&user, id, &secret)
    }

    /// What an earlier request with the same key began. Its secret waits for its first code as long as a repeat may see it, so
    /// it is kept nowhere else.
    async fn begun_before(
        &self,
        change: &mut Change<'_>,
        user: &User,
        made: Made,
        bound_to: &str,
    ) -> Result<(FactorId, TotpSecret), Failure> {
        let Made::Factor(id) = made else { return Err(Refusal::IdempotencyMismatch.into()) };
        let (hash, now) = (self.setup_hash(id), change.now);
        let row = change.one_time_tokens().find(&hash, PURPOSE, now).await?.ok_or(Refusal::SecretAlreadyShown)?;
        let waiting = self.open_waiting(&hash, row.payload)?;
        if row.owner != Some(user.id) || waiting.bound_to != bound_to {
            return Err(Refusal::SecretAlreadyShown.into());
        }
        Ok((id, TotpSecret::from_bytes(self.open_secret(user, id, &waiting.secret)?)))
    }

    /// Shows a first code: from now on the app is a factor. Answers recovery codes with the first factor.
    ///
    /// # Errors
    /// `NotFound` for what was not begun here a moment ago; `InvalidCode`; `InsufficientAuthentication`, `TooManyAttempts`.
    pub async fn confirm_totp(&self, ctx: &Context, id: FactorId, code: &str) -> Result<Option<Vec<String>>, Failure> {
        let (user, session) = ctx.user()?;
        ctx.may(&Act::ManageFactors(user))?;
        self.limits.reserve(Limited::FactorChange, &user.to_string()).await?;
        let (set, bound_to) = (&self.mint_set(), &session.to_string());
        let is_first = self
            .changes
            .run(ctx, "confirm_totp", |mut change| async move {
                let user = change.active_user(user).await?;
                let held = recent_proof::must_be_given(ctx, &self.deps.settings, &mut change).await?;
                let confirmed = self.confirm_waiting(&mut change, &user, &held, (id, bound_to), code).await?;
                if confirmed && held.is_empty() {
                    self.store_set(&mut change, user.id, set).await?;
                }
                change.commit(confirmed.then_some(held.is_empty())).await
            })
            .await?
            .ok_or(Refusal::InvalidCode)?;
        Ok(is_first.then(|| set.shown()))
    }

    /// Whether the code is one of the secret that waits; then it is a factor. A wrong one is counted.
    pub(super) async fn confirm_waiting(
        &self,
        change: &mut Change<'_>,
        user: &User,
        held: &[Factor],
        (id, bound_to): (FactorId, &str),
        code: &str,
    ) -> Result<bool, Failure> {
        must_have_room(held)?;
        let (hash, now) = (self.setup_hash(id), change.now);
        let row = change.one_time_tokens().find(&hash, PURPOSE, now).await?.ok_or(Refusal::NotFound)?;
        let mut waiting = self.open_waiting(&hash, row.payload)?;
        if row.owner != Some(user.id) || waiting.bound_to != bound_to {
            return Err(Refusal::NotFound.into());
        }
        let secret = TotpSecret::from_bytes(self.open_secret(user, id, &waiting.secret)?);
        let Some(step) = secret.accepted(code, now, 0) else {
            waiting.failures += 1;
            if waiting.failures >= MOST_FAILURES {
                change.one_time_tokens().take(&hash, PURPOSE, now).await?;
            } else {
                let payload = self.seal_waiting(&hash, &waiting)?;
                change.one_time_tokens().update_payload(&hash, &payload).await?;
            }
            return Ok(false);
        };
        change.one_time_tokens().take(&hash, PURPOSE, now).await?;
        let factor = Factor {
            id,
            user_id: user.id,
            kind: FactorKind::Totp,
            name: waiting.name,
            secret: waiting.secret,
            counter: step,
            created_at: now,
            last_used_at: None,
        };
        self.add(change, &factor).await?;
        Ok(true)
    }

    /// Stores a factor that was shown.
    pub(super) async fn add(&self, change: &mut Change<'_>, factor: &Factor) -> Result<(), Failure> {
        change.factors().insert(factor).await?;
        outstanding_dies(&self.deps, change, factor.user_id).await?;
        let data = serde_json::json!({ "factor_id": factor.id, "kind": factor.kind.as_str() });
        change.event(EventKind::FactorAdded, factor.user_id, data);
        Ok(())
    }

    /// `otpauth://totp/…`, as authenticator apps read it: the service, and the account as its owner knows it.
    fn otpauth(&self, user: &User, secret: &TotpSecret) -> Result<String, Failure> {
        let view = self.user_reader.view(user)?;
        let account = view.email.or(view.username).unwrap_or_else(|| user.id.to_string());
        let site = self.deps.settings.site();
        let mut url = url::Url::parse("otpauth://totp/").map_err(internal)?;
        url.path_segments_mut()
            .map_err(|()| internal("an address without a path"))?
            .clear()
            .push(&format!("{site}:{account}"));
        url.query_pairs_mut()
            .append_pair("secret", &secret.base32())
            .append_pair("issuer", &site)
            .append_pair("algorithm", "SHA1")
            .append_pair("digits", "6")
            .append_pair("period", "30");
        Ok(url.into())
    }

    fn setup_hash(&self, id: FactorId) -> [u8; 32] {
        self.deps.crypto.index.keyed_hash(PURPOSE, &[id.0.as_bytes()])
    }

    fn seal_waiting(&self, hash: &[u8; 32], waiting: &Waiting) -> Result<Vec<u8>, Failure> {
        let plain = serde_json::to_vec(waiting).map_err(internal)?;
        let sealed = self.deps.vault.seal(self.deps.random.as_ref(), &row_context(CONTEXT, &[hash]), &plain);
        Ok(sealed.map_err(internal)?.0)
    }

    fn open_waiting(&self, hash: &[u8; 32], payload: Vec<u8>) -> Result<Waiting, Failure> {
        let plain = self.deps.vault.open(&row_context(CONTEXT, &[hash]), &Sealed(payload)).map_err(internal)?;
        serde_json::from_slice(&plain).map_err(internal)
    }
}

pub(super) fn must_have_room(held: &[Factor]) -> Result<(), Refusal> {
    if held.len() < MOST_FACTORS {
        return Ok(());
    }
    Err(Refusal::field("", "there are 20 second factors already: remove one first"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_a_secret_that_was_begun_shows_nothing_of_it() {
        let secret = |text: &str| Zeroizing::new(text.to_owned());
        let begun = TotpBegun {
            id: FactorId::from_random([7; 16]),
            uri: secret("otpauth://totp/x?secret=JBSWY3DP"),
            qr_svg: secret("<svg>JBSWY3DP</svg>"),
            secret: secret("JBSWY3DP"),
        };
        assert!(!format!("{begun:?}").contains("JBSWY3DP"));
    }
}
