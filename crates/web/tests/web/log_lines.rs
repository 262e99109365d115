//! What a request leaves in the log, and what never.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use userd_services::{Failure, StoreError};
use userd_web::{problem::Problem, testing::*};

use crate::{
    app::{app, app_with},
    gate::Gate,
};

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Memory {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Memory {
    fn listen() -> (Self, tracing::subscriber::DefaultGuard) {
        let memory = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
            .with_writer(memory.clone())
            .finish();
        (memory, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn access_lines(&self) -> Vec<Value> {
        let lines = self.text();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["target"] == "userd_http::access").collect()
    }
}

/// ASVS V16.2.1
#[tokio::test]
async fn each_request_leaves_one_line_with_its_ids() {
    let router = app();
    let (log, _listening) = Memory::listen();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    get(
        &router,
        "/v1/noted/6f9619ff-8b86-4011-b42d-00c04fc964ff",
        &[("x-request-id", "r-1"), ("traceparent", &parent)],
    )
    .await;
    get(&router, "/nowhere", &[("x-request-id", "r-2")]).await;
    let lines = log.access_lines();
    assert_eq!(lines.len(), 2, "{}", log.text());
    let (fields, span) = (&lines[0]["fields"], &lines[0]["span"]);
    assert_eq!(
        (&fields["method"], &fields["route"], &fields["status"]),
        (&"GET".into(), &"/v1/noted/{id}".into(), &200.into())
    );
    assert!(fields["micros"].is_u64());
    assert_eq!((&span["request_id"], &span["trace_id"]), (&"r-1".into(), &trace.into()));
    assert_eq!(span["user_id"], "6f9619ff-8b86-4011-b42d-00c04fc964ff");
    assert_eq!((&lines[1]["fields"]["route"], &lines[1]["span"]["request_id"]), (&"unmatched".into(), &"r-2".into()));
}

/// A bug, a database that fails and a request that takes too long: whoever looks into the log finds each, and its request.
/// ASVS V16.3.4
#[tokio::test]
async fn what_nobody_expected_is_in_the_log_with_the_id_of_its_request() {
    let hasty = app_with(|options| options.request_deadline = Duration::from_millis(30));
    let (log, _listening) = Memory::listen();
    assert_eq!(get(&app(), "/v1/panic", &[("x-request-id", "r-1")]).await.status, 500);
    assert_eq!(get(&hasty, "/v1/gates/log", &[("x-request-id", "r-2")]).await.status, 503);
    for fault in [StoreError::corrupt("a bug"), StoreError::Unusable("damaged".to_owned()), StoreError::Conflict] {
        let _ = Problem::from(Failure::Store(fault));
    }
    let text = log.text();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let find = |message: &str| {
        lines.iter().find(|line| line["fields"]["message"] == message).unwrap_or_else(|| panic!("{message}: {text}"))
    };
    for (message, level, request) in
        [("a handler panicked", "ERROR", "r-1"), ("the request deadline passed", "WARN", "r-2")]
    {
        let line = find(message);
        assert_eq!((&line["level"], &line["span"]["request_id"]), (&level.into(), &request.into()), "{line}");
    }
    for (message, level) in [
        ("a request failed in storage", "ERROR"),
        ("the database cannot serve requests as it is", "ERROR"),
        ("the database did not serve a request", "WARN"),
    ] {
        assert_eq!(find(message)["level"], level);
    }
}

/// AC-133: secrets in every input leave no trace in the log of this room, at any level.
#[tokio::test]
async fn no_canary_reaches_the_log() {
    let router = app();
    let (log, _listening) = Memory::listen();
    let canary = "canary-5f2a";
    let value = format!("Bearer {canary}");
    for path in [
        format!("/v1/bearer?token={canary}"),
        format!("/v1/things/{canary}"),
        format!("/{canary}"),
        format!("/v1/things?cursor={canary}&{canary}={canary}"),
    ] {
        get(
            &router,
            &path,
            &[("authorization", &value), ("cookie", canary), ("x-secret", canary), ("idempotency-key", canary)],
        )
        .await;
    }
    for body in [
        format!(r#"{{"name":"{canary}"}}"#),
        format!(r#"{{"{canary}":1}}"#),
        format!(r#"{{"name":{canary}}}"#),
        format!(r#"{{"name":["{canary}"]}}"#),
    ] {
        post_json(&router, "/v1/things", body).await;
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    ask(&router, request("POST", "/oauth2/form", &form, format!("grant_type={canary}&client_secret={canary}"))).await;
    assert!(log.access_lines().len() >= 9);
    assert!(!log.text().contains(canary), "{}", log.text());
}

#[tokio::test]
async fn a_caller_who_goes_away_is_noted() {
    let router = app();
    let (log, _listening) = Memory::listen();
    let asking = get(&router, "/v1/gates/away", &[]);
    let entered = Gate::named("away");
    tokio::select! {
        _ = asking => panic!("the gate is closed"),
        () = entered.wait_entered() => {}
    }
    let lines = log.access_lines();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["fields"]["message"], "the caller went away");
    assert!(
        get(&router, "/metrics", &[])
            .await
            .text()
            .contains(r#"route="/v1/gates/{name}",method="GET",status="client_gone""#)
    );
}
