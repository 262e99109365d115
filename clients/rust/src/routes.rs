//! What services ask of userd: what somebody may do, what an account is, and any other route.

use http::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    Error, Reason, Token, Userd,
    calls::{Call, escaped},
    error::unavailable,
};

/// How many questions one call may have.
const MOST_CHECKS: usize = 1_000;

/// May this user do that?
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// The user's id.
    pub subject: String,
    /// The permission.
    pub permission: String,
}

/// Whether somebody may, and why.
#[derive(Clone, Debug, Deserialize)]
pub struct Decision {
    /// Whether.
    pub allowed: bool,
    /// Why.
    pub reason: String,
}

/// An account: what `GET /v1/users/{id}` answers.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the members of the contract's User, documented there")]
pub struct User {
    pub id: String,
    /// `active`, `blocked` or `deleted`.
    pub status: String,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub email_verified: bool,
    #[serde(default)]
    pub display_name: Option<String>,
    #[serde(default)]
    pub locale: Option<String>,
    #[serde(default)]
    pub roles: Vec<String>,
}

#[derive(Deserialize)]
struct Allowed {
    allowed: bool,
}

#[derive(Deserialize)]
struct Decisions {
    results: Vec<Decision>,
}

#[derive(Deserialize)]
struct Introspection {
    active: bool,
    #[serde(default)]
    jti: String,
}

impl Userd {
    /// Whether this user may do that, as the service knows now (it needs `permissions.check`).
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unavailable`].
    pub async fn check(&self, subject: &str, permission: &str) -> Result<bool, Error> {
        let question = json!({ "subject": subject, "permission": permission });
        let said: Allowed = self.call(Method::POST, "/v1/permissions/check", Some(question)).await?;
        Ok(said.allowed)
    }

    /// Several questions in one call, or one for each thousand.
    ///
    /// # Errors
    /// As for `check`.
    pub async fn check_many(&self, checks: &[Check]) -> Result<Vec<Decision>, Error> {
        let mut decisions = Vec::with_capacity(checks.len());
        for some in checks.chunks(MOST_CHECKS) {
            let question = json!({ "checks": some });
            let said: Decisions = self.call(Method::POST, "/v1/permissions/check", Some(question)).await?;
            if said.results.len() != some.len() {
                return Err(unavailable("not an answer about permissions"));
            }
            decisions.extend(said.results);
        }
        Ok(decisions)
    }

    /// An account; none where there is no such (it needs `users.read`).
    ///
    /// # Errors
    /// As for `check`.
    pub async fn user(&self, id: &str) -> Result<Option<User>, Error> {
        let path = format!("/v1/users/{}", escaped(id));
        match self.call(Method::GET, &path, None).await {
            Err(Error::Refused { status: 404, .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Any route of userd's, with the own token: a body is sent as JSON.
    ///
    /// # Errors
    /// As for `check`.
    pub async fn call<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<Value>) -> Result<T, Error> {
        self.inner.calls.ask(Call::of(method, path, body)).await?.read()
    }
}

impl crate::userd::Inner {
    /// Asks the service about a token.
    pub(crate) async fn introspect(&self, text: &str, token: &Token) -> Result<(), Error> {
        let call = Call::form("/oauth2/introspect", vec![("token", text.to_owned())]);
        let said: Introspection = self.calls.call(&call).await?.read()?;
        if said.active && said.jti == token.token_id { Ok(()) } else { Err(Reason::Revoked.into()) }
    }
}
