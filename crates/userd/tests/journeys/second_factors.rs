//! An authenticator app over the whole program: set up, signed in by, lost, stood for by a recovery code, replaced.

use std::time::SystemTime;

use reqwest::Method;
use serde_json::{Value, json};
use userd_crypto::{TotpSecret, Zeroizing};
use userd_model::Timestamp;

use crate::support::{Caller, Engine, PASSWORD, TestApp, Tokens, caller::send, unique_email};

/// What an app shows that has read this secret, so many steps of thirty seconds from now.
#[expect(clippy::disallowed_methods, reason = "an app shows codes by the clock of its phone")]
fn code(begun: &Value, steps: i64) -> String {
    let value = |c| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).unwrap();
    let bits: String = begun["secret"].as_str().unwrap().chars().map(|c| format!("{:05b}", value(c))).collect();
    let bytes = bits.as_bytes().chunks_exact(8);
    let bytes = bytes.map(|eight| u8::from_str_radix(std::str::from_utf8(eight).unwrap(), 2).unwrap()).collect();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let at = Timestamp::from_seconds(i64::try_from(now).unwrap() + 30 * steps);
    TotpSecret::from_bytes(Zeroizing::new(bytes)).code(at)
}

/// The secret, and the answer to its first code.
async fn set_up(me: &Caller, name: &str) -> (Value, Value) {
    let begun = me.post("/v1/me/factors/totp", json!({ "name": name })).await.expect(201);
    let confirm = format!("/v1/me/factors/totp/{}/confirm", begun["id"].as_str().unwrap());
    let confirmed = me.post(&confirm, json!({ "code": code(&begun, 0) })).await.expect(200);
    (begun, confirmed)
}

async fn first_step(visitor: &Caller, email: &str) -> Value {
    let asked = visitor.post("/v1/auth/login", json!({ "login": email, "password": PASSWORD })).await.expect(202);
    assert_eq!(
        (&asked["status"], &asked["methods"]),
        (&json!("second_factor_required"), &json!(["totp", "recovery_code"]))
    );
    asked
}

fn shown(step: &Value, method: &str, code: &str) -> Value {
    json!({ "challenge": step["challenge"], "method": method, "code": code })
}

on_each_engine! {
    /// Set up → sign in by password and code → the phone is lost → a recovery code → another phone in its place.
    async fn an_authenticator_app_is_set_up_signs_in_is_lost_and_replaced(app: TestApp) {
        let replica = app.open().await;
        let visitor = replica.visitor();
        let email = unique_email();
        let weak = visitor.with(&visitor.register(&email, PASSWORD).await);
        let (lost, answer) = set_up(&weak, "phone").await;
        let codes = answer["recovery_codes"].as_array().unwrap().clone();
        assert_eq!(codes.len(), 10);
        // What a password alone began needs the code from now on.
        weak.post("/v1/me/factors/totp", json!({})).await.refused(403, "insufficient_user_authentication");

        let step = first_step(&visitor, &email).await;
        let next = code(&lost, 1);
        visitor.post("/v1/auth/second-factor", shown(&step, "totp", "00000x")).await.refused(422, "invalid_code");
        let by_phone = visitor.post("/v1/auth/second-factor", shown(&step, "totp", &next)).await.expect(200);
        visitor.with(&Tokens::of(&by_phone)).get("/v1/me").await.expect(200);
        let again = first_step(&visitor, &email).await;
        visitor.post("/v1/auth/second-factor", shown(&again, "totp", &next)).await.refused(422, "invalid_code");

        // Lost: a code from paper lets in, once, and takes the phone away.
        let paper = codes[0].as_str().unwrap();
        let by_paper = visitor.post("/v1/auth/second-factor", shown(&again, "recovery_code", paper)).await.expect(200);
        let me = visitor.with(&Tokens::of(&by_paper));
        let step = first_step(&visitor, &email).await;
        visitor.post("/v1/auth/second-factor", shown(&step, "recovery_code", paper)).await.refused(422, "invalid_code");
        let (found, answer) = set_up(&me, "new phone").await;
        assert_eq!(answer["recovery_codes"], json!(null), "the codes of before go on");
        let gone = format!("/v1/me/factors/{}", lost["id"].as_str().unwrap());
        send(me.request(Method::DELETE, &gone)).await.unwrap().expect(204);
        let held = me.get("/v1/me/factors").await.expect(200);
        let names: Vec<_> = held["items"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
        assert_eq!((names, &held["recovery_codes_left"]), (vec![&json!("new phone")], &json!(9)));
        let step = first_step(&visitor, &email).await;
        visitor.post("/v1/auth/second-factor", shown(&step, "totp", &code(&found, 1))).await.expect(200);
    }
}
