//! Signing in by password, and signing out.

use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use userd_model::Refusal;
use userd_services::{Completion, Failure, passwords::Password, sessions::Login};
use userd_web::Problem;

use crate::{
    fields::Fields,
    layout,
    parts::{self, Field, alert, field},
    routes::Routes,
    visit::{Query, Visit, local},
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/sign-in", show).post("/sign-in", submit).post("/sign-out", sign_out)
}

async fn show(visit: Visit, query: Query) -> Response {
    let next = local(query.text("next")).unwrap_or("/account");
    if visit.account.is_some() {
        return Visit::go(next);
    }
    visit.page(visit.texts.sign_in.title, &form(&visit, next, "", None))
}

async fn submit(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let next = local(fields.text("next")).unwrap_or("/account");
    let login = Login {
        login: fields.text("login").to_owned(),
        password: Password::new(fields.text("password").to_owned()),
        device_name: None,
        device_token: visit.device_token.clone(),
    };
    match visit.site.services.sessions.login(&visit.ctx, login).await {
        Ok(completion) => complete(&visit, completion, next).await,
        Err(Failure::Refused(refusal)) => {
            let (status, told) = refused(&visit, refusal)?;
            let content = form(&visit, next, fields.text("login"), Some(told));
            Ok(visit.page_with(status, visit.texts.sign_in.title, &content))
        }
        Err(fault) => Err(fault.into()),
    }
}

/// How every way in ends in a browser.
async fn complete(visit: &Visit, completion: Completion, next: &str) -> Result<Response, Problem> {
    let t = &visit.texts.sign_in;
    let Ok(signed_in) = completion.signed_in() else {
        return Ok(visit.page(t.title, &parts::single(t.title, &parts::note(t.step))));
    };
    let sessions = &visit.site.services.sessions;
    let held = sessions.hold_in_browser(&visit.ctx, signed_in).await?;
    // Whoever signs in again in a browser holds one session there, not two.
    if visit.account.is_some() {
        sessions.sign_out(&visit.ctx).await?;
    }
    Ok(visit.signed_in(&held, next))
}

/// What the form says of a refusal; others have a page of their own.
fn refused(visit: &Visit, refusal: Refusal) -> Result<(StatusCode, &'static str), Problem> {
    let t = &visit.texts.sign_in;
    match refusal {
        Refusal::WrongCredentials => Ok((StatusCode::UNAUTHORIZED, t.wrong)),
        Refusal::Blocked => Ok((StatusCode::FORBIDDEN, t.blocked)),
        Refusal::TooManyAttempts(_) => Ok((StatusCode::TOO_MANY_REQUESTS, t.too_many)),
        Refusal::Busy(_) => Ok((StatusCode::SERVICE_UNAVAILABLE, t.busy)),
        other => Err(other.into()),
    }
}

fn form(visit: &Visit, next: &str, login: &str, told: Option<&str>) -> Markup {
    let t = &visit.texts.sign_in;
    parts::single(
        t.title,
        &html! {
            @if let Some(told) = told { (alert(told)) }
            form method="post" action="/sign-in" {
                (layout::token(visit))
                input type="hidden" name="next" value=(next);
                (field(Field {
                    name: "login", label: t.login, value: login, autocomplete: "username webauthn",
                    is_required: true, has_focus: told.is_none(), ..Field::default()
                }))
                (field(Field {
                    name: "password", label: t.password, kind: "password", autocomplete: "current-password",
                    is_required: true, ..Field::default()
                }))
                button { (t.submit) }
            }
        },
    )
}

async fn sign_out(visit: Visit) -> Result<Response, Problem> {
    visit.site.services.sessions.sign_out(&visit.ctx).await?;
    Ok(Visit::signed_out("/sign-in"))
}
