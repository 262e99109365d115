//! The context of a request: where it comes from, in which request, and who acts, where a bearer token says so. What
//! the actor may do is asked in the services.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::{header, request::Parts};
use userd_model::{UserId, text};
use userd_services::{Authenticated, Context, RequestOrigin, Services};

use crate::{
    client_address::ClientAddress, extract::Bearer, problem::Problem, request_id::RequestId, request_layer::note_user,
};

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

/// Anybody, known or not.
pub struct Visitor(pub Context);

/// Anybody; known where an access token is sent, which must then be good.
pub struct AnyCaller(pub Context);

/// A caller with a good access token: a user or a service account.
pub struct Caller(pub Context);

/// A signed-in user.
pub struct SignedInUser {
    /// Who.
    pub id: UserId,
    /// The context of what they do.
    pub ctx: Context,
}

/// The user that a token speaks for, where nothing else about the request matters.
pub struct TokenOwner(pub UserId);

impl<S: HasServices> FromRequestParts<S> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let address = ClientAddress::from_request_parts(parts, state).await?;
        let request_id = RequestId::from_request_parts(parts, state).await?;
        let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let origin = RequestOrigin {
            ip: Some(address.to_string()),
            network: address.limit_key(),
            user_agent: agent.and_then(text::user_agent),
        };
        Ok(Self(state.services().context().from_origin(origin).in_request(request_id.as_str())))
    }
}

impl<S: HasServices> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let token = authenticate(parts, state).await?;
        let Visitor(ctx) = Visitor::from_request_parts(parts, state).await?;
        Ok(Self(ctx.authenticated(token)))
    }
}

impl<S: HasServices> FromRequestParts<S> for AnyCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if parts.headers.contains_key(header::AUTHORIZATION) {
            let Caller(ctx) = Caller::from_request_parts(parts, state).await?;
            return Ok(Self(ctx));
        }
        let Visitor(ctx) = Visitor::from_request_parts(parts, state).await?;
        Ok(Self(ctx))
    }
}

impl<S: HasServices> FromRequestParts<S> for SignedInUser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Caller(ctx) = Caller::from_request_parts(parts, state).await?;
        let (id, _) = ctx.user()?;
        Ok(Self { id, ctx })
    }
}

impl<S: HasServices> FromRequestParts<S> for TokenOwner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self(authenticate(parts, state).await?.user()?.0))
    }
}

async fn authenticate<S: HasServices>(parts: &mut Parts, state: &S) -> Result<Authenticated, Problem> {
    let Bearer(token) = <Bearer as FromRequestParts<S>>::from_request_parts(parts, state).await?;
    let authenticated = state.services().authenticate(&token).await?;
    if let Ok((user, _)) = authenticated.user() {
        note_user(user);
    }
    Ok(authenticated)
}
