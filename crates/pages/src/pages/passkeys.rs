//! Passkeys of the account: made, called something, offered after a password. The list is `security.rs`.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::header;
use maud::{Markup, html};
use serde_json::{Value, json};
use userd_model::{FactorId, FactorKind, Refusal, agents};
use userd_services::Failure;
use userd_web::{Problem, extract::Path};

use super::{
    completion::{fields_of, must_prove, status_of, told},
    passkey_forms::{self, Kind, PasskeyForm, credential},
    prove::{prove_and_send_again, prove_first},
    steps::recovery_codes,
};
use crate::{
    addresses::ACCEPTED_PASSKEYS,
    browser_cookies,
    fields::Fields,
    layout::{self, with_query},
    parts::{self, Field, alert, field, plain, wrong_with},
    routes::Routes,
    visit::{Query, Visit, local},
};

const SECURITY: &str = "/account/security";
pub(super) const ADD: &str = "/account/security/passkeys/add";
const QUESTION: &str = "/account/security/passkeys/question";
const OFFER: &str = "/account/security/passkeys/offer";
const DONE: &str = "/account/security?told=passkey";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(ADD, show)
        .post(ADD, submit)
        .post(QUESTION, ask)
        .get(OFFER, offer)
        .post(OFFER, not_now)
        .get(ACCEPTED_PASSKEYS, accepted)
        .get("/account/security/factors/{id}/rename", show_name)
        .post("/account/security/factors/{id}/rename", rename)
}

/// Where whoever signs in by a password goes first: to the offer of a passkey, where this browser says that it can make one
/// and nobody has said no here.
pub(super) fn offered_first(visit: &Visit, fields: &Fields, next: &str) -> String {
    let is_offered = visit.site.services.deps.passkeys.is_some() && fields.text("passkeys") == "yes";
    if is_offered && !visit.wants_no_passkey { with_query(OFFER, "next", next) } else { next.to_owned() }
}

/// The field by which a script says that this device can make one.
pub(super) fn can_make(visit: &Visit) -> Markup {
    let passkeys = visit.site.services.deps.passkeys.as_ref();
    html! {
        @if let Some(passkeys) = passkeys {
            input type="hidden" name="passkeys" value="" data-can-make-passkeys=(passkeys.rp_id());
        }
    }
}

/// Called what it was called when the form was sent, or else after this browser.
fn form(visit: &Visit, next: &str, sent: Option<&Fields>) -> Markup {
    let t = &visit.texts.passkeys;
    let form = PasskeyForm { kind: Kind::Make, action: ADD, question: QUESTION, next, button: t.make, fills_in: false };
    let called = || visit.ctx.origin.user_agent.as_deref().map(agents::called).unwrap_or_default();
    let called = sent.map_or_else(called, |sent| sent.text("name").to_owned());
    let name = field(Field { name: "name", label: t.name, hint: t.name_hint, value: &called, ..Field::default() });
    html! { (passkey_forms::form(visit, form, &name)) (passkey_forms::without(visit)) }
}

async fn show(visit: Visit, query: Query) -> Result<Response, Problem> {
    if visit.site.services.deps.passkeys.is_none() {
        return Err(Problem::not_found());
    }
    Ok(page(&visit, local(query.text("next")).unwrap_or(DONE), None))
}

fn page(visit: &Visit, next: &str, refused: Option<(&Refusal, &Fields)>) -> Response {
    let (t, refusal) = (&visit.texts.passkeys, refused.map(|(refusal, _)| refusal));
    let content = layout::account(
        visit,
        t.add,
        &plain(&html! {
            @if let Some(text) = refusal.map(|refusal| words(visit, refusal)) { (alert(&text)) }
            p { (t.about) }
            (form(visit, next, refused.map(|(_, sent)| sent)))
        }),
    );
    visit.page_with(refusal.map_or(http::StatusCode::OK, status_of), t.add, &content)
}

fn words(visit: &Visit, refusal: &Refusal) -> String {
    match refusal {
        Refusal::ChallengeGone => visit.texts.passkeys.gone.to_owned(),
        Refusal::InvalidInput(errors) => {
            let at = |pointer| wrong_with(errors, pointer, visit.language);
            Some(at("/credential") + &at("/name"))
                .filter(|text| !text.is_empty())
                .unwrap_or_else(|| visit.texts.passkeys.refused.to_owned())
        }
        other => told(visit, other).unwrap_or(visit.texts.passkeys.refused).to_owned(),
    }
}

