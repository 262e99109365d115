//! Sign in with Apple: a callback by cross-site POST, booleans as text, a client secret that the client signs, and the
//! person's name once, at the first consent, unsigned.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use userd_jose::{Algorithm, Compact, SigningKey, VerifyingKey, sign_compact};

use crate::{
    ask::Ask,
    consent::{Consent, ask_person},
    grants::{Books, Grant, Issued, proven},
    oidc::half_hash,
    outside, page,
    reply::{self, oauth_error},
    server::{Behaviour, Options, Shared, StandIn, locked, serve},
    telegram::rsa_2048,
    test_users::TestUser,
};

/// The registered services id.
pub const CLIENT_ID: &str = "com.example.userd";
/// The developer team.
pub const TEAM_ID: &str = "TEAM123456";
/// The id of the team's key.
pub const KEY_ID: &str = "KEY1234567";
/// The name of Apple's own key.
const KID: &str = "apple-1";
const HOUR: Duration = Duration::from_secs(3600);
/// The longest life of a client secret: six months.
const HALF_YEAR: i64 = 15_777_000;

/// What can be made to differ.
#[derive(Clone, Copy, Debug, Default)]
pub struct Knobs {
    /// `email_verified` and `is_private_email` are booleans instead of text.
    pub real_booleans: bool,
    /// ID tokens carry another nonce.
    pub wrong_nonce: bool,
    /// Sends `user` with every consent, not only the first.
    pub name_every_time: bool,
}

/// A running Apple.
pub struct Apple {
    stand_in: StandIn<Knobs>,
    behind: Arc<Behind>,
    private_key_pem: String,
}

impl std::ops::Deref for Apple {
    type Target = StandIn<Knobs>;

    fn deref(&self) -> &Self::Target {
        &self.stand_in
    }
}

/// Starts it: `/auth/authorize`, `/auth/token`, `/auth/keys`, `/auth/revoke`.
pub async fn start(options: Options) -> std::io::Result<Apple> {
    let wrong = |e: userd_jose::JoseError| std::io::Error::other(e.to_string());
    let developer = SigningKey::generate(Algorithm::ES256).map_err(wrong)?;
    let der = developer.to_pkcs8().map_err(wrong)?;
    let label = "PRIVATE KEY";
    let private_key_pem =
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der.as_slice()));
    let behind = Arc::new(Behind {
        books: Books::default(),
        key: rsa_2048().map_err(wrong)?,
        developer: developer.verifying_key(Some(KEY_ID.to_owned())).map_err(wrong)?,
        consented: Mutex::new(BTreeSet::new()),
    });
    let stand_in = serve(options, Knobs::default(), Arc::clone(&behind)).await?;
    Ok(Apple { stand_in, behind, private_key_pem })
}

impl Apple {
    /// The `.p8` file that the developer downloaded, for `private_key`. New at every start.
    #[must_use]
    pub fn private_key_pem(&self) -> &str {
        &self.private_key_pem
    }

    /// An identity token as the system hands it to an app.
    #[must_use]
    pub fn id_token(&self, person: &str, nonce: Option<&str>) -> Option<String> {
        let shared = self.stand_in.shared();
        let grant = Grant {
            person: self.person(person)?,
            redirect_uri: None,
            challenge: None,
            scope: "name email".to_owned(),
            nonce: nonce.map(str::to_owned),
            device_id: None,
            issued: shared.now(),
        };
        self.behind.id_token(shared, &grant, None)
    }
}

struct Behind {
    books: Books,
    key: SigningKey,
    developer: VerifyingKey,
    consented: Mutex<BTreeSet<String>>,
}

impl Behaviour<Knobs> for Behind {
    async fn answer(&self, shared: &Arc<Shared<Knobs>>, ask: &Ask) -> Response {
        match (&ask.method, ask.path.as_str()) {
            (&Method::GET, "/auth/authorize") => self.authorize(shared, ask),
            (&Method::POST, "/auth/token") => self.token(shared, ask),
            (&Method::POST, "/auth/revoke") => {
                if !self.is_client(shared, ask) {
                    return oauth_error(400, "invalid_client", "");
                }
                self.books.end(ask.form().get("token").map_or("", String::as_str));
                StatusCode::OK.into_response()
            }
            (&Method::GET, "/auth/keys") => {
                let key = self.key.verifying_key(Some(KID.to_owned())).map_or(Value::Null, |key| key.to_jwk());
                reply::json(200, &json!({ "keys": [key] }))
            }
            _ => reply::not_found(),
        }
    }
}

impl Behind {
    fn authorize(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        let told = |what: &str| page::problem("Apple", what);
        let redirect_uri = ask.query_param("redirect_uri").filter(|uri| shared.registered(uri));
        let (Some(redirect_uri), Some(CLIENT_ID)) = (redirect_uri, ask.query_param("client_id").as_deref()) else {
            return told("invalid_client or invalid redirect_uri");
        };
        let mode = ask.query_param("response_mode").unwrap_or_else(|| "query".to_owned());
        if ask.query_param("scope").is_some() && mode != "form_post" {
            return told("response_mode must be form_post when name or email scope is requested");
        }
        let state = ask.query_param("state").unwrap_or_default();
        let back = |fields: &[(&str, &str)]| {
            let fields: Vec<_> = fields.iter().copied().chain([("state", state.as_str())]).collect();
            if mode == "form_post" {
                page::form_post(&redirect_uri, &fields)
            } else {
                reply::redirect_with(&redirect_uri, &fields)
            }
        };
        match ask_person(shared, ask, "Apple", "") {
            Consent::Asking(page) => page,
            Consent::Denied => back(&[("error", "user_cancelled_authorize")]),
            Consent::Given(person) => {
                let first = locked(&self.consented).insert(person.key.clone()) || shared.knobs().name_every_time;
                let user = user_field(&person);
                let grant = Grant::of(ask, *person, shared.now());
                let wants_name = grant.has_scope("name");
                let code = self.books.new_code(grant);
                let mut fields = vec![("code", code.as_str())];
                if first && wants_name {
                    fields.push(("user", &user));
                }
                back(&fields)
            }
        }
    }

