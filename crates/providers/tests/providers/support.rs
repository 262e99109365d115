//! A programmable upstream on the loopback, honest by default, and a provider of any kind configured against it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use userd_jose::{Algorithm, SigningKey};
use userd_model::{Clock, Random, Timestamp};
use userd_providers::{
    AppleOptions, Begin, Callback, Kind, Mapping, NativeProof, Profile, Provider, ProviderConfig, ProviderDependencies,
    ProviderFault, Redirect, Secret, Span, build, pkce_challenge,
};

pub(crate) use userd_stand_ins::{Fault, StandIn, generic::Knobs};
use userd_stand_ins::{Options, generic};

pub(crate) const REDIRECT_URI: &str = "https://users.example/v1/auth/p/callback";
pub(crate) const STATE: &str = "c3RhdGUtc3RhdGUtc3RhdGUtc3RhdGU";
pub(crate) const NONCE: &str = "bm9uY2Utbm9uY2Utbm9uY2Utbm9uY2U";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const SECRET: &str = "client-secret-that-must-not-leak";
pub(crate) const BOT_TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
pub(crate) const BOT_ID: &str = "110201543";

/// 2026-01-01T00:00:00Z, the moment of all vectors.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_seconds(1_767_225_600)
}

pub(crate) fn later(seconds: u64) -> Timestamp {
    now().plus(Duration::from_secs(seconds))
}

/// Predictable chance.
#[derive(Default)]
pub(crate) struct Counted(AtomicU64);

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0.fetch_add(37, Ordering::SeqCst).to_le_bytes()[0];
        }
    }
}

pub(crate) fn dependencies() -> ProviderDependencies {
    ProviderDependencies { random: Arc::new(Counted::default()), telegram_bot_token: Some(Secret::new(BOT_TOKEN)) }
}

pub(crate) fn client_id(kind: Kind) -> &'static str {
    if kind == Kind::Telegram { BOT_ID } else { "our-client" }
}

/// A PKCS#8 key as the PEM that an operator has in a file.
pub(crate) fn pem(key: &SigningKey) -> Secret {
    let der = key.to_pkcs8().unwrap();
    Secret::new(format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der.as_slice())
    ))
}

/// The configuration of a kind against an upstream at `base`.
pub(crate) fn config(kind: Kind, base: &str) -> ProviderConfig {
    let mut config = ProviderConfig::new("p", kind, client_id(kind));
    config.client_secret = Some(Secret::new(SECRET));
    config.timeout = Some(Span(Duration::from_millis(400)));
    let at = |path: &str| Some(format!("{base}{path}"));
    config.endpoints.authorize = at("/authorize");
    config.endpoints.token = at("/token");
    config.endpoints.userinfo = at("/userinfo");
    config.endpoints.jwks = at("/jwks");
    config.endpoints.revoke = at("/revoke");
    match kind {
        Kind::Oidc => {
            config.issuer = Some(base.to_owned());
            config.endpoints = Default::default();
            config.native = Some(true);
        }
        Kind::Google => config.issuer = Some(base.to_owned()),
        Kind::Oauth2 => {
            config.mapping = Some(Mapping { client_id: Some("client_id".into()), ..Mapping::default() });
            config.native = Some(true);
        }
        Kind::Github | Kind::Mailru => config.native = Some(true),
        Kind::Ok => config.application_key = Some("CBAPUBLICKEY".into()),
        Kind::Apple => {
            config.apple = Some(AppleOptions { team_id: "TEAM123456".into() });
            config.key_id = Some("KEY1234567".into());
            config.private_key = Some(pem(&SigningKey::generate(Algorithm::ES256).unwrap()));
        }
        _ => {}
    }
    config
}

/// The moment of all vectors, for ever.
struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        now()
    }
}

/// An upstream of one kind, honest so far.
pub(crate) async fn upstream(kind: Kind) -> StandIn<Knobs> {
    let upstream = generic::start(kind.as_str(), Options::with_clock(Arc::new(FixedClock))).await.unwrap();
    upstream.turn(|knobs| {
        knobs.nonce = Some(NONCE);
        knobs.client = client_id(kind).into();
    });
    upstream
}

/// A provider of one kind and its upstream.
pub(crate) struct Story {
    pub(crate) kind: Kind,
    pub(crate) upstream: StandIn<Knobs>,
    pub(crate) provider: Arc<dyn Provider>,
}

impl Story {
    pub(crate) async fn new(kind: Kind) -> Self {
        Self::with(kind, |_| {}).await
    }

    pub(crate) async fn with(kind: Kind, change: impl FnOnce(&mut ProviderConfig)) -> Self {
        let upstream = upstream(kind).await;
        let mut config = config(kind, &upstream.base_url);
        change(&mut config);
        let provider = build(&config, &dependencies()).unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        upstream.turn(|knobs| knobs.issuer = provider.issuer());
        Self { kind, upstream, provider }
    }

    pub(crate) fn behave(&self, change: impl FnOnce(&mut Knobs)) {
        self.upstream.turn(change);
    }

    pub(crate) async fn begin(&self) -> Result<Redirect, ProviderFault> {
        let challenge = pkce_challenge(VERIFIER);
        let begin = Begin {
            redirect_uri: REDIRECT_URI,
            state: STATE,
            nonce: NONCE,
            pkce_challenge: &challenge,
            device_id: "device-0123456789",
            locale: Some("ru"),
            login_hint: None,
            now: now(),
        };
        self.provider.begin(&begin).await
    }

    /// The whole browser flow with the usual callback.
    pub(crate) async fn sign_in(&self) -> Result<Profile, ProviderFault> {
        self.sign_in_at(&[], now()).await
    }

    /// The browser flow; `change` replaces parameters of the callback, an empty value removes one.
    pub(crate) async fn sign_in_at(&self, change: &[(&str, &str)], at: Timestamp) -> Result<Profile, ProviderFault> {
        let redirect = self.begin().await?;
        let mut params = BTreeMap::from([("code", "good-code"), ("state", STATE)]);
        if self.kind == Kind::Vk {
            params.extend([("device_id", "vk-device"), ("type", "code_v2")]);
        }
        params.extend(change.iter().copied());
        params.retain(|_, value| !value.is_empty());
        let params: BTreeMap<String, String> =
            params.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        self.finish(&params, &redirect.remember, at).await
    }

    pub(crate) async fn finish(
        &self,
        params: &BTreeMap<String, String>,
        remember: &Value,
        at: Timestamp,
    ) -> Result<Profile, ProviderFault> {
        let callback =
            Callback { params, redirect_uri: REDIRECT_URI, state: STATE, nonce: NONCE, verifier: VERIFIER, remember };
        self.provider.finish(&callback, at).await
    }

    pub(crate) async fn native(&self, proof: NativeProof<'_>) -> Result<Profile, ProviderFault> {
        self.provider.native(&proof, now()).await
    }
}

/// The slug of a refusal, or a panic that says what happened instead.
pub(crate) fn slug<T: std::fmt::Debug>(result: Result<T, ProviderFault>) -> &'static str {
    match result {
        Err(ProviderFault::Refused(slug)) => slug,
        other => panic!("not a refusal: {other:?}"),
    }
}

pub(crate) fn is_unavailable<T>(result: &Result<T, ProviderFault>) -> bool {
    matches!(result, Err(ProviderFault::Unavailable(_)))
}
