//! The live stream of the inbox: what comes is sent, a broken line goes on where it was, a dead token ends it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, body::Body};
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::ServiceExt as _;
use userd_http::{Api, router::assemble};
use userd_services::{
    Arrived, Services,
    testing::{TestOptions, test_app},
};
use userd_web::testing::*;

use crate::app::*;

/// A stream as a client reads it.
struct Stream {
    body: Body,
    text: String,
}

impl Stream {
    async fn open(app: &Router, token: &str, last: Option<&str>) -> Self {
        let request = Request::get("/v1/me/notifications/stream").header("authorization", token);
        let request = last.into_iter().fold(request, |request, id| request.header("last-event-id", id));
        let answer = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        Self { body: answer.into_body(), text: String::new() }
    }

    /// Reads what a stream begins with.
    async fn begin(&mut self) {
        tokio::time::timeout(LONG, self.body.frame()).await.unwrap().unwrap().unwrap();
    }

    /// The next notification and its cursor; `None` when the stream is over.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let found = field("id: ").zip(field("data: "));
                assert!(found.is_none() || event.contains("event: notification"), "{event}");
                self.text = rest.to_owned();
                match found {
                    Some((id, data)) => return Some((id, serde_json::from_str(&data).unwrap())),
                    None => continue,
                }
            }
            let frame = tokio::time::timeout(Duration::from_secs(20), self.body.frame()).await.unwrap()?;
            self.text.push_str(std::str::from_utf8(frame.unwrap().data_ref().unwrap()).unwrap());
        }
    }
}

/// Somebody signed in.
async fn member(app: &Router) -> String {
    let ada = json!({"username": "ada", "password": "correct horse battery staple"});
    let made = post_json(app, "/v1/auth/register", ada.to_string()).await.json();
    format!("Bearer {}", made["tokens"]["access_token"].as_str().unwrap())
}

/// Something happens to them.
async fn rename(app: &Router, services: &Arc<Services>, token: &str, name: &str) {
    let headers = [("authorization", token), ("content-type", "application/json")];
    let body = json!({ "username": name }).to_string();
    assert_eq!(ask(app, request("PUT", "/v1/me/username", &headers, body)).await.status, 200);
    services.event_log.tick().await.unwrap();
    services.deliveries.tick().await.unwrap();
}

#[tokio::test]
async fn a_notification_comes_at_once_and_a_broken_line_misses_nothing() {
    let services = test_services(TestOptions::default()).await;
    let app = app_over(Arc::clone(&services));
    let token = member(&app).await;
    let mut stream = Stream::open(&app, &token, None).await;
    rename(&app, &services, &token, "countess").await;
    let (cursor, first) = stream.next().await.unwrap();
    assert_eq!(first["category"], "security");
    assert!(first["body"].as_str().unwrap().contains("countess"));
    drop(stream);
    rename(&app, &services, &token, "countess2").await;
    let mut again = Stream::open(&app, &token, Some(&cursor)).await;
    let (_, second) = again.next().await.unwrap();
    assert!(second["body"].as_str().unwrap().contains("countess2"), "{second}");
    let headers = [("authorization", token.as_str()), ("last-event-id", "bm9uc2Vuc2U")];
    let answer = get(&app, "/v1/me/notifications/stream", &headers).await;
    assert_eq!((answer.status.as_u16(), answer.slug()), (400, "invalid_cursor".to_owned()));
}

/// What is placed at one replica wakes the streams of the others through the cache, before they would look by themselves.
#[tokio::test]
async fn a_notification_of_another_replica_comes_through_the_cache() {
    let store = Arc::new(userd_storage::testing::memory_store().await.unwrap());
    let here = test_app(Arc::clone(&store), TestOptions::default()).await.unwrap();
    let (cache, clock) = (Some(Arc::clone(&here.services.deps.cache)), Some(Arc::clone(&here.clock)));
    let there = test_app(store, TestOptions { cache, clock, seed: 2, ..TestOptions::default() }).await.unwrap();
    let app = app_over(Arc::clone(&here.services));
    let token = member(&app).await;
    // The leases are here, and so is everything placed.
    here.services.event_log.tick().await.unwrap();
    here.services.deliveries.tick().await.unwrap();
    let (_stop, stopped) = watch::channel(false);
    let _listening = there.services.start_background(&stopped);
    let mut stream = Stream::open(&app_over(Arc::clone(&there.services)), &token, None).await;
    let mut arrivals = there.services.changes.arrivals().subscribe();
    stream.begin().await;
    let looked = Instant::now();
    rename(&app, &here.services, &token, "countess").await;
    let arrived = tokio::time::timeout(LONG, arrivals.recv()).await.unwrap().unwrap();
    assert!(matches!(arrived, Arrived::For(_)), "{arrived:?}");
    let (_, first) = stream.next().await.unwrap();
    assert!(first["body"].as_str().unwrap().contains("countess"), "{first}");
    assert!(looked.elapsed() < Duration::from_secs(5), "it looked by itself, after {:?}", looked.elapsed());
}

#[tokio::test]
async fn a_stream_ends_when_the_process_stops() {
    let api = Api { services: test_services(TestOptions::default()).await, ..api_with(|_| {}) };
    let draining = api.draining.clone();
    let app = assemble(Arc::new(api), app_routes(), &app_table()).unwrap();
    let token = member(&app).await;
    let mut stream = Stream::open(&app, &token, None).await;
    draining.start();
    assert_eq!(stream.next().await, None);
}

/// Nobody reads on by a token whose time is over: nothing that comes then is sent, and the next comment ends the stream.
#[tokio::test]
async fn a_stream_ends_when_its_token_expires() {
    let store = Arc::new(userd_storage::testing::memory_store().await.unwrap());
    let own = test_app(store, TestOptions::default()).await.unwrap();
    let app = app_over(Arc::clone(&own.services));
    let token = member(&app).await;
    let mut stream = Stream::open(&app, &token, None).await;
    stream.begin().await;
    let user = own.services.authenticate(token.trim_start_matches("Bearer ")).await.unwrap();
    let ctx = own.services.context().authenticated(user);
    own.services.accounts.change_username(&ctx, "countess", None).await.unwrap();
    own.clock.advance(Duration::from_secs(3600));
    own.services.event_log.tick().await.unwrap();
    own.services.deliveries.tick().await.unwrap();
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_stream_ends_when_its_token_is_revoked() {
    let services = test_services(TestOptions::default()).await;
    let app = app_over(Arc::clone(&services));
    let token = member(&app).await;
    let mut stream = Stream::open(&app, &token, None).await;
    let out = ask(&app, request("POST", "/v1/auth/logout", &[("authorization", &token)], "")).await;
    assert_eq!(out.status, 204);
    assert_eq!(stream.next().await, None);
}
