//! What a person with curl lives through: from registering to signing out, and the first administrator.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::support::{Engine, PASSWORD, TestApp, Tokens, caller::send, unique, unique_email, until};

const NEW_PASSWORD: &str = "another long pass phrase 8";

on_each_engine! {
    /// AC-087: tokens of before a password change or a block are dead within a second.
    /// AC-088: a refresh token is dead after signing out.
    /// ASVS V7.4.1, V7.4.3
    async fn the_whole_story_of_an_account(app: TestApp) {
        let replica = app.open().await;
        let visitor = replica.visitor();
        let (email, username) = (unique_email(), unique("ann"));

        let body = json!({ "email": email, "username": username, "password": PASSWORD, "display_name": "Ann" });
        let registered = visitor.post("/v1/auth/register", body).await.expect(201);
        let ann = Tokens::of(&registered["tokens"]);
        let phone = visitor.with(&ann);
        let me = phone.get("/v1/me").await;
        assert_eq!(me.header("cache-control"), "no-store");
        assert_eq!((&me.json()["email"], &me.json()["username"]), (&json!(email), &json!(username)));

        // A change with the version that was read; a second one with the same version comes too late.
        let tag = me.header("etag").to_owned();
        let change = |tag: &str, name: &str| {
            phone.request(Method::PATCH, "/v1/me").header("if-match", tag).json(&json!({ "display_name": name }))
        };
        let changed = send(change(&tag, "Anna")).await.unwrap().expect(200);
        assert_eq!(changed["display_name"], "Anna");
        send(change(&tag, "Late")).await.unwrap().refused(412, "version_mismatch");

        let refreshed = Tokens::of(&visitor.refresh(&ann.refresh).await.expect(200));
        assert_ne!(refreshed.refresh, ann.refresh);
        assert_eq!(refreshed.session, ann.session);
        let phone = visitor.with(&refreshed);

        let laptop_tokens = visitor.login(&username, PASSWORD).await;
        let laptop = visitor.with(&laptop_tokens);
        let sessions = phone.get("/v1/me/sessions").await.expect(200);
        let current: Vec<bool> = sessions["items"].as_array().unwrap().iter().map(|s| s["current"] == true).collect();
        assert_eq!(current, [true, false]);

        let change = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
        phone.put("/v1/me/password", change).await.expect(204);
        until("the other session is refused", Duration::from_secs(1), async || !laptop.is_let_in().await).await;
        visitor.refresh(&laptop_tokens.refresh).await.refused(401, "invalid_refresh_token");
        visitor.post("/v1/auth/login", json!({ "login": email, "password": PASSWORD })).await
            .refused(401, "wrong_credentials");

        // The session that changed the password goes on with its refresh token.
        let ann = Tokens::of(&visitor.refresh(&refreshed.refresh).await.expect(200));
        visitor.with(&ann).poke("/v1/auth/logout").await.expect(204);
        assert!(!visitor.with(&ann).is_let_in().await);
        visitor.refresh(&ann.refresh).await.refused(401, "invalid_refresh_token");
        visitor.login(&email, NEW_PASSWORD).await;
    }

    /// ASVS V7.4.2
    async fn an_account_blocked_at_the_command_line_is_refused_within_a_second(app: TestApp) {
        let replica = app.open().await;
        let (member, tokens) = replica.member().await;
        assert!(member.is_let_in().await);
        let email = tokens.user["email"].as_str().unwrap();

        let blocked = app.ask(&["users", "block", email]).await;
        assert_eq!(blocked["status"], "blocked");
        let start = Instant::now();
        until("refused", Duration::from_secs(1), async || !member.is_let_in().await).await;
        println!("blocked by another process, refused after {:?}", start.elapsed());
        member.refresh(&tokens.refresh).await.refused(401, "invalid_refresh_token");
        member.post("/v1/auth/login", json!({ "login": email, "password": PASSWORD })).await.refused(403, "blocked");

        app.ask(&["users", "unblock", email]).await;
        replica.visitor().login(email, PASSWORD).await;
    }

    /// AC-107: the setup link makes one administrator, once; afterwards the way is shut.
    /// ASVS V6.3.2
    async fn the_setup_link_of_the_first_start_works_exactly_once(app: TestApp) {
        let replica = app.open().await;
        let link = replica.stderr().into_iter().find(|line| line.contains("/setup#token=")).unwrap();
        assert!(link.contains(&format!("{}/setup#token=", replica.url)), "{link}");
        assert!(!replica.stdout().iter().any(|line| line.contains("token=")), "the log holds the setup link");
        let token = link.rsplit('=').next().unwrap().to_owned();
        let visitor = replica.visitor();
        let setup = async |token: &str| {
            let body = json!({ "setup_token": token, "email": unique_email(), "password": PASSWORD });
            visitor.post("/v1/setup", body).await
        };

        setup("uds_0000000000000000000000000000000000000000000").await.refused(422, "invalid_code");
        let admin = setup(&token).await.expect(201);
        assert_eq!(admin["user"]["roles"], json!(["admin"]));
        let admin = visitor.with(&Tokens::of(&admin["tokens"]));
        admin.get("/v1/users").await.expect(200);
        setup(&token).await.refused(409, "setup_done");

        // The next start prints no link.
        assert!(replica.stop().await.status.success());
        let again = app.open().await;
        assert!(!again.stderr().iter().any(|line| line.contains("/setup#token=")), "{:?}", again.stderr());
        let body = json!({ "setup_token": token, "email": unique_email(), "password": PASSWORD });
        again.visitor().post("/v1/setup", body).await.refused(409, "setup_done");
    }

    async fn an_administrator_made_at_the_command_line_shuts_the_setup_link(app: TestApp) {
        let replica = app.open().await;
        let link = replica.stderr().into_iter().find(|line| line.contains("/setup#token=")).unwrap();
        let token = link.rsplit('=').next().unwrap();
        let admin = replica.admin(&app).await;
        admin.get("/v1/users").await.expect(200);
        let body = json!({ "setup_token": token, "email": unique_email(), "password": PASSWORD });
        replica.visitor().post("/v1/setup", body).await.refused(409, "setup_done");
    }
}