async fn ask(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let name = Some(fields.text("name")).filter(|name| !name.trim().is_empty());
    let here = with_query(ADD, "next", local(fields.text("next")).unwrap_or(DONE));
    passkey_forms::question(visit.site.services.factors.begin_passkey(&visit.ctx, name).await, &here)
}

async fn submit(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let next = local(fields.text("next")).unwrap_or(DONE);
    let made = credential(&fields).unwrap_or(Value::Null);
    let challenge = fields.text("challenge");
    match visit.site.services.factors.finish_passkey(&visit.ctx, challenge, &made).await {
        Ok((_, Some(codes))) => {
            let page = recovery_codes(&visit, &codes, next);
            Ok(visit.page(visit.texts.sign_in.recovery_title, &page))
        }
        Ok((_, None)) => Ok(Visit::go(next)),
        Err(failure) if must_prove(&failure) => prove_first(failure, &with_query(ADD, "next", next)),
        Err(Failure::Refused(refusal)) => Ok(page(&visit, next, Some((&refusal, &fields)))),
        Err(fault) => Err(fault.into()),
    }
}

/// After a password: whoever holds a passkey, or has said no here, goes on.
async fn offer(visit: Visit, query: Query) -> Result<Response, Problem> {
    let next = local(query.text("next")).unwrap_or("/account");
    let held = visit.site.services.factors.held(&visit.ctx).await?;
    let has_one = held.items.iter().any(|factor| factor.kind == FactorKind::Passkey);
    if has_one || held.accepted_passkeys.is_none() || visit.wants_no_passkey {
        return Ok(Visit::go(next));
    }
    let t = &visit.texts.passkeys;
    let content = parts::single(
        t.offer,
        &html! {
            p { (t.about) }
            (form(&visit, next, None))
            form.after method="post" action=(OFFER) {
                (layout::token(&visit))
                input type="hidden" name="next" value=(next);
                button.quiet { (t.not_now) }
            }
        },
    );
    Ok(visit.page(t.offer, &content))
}

async fn not_now(fields: Fields) -> Response {
    let mut answer = Visit::go(local(fields.text("next")).unwrap_or("/account"));
    answer.headers_mut().extend(browser_cookies::no_passkey().map(|value| (header::SET_COOKIE, value)));
    answer
}

/// As `PublicKeyCredential.signalAllAcceptedCredentials` and `signalCurrentUserDetails` take it.
async fn accepted(visit: Visit) -> Result<Response, Problem> {
    let held = visit.site.services.factors.held(&visit.ctx).await?;
    let accepted = held.accepted_passkeys.ok_or_else(Problem::not_found)?;
    let (name, display_name) = visit.must_have_account()?.names_at_passkeys();
    Ok(Json(json!({ "accepted": accepted, "name": name, "displayName": display_name })).into_response())
}

async fn show_name(visit: Visit, Path(id): Path<FactorId>) -> Result<Response, Problem> {
    let held = visit.site.services.factors.held(&visit.ctx).await?;
    let factor = held.items.into_iter().find(|factor| factor.id == id).ok_or_else(Problem::not_found)?;
    Ok(name_page(&visit, id, factor.name.as_deref().unwrap_or_default(), None))
}

fn name_page(visit: &Visit, id: FactorId, name: &str, refusal: Option<&Refusal>) -> Response {
    let (t, account) = (&visit.texts.passkeys, &visit.texts.account);
    let errors = refusal.map(fields_of).unwrap_or_default();
    let content = layout::account(
        visit,
        t.rename,
        &plain(&html! {
            form method="post" action=(format!("/account/security/factors/{id}/rename")) {
                (layout::token(visit))
                (field(Field {
                    name: "name", label: t.name, value: name, hint: t.name_hint, is_required: true, has_focus: true,
                    wrong: &wrong_with(errors, "/name", visit.language), ..Field::default()
                }))
                button { (account.save) }
            }
        }),
    );
    visit.page_with(refusal.map_or(http::StatusCode::OK, status_of), t.rename, &content)
}

async fn rename(visit: Visit, Path(id): Path<FactorId>, fields: Fields) -> Result<Response, Problem> {
    match visit.site.services.factors.rename(&visit.ctx, id, fields.text("name")).await {
        Ok(_) => Ok(Visit::go("/account/security?told=renamed")),
        Err(Failure::Refused(refusal @ Refusal::InvalidInput(_))) => {
            Ok(name_page(&visit, id, fields.text("name"), Some(&refusal)))
        }
        Err(failure) => prove_and_send_again(failure, SECURITY),
    }
}
