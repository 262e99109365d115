//! Proving again who one is, before something that matters: a password, and a second factor where one is held, or a sign-in
//! by an account elsewhere that is linked, for whoever has no password. Then the visitor comes back to the page that asked for it.

use axum::response::Response;
use http::HeaderMap;
use maud::{Markup, html};
use userd_model::{FactorKind, Refusal};
use userd_services::{
    Failure,
    factors::{Shown, StepUp},
    passwords::Password,
    sign_in::Start,
};
use userd_web::{Problem, extract::Path};

use super::{
    completion::{fields_of, hold, must_prove, status_of, told},
    passkey_forms::{self, Kind, PasskeyForm, credential},
    provider_way::{there, without_way},
};
use crate::{
    browser_cookies::WAY,
    fields::Fields,
    layout::{self, with_query},
    parts::{Field, alert, field, plain, wrong_with},
    routes::Routes,
    texts::fill,
    visit::{Query, Visit, local},
};

const HERE: &str = "/account/prove";
const UNSENT: &str = "/account/prove?told=unsent";
const FAILED: &str = "/account/prove?told=failed";
const QUESTION: &str = "/account/prove/question";
/// The field of a way that is to prove something.
const PROVES: &str = "proves";

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(HERE, show).post(HERE, submit).post(QUESTION, ask).get("/account/prove/with/{provider}", elsewhere)
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
    let t = &visit.texts.account;
    let note = match query.text("told") {
        "unsent" => alert(t.prove_unsent),
        "failed" => alert(t.prove_failed),
        _ => Markup::default(),
    };
    page(&visit, local(query.text("next")).unwrap_or("/account"), &note, None).await
}

async fn ask(visit: Visit) -> Result<Response, Problem> {
    passkey_forms::question(visit.site.services.factors.begin_step_up(&visit.ctx).await, HERE)
}

/// The way to a provider, whose sign-in gives this browser another session of the same account.
async fn elsewhere(
    visit: Visit,
    Path(provider): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let services = &visit.site.services;
    let (verifier, challenge) = services.mint_proof_key();
    let start = Start { code_challenge: Some(challenge), locale: Some(visit.tag().to_owned()), ..Start::default() };
    let begun = services.sign_in.start_proof(&visit.ctx, &provider, start).await?;
    let next = local(query.text("next")).unwrap_or("/account");
    let way = [("verifier", verifier.as_str()), ("next", next), ("provider", &provider), (PROVES, "yes")];
    Ok(there(&begun, &headers, &way))
}

/// Back from a provider that proved nothing, where that was what this browser was there for.
pub(super) fn came_back_in_vain(visit: &Visit, next: &str) -> Option<Response> {
    visit.carried(WAY, PROVES)?;
    Some(without_way(Visit::go(&with_query(FAILED, "next", next))))
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
    let ways = ways(visit, next).await?;
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
            (ways)
        }),
    );
    Ok(visit.page_with(refusal.map_or(http::StatusCode::OK, status_of), t.prove_title, &content))
}

/// Accounts elsewhere by which whoever is signed in comes in too.
async fn ways(visit: &Visit, next: &str) -> Result<Markup, Problem> {
    let (sign_in, words) = (&visit.site.services.sign_in, &visit.texts.sign_in);
    let (id, _) = visit.ctx.user()?;
    let linked = sign_in.identities(&visit.ctx, id).await?;
    let mut offered = sign_in.offered();
    offered.retain(|one| one.capabilities().browser && linked.iter().any(|identity| identity.provider == one.id()));
    Ok(html! {
        @if !offered.is_empty() {
            h2.after { (visit.texts.account.prove_elsewhere) }
            div.row {
                @for provider in &offered {
                    @let way = with_query(&format!("{HERE}/with/{}", provider.id()), "next", next);
                    a.button.quiet href=(way) { (fill(words.with, "provider", provider.display_name())) }
                }
            }
        }
    })
}
