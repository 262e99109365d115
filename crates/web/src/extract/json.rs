//! JSON bodies: `application/json` only, at most 64 KiB (`LargeJson`: 512), unambiguous, and of exactly the fields that `T` has.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{FromRequest, OptionalFromRequest, Request},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Serialize, de::DeserializeOwned};
use serde_path_to_error::{Path, Segment};

use super::{
    members::{Members, Passing},
    strict_json,
};
use crate::problem::{Problem, table};

/// The largest accepted body, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// The largest body of the few routes that promise to take more, in bytes.
const MAX_LARGE_BODY: usize = 512 * 1024;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// A JSON body in, or a JSON answer out.
///
/// `T` derives `Deserialize` with `deny_unknown_fields`. Refusals: 413, 415, 408, and 400 as `malformed_json`,
/// `duplicate_member`, `unknown_field`, `missing_field` or `wrong_type`, the last three with a pointer.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        require_media_type(request.headers(), "application/json")?;
        let body = read_body(request.into_body()).await?;
        parse(&body).map(Self)
    }
}

/// The same, of at most 512 KiB: for routes that promise to take many things at once.
#[derive(Clone, Copy, Debug)]
pub struct LargeJson<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for LargeJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        require_media_type(request.headers(), "application/json")?;
        let body = read_body_within(request.into_body(), MAX_LARGE_BODY, BODY_TIMEOUT).await?;
        parse(&body).map(Self)
    }
}

/// `Option<Json<T>>` is `None` for a request without a body; a body must be right.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Option<Self>, Problem> {
        let (parts, body) = request.into_parts();
        let body = read_body(body).await?;
        if body.is_empty() && !parts.headers.contains_key(header::CONTENT_TYPE) {
            return Ok(None);
        }
        require_media_type(&parts.headers, "application/json")?;
        parse(&body).map(|value| Some(Self(value)))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => {
                ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], bytes).into_response()
            }
            Err(error) => {
                tracing::error!(%error, "an answer could not be written as JSON");
                Problem::internal().into_response()
            }
        }
    }
}

/// Parses `body` strictly into `T`.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let value = Passing(strict_json::value(body)?);
    if !value.0.is_object() {
        return Err(Problem::of(&table::WRONG_TYPE).field("", "expected an object"));
    }
    serde_path_to_error::deserialize(Members(&value.0)).map_err(|error| {
        let mut pointer = pointer_of(error.path());
        describe(&error.inner().to_string(), &mut pointer)
    })
}

/// Turns serde's words into a problem that names the field and never repeats its value.
fn describe(message: &str, pointer: &mut String) -> Problem {
    let message = message.rsplit_once(" at line ").map_or(message, |(text, _)| text);
    if let Some(name) = quoted(message, "unknown field `") {
        return Problem::of(&table::UNKNOWN_FIELD).field(named(pointer, name), "is not a field of this request");
    }
    if let Some(name) = quoted(message, "missing field `") {
        return Problem::of(&table::MISSING_FIELD).field(named(pointer, name), "is required");
    }
    Problem::of(&table::WRONG_TYPE).field(std::mem::take(pointer), wanted(message))
}

/// What a value should have been, of what serde says. Never the value.
#[must_use]
pub fn wanted(message: &str) -> String {
    // It goes on to say which character of the value is wrong.
    if message.starts_with("UUID parsing failed") {
        return "expected a UUID".to_owned();
    }
    match message.rsplit_once("expected ") {
        Some((_, expected)) => format!("expected {}", in_json(expected)),
        None => "has not the form that this field needs".to_owned(),
    }
}

/// What serde expected, in JSON's words: its own are Rust's.
fn in_json(expected: &str) -> &str {
    match expected {
        "a map" => "an object",
        "a sequence" => "an array",
        "a borrowed string" | "a character" => "a string",
        "a formatted UUID string" => "a UUID",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0 on",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "unit" => "null",
        "newtype variant" => "an object of one member",
        _ => match expected.split(' ').next() {
            Some("struct" | "internally") => "an object",
            Some("tuple") => "an array",
            Some("enum" | "variant") => "a string",
            _ => expected,
        },
    }
}

fn quoted<'a>(message: &'a str, before: &str) -> Option<&'a str> {
    message.strip_prefix(before)?.split('`').next()
}

/// `pointer` with `name` as its last step; some errors carry the name in the path already, others only in the text.
fn named(pointer: &str, name: &str) -> String {
    let step = format!("/{}", escape(name));
    if pointer.ends_with(&step) { pointer.to_owned() } else { format!("{pointer}{step}") }
}

