//! A provider of any kind, reduced to the members that its answers must have: each can be changed, taken away or signed
//! by somebody else. For the cases that every kind must withstand; what the brands really do is in their own files.

use std::sync::Arc;

use axum::response::Response;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use userd_jose::{Algorithm, JoseError, SigningKey, sign_compact};
use userd_model::Timestamp;

use crate::{
    ask::Ask,
    reply::{self, Fault},
    server::{Behaviour, Options, Shared, StandIn, locked, serve},
};

/// What can be made to differ. Honest as it starts.
pub struct Knobs {
    /// The kind's name, as in the service's configuration.
    pub kind: &'static str,
    /// Its own address.
    pub base: String,
    /// When its tokens are issued.
    pub now: Timestamp,
    /// `iss` of ID tokens.
    pub issuer: String,
    /// `aud` of ID tokens, `client_id` of user-info answers.
    pub client: Value,
    /// The stable id, wherever this kind has it.
    pub subject: Value,
    /// The address, if it tells one.
    pub email: Option<&'static str>,
    /// Whether it says that the address was proven.
    pub email_verified: Option<Value>,
    /// The nonce in ID tokens.
    pub nonce: Option<&'static str>,
    /// `iat`, in seconds from now.
    pub issued: i64,
    /// `exp`, in seconds from now.
    pub expires: i64,
    /// More or other claims; null removes one.
    pub claims: Value,
    /// More or other members of the user-info answer; null removes one.
    pub info: Value,
    /// More or other members of the token answer; null removes one.
    pub token: Value,
    /// The key that signs.
    pub key: SigningKey,
    /// The header of ID tokens, which names the key.
    pub header: Value,
    /// The keys that are published.
    pub jwks: Value,
    /// Replaces the signed ID token.
    pub id_token: Option<String>,
    /// Replaces whole answers: path and answer.
    pub instead: Vec<(&'static str, Fault)>,
    /// More members of the discovery document.
    pub discovery: Value,
}

/// Starts an honest one. `kind` is the kind's name in the service's configuration.
pub async fn start(kind: &'static str, options: Options) -> std::io::Result<StandIn<Knobs>> {
    let now = options.clock.now();
    let knobs = Knobs::new(kind, now).map_err(|e| std::io::Error::other(e.to_string()))?;
    let stand_in = serve(options, knobs, Arc::new(Generic)).await?;
    let base = stand_in.base_url.clone();
    stand_in.turn(|knobs| {
        knobs.issuer.clone_from(&base);
        knobs.base = base;
    });
    Ok(stand_in)
}

impl Knobs {
    fn new(kind: &'static str, now: Timestamp) -> Result<Self, JoseError> {
        let key = SigningKey::generate(Algorithm::ES256)?;
        let jwks = published(&key, "k1");
        let numeric = matches!(kind, "telegram" | "github");
        Ok(Self {
            kind,
            now,
            base: String::new(),
            issuer: String::new(),
            client: "our-client".into(),
            subject: if numeric { json!(4242) } else { json!("4242") },
            email: Some("person@elsewhere.example"),
            email_verified: None,
            nonce: None,
            issued: 0,
            expires: 3600,
            claims: json!({}),
            info: json!({}),
            token: json!({}),
            key,
            header: json!({ "kid": "k1", "typ": "JWT" }),
            jwks,
            id_token: None,
            instead: Vec::new(),
            discovery: json!({}),
        })
    }

    /// From now on signs with this key under this name, which is told to everybody or to nobody.
    pub fn signs_with(&mut self, key: SigningKey, kid: &str, told: bool) {
        if told {
            self.jwks = published(&key, kid);
        }
        self.header = json!({ "kid": kid });
        self.key = key;
    }

    /// What its ID tokens say.
    #[must_use]
    pub fn claims(&self) -> Value {
        let mut claims = json!({
            "iss": self.issuer, "aud": self.client, "sub": self.subject, "email": self.email,
            "email_verified": self.email_verified, "nonce": self.nonce, "name": "A Person",
            "iat": self.now.seconds() + self.issued, "exp": self.now.seconds() + self.expires,
        });
        if self.kind == "telegram" {
            claims["sub"] = json!("99887766554433");
            claims["id"] = self.subject.clone();
        }
        merged(claims, &self.claims)
    }

