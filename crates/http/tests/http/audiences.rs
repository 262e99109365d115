//! Whom a token is for, and whose it is: what keeps a token that one service was sent from being used at another.

use axum::Router;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use serde_json::{Value, json};
use url::Url;
use userd_services::{
    Services, Settings,
    clients::ClientInput,
    deliveries::MailView,
    testing::{TestOptions, settings},
};
use userd_stand_ins::authenticator::Authenticator;
use userd_web::testing::*;

use crate::app::*;

const ORDERS: &str = "https://orders.example";

/// What the answer's access token says.
fn claims(answer: &Value) -> Value {
    let token = answer["tokens"]["access_token"].as_str().or(answer["access_token"].as_str()).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

async fn form(router: &Router, path: &str, basic: &str, fields: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", basic)];
    let headers = if basic.is_empty() { &headers[..1] } else { &headers[..] };
    ask(router, request("POST", path, headers, fields.to_owned())).await
}

/// RFC 8707: at every way to a token, the resource that is asked for, once; without one, the first. (fault 1)
/// ASVS V9.2.4
#[tokio::test]
async fn a_token_is_for_the_resource_that_was_asked_for_and_for_no_other() {
    let router = app_over(test_services(TestOptions::default()).await);
    let body = |mut body: Value, resource: Option<&str>| {
        body["resource"] = json!(resource);
        body.to_string()
    };
    let post = async |path: &str, of: &Value, resource: Option<&str>| {
        post_json(&router, path, body(of.clone(), resource)).await
    };
    let register = |name: &str| json!({ "username": name, "password": "a long walk in Suzdal" });
    let login = json!({ "login": "ada", "password": "a long walk in Suzdal" });
    let first = post("/v1/auth/register", &register("ada"), None).await.json();
    assert_eq!(claims(&first)["aud"], "userd");
    let other = post("/v1/auth/register", &register("grace"), Some(ORDERS)).await.json();
    assert_eq!(claims(&other)["aud"], ORDERS);
    let answer = post("/v1/auth/login", &login, Some(ORDERS)).await.json();
    assert_eq!(claims(&answer)["aud"], ORDERS);
    assert_eq!(claims(&post("/v1/auth/login", &login, None).await.json())["aud"], "userd");
    let mut refresh = json!({ "refresh_token": answer["refresh_token"] });
    // Each refresh asks anew: nothing is remembered.
    for resource in [None, Some(ORDERS), Some("userd"), None] {
        let answer = post("/v1/auth/refresh", &refresh, resource).await.json();
        assert_eq!(claims(&answer)["aud"], resource.unwrap_or("userd"));
        refresh = json!({ "refresh_token": answer["refresh_token"] });
    }
    let fields = format!(
        "grant_type=refresh_token&resource=https%3A%2F%2Forders.example&refresh_token={}",
        refresh["refresh_token"].as_str().unwrap()
    );
    let answer = form(&router, "/oauth2/token", "", &fields).await.json();
    assert_eq!(claims(&answer)["aud"], ORDERS);
    // Nothing happens for what is not there, however near: the refresh token is not used up.
    let refresh = json!({ "refresh_token": answer["refresh_token"] });
    for wrong in ["https://orders.example/", "Userd", "", "userd https://orders.example"] {
        for (path, of) in [
            ("/v1/auth/refresh", &refresh),
            ("/v1/auth/login", &login),
            ("/v1/auth/register", &register("hedy")),
            ("/v1/auth/exchange", &json!({ "code": "udx_x" })),
        ] {
            let answer = post(path, of, Some(wrong)).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.json()["type"]),
                (422, &json!("/problems/invalid_target")),
                "{path}"
            );
        }
    }
    assert_eq!(post("/v1/auth/refresh", &refresh, None).await.status, 200);
    let fields = "grant_type=refresh_token&resource=x&refresh_token=y";
    let answer = form(&router, "/oauth2/token", "", fields).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (400, &json!("invalid_target")));
}

