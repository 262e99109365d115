//! Every route that takes JSON, given members that it does not have and values of other types than its own.

use http::StatusCode;
use serde_json::{Map, Value, json};
use userd_http::{
    policy::{Access, ROUTES, RouteAccess},
    router::document,
};
use userd_services::testing::TestOptions;
use userd_web::{
    extract::MAX_BODY,
    testing::{Answer, ask, post_json, request},
};

use crate::{
    app::{access_token_with, app_over, test_services},
    personas::{
        callers::{App, Persona},
        requests::{Sent, body_for, path_for},
    },
};

/// What a caller might try to set who knows the columns of the tables, or the objects of JavaScript.
const NOT_THEIRS: &[&str] = &[
    "id",
    "user_id",
    "roles",
    "role",
    "is_admin",
    "status",
    "version",
    "email_verified",
    "security_epoch",
    "data_key",
    "created_at",
    "last_sign_in_at",
    "secret_hash",
    "__proto__",
    "constructor",
];

/// Telegram decides what these hold; it signs the one and says a secret with the other.
const OPEN: &[&str] = &["/v1/auth/telegram/widget", "/v1/telegram/webhook"];

/// The routes with a JSON body, who may call each, and a lawful body.
async fn json_routes(app: &mut App) -> Vec<(&'static RouteAccess, Persona, Map<String, Value>)> {
    let mut routes = Vec::new();
    for route in ROUTES.iter().filter(|route| !OPEN.contains(&route.path)) {
        let persona = if route.access == Access::Public { Persona::Visitor } else { Persona::Admin };
        let hand = app.hand(persona).await;
        if let Sent::Json(Value::Object(body)) = body_for(route, persona, &hand) {
            routes.push((route, persona, body));
        }
    }
    assert!(routes.len() >= 10, "{}", routes.len());
    routes
}

async fn send(app: &mut App, route: &RouteAccess, persona: Persona, body: &Map<String, Value>) -> Answer {
    let hand = app.hand(persona).await;
    let path = path_for(app, route, &hand).await;
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(hand.authorization.as_deref().map(|value| ("authorization", value)));
    app.ask(request(route.method, &path, &headers, Value::Object(body.clone()).to_string())).await
}

/// The members that the document gives the body of a route, with their schemas.
fn documented(document: &Value, route: &RouteAccess) -> Map<String, Value> {
    let operation = &document["paths"][route.path][route.method.to_lowercase()];
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    // A body that may be left out is one of nothing and itself.
    let one = schema["oneOf"].as_array().and_then(|forms| forms.iter().find(|form| form["$ref"].is_string()));
    let schema = one.unwrap_or(schema);
    let schema = match schema["$ref"].as_str() {
        Some(name) => document.pointer(name.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    schema["properties"].as_object().cloned().unwrap_or_default()
}

/// AC-110: members of the tables in every body set nothing: they are refused by name.
/// ASVS V8.2.3, V15.3.3, V15.3.6
#[tokio::test]
async fn members_that_a_body_does_not_have_are_refused() {
    let (mut app, document) = (App::start().await, document().unwrap());
    for (route, persona, lawful) in json_routes(&mut app).await {
        let known = documented(&document, route);
        assert!(lawful.keys().all(|member| known.contains_key(member)), "{route:?} is documented");
        for member in NOT_THEIRS.iter().filter(|member| !known.contains_key(**member)) {
            let mut body = lawful.clone();
            body.insert((*member).to_owned(), json!("admin"));
            let answer = send(&mut app, route, persona, &body).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{route:?} {member}: {}", answer.text());
            assert_eq!(answer.json()["errors"][0]["pointer"], format!("/{member}"), "{route:?}: {}", answer.text());
        }
    }
}

/// ASVS V15.3.5
#[tokio::test]
async fn a_value_of_another_type_is_refused_in_every_member_of_every_body() {
    let (mut app, document) = (App::start().await, document().unwrap());
    let samples = [
        ("string", json!("true")),
        ("number", json!(1.5)),
        ("boolean", json!(true)),
        ("array", json!([])),
        ("object", json!({ "a": 1 })),
    ];
    for (route, persona, lawful) in json_routes(&mut app).await {
        for (member, schema) in documented(&document, route) {
            let text = schema.to_string();
            for (kind, sample) in &samples {
                // The kinds that the schema names, itself or behind a reference, may be lawful.
                if text.contains(kind) || text.contains("$ref") || (*kind == "number" && text.contains("integer")) {
                    continue;
                }
                let mut body = lawful.clone();
                body.insert(member.clone(), sample.clone());
                let answer = send(&mut app, route, persona, &body).await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{route:?} {member}={sample}: {}", answer.text());
            }
        }
    }
}

/// Nobody is asked for a hint, and no administrator sets or sees a password.
/// ASVS V6.4.2, V6.4.6
#[test]
fn no_body_has_hints_and_none_of_an_administrator_has_a_password() {
    let document = document().unwrap();
    for route in ROUTES {
        for member in documented(&document, route).keys() {
            for word in ["hint", "question", "answer", "maiden"] {
                assert!(!member.contains(word), "{route:?} {member}");
            }
            let of_others = !matches!(route.access, Access::Public | Access::User);
            assert!(!(of_others && member.contains("password")), "{route:?} {member}");
        }
    }
}

/// Of itself the parser fills an object from an array too: one body would have two forms, and one of them no names.
#[tokio::test]
async fn an_array_is_not_taken_for_an_object() {
    let router = crate::app::app();
    for (path, body, pointer) in [
        ("/v1/auth/login", json!(["rootadm", "velvet-Trombone-87"]), ""),
        ("/v1/auth/continue", json!({"challenge": "x", "accept": [["terms", "1"]]}), "/accept/0"),
    ] {
        let answer = post_json(&router, path, body.to_string()).await;
        assert_eq!((answer.status, answer.slug().as_str()), (StatusCode::BAD_REQUEST, "wrong_type"), "{path}");
        let error = &answer.json()["errors"][0];
        assert_eq!((&error["pointer"], &error["detail"]), (&json!(pointer), &json!("expected an object")), "{path}");
    }
}

/// A thousand questions are promised: they fit, however long the names are.
#[tokio::test]
async fn a_thousand_permission_checks_fit_into_a_body() {
    let services = test_services(TestOptions::default()).await;
    let token = format!("Bearer {}", access_token_with(&services, "permissions.check").await);
    let router = app_over(services);
    let question = json!({"subject": "0197a5c1-4b1c-7d8e-8f00-000000000001", "permission": "p".repeat(100)});
    let body = json!({ "checks": vec![question; 1_000] }).to_string();
    assert!(body.len() > MAX_BODY);
    let headers = [("content-type", "application/json"), ("authorization", token.as_str())];
    let sent = |body: String| request("POST", "/v1/permissions/check", &headers, body);
    let answer = ask(&router, sent(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.json()["results"].as_array().unwrap().len(), 1_000);
    let too_much = ask(&router, sent(" ".repeat(512 * 1024 + 1))).await;
    assert_eq!(too_much.status, StatusCode::PAYLOAD_TOO_LARGE);
}
