//! The way to a provider and back in one browser: its cookies, its tabs, and Telegram's answer in the fragment.

use std::{collections::BTreeMap, sync::Arc};

use aws_lc_rs::{digest, hmac};
use axum::Router;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use url::Url;
use userd_model::Timestamp;
use userd_providers::{
    Kind, ProviderConfig, ProviderDependencies, Secret, TelegramOptions, TelegramStart, build, pkce_challenge,
};
use userd_services::{RegistrationMode, Services, invitations::NewInvitation, sign_in::Start, testing::TestOptions};
use userd_web::testing::*;

use crate::app::*;

const APP: &str = "https://app.example/done";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const FORM: &str = "application/x-www-form-urlencoded";
const BOT: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
const LAX: &str = "__Host-userd_attempt";
const CROSS_SITE: &str = "__Host-userd_attempt_post";

/// Yandex as it answers with a redirect, Apple as it answers with a form, and Telegram's legacy page.
async fn services() -> Arc<Services> {
    services_with(TestOptions::default()).await
}

async fn services_with(options: TestOptions) -> Arc<Services> {
    let mut telegram = ProviderConfig::new("telegram", Kind::Telegram, "110201543");
    telegram.client_secret = Some(Secret::new("s"));
    telegram.telegram = Some(TelegramOptions { start: TelegramStart::Widget, ..TelegramOptions::default() });
    let random = api_with(|_| {}).random;
    let dependencies = ProviderDependencies { random, telegram_bot_token: Some(Secret::new(BOT)) };
    let telegram = build(&telegram, &dependencies).unwrap();
    let providers = vec![TestProvider::named("yandex", false), TestProvider::named("apple", true), telegram];
    test_services(TestOptions { providers, ..options }).await
}

/// A browser: the cookies it holds, by name.
#[derive(Default)]
struct Browser(BTreeMap<String, String>);

