//! The way back: what arrives at a callback, and the one-time code. State, browser, provider and code must all be the
//! flow's own, and count once.

use serde_json::json;
use tokio::task::JoinSet;
use url::Url;
use userd_stand_ins::{Options, oidc, oidc::Oidc};

use crate::{
    browser::{Browser, Page},
    fixture::{APP, Fixture, ProofKey, as_person},
    providers,
    support::{Engine, TestApp, Tokens},
};

async fn open(app: &TestApp) -> (Fixture, Oidc) {
    let upstream = oidc::start(Options::default()).await.unwrap();
    let entries = json!([providers::oidc("corp", &upstream, true), providers::oidc("other", &upstream, true)]);
    (Fixture::open(&Fixture::address(app), entries).await, upstream)
}

/// Up to the callback's address, which is not opened.
async fn answered(fixture: &Fixture, browser: &mut Browser) -> Url {
    let page = fixture.begin(browser, "corp", None).await;
    browser.get(&as_person(page, "ivan")).await.location().unwrap()
}

fn with(url: &Url, change: impl Fn(&str, &str) -> Option<String>) -> String {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let mut other = url.clone();
    other.query_pairs_mut().clear();
    for (name, value) in pairs {
        if let Some(value) = change(&name, &value) {
            other.query_pairs_mut().append_pair(&name, &value);
        }
    }
    other.into()
}

/// Where somebody lands whose flow is not known: the built-in page, with a reason and nothing else.
fn turned_away(fixture: &Fixture, page: &Page) -> String {
    assert_eq!(page.status, 200, "{}", page.url);
    assert!(page.url.as_str().starts_with(&format!("{}/signed-in?error=", fixture.base)), "{}", page.url);
    page.param("error").unwrap()
}

