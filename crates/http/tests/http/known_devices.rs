//! A device's token at the ways in: who shows it is told of no new device, wherever they are.

use serde_json::{Value, json};
use url::Url;
use userd_services::{
    Services, Settings,
    events::EventStart,
    testing::{TestOptions, settings},
};
use userd_stand_ins::authenticator::Authenticator;
use userd_web::testing::*;

use crate::{app::*, audiences::mail};

/// How many sign-ins so far were from a new device.
async fn news(services: &Services) -> usize {
    services.event_log.tick().await.unwrap();
    let page = services.events.page(&services.operator_context(), EventStart::Oldest, 200).await.unwrap();
    page.events.iter().filter(|event| event.data["new_device"] == json!(true)).count()
}

/// ASVS V6.3.5
#[tokio::test]
async fn every_way_in_takes_the_token_of_a_device() {
    let settings = Settings { email_code_sign_in: true, ..settings() };
    let providers = vec![TestProvider::named("acme", false), TestProvider::named("telegram", false)];
    let services = test_services(TestOptions { settings, providers, ..TestOptions::default() }).await;
    let router = app_over(services.clone());
    let post = async |path: &str, headers: &[(&str, &str)], body: Value| {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        ask(&router, request("POST", path, &headers, body.to_string())).await
    };
    let login = json!({ "login": "ada@example.org", "password": "a long walk in Suzdal" });
    let ada = json!({ "email": "ada@example.org", "password": "a long walk in Suzdal" });
    let ada = post("/v1/auth/register", &[], ada).await.json();
    let bearer = format!("Bearer {}", ada["tokens"]["access_token"].as_str().unwrap());
    let link = mail(&services, "is your code for", &mut Vec::new()).await;
    let proof = link.split("/l/").nth(1).unwrap().split_whitespace().next().unwrap();
    assert_eq!(post("/v1/auth/email/verify", &[], json!({ "token": proof })).await.status, 200);
    let (mut laptop, mut seen) = (Authenticator::at("http://localhost:8080"), Vec::new());
    for path in [
        "/v1/auth/login",
        "/v1/auth/acme/token",
        "/v1/auth/telegram/widget",
        "/v1/auth/telegram/mini-app",
        "/v1/auth/exchange",
        "/v1/auth/email-code/finish",
        "/v1/auth/passkey/finish",
    ] {
        if path.contains("passkey") {
            let begun = post("/v1/me/factors/passkeys/begin", &[("authorization", &*bearer)], json!({})).await.json();
            let made = json!({ "challenge": begun["challenge"], "credential": laptop.create(&begun["options"]) });
            let made = post("/v1/me/factors/passkeys/finish", &[("authorization", &*bearer)], made).await;
            assert_eq!(made.status, 201);
        }
        let mut token = Value::Null;
        for (agent, is_shown, is_news) in
            [("First/1", false, true), ("Second/1", true, false), ("Third/1", false, true)]
        {
            let mut body = match path {
                "/v1/auth/login" => login.clone(),
                "/v1/auth/acme/token" => json!({ "access_token": "sub-1" }),
                "/v1/auth/telegram/widget" => json!({ "id": 1, "auth_date": 1, "hash": "sub-2" }),
                "/v1/auth/telegram/mini-app" => json!({ "init_data": "sub-3" }),
                "/v1/auth/exchange" => {
                    let begun = get(&router, "/v1/auth/acme/start", &[]).await;
                    let cookie = begun.header("set-cookie").split(';').next().unwrap();
                    let state = parameter(begun.header("location"), "state");
                    let back = format!("/v1/auth/acme/callback?code=c&state={state}");
                    let landed = get(&router, &back, &[("cookie", cookie)]).await;
                    json!({ "code": parameter(landed.header("location"), "code") })
                }
                "/v1/auth/email-code/finish" => {
                    let begun = post("/v1/auth/email-code/begin", &[], json!({ "email": "ada@example.org" })).await;
                    let text = mail(&services, "is your code to sign in", &mut seen).await;
                    let code = text.lines().find(|line| line.len() == 6 && line.parse::<u32>().is_ok()).unwrap();
                    json!({ "challenge": begun.json()["challenge"], "code": code })
                }
                _ => {
                    let begun = post("/v1/auth/passkey/begin", &[], json!({})).await.json();
                    json!({ "challenge": begun["challenge"], "credential": laptop.get(&begun["options"]) })
                }
            };
            if is_shown {
                body["device_token"] = token.clone();
            }
            let agent = format!("{agent} {path}");
            let before = news(&services).await;
            let answer = post(path, &[("user-agent", &*agent)], body).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            assert_eq!(news(&services).await > before, is_news, "{agent}");
            if token.is_null() {
                token = answer.json()["device_token"].clone();
                assert!(token.is_string(), "{path}");
            }
        }
    }
    let poll = json!({ "attempt": "x", "secret": "y", "device_token": "udd_z" });
    assert_eq!(
        post("/v1/auth/telegram/bot/poll", &[], poll).await.slug(),
        "invalid_code",
        "the bot's way takes it too"
    );
}

fn parameter(url: &str, name: &str) -> String {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(found, _)| found == name).unwrap().1.into_owned()
}
