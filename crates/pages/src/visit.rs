//! One visit: who it is, the context of what they do, the language, and how a page is made for them.

use std::{
    convert::Infallible,
    ops::Deref,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    extract::{FromRequestParts, MatchedPath},
    response::{IntoResponse, Redirect, Response},
};
use http::{header, request::Parts};
use userd_model::{Actor, Permission, Refusal};
use userd_services::{Context, InBrowser, UserView};
use userd_web::{
    Problem, cookies,
    problem::{Language, page},
};

use crate::{
    browser_cookies::{self, BACK, DEVICE, FORM, LAST_WAY, NO_PASSKEY, SESSION, STEP, WAY},
    policy,
    site::Site,
    texts::{self, Texts},
};

pub(crate) use userd_web::cookies::local;

/// One visit. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Visit(Arc<Visited>);

/// What is known of a visit.
pub(crate) struct Visited {
    pub(crate) site: Arc<Site>,
    /// Who acts, for services.
    pub(crate) ctx: Context,
    /// Who is signed in.
    pub(crate) account: Option<UserView>,
    pub(crate) language: Language,
    /// What pages say, in that language.
    pub(crate) texts: &'static Texts,
    /// For the hidden field of forms.
    pub(crate) form_token: String,
    /// The path and query that are visited.
    pub(crate) here: String,
    /// Where a page shows this again: elsewhere than `here` where that is for forms alone.
    pub(crate) shown_at: String,
    /// Where a form that was sent leads.
    pub(crate) going_on: OnceLock<String>,
    /// What is carried through a few pages: cookies and their values.
    pub(crate) carried: Vec<(&'static str, String)>,
    /// From an earlier sign-in in this browser.
    pub(crate) device_token: Option<String>,
    /// Which way somebody last came in by in this browser.
    pub(crate) last_way: Option<String>,
    /// Somebody has said here that they want no passkey.
    pub(crate) wants_no_passkey: bool,
    /// The session's cookie once more, where it lives longer now.
    pub(crate) renewed: Option<(String, Duration)>,
    /// What forms are bound to, where the browser had nothing.
    pub(crate) new_form_secret: Option<String>,
    /// Notifications that were not read, on pages of the account.
    pub(crate) unread: i64,
    /// The application that sent the visitor to a task of the account: where it wants them back.
    pub(crate) back: Option<String>,
    /// Whether it did so just now.
    pub(crate) came_from_app: bool,
    /// A cookie came that stands for no session.
    pub(crate) has_dead_cookie: bool,
}

impl Visited {
    pub(crate) fn of_user(
        site: &Arc<Site>,
        parts: &Parts,
        ctx: Context,
        account: UserView,
        secret: &str,
        renewed: Option<Duration>,
    ) -> Self {
        let form_token = site.services.form_token(secret);
        let renewed = renewed.map(|life| (secret.to_owned(), life));
        Self { account: Some(account), form_token, renewed, ..Self::plain(site, parts, ctx) }.in_language(parts)
    }

    pub(crate) fn of_nobody(site: &Arc<Site>, parts: &Parts, ctx: Context, has_dead_cookie: bool) -> Self {
        let known = browser_cookies::read(&parts.headers, FORM).filter(|secret| secret.len() == 43);
        let new_form_secret = known.is_none().then(|| site.services.mint_form_secret().to_string());
        let bound = known.or(new_form_secret.as_deref()).unwrap_or_default();
        let form_token = site.services.form_token(bound);
        Self { form_token, new_form_secret, has_dead_cookie, ..Self::plain(site, parts, ctx) }.in_language(parts)
    }

    fn plain(site: &Arc<Site>, parts: &Parts, ctx: Context) -> Self {
        let here = parts.uri.path_and_query().map_or_else(|| "/".to_owned(), |path| path.as_str().to_owned());
        let template = parts.extensions.get::<MatchedPath>().map_or(here.as_str(), MatchedPath::as_str);
        let shown_at = policy::shown_at(template, &here).to_owned();
        let carried = |name| Some((name, browser_cookies::read(&parts.headers, name)?.to_owned()));
        let carried = [STEP, WAY].into_iter().filter_map(carried).collect();
        let kept = |name| browser_cookies::read(&parts.headers, name).map(str::to_owned);
        // Only where sign-ins may lead too.
        let is_listed = |url: &String| site.services.return_to().contains(url);
        let asked = asked_back(parts).filter(is_listed);
        let came_from_app = asked.is_some();
        let back =
            asked.or_else(|| cookies::field(browser_cookies::read(&parts.headers, BACK)?, "to").filter(is_listed));
        Self {
            site: Arc::clone(site),
            ctx: ctx.on_device(kept(DEVICE)),
            account: None,
            language: Language::English,
            texts: texts::of(Language::English),
            form_token: String::new(),
            here,
            shown_at,
            going_on: OnceLock::new(),
            carried,
            device_token: kept(DEVICE),
            last_way: kept(LAST_WAY),
            wants_no_passkey: kept(NO_PASSKEY).is_some(),
            renewed: None,
            new_form_secret: None,
            unread: 0,
            came_from_app,
            back,
            has_dead_cookie: false,
        }
    }

