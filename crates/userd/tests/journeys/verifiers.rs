//! Other makers' libraries hold our tokens and our OAuth endpoints against their own reading of the standards.

use serde_json::{Value, json};

use crate::support::{
    Engine, Replica, TestApp, Tokens,
    script::{self, Script},
    unique_email,
};

const VERIFIERS: [&str; 3] = ["verify_pyjwt.py", "verify_joserfc.py", "verify_jose.mjs"];

/// A service account with these permissions, made at the command line.
async fn service(app: &TestApp, permissions: &[&str]) -> (String, String) {
    let mut arguments = vec!["clients", "create", "billing"];
    permissions.iter().for_each(|permission| arguments.extend(["--permission", permission]));
    let made = app.ask(&arguments).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["client"]["id"]), text(&made["client_secret"]))
}

async fn verify_everywhere(app: &TestApp, algorithm: &str) {
    let app = app.at_its_address().with("tokens.algorithm", algorithm);
    let replica = app.open().await;
    let issuer = app.get("http.public_url");
    let jwks = format!("{}/.well-known/jwks.json", replica.url);
    let (_, before) = replica.member().await;
    let mut verifiers = Vec::new();
    for name in VERIFIERS {
        let Some(verifier) = Script::start(name, &[&jwks, issuer, "userd"]) else { return };
        verifiers.push((name, verifier));
    }
    for (name, verifier) in &mut verifiers {
        let claims = verifier.ask(&before.access).await;
        assert_eq!(claims["sub"], before.user_id(), "{name}, {algorithm}: {claims}");
        assert_eq!(claims["sid"], before.session.as_str(), "{name}: {claims}");
        // The verifiers can refuse.
        let (head, signature) = before.access.rsplit_once('.').unwrap();
        let flipped = if signature.starts_with('A') { "B" } else { "A" };
        let forged = verifier.ask(&format!("{head}.{flipped}{}", &signature[1..])).await;
        assert!(forged["refused"].is_string(), "{name}: {forged}");
    }
    // Right after a rotation, the same verifiers, which have the old key set in memory: the new key was in it already.
    let admin = replica.admin(&app).await;
    admin.poke("/v1/signing-keys/rotate").await.expect(200);
    let (_, after) = replica.member().await;
    for (name, verifier) in &mut verifiers {
        for tokens in [&before, &after] {
            let claims = verifier.ask(&tokens.access).await;
            assert_eq!(claims["sub"], tokens.user_id(), "{name}, {algorithm}, rotated: {claims}");
        }
    }
    // One that starts now, with another audience, refuses.
    let mut strict = Script::start(VERIFIERS[0], &[&jwks, issuer, "somebody-else"]).unwrap();
    assert!(strict.ask(&after.access).await["refused"].is_string());
}

/// Whether the offline verifier takes a token.
async fn offline(verifier: &mut Script, tokens: &Tokens) -> bool {
    let answer = verifier.ask(&tokens.access).await;
    answer["good"] == true
}

async fn new_member(replica: &Replica) -> Tokens {
    replica.member().await.1
}

