//! The layer and the extractor, in front of services that need no server.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test may stop at the first surprise")]

use std::time::Duration;

use axum::{Router, body::Body, routing::get};
use http::{Request, StatusCode};
use tower::ServiceExt;
use userd_client::{Caller, Error, FakeIssuer, Options, Reason, Userd, Wanted};

fn app(userd: &Userd) -> Router {
    let clerks = Router::new()
        .route("/refunds", get(async |caller: Caller| caller.subject.clone()))
        .route_layer(userd.require().role(&["clerk", "boss"]).permission(&["orders.refund"]));
    Router::new()
        .route("/me", get(async |caller: Caller| caller.subject.clone()))
        .merge(clerks)
        .with_state(userd.clone())
}

async fn ask(app: &Router, path: &str, token: Option<&str>) -> (StatusCode, String) {
    let mut request = Request::builder().uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("bearer {token}"));
    }
    let answer = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let challenge = answer.headers().get("www-authenticate").map_or("", |value| value.to_str().unwrap()).to_owned();
    (answer.status(), challenge)
}

fn refunder(session: &str) -> Wanted {
    let (roles, permissions) = (vec!["clerk".to_owned()], vec!["orders.refund".to_owned()]);
    Wanted { session: Some(session.to_owned()), roles, permissions, ..Wanted::default() }
}

#[tokio::test]
async fn whoever_may_comes_in_and_others_are_told_what_is_missing() {
    let issuer = FakeIssuer::new().unwrap();
    let app = app(&issuer.userd().unwrap());
    let clerk = issuer.token(refunder("s1")).unwrap();
    let anybody = issuer.token(Wanted::default()).unwrap();
    let late =
        issuer.token(Wanted { claims: serde_json::from_str(r#"{"exp": 1}"#).unwrap(), ..refunder("s1") }).unwrap();
    for (path, token, status, challenge) in [
        ("/me", Some(&anybody), 200, ""),
        ("/refunds", Some(&clerk), 200, ""),
        ("/refunds", Some(&anybody), 403, r#"Bearer error="insufficient_scope""#),
        ("/refunds", Some(&late), 401, r#"Bearer error="invalid_token""#),
        ("/refunds", None, 401, "Bearer"),
        ("/me", None, 401, "Bearer"),
    ] {
        let answer = ask(&app, path, token.map(String::as_str)).await;
        assert_eq!(answer, (StatusCode::from_u16(status).unwrap(), challenge.to_owned()), "{path} {status}");
    }
    issuer.end_session("s1");
    assert_eq!(ask(&app, "/refunds", Some(&clerk)).await.0, 401, "signed out, and still in");
}

#[tokio::test]
async fn a_role_that_allows_less_ends_the_tokens_made_before_and_none_after() {
    let issuer = FakeIssuer::new().unwrap();
    let userd = issuer.userd().unwrap();
    let before = issuer.token(refunder("s1")).unwrap();
    let reader = issuer.token(Wanted { roles: vec!["reader".to_owned()], ..Wanted::default() }).unwrap();
    assert_eq!(userd.verify(&before).await.unwrap().role_versions.get("clerk"), Some(&1));
    issuer.narrow_role("clerk");
    assert!(matches!(userd.verify(&before).await, Err(Error::InvalidToken(Reason::Revoked))));
    assert!(userd.verify(&reader).await.is_ok());
    let after = issuer.token(refunder("s1")).unwrap();
    assert_eq!(userd.verify(&after).await.unwrap().role_versions.get("clerk"), Some(&2));
}

/// Nobody can tell, so nobody comes in: the service is not there, and its keys never were.
#[tokio::test]
async fn a_service_that_cannot_be_asked_is_503() {
    let options = Options { timeout: Duration::from_millis(200), ..Options::of("http://127.0.0.1:9") };
    let app = app(&Userd::new(options).unwrap());
    let token = FakeIssuer::new().unwrap().token(Wanted::default()).unwrap();
    assert_eq!(ask(&app, "/me", Some(&token)).await.0, 503);
}

#[tokio::test]
async fn a_token_is_for_its_audience_and_options_are_checked() {
    let issuer = FakeIssuer::new().unwrap();
    let userd = issuer.userd().unwrap();
    let claims = serde_json::from_str(r#"{"aud": "orders"}"#).unwrap();
    let other = issuer.token(Wanted { claims, ..Wanted::default() }).unwrap();
    assert!(matches!(userd.verify(&other).await, Err(Error::InvalidToken(Reason::Audience))));
    let long = Duration::from_secs(61);
    for wrong in [
        Options::of("users.example"),
        Options { leeway: long, ..Options::of("https://users.example") },
        Options { wait: long, max_age: long * 2, ..Options::of("https://users.example") },
        Options { max_entries: 1, ..Options::of("https://users.example") },
        Options { keys: Some(b"{}".to_vec()), ..Options::of("https://users.example") },
    ] {
        assert!(matches!(Userd::new(wrong), Err(Error::Options(_))));
    }
    let secret = format!("{:?}", Options::of("https://users.example").client("orders", "hunter2"));
    assert!(!secret.contains("hunter2"), "{secret}");
}
