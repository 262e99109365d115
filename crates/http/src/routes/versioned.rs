//! What routes of versioned resources share: the entity tag that `If-Match` names, and members that may be cleared.

use http::{HeaderName, HeaderValue, header};
use serde::{Deserialize, Deserializer};

/// The version as entity tag.
pub(super) fn version_tag(version: i64) -> [(HeaderName, HeaderValue); 1] {
    [(header::ETAG, HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"\"")))]
}

/// Tells `null` from absent: a present field is `Some`, whatever it holds.
pub(super) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