impl Browser {
    fn take(&mut self, answer: &Answer) {
        for line in answer.headers.get_all("set-cookie") {
            let (pair, attributes) = line.to_str().unwrap().split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0;") {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    fn cookies(&self) -> String {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Begins a sign-in; its state.
    async fn begin(&mut self, router: &Router, provider: &str) -> String {
        let path = format!("/v1/auth/{provider}/start?return_to={APP}&code_challenge={}", pkce_challenge(VERIFIER));
        let answer = get(router, &path, &[("cookie", &self.cookies())]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        self.take(&answer);
        let url = Url::parse(answer.header("location")).unwrap();
        if let Some(return_to) = param(&url, "return_to") {
            return param(&Url::parse(&return_to).unwrap(), "state").unwrap();
        }
        param(&url, "state").unwrap()
    }

    /// The provider's redirect, with all cookies.
    async fn come_back(&mut self, router: &Router, provider: &str, state: &str) -> (String, String) {
        let path = format!("/v1/auth/{provider}/callback?code=c&state={state}");
        let answer = get(router, &path, &[("cookie", &self.cookies())]).await;
        self.take(&answer);
        landed(&answer)
    }

    /// A form posted to the callback, with these cookies only.
    async fn post(&mut self, router: &Router, provider: &str, body: String, cookies: &str) -> (String, String) {
        let path = format!("/v1/auth/{provider}/callback");
        let headers = [("content-type", FORM), ("cookie", cookies)];
        let answer = ask(router, request("POST", &path, &headers, body)).await;
        self.take(&answer);
        landed(&answer)
    }
}

/// What the cookie of the flow with this state is called.
fn name_for(kind: &str, state: &str) -> String {
    format!("{kind}_{}", &state[..8])
}

fn param(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(given, _)| given == name).map(|(_, value)| value.into_owned())
}

/// The parameter that the browser lands with: its name, and its value unless that is a code.
fn landed(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let url = Url::parse(answer.header("location")).unwrap();
    let (name, value) = url.query_pairs().next().unwrap();
    (name.into_owned(), value.into_owned())
}

fn error(slug: &str) -> (String, String) {
    ("error".to_owned(), slug.to_owned())
}

/// First the provider that answers with a form, then, without finishing, one that answers with a redirect.
#[tokio::test]
async fn an_abandoned_flow_elsewhere_does_not_spoil_the_next() {
    let router = app_over(services().await);
    for names in [["apple", "yandex"], ["yandex", "apple"]] {
        let mut browser = Browser::default();
        browser.begin(&router, names[0]).await;
        let state = browser.begin(&router, names[1]).await;
        assert_eq!(browser.0.len(), 2, "{:?}", browser.0.keys());
        assert_eq!(browser.come_back(&router, names[1], &state).await.0, "code", "{names:?}");
        assert_eq!(browser.0.len(), 1, "a sign-in takes its own cookie away, and no other's");
    }
}

/// What else a browser holds, and in which order, does not matter.
#[tokio::test]
async fn any_of_a_browsers_cookies_may_be_the_one() {
    let router = app_over(services().await);
    let (mut one, mut other) = (Browser::default(), Browser::default());
    let state = one.begin(&router, "yandex").await;
    other.begin(&router, "apple").await;
    let (right, wrong) = (one.cookies(), other.cookies());
    let cookies = format!("theme=dark; {LAX}=x; {}=y; {wrong}; {right}; {LAX}_=z", name_for(CROSS_SITE, &state));
    let body = format!("code=c&state={state}");
    assert_eq!(Browser::default().post(&router, "yandex", body, &cookies).await.0, "code");
}

/// AC-083: cookies of other browsers, however many, are none.
/// ASVS V10.1.2
#[tokio::test]
async fn many_wrong_cookies_are_no_right_one() {
    let router = app_over(services().await);
    let (mut one, mut other) = (Browser::default(), Browser::default());
    let state = one.begin(&router, "yandex").await;
    other.begin(&router, "yandex").await;
    other.begin(&router, "apple").await;
    assert_eq!(other.come_back(&router, "yandex", &state).await, error("browser_mismatch"));
    assert_eq!(other.0.len(), 2, "a refusal leaves the cookies to the flows that are on their way");
}

/// Two tabs begin at the same moment, before the browser holds any cookie, and others after them: each attempt has its
/// own binding, so every one of them ends as if it were alone, whichever ends first. (fault 12)
#[tokio::test]
async fn tabs_of_one_browser_do_not_end_each_other() {
    let router = app_over(services().await);
    for first_to_end in [0, 1, 2, 3] {
        let mut browser = Browser::default();
        let mut second_tab = Browser::default();
        let mut flows = vec![("yandex", browser.begin(&router, "yandex").await)];
        flows.push(("yandex", second_tab.begin(&router, "yandex").await));
        browser.0.append(&mut second_tab.0);
        for provider in ["apple", "yandex"] {
            flows.push((provider, browser.begin(&router, provider).await));
        }
        assert_eq!(browser.0.values().collect::<std::collections::BTreeSet<_>>().len(), 4, "each has its own secret");
        flows.rotate_left(first_to_end);
        let (declined_at, declined) = flows.pop().unwrap();
        let cookies = browser.cookies();
        let form = format!("error=access_denied&state={declined}");
        assert_eq!(browser.post(&router, declined_at, form, &cookies).await, error("access_denied"));
        for (provider, state) in &flows {
            assert_eq!(browser.come_back(&router, provider, state).await.0, "code", "{provider} of {first_to_end}");
            assert_eq!(browser.come_back(&router, provider, state).await, error("state_unknown"), "once");
        }
        assert_eq!(browser.0.len(), 1, "each sign-in takes its own cookie away");
    }
}

/// Whatever ends in an error ends on the attempt's own page: come in another browser, at another provider's callback,
/// twice, too late, or with an answer that cannot be read. (fault 12)
#[tokio::test]
async fn an_error_lands_on_the_page_that_the_attempt_began_for() {
    let services = services().await;
    let router = app_over(Arc::clone(&services));
    let mut browser = Browser::default();
    let state = browser.begin(&router, "yandex").await;
    let back = format!("/v1/auth/yandex/callback?code=c&state={state}");
    let elsewhere = format!("/v1/auth/apple/callback?code=c&state={state}");
    let cookies = browser.cookies();
    for (path, cookie, slug) in [
        (&back, "", "browser_mismatch"),
        (&elsewhere, cookies.as_str(), "provider_mismatch"),
        (&format!("{back}&code=d"), &cookies, "callback_malformed"),
    ] {
        let answer = get(&router, path, &[("cookie", cookie)]).await;
        assert_eq!(answer.header("location"), format!("{APP}?error={slug}"));
        assert!(!answer.headers.contains_key("set-cookie"), "the attempt is still good");
    }
    assert_eq!(browser.come_back(&router, "yandex", &state).await.0, "code");
    let again = get(&router, &back, &[("cookie", &cookies)]).await;
    assert_eq!(again.header("location"), format!("{APP}?error=state_unknown"));
    for nobodys in ["state=AAAA", "", &format!("state={0}&state={0}", state)] {
        let answer = get(&router, &format!("/v1/auth/yandex/callback?code=c&{nobodys}"), &[]).await;
        assert!(answer.header("location").contains("/signed-in?error="), "{nobodys}");
    }
}

/// Headers have an end: of a browser that begins and never finishes, the newest sixteen attempts stay good.
#[tokio::test]
async fn attempts_that_nobody_finishes_do_not_pile_up_in_the_browser() {
    let router = app_over(services().await);
    let mut browser = Browser::default();
    for begun in 1..=20 {
        browser.begin(&router, if begun % 2 == 0 { "apple" } else { "yandex" }).await;
        assert_eq!(browser.0.len(), begun.min(16));
    }
    let newest = browser.begin(&router, "yandex").await;
    assert_eq!(browser.come_back(&router, "yandex", &newest).await.0, "code");
}

/// Only the secret that was handed out counts, under the name that goes with the state.
/// ASVS V3.3.5
#[tokio::test]
async fn a_malformed_cookie_is_no_proof() {
    let router = app_over(services().await);
    for planted in ["", "x", "AAAA", &"A".repeat(43), &"A".repeat(44), &"!".repeat(43)] {
        let mut browser = Browser::default();
        let state = browser.begin(&router, "yandex").await;
        let name = name_for(LAX, &state);
        let real = browser.0.insert(name.clone(), planted.to_owned()).unwrap();
        assert_eq!(real.len(), 43);
        assert_eq!(browser.come_back(&router, "yandex", &state).await, error("browser_mismatch"), "{planted}");
        browser.0.insert(name, real);
        assert_eq!(browser.come_back(&router, "yandex", &state).await.0, "code");
    }
}

/// A page of another site begins to link: its fetch gets a cookie that the browser keeps.
#[tokio::test]
async fn linking_from_another_site_gets_a_cookie_that_travels() {
    let services = services().await;
    let router = app_over(Arc::clone(&services));
    let body = json!({"username": "ada", "password": "correct horse battery staple"}).to_string();
    let registered = post_json(&router, "/v1/auth/register", body).await;
    let token = registered.json()["tokens"]["access_token"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    for (site, name) in [("same-site", LAX), ("same-origin", LAX), ("cross-site", CROSS_SITE)] {
        let headers = [("authorization", bearer.as_str()), ("sec-fetch-site", site), ("sec-fetch-mode", "cors")];
        let answer = ask(&router, request("POST", "/v1/me/identities/yandex/start", &headers, "")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mut browser = Browser::default();
        browser.take(&answer);
        let url = Url::parse(answer.json()["url"].as_str().unwrap()).unwrap();
        let state = param(&url, "state").unwrap();
        assert_eq!(browser.0.keys().collect::<Vec<_>>(), [&name_for(name, &state)], "{site}");
        let (name, _) = browser.come_back(&router, "yandex", &state).await;
        assert_eq!(name, "linked");
    }
}

/// Signs fields as Telegram's widget does, in the form of its fragment.
fn tg_auth_result(now: Timestamp) -> String {
    let date = now.micros() / 1_000_000;
    let text = format!("auth_date={date}\nfirst_name=Ada\nid=42");
    let key = digest::digest(&digest::SHA256, BOT.as_bytes());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()), text.as_bytes());
    let hash: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let fields = json!({ "id": 42, "first_name": "Ada", "auth_date": date, "hash": hash });
    URL_SAFE_NO_PAD.encode(fields.to_string())
}

/// The whole way over Telegram's legacy page: the callback's page comes first, and the flow is still there.
#[tokio::test]
async fn telegrams_answer_in_the_fragment_signs_in() {
    let services = services().await;
    let now = services.deps.now();
    let router = app_over(services);
    let mut browser = Browser::default();
    let state = browser.begin(&router, "telegram").await;
    let path = format!("/v1/auth/telegram/callback?state={state}");
    for _ in 0..2 {
        let page = get(&router, &path, &[]).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
        assert!(!page.text().contains(&state), "the page is the same for everybody");
    }
    let cookies = browser.cookies();
    let body = format!("state={state}&tgAuthResult={}", tg_auth_result(now));
    let landed = browser.post(&router, "telegram", body.clone(), &cookies).await;
    assert_eq!(landed.0, "code", "{landed:?}");
    let shown = json!({ "code": landed.1, "code_verifier": VERIFIER }).to_string();
    let exchanged = post_json(&router, "/v1/auth/exchange", shown).await;
    assert_eq!(exchanged.json()["user"]["display_name"], "Ada");
    assert_eq!(browser.post(&router, "telegram", body, &cookies).await, error("state_unknown"));
}

/// An invitation stands beside Telegram's fields and beside its fragment, and is taken for neither: it is not signed.
#[tokio::test]
async fn the_widgets_answer_takes_an_invitation_with_it() {
    let mut options = TestOptions::default();
    options.settings.registration = RegistrationMode::Invite;
    let services = services_with(options).await;
    let fragment = tg_auth_result(services.deps.now());
    let fields: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&fragment).unwrap()).unwrap();
    let operator = services.operator_context();
    let made = services.invitations.create(&operator, &NewInvitation::default(), None).await.unwrap();
    let token = made.token.unwrap();
    let router = app_over(Arc::clone(&services));
    let come = async |mut body: serde_json::Value, invitation: Option<&str>| {
        if let Some(invitation) = invitation {
            body["invitation"] = invitation.into();
        }
        post_json(&router, "/v1/auth/telegram/widget", body.to_string()).await
    };
    let whole = json!({ "tgAuthResult": fragment });
    for body in [&fields, &whole] {
        let uninvited = come(body.clone(), None).await;
        assert_eq!((uninvited.status.as_u16(), uninvited.json()["reason"].as_str()), (401, Some("sign_up_closed")));
        assert_eq!(come(body.clone(), Some("udl_none")).await.slug(), "invitation_gone");
    }
    let mut changed = fields.clone();
    changed["first_name"] = "Eve".into();
    assert_eq!(come(changed, Some(&token)).await.json()["reason"], "signature_invalid");
    let first = come(fields, Some(&token)).await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(first.json()["user"]["display_name"], "Ada");
    assert_eq!(come(whole, Some(&token)).await.status, 401, "one answer of Telegram's signs in once");
}

