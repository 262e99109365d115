//! The addresses of an account: proven by the code or the link of a mail, added, removed, made the first.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{Email, FurtherEmailId, InvalidField, Refusal};
use userd_services::{Failure, addresses::EmailView, emails::Code, passwords::Password, sessions::Pending};
use userd_web::{Problem, extract::Path};

use super::{
    completion::{fields_of, status_of, told, wrong_at},
    prove::{ended, prove_and_send_again},
};
use crate::{
    fields::Fields,
    layout,
    parts::{Field, alert, done, field, panel, wrong_with},
    routes::Routes,
    texts::fill,
    visit::{Query, Visit},
};

const HERE: &str = "/account/emails";
const CHANGE: &str = "/account/emails/change";
const CODE: &str = "/account/emails/code";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(HERE, show)
        .post(HERE, add)
        .post(CHANGE, change)
        .post(CODE, prove)
        .post("/account/emails/resend", resend)
        .post("/account/emails/{id}/first", make_first)
        .post("/account/emails/{id}/remove", remove)
}

async fn show(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.account;
    let note = match query.text("told") {
        "sent" => done(t.email_sent),
        "saved" => done(t.saved),
        "proven" => done(visit.texts.sign_in.confirmed),
        _ => Markup::default(),
    };
    page(&visit, &note, None).await
}

/// A form that was refused: which one, what was sent in it, and why.
#[derive(Clone, Copy)]
struct Refused<'a> {
    form: &'a str,
    fields: &'a Fields,
    why: &'a Refusal,
}

async fn page(visit: &Visit, note: &Markup, refused: Option<Refused<'_>>) -> Result<Response, Problem> {
    let (t, emails) = (&visit.texts.account, &visit.site.services.emails);
    let found = emails.list(&visit.ctx).await?;
    // Further addresses wait until the first one is proven: until then it may be a wrong one, and is put right.
    let unproven = found.first().filter(|first| first.primary && !first.verified);
    let mut awaiting = emails.awaiting_code(&visit.ctx).await?;
    // Its message may be on its way still.
    let first = unproven.map(|first| first.email.clone()).filter(|first| !awaiting.contains(first));
    awaiting.extend(first);
    let (title, action) = if unproven.is_some() { (t.email_change, CHANGE) } else { (t.email_add, HERE) };
    let of_code = refused.filter(|refused| refused.form == CODE);
    let content = html! {
        (note)
        (panel(t.emails, &list(visit, &found)))
        @if !awaiting.is_empty() || of_code.is_some() { (panel(t.email_code, &code_form(visit, &awaiting, of_code))) }
        (panel(title, &address_form(visit, (title, action), refused.filter(|refused| refused.form != CODE))))
    };
    let content = layout::account(visit, t.emails, &content);
    let status = refused.map_or(http::StatusCode::OK, |refused| status_of(refused.why));
    Ok(visit.page_with(status, t.emails, &content))
}

fn list(visit: &Visit, found: &[EmailView]) -> Markup {
    let t = &visit.texts.account;
    html! {
        ul.list {
            @for address in found {
                li {
                    span.grow {
                        strong { (address.email) } " "
                        @if address.primary { span.badge { (t.email_first) } " " }
                        @if !address.verified { span.badge { (t.address_unconfirmed) } }
                    }
                    @if address.primary {
                        @if !address.verified { (button(visit, "/account/emails/resend", t.email_resend, &address.email)) }
                    } @else {
                        (button(visit, &format!("/account/emails/{}/first", address.id), t.email_make_first, &address.email))
                        (button(visit, &format!("/account/emails/{}/remove", address.id), t.remove, &address.email))
                    }
                }
            }
        }
        @if found.is_empty() { p.muted { (t.no_emails) } }
    }
}

/// The code of a message, for whoever reads it elsewhere than here.
fn code_form(visit: &Visit, awaiting: &[String], refused: Option<Refused<'_>>) -> Markup {
    let (t, words) = (&visit.texts.account, &visit.texts.sign_in);
    let sent_to = refused.map_or("", |refused| refused.fields.text("email"));
    let refusal = refused.map(|refused| refused.why);
    let is_wrong = matches!(refusal, Some(Refusal::InvalidCode));
    html! {
        @if let Some(text) = refusal.and_then(|refusal| told(visit, refusal)) { (alert(text)) }
        @if !awaiting.is_empty() {
            form method="post" action=(CODE) {
                (layout::token(visit))
                @if let [only] = awaiting {
                    p { (fill(t.email_code_about, "email", only)) }
                    input type="hidden" name="email" value=(only);
                } @else {
                    div.field {
                        label for="sent_to" { (t.email) }
                        select id="sent_to" name="email" {
                            @for address in awaiting { option value=(address) selected[address == sent_to] { (address) } }
                        }
                    }
                }
                (field(Field {
                    name: "code", label: words.mail_code, autocomplete: "one-time-code", is_required: true,
                    wrong: if is_wrong { words.wrong_code } else { "" }, ..Field::default()
                }))
                button { (words.confirm_submit) }
            }
        }
    }
}

