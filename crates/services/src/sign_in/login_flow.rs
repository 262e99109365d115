//! Login flows: what is remembered between sending a browser away and its coming back. A flow is found by its
//! state, belongs to the browser that began it, and is used once by that browser, whatever comes of it. Where it leads
//! back to is remembered longer, so that whoever comes too late or twice lands on the application's page too.

use std::{fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use userd_crypto::{OpaqueSecret, constant_time_eq};
use userd_model::{Act, Refusal, SessionId, UserId};
use userd_providers::{Begin, Provider};
use userd_storage::{Failure, repositories::one_time_tokens::OneTimeToken};

use super::{ReturnTo, SignIn, provider_fault};
use crate::{
    Context, change::Change, limits::Limited, recent_proof, sealing::row_context, sign_in_outcome,
    user_reader::internal,
};

/// How long a person has for the provider's pages.
const LIFE: Duration = Duration::from_secs(600);
/// How long it is remembered where a flow led back to.
const KEPT: Duration = Duration::from_secs(3600);
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
    /// The token of an invitation, for whoever has no account yet.
    pub invitation: Option<String>,
}

impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Start");
        shown.field("return_to", &self.return_to).field("locale", &self.locale);
        shown.finish_non_exhaustive()
    }
}

/// A begun flow.
#[derive(Clone)]
pub struct StartedFlow {
    /// The provider's page, with the state in it.
    pub url: String,
    /// The state: names the cookie.
    pub state: String,
    /// For the browser's cookie: proves at the callback that it is the same browser.
    pub browser: String,
    /// The callback comes as a cross-site POST: the cookie must be sent with it.
    pub cross_site: bool,
}

impl fmt::Debug for StartedFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartedFlow").field("cross_site", &self.cross_site).finish_non_exhaustive()
    }
}

/// What the flow is for. A sign-in can't be replayed as a link or the other way round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Purpose {
    SignIn,
    Link {
        user: UserId,
        session: SessionId,
    },
    /// The other account is proven by a sign-in to it; what opens no account is linked.
    Move {
        user: UserId,
        session: SessionId,
    },
    /// The user is proven again, by what opens their account and no other.
    Prove {
        user: UserId,
    },
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
pub(super) struct LoginFlow {
    pub provider: String,
    pub purpose: Purpose,
    pub redirect_uri: String,
    pub nonce: String,
    pub verifier: String,
    pub browser_hash: Vec<u8>,
    pub return_to: Option<String>,
    pub code_challenge: Option<String>,
    pub remember: serde_json::Value,
    /// The hash of the invitation that was shown.
    #[serde(default)]
    pub invitation: Option<Vec<u8>>,
}

impl LoginFlow {
    /// What is left of a flow that was used: where it led back to. No browser can prove to have begun it.
    fn spent(self) -> Self {
        let (nothing, remember) = (String::new(), serde_json::Value::Null);
        Self { nonce: nothing.clone(), verifier: nothing, browser_hash: Vec::new(), remember, ..self }
    }

    fn is_spent(&self) -> bool {
        self.browser_hash.is_empty()
    }

    fn target(&self) -> ReturnTo {
        ReturnTo { return_to: self.return_to.clone() }
    }
}

/// Whoever came back in vain: where they land, and why.
pub(super) struct TurnedAway {
    pub target: ReturnTo,
    pub failure: Failure,
}

/// Without a known flow there is only our own page to land on.
impl<F: Into<Failure>> From<F> for TurnedAway {
    fn from(failure: F) -> Self {
        Self { target: ReturnTo { return_to: None }, failure: failure.into() }
    }
}

impl SignIn {
    /// Begins a sign-in.
    ///
    /// # Errors
    /// `NoSuchProvider`, `InvalidInput` for a `return_to` that is not configured or comes without a `code_challenge`,
    /// `ProviderUnavailable`.
    pub async fn start(&self, ctx: &Context, provider: &str, start: Start) -> Result<StartedFlow, Failure> {
        let begun = match self.limits.reserve_from(Limited::SignInPerNetwork, &ctx.origin).await {
            Ok(()) => self.begin(ctx, provider, start, Purpose::SignIn).await,
            Err(limited) => Err(limited.into()),
        };
        match &begun {
            Ok(_) => sign_in_outcome::note(self.method(provider), "begun"),
            Err(failure) => sign_in_outcome::ended_early(self.method(provider), failure),
        }
        begun
    }

    /// The provider on offer that a browser may be sent to.
    ///
    /// # Errors
    /// `NoSuchProvider`.
    pub fn browser_provider(&self, id: &str) -> Result<Arc<dyn Provider>, Refusal> {
        let provider = self.provider(id)?;
        if provider.capabilities().browser { Ok(provider) } else { Err(Refusal::NoSuchProvider) }
    }

    /// Begins linking an account elsewhere to the signed-in user.
    ///
    /// # Errors
    /// `InsufficientAuthentication`, and those of [`Self::start`].
    pub async fn start_link(&self, ctx: &Context, provider: &str, start: Start) -> Result<StartedFlow, Failure> {
        let (user, session) = self.may_link(ctx).await?;
        self.start_for(ctx, provider, start, Purpose::Link { user, session }).await
    }

