//! Yandex ID: a page, codes, tokens that live for a year, user-info as JSON and as a JWT. Not OpenID Connect: no
//! discovery, no ID token, no `iss` in the answer.
//!
//! Pinned assumptions, since the documentation is silent: an unregistered `redirect_uri` is a page and no redirect;
//! the texts of the revocation's errors; a used refresh token is gone.

mod info;
mod tokens;

use std::sync::Arc;

use axum::{http::Method, response::Response};

use crate::{
    ask::Ask,
    consent::{Consent, ask_person},
    grants::{Books, Challenge, Grant},
    page, reply,
    server::{Behaviour, Options, Shared, StandIn, serve},
};

/// The registered client.
pub const CLIENT_ID: &str = "23cabbbdc6cd418abb4b39c32c41195d";
/// Its secret.
pub const CLIENT_SECRET: &str = "0123456789abcdef0123456789abcdef";

/// What can be made to differ.
#[derive(Clone, Debug, Default)]
pub struct Knobs {
    /// `client_id` in user-info answers: a token of another app.
    pub client_id_in_info: Option<String>,
    /// Grants these scopes only; the token answer then says so.
    pub granted_scope: Option<String>,
    /// Refreshing gives a new access token; otherwise the same one comes back.
    pub new_access_token_on_refresh: bool,
    /// The next token call is answered with this status and `error`, such as `Basic auth required`.
    pub token_error: Option<(u16, String)>,
    /// The lifetime of tokens, in seconds. Default: a year.
    pub lifetime: Option<u64>,
    /// User-info leaves these members out.
    pub missing_in_info: Vec<String>,
}

/// A running Yandex.
pub type Yandex = StandIn<Knobs>;

/// Starts it: `/authorize`, `/token`, `/revoke_token`, `/info`.
pub async fn start(options: Options) -> std::io::Result<Yandex> {
    serve(options, Knobs::default(), Arc::new(Behind { books: Books::default() })).await
}

struct Behind {
    books: Books,
}

impl Behaviour<Knobs> for Behind {
    async fn answer(&self, shared: &Arc<Shared<Knobs>>, ask: &Ask) -> Response {
        match (&ask.method, ask.path.as_str()) {
            (&Method::GET, "/authorize") => self.authorize(shared, ask),
            (&Method::POST, "/token") => self.token(shared, ask),
            (&Method::POST, "/revoke_token") => self.revoke(shared, ask),
            (&Method::GET, "/info") => self.info(shared, ask),
            // A password change there: every token of the person ends.
            (&Method::GET, "/forget") => {
                let who = ask.query_param("person").unwrap_or_default();
                self.books.end_all_of(&who);
                page::page("Yandex ID", "<p>All tokens ended. Все токены отозваны.</p>")
            }
            _ => reply::not_found(),
        }
    }
}

impl Behind {
    fn authorize(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        let redirect_uri = ask.query_param("redirect_uri").or_else(|| shared.redirect_uris.first().cloned());
        let (Some(redirect_uri), None) = (redirect_uri, page_problem(shared, ask)) else {
            return page_problem(shared, ask)
                .unwrap_or_else(|| page::problem("Yandex ID", "invalid_request: redirect_uri"));
        };
        let state = ask.query_param("state");
        let back = |pairs: &[(&str, &str)]| {
            let state = state.as_deref().map(|state| ("state", state));
            reply::redirect_with(&redirect_uri, &pairs.iter().copied().chain(state).collect::<Vec<_>>())
        };
        match ask_person(shared, ask, "Yandex ID", "") {
            Consent::Asking(page) => page,
            Consent::Denied => {
                back(&[("error", "access_denied"), ("error_description", "The user denied access to the application")])
            }
            Consent::Given(person) => {
                let mut grant = Grant::of(ask, *person, shared.now());
                grant.scope = [Some(grant.scope), ask.query_param("optional_scope")]
                    .into_iter()
                    .flatten()
                    .filter(|scope| !scope.is_empty())
                    .collect::<Vec<_>>()
                    .join(" ");
                back(&[("code", &self.books.new_code(grant))])
            }
        }
    }
}

/// What Yandex shows as a page instead of redirecting.
fn page_problem(shared: &Shared<Knobs>, ask: &Ask) -> Option<Response> {
    let told = |what: &str| Some(page::problem("Yandex ID", what));
    if ask.query_param("client_id").as_deref() != Some(CLIENT_ID) {
        return told("unauthorized_client: unknown client_id");
    }
    if ask.query_param("response_type").as_deref() != Some("code") {
        return told("unsupported_response_type");
    }
    if ask.query_param("redirect_uri").is_some_and(|uri| !shared.registered(&uri)) {
        return told("redirect_uri does not match the Callback URL of the application");
    }
    if ask.query_pairs().iter().any(|(name, value)| name == "scope" && value.is_empty()) {
        return told("invalid_scope: an empty scope");
    }
    let device_is_fine = |id: &String| (6..=50).contains(&id.len()) && id.bytes().all(|b| matches!(b, 0x20..=0x7e));
    if ask.query_param("device_id").is_some_and(|id| !device_is_fine(&id)) {
        return told("invalid_request: device_id must be 6 to 50 printable ASCII characters");
    }
    let method_is_known = |challenge: Challenge| matches!(challenge.method(), "S256" | "PLAIN");
    if Challenge::of(ask).is_some_and(|challenge| !method_is_known(challenge)) {
        return told("invalid_request: code_challenge_method");
    }
    let known = |hint: String| {
        crate::server::locked(&shared.users)
            .iter()
            .any(|p| p.username.as_ref() == Some(&hint) || p.email.as_ref() == Some(&hint) || p.key == hint)
    };
    if ask.query_param("login_hint").is_some_and(|hint| !known(hint)) {
        return told("login_hint: there is no such account");
    }
    None
}
