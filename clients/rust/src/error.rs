//! What goes wrong, and how a caller is told: a problem (RFC 9457) that does not say why a token is bad.

use http::{HeaderValue, Response, StatusCode, header};

/// What goes wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The token is not good: 401. Why is for logs.
    #[error("the token is not good: {}", .0.as_str())]
    InvalidToken(Reason),
    /// Nobody can tell now whether a token is good: 503.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The service does not know this service's account by its id and secret. No token can be checked for revocation: 503.
    #[error("the service refuses the id and the secret of this service's account")]
    CredentialsRefused,
    /// The token is good and does not allow this: 403.
    #[error("forbidden: {0}")]
    Forbidden(String),
    /// The service refuses a call of ours, however often it is made. 403: this service's account lacks a permission.
    #[error("{path} answered {status}{told}")]
    Refused {
        /// What was called.
        path: String,
        /// What it answered.
        status: u16,
        /// What it said, for a message: title, detail and refused fields behind a colon; empty where it said nothing.
        told: String,
    },
    /// The events behind the cursor are gone: read what you know anew, then start without one.
    #[error("the events behind the cursor are gone")]
    CursorExpired,
    /// A call is not genuine, or too old: 400.
    #[error("not a genuine webhook: {0}")]
    InvalidWebhook(&'static str),
    /// The options are wrong.
    #[error("{0}")]
    Options(&'static str),
    /// A store of cursors does not keep or give the place.
    #[error("the place in the events: {0}")]
    Store(Box<dyn std::error::Error + Send + Sync>),
}

/// Why a token is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each word says it")]
pub enum Reason {
    Malformed,
    Type,
    Algorithm,
    UnknownKey,
    Signature,
    Claims,
    Issuer,
    Audience,
    Expired,
    NotYetValid,
    Revoked,
    /// There is none.
    Missing,
}

impl Reason {
    /// For logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Type => "type",
            Self::Algorithm => "algorithm",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Revoked => "revoked",
            Self::Missing => "missing",
        }
    }
}

impl From<Reason> for Error {
    fn from(reason: Reason) -> Self {
        Self::InvalidToken(reason)
    }
}

pub(crate) fn unavailable(why: impl Into<String>) -> Error {
    Error::Unavailable(why.into())
}

impl Error {
    /// The answer to whoever called.
    pub fn to_response<B: From<String>>(&self) -> Response<B> {
        let (status, slug, challenge) = match self {
            // Without an error where there were no credentials (RFC 6750 section 3.1).
            Self::InvalidToken(Reason::Missing) => (StatusCode::UNAUTHORIZED, "invalid_token", Some("Bearer")),
            Self::InvalidToken(_) => {
                (StatusCode::UNAUTHORIZED, "invalid_token", Some("Bearer error=\"invalid_token\""))
            }
            Self::Forbidden(_) => {
                (StatusCode::FORBIDDEN, "insufficient_scope", Some("Bearer error=\"insufficient_scope\""))
            }
            Self::Unavailable(_) | Self::CredentialsRefused => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", None),
            Self::InvalidWebhook(_) => (StatusCode::BAD_REQUEST, "invalid_webhook", None),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "internal", None),
        };
        let number = status.as_u16();
        let problem = serde_json::json!({ "type": format!("/problems/{slug}"), "title": slug, "status": number });
        let mut response = Response::new(B::from(problem.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
