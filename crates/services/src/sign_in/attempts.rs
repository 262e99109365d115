//! Attempts: what is remembered between sending a browser away and its coming back. An attempt is found by its
//! state, used once whatever comes of it, and belongs to the browser that began it.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use userd_crypto::{OpaqueSecret, constant_time_eq};
use userd_model::{Refusal, SessionId, Timestamp, UserId};
use userd_providers::Begin;
use userd_storage::{Failure, repositories::one_time_tokens::OneTimeToken};

use super::{SignIn, provider_fault};
use crate::{Origin, access_tokens::Authenticated, limits::Limited, people::internal};

/// How long a person has for the provider's pages.
const LIFE: Duration = Duration::from_secs(600);
const STATE: &str = "";
const BROWSER: &str = "";
const PURPOSE: &str = "sign_in_attempt";
const CONTEXT: &str = "secrets|sign_in_attempt";

/// What an application asks for when it sends somebody to a provider.
#[derive(Clone, Default)]
pub struct Start {
    /// Where to come back to; one of the configured URLs.
    pub return_to: Option<String>,
    /// The application's own proof key (RFC 7636, S256): whoever began must also exchange.
    pub code_challenge: Option<String>,
    /// The person's language.
    pub locale: Option<String>,
    /// Which account the person probably wants.
    pub login_hint: Option<String>,
    /// What the browser's cookies hold from attempts before. The first well-formed one binds this attempt too, so that
    /// attempts in two tabs of one browser do not push each other out.
    pub browser: Vec<String>,
}

impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Start");
        shown.field("return_to", &self.return_to).field("locale", &self.locale);
        shown.finish_non_exhaustive()
    }
}

/// A begun attempt.
#[derive(Clone)]
pub struct Begun {
    /// The provider's page, with the state in it.
    pub url: String,
    /// For the browser's cookie: proves at the callback that it is the same browser.
    pub browser: String,
    /// The callback comes as a cross-site POST: the cookie must be sent with it.
    pub cross_site: bool,
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("cross_site", &self.cross_site).finish_non_exhaustive()
    }
}

/// What the attempt is for. A sign-in can't be replayed as a link or the other way round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Purpose {
    SignIn,
    Link { user: UserId, session: SessionId },
}

/// How something is kept under the hash of a secret.
pub(super) struct Keep {
    pub purpose: &'static str,
    pub context: &'static str,
    /// Whose; a change of the owner's credentials removes it.
    pub owner: Option<UserId>,
    pub life: Duration,
}

/// The remembered part, sealed at rest.
#[derive(Serialize, Deserialize)]
pub(super) struct Attempt {
    pub provider: String,
    pub purpose: Purpose,
    pub redirect_uri: String,
    pub nonce: String,
    pub verifier: String,
    pub browser_hash: Vec<u8>,
    pub return_to: Option<String>,
    pub code_challenge: Option<String>,
    pub remember: serde_json::Value,
}

impl SignIn {
    /// Begins a sign-in.
    ///
    /// # Errors
    /// `NoSuchProvider`, `InvalidInput` for a `return_to` that is not configured, `ProviderUnavailable`.
    pub async fn start(&self, provider: &str, start: Start, origin: &Origin) -> Result<Begun, Failure> {
        self.limits.reserve_from(Limited::SignInPerNetwork, origin).await?;
        self.begin(provider, start, Purpose::SignIn).await
    }

    /// Begins linking an account elsewhere to the signed-in user.
    ///
    /// # Errors
    /// `FreshSignInRequired`, and those of [`Self::start`].
    pub async fn start_link(
        &self,
        who: &Authenticated,
        provider: &str,
        start: Start,
        origin: &Origin,
    ) -> Result<Begun, Failure> {
        self.limits.reserve_from(Limited::SignInPerNetwork, origin).await?;
        let (user, session) = who.user()?;
        self.must_be_fresh(who)?;
        self.begin(provider, start, Purpose::Link { user, session }).await
    }

    pub(super) fn must_be_fresh(&self, who: &Authenticated) -> Result<(), Refusal> {
        let now = self.parts.now();
        match who.auth_time {
            Some(at) if now.since(at) <= self.parts.settings.fresh_sign_in => Ok(()),
            _ => Err(Refusal::FreshSignInRequired),
        }
    }

    async fn begin(&self, id: &str, start: Start, purpose: Purpose) -> Result<Begun, Failure> {
        let provider = self.provider(id)?;
        if !provider.capabilities().browser {
            return Err(Refusal::NoSuchProvider.into());
        }
        self.check_return_to(start.return_to.as_deref())?;
        check_challenge(start.code_challenge.as_deref())?;
        let (random, now) = (self.parts.random.as_ref(), self.parts.now());
        let (state, state_hash) = OpaqueSecret::mint(STATE, random);
        let mut known = start.browser.into_iter();
        let known = known.find_map(|text| OpaqueSecret::hash_of(BROWSER, &text).map(|hash| (text.into(), hash)));
        let (browser, browser_hash) = known.unwrap_or_else(|| OpaqueSecret::mint(BROWSER, random));
        let (nonce, _) = OpaqueSecret::mint(STATE, random);
        let (verifier, _) = OpaqueSecret::mint(STATE, random);
        let device_id = uuid::Builder::from_random_bytes(random.id_bytes()).into_uuid().to_string();
        let redirect_uri = self.redirect_uri(id);
        let redirect = provider
            .begin(&Begin {
                redirect_uri: &redirect_uri,
                state: &state,
                nonce: &nonce,
                pkce_challenge: &userd_providers::pkce_challenge(&verifier),
                device_id: &device_id,
                locale: start.locale.as_deref(),
                login_hint: start.login_hint.as_deref(),
                now,
            })
            .await
            .map_err(|fault| provider_fault(id, fault))?;
        let attempt = Attempt {
            provider: id.to_owned(),
            purpose,
            redirect_uri,
            nonce: nonce.to_string(),
            verifier: verifier.to_string(),
            browser_hash: browser_hash.to_vec(),
            return_to: start.return_to,
            code_challenge: start.code_challenge,
            remember: redirect.remember,
        };
        let keep = Keep { purpose: PURPOSE, context: CONTEXT, owner: None, life: LIFE };
        self.remember(&state_hash, &keep, &attempt, now).await?;
        Ok(Begun { url: redirect.url.into(), browser: browser.to_string(), cross_site: redirect.form_post })
    }

