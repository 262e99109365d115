//! Proving again who one is, before something that matters: a password, and a second factor where one is held. Then the
//! visitor comes back to the page that asked for it.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{FactorKind, Refusal};
use userd_services::{
    Failure,
    factors::{Shown, StepUp},
    passwords::Password,
};
use userd_web::Problem;

use super::{
    completion::{fields_of, hold, must_prove, status_of, told},
    passkey_forms::{self, Kind, PasskeyForm, credential},
};
use crate::{
    fields::Fields,
    layout::{self, with_query},
    parts::{Field, alert, field, plain, wrong_with},
    routes::Routes,
    visit::{Query, Visit, local},
};

const HERE: &str = "/account/prove";
const UNSENT: &str = "/account/prove?told=unsent";
const QUESTION: &str = "/account/prove/question";

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(HERE, show).post(HERE, submit).post(QUESTION, ask)
}

/// How a form ends: on to `done`; to the proof and back to `here`, where a fresher one is asked for first.
pub(super) fn ended<T>(outcome: Result<T, Failure>, done: &str, here: &str) -> Result<Response, Problem> {
    match outcome {
        Ok(_) => Ok(Visit::go(done)),
        Err(failure) => prove_and_send_again(failure, here),
    }
}

/// Whoever has to prove who they are is led there and back to `here`; everything else is a problem.
pub(super) fn prove_first(failure: Failure, here: &str) -> Result<Response, Problem> {
    match failure {
        failure if must_prove(&failure) => Ok(Visit::go(&with_query(HERE, "next", here))),
        other => Err(other.into()),
    }
}

/// The same of a form: what it sent is not carried along, and the page of the proof says so.
pub(super) fn prove_and_send_again(failure: Failure, here: &str) -> Result<Response, Problem> {
    match failure {
        failure if must_prove(&failure) => Ok(Visit::go(&with_query(UNSENT, "next", here))),
        other => Err(other.into()),
    }
}

async fn show(visit: Visit, query: Query) -> Result<Response, Problem> {
    let is_unsent = query.text("told") == "unsent";
    let note = if is_unsent { alert(visit.texts.account.prove_unsent) } else { Markup::default() };
    page(&visit, local(query.text("next")).unwrap_or("/account"), &note, None).await
}

async fn ask(visit: Visit) -> Result<Response, Problem> {
    passkey_forms::question(visit.site.services.factors.begin_step_up(&visit.ctx).await, HERE)
}

async fn submit(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let next = local(fields.text("next")).unwrap_or("/account");
    visit.goes_on_to(next);
    let given = |name| Some(fields.text(name).to_owned()).filter(|text| !text.trim().is_empty());
    let shown = StepUp {
        password: given("password").map(Password::new),
        factor: credential(&fields)
            .map(Shown::Passkey)
            .or_else(|| given("code").map(|code| Shown::code(code.trim().to_owned()))),
    };
    match visit.site.services.factors.step_up(&visit.ctx, shown).await {
        // The secret of before opens nothing any more: the browser gets the next one.
        Ok(raised) => Ok(Visit::signed_in(&hold(&visit, raised).await?, next)),
        Err(Failure::Refused(refusal)) => page(&visit, next, &Markup::default(), Some(&refusal)).await,
        Err(fault) => Err(fault.into()),
    }
}

async fn page(visit: &Visit, next: &str, note: &Markup, refusal: Option<&Refusal>) -> Result<Response, Problem> {
    let (t, words) = (&visit.texts.account, &visit.texts.sign_in);
    let held = visit.site.services.factors.held(&visit.ctx).await?;
    let has_passkey = held.items.iter().any(|factor| factor.kind == FactorKind::Passkey);
    let button = visit.texts.passkeys.use_one;
    let passkey = PasskeyForm { kind: Kind::Show, action: HERE, question: QUESTION, next, button, fills_in: false };
    // A login is not asked for here, so that only the password can be wrong.
    let is_wrong = matches!(refusal, Some(Refusal::WrongCredentials));
    let told =
        refusal.map(|refusal| if is_wrong { t.wrong_password } else { told(visit, refusal).unwrap_or(t.prove_both) });
    let wrong_code = if matches!(refusal, Some(Refusal::InvalidCode)) { words.wrong_code } else { "" };
    let missing = wrong_with(refusal.map(fields_of).unwrap_or_default(), "", visit.language);
    let content = layout::account(
        visit,
        t.prove_title,
        &plain(&html! {
            (note)
            @if let Some(told) = told { (alert(told)) }
            p { (t.prove_about) }
            @if has_passkey { (passkey_forms::form(visit, passkey, &Markup::default())) }
            form method="post" action="/account/prove" {
                (layout::token(visit))
                input type="hidden" name="next" value=(next);
                (field(Field {
                    name: "password", label: words.password, kind: "password", autocomplete: "current-password",
                    has_focus: refusal.is_none(), wrong: if is_wrong { t.wrong_password } else { missing.as_str() },
                    ..Field::default()
                }))
                (field(Field {
                    name: "code", label: words.second_code, hint: t.prove_code_hint, autocomplete: "one-time-code",
                    wrong: wrong_code, ..Field::default()
                }))
                button { (words.go_on) }
            }
        }),
    );
    Ok(visit.page_with(refusal.map_or(http::StatusCode::OK, status_of), t.prove_title, &content))
}
