//! Proving again who one is, before something that matters: a password, and a second factor where one is held. Then the
//! visitor comes back to the page that asked for it.

use axum::response::Response;
use maud::html;
use userd_model::Refusal;
use userd_services::{
    Failure,
    factors::{Shown, StepUp},
    passwords::Password,
};
use userd_web::Problem;

use super::completion::{hold, status_of, told};
use crate::{
    fields::Fields,
    layout::{self, with_query},
    parts::{Field, alert, field, plain},
    routes::Routes,
    visit::{Query, Visit, local},
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/account/prove", show).post("/account/prove", submit)
}

/// How a form ends: on to `done`; to the proof and back to `here`, where a fresher one is asked for.
pub(super) fn ended<T>(outcome: Result<T, Failure>, done: &str, here: &str) -> Result<Response, Problem> {
    match outcome {
        Ok(_) => Ok(Visit::go(done)),
        Err(failure) => prove_first(failure, here),
    }
}

/// Whoever has to prove who they are is led there and back to `here`; everything else is a problem.
pub(super) fn prove_first(failure: Failure, here: &str) -> Result<Response, Problem> {
    match failure {
        Failure::Refused(Refusal::InsufficientAuthentication { .. }) => {
            Ok(Visit::go(&with_query("/account/prove", "next", here)))
        }
        other => Err(other.into()),
    }
}

async fn show(visit: Visit, query: Query) -> Response {
    page(&visit, local(query.text("next")).unwrap_or("/account"), None)
}

async fn submit(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let next = local(fields.text("next")).unwrap_or("/account");
    let given = |name| Some(fields.text(name).to_owned()).filter(|text| !text.trim().is_empty());
    let shown = StepUp {
        password: given("password").map(Password::new),
        factor: given("code").map(|code| Shown::code(code.trim().to_owned())),
    };
    match visit.site.services.factors.step_up(&visit.ctx, shown).await {
        // The secret of before opens nothing any more: the browser gets the next one.
        Ok(raised) => Ok(Visit::signed_in(&hold(&visit, raised).await?, next)),
        Err(Failure::Refused(refusal)) => Ok(page(&visit, next, Some(&refusal))),
        Err(fault) => Err(fault.into()),
    }
}

fn page(visit: &Visit, next: &str, refusal: Option<&Refusal>) -> Response {
    let (t, words) = (&visit.texts.account, &visit.texts.sign_in);
    let told = refusal.map(|refusal| told(visit, refusal).unwrap_or(t.prove_both));
    let content = layout::account(
        visit,
        t.prove_title,
        &plain(&html! {
            @if let Some(told) = told { (alert(told)) }
            p { (t.prove_about) }
            form method="post" action="/account/prove" {
                (layout::token(visit))
                input type="hidden" name="next" value=(next);
                (field(Field {
                    name: "password", label: words.password, kind: "password", autocomplete: "current-password",
                    has_focus: refusal.is_none(), ..Field::default()
                }))
                (field(Field {
                    name: "code", label: words.second_code, hint: t.prove_code_hint, autocomplete: "one-time-code",
                    ..Field::default()
                }))
                button { (words.go_on) }
            }
        }),
    );
    visit.page_with(refusal.map_or(http::StatusCode::OK, status_of), t.prove_title, &content)
}