fn address_form(visit: &Visit, (title, action): (&str, &str), refused: Option<Refused<'_>>) -> Markup {
    let t = &visit.texts.account;
    let typed = refused.map_or("", |refused| refused.fields.text("email").trim());
    let refusal = refused.map(|refused| refused.why);
    let errors = refusal.map(fields_of).unwrap_or_default();
    let is_wrong = matches!(refusal, Some(Refusal::WrongCurrentPassword));
    html! {
        @if let Some(text) = refusal.filter(|_| !is_wrong).and_then(|refusal| told(visit, refusal)) { (alert(text)) }
        form method="post" action=(action) data-guard=(t.unsaved) {
            (layout::token(visit))
            (field(Field {
                name: "email", label: t.email, kind: "email", value: typed, autocomplete: "email", hint: t.email_add_hint,
                is_required: true, wrong: &wrong_at(visit, refusal, "/email"), ..Field::default()
            }))
            @if action == CHANGE { (password(visit, errors, is_wrong)) }
            button { (title) }
        }
    }
}

fn password(visit: &Visit, errors: &[InvalidField], is_wrong: bool) -> Markup {
    let t = &visit.texts.account;
    let missing = wrong_with(errors, "/current_password", visit.language);
    field(Field {
        name: "current_password",
        label: t.current_password,
        kind: "password",
        autocomplete: "current-password",
        hint: t.current_password_hint,
        wrong: if is_wrong { t.wrong_password } else { missing.as_str() },
        ..Field::default()
    })
}

fn button(visit: &Visit, action: &str, label: &str, of: &str) -> Markup {
    html! {
        form method="post" action=(action) {
            (layout::token(visit))
            button.quiet aria-label={ (label) ": " (of) } { (label) }
        }
    }
}

async fn add(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let (email, emails) = (fields.text("email").trim(), &visit.site.services.emails);
    // No message goes to an address that is theirs already, so none is promised.
    let asked = if is_own(&visit, email).await? {
        Err(Refusal::field("/email", "is one of your addresses already").into())
    } else {
        emails.add(&visit.ctx, email).await
    };
    sent(&visit, (HERE, &fields), asked).await
}

async fn is_own(visit: &Visit, email: &str) -> Result<bool, Failure> {
    let Ok(wanted) = Email::parse(email) else { return Ok(false) };
    let own = visit.site.services.emails.list(&visit.ctx).await?;
    Ok(own.iter().any(|address| address.email == wanted.as_str()))
}

/// Another first address, which counts once it is proven.
async fn change(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let email = fields.text("email").trim();
    let current = Some(fields.text("current_password")).filter(|text| !text.is_empty());
    let current = current.map(|text| Password::new(text.to_owned()));
    let asked = visit.site.services.emails.change(&visit.ctx, email, current.as_ref(), None).await;
    sent(&visit, (CHANGE, &fields), asked).await
}

async fn sent(
    visit: &Visit,
    (form, fields): (&str, &Fields),
    asked: Result<Pending, Failure>,
) -> Result<Response, Problem> {
    match asked {
        Ok(_) => Ok(Visit::go("/account/emails?told=sent")),
        Err(Failure::Refused(why)) if told(visit, &why).is_some() => {
            page(visit, &Markup::default(), Some(Refused { form, fields, why: &why })).await
        }
        Err(failure) => prove_and_send_again(failure, HERE),
    }
}

/// The code of a message in place of its link.
async fn prove(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let code = Code { email: fields.text("email"), code: fields.text("code"), challenge: None };
    match visit.site.services.emails.verify_code(&visit.ctx, &code, None).await {
        Ok(_) => Ok(Visit::go("/account/emails?told=proven")),
        Err(Failure::Refused(why)) if told(&visit, &why).is_some() => {
            page(&visit, &Markup::default(), Some(Refused { form: CODE, fields: &fields, why: &why })).await
        }
        Err(other) => Err(other.into()),
    }
}

async fn resend(visit: Visit) -> Result<Response, Problem> {
    let email = visit.must_have_account()?.email.clone().unwrap_or_default();
    ended(visit.site.services.emails.resend(&visit.ctx, &email, None).await, "/account/emails?told=sent", HERE)
}

async fn make_first(visit: Visit, Path(id): Path<FurtherEmailId>) -> Result<Response, Problem> {
    ended(visit.site.services.emails.make_primary(&visit.ctx, id).await, "/account/emails?told=saved", HERE)
}

async fn remove(visit: Visit, Path(id): Path<FurtherEmailId>) -> Result<Response, Problem> {
    ended(visit.site.services.emails.remove(&visit.ctx, id).await, "/account/emails?told=saved", HERE)
}
