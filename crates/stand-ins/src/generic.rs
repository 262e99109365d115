//! What an honest upstream of each kind answers, with knobs for what a test wants to be wrong.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use userd_jose::{Algorithm, SigningKey, sign_compact};
use userd_providers::Kind;

use super::{Ask, NONCE, Reply, client_id, now};

/// The knobs.
pub struct Behaviour {
    pub kind: Kind,
    pub base: String,
    /// `iss` of ID tokens.
    pub issuer: String,
    /// `aud` of ID tokens, `client_id` of user-info answers.
    pub client: Value,
    /// The stable id, wherever this kind has it.
    pub subject: Value,
    pub email: Option<&'static str>,
    pub email_verified: Option<Value>,
    pub nonce: Option<&'static str>,
    /// Seconds from now.
    pub issued: i64,
    pub expires: i64,
    /// More or other claims; null removes one.
    pub claims: Value,
    /// More or other members of the user-info answer; null removes one.
    pub info: Value,
    /// More or other members of the token answer; null removes one.
    pub token: Value,
    /// The key that signs, its name in the header, and the set that is published.
    pub key: SigningKey,
    pub header: Value,
    pub jwks: Value,
    /// Replaces the signed ID token.
    pub id_token: Option<String>,
    /// Replaces whole answers: path and reply.
    pub instead: Vec<(&'static str, Reply)>,
    /// More members of the discovery document.
    pub discovery: Value,
}

impl Behaviour {
    pub fn new(kind: Kind) -> Self {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let jwks = json!({ "keys": [key.verifying_key(Some("k1".into())).unwrap().to_jwk()] });
        let numeric = matches!(kind, Kind::Telegram | Kind::Github);
        Self {
            kind,
            base: String::new(),
            issuer: String::new(),
            client: client_id(kind).into(),
            subject: if numeric { json!(4242) } else { json!("4242") },
            email: Some("person@elsewhere.example"),
            email_verified: None,
            nonce: Some(NONCE),
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
        }
    }

    pub fn signs_with(&mut self, key: SigningKey, kid: &str, published: bool) {
        if published {
            self.jwks = json!({ "keys": [key.verifying_key(Some(kid.into())).unwrap().to_jwk()] });
        }
        self.header = json!({ "kid": kid });
        self.key = key;
    }

    pub fn claims(&self) -> Value {
        let mut claims = json!({
            "iss": self.issuer, "aud": self.client, "sub": self.subject, "email": self.email,
            "email_verified": self.email_verified, "nonce": self.nonce, "name": "A Person",
            "iat": now().seconds() + self.issued, "exp": now().seconds() + self.expires,
        });
        if self.kind == Kind::Telegram {
            claims["sub"] = json!("99887766554433");
            claims["id"] = self.subject.clone();
        }
        merged(claims, &self.claims)
    }

    pub fn sign(&self) -> String {
        self.id_token.clone().unwrap_or_else(|| sign_compact(&self.key, &self.header, &self.claims()).unwrap())
    }
}

/// `changes` over `base`; null removes.
pub fn merged(mut base: Value, changes: &Value) -> Value {
    let members = base.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        members.insert(name.clone(), value.clone());
    }
    members.retain(|_, value| !value.is_null());
    base
}

pub fn answer(behaviour: &mut Behaviour, ask: &Ask) -> Reply {
    if let Some((_, reply)) = behaviour.instead.iter().find(|(path, _)| *path == ask.path) {
        return reply.clone();
    }
    let b = &*behaviour;
    match ask.path.as_str() {
        "/.well-known/openid-configuration" => Reply::Json(200, discovery(b)),
        "/jwks" => Reply::Json(200, b.jwks.clone()),
        "/token" => token(b, ask),
        "/userinfo" => Reply::Json(200, userinfo(b)),
        "/userinfo/emails" => Reply::Json(200, github_emails(b)),
        "/revoke" => Reply::Json(200, json!({ "status": "ok" })),
        _ => Reply::Json(404, json!({ "message": "Not Found" })),
    }
}

fn discovery(b: &Behaviour) -> Value {
    let at = |path: &str| format!("{}{path}", b.base);
    let document = json!({
        "issuer": b.base, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "jwks_uri": at("/jwks"), "userinfo_endpoint": at("/userinfo"), "revocation_endpoint": at("/revoke"),
    });
    merged(document, &b.discovery)
}

fn token(b: &Behaviour, ask: &Ask) -> Reply {
    let form = ask.form();
    if form.get("grant_type").map(String::as_str) == Some("authorization_code")
        && form.get("code").map(String::as_str) != Some("good-code")
    {
        // GitHub, VK, Mail.ru and OK answer errors with status 200.
        let (status, error) = match b.kind {
            Kind::Github => (200, "bad_verification_code"),
            Kind::Vk | Kind::Mailru | Kind::Ok => (200, "invalid_grant"),
            _ => (400, "invalid_grant"),
        };
        return Reply::Json(status, json!({ "error": error, "error_description": "the code is used or old" }));
    }
    let mut answer = json!({
        "access_token": "at-1", "token_type": "bearer", "expires_in": 3600, "refresh_token": "rt-1",
    });
    match b.kind {
        Kind::Oidc | Kind::Google | Kind::Apple | Kind::Telegram => answer["id_token"] = b.sign().into(),
        Kind::Sber => answer["id_token"] = gost_token(b).into(),
        Kind::Vk => {
            answer["state"] = form.get("state").cloned().into();
            answer["user_id"] = json!(4242);
        }
        _ => {}
    }
    Reply::Json(200, merged(answer, &b.token))
}

/// A token whose signature nobody here can check.
fn gost_token(b: &Behaviour) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let token = format!("{}.{}.c2ln", encode(&json!({ "alg": "gost34.10-2012" })), encode(&b.claims()));
    b.id_token.clone().unwrap_or(token)
}

fn userinfo(b: &Behaviour) -> Value {
    let info = match b.kind {
        Kind::Yandex => json!({
            "id": b.subject, "client_id": b.client, "login": "person", "default_email": b.email, "psuid": "1.AAf.Q",
            "real_name": "A Person", "default_avatar_id": "131652443/abc-1", "is_avatar_empty": false,
            "birthday": "0000-12-23", "default_phone": { "id": 1, "number": "+79001234567" }, "sex": null,
        }),
        Kind::Vk => json!({ "user": merged(json!({
            "user_id": b.subject, "first_name": "A", "last_name": "Person", "phone": "79001234567", "email": b.email,
            "verified": true,
        }), &json!({})) }),
        Kind::Github => {
            json!({ "id": b.subject, "login": "person", "name": "A Person", "email": "public@claimed.example" })
        }
        Kind::Ok => json!({ "uid": b.subject, "name": "A Person", "email": b.email }),
        Kind::Mailru | Kind::Oauth2 => json!({
            "id": b.subject, "client_id": b.client, "email": b.email, "email_verified": b.email_verified,
            "name": "A Person",
        }),
        _ => json!({
            "sub": b.subject, "email": b.email, "email_verified": b.email_verified, "name": "A Person",
            "phone_number": "+79001234567",
        }),
    };
    merged(info, &b.info)
}

fn github_emails(b: &Behaviour) -> Value {
    let verified = b.email_verified.clone().unwrap_or(json!(false));
    match b.email {
        Some(email) => json!([
            { "email": "second@elsewhere.example", "primary": false, "verified": true },
            { "email": email, "primary": true, "verified": verified },
        ]),
        None => json!([]),
    }
}
