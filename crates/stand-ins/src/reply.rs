//! Answers: JSON, redirects, and the ways in which an upstream can fail. Which one is given is decided elsewhere.

use std::time::Duration;

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;

/// How a path of a stand-in fails.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This status with this JSON.
    Status(u16, Value),
    /// This status with this text, whatever it claims to be.
    Text(u16, String),
    /// Never answers.
    Hang,
    /// Sends headers, then a byte now and then, for ever.
    SlowLoris,
    /// More than a MiB, its length declared.
    Huge,
    /// More than a MiB in chunks, its length unknown.
    HugeChunked,
    /// 307 to there: whoever follows repeats the whole request, secrets included.
    Redirect(String),
    /// Answers as usual, but only after this long.
    Slow(Duration),
}

impl Fault {
    /// The broken answer; `None` when the usual one follows after all.
    pub(crate) async fn happen(self) -> Option<Response> {
        Some(match self {
            Self::Status(status, value) => json(status, &value),
            Self::Text(status, text) => {
                (code(status), [(header::CONTENT_TYPE, "application/json")], text).into_response()
            }
            Self::Hang => std::future::pending().await,
            Self::SlowLoris => {
                let drops = stream::unfold((), |()| async {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    Some((Ok::<_, std::io::Error>(" "), ()))
                });
                streamed(Body::from_stream(drops))
            }
            Self::Huge => streamed(Body::from(vec![b' '; (1 << 20) + 1])),
            Self::HugeChunked => {
                let chunks = stream::repeat(vec![b' '; 64 * 1024]).take(64).map(Ok::<_, std::io::Error>);
                streamed(Body::from_stream(chunks))
            }
            Self::Redirect(to) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
            Self::Slow(span) => {
                tokio::time::sleep(span).await;
                return None;
            }
        })
    }
}

fn streamed(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// JSON that nobody caches.
pub(crate) fn json(status: u16, value: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (code(status), headers, value.to_string()).into_response()
}

/// A form-encoded answer.
pub(crate) fn form(status: u16, pairs: &[(&str, &str)]) -> Response {
    let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    (code(status), [(header::CONTENT_TYPE, "application/x-www-form-urlencoded")], text).into_response()
}

/// Plain text.
pub(crate) fn text(status: u16, text: String) -> Response {
    (code(status), [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// An OAuth error.
pub(crate) fn oauth_error(status: u16, error: &str, description: &str) -> Response {
    json(status, &serde_json::json!({ "error": error, "error_description": description }))
}

/// 302, as providers send it.
pub(crate) fn redirect(to: &str) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
}

/// 302 to `uri` with more in its query.
pub(crate) fn redirect_with(uri: &str, pairs: &[(&str, &str)]) -> Response {
    match url::Url::parse(uri) {
        Ok(mut url) => {
            url.query_pairs_mut().extend_pairs(pairs);
            redirect(url.as_str())
        }
        Err(_) => oauth_error(400, "invalid_request", "redirect_uri is no URL"),
    }
}

/// 404.
pub(crate) fn not_found() -> Response {
    json(404, &serde_json::json!({ "message": "Not Found" }))
}
