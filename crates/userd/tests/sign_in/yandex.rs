//! Yandex ID end to end: people with and without an address, what is kept and given back, and what apps hand over.

use serde_json::{Value, json};
use userd_stand_ins::{Options, yandex};

use crate::{
    browser::Browser,
    fixture::{Fixture, ProofKey},
    providers,
    support::{Answer, Engine, PASSWORD, TestApp, Tokens},
};

async fn open(app: &TestApp) -> (Fixture, yandex::Yandex) {
    let at = yandex::start(Options::default()).await.unwrap();
    let fixture = Fixture::open(&Fixture::address(app), json!([providers::yandex(&at)])).await;
    (fixture, at)
}

/// What Yandex' own library does in an app: a token of Yandex for a person, without us.
async fn app_signs_in(at: &yandex::Yandex, person: &str) -> String {
    let (http, key) =
        (reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap(), ProofKey::new());
    let query = [
        ("client_id", yandex::CLIENT_ID),
        ("response_type", "code"),
        ("redirect_uri", "yx23://auth/finish"),
        ("code_challenge", &key.challenge),
        ("code_challenge_method", "S256"),
        ("person", person),
        ("auto", "1"),
    ];
    let answer = http.get(format!("{}/authorize", at.base_url)).query(&query).send().await.unwrap();
    let back = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("client_id", yandex::CLIENT_ID),
        ("code_verifier", &key.verifier),
    ];
    let answer = http.post(format!("{}/token", at.base_url)).form(&form).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn jwt(at: &yandex::Yandex, token: &str, secret: Option<&str>) -> String {
    let mut query = vec![("format", "jwt")];
    query.extend(secret.map(|secret| ("jwt_secret", secret)));
    let request = reqwest::Client::new().get(format!("{}/info", at.base_url)).query(&query);
    request.header("authorization", format!("OAuth {token}")).send().await.unwrap().text().await.unwrap()
}

async fn hand_over(fixture: &Fixture, body: Value) -> Answer {
    fixture.visitor().post("/v1/auth/yandex/token", body).await
}

fn refused(answer: &Answer, reason: &str) {
    assert_eq!(answer.refused(401, "provider_refused")["reason"], reason);
}

on_each_engine! {
    async fn people_with_everything_a_phone_or_nothing_sign_in(app: TestApp) {
        let (fixture, at) = open(&app).await;
        let (mut browser, key) = (Browser::new(), ProofKey::new());
        let page = fixture.begin(&mut browser, "yandex", Some(&key)).await;
        let landed = browser.go(&crate::fixture::as_person(page, "ivan")).await;
        let ivan = fixture.exchange(&landed, Some(&key)).await;
        let me = fixture.me(&ivan).await;
        assert_eq!((&me["email"], &me["email_verified"]), (&json!("ivan.petrov@yandex.ru"), &json!(true)));
        assert_eq!(me["display_name"], "Иван Петров");
        assert_eq!(fixture.sign_in("yandex", "ivan").await.user_id(), ivan.user_id(), "the second time");

        // Only a phone; neither; an address that is not Yandex' own and so proves nothing.
        for (person, name) in [("maria", "Мария Котова"), ("oleg", "Oleg Example"), ("zoe", "Zoe Example")] {
            let tokens = fixture.sign_in("yandex", person).await;
            let me = fixture.me(&tokens).await;
            assert_eq!((&me["email"], &me["display_name"]), (&Value::Null, &json!(name)));
            assert_eq!(fixture.sign_in("yandex", person).await.user_id(), tokens.user_id());
        }
        assert_eq!(fixture.users().await, 4);

        let declined = fixture.sign_in_with(&mut Browser::new(), "yandex", "deny").await;
        assert_eq!(declined.error(), "access_denied");
        at.turn(|knobs| knobs.token_error = Some((400, "Basic auth required".to_owned())));
        let failed = fixture.sign_in_with(&mut Browser::new(), "yandex", "ivan").await;
        assert_eq!(failed.error(), "provider_unavailable", "our own secret is wrong");
        at.turn(|knobs| knobs.missing_in_info = vec!["id".to_owned()]);
        assert_eq!(fixture.sign_in_with(&mut Browser::new(), "yandex", "ivan").await.error(), "subject_missing");
    }

    async fn unlinking_ends_the_token_at_yandex(app: TestApp) {
        let (fixture, at) = open(&app).await;
        let member = fixture.visitor().register("keeper@example.net", PASSWORD).await;
        let caller = fixture.visitor().with(&member);
        let mut browser = Browser::new();
        let page = fixture.begin_link(&mut browser, &caller, "yandex").await;
        let landed = browser.go(&crate::fixture::as_person(page, "ivan")).await;
        assert_eq!(landed.param("linked").as_deref(), Some("yandex"));
        let shown = at.requests_to("/info").pop().unwrap();
        let token = shown.header("authorization").unwrap().strip_prefix("OAuth ").unwrap().to_owned();

        fixture.unlink(&member, "yandex").await.expect(204);
        let revoked = at.requests_to("/revoke_token");
        assert_eq!(revoked.len(), 1);
        assert_eq!(revoked[0].form()["access_token"], token);
        let info = reqwest::Client::new()
            .get(format!("{}/info", at.base_url))
            .header("authorization", format!("OAuth {token}"));
        assert_eq!(info.send().await.unwrap().status().as_u16(), 401, "the token is dead there");
        // The address at Yandex was never taken for the member's own.
        assert_eq!(fixture.me(&member).await["email"], "keeper@example.net");
    }

    /// AC-054: tokens that apps hand over count only when they were issued to us, by whom we configured, and once.
    async fn only_our_own_apps_tokens_are_taken(app: TestApp) {
        let (fixture, at) = open(&app).await;
        let token = app_signs_in(&at, "ivan").await;
        at.turn(|knobs| knobs.client_id_in_info = Some("another-app-of-somebody".to_owned()));
        refused(&hand_over(&fixture, json!({ "access_token": token })).await, "client_mismatch");
        at.turn(|knobs| knobs.client_id_in_info = None);
        refused(&hand_over(&fixture, json!({ "access_token": "guessed" })).await, "token_refused");
        let ivan = Tokens::of(&hand_over(&fixture, json!({ "access_token": token })).await.expect(200));

        let signed = jwt(&at, &token, None).await;
        let by_jwt = Tokens::of(&hand_over(&fixture, json!({ "id_token": signed })).await.expect(200));
        assert_eq!(by_jwt.user_id(), ivan.user_id());
        refused(&hand_over(&fixture, json!({ "id_token": signed })).await, "replayed");
        let own_secret = jwt(&at, &token, Some("a secret that the app chose itself")).await;
        refused(&hand_over(&fixture, json!({ "id_token": own_secret })).await, "signature_invalid");
        let (head, tail) = signed.split_once('.').unwrap();
        let none = format!("eyJhbGciOiJub25lIn0.{}", tail.split_once('.').unwrap().0);
        refused(&hand_over(&fixture, json!({ "id_token": format!("{none}.") })).await, "algorithm_not_allowed");
        refused(&hand_over(&fixture, json!({ "id_token": format!("{head}.{tail}.x") })).await, "token_malformed");
        assert_eq!(fixture.sign_in("yandex", "ivan").await.user_id(), ivan.user_id(), "through the browser");

        // One proof at a time, and nothing that names an account.
        for body in [
            json!({}),
            json!({ "access_token": "a", "id_token": "b" }),
            json!({ "code": "c" }),
            json!({ "access_token": token, "user_id": ivan.user_id() }),
        ] {
            assert_eq!(hand_over(&fixture, body).await.status, 400);
        }
    }
}