    /// An ID token.
    #[must_use]
    pub fn sign(&self) -> String {
        let signed = || sign_compact(&self.key, &self.header, &self.claims()).unwrap_or_default();
        self.id_token.clone().unwrap_or_else(signed)
    }
}

fn published(key: &SigningKey, kid: &str) -> Value {
    let jwk = key.verifying_key(Some(kid.to_owned())).map_or(Value::Null, |key| key.to_jwk());
    json!({ "keys": [jwk] })
}

/// `changes` over `base`; null removes.
#[must_use]
pub fn merged(base: Value, changes: &Value) -> Value {
    let mut members = base.as_object().cloned().unwrap_or_default();
    members.extend(changes.as_object().cloned().unwrap_or_default());
    members.retain(|_, value| !value.is_null());
    Value::Object(members)
}

struct Generic;

impl Behaviour<Knobs> for Generic {
    async fn answer(&self, shared: &Arc<Shared<Knobs>>, ask: &Ask) -> Response {
        let instead = locked(&shared.knobs).instead.iter().find(|(path, _)| *path == ask.path).cloned();
        if let Some((_, fault)) = instead
            && let Some(answer) = fault.happen().await
        {
            return answer;
        }
        honest(&locked(&shared.knobs), ask)
    }
}

fn honest(knobs: &Knobs, ask: &Ask) -> Response {
    match ask.path.as_str() {
        "/.well-known/openid-configuration" => reply::json(200, &discovery(knobs)),
        "/jwks" => reply::json(200, &knobs.jwks),
        "/token" => token(knobs, ask),
        "/userinfo" => reply::json(200, &userinfo(knobs)),
        "/userinfo/emails" => reply::json(200, &github_emails(knobs)),
        "/revoke" => reply::json(200, &json!({ "status": "ok" })),
        _ => reply::not_found(),
    }
}

fn discovery(knobs: &Knobs) -> Value {
    let at = |path: &str| format!("{}{path}", knobs.base);
    let document = json!({
        "issuer": knobs.base, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "jwks_uri": at("/jwks"), "userinfo_endpoint": at("/userinfo"), "revocation_endpoint": at("/revoke"),
    });
    merged(document, &knobs.discovery)
}

fn token(knobs: &Knobs, ask: &Ask) -> Response {
    let form = ask.form();
    if form.get("grant_type").map(String::as_str) == Some("authorization_code")
        && form.get("code").map(String::as_str) != Some("good-code")
    {
        // GitHub, VK, Mail.ru and OK answer errors with status 200.
        let (status, error) = match knobs.kind {
            "github" => (200, "bad_verification_code"),
            "vk" | "mailru" | "ok" => (200, "invalid_grant"),
            _ => (400, "invalid_grant"),
        };
        return reply::oauth_error(status, error, "the code is used or old");
    }
    let mut answer = json!({
        "access_token": "at-1", "token_type": "bearer", "expires_in": 3600, "refresh_token": "rt-1",
    });
    match knobs.kind {
        "oidc" | "google" | "apple" | "telegram" => answer["id_token"] = knobs.sign().into(),
        "sber" => answer["id_token"] = gost_token(knobs).into(),
        "vk" => {
            answer["state"] = form.get("state").cloned().into();
            answer["user_id"] = json!(4242);
        }
        _ => {}
    }
    reply::json(200, &merged(answer, &knobs.token))
}

/// A token whose signature nobody here can check.
fn gost_token(knobs: &Knobs) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let token = format!("{}.{}.c2ln", encode(&json!({ "alg": "gost34.10-2012" })), encode(&knobs.claims()));
    knobs.id_token.clone().unwrap_or(token)
}

fn userinfo(knobs: &Knobs) -> Value {
    let info = match knobs.kind {
        "yandex" => json!({
            "id": knobs.subject, "client_id": knobs.client, "login": "person", "default_email": knobs.email,
            "psuid": "1.AAf.Q", "real_name": "A Person", "default_avatar_id": "131652443/abc-1", "is_avatar_empty": false,
            "birthday": "0000-12-23", "default_phone": { "id": 1, "number": "+79001234567" }, "sex": null,
        }),
        "vk" => json!({ "user": merged(json!({
            "user_id": knobs.subject, "first_name": "A", "last_name": "Person", "phone": "79001234567",
            "email": knobs.email, "verified": true,
        }), &json!({})) }),
        "github" => {
            json!({ "id": knobs.subject, "login": "person", "name": "A Person", "email": "public@claimed.example" })
        }
        "ok" => json!({ "uid": knobs.subject, "name": "A Person", "email": knobs.email }),
        "mailru" | "oauth2" => json!({
            "id": knobs.subject, "client_id": knobs.client, "email": knobs.email, "email_verified": knobs.email_verified,
            "name": "A Person",
        }),
        _ => json!({
            "sub": knobs.subject, "email": knobs.email, "email_verified": knobs.email_verified, "name": "A Person",
            "phone_number": "+79001234567",
        }),
    };
    merged(info, &knobs.info)
}

fn github_emails(knobs: &Knobs) -> Value {
    let verified = knobs.email_verified.clone().unwrap_or(json!(false));
    match knobs.email {
        Some(email) => json!([
            { "email": "second@elsewhere.example", "primary": false, "verified": true },
            { "email": email, "primary": true, "verified": verified },
        ]),
        None => json!([]),
    }
}
