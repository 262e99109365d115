//! Webhooks as another service manages them.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use userd_services::testing::TestOptions;
use userd_stand_ins::{
    Options,
    webhook_receiver::{self, Verdict},
};
use userd_web::testing::*;

use crate::app::*;

#[tokio::test]
async fn a_webhook_is_managed_and_its_signature_is_right() {
    let services = test_services(TestOptions::default()).await;
    let app = app_over(Arc::clone(&services));
    let manager = format!("Bearer {}", access_token_with(&services, "webhooks.manage").await);
    let reader = format!("Bearer {}", access_token_with(&services, "webhooks.read").await);
    let send = async |method: &str, path: &str, more: &[(&str, &str)], body: Value| {
        let headers = [&[("authorization", manager.as_str()), ("content-type", "application/json")], more].concat();
        ask(&app, request(method, path, &headers, body.to_string())).await
    };
    let show = async |path: &str| get(&app, path, &[("authorization", reader.as_str())]).await;
    let receiver = webhook_receiver::start(Options::default()).await.unwrap();
    let asked = json!({ "url": receiver.url(), "events": ["user.*"], "description": "The shop" });

    let once = [("idempotency-key", "one")];
    let made = send("POST", "/v1/webhooks", &once, asked.clone()).await;
    assert_eq!((made.status, made.header("etag")), (StatusCode::CREATED, "\"1\""));
    let made = made.json();
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert!(secret.starts_with("whsec_"));
    assert_eq!(send("POST", "/v1/webhooks", &once, asked).await.json(), made, "a repeat");
    let path = &format!("/v1/webhooks/{id}");
    let one = show(path).await;
    assert_eq!(one.header("etag"), "\"1\"");
    assert_eq!(one.json()["description"], "The shop");
    let list = show("/v1/webhooks").await;
    assert_eq!(list.json()["items"], json!([one.json()]));
    assert!(!list.text().contains("whsec_") && !one.text().contains("whsec_"), "never shown again");

    let changed = send("PATCH", path, &[("if-match", "\"1\"")], json!({ "events": ["*"], "description": null })).await;
    assert_eq!((changed.status, changed.header("etag")), (StatusCode::OK, "\"2\""));
    assert_eq!((&changed.json()["events"], &changed.json()["description"]), (&json!(["*"]), &Value::Null));
    let stale = send("PATCH", path, &[("if-match", "\"1\"")], json!({ "enabled": false })).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);

    // Signatures are made with the services' clock, which stands still.
    receiver.turn(|knobs| secret.clone_into(&mut knobs.secret));
    let test = send("POST", &format!("{path}/test"), &[], json!({})).await;
    assert_eq!(test.json(), json!({ "delivered": true, "outcome": "taken", "detail": null }));
    let judged = receiver.received().pop().unwrap().verdict;
    assert_eq!(judged, Verdict::Stale, "genuine, but of another time");

    let resend = async |body: Value| send("POST", &format!("{path}/resend"), &[], body).await;
    let resent = resend(json!({ "from": "2026-01-01T00:00:00Z" })).await;
    assert_eq!((resent.status, resent.json()), (StatusCode::ACCEPTED, json!({ "scheduled": 0, "next_cursor": null })));
    for (body, status) in [
        (json!({ "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z" }), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({ "from": "2026-01-01T00:00:00Z", "cursor": "x" }), StatusCode::BAD_REQUEST),
        (json!({ "from": "yesterday" }), StatusCode::BAD_REQUEST),
        (json!({}), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(resend(body.clone()).await.status, status, "{body}");
    }

    let once = [("idempotency-key", "two")];
    let rotated = send("POST", &format!("{path}/rotate-secret"), &once, json!({})).await.json();
    assert_eq!(send("POST", &format!("{path}/rotate-secret"), &once, json!({})).await.json(), rotated, "a repeat");
    let other = send("POST", &format!("{path}/rotate-secret"), &once, json!({ "signature": "v1a" })).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "another body");
    assert!(rotated["secret"] != made["secret"] && rotated["previous_secret_until"].is_string());
    let by_key = send("POST", &format!("{path}/rotate-secret"), &[], json!({ "signature": "v1a" })).await.json();
    assert_eq!((&by_key["signature"], &by_key["secret"]), (&json!("v1a"), &Value::Null));
    assert_eq!(show(path).await.json()["public_key"], by_key["public_key"], "whoever may read it is told");
    assert!(by_key["public_key"].as_str().unwrap().starts_with("whpk_"));
    assert_eq!(send("DELETE", path, &[], json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(show(path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_wrong_with_a_webhook_is_told_field_by_field() {
    let services = test_services(TestOptions::default()).await;
    let app = app_over(Arc::clone(&services));
    let token = format!("Bearer {}", access_token_with(&services, "webhooks.manage").await);
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    for (body, status, pointers) in [
        (json!({ "url": "shop", "events": ["user.*", "no.such"] }), 422, vec!["/url", "/events/1"]),
        (json!({ "url": "https://a:b@shop.example/", "events": ["*"] }), 422, vec!["/url"]),
        (json!({ "url": "https://shop.example/", "events": [] }), 422, vec!["/events"]),
        (json!({ "url": "https://shop.example/", "events": ["*"], "signature": "none" }), 422, vec!["/signature"]),
        (json!({ "url": "https://shop.example/", "events": ["*"], "secret": "whsec_" }), 400, vec!["/secret"]),
    ] {
        let answer = ask(&app, request("POST", "/v1/webhooks", &headers, body.to_string())).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.text());
        let answer = answer.json();
        let told: Vec<_> =
            answer["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!(told, pointers, "{body}");
    }
}