    /// Says where a form leads: its page, when it is shown anew as in another language, leads there too. A form is in no address.
    pub(crate) fn goes_on_to(&self, next: &str) {
        if next != "/account" {
            let _once = self.going_on.set(next.to_owned());
        }
    }

    /// The one that was chosen here, else the account's, else the browser's.
    fn in_language(self, parts: &Parts) -> Self {
        let of_account = || self.account.as_ref().and_then(|account| account.locale.as_deref()).map(Language::of_tag);
        let chosen = page::chosen_language(&parts.headers).or_else(of_account);
        let language = chosen.unwrap_or_else(|| page::language(&parts.headers));
        Self { language, texts: texts::of(language), ..self }
    }

    /// As HTML and HTTP name the language.
    pub(crate) const fn tag(&self) -> &'static str {
        match self.language {
            Language::English => "en",
            Language::Russian => "ru",
        }
    }

    /// Whether the visitor holds a permission: for what is shown, never in place of what services ask.
    pub(crate) fn holds(&self, permission: &Permission) -> bool {
        matches!(&self.ctx.actor, Actor::User { permissions, .. } if permissions.contains(permission))
    }
}

/// The `return_to` with which a task of the account was opened.
fn asked_back(parts: &Parts) -> Option<String> {
    let query = parts.uri.query().filter(|_| parts.uri.path().starts_with("/account"))?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "return_to").map(|(_, value)| value.into_owned())
}

impl Visit {
    pub(crate) fn new(visited: Visited) -> Self {
        Self(Arc::new(visited))
    }

    /// Who is signed in, on a page that only they see.
    pub(crate) fn must_have_account(&self) -> Result<&UserView, Problem> {
        self.account.as_ref().ok_or_else(|| Refusal::NotSignedIn.into())
    }

    /// A field of something that is carried through a few pages.
    pub(crate) fn carried(&self, cookie: &str, field: &str) -> Option<String> {
        let value = self.carried.iter().find(|(name, _)| *name == cookie).map(|(_, value)| value)?;
        cookies::field(value, field)
    }

    /// Sends the browser on, within this site.
    pub(crate) fn go(to: &str) -> Response {
        Redirect::to(local(to).unwrap_or("/")).into_response()
    }

    /// Signs the browser in: its cookies, and on.
    pub(crate) fn signed_in(held: &InBrowser, to: &str) -> Response {
        Self::signed_in_with(held, Self::go(to))
    }

    /// The same with another answer than to go on.
    pub(crate) fn signed_in_with(held: &InBrowser, mut answer: Response) -> Response {
        let device = held.device_token.as_deref().and_then(browser_cookies::device);
        // What forms were bound to before ends with what they were for.
        let (session, form) = (browser_cookies::session(&held.secret, held.expires_in), browser_cookies::removed(FORM));
        let cookies = [session, form, device, browser_cookies::removed(STEP), browser_cookies::removed(WAY)];
        for cookie in cookies.into_iter().flatten() {
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
        answer
    }

    /// Signs the browser out. What it kept of the pages it saw goes too (Clear-Site-Data).
    pub(crate) fn signed_out(to: &str) -> Response {
        let mut answer = Self::go(to);
        for cookie in [SESSION, BACK].into_iter().filter_map(browser_cookies::removed) {
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
        let cache = http::HeaderValue::from_static("\"cache\"");
        answer.headers_mut().insert(http::HeaderName::from_static("clear-site-data"), cache);
        answer
    }
}

impl Deref for Visit {
    type Target = Visited;

    fn deref(&self) -> &Visited {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        // The gate puts it there; a page that is reached without it is not served.
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::internal)
    }
}

/// The query of a page.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// The parameter's text; empty where it is not there.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        Ok(Self(url::form_urlencoded::parse(query).into_owned().collect()))
    }
}
