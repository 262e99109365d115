//! Who is calling: the checked bearer token, and where the request comes from. What the caller may do is asked in
//! the services.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::{header, request::Parts};
use userd_model::{SessionId, UserId, text};
use userd_services::{Authenticated, Origin, Services};

use crate::{client_address::ClientAddress, extract::Bearer, problem::Problem, request_layer::note_user};

/// A handler's state that can authenticate.
pub trait HasServices: Send + Sync {
    /// The services.
    fn services(&self) -> &Services;
}

impl<T: HasServices + ?Sized> HasServices for Arc<T> {
    fn services(&self) -> &Services {
        self.as_ref().services()
    }
}

/// A caller with a good access token: a user or a service account.
pub struct Caller(pub Authenticated);

/// A signed-in user.
pub struct SignedInUser {
    /// Who.
    pub id: UserId,
    /// In which session.
    pub session: SessionId,
    /// The whole token.
    pub token: Authenticated,
}

/// Where the request comes from.
pub struct RequestOrigin(pub Origin);

impl<S: HasServices> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Bearer(token) = <Bearer as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        let authenticated = state.services().authenticate(&token).await?;
        if let Ok((user, _)) = authenticated.user() {
            note_user(user);
        }
        Ok(Self(authenticated))
    }
}

impl<S: HasServices> FromRequestParts<S> for SignedInUser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Caller(token) = Caller::from_request_parts(parts, state).await?;
        let (id, session) = token.user()?;
        Ok(Self { id, session, token })
    }
}

impl<S: HasServices> FromRequestParts<S> for RequestOrigin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let address = ClientAddress::from_request_parts(parts, state).await?;
        let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self(Origin {
            ip: Some(address.to_string()),
            network: address.limit_key(),
            user_agent: agent.and_then(text::user_agent),
        }))
    }
}