on_each_engine! {
    async fn tokens_verify_with_other_makers_libraries_from_the_key_set_alone(app: TestApp) {
        for algorithm in ["EdDSA", "ES256", "RS256"] {
            verify_everywhere(&app, algorithm).await;
        }
    }

    async fn an_offline_verifier_hears_of_every_revocation(app: TestApp) {
        let app = app.at_its_address();
        let replica = app.open().await;
        let visitor = replica.visitor();
        let admin = replica.admin(&app).await;
        let (id, secret) = service(&app, &["revocations.read"]).await;
        let issuer = app.get("http.public_url");
        let arguments = [issuer, issuer, "userd", id.as_str(), secret.as_str()];
        let Some(mut verifier) = Script::start("offline_verifier.py", &arguments) else { return };
        let mut of_services = Script::start("offline_verifier.py", &[&arguments[..], &["client"]].concat()).unwrap();

        let (logged_out, signed_out, blocked, revoked, stays) = (
            new_member(&replica).await, new_member(&replica).await, new_member(&replica).await,
            new_member(&replica).await, new_member(&replica).await,
        );
        for tokens in [&logged_out, &signed_out, &blocked, &revoked, &stays] {
            assert!(offline(&mut verifier, tokens).await);
        }
        visitor.with(&logged_out).poke("/v1/auth/logout").await.expect(204);
        admin.poke(&format!("/v1/users/{}/sign-out", signed_out.user_id())).await.expect(204);
        admin.poke(&format!("/v1/users/{}/block", blocked.user_id())).await.expect(200);
        visitor.form("/oauth2/revoke", &[("token", &revoked.access)], None).await.expect(200);
        for (what, tokens) in
            [("logout", &logged_out), ("sign-out", &signed_out), ("block", &blocked), ("revoke", &revoked)]
        {
            assert!(!offline(&mut verifier, tokens).await, "{what} is not in the feed");
        }
        assert!(offline(&mut verifier, &stays).await);
        assert!(!offline(&mut of_services, &stays).await, "a person is no service");
        // A new secret of a service takes what the old one got, and spares its own. (fault 2)
        let (other, old_secret) = service(&app, &[]).await;
        let own = async |secret: &str| {
            let form = [("grant_type", "client_credentials")];
            let answer = visitor.form("/oauth2/token", &form, Some((&other, secret))).await.expect(200);
            answer["access_token"].as_str().unwrap().to_owned()
        };
        let old = own(&old_secret).await;
        assert!(verifier.ask(&old).await["refused"].is_string(), "a service is nobody (fault 1)");
        assert_eq!(of_services.ask(&old).await["good"], true);
        let rotated = admin.poke(&format!("/v1/clients/{other}/rotate-secret")).await.expect(200);
        assert!(of_services.ask(&old).await["refused"].is_string());
        let fresh = own(rotated["client_secret"].as_str().unwrap()).await;
        assert_eq!(of_services.ask(&fresh).await["good"], true);
        // A key that is gone takes its tokens with it.
        let keys = admin.get("/v1/signing-keys").await.expect(200);
        let active = keys["items"].as_array().unwrap().iter().find(|key| key["state"] == "active").unwrap();
        admin.poke(&format!("/v1/signing-keys/{}/revoke", active["kid"].as_str().unwrap())).await.expect(200);
        assert!(!offline(&mut verifier, &stays).await, "the revoked key is not in the feed");
    }

    /// A role that allows less takes the tokens that carry more; one that allows more takes none, and nobody else's. (12.1)
    async fn an_offline_verifier_hears_that_a_role_allows_less(app: TestApp) {
        let app = app.at_its_address();
        let replica = app.open().await;
        let visitor = replica.visitor();
        let admin = replica.admin(&app).await;
        let (id, secret) = service(&app, &["revocations.read"]).await;
        let issuer = app.get("http.public_url");
        let arguments = [issuer, issuer, "userd", id.as_str(), secret.as_str()];
        let Some(mut verifier) = Script::start("offline_verifier.py", &arguments) else { return };
        for word in ["cms.read", "cms.write"] {
            admin.post("/v1/permissions", json!({ "name": word })).await.expect(201);
        }
        for role in ["writer", "clerk"] {
            admin.post("/v1/roles", json!({ "name": role, "permissions": ["cms.read"] })).await.expect(201);
        }
        let of_role = async |role: &str| {
            let tokens = new_member(&replica).await;
            admin.put(&format!("/v1/users/{}/roles/{role}", tokens.user_id()), json!({})).await.expect(200);
            Tokens::of(&visitor.refresh(&tokens.refresh).await.expect(200))
        };
        let (writer, clerk) = (of_role("writer").await, of_role("clerk").await);
        let change = async |words: &[&str]| {
            admin.put("/v1/roles/writer", json!({ "permissions": words })).await.expect(200)
        };
        change(&["cms.read", "cms.write"]).await;
        assert!(offline(&mut verifier, &writer).await, "it allows more");
        change(&["cms.write"]).await;
        assert!(!offline(&mut verifier, &writer).await, "it allows less");
        assert!(offline(&mut verifier, &clerk).await);
        let next = Tokens::of(&visitor.refresh(&writer.refresh).await.expect(200));
        assert!(offline(&mut verifier, &next).await);
    }

    async fn openid_client_and_oauth4webapi_get_along_with_the_server(app: TestApp) {
        let app = app.at_its_address();
        let replica = app.open().await;
        let (id, secret) = service(&app, &["tokens.introspect"]).await;
        let tokens = replica.visitor().register(&unique_email(), crate::support::PASSWORD).await;
        let arguments = [app.get("http.public_url"), &id, &secret, &tokens.access];
        let Some(result) = script::run("oauth.mjs", &arguments).await else { return };
        assert_eq!(result["own"]["token_type"], "bearer");
        assert_eq!(result["own"]["scope"], "tokens.introspect");
        assert_eq!(result["own_active"], true);
        assert_eq!(result["before"]["active"], true);
        assert_eq!(result["before"]["sub"], tokens.user_id());
        assert_eq!(result["after"], json!({ "active": false }));
        assert_eq!(result["second"], true);
        assert_eq!(result["wrong_secret"], 401);
        assert!(!replica.visitor().with(&tokens).is_let_in().await);
    }
}
