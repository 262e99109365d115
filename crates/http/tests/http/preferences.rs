//! Notification preferences over HTTP: the shape of the contract, entity tags, and what is wrong with which member.

use serde_json::{Value, json};
use userd_services::testing::TestOptions;
use userd_web::testing::*;

use crate::app::*;

const PATH: &str = "/v1/me/notification-preferences";

#[tokio::test]
async fn preferences_are_read_replaced_and_sent_back_as_read() {
    let router = app_over(test_services(TestOptions::default()).await);
    let ada = json!({ "username": "ada-of-preferences", "password": "plum-Orchestra-19" }).to_string();
    let registered = post_json(&router, "/v1/auth/register", ada).await.json();
    let bearer = format!("Bearer {}", registered["tokens"]["access_token"].as_str().unwrap());
    let put = async |body: &Value, if_match: Option<&str>| {
        let mut headers = vec![("content-type", "application/json"), ("authorization", bearer.as_str())];
        headers.extend(if_match.map(|tag| ("if-match", tag)));
        ask(&router, request("PUT", PATH, &headers, body.to_string())).await
    };
    let read = get(&router, PATH, &[("authorization", &bearer)]).await;
    let on = json!({ "inbox": true, "email": true, "telegram": true });
    let nothing_chosen = json!({
        "categories": { "account": on, "administration": on, "message": on, "security": on },
        "quiet_hours": null,
        "version": 0
    });
    assert_eq!((read.header("etag"), read.json()), ("\"0\"", nothing_chosen.clone()));

    let mut chosen = nothing_chosen;
    chosen["categories"]["orders.shipped"] = json!({ "inbox": true, "email": false, "telegram": false });
    chosen["quiet_hours"] = json!({ "from": "22:00", "to": "08:00" });
    let changed = put(&chosen, Some("\"0\"")).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    chosen["version"] = json!(1);
    assert_eq!((changed.header("etag"), changed.json()), ("\"1\"", chosen.clone()));
    assert_eq!(put(&chosen, Some("\"0\"")).await.slug(), "version_mismatch");
    let mut late = chosen.clone();
    late["version"] = json!(0);
    assert_eq!(put(&late, None).await.slug(), "version_mismatch", "the version in the body counts too");

    let muted = json!({ "categories": { "security": { "inbox": true, "email": false, "telegram": false } } });
    let refused = put(&muted, None).await;
    assert_eq!((refused.status.as_u16(), refused.slug().as_str()), (422, "invalid_input"));
    assert_eq!(refused.json()["errors"][0]["pointer"], "/categories/security/email");
    let same = json!({ "categories": {}, "quiet_hours": { "from": "22:00", "to": "22:00" } });
    assert_eq!(put(&same, None).await.json()["errors"][0]["pointer"], "/quiet_hours/to");
    for (body, slug) in [
        (json!({}), "missing_field"),
        (json!({ "categories": { "message": { "inbox": true, "email": true } } }), "missing_field"),
        (json!({ "categories": { "message": { "inbox": 1, "email": true, "telegram": true } } }), "wrong_type"),
        (
            json!({ "categories": {}, "quiet_hours": { "from": "22:00", "to": "08:00", "zone": "UTC" } }),
            "unknown_field",
        ),
    ] {
        let answer = put(&body, None).await;
        assert_eq!((answer.status.as_u16(), answer.slug().as_str()), (400, slug), "{body}");
    }
    assert_eq!(
        get(&router, PATH, &[("authorization", &bearer)]).await.json(),
        chosen,
        "a refused change changes nothing"
    );
    let cleared = put(&json!({ "categories": {} }), Some("*")).await.json();
    assert_eq!((&cleared["version"], &cleared["quiet_hours"]), (&json!(2), &Value::Null));
}
