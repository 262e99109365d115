//! The addresses of an account: proven by the link of a mail, added, removed, made the first.

use axum::response::Response;
use maud::{Markup, html};
use userd_model::{Email, FurtherEmailId, InvalidField, Refusal};
use userd_services::{Failure, passwords::Password, sessions::Pending};
use userd_web::{Problem, extract::Path};

use super::{
    completion::{fields_of, status_of, told},
    prove::{ended, prove_and_send_again},
};
use crate::{
    fields::Fields,
    layout,
    parts::{Field, alert, done, field, panel, wrong_with},
    routes::Routes,
    visit::{Query, Visit},
};

const HERE: &str = "/account/emails";
const CHANGE: &str = "/account/emails/change";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(HERE, show)
        .post(HERE, add)
        .post(CHANGE, change)
        .post("/account/emails/resend", resend)
        .post("/account/emails/{id}/first", make_first)
        .post("/account/emails/{id}/remove", remove)
}

async fn show(visit: Visit, query: Query) -> Result<Response, Problem> {
    let t = &visit.texts.account;
    let note = match query.text("told") {
        "sent" => done(t.email_sent),
        "saved" => done(t.saved),
        _ => Markup::default(),
    };
    page(&visit, &note, "", None).await
}

async fn page(visit: &Visit, note: &Markup, typed: &str, refusal: Option<&Refusal>) -> Result<Response, Problem> {
    let t = &visit.texts.account;
    let found = visit.site.services.emails.list(&visit.ctx).await?;
    let errors = refusal.map(fields_of).unwrap_or_default();
    let list = html! {
        ul.list {
            @for address in &found {
                li {
                    span.grow {
                        strong { (address.email) } " "
                        @if address.primary { span.badge { (t.email_first) } " " }
                        @if !address.verified { span.badge { (t.email_unconfirmed) } }
                    }
                    @if address.primary {
                        @if !address.verified { (button(visit, "/account/emails/resend", t.email_resend)) }
                    } @else {
                        (button(visit, &format!("/account/emails/{}/first", address.id), t.email_make_first))
                        (button(visit, &format!("/account/emails/{}/remove", address.id), t.remove))
                    }
                }
            }
        }
        @if found.is_empty() { p.muted { (t.no_emails) } }
    };
    // Further addresses wait until the first one is proven: until then it may be a wrong one, and is put right.
    let is_change = found.first().is_some_and(|first| first.primary && !first.verified);
    let (title, action) = if is_change { (t.email_change, CHANGE) } else { (t.email_add, HERE) };
    let is_wrong = matches!(refusal, Some(Refusal::WrongCurrentPassword));
    let form = html! {
        @if let Some(text) = refusal.filter(|_| !is_wrong).and_then(|refusal| told(visit, refusal)) { (alert(text)) }
        form method="post" action=(action) data-guard=(t.unsaved) {
            (layout::token(visit))
            (field(Field {
                name: "email", label: t.email, kind: "email", value: typed, autocomplete: "email", hint: t.email_add_hint,
                is_required: true, wrong: &wrong_with(errors, "/email", visit.language), ..Field::default()
            }))
            @if is_change { (password(visit, errors, is_wrong)) }
            button { (title) }
        }
    };
    let content = html! { (note) (panel(t.emails, &list)) (panel(title, &form)) };
    let content = layout::account(visit, t.emails, &content);
    Ok(visit.page_with(refusal.map_or(http::StatusCode::OK, status_of), t.emails, &content))
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

fn button(visit: &Visit, action: &str, label: &str) -> Markup {
    html! { form method="post" action=(action) { (layout::token(visit)) button.quiet { (label) } } }
}

async fn add(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let (email, emails) = (fields.text("email").trim(), &visit.site.services.emails);
    // No message goes to an address that is theirs already, so none is promised.
    let asked = if is_own(&visit, email).await? {
        Err(Refusal::field("/email", "is one of your addresses already").into())
    } else {
        emails.add(&visit.ctx, email).await
    };
    sent(&visit, email, asked).await
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
    sent(&visit, email, visit.site.services.emails.change(&visit.ctx, email, current.as_ref(), None).await).await
}

async fn sent(visit: &Visit, email: &str, asked: Result<Pending, Failure>) -> Result<Response, Problem> {
    match asked {
        Ok(_) => Ok(Visit::go("/account/emails?told=sent")),
        Err(Failure::Refused(refusal)) if told(visit, &refusal).is_some() => {
            page(visit, &Markup::default(), email, Some(&refusal)).await
        }
        Err(failure) => prove_and_send_again(failure, HERE),
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
