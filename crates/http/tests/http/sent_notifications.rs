//! Notifications as another service sends them.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use userd_services::testing::TestOptions;
use userd_web::testing::*;

use crate::app::*;

#[tokio::test]
async fn a_notification_is_sent_once_and_its_copies_are_counted() {
    let services = test_services(TestOptions::default()).await;
    let app = app_over(Arc::clone(&services));
    let token = format!("Bearer {}", access_token_with(&services, "notifications.send").await);
    let send = async |body: Value| {
        let headers =
            [("authorization", token.as_str()), ("content-type", "application/json"), ("idempotency-key", "one")];
        ask(&app, request("POST", "/v1/notifications", &headers, body.to_string())).await
    };
    let body = json!({ "to": { "all": true }, "category": "news", "title": { "ru": "Новое", "en": "New" }, "body": "Look.",
        "data": { "page": 1 }, "channels": ["inbox", "email"], "not_before": services.deps.now() });
    let sent = send(body.clone()).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{}", sent.text());
    let sent = sent.json();
    assert_eq!(sent["recipients"], Value::Null);
    assert_eq!(send(body).await.json(), sent, "a repeat");
    let other = json!({ "to": { "all": true }, "category": "news", "title": "New", "body": "Look." });
    let mismatch = send(other).await.json();
    assert!(mismatch["type"].as_str().unwrap().ends_with("/idempotency_mismatch"), "{mismatch}");
    services.deliveries.tick().await.unwrap();
    let path = format!("/v1/notifications/{}", sent["id"].as_str().unwrap());
    let shown = get(&app, &path, &[("authorization", &token)]).await;
    assert_eq!(shown.status, StatusCode::OK);
    let shown = shown.json();
    let nothing =
        json!({ "pending": 0, "delivered": 0, "muted": 0, "unreachable": 0, "dead": 0, "expired": 0, "dropped": 0 });
    assert_eq!((&shown["status"], &shown["to"], &shown["recipients"]), (&json!("expanded"), &json!("all"), &json!(0)));
    assert_eq!(shown["counts"], json!({ "inbox": nothing, "email": nothing }));
    assert!(!shown.to_string().contains("Look"), "what it says is not shown");
}

#[tokio::test]
async fn what_is_wrong_with_a_notification_is_told_field_by_field() {
    let services = test_services(TestOptions::default()).await;
    let app = app_over(Arc::clone(&services));
    let token = format!("Bearer {}", access_token_with(&services, "notifications.send").await);
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    let whole = json!({ "to": { "all": true }, "category": "news", "title": "New", "body": "Look." });
    for (member, value, status, pointers) in [
        ("to", json!({}), 422, vec!["/to"]),
        ("to", json!({ "all": false }), 422, vec!["/to"]),
        ("to", json!({ "all": true, "role": "admin" }), 422, vec!["/to"]),
        ("to", json!({ "role": "no.such" }), 422, vec!["/to/role"]),
        ("to", json!({ "everybody": true }), 400, vec!["/to/everybody"]),
        ("to", json!({ "user_ids": ["ada"] }), 400, vec!["/to/user_ids/0"]),
        ("title", json!({ "ru": "Новое" }), 400, vec!["/title"]),
        ("title", json!({ "ru": "Новое", "en": "" }), 422, vec!["/title/en"]),
        ("body", json!("x".repeat(16 * 1024)), 422, vec!["/body"]),
        ("category", json!("security"), 422, vec!["/category"]),
        ("channels", json!(["sms"]), 422, vec!["/channels/0"]),
        ("expires_at", json!("2020-01-01T00:00:00Z"), 422, vec!["/expires_at"]),
        ("expires_at", json!("tomorrow"), 400, vec!["/expires_at"]),
        ("action_url", json!("javascript:alert(1)"), 422, vec!["/action_url"]),
        ("data", json!([1]), 400, vec!["/data"]),
    ] {
        let mut body = whole.clone();
        body[member] = value;
        let answer = ask(&app, request("POST", "/v1/notifications", &headers, body.to_string())).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.text());
        let answer = answer.json();
        let told: Vec<_> =
            answer["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!(told, pointers, "{body}");
    }
}

