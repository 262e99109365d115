//! Bodies as they came, for those who read them by rules of another room (the answers of providers, the updates of a
//! bot).

use axum::extract::{FromRequest, Request};
use bytes::Bytes;

use super::json::{read_body, require_media_type};
use crate::problem::Problem;

/// An `application/x-www-form-urlencoded` body, unread. Refusals: 408, 413, 415.
#[derive(Clone, Debug)]
pub struct RawForm(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for RawForm {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        require_media_type(request.headers(), "application/x-www-form-urlencoded")?;
        Ok(Self(read_body(request.into_body()).await?))
    }
}

/// An `application/json` body, unread. Refusals: 408, 413, 415.
#[derive(Clone, Debug)]
pub struct RawJson(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for RawJson {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        require_media_type(request.headers(), "application/json")?;
        Ok(Self(read_body(request.into_body()).await?))
    }
}

/// A body of whatever media type, unread. Refusals: 408, 413.
#[derive(Clone, Debug)]
pub struct RawBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        Ok(Self(read_body(request.into_body()).await?))
    }
}
