//! Path parameters. What cannot be an id names nothing: 404, the same as an unknown id.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::problem::Problem;

/// Path parameters as `T`: an id type, a `String`, or a tuple in path order. Parameters named `id` or `…_id` must be
/// UUIDs in their hyphenated form; one thing has one address.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let raw = RawPathParams::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        if raw.iter().any(|(name, value)| is_id(name) && !is_canonical_uuid(value)) {
            return Err(Problem::not_found());
        }
        let axum::extract::Path(value) =
            axum::extract::Path::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        Ok(Self(value))
    }
}

fn is_id(name: &str) -> bool {
    name == "id" || name.ends_with("_id")
}

fn is_canonical_uuid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}
