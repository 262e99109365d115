//! The fields of a form, as the gate has read them. Deliberately absent: what they must be; services say that.

use std::{convert::Infallible, sync::Arc};

use axum::extract::FromRequestParts;
use http::request::Parts;
use url::form_urlencoded;

/// The field that binds a form to its browser.
pub(crate) const TOKEN: &str = "form_token";

/// The fields of a form. No Debug: some are secrets.
#[derive(Clone, Default)]
pub(crate) struct Fields(Arc<Vec<(String, String)>>);

impl Fields {
    pub(crate) fn parse(body: &[u8]) -> Self {
        Self(Arc::new(form_urlencoded::parse(body).into_owned().collect()))
    }

    /// What a form that was not sent yet is filled in with.
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(Arc::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()))
    }

    /// The same with this version: whoever is told that something was changed meanwhile sends the next try over that change.
    pub(crate) fn over(&self, version: i64) -> Self {
        let others = self.0.iter().filter(|(name, _)| name != "version").cloned();
        Self(Arc::new(others.chain([("version".to_owned(), version.to_string())]).collect()))
    }

    /// The field's text; empty where it is not there.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Every value of a field that may come often, as boxes do.
    pub(crate) fn texts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Fields {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
