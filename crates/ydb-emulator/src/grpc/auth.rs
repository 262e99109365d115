//! Login with a name and a password.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tonic::{Request, Response, Status, async_trait};
use ydb_grpc::ydb_proto::{
    auth::{LoginRequest, LoginResponse, LoginResult},
    status_ids::StatusCode,
};

use super::{Node, operation};
use crate::{failure::Failure, faults::Phase, locked, stubs::auth::auth_service_server::AuthService};

/// Seconds that a token is good for, as its claims say; clients renew by that.
const TOKEN_LASTS: u64 = 12 * 3_600;

#[async_trait]
impl AuthService for Node {
    async fn login(&self, request: Request<LoginRequest>) -> Result<Response<LoginResponse>, Status> {
        let login = self.enter("Auth/Login", request)?;
        let outcome = self
            .scripted(Phase::Login, || {
                let known = self.server.options.credentials.as_ref();
                let right = known.is_some_and(|(user, password)| *user == login.user && *password == login.password);
                if !right {
                    return Err(Failure::new(StatusCode::Unauthorized, 0, "Invalid user or password"));
                }
                let token = token(&login.user, self.server.clock.now() / 1_000_000, self.server.next_number());
                locked(&self.server.tokens).insert(token.clone());
                Ok(LoginResult { token })
            })
            .await?;
        Ok(Response::new(LoginResponse { operation: operation("Auth.LoginResult", outcome) }))
    }
}

/// A JWT in form: clients read when it ends, nobody verifies it but by remembering it.
fn token(user: &str, now: u64, number: u64) -> String {
    let part = |claims: serde_json::Value| URL_SAFE_NO_PAD.encode(claims.to_string());
    let header = part(serde_json::json!({ "alg": "PS256", "typ": "JWT" }));
    let claims = part(serde_json::json!({
        "aud": ["/local"], "sub": user, "iat": now, "exp": now + TOKEN_LASTS, "jti": number.to_string(),
    }));
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode("emulated"))
}