on_each_engine! {
    /// AC-051: the state is left out, empty, another one, or given twice.
    /// AC-056: a state that the caller made.
    /// AC-085: a cookie that the caller made.
    /// ASVS V10.1.2, V10.2.1, V7.6.2
    async fn a_callback_without_our_state_and_cookie_is_refused(app: TestApp) {
        let (fixture, _upstream) = open(&app).await;
        let mut browser = Browser::new();
        let back = answered(&fixture, &mut browser).await;
        let own = "A".repeat(43);
        for (url, reason) in [
            (with(&back, |name, value| (name != "state").then(|| value.to_owned())), "state_missing"),
            (
                with(&back, |name, value| Some(if name == "state" { String::new() } else { value.to_owned() })),
                "state_missing",
            ),
            (
                with(&back, |name, value| Some(if name == "state" { own.clone() } else { value.to_owned() })),
                "state_unknown",
            ),
            (format!("{back}&state={own}"), "callback_malformed"),
        ] {
            assert_eq!(turned_away(&fixture, &browser.another_tab().go(&url).await), reason, "{url}");
        }
        // The caller cannot choose the state at the start either.
        let chosen = fixture.visitor().get(&format!("/v1/auth/corp/start?state={own}")).await;
        chosen.refused(400, "invalid_parameter");

        // A cookie from nowhere, of another flow, without its secret: the flow stays for whoever began it.
        let mut users = 0;
        let mut stranger = Browser::new();
        answered(&fixture, &mut stranger).await;
        for mut other in [Browser::new(), stranger] {
            let mut honest = Browser::new();
            let back = answered(&fixture, &mut honest).await;
            let state = back.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
            let forged = format!("__Host-userd_attempt_{}={own}; Path=/; Secure; HttpOnly; SameSite=Lax", &state[..8]);
            other.take_cookie(&fixture.base, &forged);
            assert_eq!(other.go(back.as_str()).await.error(), "browser_mismatch");
            assert_eq!(fixture.users().await, users, "the other browser made no account");
            assert_eq!(honest.go(back.as_str()).await.code().len(), 43);
            users = 1;
        }
        assert!(browser.go(back.as_str()).await.is_at_app(), "the honest browser was not disturbed");
    }

    /// AC-055: an answer of one provider is delivered to the callback of another.
    /// ASVS V10.2.2
    async fn an_answer_belongs_to_one_provider(app: TestApp) {
        let (fixture, _upstream) = open(&app).await;
        let mut browser = Browser::new();
        let back = answered(&fixture, &mut browser).await;
        let elsewhere = back.as_str().replace("/v1/auth/corp/callback", "/v1/auth/other/callback");
        assert_eq!(browser.another_tab().go(&elsewhere).await.error(), "provider_mismatch");
        assert_eq!(fixture.users().await, 0);
        assert_eq!(browser.another_tab().go(back.as_str()).await.code().len(), 43, "the attempt was not used up");
    }

    /// AC-083: somebody else's flow is finished in the victim's browser, or the victim's in somebody else's; every
    /// sign-in has a session of its own.
    async fn a_flow_belongs_to_the_browser_that_began_it(app: TestApp) {
        let (fixture, _upstream) = open(&app).await;
        let (mut attacker, mut victim) = (Browser::new(), Browser::new());
        let prepared = answered(&fixture, &mut attacker).await;
        assert_eq!(victim.go(prepared.as_str()).await.error(), "browser_mismatch");
        assert!(victim.cookies_for(&fixture.base).is_empty());

        // In one browser, one after the other: two people, two sessions, nothing is shared.
        let mut shared = Browser::new();
        let ivan = fixture.exchange(&fixture.sign_in_with(&mut shared, "corp", "ivan").await, None).await;
        let zoe = fixture.exchange(&fixture.sign_in_with(&mut shared, "corp", "zoe").await, None).await;
        assert_ne!(ivan.user_id(), zoe.user_id());
        assert_ne!(ivan.session, zoe.session);

        // The same person once more: a session of its own again.
        let again = fixture.exchange(&fixture.sign_in_with(&mut shared, "corp", "ivan").await, None).await;
        assert_eq!(again.user_id(), ivan.user_id());
        assert_ne!(again.session, ivan.session);
    }

    /// F17: one callback address, sixty-four times at once: one code, one session.
    async fn one_callback_raced_makes_one_code(app: TestApp) {
        let (fixture, _upstream) = open(&app).await;
        let mut browser = Browser::new();
        let back = answered(&fixture, &mut browser).await;
        let mut racing = JoinSet::new();
        for _ in 0..64 {
            let (mut tab, back) = (browser.another_tab(), back.clone());
            racing.spawn(async move { tab.get(back.as_str()).await });
        }
        let mut codes = Vec::new();
        for page in racing.join_all().await {
            assert_eq!(page.status, 303, "{}", page.text);
            let to = page.location().unwrap();
            let code = to.query_pairs().find(|(name, _)| name == "code").map(|(_, value)| value.into_owned());
            let error = to.query_pairs().find(|(name, _)| name == "error").map(|(_, value)| value.into_owned());
            assert!(code.is_some() || matches!(error.as_deref(), Some("state_unknown" | "unavailable")), "{to}");
            codes.extend(code);
        }
        assert_eq!(codes.len(), 1, "{codes:?}");
        let ivan = Tokens::of(&fixture.try_exchange(&codes[0], None).await.expect(200));
        assert_eq!(fixture.users().await, 1);
        let sessions = fixture.visitor().with(&ivan).get("/v1/me/sessions").await.expect(200);
        assert_eq!(sessions["items"].as_array().unwrap().len(), 1);
    }

    /// A newcomer answers in sixteen tabs at once: every tab is let in, and all of them as one user.
    async fn a_newcomer_raced_is_one_user(app: TestApp) {
        let (fixture, _upstream) = open(&app).await;
        let mut racing = JoinSet::new();
        for _ in 0..16 {
            let mut browser = Browser::new();
            let back = answered(&fixture, &mut browser).await;
            racing.spawn(async move { browser.go(back.as_str()).await });
        }
        let mut users = std::collections::BTreeSet::new();
        for landed in racing.join_all().await {
            users.insert(fixture.exchange(&landed, None).await.user_id().to_owned());
        }
        assert_eq!(users.len(), 1, "{users:?}");
        assert_eq!(fixture.users().await, 1);
    }

    /// AC-065: a code is redeemed twice, in sequence and sixty-four times at once: one success, and its tokens die.
    /// ASVS V10.4.2
    async fn a_code_is_worth_one_session_and_a_replay_ends_it(app: TestApp) {
        let (fixture, _upstream) = open(&app).await;
        let landed = fixture.sign_in_with(&mut Browser::new(), "corp", "ivan").await;
        let ivan = fixture.exchange(&landed, None).await;
        let caller = fixture.visitor().with(&ivan);
        assert!(caller.is_let_in().await);
        fixture.try_exchange(&landed.code(), None).await.refused(422, "invalid_code");
        assert!(!caller.is_let_in().await, "the replay ended the session");
        fixture.visitor().refresh(&ivan.refresh).await.refused(401, "invalid_refresh_token");

        let bystander = fixture.sign_in("corp", "ivan").await;
        let code = fixture.sign_in_with(&mut Browser::new(), "corp", "ivan").await.code();
        let mut racing = JoinSet::new();
        for _ in 0..64 {
            let body = json!({ "code": code, "code_verifier": ProofKey::usual().verifier });
            let visitor = fixture.visitor();
            racing.spawn(async move { visitor.post("/v1/auth/exchange", body).await });
        }
        let (won, lost): (Vec<_>, Vec<_>) =
            racing.join_all().await.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1);
        assert!(lost.iter().all(|answer| matches!(answer.status, 422 | 503)), "{:?}", lost[0].text);
        let winner = Tokens::of(&won[0].json());
        assert!(!fixture.visitor().with(&winner).is_let_in().await);
        assert!(fixture.visitor().with(&bystander).is_let_in().await, "other sessions are not touched");
    }

    /// AC-063: proof keys of any other form or method; a verifier that is wrong, missing, or not asked for.
    async fn a_proof_key_is_s256_and_nothing_else(app: TestApp) {
        let (fixture, _upstream) = open(&app).await;
        let key = ProofKey::new();
        let forms = [
            "",
            "plain",
            &key.challenge[..42],
            &format!("{}A", key.challenge),
            &format!("{}=", &key.challenge[..42]),
            &format!("{}+", &key.challenge[..42]),
            &format!("{} ", &key.challenge[..42]),
            &"%".repeat(43),
            &"я".repeat(43),
            &key.verifier,
        ];
        for form in forms {
            let answer =
                fixture.visitor().get(&path_and_query(&fixture.start_url("corp", &[("code_challenge", form)]))).await;
            assert_eq!(answer.refused(422, "invalid_input")["errors"][0]["pointer"], "/code_challenge", "{form}");
        }
        for method in ["plain", "S256", "s256", "none", ""] {
            let pairs = [("code_challenge", key.challenge.as_str()), ("code_challenge_method", method)];
            let answer = fixture.visitor().get(&path_and_query(&fixture.start_url("corp", &pairs))).await;
            answer.refused(400, "invalid_parameter");
        }
        let twice = format!("/v1/auth/corp/start?code_challenge={0}&code_challenge={0}", key.challenge);
        assert_eq!(fixture.visitor().get(&twice).await.status, 400);

        let wrong = ProofKey::new();
        for shown in [json!({}), json!({ "code_verifier": wrong.verifier })] {
            let mut browser = Browser::new();
            let page = fixture.begin(&mut browser, "corp", Some(&key)).await;
            let landed = browser.go(&as_person(page, "ivan")).await;
            let mut body = shown;
            body["code"] = landed.code().into();
            fixture.visitor().post("/v1/auth/exchange", body).await.refused(422, "invalid_code");
            fixture.try_exchange(&landed.code(), Some(&key)).await.refused(422, "invalid_code");
        }
        // The challenge itself is no verifier, and another application's neither.
        let mut browser = Browser::new();
        let page = fixture.begin(&mut browser, "corp", Some(&key)).await;
        let landed = browser.go(&as_person(page, "ivan")).await;
        let as_plain = ProofKey { verifier: key.challenge.clone(), challenge: String::new() };
        fixture.try_exchange(&landed.code(), Some(&as_plain)).await.refused(422, "invalid_code");
        let landed = fixture.sign_in_with(&mut Browser::new(), "corp", "ivan").await;
        fixture.try_exchange(&landed.code(), Some(&key)).await.refused(422, "invalid_code");
        let sessions = fixture.exchange(&fixture.sign_in_with(&mut Browser::new(), "corp", "ivan").await, None).await;
        let list = fixture.visitor().with(&sessions).get("/v1/me/sessions").await.expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "none of this made a session");
    }

    /// Two tabs, two providers: a sign-in that was left half-way does not spoil the next one in the same browser, and
    /// can be finished after it. (fault 12)
    async fn an_abandoned_flow_spoils_nothing(app: TestApp) {
        let apple = userd_stand_ins::apple::start(Options::default()).await.unwrap();
        let upstream = oidc::start(Options::default()).await.unwrap();
        let entries = json!([providers::apple(&apple), providers::oidc("corp", &upstream, true)]);
        let fixture = Fixture::open(&Fixture::address(&app), entries).await;
        let mut browser = Browser::new();
        fixture.begin(&mut browser, "apple", None).await;
        assert!(fixture.sign_in_with(&mut browser, "corp", "ivan").await.is_at_app());
        fixture.begin(&mut browser, "corp", None).await;
        let landed = fixture.sign_in_with(&mut browser, "apple", "maria").await;
        assert_eq!(landed.url.as_str().split('?').next(), Some(APP), "{}", landed.url);
        assert_eq!(landed.code().len(), 43);

        let (one, other) = (answered(&fixture, &mut browser).await, answered(&fixture, &mut browser).await);
        assert!(browser.go(other.as_str()).await.is_at_app());
        assert_eq!(browser.go(other.as_str()).await.error(), "state_unknown", "shown again, on the same page");
        assert_eq!(browser.go(one.as_str()).await.code().len(), 43, "the first tab is as good as before");
    }
}

/// What a caller adds to the base address.
fn path_and_query(url: &str) -> String {
    let url = Url::parse(url).unwrap();
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}
