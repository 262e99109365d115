//! Yandex' token and revocation endpoints, with its errors, two of which have spaces in them.

use std::time::Duration;

use axum::response::Response;
use serde_json::json;

use super::{Behind, CLIENT_ID, CLIENT_SECRET, Knobs};
use crate::{
    ask::Ask,
    credentials::Shown,
    grants::{Grant, Issued, proven},
    outside,
    reply::{self, oauth_error},
    server::{Shared, locked},
};

const YEAR: u64 = 31_536_000;
/// Tokens with a device id per person and app; the oldest ends silently.
const DEVICES: usize = 30;

impl Behind {
    pub(super) fn token(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        if let Some((status, error)) = locked(&shared.knobs).token_error.take() {
            return oauth_error(status, &error, "");
        }
        if !ask.query.is_empty() || ask.has_duplicates() {
            return oauth_error(400, "invalid_request", "parameters must be in the body, each once");
        }
        let form = ask.form();
        // A public client has PKCE instead of a secret.
        if let Some(refused) = refused_client(ask, form.contains_key("code_verifier")) {
            return refused;
        }
        match form.get("grant_type").map(String::as_str) {
            Some("authorization_code") => self.redeem(shared, ask),
            Some("refresh_token") => self.refresh(shared, ask),
            Some(_) => oauth_error(400, "unsupported_grant_type", "Unknown grant_type"),
            None => oauth_error(400, "invalid_request", "grant_type not specified"),
        }
    }

    fn redeem(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        let form = ask.form();
        let Some(code) = form.get("code").filter(|code| !code.is_empty()) else {
            return oauth_error(400, "invalid_request", "code not specified");
        };
        if code.len() != 22 {
            return oauth_error(400, "bad_verification_code", "Invalid code");
        }
        let now = shared.now();
        let Some(mut grant) = self.books.take_code(code, now) else {
            return oauth_error(400, "invalid_grant", "Code has expired");
        };
        let verifier = form.get("code_verifier").map(String::as_str);
        if !proven(grant.challenge.as_ref(), verifier) {
            return oauth_error(400, "invalid_grant", "code_verifier not matched");
        }
        grant.device_id = form.get("device_id").cloned().or(grant.device_id);
        let asked = grant.scope.clone();
        let knobs = shared.knobs();
        if let Some(scope) = knobs.granted_scope {
            grant.scope = scope;
        }
        let person = grant.person.key.clone();
        let bound = grant.device_id.is_some();
        let issued = self.books.issue(grant, Duration::from_secs(knobs.lifetime.unwrap_or(YEAR)), now);
        if bound {
            self.books.keep_newest(DEVICES, |i| i.grant.device_id.is_some() && i.grant.person.key == person);
        }
        answer(&issued, (issued.grant.scope != asked).then_some(&issued.grant), shared)
    }

    fn refresh(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        let form = ask.form();
        let Some(token) = form.get("refresh_token") else {
            return oauth_error(400, "invalid_request", "refresh_token not specified");
        };
        let Some(mut issued) = self.books.take_by_refresh_token(token) else {
            return oauth_error(400, "invalid_grant", "expired_token");
        };
        issued.refresh_token = format!("rt-{}", outside::random_text());
        let knobs = shared.knobs();
        if knobs.new_access_token_on_refresh {
            issued.access_token = format!("at-{}", outside::random_text());
            issued.expires = shared.now().plus(Duration::from_secs(knobs.lifetime.unwrap_or(YEAR)));
        }
        self.books.put(issued.clone());
        answer(&issued, None, shared)
    }

    pub(super) fn revoke(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        if let Some(refused) = refused_client(ask, false) {
            return refused;
        }
        let form = ask.form();
        let Some(token) = form.get("access_token") else {
            return oauth_error(400, "invalid_request", "access_token not specified");
        };
        match self.books.by_access_token(token, shared.now()) {
            None => oauth_error(400, "invalid_grant", "Token does not exist"),
            Some(issued) if issued.grant.device_id.is_none() => {
                oauth_error(400, "unsupported_token_type", "Token without a device cannot be revoked")
            }
            Some(_) => {
                self.books.end(token);
                reply::json(200, &json!({ "status": "ok" }))
            }
        }
    }
}

fn answer(issued: &Issued, narrower: Option<&Grant>, shared: &Shared<Knobs>) -> Response {
    let mut body = json!({
        "token_type": "bearer", "access_token": issued.access_token, "refresh_token": issued.refresh_token,
        "expires_in": (issued.expires.since(shared.now()) + Duration::from_millis(999)).as_secs(),
    });
    if let Some(grant) = narrower {
        body["scope"] = grant.scope.as_str().into();
    }
    reply::json(200, &body)
}

fn refused_client(ask: &Ask, public_is_fine: bool) -> Option<Response> {
    let shown = Shown::of(ask);
    if shown.is(CLIENT_ID, CLIENT_SECRET, public_is_fine) {
        return None;
    }
    Some(match shown {
        Shown::Malformed => oauth_error(400, "Malformed Authorization header", ""),
        Shown::Nothing => oauth_error(400, "Basic auth required", ""),
        Shown::Public(id) if id == CLIENT_ID => oauth_error(400, "Basic auth required", "client_secret not specified"),
        Shown::Public(_) => oauth_error(401, "invalid_client", "Client not found"),
        Shown::Secret(..) => oauth_error(401, "invalid_client", "Wrong client secret"),
    })
}