    /// Whether `client_secret` is the team's JWT: ES256 by the named key, for Apple, not for more than six months.
    fn is_client(&self, shared: &Shared<Knobs>, ask: &Ask) -> bool {
        let form = ask.form();
        let Some(secret) =
            form.get("client_secret").filter(|_| form.get("client_id").is_some_and(|id| id == CLIENT_ID))
        else {
            return false;
        };
        let Ok(token) = Compact::parse(secret, 4096) else { return false };
        if token.header().kid.as_deref() != Some(KEY_ID) {
            return false;
        }
        let Ok(claims) = token.verify_claims(&self.developer) else { return false };
        let is = |name: &'static str, value: &str| claims.text(name).ok().flatten() == Some(value);
        let expires = claims.seconds("exp").ok().flatten().unwrap_or_default();
        let now = shared.now().seconds();
        let lives = expires > now && expires <= now + HALF_YEAR;
        lives && is("iss", TEAM_ID) && is("sub", CLIENT_ID) && is("aud", &shared.base_url)
    }

    fn token(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        if !self.is_client(shared, ask) {
            return oauth_error(400, "invalid_client", "");
        }
        let form = ask.form();
        let field = |name: &str| form.get(name).map(String::as_str);
        let now = shared.now();
        match field("grant_type") {
            Some("authorization_code") => {
                let Some(grant) = self.books.take_code(field("code").unwrap_or_default(), now) else {
                    return oauth_error(400, "invalid_grant", "The code has expired or has been revoked.");
                };
                let proven = grant.challenge.is_none() || proven(grant.challenge.as_ref(), field("code_verifier"));
                if grant.redirect_uri.as_deref() != field("redirect_uri") || !proven {
                    return oauth_error(400, "invalid_grant", "redirect_uri or code_verifier");
                }
                let issued = self.books.issue(grant, HOUR, now);
                self.answer(shared, &issued, true)
            }
            Some("refresh_token") => {
                let Some(mut issued) = self.books.take_by_refresh_token(field("refresh_token").unwrap_or_default())
                else {
                    return oauth_error(400, "invalid_grant", "");
                };
                issued.access_token = format!("at-{}", outside::random_text());
                self.books.put(issued.clone());
                // The refresh token stays, and is not repeated.
                self.answer(shared, &issued, false)
            }
            _ => oauth_error(400, "unsupported_grant_type", ""),
        }
    }

    fn answer(&self, shared: &Shared<Knobs>, issued: &Issued, first: bool) -> Response {
        let mut body = json!({
            "access_token": issued.access_token, "token_type": "Bearer", "expires_in": HOUR.as_secs(),
            "id_token": self.id_token(shared, &issued.grant, Some(&issued.access_token)),
        });
        if first {
            body["refresh_token"] = issued.refresh_token.as_str().into();
        }
        reply::json(200, &body)
    }

    fn id_token(&self, shared: &Shared<Knobs>, grant: &Grant, access_token: Option<&str>) -> Option<String> {
        let (knobs, now, person) = (shared.knobs(), shared.now(), &grant.person);
        let boolean = |truth: bool| if knobs.real_booleans { Value::Bool(truth) } else { truth.to_string().into() };
        let mut claims = json!({
            "iss": shared.base_url, "aud": CLIENT_ID, "sub": subject(person), "iat": now.seconds(),
            "exp": now.plus(HOUR * 24).seconds(), "auth_time": grant.issued.seconds(), "nonce_supported": true,
        });
        if grant.has_scope("email") {
            // Who has no address, or hides it, has one at the relay.
            let relay = format!("{}@privaterelay.appleid.com", outside::opaque_number(&person.key));
            claims["email"] = person.email.clone().unwrap_or(relay).into();
            claims["email_verified"] = boolean(true);
            if person.email.is_none() {
                claims["is_private_email"] = boolean(true);
            }
        }
        if let Some(nonce) = &grant.nonce {
            claims["nonce"] = if knobs.wrong_nonce { "another-nonce" } else { nonce }.into();
        }
        if let Some(token) = access_token {
            claims["at_hash"] = half_hash(token).into();
        }
        sign_compact(&self.key, &json!({ "kid": KID }), &claims).ok()
    }
}

fn subject(person: &TestUser) -> String {
    format!("001234.{:032x}.0456", outside::opaque_number(&format!("{TEAM_ID} {}", person.number)))
}

fn user_field(person: &TestUser) -> String {
    let mut user = json!({ "name": { "firstName": person.first_name, "lastName": person.last_name } });
    if let Some(email) = &person.email {
        user["email"] = email.as_str().into();
    }
    user.to_string()
}
