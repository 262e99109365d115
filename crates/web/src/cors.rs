//! Cross-origin requests: configured origins only, compared exactly and never reflected otherwise. Deliberately
//! absent: wildcards, and credentials everywhere but on routes that say so (tokens travel in `Authorization`, which
//! the page's own code adds).

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use url::Url;

const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
const REQUEST_HEADERS: &str =
    "authorization, content-type, idempotency-key, if-match, accept-language, last-event-id, x-request-id, traceparent";
const ANSWER_HEADERS: &str = "x-request-id, retry-after, location, etag, www-authenticate";

/// The allowed origins.
#[derive(Clone, Debug, Default)]
pub struct Cors(Vec<HeaderValue>);

/// A text that is not an origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an origin like https://app.example.org")]
pub struct NotAnOrigin(String);

impl Cors {
    /// From origins as browsers write them: scheme, host, port if not the default; nothing after it.
    ///
    /// # Errors
    /// The first text that is not an origin; `*` and `null` are none.
    pub fn parse<T: AsRef<str>>(origins: &[T]) -> Result<Self, NotAnOrigin> {
        let parse = |text: &str| {
            let url = Url::parse(text).ok()?;
            let plain = matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text;
            if plain { HeaderValue::from_str(text).ok() } else { None }
        };
        let origins = origins.iter().map(|o| parse(o.as_ref()).ok_or_else(|| NotAnOrigin(o.as_ref().to_owned())));
        origins.collect::<Result<_, _>>().map(Self)
    }

    /// The request's origin, if it is an allowed one.
    pub(crate) fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        self.0.iter().find(|allowed| *allowed == origin).cloned()
    }

    /// Is this a preflight (Fetch standard, section 4.8)?
    pub(crate) fn is_preflight<B>(request: &Request<B>) -> bool {
        request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ORIGIN)
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// The answer to a preflight.
    pub(crate) fn preflight<B: Default>(&self) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    }

    /// Adds what an allowed origin may know to an answer, and whether it may send cookies; a stranger's answer gets nothing.
    pub(crate) fn finish(&self, allowed: Option<HeaderValue>, preflight: bool, cookies: bool, headers: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        let Some(origin) = allowed else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(ANSWER_HEADERS));
        if cookies {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        if preflight {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_HEADERS));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        }
    }
}
