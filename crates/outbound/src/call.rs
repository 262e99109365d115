//! One call and its answer, as values. Making the call is the client's.

use bytes::Bytes;
use reqwest::{
    Method,
    header::{HeaderMap, HeaderValue, LOCATION},
};
use url::Url;
use zeroize::Zeroizing;

/// One call.
pub struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) form: Option<Zeroizing<String>>,
    pub(crate) body: Option<(&'static str, Bytes)>,
}

impl Call {
    /// A GET that asks for JSON.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// A POST that asks for JSON.
    #[must_use]
    pub fn post(url: Url) -> Self {
        Self::new(Method::POST, url)
    }

    /// A DELETE that asks for JSON.
    #[must_use]
    pub fn delete(url: Url) -> Self {
        Self::new(Method::DELETE, url)
    }

    /// The next call of a redirected GET; `None` when it must not be followed.
    pub(crate) fn redirected(&self, response: &reqwest::Response) -> Option<Self> {
        let is_followed = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        if self.method != Method::GET || !is_followed {
            return None;
        }
        let target = self.url.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()?;
        let same_server = target.origin() == self.url.origin();
        let next = Self::get(target);
        Some(if same_server { Self { headers: self.headers.clone(), ..next } } else { next })
    }

    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    fn new(method: Method, url: Url) -> Self {
        let call = Self { method, url, headers: HeaderMap::new(), form: None, body: None };
        call.header("accept", "application/json")
    }

    /// A header; its value is marked sensitive, so that no layer prints it. One that cannot be a header is left out.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            self.headers.insert(name, value);
        }
        self
    }

    /// The body: a form.
    #[must_use]
    pub fn form<'a>(mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.form = Some(Zeroizing::new(text));
        self
    }

    /// The body: JSON.
    #[must_use]
    pub fn json(self, value: &serde_json::Value) -> Self {
        self.body("application/json", value.to_string().into_bytes().into())
    }

    /// The body, sent as it is.
    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: Bytes) -> Self {
        self.body = Some((content_type, body));
        self
    }

    /// Adds to the query, which ends up in logs; only where nothing else works.
    #[must_use]
    pub fn query<'a>(mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.url.query_pairs_mut().extend_pairs(pairs);
        self
    }
}

/// What came back, whatever the status.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The whole body, no longer than [`HttpOptions::max_body`](crate::HttpOptions::max_body).
    pub body: Bytes,
    /// Who answered, for the log.
    pub host: String,
    /// The headers, as far as they are asked for by name.
    pub headers: HeaderMap,
}

impl Answer {
    /// A header, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