    /// Who may link something to their account now. It counts as a sign-in.
    pub(super) async fn may_link(&self, ctx: &Context) -> Result<(UserId, SessionId), Failure> {
        self.limits.reserve_from(Limited::SignInPerNetwork, &ctx.origin).await?;
        let (user, session) = ctx.user()?;
        ctx.may(&Act::LinkIdentity(user))?;
        recent_proof::must_be_given(ctx, &self.deps.settings, &mut self.deps.store.reading()).await?;
        Ok((user, session))
    }

    /// Begins what is for a user who is signed in, once it is counted.
    pub(super) async fn start_for(
        &self,
        ctx: &Context,
        provider: &str,
        start: Start,
        purpose: Purpose,
    ) -> Result<StartedFlow, Failure> {
        let begun = self.begin(ctx, provider, start, purpose).await;
        sign_in_outcome::note(self.method(provider), begun.as_ref().map_or_else(sign_in_outcome::of, |_| "begun"));
        begun
    }

    async fn begin(&self, ctx: &Context, id: &str, start: Start, purpose: Purpose) -> Result<StartedFlow, Failure> {
        let provider = self.browser_provider(id)?;
        self.check_return_to(start.return_to.as_deref())?;
        check_challenge(start.code_challenge.as_deref())?;
        if purpose == Purpose::SignIn {
            self.check_proof_key(&start)?;
        }
        let invitation = self.look_at_invitation(ctx, start.invitation.as_deref()).await?;
        let (random, now) = (self.deps.random.as_ref(), self.deps.now());
        let (state, state_hash) = OpaqueSecret::mint(STATE, random);
        let (browser, browser_hash) = OpaqueSecret::mint(BROWSER, random);
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
        let flow = LoginFlow {
            provider: id.to_owned(),
            purpose,
            redirect_uri,
            nonce: nonce.to_string(),
            verifier: verifier.to_string(),
            browser_hash: browser_hash.to_vec(),
            return_to: start.return_to,
            code_challenge: start.code_challenge,
            remember: redirect.remember,
            invitation,
        };
        let keep = Keep { purpose: PURPOSE, context: CONTEXT, owner: None, life: KEPT };
        self.remember(ctx, &state_hash, &keep, &flow).await?;
        let (url, state, browser) = (redirect.url.into(), state.to_string(), browser.to_string());
        Ok(StartedFlow { url, state, browser, cross_site: redirect.form_post })
    }

    /// The hash of an invitation that somebody begins with; it must be good now.
    pub(super) async fn look_at_invitation(
        &self,
        ctx: &Context,
        token: Option<&str>,
    ) -> Result<Option<Vec<u8>>, Failure> {
        match token {
            Some(token) => Ok(Some(self.invitations.look(ctx, token).await?.hash)),
            None => Ok(None),
        }
    }

    /// Takes the flow behind a state. It is gone afterwards, whether or not what follows succeeds. One of the
    /// browser's proofs must be the one it began with: whoever comes without, say a scanner of links, uses nothing up.
    pub(super) async fn take_flow(
        &self,
        ctx: &Context,
        provider: &str,
        state: Option<&str>,
        browser: &[[u8; 32]],
    ) -> Result<LoginFlow, TurnedAway> {
        let refused = Refusal::ProviderRefused;
        let hash = state.and_then(|state| OpaqueSecret::hash_of(STATE, state)).ok_or(refused("state_missing"))?;
        let hash = &hash;
        // Looked at first: a made-up state and a wrong browser cost a read, never a unit of work.
        let found = self.deps.store.reading().one_time_tokens().find(hash, PURPOSE, ctx.now).await?;
        let found = found.ok_or(refused("state_unknown"))?;
        let is_over = ctx.now >= found.created_at.plus(LIFE);
        let flow: LoginFlow = self.unseal(CONTEXT, hash, found.payload)?;
        let turned_away = |slug| TurnedAway { target: flow.target(), failure: refused(slug).into() };
        if flow.is_spent() {
            return Err(turned_away("state_unknown"));
        }
        // Before the browser: its cookie is gone by then.
        if is_over {
            return Err(turned_away("state_expired"));
        }
        // Every one is compared, so that the time does not tell which one it was.
        let same = browser.iter().fold(false, |same, hash| constant_time_eq(&flow.browser_hash, hash) | same);
        if !same {
            return Err(turned_away("browser_mismatch"));
        }
        if flow.provider != provider {
            return Err(turned_away("provider_mismatch"));
        }
        match self.spend_flow(ctx, hash).await {
            Ok(true) => Ok(flow),
            Ok(false) => Err(turned_away("state_unknown")),
            Err(failure) => Err(TurnedAway { target: flow.target(), failure }),
        }
    }

