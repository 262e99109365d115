//! For tests: requests without a socket, answers as tests read them, and chance that repeats.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests fail by panicking")]

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::Value;
use tower::ServiceExt;
use userd_model::Random;

/// Longer than anything here may take.
pub const LONG: Duration = Duration::from_secs(20);

/// A counter, spread over all bits: different numbers, the same ones in every run.
#[derive(Debug, Default)]
pub struct CountingRandom(AtomicU64);

impl CountingRandom {
    #[must_use]
    pub fn from(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Random for CountingRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
            chunk.iter_mut().zip(number).for_each(|(byte, next)| *byte = next);
        }
    }
}

/// The recorder of this process.
pub fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| crate::metrics::install().unwrap()).clone()
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The header's value; empty for none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Which problem it is; it must be a complete one.
    pub fn slug(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{} {}", self.status, self.text());
        let json = self.json();
        assert_eq!(json.get("status"), Some(&self.status.as_u16().into()));
        assert_eq!(json.get("instance"), Some(&self.header("x-request-id").into()));
        let kind = json.get("type").and_then(Value::as_str).unwrap();
        kind.strip_prefix("/problems/").unwrap().to_owned()
    }
}

pub async fn ask(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    // A stream has no end; whoever reads one reads it by itself.
    if parts.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream") {
        return Answer { status: parts.status, headers: parts.headers, body: Vec::new() };
    }
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let builder = Request::builder().method(method).uri(path);
    headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).body(body.into()).unwrap()
}

pub async fn get(router: &Router, path: &str, headers: &[(&str, &str)]) -> Answer {
    ask(router, request("GET", path, headers, Body::empty())).await
}

pub async fn post_json(router: &Router, path: &str, body: impl Into<Body>) -> Answer {
    ask(router, request("POST", path, &[("content-type", "application/json")], body)).await
}
