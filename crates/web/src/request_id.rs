//! Request ids (`X-Request-Id`) and trace ids (`traceparent`, W3C Trace Context).

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderName, HeaderValue, request::Parts};
use userd_model::Random;

use crate::problem::Problem;

/// `X-Request-Id`.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const MAX_LENGTH: usize = 64;

/// The id of one request: the caller's own where it is a token of at most 64 characters, else a new UUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a header value.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static("invalid"))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Always there behind the middleware.
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::internal)
    }
}

/// Where new request ids come from: unique, not secret, and without a system call each.
pub(crate) struct RequestIds {
    base: u128,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(random: &dyn Random) -> Self {
        Self { base: u128::from_be_bytes(random.id_bytes()), next: AtomicU64::new(0) }
    }

    /// The caller's id or a new one.
    pub(crate) fn of(&self, headers: &HeaderMap) -> RequestId {
        let mut given = headers.get_all(REQUEST_ID).iter();
        if let (Some(value), None) = (given.next(), given.next())
            && let Ok(text) = value.to_str()
            && (1..=MAX_LENGTH).contains(&text.len())
            && text.bytes().all(is_token)
        {
            return RequestId(text.into());
        }
        RequestId(self.mint().into())
    }

    fn mint(&self) -> String {
        // An odd multiplier makes every counter value a different 128-bit number, spread over all bytes.
        const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
        let count = u128::from(self.next.fetch_add(1, Ordering::Relaxed));
        let bits = self.base.wrapping_add(count.wrapping_mul(SPREAD));
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().to_string()
    }
}

/// `tchar` of RFC 9110, and `:` and `/` which ids of proxies contain. Nothing that could forge a log line.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/=@".contains(&byte)
}

/// A valid `traceparent`: the trace, the span of whoever calls, and whether they record it.
pub(crate) struct TraceParent<'a> {
    pub(crate) trace: &'a str,
    pub(crate) span: &'a str,
    pub(crate) is_sampled: bool,
}

/// What a request says of the trace that it belongs to.
pub(crate) fn trace_parent(headers: &HeaderMap) -> Option<TraceParent<'_>> {
    let mut given = headers.get_all(TRACEPARENT).iter();
    let (Some(value), None) = (given.next(), given.next()) else {
        return None;
    };
    let mut parts = value.to_str().ok()?.splitn(5, '-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let known = version == "00" && parts.next().is_none() || version != "00" && version != "ff";
    let sizes = version.len() == 2 && trace.len() == 32 && parent.len() == 16 && flags.len() == 2;
    let hex = [version, trace, parent, flags]
        .iter()
        .all(|t| t.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
    let real = trace.bytes().any(|b| b != b'0') && parent.bytes().any(|b| b != b'0');
    let is_sampled = flags.bytes().last().is_some_and(|digit| b"13579bdf".contains(&digit));
    (known && sizes && hex && real).then_some(TraceParent { trace, span: parent, is_sampled })
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
    use std::collections::HashSet;

    use uuid::Uuid;

    use super::*;

    struct Fixed;
    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0xa5);
        }
    }

    #[test]
    fn minted_ids_are_distinct_uuids() {
        let ids = RequestIds::new(&Fixed);
        let minted: HashSet<String> = (0..10_000).map(|_| ids.mint()).collect();
        assert_eq!(minted.len(), 10_000);
        assert!(minted.iter().all(|id| Uuid::parse_str(id).unwrap().get_version_num() == 4));
    }

    #[test]
    fn only_well_formed_traceparents_count() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(TRACEPARENT, text.parse().unwrap());
            trace_parent(&headers).map(|found| (found.trace.to_owned(), found.is_sampled))
        };
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(of(&format!("00-{trace}-00f067aa0ba902b7-01")), Some((trace.to_owned(), true)));
        assert_eq!(of(&format!("00-{trace}-00f067aa0ba902b7-02")), Some((trace.to_owned(), false)));
        assert_eq!(of(&format!("cc-{trace}-00f067aa0ba902b7-01-what")), Some((trace.to_owned(), true)));
        for bad in [
            format!("00-{trace}-00f067aa0ba902b7-01-x"),
            format!("ff-{trace}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{trace}-0000000000000000-01"),
            "x".to_owned(),
        ] {
            assert_eq!(of(&bad), None, "{bad}");
        }
    }
}