    /// Uses a flow up; false where somebody else was faster.
    async fn spend_flow(&self, ctx: &Context, hash: &[u8; 32]) -> Result<bool, Failure> {
        self.changes
            .run(ctx, "take_login_flow", |mut change| async move {
                let now = change.now;
                let found = change.one_time_tokens().find(hash, PURPOSE, now).await?;
                let flow: Option<LoginFlow> =
                    found.map(|found| self.unseal(CONTEXT, hash, found.payload)).transpose()?;
                let Some(flow) = flow.filter(|flow| !flow.is_spent()) else { return change.commit(false).await };
                let spent = self.sealed(CONTEXT, hash, &flow.spent())?;
                change.one_time_tokens().update_payload(hash, &spent).await?;
                change.commit(true).await
            })
            .await
    }

    /// Where the flow with this state leads back to, whoever asks.
    pub(super) async fn way_back(&self, ctx: &Context, state: Option<&str>) -> Result<ReturnTo, Failure> {
        let Some(hash) = state.and_then(|state| OpaqueSecret::hash_of(STATE, state)) else {
            return Ok(ReturnTo { return_to: None });
        };
        let found = self.deps.store.reading().one_time_tokens().find(&hash, PURPOSE, ctx.now).await?;
        let flow: Option<LoginFlow> = found.map(|found| self.unseal(CONTEXT, &hash, found.payload)).transpose()?;
        Ok(flow.map_or(ReturnTo { return_to: None }, |flow| flow.target()))
    }

    /// Stores something sealed under the hash of a secret.
    pub(super) async fn remember<T: Serialize + Sync>(
        &self,
        ctx: &Context,
        hash: &[u8; 32],
        keep: &Keep,
        what: &T,
    ) -> Result<(), Failure> {
        self.changes
            .run(ctx, "remember", |mut change| async move {
                let secret = self.sealed_secret(&change, hash, keep, what)?;
                change.one_time_tokens().insert(&secret).await?;
                change.commit(()).await
            })
            .await
    }

    pub(super) fn sealed_secret<T: Serialize>(
        &self,
        change: &Change<'_>,
        hash: &[u8; 32],
        keep: &Keep,
        what: &T,
    ) -> Result<OneTimeToken, Failure> {
        Ok(OneTimeToken {
            hash: hash.to_vec(),
            purpose: keep.purpose.to_owned(),
            owner: keep.owner,
            payload: self.sealed(keep.context, hash, what)?,
            created_at: change.now,
            expires_at: change.now.plus(keep.life),
        })
    }

    pub(super) fn sealed<T: Serialize>(&self, context: &str, hash: &[u8], what: &T) -> Result<Vec<u8>, Failure> {
        let plain = userd_crypto::Zeroizing::new(serde_json::to_vec(what).map_err(internal)?);
        Ok(self.deps.vault.seal(self.deps.random.as_ref(), &row_context(context, &[hash]), &plain).map_err(internal)?.0)
    }

    pub(super) fn unseal<T: serde::de::DeserializeOwned>(
        &self,
        context: &str,
        hash: &[u8],
        payload: Vec<u8>,
    ) -> Result<T, Failure> {
        let bytes =
            self.deps.vault.open(&row_context(context, &[hash]), &userd_model::Sealed(payload)).map_err(internal)?;
        serde_json::from_slice(&bytes).map_err(internal)
    }

    /// Refuses an application that is not known here, or keeps no proof key. Where it is a host whose proxy asks here, its
    /// name.
    ///
    /// # Errors
    /// `InvalidInput`.
    pub fn check_app(&self, return_to: &str, code_challenge: &str) -> Result<Option<String>, Refusal> {
        check_challenge(Some(code_challenge))?;
        let hosts = &self.deps.settings.sign_in.forward_auth;
        if let Some(host) = hosts.iter().find(|host| host.callback() == return_to) {
            return Ok(Some(host.name().to_owned()));
        }
        self.check_return_to(Some(return_to)).map(|()| None)
    }

    /// Only configured URLs, compared exactly, and the built-in landing page.
    fn check_return_to(&self, return_to: Option<&str>) -> Result<(), Refusal> {
        let settings = &self.deps.settings.sign_in;
        match return_to {
            None => Ok(()),
            Some(url) if settings.return_to.iter().any(|allowed| allowed == url) => Ok(()),
            Some(_) => Err(Refusal::field(
                "/return_to",
                "is not among the URLs in sign_in.return_to; they are compared exactly",
            )),
        }
    }

    /// A code without a proof key is good in any browser: whoever lures somebody to an application with it signs them
    /// in as somebody else. Our own page cannot keep a verifier from the attempt to its end, and shows no more than
    /// who is signed in.
    fn check_proof_key(&self, start: &Start) -> Result<(), Refusal> {
        let own = format!("{}/signed-in", self.deps.settings.sign_in.public_url);
        match (&start.return_to, &start.code_challenge) {
            (Some(return_to), None) if *return_to != own => Err(Refusal::field(
                "/code_challenge",
                "is required with return_to: the base64url of the SHA-256 digest of a verifier (RFC 7636, S256)",
            )),
            _ => Ok(()),
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