#[tokio::test]
async fn an_answer_in_the_fragment_belongs_to_the_browser_that_began() {
    let services = services().await;
    let now = services.deps.now();
    let router = app_over(services);
    let state = Browser::default().begin(&router, "telegram").await;
    let body = format!("state={state}&tgAuthResult={}", tg_auth_result(now));
    let mut another = Browser::default();
    another.begin(&router, "telegram").await;
    let cookies = another.cookies();
    assert_eq!(another.post(&router, "telegram", body, &cookies).await, error("browser_mismatch"));
    let mut browser = Browser::default();
    for (rest, slug) in
        [("&error=access_denied", "access_denied"), ("&tgAuthResult=false", "access_denied"), ("", "code_missing")]
    {
        let state = browser.begin(&router, "telegram").await;
        let cookies = browser.cookies();
        let landed = browser.post(&router, "telegram", format!("state={state}{rest}"), &cookies).await;
        assert_eq!(landed, error(slug), "{rest}");
    }
}

/// Only what can have a fragment gets the page: everything else is finished at once.
#[tokio::test]
async fn only_telegrams_bare_state_gets_the_page() {
    let router = app_over(services().await);
    for query in [
        "",
        "code=c",
        "state=s&code=c",
        "state=s&error=e",
        "state=s&hash=h",
        "state=s&tgAuthResult=r",
        "state=a&state=b",
    ] {
        let answer = get(&router, &format!("/v1/auth/telegram/callback?{query}"), &[]).await;
        assert_eq!(landed(&answer).0, "error", "{query}");
    }
    for provider in ["yandex", "apple", "unknown"] {
        let answer = get(&router, &format!("/v1/auth/{provider}/callback?state=s"), &[]).await;
        assert_eq!(landed(&answer).0, "error", "{provider}");
    }
}