    /// Takes the attempt behind a state. It is gone afterwards, whether or not what follows succeeds. One of the
    /// browser's proofs must be the one it began with.
    pub(super) async fn take_attempt(
        &self,
        provider: &str,
        state: Option<&str>,
        browser: &[[u8; 32]],
    ) -> Result<Attempt, Failure> {
        let refused = |slug| Failure::from(Refusal::ProviderRefused(slug));
        let hash =
            state.and_then(|state| OpaqueSecret::hash_of(STATE, state)).ok_or_else(|| refused("state_missing"))?;
        let now = self.parts.now();
        let hash = &hash;
        // Looked for first: a made-up state costs a read, never a unit of work.
        if self.parts.store.reading().one_time_tokens().find(hash, PURPOSE, now).await?.is_none() {
            return Err(refused("state_unknown"));
        }
        let taken = self
            .parts
            .store
            .transact("take_sign_in_attempt", |mut uow| async move {
                let taken = uow.one_time_tokens().take(hash, PURPOSE, now).await?;
                uow.commit(taken).await
            })
            .await?;
        let attempt: Attempt = self.unseal(CONTEXT, taken.ok_or_else(|| refused("state_unknown"))?.payload)?;
        // Every one is compared, so that the time does not tell which one it was.
        let same = browser.iter().fold(false, |same, hash| constant_time_eq(&attempt.browser_hash, hash) | same);
        if !same {
            return Err(refused("browser_mismatch"));
        }
        if attempt.provider != provider {
            return Err(refused("provider_mismatch"));
        }
        Ok(attempt)
    }

    /// Stores something sealed under the hash of a secret.
    pub(super) async fn remember<T: Serialize + Sync>(
        &self,
        hash: &[u8; 32],
        keep: &Keep,
        what: &T,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let secret = &self.sealed_secret(hash, keep, what, now)?;
        self.parts
            .store
            .transact("remember", |mut uow| async move {
                uow.one_time_tokens().insert(secret).await?;
                uow.commit(()).await
            })
            .await
    }

    pub(super) fn sealed_secret<T: Serialize>(
        &self,
        hash: &[u8; 32],
        keep: &Keep,
        what: &T,
        now: Timestamp,
    ) -> Result<OneTimeToken, Failure> {
        let plain = userd_crypto::Zeroizing::new(serde_json::to_vec(what).map_err(internal)?);
        let sealed = self.parts.vault.seal(self.parts.random.as_ref(), keep.context, &plain).map_err(internal)?;
        Ok(OneTimeToken {
            hash: hash.to_vec(),
            purpose: keep.purpose.to_owned(),
            owner: keep.owner,
            payload: sealed.0,
            created_at: now,
            expires_at: now.plus(keep.life),
        })
    }

    pub(super) fn unseal<T: serde::de::DeserializeOwned>(&self, context: &str, payload: Vec<u8>) -> Result<T, Failure> {
        let bytes = self.parts.vault.open(context, &userd_model::Sealed(payload)).map_err(internal)?;
        serde_json::from_slice(&bytes).map_err(internal)
    }

    /// Only configured URLs, compared exactly, and the built-in landing page.
    fn check_return_to(&self, return_to: Option<&str>) -> Result<(), Refusal> {
        let settings = &self.parts.settings.sign_in;
        match return_to {
            None => Ok(()),
            Some(url) if settings.return_to.iter().any(|allowed| allowed == url) => Ok(()),
            Some(_) => Err(Refusal::field(
                "/return_to",
                "is not among the URLs in sign_in.return_to; they are compared exactly",
            )),
        }
    }
}

/// The hashes of a browser's proofs; what has not the form of one is left out.
pub(super) fn browser_hashes(browser: impl IntoIterator<Item: AsRef<str>>) -> Vec<[u8; 32]> {
    browser.into_iter().filter_map(|text| OpaqueSecret::hash_of(BROWSER, text.as_ref())).collect()
}

/// A challenge is the base64url of a SHA-256: 43 characters. No other method exists here.
fn check_challenge(challenge: Option<&str>) -> Result<(), Refusal> {
    let shaped =
        |text: &str| text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    match challenge {
        Some(text) if !shaped(text) => {
            Err(Refusal::field("/code_challenge", "is the base64url of a SHA-256 digest: 43 characters (method S256)"))
        }
        _ => Ok(()),
    }
}
