//! The sign-in page: a password, and every other way in that is offered; signing out.

use axum::response::{IntoResponse, Redirect, Response};
use http::{StatusCode, header};
use maud::Markup;
use userd_model::Refusal;
use userd_services::{Failure, passwords::Password, sessions::Login, sign_in::Start};
use userd_web::{Problem, extract::Path, problem::Words};

use super::{
    completion::{begin_again, complete, status_of, told, wanted},
    last_way::{self, PASSWORD},
    linked, passkeys, prove,
    provider_way::there,
    sign_in_form::form,
};
use crate::{
    browser_cookies::{self, STEP, WAY},
    fields::Fields,
    parts::{self, alert, done},
    routes::Routes,
    visit::{Query, Visit, local},
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/sign-in", show)
        .post("/sign-in", submit)
        .get("/sign-in/with/{provider}", through)
        .get("/signed-in", came_back)
        .get("/continue", to_app)
        .post("/sign-out", sign_out)
}

async fn show(visit: Visit, query: Query) -> Result<Response, Problem> {
    let Ok(next) = destination(&visit, &query) else { return Ok(unknown_app(&visit)) };
    if visit.account.is_some() {
        return Ok(Visit::go(&next));
    }
    let t = &visit.texts.sign_in;
    let note = match query.text("told") {
        "gone" => alert(t.step_gone),
        "unsent" => alert(t.form_unsent),
        "reset" => done(t.reset_done),
        "confirmed" => done(t.confirmed),
        "invited" => done(t.invited),
        "restored" => done(t.restored),
        "deleted" => done(t.deleted),
        _ => Markup::default(),
    };
    Ok(visit.page(t.title, &form(&visit, &next, "", &note)))
}

/// Where somebody goes after signing in: a page here, or the application that sent them. One that is not known is told so
/// before anybody gives a password for it.
fn destination(visit: &Visit, query: &Query) -> Result<String, Refusal> {
    let return_to = query.text("return_to");
    if return_to.is_empty() {
        return Ok(local(query.text("next")).unwrap_or("/account").to_owned());
    }
    visit.site.services.sign_in.check_app(return_to, query.text("code_challenge"))?;
    let kept = ["return_to", "code_challenge", "state"].map(|name| (name, query.text(name)));
    let kept = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
    Ok(format!("/continue?{kept}"))
}

fn unknown_app(visit: &Visit) -> Response {
    let t = &visit.texts.sign_in;
    let content = parts::single(t.unknown_app_title, &parts::note(t.unknown_app));
    visit.page_with(StatusCode::UNPROCESSABLE_ENTITY, t.unknown_app_title, &content)
}

async fn submit(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let next = local(fields.text("next")).unwrap_or("/account");
    visit.goes_on_to(next);
    let login = Login {
        login: fields.text("login").to_owned(),
        password: Password::new(fields.text("password").to_owned()),
        device_name: None,
        device_token: visit.device_token.clone(),
    };
    match visit.site.services.sessions.login(&visit.ctx, login).await {
        Ok(completion) => {
            let first = passkeys::offered_first(&visit, &fields, next);
            Ok(last_way::remember(complete(&visit, completion, &first, "").await?, PASSWORD))
        }
        Err(Failure::Refused(refusal)) => {
            let text = told(&visit, &refusal).ok_or_else(|| Problem::from(refusal.clone()))?;
            let content = form(&visit, next, fields.text("login"), &alert(text));
            Ok(visit.page_with(status_of(&refusal), visit.texts.sign_in.title, &content))
        }
        Err(fault) => Err(fault.into()),
    }
}

/// The way to a provider. The proof key stays in this browser: a code that somebody else was given opens nothing here.
async fn through(
    visit: Visit,
    Path(provider): Path<String>,
    query: Query,
    headers: http::HeaderMap,
) -> Result<Response, Problem> {
    let services = &visit.site.services;
    let (verifier, challenge) = services.mint_proof_key();
    let start = Start {
        code_challenge: Some(challenge),
        locale: Some(visit.tag().to_owned()),
        invitation: Some(query.text("invitation").to_owned()).filter(|token| !token.is_empty()),
        ..Start::default()
    };
    let begun = services.sign_in.start(&visit.ctx, &provider, start).await?;
    let next = local(query.text("next")).unwrap_or("/account");
    Ok(there(&begun, &headers, &[("verifier", verifier.as_str()), ("next", next), ("provider", &provider)]))
}

/// Back from a provider, with a code or with what went wrong.
async fn came_back(visit: Visit, query: Query) -> Result<Response, Problem> {
    if !query.text("linked").is_empty() {
        return Ok(linked::came_back());
    }
    let (code, t) = (query.text("code"), &visit.texts.sign_in);
    let next = wanted(&visit);
    if !code.is_empty() {
        // A code that this browser has no proof key for is somebody else's: taken here, it would sign this browser in to
        // an account of theirs. It stays good for whoever holds the key.
        let Some(verifier) = visit.carried(WAY, "verifier") else {
            return Ok(visit.page(t.title, &form(&visit, &next, "", &alert(t.step_gone))));
        };
        if let Some(emptied) = linked::being_moved(&visit) {
            return linked::finish_move(&visit, code, &verifier, emptied).await;
        }
        let exchanged = visit.site.services.sign_in.exchange(&visit.ctx, code, Some(&verifier), None).await;
        return match exchanged {
            Ok(completion) => {
                let provider = visit.carried(WAY, "provider").unwrap_or_default();
                let answer = complete(&visit, completion, &next, "").await?;
                Ok(last_way::remember(answer, &last_way::through(&provider)))
            }
            Err(Failure::Refused(Refusal::InvalidCode)) => Ok(begin_again(&next)),
            Err(other) => Err(other.into()),
        };
    }
    if query.text("error").is_empty() && visit.account.is_none() {
        return Ok(visit.page(t.title, &form(&visit, &next, "", &Markup::default())));
    }
    if visit.account.is_some() {
        let proven_in_vain = prove::came_back_in_vain(&visit, &next);
        return Ok(proven_in_vain.unwrap_or_else(|| linked::came_back_in_vain(&visit, query.text("error"))));
    }
    let words = Words::find(query.text("error")).map(|words| words.in_language(visit.language).0);
    let text = format!("{} {}.", t.provider_failed, words.unwrap_or(t.provider_no_reason).trim_end_matches('.'));
    Ok(visit.page(t.title, &form(&visit, &next, "", &alert(&text))))
}

/// Back to the application that sent somebody here, with a one-time code.
async fn to_app(visit: Visit, query: Query) -> Result<Response, Problem> {
    let return_to = query.text("return_to");
    let code = visit.site.services.sign_in.code_for_app(&visit.ctx, return_to, query.text("code_challenge")).await?;
    let mut url = url::Url::parse(return_to).map_err(|_| Problem::internal())?;
    url.query_pairs_mut().append_pair("code", &code);
    if !query.text("state").is_empty() {
        url.query_pairs_mut().append_pair("state", query.text("state"));
    }
    Ok(Redirect::to(url.as_str()).into_response())
}

async fn sign_out(visit: Visit) -> Result<Response, Problem> {
    visit.site.services.sessions.sign_out(&visit.ctx).await?;
    let mut answer = Visit::signed_out("/sign-in");
    answer.headers_mut().extend(browser_cookies::removed(STEP).map(|value| (header::SET_COOKIE, value)));
    Ok(answer)
}