/// A field that may be of several kinds says which, in the words of whoever reads it: a text in one language alone is none.
#[tokio::test]
async fn a_text_that_lacks_a_language_is_told_which_there_must_be() {
    let services = test_services(TestOptions::default()).await;
    let app = app_over(Arc::clone(&services));
    let sent = json!({ "to": { "all": true }, "category": "news", "title": "New", "body": "Look." });
    let role = json!({ "name": "editor" });
    let text =
        ["expected a text, or an object with a text in each language: `ru` and `en`", "на каждом языке: `ru` и `en`"];
    let approval = ["expected true, false, or an object with `roles`", "или объектом с полем `roles`"];
    for (permission, path, whole, member, value, told) in [
        ("notifications.send", "/v1/notifications", &sent, "title", json!({ "en": "New" }), text),
        (
            "notifications.send",
            "/v1/notifications",
            &sent,
            "body",
            json!({ "ru": "Новое", "en": "New", "de": "Neu" }),
            text,
        ),
        ("notifications.send", "/v1/notifications", &sent, "body", json!(7), text),
        ("roles.manage", "/v1/roles", &role, "auto_approve", json!(["staff"]), approval),
    ] {
        let token = format!("Bearer {}", access_token_with(&services, permission).await);
        let mut body = whole.clone();
        body[member] = value;
        for (language, told) in ["en", "ru"].into_iter().zip(told) {
            let headers = [
                ("authorization", token.as_str()),
                ("content-type", "application/json"),
                ("accept-language", language),
            ];
            let answer = ask(&app, request("POST", path, &headers, body.to_string())).await;
            assert_eq!(answer.slug(), "wrong_type", "{body}");
            let detail = answer.json()["errors"][0]["detail"].as_str().unwrap().to_owned();
            assert!(detail.ends_with(told), "{body}: {detail}");
        }
    }
}

/// The texts and `data` may have 16 KiB each, however the sender writes what is in them.
#[tokio::test]
async fn what_is_lawful_fits_into_a_body_with_every_letter_escaped() {
    let services = test_services(TestOptions::default()).await;
    let app = app_over(Arc::clone(&services));
    let token = format!("Bearer {}", access_token_with(&services, "notifications.send").await);
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    let text = r"\u044f".repeat(8 * 1024 - 100);
    let body = format!(
        r#"{{"to":{{"all":true}},"category":"news","title":"New","body":"{text}","data":{{"text":"{text}"}}}}"#
    );
    assert!(body.len() > 64 * 1024);
    let answer = ask(&app, request("POST", "/v1/notifications", &headers, body)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
}

/// Who reads Russian is told in Russian what is wrong with an address and with a type of events.
#[tokio::test]
async fn what_is_wrong_with_addresses_and_events_is_told_in_russian() {
    let services = test_services(TestOptions::default()).await;
    let app = app_over(Arc::clone(&services));
    let sent = json!({ "to": { "all": true }, "category": "news", "title": "New", "body": "Look." });
    let hook = json!({ "url": "https://shop.example/hooks" });
    for (permission, path, whole, member, value) in [
        ("notifications.send", "/v1/notifications", &sent, "action_url", json!("here")),
        ("notifications.send", "/v1/notifications", &sent, "action_url", json!("javascript:alert(1)")),
        ("notifications.send", "/v1/notifications", &sent, "action_url", json!("https://a:b@shop.example")),
        ("webhooks.manage", "/v1/webhooks", &hook, "events", json!([])),
        ("webhooks.manage", "/v1/webhooks", &hook, "events", json!(["users.*"])),
    ] {
        let token = format!("Bearer {}", access_token_with(&services, permission).await);
        let headers =
            [("authorization", token.as_str()), ("content-type", "application/json"), ("accept-language", "ru")];
        let mut body = whole.clone();
        body[member] = value;
        let answer = ask(&app, request("POST", path, &headers, body.to_string())).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", answer.text());
        let detail = answer.json()["errors"][0]["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with(['д', 'н', 'т']), "{body}: {detail}");
    }
}
