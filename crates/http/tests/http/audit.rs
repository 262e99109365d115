//! The audit log as an auditor asks for it.

use std::sync::Arc;

use serde_json::json;
use userd_services::testing::TestOptions;
use userd_web::testing::*;

use crate::app::*;

#[tokio::test]
async fn an_auditor_pages_through_entries_filters_them_and_takes_a_proof_along() {
    let services = test_services(TestOptions::default()).await;
    let app = app_over(Arc::clone(&services));
    let mut users = Vec::new();
    for name in ["ada", "grace"] {
        let body = json!({ "username": name, "password": "correct horse battery staple" });
        let made = post_json(&app, "/v1/auth/register", body.to_string()).await.json();
        users.push(made["user"]["id"].as_str().unwrap().to_owned());
    }
    let token = format!("Bearer {}", access_token_with(&services, "audit.read").await);
    services.event_log.tick().await.unwrap();
    let headers = [("authorization", token.as_str())];
    let ask = async |path: &str| get(&app, path, &headers).await.json();
    let (mut acts, mut after) = (Vec::new(), String::new());
    loop {
        let page = ask(&format!("/v1/audit-events?subject={}&limit=1{after}", users[0])).await;
        acts.extend(page["items"].as_array().unwrap().iter().map(|item| item["act"].clone()));
        assert_eq!(page["next_cursor"], page["next"], "the newest first, both end together");
        let Some(next) = page["next_cursor"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(acts, ["session.started", "user.registered"]);
    // A full page with nothing behind it is the last; `cursor`, as lists have it, is `after`.
    let whole = ask(&format!("/v1/audit-events?subject={}&limit=2", users[0])).await;
    assert_eq!((whole["items"].as_array().unwrap().len(), &whole["next_cursor"]), (2, &json!(null)));
    let first = ask(&format!("/v1/audit-events?subject={}&limit=1", users[0])).await;
    let second =
        format!("/v1/audit-events?subject={}&limit=1&cursor={}", users[0], first["next_cursor"].as_str().unwrap());
    assert_eq!(ask(&second).await["items"][0]["act"], "user.registered");
    let of_user = ask(&format!("/v1/users/{}/audit-events", users[1])).await;
    assert_eq!(of_user["items"].as_array().unwrap().len(), 2);
    let oldest = ask("/v1/audit-events?order=oldest").await;
    assert_eq!(oldest["items"][0]["position"], 0);
    let after = format!("/v1/audit-events?order=oldest&after={}", oldest["next"].as_str().unwrap());
    assert_eq!(oldest["next_cursor"], json!(null), "there is no more now");
    let nothing = json!({ "items": [], "next": oldest["next"], "next_cursor": null });
    assert_eq!(ask(&after).await, nothing, "whoever follows goes on from there");
    let part = ask("/v1/audit-events?order=oldest&limit=1").await;
    assert_eq!((part["next_cursor"].is_string(), &part["next_cursor"]), (true, &part["next"]));

    let id = oldest["items"][1]["id"].as_str().unwrap();
    let proof = get(&app, &format!("/v1/audit-events/{id}/proof"), &headers).await;
    assert_eq!(proof.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(proof.header("content-disposition"), format!("attachment; filename=\"{id}.tlog-proof\""));
    let found = ask("/v1/audit-events/verify?since=1&newest=3").await;
    assert_eq!((&found["intact"], &found["fault"], &found["size"]), (&json!(true), &json!(null), &json!(5)));
    assert_eq!(found["consistency"]["from"], 1);

    for (path, status, word) in [
        ("/v1/audit-events?after=bm9ib2R5", 400, "invalid_cursor"),
        ("/v1/audit-events?order=sideways", 400, "invalid_parameter"),
        ("/v1/audit-events?act=user.blocked&page=2", 400, "invalid_parameter"),
        ("/v1/audit-events/verify?since=6", 422, "invalid_input"),
        ("/v1/audit-events/6f9619ff-8b86-4011-b42d-00c04fc964ff/proof", 404, "not_found"),
    ] {
        let answer = get(&app, path, &headers).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["type"].clone()),
            (status, format!("/problems/{word}").into())
        );
    }
    let other = format!("Bearer {}", access_token_with(&services, "events.read").await);
    assert_eq!(get(&app, "/v1/audit-events", &[("authorization", &other)]).await.status.as_u16(), 403);
}
