//! The headers that every answer carries. A handler that sets one itself (a page its own policy, the key set its
//! lifetime) keeps it.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use url::Url;

/// For answers that are data: nothing may load, frame or be loaded by them.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, DATA_POLICY),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Two years, with subdomains (RFC 6797).
const HSTS: &str = "max-age=63072000; includeSubDomains";

/// Adds the security headers to answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecurityHeaders {
    https: bool,
}

impl SecurityHeaders {
    /// `Strict-Transport-Security` goes out where the public URL is https.
    pub(crate) fn for_url(public_url: &Url) -> Self {
        Self { https: public_url.scheme() == "https" }
    }

    pub(crate) fn add(self, headers: &mut HeaderMap) {
        for (name, value) in ALWAYS {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        if self.https {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
        }
    }
}
