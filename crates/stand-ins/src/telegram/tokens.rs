//! Telegram's token endpoint and ID tokens: an opaque `sub`, the numeric `id` with scope `profile`, a phone without a
//! plus, never an address.

use std::time::Duration;

use axum::response::Response;
use serde_json::json;
use userd_jose::sign_compact;

use super::{BOT_ID, Behind, CLIENT_SECRET, Knobs, NonceEcho};
use crate::{
    ask::Ask,
    credentials::Shown,
    grants::{Grant, proven},
    outside,
    reply::{self, oauth_error},
    server::Shared,
};

const HOUR: Duration = Duration::from_secs(3600);

impl Behind {
    pub(super) fn token(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        let form = ask.form();
        let field = |name: &str| form.get(name).map(String::as_str);
        if field("grant_type") != Some("authorization_code") {
            return reply::json(400, &json!({ "error": "unsupported_grant_type" }));
        }
        // The native SDK sends its id and a verifier, and no secret.
        if !Shown::of(ask).is(BOT_ID, CLIENT_SECRET, field("code_verifier").is_some()) {
            return reply::json(401, &json!({ "error": "invalid_client" }));
        }
        let now = shared.now();
        let Some(mut grant) = self.books.take_code(field("code").unwrap_or_default(), now) else {
            return oauth_error(400, "invalid_grant", "code invalid");
        };
        let same_redirect = grant.redirect_uri.as_deref() == field("redirect_uri");
        if !same_redirect || !proven(grant.challenge.as_ref(), field("code_verifier")) {
            return oauth_error(400, "invalid_grant", "redirect_uri or code_verifier invalid");
        }
        match shared.knobs().nonce {
            NonceEcho::Present => {}
            NonceEcho::Absent => grant.nonce = None,
            NonceEcho::Wrong => grant.nonce = Some("another-nonce".to_owned()),
        }
        let issued = self.books.issue(grant, HOUR, now);
        reply::json(
            200,
            &json!({
                "access_token": issued.access_token, "token_type": "Bearer", "expires_in": HOUR.as_secs(),
                "id_token": self.id_token(shared, &issued.grant),
            }),
        )
    }

    pub(super) fn id_token(&self, shared: &Shared<Knobs>, grant: &Grant) -> Option<String> {
        let (knobs, person, now) = (shared.knobs(), &grant.person, shared.now());
        let mut claims = json!({
            "iss": shared.base_url, "aud": if knobs.other_audience { "999999" } else { BOT_ID },
            "sub": outside::opaque_number(&format!("telegram {}", person.number)).to_string(),
            "iat": now.seconds(), "exp": now.plus(HOUR).seconds(),
        });
        if grant.has_scope("profile") {
            if !knobs.no_numeric_id {
                claims["id"] = person.number.into();
            }
            claims["name"] = person.name().into();
            if let Some(username) = &person.username {
                claims["preferred_username"] = username.as_str().into();
            }
            if person.avatar {
                claims["picture"] = format!("https://t.me/i/userpic/320/{}.jpg", person.key).into();
            }
        }
        if let Some(phone) = person.phone.as_ref().filter(|_| grant.has_scope("phone")) {
            claims["phone_number"] = phone.trim_start_matches('+').into();
        }
        if let Some(nonce) = &grant.nonce {
            claims["nonce"] = nonce.as_str().into();
        }
        let (key, kid) = self.keys.of(knobs.algorithm);
        sign_compact(key, &json!({ "kid": kid, "typ": "JWT" }), &claims).ok()
    }
}
