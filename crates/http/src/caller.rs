//! Who is calling: the checked bearer token, and where the request comes from. What the caller may do is asked in
//! the services.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::{header, request::Parts};
use userd_model::{SessionId, UserId, text};
use userd_services::{Authenticated, Origin};

use crate::{api::Api, client_address::ClientAddress, extract::Bearer, middleware::note_user, problem::Problem};

/// A caller with a good access token: a user or a service account.
pub(crate) struct Caller(pub Authenticated);

/// A signed-in user.
pub(crate) struct SignedInUser {
    /// Who.
    pub id: UserId,
    /// In which session.
    pub session: SessionId,
    /// The whole token.
    pub token: Authenticated,
}

/// Where the request comes from.
pub(crate) struct From(pub Origin);

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let Bearer(token) = <Bearer as FromRequestParts<Arc<Api>>>::from_request_parts(parts, api).await?;
        let authenticated = api.services.authenticate(&token).await?;
        if let Ok((user, _)) = authenticated.user() {
            note_user(user);
        }
        Ok(Self(authenticated))
    }
}

impl FromRequestParts<Arc<Api>> for SignedInUser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let Caller(token) = Caller::from_request_parts(parts, api).await?;
        let (id, session) = token.user()?;
        Ok(Self { id, session, token })
    }
}

impl FromRequestParts<Arc<Api>> for From {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let address = ClientAddress::from_request_parts(parts, api).await?;
        let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self(Origin {
            ip: Some(address.to_string()),
            network: address.limit_key(),
            user_agent: agent.and_then(text::user_agent),
        }))
    }
}