/// ASVS V3.4.3
#[tokio::test]
async fn the_fragments_page_runs_its_own_script_only() {
    let router = app_over(services().await);
    let page = get(&router, "/v1/auth/telegram/callback?state=s", &[]).await;
    assert_eq!(
        page.header("content-security-policy"),
        "default-src 'none'; script-src 'self'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
         form-action 'self' https://app.example"
    );
    assert_eq!(page.header("cache-control"), "no-store");
    let text = page.text();
    assert!(!text.contains("<script>") && !text.contains(" style=") && !text.contains(" on"), "no inline code");
    let here = Url::parse("http://127.0.0.1:8080/v1/auth/telegram/callback?state=s").unwrap();
    let mut loaded = 0;
    for part in text.split('"').filter(|part| part.contains("pages/")) {
        let file = get(&router, here.join(part).unwrap().path(), &[]).await;
        assert_eq!(file.status, 200, "{part}");
        loaded += 1;
    }
    assert_eq!(loaded, 2);
    let script = get(&router, "/pages/telegram.js", &[]).await;
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    for needed in ["location.hash", "history.replaceState", "tgAuthResult", "form.submit()"] {
        assert!(script.text().contains(needed), "{needed}");
    }
}

/// A sign-in that succeeds costs its network nothing; what fails does.
#[tokio::test]
async fn a_finished_sign_in_gives_its_reservation_back() {
    let mut options = TestOptions { providers: vec![TestProvider::named("yandex", false)], ..TestOptions::default() };
    options.settings.limits.enabled = true;
    options.settings.limits.sign_in_per_network.burst = 2;
    let router = app_over(test_services(options).await);
    for _ in 0..5 {
        let mut browser = Browser::default();
        let state = browser.begin(&router, "yandex").await;
        assert_eq!(browser.come_back(&router, "yandex", &state).await.0, "code");
    }
    for _ in 0..2 {
        let mut browser = Browser::default();
        let state = browser.begin(&router, "yandex").await;
        let mut stranger = Browser::default();
        assert_eq!(stranger.come_back(&router, "yandex", &state).await, error("browser_mismatch"));
    }
    assert_eq!(get(&router, "/v1/auth/yandex/start", &[]).await.status, 429);
}

/// ASVS V16.2.5
#[tokio::test]
async fn login_flows_and_codes_print_no_secret() {
    let services = services().await;
    let begun = services.sign_in.start(&visit(&services), "yandex", Start::default()).await.unwrap();
    let state = param(&Url::parse(&begun.url).unwrap(), "state").unwrap();
    let again = Start {
        login_hint: Some("ada@example.org".to_owned()),
        code_challenge: Some("challenge".to_owned()),
        ..Start::default()
    };
    let mut printed = format!("{begun:?} {again:?}");
    let params = [("code", "c"), ("state", &state)].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let finished = services.sign_in.finish(&visit(&services), "yandex", &params, [&begun.browser]).await;
    printed.push_str(&format!("{finished:?}"));
    let userd_services::sign_in::Finished::Code { code, .. } = finished else { panic!("{printed}") };
    for secret in [&begun.browser, &state, &code, "ada@example.org", "challenge\""] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(printed.contains("StartedFlow") && printed.contains("Code"), "{printed}");
}
