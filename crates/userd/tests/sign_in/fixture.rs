//! The fixture: the binary with providers, an application to come back to, and the usual scenes. Deliberately absent:
//! what is right; the stories say that.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use crate::{
    browser::{Browser, Page},
    support::{Answer, Caller, Replica, TestApp, Tokens, caller::send, unique},
};

/// The application's page.
pub const APP: &str = "https://app.example.org/signed-in";
/// The same on a phone.
pub const PHONE_APP: &str = "org.example.app:/signed-in";

/// A site whose address ends with the host, as written in the configuration.
pub const BARE_APP: &str = "https://bare.example.org";

/// A running service with an application.
pub struct Fixture {
    pub app: TestApp,
    pub replica: Replica,
    /// Its public address.
    pub base: String,
    visitor: Caller,
}

/// A proof key as applications make it (RFC 7636).
pub struct ProofKey {
    pub verifier: String,
    pub challenge: String,
}

impl ProofKey {
    pub fn new() -> Self {
        Self::of(format!("{}{}{}{}", unique("v"), unique("w"), unique("x"), unique("y")))
    }

    /// The one with which everybody begins who names none.
    pub fn usual() -> Self {
        Self::of("the-verifier-of-whoever-does-not-care-which-it-is".to_owned())
    }

    fn of(verifier: String) -> Self {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
        Self { challenge: URL_SAFE_NO_PAD.encode(hash), verifier }
    }
}

impl Fixture {
    /// Chooses the address, so that providers can be told where they send people back to.
    pub fn address(app: &TestApp) -> TestApp {
        app.at_its_address()
    }

    /// Opens an app, whose address is chosen, with these providers.
    pub async fn open(app: &TestApp, providers: Value) -> Self {
        Self::open_with(app, json!({ "providers": providers })).await
    }

    /// Opens an app with these top-level keys in its file.
    pub async fn open_with(app: &TestApp, mut file: Value) -> Self {
        file["sign_in"] = json!({ "return_to": [APP, PHONE_APP, BARE_APP] });
        // Every JSON text is a YAML text.
        std::fs::write(app.path("config.yaml"), file.to_string()).unwrap();
        let base = app.get("http.public_url").to_owned();
        let replica = app.open().await;
        Self { visitor: replica.visitor(), replica, app: app.clone(), base }
    }

    /// Starts again with another file, on the same data and address.
    pub async fn reopen_with(self, file: Value) -> Self {
        let Self { app, replica, .. } = self;
        assert!(replica.stop().await.status.success());
        Self::open_with(&app, file).await
    }

    pub fn visitor(&self) -> Caller {
        self.visitor.clone()
    }

    /// The address that begins a sign-in.
    pub fn start_url(&self, provider: &str, pairs: &[(&str, &str)]) -> String {
        let mut url = Url::parse(&format!("{}/v1/auth/{provider}/start", self.base)).unwrap();
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        url.into()
    }

    /// Begins to sign in; the answer is the provider's page, which the browser has not opened yet.
    pub async fn begin(&self, browser: &mut Browser, provider: &str, key: Option<&ProofKey>) -> Url {
        let usual = ProofKey::usual();
        let pairs = [("return_to", APP), ("code_challenge", key.unwrap_or(&usual).challenge.as_str())];
        let page = browser.get(&self.start_url(provider, &pairs)).await;
        assert_eq!(page.status, 303, "{}", page.text);
        page.location().unwrap()
    }

    /// Begins to link; the same.
    pub async fn begin_link(&self, browser: &mut Browser, caller: &Caller, provider: &str) -> Url {
        let path = format!("/v1/me/identities/{provider}/start");
        let answer = caller.post(&path, json!({ "return_to": APP })).await;
        let url = answer.expect(200)["url"].as_str().unwrap().to_owned();
        for line in answer.headers.get_all("set-cookie") {
            browser.take_cookie(&self.base, line.to_str().unwrap());
        }
        Url::parse(&url).unwrap()
    }

    /// Exchanges a code that must be good.
    pub async fn exchange(&self, landed: &Page, key: Option<&ProofKey>) -> Tokens {
        Tokens::of(&self.try_exchange(&landed.code(), key).await.expect(200))
    }

    pub async fn try_exchange(&self, code: &str, key: Option<&ProofKey>) -> Answer {
        let usual = ProofKey::usual();
        let body = json!({ "code": code, "code_verifier": key.unwrap_or(&usual).verifier });
        self.visitor().post("/v1/auth/exchange", body).await
    }

    /// A whole sign-in at a stand-in as this person, in this browser.
    pub async fn sign_in_with(&self, browser: &mut Browser, provider: &str, person: &str) -> Page {
        let page = self.begin(browser, provider, None).await;
        let page = browser.go(&as_person(page, person)).await;
        if page.text.contains("<form") { browser.fill_in(&page, &[]).await } else { page }
    }

    /// The same in a new browser, up to the tokens.
    pub async fn sign_in(&self, provider: &str, person: &str) -> Tokens {
        let landed = self.sign_in_with(&mut Browser::new(), provider, person).await;
        self.exchange(&landed, None).await
    }

    /// Who the bearer of the tokens is.
    pub async fn me(&self, tokens: &Tokens) -> Value {
        self.visitor().with(tokens).get("/v1/me").await.expect(200)
    }

    /// The accounts elsewhere of somebody.
    pub async fn identities(&self, tokens: &Tokens) -> Vec<Value> {
        let list = self.visitor().with(tokens).get("/v1/me/identities").await.expect(200);
        list["items"].as_array().unwrap().clone()
    }

    /// Unlinks the account at a provider that somebody has linked.
    pub async fn unlink(&self, tokens: &Tokens, provider: &str) -> Answer {
        let identities = self.identities(tokens).await;
        let identity = identities.iter().find(|identity| identity["provider"] == provider).unwrap();
        let path = format!("/v1/me/identities/{}", identity["id"].as_str().unwrap());
        send(self.visitor.with(tokens).request(Method::DELETE, &path)).await.unwrap()
    }

    /// How many accounts there are.
    pub async fn users(&self) -> usize {
        let list = self.app.ask(&["users", "list", "--limit", "1000"]).await;
        list.as_array().unwrap().len()
    }

    /// Blocks an account at the command line.
    pub async fn block(&self, user: &str) {
        let output = self.app.run(&["users", "block", user]).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Our callback for a provider.
pub fn callback(app: &TestApp, provider: &str) -> String {
    format!("{}/v1/auth/{provider}/callback", app.get("http.public_url"))
}

/// A stand-in's page, answered by this person at once.
pub fn as_person(mut page: Url, person: &str) -> String {
    page.query_pairs_mut().append_pair("person", person).append_pair("auto", "1");
    page.into()
}

impl Page {
    /// Whether the application is shown.
    pub fn is_at_app(&self) -> bool {
        self.url.as_str().split('?').next() == Some(APP)
    }

    /// The one-time code with which the application is shown.
    pub fn code(&self) -> String {
        assert!(self.is_at_app(), "landed on {}: {} {}", self.url, self.status, self.text);
        self.param("code").unwrap_or_else(|| panic!("no code in {}", self.url))
    }

    /// The slug with which the application is shown.
    pub fn error(&self) -> String {
        assert!(self.is_at_app(), "landed on {}: {} {}", self.url, self.status, self.text);
        self.param("error").unwrap_or_else(|| panic!("no error in {}", self.url))
    }
}
