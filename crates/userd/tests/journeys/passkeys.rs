//! Passkeys over the whole program, with an authenticator of another maker (python-fido2): set up, signed in by, lost.

use serde_json::{Value, json};

use crate::support::{Engine, PASSWORD, TestApp, Tokens, script::Script, unique_email};

/// Where a browser has to look at a service on this machine: there are no passkeys at addresses.
const ORIGIN: &str = "http://localhost:8080";

async fn create(authenticator: &mut Script, begun: &Value) -> Value {
    authenticator.ask(&json!({ "create": begun["options"] }).to_string()).await
}

async fn get(authenticator: &mut Script, begun: &Value) -> Value {
    authenticator.ask(&json!({ "get": begun["options"] }).to_string()).await
}

on_each_engine! {
    /// Set up → sign in without a name → sign in by password and passkey → the device is lost → a recovery code → a new one.
    /// AC-141: on the way the authenticator does not verify who is there.
    async fn a_passkey_is_set_up_signs_in_is_lost_and_replaced(app: TestApp) {
        let Some(mut laptop) = Script::start("authenticator.py", &[ORIGIN]) else { return };
        let replica = app.open().await;
        let visitor = replica.visitor();
        let email = unique_email();
        let ann = visitor.with(&visitor.register(&email, PASSWORD).await);

        let begun = ann.post("/v1/me/factors/passkeys/begin", json!({ "name": "laptop" })).await.expect(200);
        let made = create(&mut laptop, &begun).await;
        let body = json!({ "challenge": begun["challenge"], "credential": made });
        let added = ann.post("/v1/me/factors/passkeys/finish", body).await.expect(201);
        let code = added["recovery_codes"][0].clone();

        let begun = visitor.post("/v1/auth/passkey/begin", json!({})).await.expect(200);
        let body = json!({ "challenge": begun["challenge"], "credential": get(&mut laptop, &begun).await });
        let signed_in = visitor.post("/v1/auth/passkey/finish", body.clone()).await.expect(200);
        assert_eq!(signed_in["user"]["email"], json!(email));
        visitor.post("/v1/auth/passkey/finish", body).await.refused(410, "challenge_gone");
        // What was set up by a password alone needs the passkey now; this session has shown it.
        ann.post("/v1/me/factors/passkeys/begin", json!({})).await.refused(403, "insufficient_user_authentication");
        let strong = visitor.with(&Tokens::of(&signed_in));
        strong.post("/v1/me/factors/passkeys/begin", json!({})).await.expect(200);

        laptop.ask(&json!({ "verify": false }).to_string()).await;
        let begun = visitor.post("/v1/auth/passkey/begin", json!({})).await.expect(200);
        let body = json!({ "challenge": begun["challenge"], "credential": get(&mut laptop, &begun).await });
        visitor.post("/v1/auth/passkey/finish", body).await.refused(422, "invalid_passkey");
        laptop.ask(&json!({ "verify": true }).to_string()).await;

        let login = json!({ "login": email, "password": PASSWORD });
        let first = visitor.post("/v1/auth/login", login.clone()).await.expect(202);
        assert_eq!(first["methods"], json!(["passkey", "recovery_code"]));
        let ask = json!({ "challenge": first["challenge"] });
        let begun = visitor.post("/v1/auth/passkey/begin", ask).await.expect(200);
        let credential = get(&mut laptop, &begun).await;
        let body = json!({ "challenge": first["challenge"], "method": "passkey", "credential": credential });
        visitor.post("/v1/auth/second-factor", body).await.expect(200);

        laptop.ask(&json!({ "lose": true }).to_string()).await;
        let first = visitor.post("/v1/auth/login", login).await.expect(202);
        let body = json!({ "challenge": first["challenge"], "method": "recovery_code", "code": code });
        let by_paper = Tokens::of(&visitor.post("/v1/auth/second-factor", body).await.expect(200));
        let me = visitor.with(&by_paper);
        let begun = me.post("/v1/me/factors/passkeys/begin", json!({ "name": "new laptop" })).await.expect(200);
        let body = json!({ "challenge": begun["challenge"], "credential": create(&mut laptop, &begun).await });
        let new = me.post("/v1/me/factors/passkeys/finish", body).await.expect(201);
        assert_eq!(new["recovery_codes"], json!(null), "the codes of before go on");
        let lost = format!("/v1/me/factors/{}", added["id"].as_str().unwrap());
        crate::support::caller::send(me.request(reqwest::Method::DELETE, &lost)).await.unwrap().expect(204);
        let listed = me.get("/v1/me/factors").await.expect(200);
        assert_eq!((listed["items"].as_array().unwrap().len(), &listed["recovery_codes_left"]), (1, &json!(9)));
        assert_eq!(listed["accepted_passkeys"]["allAcceptedCredentialIds"], json!([new["credential_id"]]));
        let begun = visitor.post("/v1/auth/passkey/begin", json!({})).await.expect(200);
        let body = json!({ "challenge": begun["challenge"], "credential": get(&mut laptop, &begun).await });
        visitor.post("/v1/auth/passkey/finish", body).await.expect(200);
    }
}

/// The configuration says whom they belong to; what could never work is refused before the start.
#[tokio::test]
async fn what_passkeys_can_never_work_with_is_refused_at_the_start() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let refused = |app: TestApp| async move {
        let output = app.run(&["config", "check"]).await;
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, words) = refused(app.with("passkeys.rp_id", "example.org")).await;
    assert!(code == Some(2) && words.contains("passkeys.rp_id"), "{code:?} {words}");
    let elsewhere = app.with("passkeys.rp_id", "example.org").with("passkeys.origins", "https://example.com");
    let (code, words) = refused(elsewhere).await;
    assert!(code == Some(2) && words.contains("passkeys.origins"), "{code:?} {words}");
    let (code, words) = refused(app.with("passkeys.android_apps", "android:nonsense")).await;
    assert!(code == Some(2) && words.contains("passkeys.android_apps"), "{code:?} {words}");
    let off = app.with("passkeys.enabled", "false").open().await;
    off.visitor().post("/v1/auth/passkey/begin", json!({})).await.refused(404, "not_found");
}
