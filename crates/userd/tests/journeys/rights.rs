//! The story that userd is for: somebody asks for a right, an administrator decides, and every service knows within a second.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::support::{Engine, PASSWORD, TestApp, Tokens, caller::send, unique, unique_email, until};

on_each_engine! {
    /// Sign up, change the profile, read a notification, ask for a role; an administrator approves; the old token is still
    /// refused where the role is needed, the refreshed one passes; after the role is taken every token is refused within a
    /// second. (12)
    async fn a_right_is_asked_for_given_used_and_taken(app: TestApp) {
        let replica = app.open().await;
        let visitor = replica.visitor();
        let admin = replica.admin(&app).await;
        let body = json!({ "email": unique_email(), "username": unique("ann"), "password": PASSWORD });
        let registered = visitor.post("/v1/auth/register", body).await.expect(201);
        let ann = Tokens::of(&registered["tokens"]);
        let id = registered["user"]["id"].as_str().unwrap().to_owned();
        let me = visitor.with(&ann);
        send(me.request(Method::PATCH, "/v1/me").json(&json!({ "display_name": "Anna" }))).await.unwrap().expect(200);

        // The administrator says what can be asked for.
        let permission = json!({ "name": "cms.articles.write", "description": "Write articles" });
        admin.post("/v1/permissions", permission).await.expect(201);
        let role = json!({ "name": "editor", "permissions": ["cms.articles.write", "users.read"], "requestable": true,
            "max_duration_seconds": 86_400, "reason_prompt": "What do you write?" });
        admin.post("/v1/roles", role).await.expect(201);
        let catalogue = me.get("/v1/me/access-requests/catalogue").await.expect(200);
        assert_eq!(catalogue["items"][0]["name"], "editor");

        let ask = json!({ "kind": "role", "name": "editor", "action": "grant", "reason": "I write the news" });
        let asked = me.post("/v1/me/access-requests", ask.clone()).await.expect(201);
        assert_eq!((&asked["state"], &asked["requester"]), (&json!("open"), &json!(id)));
        me.post("/v1/me/access-requests", ask).await.refused(409, "request_open");
        let path = format!("/v1/access-requests/{}", asked["id"].as_str().unwrap());
        me.post(&format!("{path}/approve"), json!({})).await.refused(403, "own_request");
        let waiting = admin.get("/v1/access-requests").await.expect(200);
        assert_eq!(waiting["items"][0]["id"], asked["id"]);
        until("the administrator is told", Duration::from_secs(10), async || {
            let inbox = admin.get("/v1/me/notifications").await.expect(200);
            inbox["items"].as_array().unwrap().iter().any(|item| item["title"].as_str().unwrap().starts_with("Anna"))
        })
        .await;
        let done = admin.post(&format!("{path}/approve"), json!({ "comment": "welcome" })).await.expect(200);
        assert_eq!(done["state"], "approved");

        // The token of before goes on without the role; the next one has it, and no longer than the grant.
        me.get("/v1/users").await.refused(403, "forbidden");
        let check = json!({ "subject": id, "permission": "cms.articles.write" });
        assert_eq!(admin.post("/v1/permissions/check", check.clone()).await.expect(200)["allowed"], true);
        let next = Tokens::of(&visitor.refresh(&ann.refresh).await.expect(200));
        let me = visitor.with(&next);
        me.get("/v1/users").await.expect(200);
        let grants = me.get("/v1/me/grants").await.expect(200);
        assert_eq!(grants["items"][0]["role"], "editor");
        assert_eq!((&grants["items"][0]["source"], &grants["items"][0]["reason"]), (&json!("request"), &json!("I write the news")));
        until("the requester is told", Duration::from_secs(10), async || {
            let inbox = me.get("/v1/me/notifications").await.expect(200);
            inbox["items"].as_array().unwrap().iter().any(|item| item["title"].as_str().unwrap().contains("approved"))
        })
        .await;

        // At the command line, by another process: refused within a second.
        app.ask(&["roles", "revoke", &id, "editor"]).await;
        until("the token is refused", Duration::from_secs(1), async || !me.is_let_in().await).await;
        assert_eq!(admin.post("/v1/permissions/check", check).await.expect(200)["reason"], "not_granted");
        let last = visitor.with(&Tokens::of(&visitor.refresh(&next.refresh).await.expect(200)));
        last.get("/v1/users").await.refused(403, "forbidden");
        assert_eq!(last.get("/v1/me/grants").await.expect(200)["items"], json!([]));
    }
}
