//! One request as a stand-in sees it and remembers it. What to answer is in each stand-in's file.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, Method};
use serde_json::Value;

/// One request.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The method.
    pub method: Method,
    /// The path, undecoded.
    pub path: String,
    /// The raw query, empty when absent.
    pub query: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Ask {
    /// The decoded query in its order, duplicates and all.
    #[must_use]
    pub fn query_pairs(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// A query parameter that is not empty.
    #[must_use]
    pub fn query_param(&self, name: &str) -> Option<String> {
        self.query_pairs().into_iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, value)| value)
    }

    /// The decoded form body in its order, duplicates and all.
    #[must_use]
    pub fn form_pairs(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The form body; the last one counts where a name comes twice.
    #[must_use]
    pub fn form(&self) -> BTreeMap<String, String> {
        self.form_pairs().into_iter().collect()
    }

    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A header, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether a name comes twice in the form.
    pub(crate) fn has_duplicates(&self) -> bool {
        self.form_pairs().len() != self.form().len()
    }

    /// The token after a scheme in `Authorization`, such as `Bearer`; the scheme's case does not count.
    pub(crate) fn authorization(&self, scheme: &str) -> Option<String> {
        let (given, token) = self.header("authorization")?.split_once(' ')?;
        given.eq_ignore_ascii_case(scheme).then(|| token.trim().to_owned())
    }
}