/// So it is where an app or a page hands over a provider's proof, and where the bot is asked. (fault 1)
#[tokio::test]
async fn the_resource_counts_at_the_ways_in_without_a_redirect_too() {
    let providers = vec![TestProvider::named("acme", false), TestProvider::named("telegram", false)];
    let router = app_over(test_services(TestOptions { providers, ..TestOptions::default() }).await);
    for (path, of) in [
        ("/v1/auth/acme/token", json!({ "access_token": "sub-1" })),
        ("/v1/auth/telegram/widget", json!({ "id": 1, "auth_date": 1, "hash": "sub-2" })),
        ("/v1/auth/telegram/mini-app", json!({ "init_data": "sub-3" })),
    ] {
        for (resource, aud) in [(json!(ORDERS), ORDERS), (json!("userd"), "userd"), (json!(null), "userd")] {
            let mut body = of.clone();
            body["resource"] = resource;
            let answer = post_json(&router, path, body.to_string()).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            assert_eq!(claims(&answer.json())["aud"], aud, "{path}");
        }
        let mut body = of.clone();
        body["resource"] = json!("https://orders.example/");
        assert_eq!(post_json(&router, path, body.to_string()).await.slug(), "invalid_target", "{path}");
    }
    let poll = |resource: &str| json!({ "attempt": "x", "secret": "y", "resource": resource }).to_string();
    for (resource, slug) in [(ORDERS, "invalid_code"), ("elsewhere", "invalid_target")] {
        assert_eq!(post_json(&router, "/v1/auth/telegram/bot/poll", poll(resource)).await.slug(), slug);
    }
}

/// The text of a mail whose subject says this and was not seen before.
pub async fn mail(services: &Services, subject: &str, seen: &mut Vec<String>) -> String {
    while services.deliveries.tick().await.unwrap() > 0 {}
    let mails = services.deliveries.mails(&services.operator_context(), 50).await.unwrap();
    let is_new = |mail: &MailView| mail.subject.contains(subject) && !seen.contains(&mail.subject);
    let found = mails.into_iter().find(is_new).unwrap();
    seen.push(found.subject);
    found.text
}

/// And where a code, a mail, a passkey or a fresher proof is what the token is given for. (fault 1)
#[tokio::test]
async fn the_resource_counts_at_codes_mails_passkeys_and_fresher_proofs() {
    let settings = Settings { email_code_sign_in: true, ..settings() };
    let providers = vec![TestProvider::named("acme", false)];
    let services = test_services(TestOptions { settings, providers, ..TestOptions::default() }).await;
    let router = app_over(services.clone());
    let ada = json!({ "email": "ada@example.org", "password": "a long walk in Suzdal" }).to_string();
    let ada = post_json(&router, "/v1/auth/register", ada).await.json();
    let token = ada["tokens"]["access_token"].as_str().unwrap();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer), ("content-type", "application/json")];
    let post = async |path: &str, body: Value| ask(&router, request("POST", path, &headers, body.to_string())).await;
    let wanted = || [(json!(ORDERS), ORDERS), (json!("userd"), "userd"), (json!(null), "userd")];
    let is_for = async |path: &str, mut body: Value, (resource, aud): (Value, &str)| {
        body["resource"] = resource;
        let answer = post(path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(claims(&answer.json())["aud"], aud, "{path}");
    };

    for target in wanted() {
        is_for("/v1/auth/step-up", json!({ "password": "a long walk in Suzdal" }), target).await;
    }
    let link = mail(&services, "is your code for", &mut Vec::new()).await;
    let proof = link.split("/l/").nth(1).unwrap().split_whitespace().next().unwrap();
    assert_eq!(post("/v1/auth/email/verify", json!({ "token": proof })).await.status, 200);
    let mut seen = Vec::new();
    for target in wanted() {
        let begun = post("/v1/auth/email-code/begin", json!({ "email": "ada@example.org" })).await.json();
        let text = mail(&services, "is your code to sign in", &mut seen).await;
        let code = text.lines().find(|line| line.len() == 6 && line.parse::<u32>().is_ok()).unwrap();
        let finish = json!({ "challenge": begun["challenge"], "code": code });
        is_for("/v1/auth/email-code/finish", finish, target).await;
    }
    for target in wanted() {
        let begun = get(&router, "/v1/auth/acme/start", &[]).await;
        let cookie = begun.header("set-cookie").split(';').next().unwrap();
        let url = Url::parse(begun.header("location")).unwrap();
        let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let back = format!("/v1/auth/acme/callback?code=c&state={state}");
        let landed = get(&router, &back, &[("cookie", cookie)]).await;
        let url = Url::parse(landed.header("location")).unwrap();
        let code = url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        is_for("/v1/auth/exchange", json!({ "code": code }), target).await;
    }
    // The code of somebody who was signed in here already.
    let ctx = services.context().authenticated(services.authenticate(token).await.unwrap());
    for target in wanted() {
        let (verifier, challenge) = services.mint_proof_key();
        let code = services.sign_in.code_for_app(&ctx, "https://app.example/done", &challenge).await.unwrap();
        is_for("/v1/auth/exchange", json!({ "code": code, "code_verifier": *verifier }), target).await;
    }
    let mut laptop = Authenticator::at("http://localhost:8080");
    let begun = post("/v1/me/factors/passkeys/begin", json!({})).await.json();
    let credential = laptop.create(&begun["options"]).unwrap();
    let finish = json!({ "challenge": begun["challenge"], "credential": credential });
    assert_eq!(post("/v1/me/factors/passkeys/finish", finish).await.status, 201);
    for target in wanted() {
        let begun = post("/v1/auth/passkey/begin", json!({})).await.json();
        let credential = laptop.get(&begun["options"]).unwrap();
        let finish = json!({ "challenge": begun["challenge"], "credential": credential });
        is_for("/v1/auth/passkey/finish", finish, target).await;
    }
}

