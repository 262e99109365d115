//! The event feed as another service asks for it.

use std::sync::Arc;

use serde_json::json;
use userd_services::testing::TestOptions;
use userd_web::testing::*;

use crate::app::*;

#[tokio::test]
async fn an_event_is_a_cloud_event_and_the_cursor_goes_on() {
    let services = test_services(TestOptions::default()).await;
    let app = app_over(Arc::clone(&services));
    let ada = json!({"username": "ada", "password": "correct horse battery staple"});
    let made = post_json(&app, "/v1/auth/register", ada.to_string()).await.json();
    services.event_log.tick().await.unwrap();
    let token = format!("Bearer {}", access_token_with(&services, "events.read").await);
    let headers = [("authorization", token.as_str())];
    let answer = get(&app, "/v1/events?limit=1", &headers).await;
    assert_eq!((answer.status, answer.header("cache-control")), (http::StatusCode::OK, "no-store"));
    let page = answer.json();
    let event = &page["items"][0];
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["type"], "user.registered");
    assert_eq!(event["source"], services.issuer());
    assert_eq!(event["subject"], made["user"]["id"]);
    assert_eq!(event["sequence"], "00000000000000000001");
    assert_eq!(event["datacontenttype"], "application/json");
    assert!(event["id"].is_string() && event["time"].is_string() && event["data"].is_object());
    let next = page["next"].as_str().unwrap();
    let page = get(&app, &format!("/v1/events?after={next}"), &headers).await.json();
    let types: Vec<_> = page["items"].as_array().unwrap().iter().map(|event| event["type"].clone()).collect();
    assert_eq!(types, [json!("session.started")]);
    let after = format!("/v1/events?after={}", page["next"].as_str().unwrap());
    let nothing = get(&app, &after, &headers).await.json();
    assert_eq!((&nothing["items"], &nothing["next"]), (&json!([]), &page["next"]));
    let now = get(&app, "/v1/events?after=now", &headers).await.json();
    assert_eq!((&now["items"], &now["next"]), (&json!([]), &page["next"]));
}

#[tokio::test]
async fn a_cursor_that_nobody_made_and_a_wait_that_is_too_long_are_refused() {
    let services = test_services(TestOptions::default()).await;
    let app = app_over(Arc::clone(&services));
    let token = format!("Bearer {}", access_token_with(&services, "events.read").await);
    let headers = [("authorization", token.as_str())];
    for (query, status, word) in [
        ("after=bm9ib2R5", 400, "invalid_cursor"),
        ("wait=26", 400, "invalid_parameter"),
        ("limit=0", 400, "invalid_parameter"),
        ("before=now", 400, "invalid_parameter"),
    ] {
        let answer = get(&app, &format!("/v1/events?{query}"), &headers).await;
        assert_eq!(answer.status.as_u16(), status, "{query}");
        assert_eq!(answer.json()["type"], format!("/problems/{word}"), "{query}");
    }
    let reader = format!("Bearer {}", access_token_with(&services, "revocations.read").await);
    let answer = get(&app, "/v1/events", &[("authorization", &reader)]).await;
    assert_eq!(answer.status.as_u16(), 403);
}
