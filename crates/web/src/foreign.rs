//! Whether a form comes from another site, by what the browser says of where it comes from.

use http::{HeaderMap, HeaderName, header};

/// Whether it comes from elsewhere than `origin`. Old browsers say nothing, and so do programs; `Origin: null` says nothing either:
/// pages with a secret in their address send it too.
#[must_use]
pub fn is_foreign(headers: &HeaderMap, origin: &str) -> bool {
    const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(SITE), text(header::ORIGIN)) {
        (Some(site), _) => !matches!(site, "same-origin" | "none"),
        (None, Some(said)) => said != "null" && said != origin,
        (None, None) => false,
    }
}
