//! GitHub: errors with status 200, form-encoded answers unless JSON is asked for, a list of addresses, and the call
//! that tells whose a token is. Not OpenID Connect.

use std::{sync::Arc, time::Duration};

use axum::{
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{
    ask::Ask,
    consent::{Consent, ask_person},
    credentials::Shown,
    grants::{Books, Challenge, Grant, Issued, proven},
    page, reply,
    server::{Behaviour, Options, Shared, StandIn, serve},
    test_users::TestUser,
};

/// The registered app.
pub const CLIENT_ID: &str = "Iv1.8a61f9b3a7aba766";
/// Its secret.
pub const CLIENT_SECRET: &str = "github-secret-0123456789abcdef0123456789";
/// Tokens of OAuth apps do not expire by themselves.
const LIFE: Duration = Duration::from_secs(10 * 366 * 86_400);

/// What can be made to differ.
#[derive(Clone, Debug, Default)]
pub struct Knobs {
    /// The check of a token answers for another app.
    pub other_app_in_check: bool,
    /// The person hides their address: only the no-reply one is listed.
    pub no_reply_only: bool,
}

/// A running GitHub.
pub type Github = StandIn<Knobs>;

/// Starts it: `/login/oauth/*`, `/user`, `/user/emails`, `/applications/<id>/token`.
pub async fn start(options: Options) -> std::io::Result<Github> {
    serve(options, Knobs::default(), Arc::new(Behind { books: Books::default() })).await
}

struct Behind {
    books: Books,
}

impl Behaviour<Knobs> for Behind {
    async fn answer(&self, shared: &Arc<Shared<Knobs>>, ask: &Ask) -> Response {
        let check = format!("/applications/{CLIENT_ID}/token");
        match (&ask.method, ask.path.as_str()) {
            (&Method::GET, "/login/oauth/authorize") => self.authorize(shared, ask),
            (&Method::POST, "/login/oauth/access_token") => self.token(shared, ask),
            (&Method::GET, "/user") => {
                self.as_user(shared, ask, |issued| reply::json(200, &user(&issued.grant.person)))
            }
            (&Method::GET, "/user/emails") => self.as_user(shared, ask, |issued| emails(shared, issued)),
            (&Method::POST | &Method::DELETE, path) if path == check => self.check(shared, ask),
            _ => reply::not_found(),
        }
    }
}

impl Behind {
    fn authorize(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        if ask.query_param("client_id").as_deref() != Some(CLIENT_ID) {
            return reply::not_found();
        }
        let redirect_uri = ask.query_param("redirect_uri").or_else(|| shared.redirect_uris.first().cloned());
        let Some(redirect_uri) = redirect_uri.filter(|uri| shared.registered(uri)) else {
            return page::problem("GitHub", "redirect_uri_mismatch");
        };
        // Plain challenges are refused, absent ones are not.
        if Challenge::of(ask).is_some_and(|challenge| challenge.method() != "S256") {
            return page::problem("GitHub", "code_challenge_method must be S256");
        }
        let state = ask.query_param("state").unwrap_or_default();
        match ask_person(shared, ask, "GitHub", "") {
            Consent::Asking(page) => page,
            Consent::Denied => reply::redirect_with(
                &redirect_uri,
                &[
                    ("error", "access_denied"),
                    ("error_description", "The user has denied your application access."),
                    ("state", &state),
                ],
            ),
            Consent::Given(person) => {
                let code = self.books.new_code(Grant::of(ask, *person, shared.now()));
                reply::redirect_with(&redirect_uri, &[("code", &code), ("state", &state)])
            }
        }
    }

    fn token(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        let form = ask.form();
        let field = |name: &str| form.get(name).map(String::as_str);
        let wants_json = ask.header("accept").is_some_and(|accept| accept.contains("json"));
        let answer = |pairs: &[(&str, &str)]| {
            if wants_json {
                let members = pairs.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
                reply::json(200, &Value::Object(members.collect()))
            } else {
                reply::form(200, pairs)
            }
        };
        let refused = |error: &str, text: &str| answer(&[("error", error), ("error_description", text)]);
        if !Shown::of(ask).is(CLIENT_ID, CLIENT_SECRET, false) {
            let text = "The client_id and/or client_secret passed are incorrect.";
            return refused("incorrect_client_credentials", text);
        }
        let now = shared.now();
        let Some(grant) = self.books.take_code(field("code").unwrap_or_default(), now) else {
            return refused("bad_verification_code", "The code passed is incorrect or expired.");
        };
        if field("redirect_uri").is_some() && grant.redirect_uri.as_deref() != field("redirect_uri") {
            let text = "The redirect_uri MUST match the registered callback URL for this application.";
            return refused("redirect_uri_mismatch", text);
        }
        if grant.challenge.is_some() && !proven(grant.challenge.as_ref(), field("code_verifier")) {
            return refused("bad_verification_code", "The code_verifier is incorrect.");
        }
        let issued = self.books.issue(grant, LIFE, now);
        let scope = issued.grant.scope.replace(' ', ",");
        answer(&[("access_token", &issued.access_token), ("scope", &scope), ("token_type", "bearer")])
    }

    fn as_user(&self, shared: &Shared<Knobs>, ask: &Ask, answer: impl FnOnce(&Issued) -> Response) -> Response {
        if ask.header("user-agent").is_none_or(str::is_empty) {
            let text =
                "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.";
            return reply::text(403, text.to_owned());
        }
        let token = ask.authorization("Bearer").or_else(|| ask.authorization("token"));
        match token.and_then(|token| self.books.by_access_token(&token, shared.now())) {
            Some(issued) => answer(&issued),
            None => reply::json(401, &json!({ "message": "Bad credentials", "status": "401" })),
        }
    }

    /// Whose a token is, or its end; the app proves itself with its secret.
    fn check(&self, shared: &Shared<Knobs>, ask: &Ask) -> Response {
        if ask.header("authorization").is_none() || !Shown::of(ask).is(CLIENT_ID, CLIENT_SECRET, false) {
            return reply::not_found();
        }
        let token = ask.json()["access_token"].as_str().unwrap_or_default().to_owned();
        let Some(issued) = self.books.by_access_token(&token, shared.now()) else { return reply::not_found() };
        if ask.method == Method::DELETE {
            self.books.end(&token);
            return StatusCode::NO_CONTENT.into_response();
        }
        let app = if shared.knobs().other_app_in_check { "Iv1.another" } else { CLIENT_ID };
        let scopes: Vec<&str> = issued.grant.scope.split(' ').filter(|scope| !scope.is_empty()).collect();
        let app = json!({ "name": "userd", "client_id": app });
        reply::json(
            200,
            &json!({ "id": 1, "token": token, "scopes": scopes, "app": app, "user": user(&issued.grant.person) }),
        )
    }
}

fn user(person: &TestUser) -> Value {
    json!({
        "login": person.username.clone().unwrap_or_else(|| format!("user-{}", person.number)), "id": person.number,
        "node_id": format!("U_{}", person.number), "type": "User", "name": person.name(),
        "avatar_url": format!("https://avatars.githubusercontent.example/u/{}?v=4", person.number),
        // The public one is whatever the person wrote there.
        "email": person.email.as_ref().map(|_| format!("public-{}@example.com", person.key)),
    })
}

/// Only with its scope, as if it did not exist otherwise.
fn emails(shared: &Shared<Knobs>, issued: &Issued) -> Response {
    let person = &issued.grant.person;
    if !issued.grant.has_scope("user:email") && !issued.grant.has_scope("user") {
        return reply::not_found();
    }
    let no_reply = format!("{}+{}@users.noreply.github.com", person.number, person.key);
    let entry = |email: &str, primary: bool, verified: bool| {
        let visibility = if primary { json!("private") } else { Value::Null };
        json!({ "email": email, "primary": primary, "verified": verified, "visibility": visibility })
    };
    let real = person.email.as_ref().filter(|_| !shared.knobs().no_reply_only);
    let mut list = vec![entry(&no_reply, real.is_none(), true)];
    list.extend(real.map(|email| entry(email, true, person.email_verified)));
    reply::json(200, &list.into())
}