/// What a service was sent opens nothing at userd; whoever may ask about tokens hears whom it is for. (fault 1)
/// ASVS V10.3.1
#[tokio::test]
async fn a_token_for_another_service_opens_nothing_here() {
    let services = test_services(TestOptions::default()).await;
    let permissions = ["tokens.introspect".to_owned()];
    let made = services.clients.create(&services.operator_context(), "orders", &permissions, None).await.unwrap();
    let pair = format!("{}:{}", made.client.id, made.client_secret);
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let router = app_over(services);
    let register = |resource: &str, name: &str| {
        json!({ "username": name, "password": "a long walk in Suzdal", "resource": resource }).to_string()
    };
    for (resource, name, status) in [("userd", "ada", 200), (ORDERS, "grace", 401)] {
        let answer = post_json(&router, "/v1/auth/register", register(resource, name)).await.json();
        let token = answer["tokens"]["access_token"].as_str().unwrap();
        let bearer = format!("Bearer {token}");
        for path in ["/v1/me", "/v1/me/sessions", "/v1/me/identities"] {
            let answer = get(&router, path, &[("authorization", &bearer)]).await;
            assert_eq!(answer.status, status, "{path}");
            if status == 401 {
                // It says which one would do.
                assert_eq!(answer.slug(), "not_signed_in", "{path}");
                let told = "the token is for another service; ask for one with the resource userd";
                assert_eq!(answer.json()["detail"], told, "{path}");
            }
        }
        let told = form(&router, "/oauth2/introspect", &basic, &format!("token={token}")).await.json();
        assert_eq!((&told["active"], &told["aud"]), (&json!(true), &json!(resource)));
        assert_eq!(form(&router, "/oauth2/revoke", "", &format!("token={token}")).await.status, 200);
        let told = form(&router, "/oauth2/introspect", &basic, &format!("token={token}")).await.json();
        assert_eq!(told, json!({ "active": false }));
    }
}

fn shop(audiences: Option<&[String]>) -> ClientInput<'_> {
    ClientInput { name: "shop", audiences, ..ClientInput::default() }
}

/// A service gets tokens for the services that it was given, and for no other. (fault 1)
/// ASVS V10.3.1
#[tokio::test]
async fn a_service_asks_for_the_audiences_that_it_was_given_and_no_others() {
    let services = test_services(TestOptions::default()).await;
    let operator = services.operator_context();
    let token = async |given: Option<&[String]>, resource: &str| {
        let made = services.clients.create_for(&operator, shop(given), None).await.unwrap();
        assert_eq!(made.client.audiences.as_deref(), given, "and so it is shown");
        let pair = format!("{}:{}", made.client.id, made.client_secret);
        let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        let fields = format!("grant_type=client_credentials{resource}");
        let answer = form(&app_over(services.clone()), "/oauth2/token", &basic, &fields).await;
        if answer.status == 200 { claims(&answer.json())["aud"].clone() } else { answer.json()["error"].clone() }
    };
    let (userd, orders) = ("&resource=userd", "&resource=https%3A%2F%2Forders.example");
    let list = |audiences: &[&str]| audiences.iter().map(|audience| (*audience).to_owned()).collect::<Vec<_>>();
    let (one, both) = (list(&[ORDERS]), list(&[ORDERS, "userd"]));
    for (given, resource, expected) in [
        (None, "", "userd"),
        (None, userd, "userd"),
        (None, orders, "invalid_target"),
        (Some(&one), "", ORDERS),
        (Some(&one), orders, ORDERS),
        (Some(&one), userd, "invalid_target"),
        (Some(&both), "", ORDERS),
        (Some(&both), userd, "userd"),
        (Some(&both), "&resource=x", "invalid_target"),
    ] {
        assert_eq!(token(given.map(Vec::as_slice), resource).await, expected, "{given:?} {resource}");
    }
    for (wrong, pointer) in [(list(&[]), "/audiences"), (list(&["userd", "x"]), "/audiences/1")] {
        let refused = services.clients.create_for(&operator, shop(Some(&wrong)), None).await;
        let Err(userd_services::Failure::Refused(userd_model::Refusal::InvalidInput(fields))) = refused else {
            panic!("not refused: {wrong:?}")
        };
        assert_eq!(fields[0].pointer, pointer);
    }
}

