//! A programmable upstream on the loopback, honest by default, and a provider of any kind configured against it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "shared by several test files; tests stop at the first surprise"
)]

pub mod honest;
pub mod upstream;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use userd_jose::{Algorithm, SigningKey};
use userd_model::{Random, Timestamp};
use userd_providers::{
    AppleOptions, Begin, Callback, Kind, Mapping, NativeProof, Profile, Provider, ProviderConfig, ProviderFault,
    Redirect, Secret, Span, Surroundings, build, pkce_challenge,
};

pub use honest::Behaviour;
pub use upstream::{Ask, Reply, Upstream};

pub const REDIRECT_URI: &str = "https://users.example/v1/auth/p/callback";
pub const STATE: &str = "c3RhdGUtc3RhdGUtc3RhdGUtc3RhdGU";
pub const NONCE: &str = "bm9uY2Utbm9uY2Utbm9uY2Utbm9uY2U";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const SECRET: &str = "client-secret-that-must-not-leak";
pub const BOT_TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
pub const BOT_ID: &str = "110201543";

/// 2026-01-01T00:00:00Z, the moment of all vectors.
pub fn now() -> Timestamp {
    Timestamp::from_seconds(1_767_225_600)
}

pub fn later(seconds: u64) -> Timestamp {
    now().plus(Duration::from_secs(seconds))
}

/// Predictable chance.
#[derive(Default)]
pub struct Counted(AtomicU64);

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0.fetch_add(37, Ordering::SeqCst).to_le_bytes()[0];
        }
    }
}

pub fn surroundings() -> Surroundings {
    Surroundings { random: Arc::new(Counted::default()), telegram_bot_token: Some(Secret::new(BOT_TOKEN)) }
}

pub fn client_id(kind: Kind) -> &'static str {
    if kind == Kind::Telegram { BOT_ID } else { "our-client" }
}

/// A PKCS#8 key as the PEM that an operator has in a file.
pub fn pem(key: &SigningKey) -> Secret {
    let der = key.to_pkcs8().unwrap();
    Secret::new(format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der.as_slice())
    ))
}

/// The configuration of a kind against an upstream at `base`.
pub fn config(kind: Kind, base: &str) -> ProviderConfig {
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

/// A provider of one kind, its upstream, and how that one behaves.
pub struct Story {
    pub kind: Kind,
    pub upstream: Upstream,
    pub behaviour: Arc<Mutex<Behaviour>>,
    pub provider: Arc<dyn Provider>,
}

impl Story {
    pub async fn new(kind: Kind) -> Self {
        Self::with(kind, |_| {}).await
    }

    pub async fn with(kind: Kind, change: impl FnOnce(&mut ProviderConfig)) -> Self {
        let behaviour = Arc::new(Mutex::new(Behaviour::new(kind)));
        let answering = Arc::clone(&behaviour);
        let upstream = Upstream::start(move |ask| honest::answer(&mut answering.lock().unwrap(), ask)).await;
        let mut config = config(kind, &upstream.base);
        change(&mut config);
        {
            let mut behaviour = behaviour.lock().unwrap();
            behaviour.base.clone_from(&upstream.base);
        }
        let provider = build(&config, &surroundings()).unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        behaviour.lock().unwrap().issuer = provider.issuer();
        Self { kind, upstream, behaviour, provider }
    }

    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.behaviour.lock().unwrap());
    }

    pub async fn begin(&self) -> Result<Redirect, ProviderFault> {
        let challenge = pkce_challenge(VERIFIER);
        let attempt = Begin {
            redirect_uri: REDIRECT_URI,
            state: STATE,
            nonce: NONCE,
            pkce_challenge: &challenge,
            device_id: "device-0123456789",
            locale: Some("ru"),
            login_hint: None,
            now: now(),
        };
        self.provider.begin(&attempt).await
    }

    /// The whole browser flow with the usual callback.
    pub async fn sign_in(&self) -> Result<Profile, ProviderFault> {
        self.sign_in_at(&[], now()).await
    }

    /// The browser flow; `change` replaces parameters of the callback, an empty value removes one.
    pub async fn sign_in_at(&self, change: &[(&str, &str)], at: Timestamp) -> Result<Profile, ProviderFault> {
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

    pub async fn finish(
        &self,
        params: &BTreeMap<String, String>,
        remember: &Value,
        at: Timestamp,
    ) -> Result<Profile, ProviderFault> {
        let callback =
            Callback { params, redirect_uri: REDIRECT_URI, state: STATE, nonce: NONCE, verifier: VERIFIER, remember };
        self.provider.finish(&callback, at).await
    }

    pub async fn native(&self, proof: NativeProof<'_>) -> Result<Profile, ProviderFault> {
        self.provider.native(&proof, now()).await
    }
}

/// The slug of a refusal, or a panic that says what happened instead.
pub fn slug<T: std::fmt::Debug>(result: Result<T, ProviderFault>) -> &'static str {
    match result {
        Err(ProviderFault::Refused(slug)) => slug,
        other => panic!("not a refusal: {other:?}"),
    }
}

pub fn is_unavailable<T>(result: &Result<T, ProviderFault>) -> bool {
    matches!(result, Err(ProviderFault::Unavailable(_)))
}
