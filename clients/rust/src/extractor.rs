//! In axum: who calls, as an argument of a handler; and errors as answers.

use std::{ops::Deref, sync::Arc};

use axum::{
    extract::{FromRef, FromRequestParts},
    response::{IntoResponse, Response},
};
use http::{header, request::Parts};

use crate::{Error, Token, Userd};

/// Who calls: from the layer in front, else verified here. The state is a [`Userd`], or has one (`FromRef`).
#[derive(Clone, Debug)]
pub struct Caller(pub Arc<Token>);

impl Deref for Caller {
    type Target = Token;

    fn deref(&self) -> &Token {
        &self.0
    }
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Userd: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        if let Some(token) = parts.extensions.get::<Arc<Token>>() {
            return Ok(Self(Arc::clone(token)));
        }
        let shown = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        Userd::from_ref(state).authenticate(shown).await.map(Self)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.to_response()
    }
}
