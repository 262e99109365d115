//! A service's side of the story: a provider built from the configuration that the network writes, and a browser that
//! follows redirects by hand.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "shared by several test files; tests stop at the first surprise"
)]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;
use userd_model::{Clock, Random, Timestamp};
use userd_providers::{
    Begin, Callback, Profile, Provider, ProviderConfig, ProviderDependencies, ProviderFault, Redirect, Secret, Span,
    build, callback_params, pkce_challenge,
};

pub const STATE: &str = "c3RhdGUtc3RhdGUtc3RhdGUtc3RhdGU";
pub const NONCE: &str = "bm9uY2Utbm9uY2Utbm9uY2Utbm9uY2U";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A clock that stands still until it is moved.
pub struct ManualClock(std::sync::atomic::AtomicI64);

impl ManualClock {
    /// 2026-01-01T00:00:00Z.
    pub fn new() -> Arc<Self> {
        Arc::new(Self(std::sync::atomic::AtomicI64::new(1_767_225_600)))
    }

    pub fn move_by(&self, seconds: i64) {
        self.0.fetch_add(seconds, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}

struct Counted(std::sync::atomic::AtomicU64);

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0.fetch_add(37, std::sync::atomic::Ordering::SeqCst).to_le_bytes()[0];
        }
    }
}

pub fn dependencies() -> ProviderDependencies {
    ProviderDependencies {
        random: Arc::new(Counted(std::sync::atomic::AtomicU64::new(0))),
        telegram_bot_token: Some(Secret::new(userd_stand_ins::telegram::BOT_TOKEN)),
    }
}

/// The entries of the written configuration.
pub fn entries(yaml: &str) -> Vec<ProviderConfig> {
    let whole: Value = serde_saphyr::from_str(yaml).unwrap();
    serde_json::from_value(whole["providers"].clone()).unwrap()
}

/// One entry as a provider, with calls that give up soon.
pub fn provider(yaml: &str, id: &str, change: impl FnOnce(&mut ProviderConfig)) -> Arc<dyn Provider> {
    let mut entry = entries(yaml).into_iter().find(|entry| entry.id == id).unwrap();
    entry.timeout = Some(Span(Duration::from_millis(1500)));
    change(&mut entry);
    build(&entry, &dependencies()).unwrap_or_else(|e| panic!("{id}: {e}"))
}

/// A browser: no redirects by itself.
pub fn browser() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
}

/// What a page answered to a browser.
pub struct Page {
    pub status: u16,
    pub location: Option<String>,
    pub body: String,
}

pub async fn open(url: &str) -> Page {
    let answer = browser().get(url).header("user-agent", "test").send().await.unwrap();
    let location = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
    Page { status: answer.status().as_u16(), location, body: answer.text().await.unwrap() }
}

/// Posts a form; the answer's status and JSON.
pub async fn post(url: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> (u16, Value) {
    let mut call = browser().post(url).form(fields);
    for (name, value) in headers {
        call = call.header(*name, *value);
    }
    let answer = call.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Value::Null))
}

/// A GET with headers; the answer's status and JSON.
pub async fn get(url: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let mut call = browser().get(url);
    for (name, value) in headers {
        call = call.header(*name, *value);
    }
    let answer = call.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Value::Null))
}

/// Hidden fields of a page that posts itself.
pub fn hidden_fields(page: &str) -> Vec<(String, String)> {
    let unescape = |text: &str| {
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&")
    };
    page.split("<input type=\"hidden\" name=\"")
        .skip(1)
        .map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"").unwrap();
            (unescape(name), unescape(rest.split_once('"').unwrap().0))
        })
        .collect()
}

/// A sign-in through a provider: begin, the provider's page, the callback, finish.
pub struct Story {
    pub provider: Arc<dyn Provider>,
    pub redirect_uri: String,
    pub now: Timestamp,
}

impl Story {
    pub fn new(provider: Arc<dyn Provider>) -> Self {
        let redirect_uri = format!("http://127.0.0.1:8080/v1/auth/{}/callback", provider.id());
        Self { provider, redirect_uri, now: wall_clock() }
    }

    pub async fn begin(&self) -> Result<Redirect, ProviderFault> {
        self.provider
            .begin(&Begin {
                redirect_uri: &self.redirect_uri,
                state: STATE,
                nonce: NONCE,
                pkce_challenge: &pkce_challenge(VERIFIER),
                device_id: "device-0123456789",
                locale: Some("ru"),
                login_hint: None,
                now: self.now,
            })
            .await
    }

    /// The callback's parameters after this person clicked.
    pub async fn click(&self, redirect: &Redirect, person: &str) -> BTreeMap<String, String> {
        let page = open(&format!("{}&person={person}&auto=1", redirect.url)).await;
        match page.location {
            Some(back) => {
                assert_eq!(page.status, 302, "{}", page.body);
                assert!(back.starts_with(&self.redirect_uri), "{back}");
                let url = url::Url::parse(&back).unwrap();
                let mut params = callback_params(url.query().unwrap_or_default().as_bytes()).unwrap();
                if let Some(result) = url.fragment().and_then(|f| f.strip_prefix("tgAuthResult=")) {
                    params.insert("tgAuthResult".into(), result.into());
                }
                params
            }
            None => {
                assert!(page.body.contains(&format!("action=\"{}\"", self.redirect_uri)), "{}", page.body);
                hidden_fields(&page.body).into_iter().collect()
            }
        }
    }

    pub async fn finish(
        &self,
        redirect: &Redirect,
        params: &BTreeMap<String, String>,
    ) -> Result<Profile, ProviderFault> {
        self.provider
            .finish(
                &Callback {
                    params,
                    redirect_uri: &self.redirect_uri,
                    state: STATE,
                    nonce: NONCE,
                    verifier: VERIFIER,
                    remember: &redirect.remember,
                },
                self.now,
            )
            .await
    }

    pub async fn sign_in(&self, person: &str) -> Result<Profile, ProviderFault> {
        let redirect = self.begin().await?;
        let params = self.click(&redirect, person).await;
        assert_eq!(params.get("state").map(String::as_str), Some(STATE));
        self.finish(&redirect, &params).await
    }
}

/// What the stand-ins' default clock says.
pub fn wall_clock() -> Timestamp {
    #[allow(clippy::disallowed_methods, reason = "the stand-ins run by the machine's clock here")]
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_seconds(i64::try_from(since.as_secs()).unwrap())
}

/// The slug of a refusal.
pub fn slug<T: std::fmt::Debug>(result: Result<T, ProviderFault>) -> &'static str {
    match result {
        Err(ProviderFault::Refused(slug)) => slug,
        other => panic!("not a refusal: {other:?}"),
    }
}

/// Waits, but not for ever.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), what).await.expect("in ten seconds")
}
