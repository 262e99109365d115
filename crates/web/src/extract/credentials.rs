//! Credentials in the `Authorization` header, and only there: never in a query, a form or a cookie, so that neither
//! logs nor other sites get hold of them. What they are worth is decided by services.

use std::fmt;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{header, request::Parts};
use userd_model::Refusal;
use zeroize::Zeroizing;

use crate::problem::{Problem, table};

/// The longest accepted `Authorization` header: a token of 8 KiB and its scheme.
const MAX_LENGTH: usize = 8 * 1024 + 16;

/// A bearer token (RFC 6750 section 2.1). Absent or of another scheme: 401; two headers or a broken one: 400.
/// `Option<Bearer>` is `None` when there is no `Authorization` header at all.
pub struct Bearer(pub Zeroizing<String>);

/// A client's id and secret by HTTP Basic authentication, percent-decoded as RFC 6749 section 2.3.1 has it.
/// `Option<BasicAuth>` is `None` when there is no `Authorization` header at all.
pub struct BasicAuth {
    /// The client id as sent.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: Zeroizing<String>,
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(…)")
    }
}

impl fmt::Debug for BasicAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BasicAuth(…)")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        bearer(parts)?.ok_or_else(|| Refusal::NotSignedIn.into())
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        bearer(parts)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for BasicAuth {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        basic(parts)?.ok_or_else(|| Refusal::InvalidClient.into())
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for BasicAuth {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        basic(parts)
    }
}

fn bearer(parts: &Parts) -> Result<Option<Bearer>, Problem> {
    let Some((scheme, token)) = authorization(parts)? else {
        return Ok(None);
    };
    // Every byte is looked at, whatever came before: that compiles to a few wide instructions, `all` to a loop.
    let well_formed = token.bytes().fold(!token.is_empty(), |so_far, byte| so_far & is_token_byte(byte));
    if !scheme.eq_ignore_ascii_case("bearer") || !well_formed {
        return Err(Refusal::NotSignedIn.into());
    }
    Ok(Some(Bearer(Zeroizing::new(token.to_owned()))))
}

fn basic(parts: &Parts) -> Result<Option<BasicAuth>, Problem> {
    let refused = || Problem::from(Refusal::InvalidClient);
    let Some((scheme, encoded)) = authorization(parts)? else {
        return Ok(None);
    };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(refused());
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| refused())?);
    let text = std::str::from_utf8(&decoded).map_err(|_| refused())?;
    let (id, secret) = text.split_once(':').ok_or_else(refused)?;
    let client_id = form_decode(id);
    let client_secret = Zeroizing::new(form_decode(secret));
    if client_id.is_empty() || client_secret.is_empty() {
        return Err(refused());
    }
    Ok(Some(BasicAuth { client_id, client_secret }))
}

/// Scheme and credentials of the only `Authorization` header.
fn authorization(parts: &Parts) -> Result<Option<(&str, &str)>, Problem> {
    let malformed = || {
        Problem::of(&table::MALFORMED_REQUEST).detail("send one Authorization header: a scheme, a space, credentials")
    };
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() || value.len() > MAX_LENGTH {
        return Err(malformed());
    }
    let text = value.to_str().map_err(|_| malformed())?;
    let (scheme, credentials) = text.split_once(' ').unwrap_or((text, ""));
    Ok(Some((scheme, credentials.trim_matches(' '))))
}

/// `b64token` of RFC 6750 section 2.1.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

fn form_decode(text: &str) -> String {
    // `parse` would split at `&` and `=`, which may stand unescaped in a secret.
    let escaped = text.replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(escaped.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}