pub(super) fn pointer_of(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", escape(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// RFC 6901 section 3; long or odd names are cut, so that an error never becomes an echo.
fn escape(name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    name.replace('~', "~0").replace('/', "~1")
}

/// Refuses any other media type, a charset other than UTF-8, and every content encoding.
pub(super) fn require_media_type(headers: &HeaderMap, wanted: &str) -> Result<(), Problem> {
    let refused = || Problem::of(&table::UNSUPPORTED_MEDIA_TYPE);
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(refused());
    };
    let text = value.to_str().map_err(|_| refused())?;
    let mut parts = text.split(';').map(str::trim);
    if !parts.next().unwrap_or_default().eq_ignore_ascii_case(wanted) {
        return Err(refused());
    }
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name.eq_ignore_ascii_case("charset") && !value.trim_matches('"').eq_ignore_ascii_case("utf-8") {
            return Err(refused().detail("the charset must be UTF-8"));
        }
    }
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => Err(refused().detail("send the body without a content encoding")),
        _ => Ok(()),
    }
}

/// Reads at most [`MAX_BODY`] bytes.
pub(super) async fn read_body(body: Body) -> Result<Bytes, Problem> {
    read_body_within(body, MAX_BODY, BODY_TIMEOUT).await
}

async fn read_body_within(body: Body, most: usize, time: Duration) -> Result<Bytes, Problem> {
    use axum::body::HttpBody as _;
    if body.size_hint().lower() > most as u64 {
        return Err(Problem::of(&table::PAYLOAD_TOO_LARGE));
    }
    match tokio::time::timeout(time, Limited::new(body, most).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::of(&table::PAYLOAD_TOO_LARGE)),
        Ok(Err(_)) => Err(Problem::malformed("the body ended early")),
        Err(_) => Err(Problem::of(&table::REQUEST_TIMEOUT)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]
    use serde::Deserialize;

    use super::*;
    use crate::problem::Language;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Body {
        login: String,
        age: Option<u8>,
        inner: Option<Inner>,
        attributes: Option<serde_json::Map<String, serde_json::Value>>,
        #[serde(default, deserialize_with = "super::super::object")]
        one: Option<Each>,
        told: Option<Told>,
        id: Option<uuid::Uuid>,
        at: Option<userd_model::Timestamp>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Each {
        ru: String,
        en: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[expect(dead_code, reason = "only parsed")]
    enum Told {
        All,
        Random(u32),
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Inner {
        words: Vec<String>,
    }

    fn refusal(body: &[u8]) -> (String, String) {
        let problem = parse::<Body>(body).expect_err("the body must be refused");
        let json = problem.to_json(Language::English, "id");
        let pointer = json["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned();
        assert!(!json.to_string().contains("hunter2"), "the value leaks: {json}");
        assert_eq!(problem.status(), 400);
        (problem.row().slug.to_owned(), pointer)
    }

    fn pair(slug: &str, pointer: &str) -> (String, String) {
        (slug.to_owned(), pointer.to_owned())
    }

    #[test]
    fn a_lawful_body_is_read() {
        let body: Body = parse(r#"{"login":"маша","attributes":{"a":{"b":[1,2.5,null]}}}"#.as_bytes()).unwrap();
        assert_eq!(body.login, "маша");
    }

    #[test]
    fn refusals_name_the_field_and_never_its_value() {
        assert_eq!(refusal(br#"{"login":"a","pasword":"hunter2"}"#), pair("unknown_field", "/pasword"));
        assert_eq!(refusal(br#"{"login":"a","inner":{"words":[],"a/b":1}}"#), pair("unknown_field", "/inner/a~1b"));
        assert_eq!(refusal(br#"{"age":3}"#), pair("missing_field", "/login"));
        assert_eq!(refusal(br#"{"login":"a","inner":{}}"#), pair("missing_field", "/inner/words"));
        assert_eq!(refusal(br#"{"login":"a","age":"hunter2"}"#), pair("wrong_type", "/age"));
        assert_eq!(refusal(br#"{"login":"a","age":300}"#), pair("wrong_type", "/age"));
        assert_eq!(refusal(br#"{"login":"a","inner":{"words":["x",7]}}"#), pair("wrong_type", "/inner/words/1"));
        assert_eq!(refusal(br#"["hunter2"]"#).0, "wrong_type");
    }

    /// AC-125: duplicate keys, lone surrogates, 1e999, numbers of 10^5 digits, depth 10^5.
    #[test]
    fn ambiguous_json_is_refused_and_the_stack_is_safe() {
        assert_eq!(refusal(br#"{"login":"a","login":"b"}"#).0, "duplicate_member");
        assert_eq!(refusal(br#"{"login":"a","attributes":{"x":1,"\u0078":2}}"#).0, "duplicate_member");
        assert_eq!(refusal(br#"{"login":"\ud800"}"#).0, "malformed_json");
        assert_eq!(refusal(br#"{"login":"\udc00\ud800"}"#).0, "malformed_json");
        assert_eq!(refusal(br#"{"\ud800":1}"#).0, "malformed_json");
        assert_eq!(refusal(br#"{"login":"a","attributes":{"x":1e999}}"#).0, "malformed_json");
        assert_eq!(refusal(br#"{"login":"a","attributes":{"x":18446744073709551616}}"#).0, "malformed_json");
        let digits = format!(r#"{{"login":"a","attributes":{{"x":{}}}}}"#, "9".repeat(100_000));
        assert_eq!(refusal(digits.as_bytes()).0, "malformed_json");
        assert_eq!(refusal("[".repeat(100_000).as_bytes()).0, "malformed_json");
        assert_eq!(refusal(r#"{"a":"#.repeat(100_000).as_bytes()).0, "malformed_json");
        let nested = format!(r#"{{"login":"a","attributes":{{"x":{}1{}}}}}"#, "[".repeat(40), "]".repeat(40));
        assert_eq!(refusal(nested.as_bytes()).0, "malformed_json");
    }

    /// Of itself serde fills a struct from an array too.
    #[test]
    fn an_array_is_no_object() {
        let detail = |body: &str| {
            let problem = parse::<Body>(body.as_bytes()).expect_err("the body must be refused");
            let json = problem.to_json(Language::English, "id");
            (json["errors"][0]["pointer"].clone(), json["errors"][0]["detail"].clone())
        };
        for (body, pointer) in [
            (r#"["a",3,null,null,null]"#, ""),
            (r#"{"login":"a","inner":[["x"]]}"#, "/inner"),
            (r#"{"login":"a","one":["x","y"]}"#, "/one"),
        ] {
            assert_eq!(detail(body), (pointer.into(), "expected an object".into()), "{body}");
        }
        let read: Body = parse(br#"{"login":"a","inner":{"words":["x"]},"one":{"ru":"x","en":"y"}}"#).unwrap();
        assert_eq!(read.login, "a");
    }

    #[test]
    fn what_was_expected_is_said_in_the_words_of_json() {
        for (body, expected) in [
            ("7", "an object"),
            (r#"{"login":"a","inner":7}"#, "an object"),
            (r#"{"login":7}"#, "a string"),
            (r#"{"login":"a","age":"x"}"#, "a whole number from 0 to 255"),
            (r#"{"login":"a","age":1.5}"#, "a whole number from 0 to 255"),
            (r#"{"login":"a","inner":{"words":{}}}"#, "an array"),
            (r#"{"login":"a","attributes":[]}"#, "an object"),
            (r#"{"login":"a","id":"hunter2"}"#, "a UUID"),
            (r#"{"login":"a","id":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]}"#, "a UUID"),
            (r#"{"login":["a"]}"#, "a string"),
            (r#"{"login":"a","at":"hunter2"}"#, "a time as 2026-01-31T12:00:00Z"),
            (r#"{"login":"a","at":"2026-02-30T12:00:00Z"}"#, "a time as 2026-01-31T12:00:00Z"),
            (r#"{"login":"a","at":7}"#, "a string"),
            (r#"{"login":"a","told":"each"}"#, "`all` or `random`"),
            (r#"{"login":"a","told":"random"}"#, "an object of one member"),
        ] {
            let problem = parse::<Body>(body.as_bytes()).expect_err("the body must be refused");
            let json = problem.to_json(Language::English, "id");
            assert_eq!(json["errors"][0]["detail"], format!("expected {expected}"), "{body}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for body in ["", " ", "{", "nul", "{}x", "{'login':1}", "\u{feff}{}", "{\"login\":\"a\",}", "NaN"] {
            assert_eq!(refusal(body.as_bytes()).0, "malformed_json", "{body:?}");
        }
        assert_eq!(refusal(b"{\"login\":\"\xff\"}").0, "malformed_json");
        assert_eq!(refusal(b"{\"login\":\"a\x00\"}").0, "malformed_json");
    }

    #[tokio::test]
    async fn a_body_that_trickles_is_given_up() {
        let forever = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
        let problem = read_body_within(axum::body::Body::from_stream(forever), MAX_BODY, Duration::from_millis(10))
            .await
            .unwrap_err();
        assert_eq!(problem.status(), 408);
    }
}
