//! The context of a request: where it comes from, in which request, and who acts, where a bearer token says so. What
//! the actor may do is asked in the services.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::{header, request::Parts};
use userd_model::{UserId, text};
use userd_services::{Authenticated, Context, RequestOrigin};

use crate::{
    api::Api, client_address::ClientAddress, extract::Bearer, middleware::note_user, problem::Problem,
    request_id::RequestId,
};

/// Anybody, known or not.
pub(crate) struct Visitor(pub Context);

/// A caller with a good access token: a user or a service account.
pub(crate) struct Caller(pub Context);

/// A signed-in user.
pub(crate) struct SignedInUser {
    /// Who.
    pub id: UserId,
    /// The context of what they do.
    pub ctx: Context,
}

/// The user that a token speaks for, where nothing else about the request matters.
pub(crate) struct TokenOwner(pub UserId);

impl FromRequestParts<Arc<Api>> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let address = ClientAddress::from_request_parts(parts, api).await?;
        let request_id = RequestId::from_request_parts(parts, api).await?;
        let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let origin = RequestOrigin {
            ip: Some(address.to_string()),
            network: address.limit_key(),
            user_agent: agent.and_then(text::user_agent),
        };
        Ok(Self(api.services.context().from_origin(origin).in_request(request_id.as_str())))
    }
}

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let token = authenticate(parts, api).await?;
        let Visitor(ctx) = Visitor::from_request_parts(parts, api).await?;
        Ok(Self(ctx.authenticated(token)))
    }
}

impl FromRequestParts<Arc<Api>> for SignedInUser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let Caller(ctx) = Caller::from_request_parts(parts, api).await?;
        let (id, _) = ctx.user()?;
        Ok(Self { id, ctx })
    }
}

impl FromRequestParts<Arc<Api>> for TokenOwner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        Ok(Self(authenticate(parts, api).await?.user()?.0))
    }
}

async fn authenticate(parts: &mut Parts, api: &Arc<Api>) -> Result<Authenticated, Problem> {
    let Bearer(token) = <Bearer as FromRequestParts<Arc<Api>>>::from_request_parts(parts, api).await?;
    let authenticated = api.services.authenticate(&token).await?;
    if let Ok((user, _)) = authenticated.user() {
        note_user(user);
    }
    Ok(authenticated)
}