/// What it was given is changed for those who hold what it takes, one after the other, and only to what is known. (fault 1)
#[tokio::test]
async fn a_services_audiences_are_changed_under_its_version() {
    let services = test_services(TestOptions::default()).await;
    let router = app_over(services.clone());
    let made = services.clients.create(&services.operator_context(), "shop", &[], None).await.unwrap();
    let (id, secret) = (made.client.id, made.client_secret);
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}")));
    let audience = async || {
        let answer = form(&router, "/oauth2/token", &basic, "grant_type=client_credentials").await;
        claims(&answer.json())["aud"].clone()
    };
    let path = format!("/v1/clients/{id}");
    let manager = format!("Bearer {}", access_token_with(&services, "clients.manage").await);
    let change = async |body: Value, version: &str| {
        let headers = [("if-match", version), ("authorization", &*manager), ("content-type", "application/json")];
        ask(&router, request("PATCH", &path, &headers, body.to_string())).await
    };
    assert_eq!(audience().await, "userd");
    let changed = change(json!({ "audiences": [ORDERS, "userd", ORDERS] }), "\"1\"").await;
    assert_eq!((changed.status, changed.header("etag")), (StatusCode::OK, "\"2\""));
    assert_eq!((&changed.json()["audiences"], &changed.json()["version"]), (&json!([ORDERS, "userd"]), &json!(2)));
    assert_eq!(audience().await, ORDERS);
    assert_eq!(change(json!({ "audiences": ["userd"] }), "\"1\"").await.status, 412, "somebody was faster");
    for (wrong, pointer) in [(json!([]), "/audiences"), (json!([ORDERS, "https://x.example"]), "/audiences/1")] {
        let refused = change(json!({ "audiences": wrong }), "\"2\"").await;
        assert_eq!((refused.status.as_u16(), &refused.json()["errors"][0]["pointer"]), (422, &json!(pointer)));
    }
    assert_eq!(change(json!({ "permissions": ["users.read"] }), "*").await.status, 400, "permissions are not changed");
    let renamed = change(json!({ "name": " Shop " }), "*").await.json();
    assert_eq!((&renamed["name"], &renamed["audiences"]), (&json!("Shop"), &json!([ORDERS, "userd"])));
    assert_eq!(change(json!({ "audiences": null }), "\"3\"").await.json()["audiences"], Value::Null);
    assert_eq!(audience().await, "userd");
}

/// A service's own token says so, and is for userd only. (fault 1)
#[tokio::test]
async fn a_services_token_is_no_persons() {
    let services = test_services(TestOptions::default()).await;
    let made = services.clients.create(&services.operator_context(), "orders", &[], None).await.unwrap();
    let pair = format!("{}:{}", made.client.id, made.client_secret);
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let router = app_over(services);
    let own = form(&router, "/oauth2/token", &basic, "grant_type=client_credentials").await.json();
    let (own, id) = (claims(&own), made.client.id.to_string());
    assert_eq!((&own["sub_type"], &own["sub"], &own["aud"]), (&json!("client"), &json!(id), &json!("userd")));
    let ada = json!({ "username": "ada", "password": "a long walk in Suzdal" }).to_string();
    let ada = post_json(&router, "/v1/auth/register", ada).await.json();
    assert_eq!((&claims(&ada)["sub_type"], &claims(&ada)["sub"]), (&json!("user"), &ada["user"]["id"]));
    let elsewhere = "grant_type=client_credentials&resource=https%3A%2F%2Forders.example";
    let refused = form(&router, "/oauth2/token", &basic, elsewhere).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (400, &json!("invalid_target")));
}
