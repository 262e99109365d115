//! Roles and requests for them over HTTP: what clients may send back.

use std::sync::Arc;

use serde_json::{Value, json};
use userd_services::{RequestOrigin, testing::TestOptions};
use userd_web::testing::*;

use crate::app::*;

/// What `GET` says of a role is taken by `PUT`, changed or not: what only userd says of it stays as it is, and the version
/// guards as `If-Match` does.
#[tokio::test]
async fn a_role_that_was_read_can_be_changed_and_sent_back() {
    let services = test_services(TestOptions::default()).await;
    let app = app_over(Arc::clone(&services));
    let permissions = ["roles.read", "roles.manage"].map(str::to_owned);
    let made = services.clients.create(&services.operator_context(), "roles", &permissions, None).await.unwrap();
    let (id, secret) = (made.client.id.to_string(), &made.client_secret);
    let client = services.clients.authenticate(&id, secret, &RequestOrigin::default()).await.unwrap();
    let bearer = format!("Bearer {}", services.clients.token(&client, None).unwrap().access_token);
    let send = async |method: &str, path: &str, body: &Value| {
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        ask(&app, request(method, path, &headers, body.to_string())).await
    };
    let role =
        json!({ "name": "editor", "requestable": true, "notify": { "random": 2 }, "max_duration_seconds": 3600 });
    assert_eq!(send("POST", "/v1/roles", &role).await.status, 201);
    let read = get(&app, "/v1/roles/editor", &[("authorization", &bearer)]).await.json();

    let mut wanted = read.clone();
    wanted["description"] = json!("Writes");
    wanted["managed"] = json!(true);
    wanted["built_in"] = json!(true);
    let changed = send("PUT", "/v1/roles/editor", &wanted).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let mut expected = read.clone();
    expected["description"] = json!("Writes");
    expected["version"] = json!(read["version"].as_i64().unwrap() + 1);
    assert_eq!(changed.json(), expected);

    let stale = send("PUT", "/v1/roles/editor", &wanted).await;
    assert_eq!((stale.status.as_u16(), stale.slug().as_str()), (412, "version_mismatch"));
    let copied = send("POST", "/v1/roles", &json!({ "name": "copy", "managed": true, "version": 7 })).await.json();
    assert_eq!((&copied["managed"], &copied["version"]), (&json!(false), &json!(1)));
}

/// One form may serve both answers to a request: an end of the grant is taken, and means nothing, where it is declined.
#[tokio::test]
async fn whoever_declines_may_send_the_end_of_a_grant_too() {
    let app = app_over(test_services(TestOptions::default()).await);
    let ada = json!({ "username": "ada-who-decides", "password": "plum-Orchestra-19" }).to_string();
    let ada = post_json(&app, "/v1/auth/register", ada).await.json();
    let bearer = format!("Bearer {}", ada["tokens"]["access_token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    for decision in ["approve", "decline"] {
        let path = format!("/v1/access-requests/6f9619ff-8b86-4011-b42d-00c04fc964ff/{decision}");
        let body = json!({ "comment": "not now", "expires_at": "2027-01-31T00:00:00Z" }).to_string();
        let answer = ask(&app, request("POST", &path, &headers, body)).await;
        assert_eq!((answer.status.as_u16(), answer.slug().as_str()), (404, "not_found"), "{decision}");
    }
}
