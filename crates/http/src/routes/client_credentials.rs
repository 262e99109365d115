//! How a service shows who it is on `/oauth2/*`: HTTP Basic authentication or form fields, one of them in a request
//! (RFC 6749 section 2.3). Deliberately absent: whether id and secret are right; services compare them.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::{header, request::Parts};
use userd_model::{Actor, Refusal};
use userd_services::{RequestOrigin, clients::Clients};
use userd_web::{caller::Caller, extract::BasicAuth, problem::Problem};

use crate::api::Api;

const ONE_METHOD: Refusal =
    Refusal::Malformed("authenticate in one way only: HTTP Basic, a bearer token or form fields");

/// What of a client's credentials stands in the form.
pub(super) struct FormCredentials {
    id: Option<String>,
    secret: Option<String>,
}

impl FormCredentials {
    /// A field without a value counts as left out (RFC 6749 section 3.2).
    pub(super) fn new(id: Option<String>, secret: Option<String>) -> Self {
        let given = |field: &String| !field.is_empty();
        Self { id: id.filter(given), secret: secret.filter(given) }
    }

    /// The id and secret that are shown beside this `Authorization` header, if any are. An id alone proves nothing and
    /// is no second method, but it must not name another client.
    ///
    /// # Errors
    /// `Malformed` for two methods, `InvalidClient` for a secret of nobody.
    pub(super) fn beside(self, basic: Option<BasicAuth>) -> Result<Option<BasicAuth>, Refusal> {
        match (basic, self.id, self.secret) {
            (Some(_), _, Some(_)) => Err(ONE_METHOD),
            (Some(basic), Some(id), None) if id != basic.client_id => Err(ONE_METHOD),
            (Some(basic), _, None) => Ok(Some(basic)),
            (None, Some(client_id), Some(secret)) => Ok(Some(BasicAuth { client_id, client_secret: secret.into() })),
            (None, None, Some(_)) => Err(Refusal::InvalidClient),
            (None, _, None) => Ok(None),
        }
    }
}

/// Who asks about a token: a service by Basic authentication or form fields, or anybody by bearer token.
pub(super) enum Asker {
    Basic(BasicAuth),
    Bearer(Box<Caller>),
    Nobody,
}

impl FromRequestParts<Arc<Api>> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let scheme = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        match scheme.and_then(|value| value.split(' ').next()) {
            None => Ok(Self::Nobody),
            Some(scheme) if scheme.eq_ignore_ascii_case("bearer") => {
                Ok(Self::Bearer(Box::new(Caller::from_request_parts(parts, api).await?)))
            }
            Some(_) => {
                let basic = <BasicAuth as FromRequestParts<Arc<Api>>>::from_request_parts(parts, api);
                Ok(Self::Basic(basic.await?))
            }
        }
    }
}

impl Asker {
    pub(super) async fn actor(
        self,
        api: &Api,
        origin: &RequestOrigin,
        form: FormCredentials,
    ) -> Result<Actor, Problem> {
        let basic = match self {
            Self::Bearer(_) if form.secret.is_some() => return Err(ONE_METHOD.into()),
            Self::Bearer(caller) => return Ok(caller.0.actor),
            Self::Basic(basic) => Some(basic),
            Self::Nobody => None,
        };
        let shown = form.beside(basic)?.ok_or(Refusal::InvalidClient)?;
        let client = api.services.clients.authenticate(&shown.client_id, &shown.client_secret, origin).await?;
        Ok(Clients::actor(&client))
    }
}
