//! The OpenID provider's tokens: exchange, refresh, revocation, ID tokens and user-info.

use std::time::Duration;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use userd_jose::sign_compact;

use super::{Behind, CLIENT_ID, CLIENT_SECRET, FaultMode, Knobs, documents, fault_mode, subject};
use crate::{
    ask::Ask,
    credentials::Shown,
    grants::{Grant, Issued, proven},
    outside,
    reply::{self, oauth_error},
    server::Shared,
    test_users::TestUser,
};

const HOUR: Duration = Duration::from_secs(3600);

impl Behind {
    pub(super) fn token(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        let form = ask.form();
        if !Shown::of(ask).is(CLIENT_ID, CLIENT_SECRET, false) {
            return oauth_error(401, "invalid_client", "unknown client or wrong secret");
        }
        let field = |name: &str| form.get(name).map(String::as_str);
        let now = shared.now();
        match field("grant_type") {
            Some("authorization_code") => {
                let Some(grant) = self.books.take_code(field("code").unwrap_or_default(), now) else {
                    return oauth_error(400, "invalid_grant", "the code is unknown, used or old");
                };
                let same_redirect = grant.redirect_uri.as_deref() == field("redirect_uri");
                if !same_redirect || !proven(grant.challenge.as_ref(), field("code_verifier")) {
                    return oauth_error(400, "invalid_grant", "redirect_uri or code_verifier");
                }
                let issued = self.books.issue(grant, HOUR, now);
                self.answer(shared, &issued)
            }
            Some("refresh_token") => {
                let Some(mut issued) = self.books.take_by_refresh_token(field("refresh_token").unwrap_or_default())
                else {
                    return oauth_error(400, "invalid_grant", "the refresh token is unknown or used");
                };
                issued.access_token = format!("at-{}", outside::random_text());
                issued.refresh_token = format!("rt-{}", outside::random_text());
                issued.expires = now.plus(HOUR);
                issued.grant.nonce = None;
                self.books.put(issued.clone());
                self.answer(shared, &issued)
            }
            _ => oauth_error(400, "unsupported_grant_type", ""),
        }
    }

    fn answer(&self, shared: &Shared<Knobs>, issued: &Issued) -> Response {
        let mut body = json!({
            "token_type": "Bearer", "access_token": issued.access_token, "refresh_token": issued.refresh_token,
            "expires_in": HOUR.as_secs(), "scope": issued.grant.scope,
        });
        if shared.knobs().fault_mode != Some(FaultMode::NoIdToken) {
            body["id_token"] = self.id_token(shared, &issued.grant, Some(&issued.access_token)).into();
        }
        reply::json(200, &body)
    }

    /// An ID token, after the fault mode went over it.
    pub(super) fn id_token(&self, shared: &Shared<Knobs>, grant: &Grant, access_token: Option<&str>) -> Option<String> {
        let knobs = shared.knobs();
        let now = shared.now();
        let mut claims = if knobs.bare_id_token { json!({}) } else { about(grant, knobs.fault_mode) };
        claims["iss"] = shared.base_url.as_str().into();
        claims["aud"] = CLIENT_ID.into();
        claims["sub"] = subject(&grant.person).into();
        claims["iat"] = now.seconds().into();
        claims["auth_time"] = grant.issued.seconds().into();
        claims["exp"] = now.plus(HOUR).seconds().into();
        if let Some(nonce) = &grant.nonce {
            claims["nonce"] = nonce.as_str().into();
        }
        if let Some(token) = access_token {
            claims["at_hash"] = fault_mode::half_hash(token).into();
        }
        let header = json!({ "kid": documents::KID, "typ": "JWT" });
        match knobs.fault_mode {
            None => sign_compact(&self.key, &header, &claims).ok(),
            Some(fault_mode) => fault_mode.sign(&self.key, &self.stranger, header, claims),
        }
    }

    pub(super) fn userinfo(&self, shared: &Shared<Knobs>, knobs: &Knobs, ask: &Ask) -> Response {
        let token = ask.authorization("Bearer");
        let Some(issued) = token.and_then(|token| self.books.by_access_token(&token, shared.now())) else {
            let challenge = [(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")];
            return (StatusCode::UNAUTHORIZED, challenge).into_response();
        };
        let mut info = about(&issued.grant, knobs.fault_mode);
        info["sub"] = match knobs.fault_mode {
            Some(FaultMode::UserinfoAboutSomebodyElse) => "somebody-else".into(),
            _ => subject(&issued.grant.person).into(),
        };
        reply::json(200, &info)
    }

    /// RFC 7009: 200 whatever the token was.
    pub(super) fn revoke(&self, ask: &Ask) -> Response {
        if !Shown::of(ask).is(CLIENT_ID, CLIENT_SECRET, false) {
            return oauth_error(401, "invalid_client", "");
        }
        self.books.end(ask.form().get("token").map_or("", String::as_str));
        StatusCode::OK.into_response()
    }
}

/// Claims by scope.
fn about(grant: &Grant, fault_mode: Option<FaultMode>) -> Value {
    let person: &TestUser = &grant.person;
    let mut claims = json!({});
    if grant.has_scope("profile") {
        claims["name"] = person.name().into();
        claims["given_name"] = person.first_name.as_str().into();
        claims["family_name"] = person.last_name.as_str().into();
        claims["preferred_username"] = person.username.clone().into();
        claims["locale"] = person.locale.as_str().into();
        if person.avatar {
            claims["picture"] = format!("https://pictures.example/{}.png", person.key).into();
        }
    }
    if let Some(email) =
        person.email.as_ref().filter(|_| grant.has_scope("email") && fault_mode != Some(FaultMode::NoEmail))
    {
        claims["email"] = email.as_str().into();
        claims["email_verified"] = (person.email_verified && fault_mode != Some(FaultMode::UnverifiedEmail)).into();
    }
    if let Some(phone) = person.phone.as_ref().filter(|_| grant.has_scope("phone")) {
        claims["phone_number"] = phone.as_str().into();
    }
    if let Some(members) = claims.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    claims
}
