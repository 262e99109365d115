//! An OpenID Connect provider: friendly as it starts, hostile in a fault mode (`fault_mode`).
//!
//! Discovery, authorization code with PKCE S256, `iss` in every answer (RFC 9207), user-info, refresh, revocation.

mod documents;
mod fault_mode;
mod tokens;

use std::sync::Arc;

use axum::{http::Method, response::Response};
use userd_jose::{Algorithm, JoseError, SigningKey};
use userd_model::Timestamp;

pub use self::fault_mode::FaultMode;
pub(crate) use self::fault_mode::half_hash;
use crate::{
    ask::Ask,
    consent::{Consent, ask_person},
    grants::{Books, Grant},
    outside, page, reply,
    server::{Behaviour, Options, Shared, StandIn, locked, serve},
    test_users::TestUser,
};

/// The registered client.
pub const CLIENT_ID: &str = "userd-at-a-friend";
/// Its secret.
pub const CLIENT_SECRET: &str = "friendly-secret-0123456789";

/// What can be made to differ.
#[derive(Clone, Debug, Default)]
pub struct Knobs {
    /// How it is hostile, if it is.
    pub fault_mode: Option<FaultMode>,
    /// Shows the choice of fault modes on its page.
    pub choose_by_hand: bool,
    /// Leaves e-mail and name out of ID tokens, so that only user-info tells them.
    pub bare_id_token: bool,
}

/// A running provider.
pub struct Oidc {
    stand_in: StandIn<Knobs>,
    behind: Arc<Behind>,
}

impl std::ops::Deref for Oidc {
    type Target = StandIn<Knobs>;

    fn deref(&self) -> &Self::Target {
        &self.stand_in
    }
}

/// Starts it, friendly.
pub async fn start(options: Options) -> std::io::Result<Oidc> {
    let knew = |e: JoseError| std::io::Error::other(e.to_string());
    let key = SigningKey::generate(Algorithm::ES256).map_err(knew)?;
    let stranger = SigningKey::generate(Algorithm::ES256).map_err(knew)?;
    let behind = Arc::new(Behind { books: Books::default(), key, stranger });
    let stand_in = serve(options, Knobs::default(), Arc::clone(&behind)).await?;
    Ok(Oidc { stand_in, behind })
}

/// Starts it with the choice of fault modes on its page.
pub async fn start_hostile(options: Options) -> std::io::Result<Oidc> {
    let oidc = start(options).await?;
    oidc.turn(|knobs| knobs.choose_by_hand = true);
    Ok(oidc)
}

impl Oidc {
    /// From now on hostile in this way, or friendly again.
    pub fn set_fault_mode(&self, fault_mode: Option<FaultMode>) {
        self.turn(|knobs| knobs.fault_mode = fault_mode);
    }

    /// An ID token for an app, as if it had signed in itself. Twists apply.
    #[must_use]
    pub fn id_token(&self, person: &str, nonce: Option<&str>) -> Option<String> {
        let shared = self.stand_in.shared();
        let mut grant = Behind::native_grant(self.person(person)?, shared.now());
        grant.nonce = nonce.map(str::to_owned);
        self.behind.id_token(shared, &grant, None)
    }
}

struct Behind {
    books: Books,
    /// Published.
    key: SigningKey,
    /// Never published, except beside the real one under the same name.
    stranger: SigningKey,
}

impl Behaviour<Knobs> for Behind {
    async fn answer(&self, shared: &Arc<Shared<Knobs>>, ask: &Ask) -> Response {
        let knobs = shared.knobs();
        if let Some(fault) = knobs.fault_mode.and_then(|fault_mode| fault_mode.fault(&ask.path, &shared.base_url))
            && let Some(answer) = fault.happen().await
        {
            return answer;
        }
        // Where redirects lead: whoever follows them gets honest answers there.
        let path = ask.path.strip_prefix("/elsewhere").unwrap_or(&ask.path);
        match (&ask.method, path) {
            (&Method::GET, "/.well-known/openid-configuration") => documents::discovery(shared, &knobs),
            (&Method::GET, "/jwks") => self.jwks(&knobs),
            (&Method::GET, "/authorize") => self.authorize(shared, &knobs, ask),
            (&Method::POST, "/token") => self.token(shared, ask),
            (&Method::GET | &Method::POST, "/userinfo") => self.userinfo(shared, &knobs, ask),
            (&Method::POST, "/revoke") => self.revoke(ask),
            (&Method::GET, "/fault-mode") => choose(shared, ask),
            _ => reply::not_found(),
        }
    }
}

impl Behind {
    fn authorize(&self, shared: &Shared<Knobs>, knobs: &Knobs, ask: &Ask) -> Response {
        let redirect_uri = ask.query_param("redirect_uri").filter(|uri| shared.registered(uri));
        let (Some(redirect_uri), Some(CLIENT_ID)) = (redirect_uri, ask.query_param("client_id").as_deref()) else {
            return page::problem("Friendly OpenID", "invalid_request: client_id or redirect_uri is not registered");
        };
        let state = ask.query_param("state").unwrap_or_default();
        let issuer = fault_mode::issuer_in_answer(knobs.fault_mode, &shared.base_url);
        let back = |name: &str, value: &str| {
            let mut pairs = vec![(name, value), ("state", &state)];
            pairs.extend(issuer.as_deref().map(|issuer| ("iss", issuer)));
            reply::redirect_with(&redirect_uri, &pairs)
        };
        let with_code = ask.query_param("response_type").as_deref() == Some("code");
        let scope = ask.query_param("scope").unwrap_or_default();
        if !with_code {
            return back("error", "unsupported_response_type");
        }
        if !scope.split(' ').any(|scope| scope == "openid") {
            return back("error", "invalid_scope");
        }
        let (title, more) = if knobs.choose_by_hand {
            ("Hostile OpenID", fault_mode::choice(knobs.fault_mode))
        } else {
            ("Friendly OpenID", String::new())
        };
        match ask_person(shared, ask, title, &more) {
            Consent::Asking(page) => page,
            Consent::Denied => back("error", "access_denied"),
            Consent::Given(person) => {
                let grant = Grant::of(ask, *person, shared.now());
                if grant.challenge.as_ref().is_none_or(|challenge| challenge.method() != "S256") {
                    return back("error", "invalid_request");
                }
                back("code", &self.books.new_code(grant))
            }
        }
    }

    fn native_grant(person: TestUser, now: Timestamp) -> Grant {
        Grant {
            person,
            redirect_uri: None,
            challenge: None,
            scope: "openid email profile".to_owned(),
            nonce: None,
            device_id: None,
            issued: now,
        }
    }
}

/// The stable subject of a person here.
pub(crate) fn subject(person: &TestUser) -> String {
    outside::sha256_text(&format!("friendly {}", person.number))
}

/// `/fault-mode?name=…` sets it; without a name, friendly again.
fn choose(shared: &Shared<Knobs>, ask: &Ask) -> Response {
    let chosen = ask.query_param("name").and_then(|name| FaultMode::parse(&name));
    let mut knobs = locked(&shared.knobs);
    if !knobs.choose_by_hand {
        return reply::not_found();
    }
    knobs.fault_mode = chosen;
    let now = chosen.map_or("friendly", FaultMode::as_str);
    page::page("Hostile OpenID", &format!("<p>Now / Теперь: <b>{now}</b></p>{}", fault_mode::choice(chosen)))
}
