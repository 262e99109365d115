//! What every visit passes before its page: the line of the table, who it is, whether they may, what it counts against,
//! and that a form is one that this browser was given. Deliberately absent: any single page.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequestParts, MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, HeaderValue, Method, header, request::Parts};
use userd_services::{BrowserVisit, Context, Failure, limits::Limited};
use userd_web::{
    caller::Visitor,
    extract::MAX_BODY,
    foreign::is_foreign,
    problem::{Problem, table},
    request_layer::{ToldIn, note_user},
};

use crate::{
    browser_cookies::{self, FORM, SESSION},
    fields::{Fields, TOKEN},
    layout,
    policy::{self, Access, Forms, Limit, PageAccess},
    site::Site,
    visit::{Visit, Visited},
};

/// Lets a visit through to its page.
pub(crate) async fn pass(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.extensions.get::<MatchedPath>().cloned();
    let Some(entry) = path.as_ref().and_then(|path| policy::of(parts.method.as_str(), path.as_str())) else {
        return Problem::of(&table::METHOD_NOT_ALLOWED).into_response();
    };
    if entry.limit == Limit::Free && entry.access == Access::Anybody && parts.method == Method::GET && is_file(entry) {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let visit = match enter(&site, entry, &mut parts, body).await {
        Ok(visit) => visit,
        Err(turned) => return *turned,
    };
    let answer = next.run(Request::from_parts(parts, Body::empty())).await;
    finish(answer, &visit)
}

fn is_file(entry: &PageAccess) -> bool {
    entry.path.starts_with("/assets/")
}

async fn enter(site: &Arc<Site>, entry: &PageAccess, parts: &mut Parts, body: Body) -> Result<Visit, Box<Response>> {
    let turned = |problem: Problem| Box::new(problem.into_response());
    let Visitor(ctx) = Visitor::from_request_parts(parts, site).await.map_err(turned)?;
    if entry.limit == Limit::Pages {
        let counted = site.services.limits.reserve_from(Limited::PagePerNetwork, &ctx.origin).await;
        counted.map_err(|refusal| turned(refusal.into()))?;
    }
    let visit = who(site, ctx, parts).await.map_err(turned)?;
    let fields = if parts.method == Method::POST {
        let bytes = to_bytes(body, MAX_BODY).await.map_err(|_| turned(Problem::of(&table::PAYLOAD_TOO_LARGE)))?;
        Fields::parse(&bytes)
    } else {
        Fields::default()
    };
    may(entry, &visit, parts).map_err(|turned| Box::new(spoken(*turned, &visit)))?;
    if parts.method == Method::POST && entry.forms == Forms::Bound {
        let ours = must_be_ours(&visit, &parts.headers, fields.text(TOKEN));
        ours.map_err(|turned| Box::new(spoken(*turned, &visit)))?;
    }
    parts.extensions.insert(fields);
    parts.extensions.insert(visit.clone());
    Ok(visit)
}

/// Who visits, by the cookie. A cookie that is good for nothing is nobody's.
async fn who(site: &Arc<Site>, ctx: Context, parts: &mut Parts) -> Result<Visit, Problem> {
    let Some(secret) = browser_cookies::read(&parts.headers, SESSION).map(str::to_owned) else {
        return Ok(Visit::new(Visited::of_nobody(site, parts, ctx, false)));
    };
    let found = match parts.method {
        Method::HEAD => site.services.recognise_browser(ctx, &secret).await,
        _ => site.services.authenticate_browser(ctx, &secret).await,
    };
    match found {
        Ok(BrowserVisit { ctx, renewed }) => {
            let (id, _) = ctx.user()?;
            note_user(id);
            let account = site.services.user_reader.show_own(id).await?;
            // The badge beside pages of the account.
            let shows_badge = parts.method == Method::GET && parts.uri.path().starts_with("/account");
            let unread = if shows_badge { site.services.notifications.counts(&ctx).await?.unread } else { 0 };
            let visited = Visited::of_user(site, parts, ctx, account, &secret, renewed);
            Ok(Visit::new(Visited { unread, ..visited }))
        }
        Err(Failure::Refused(_)) => {
            let Visitor(ctx) = Visitor::from_request_parts(parts, site).await?;
            Ok(Visit::new(Visited::of_nobody(site, parts, ctx, true)))
        }
        Err(fault) => Err(fault.into()),
    }
}

fn may(entry: &PageAccess, visit: &Visit, parts: &Parts) -> Result<(), Box<Response>> {
    match &entry.access {
        Access::Anybody => Ok(()),
        _ if visit.account.is_none() => Err(Box::new(with_headers(sign_in_first(visit, parts), visit))),
        Access::SignedIn => Ok(()),
        Access::Holder(permission) if visit.holds(permission) => Ok(()),
        Access::Holder(_) => Err(Box::new(Problem::not_found().into_response())),
    }
}

/// The way to the sign-in page and back. A form is not sent again: its page is asked for anew, and the sign-in page says so.
fn sign_in_first(visit: &Visit, parts: &Parts) -> Response {
    // Whoever signs out in a second window has what they wanted.
    let is_unsent = parts.method == Method::POST && parts.uri.path() != "/sign-out";
    let way = if is_unsent { "/sign-in?told=unsent" } else { "/sign-in" };
    let mut answer = Redirect::to(&layout::with_query(way, "next", &visit.shown_at)).into_response();
    if visit.has_dead_cookie {
        answer.headers_mut().extend(browser_cookies::removed(SESSION).map(|value| (header::SET_COOKIE, value)));
    }
    answer
}

/// Refuses a form of another site, by what the browser says of where it comes from, and one that this browser was not
/// given, by the field that is bound to its cookie.
fn must_be_ours(visit: &Visit, headers: &HeaderMap, token: &str) -> Result<(), Box<Response>> {
    if is_foreign(headers, &visit.site.options.requests.public_url.origin().ascii_serialization()) {
        return Err(Box::new(Problem::of(&table::CROSS_SITE).into_response()));
    }
    let cookie = if visit.account.is_some() { SESSION } else { FORM };
    let bound = browser_cookies::read(headers, cookie);
    if bound.is_some_and(|bound| visit.site.services.is_form_token(bound, token)) {
        return Ok(());
    }
    Err(Box::new(with_headers(visit.out_of_date(), visit)))
}

/// A problem is told in the language of the pages around it.
fn spoken(mut answer: Response, visit: &Visit) -> Response {
    answer.extensions_mut().insert(ToldIn(visit.language));
    answer
}

/// Cookies that the visit itself brings, and the headers of a page.
fn finish(mut answer: Response, visit: &Visit) -> Response {
    if answer.extensions().get::<Problem>().is_some() {
        return spoken(answer, visit);
    }
    let session_is_set = answer
        .headers()
        .get_all(header::SET_COOKIE)
        .iter()
        .any(|value| value.as_bytes().starts_with(SESSION.as_bytes()));
    if let Some((secret, life)) = visit.renewed.as_ref().filter(|_| !session_is_set) {
        answer.headers_mut().extend(browser_cookies::session(secret, *life).map(|value| (header::SET_COOKIE, value)));
    }
    with_headers(answer, visit)
}

fn with_headers(mut answer: Response, visit: &Visit) -> Response {
    if let Some(secret) = &visit.new_form_secret {
        answer.headers_mut().extend(browser_cookies::form(secret).map(|value| (header::SET_COOKIE, value)));
    }
    if let Some(back) = visit.back.as_deref().filter(|_| visit.came_from_app) {
        answer.headers_mut().extend(browser_cookies::back(back).map(|value| (header::SET_COOKIE, value)));
    }
    let headers = answer.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert_with(|| visit.site.content_policy.clone());
    // Forms say where they come from; nobody else is told.
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(visit.tag()));
    headers.append(header::VARY, HeaderValue::from_static("cookie, accept-language"));
    answer
}
