//! Shared signals as a receiver of another maker takes them: found, set up, verified, polled and pushed, held against the CAEP
//! interoperability profile; and what must not come of them.

use serde_json::{Value, json};

use crate::support::{Engine, Replica, TestApp, script::Script};

/// Other makers' verifiers of access tokens.
const VERIFIERS: [&str; 3] = ["verify_pyjwt.py", "verify_joserfc.py", "verify_jose.mjs"];

async fn service(app: &TestApp, permissions: &[&str]) -> (String, String) {
    let mut arguments = vec!["clients", "create", "gateway"];
    permissions.iter().for_each(|permission| arguments.extend(["--permission", permission]));
    let made = app.ask(&arguments).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["client"]["id"]), text(&made["client_secret"]))
}

fn kinds(said: &Value) -> Vec<&str> {
    let kind = |claims: &'_ Value| claims["events"].as_object().unwrap().keys().next().unwrap().clone();
    let known = ["session-revoked", "account-disabled", "token-claims-change"];
    let of = |claims: &Value| known.into_iter().find(|word| kind(claims).ends_with(word)).unwrap();
    let mut kinds: Vec<_> = said["claims"].as_array().unwrap().iter().map(of).collect();
    kinds.sort_unstable();
    kinds
}

/// A sign-out, a role and a block, as the receiver hears of them. Answers the tokens.
async fn hears(receiver: &mut Script, replica: &Replica, app: &TestApp) -> Vec<String> {
    let admin = replica.admin(app).await;
    let (_, leaves) = replica.member().await;
    let (_, stays) = replica.member().await;
    replica.visitor().with(&leaves).poke("/v1/auth/logout").await.expect(204);
    admin.put(&format!("/v1/users/{}/roles/support", stays.user_id()), json!({})).await;
    admin.poke(&format!("/v1/users/{}/block", stays.user_id())).await.expect(200);
    let said = receiver.ask("wait 5").await;
    // Two roles: the administrator is new too.
    let [ends, changes] = ["session-revoked", "token-claims-change"];
    assert_eq!(kinds(&said), ["account-disabled", ends, ends, changes, changes]);
    let tokens = said["tokens"].as_array().unwrap();
    tokens.iter().map(|token| token.as_str().unwrap().to_owned()).collect()
}

on_each_engine! {
    /// AC-171. RS256 for access tokens too: then nothing but type, audience and subject tells the two apart.
    async fn a_receiver_of_another_maker_takes_signals_by_polling_and_by_push(app: TestApp) {
        let app = app.at_its_address().with("tokens.algorithm", "RS256");
        let app = app.with("webhooks.allow_http", "true").with("webhooks.allow_private_addresses", "true");
        let replica = app.open().await;
        let issuer = app.get("http.public_url").to_owned();
        let (id, secret) = service(&app, &["ssf.read", "ssf.manage"]).await;
        let mut tokens = Vec::new();
        for way in ["poll", "push"] {
            let Some(mut receiver) = Script::start("ssf_receiver.py", &[&issuer, &id, &secret]) else { return };
            let stream = receiver.ask(way).await["stream_id"].as_str().unwrap().to_owned();
            receiver.ask("verify").await;
            tokens.extend(hears(&mut receiver, &replica, &app).await);
            let listed = app.ask(&["streams", "list"]).await;
            assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
            let paused = app.ask(&["streams", "pause", &stream, "--reason", "too loud"]).await;
            assert_eq!((&paused["status"], &paused["reason"]), (&json!("paused"), &json!("too loud")));
            app.ask(&["streams", "resume", &stream]).await;
            assert_eq!(app.ask(&["streams", "show", &stream]).await["status"], "enabled");
            assert_eq!(receiver.ask("remove").await["status"], 204);
        }
        let jwks = format!("{}/.well-known/jwks.json", replica.url);
        for token in &tokens {
            assert!(!replica.visitor().bearing(token).is_let_in().await, "a signal is no access token");
        }
        for (name, audience) in VERIFIERS.into_iter().flat_map(|name| [(name, "userd"), (name, id.as_str())]) {
            // Even a service that takes the receiver's own audience looks at the type.
            let Some(mut verifier) = Script::start(name, &[&jwks, &issuer, audience]) else { return };
            let answer = verifier.ask(&tokens[0]).await;
            assert!(answer["refused"].is_string(), "{name}, {audience}: {answer}");
        }
        assert!(!replica.log().contains("the receiver's own"), "the receiver's secret is in the log");
    }
}
