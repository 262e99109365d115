//! Password, second factors, recovery codes.

use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use userd_model::{FactorId, FactorKind, Refusal};
use userd_services::{
    Failure,
    factors::{FactorView, HeldFactors, TotpBegun},
    passwords::Password,
};
use userd_web::{Problem, extract::Path};

use super::{
    completion::{fields_of, status_of, told},
    passkeys::ADD,
    prove::{ended, prove_and_send_again, prove_first},
    steps::{password_hint, recovery_codes, secret},
};
use crate::{
    dates::moment,
    fields::Fields,
    layout,
    parts::{Field, alert, done, field, panel, plain, wrong_with},
    routes::Routes,
    texts::count,
    visit::{Query, Visit},
};

const HERE: &str = "/account/security";
const APP: &str = "/account/security/app";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(HERE, show)
        .get("/account/security/password", show_password)
        .post("/account/security/password", change_password)
        .get(APP, begin_app)
        .post(APP, confirm_app)
        .post("/account/security/factors/{id}/remove", remove)
        .post("/account/security/recovery-codes", renew)
}

async fn show(visit: Visit, query: Query) -> Result<Response, Problem> {
    let note = match query.text("told") {
        "password" => Some(visit.texts.account.password_changed),
        "removed" => Some(visit.texts.account.factor_removed),
        "passkey" => Some(visit.texts.passkeys.added),
        "renamed" => Some(visit.texts.passkeys.renamed),
        _ => None,
    };
    page(&visit, note, None).await
}

/// The task by itself, for applications that lead straight to it.
async fn show_password(visit: Visit) -> Response {
    let title = visit.texts.account.change_password;
    visit.page(title, &layout::account(&visit, title, &plain(&password_form(&visit, None))))
}

async fn page(visit: &Visit, note: Option<&str>, refusal: Option<&Refusal>) -> Result<Response, Problem> {
    let t = &visit.texts.account;
    let held = visit.site.services.factors.held(&visit.ctx).await?;
    let content = layout::account(
        visit,
        t.security,
        &html! {
            @if let Some(note) = note { (done(note)) }
            (panel(visit.texts.sign_in.password, &password_form(visit, refusal)))
            (panel(t.factors, &factors(visit, &held)))
            @if held.accepted_passkeys.is_some() { (layout::signals(visit)) }
        },
    );
    Ok(visit.page_with(refusal.map_or(StatusCode::OK, status_of), t.security, &content))
}

fn password_form(visit: &Visit, refusal: Option<&Refusal>) -> Markup {
    let (t, words) = (&visit.texts.account, &visit.texts.sign_in);
    let errors = refusal.map(fields_of).unwrap_or_default();
    let is_wrong = matches!(refusal, Some(Refusal::WrongCurrentPassword));
    let missing = wrong_with(errors, "/current_password", visit.language);
    html! {
        @if let Some(text) = refusal.filter(|_| !is_wrong).and_then(|refusal| told(visit, refusal)) { (alert(text)) }
        form method="post" action="/account/security/password" {
            (layout::token(visit))
            (field(Field {
                name: "current_password", label: t.current_password, kind: "password",
                autocomplete: "current-password", hint: t.current_password_hint,
                wrong: if is_wrong { t.wrong_password } else { missing.as_str() }, ..Field::default()
            }))
            (field(Field {
                name: "new_password", label: words.new_password, kind: "password", autocomplete: "new-password",
                hint: &password_hint(visit), wrong: &wrong_with(errors, "/new_password", visit.language),
                is_required: true, ..Field::default()
            }))
            button { (t.change_password) }
        }
    }
}

/// Whoever has no password yet, having come through a provider, sets a first one.
async fn change_password(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let accounts = &visit.site.services.accounts;
    let [current, new] = ["current_password", "new_password"].map(|name| Password::new(fields.text(name).to_owned()));
    let changed = if fields.text("current_password").is_empty() {
        accounts.set_first_password(&visit.ctx, &new).await
    } else {
        accounts.change_password(&visit.ctx, &current, &new).await
    };
    match changed {
        Err(Failure::Refused(refusal)) if told(&visit, &refusal).is_some() => page(&visit, None, Some(&refusal)).await,
        other => ended(other, "/account/security?told=password", HERE),
    }
}

fn factors(visit: &Visit, held: &HeldFactors) -> Markup {
    let t = &visit.texts.account;
    html! {
        @if held.items.is_empty() { p { (t.no_factors) } }
        ul.list {
            @for factor in &held.items {
                li {
                    (line(visit, factor))
                    div.row {
                        a.button.quiet href=(format!("/account/security/factors/{}/rename", factor.id))
                            aria-label={ (visit.texts.passkeys.rename) ": " (called(visit, factor)) } {
                            (visit.texts.passkeys.rename)
                        }
                        form method="post" action=(format!("/account/security/factors/{}/remove", factor.id)) {
                            (layout::token(visit))
                            button.danger aria-label={ (t.remove) ": " (called(visit, factor)) } { (t.remove) }
                        }
                    }
                }
            }
        }
        div.row {
            @if held.accepted_passkeys.is_some() { a.button.quiet href=(ADD) { (visit.texts.passkeys.add) } }
            a.button.quiet href=(APP) { (t.add_app) }
            @if !held.items.is_empty() {
                form method="post" action="/account/security/recovery-codes" {
                    (layout::token(visit))
                    button.quiet { (t.new_codes) }
                }
                span.muted { (count(t.codes_left, u64::try_from(held.recovery_codes_left).unwrap_or(0), visit.language)) }
            }
        }
    }
}

fn kind(visit: &Visit, factor: &FactorView) -> &'static str {
    if factor.kind == FactorKind::Passkey { visit.texts.passkeys.title } else { visit.texts.account.app }
}

fn called<'a>(visit: &Visit, factor: &'a FactorView) -> &'a str {
    factor.name.as_deref().unwrap_or_else(|| kind(visit, factor))
}

/// What it is called, what it is, since when and when last.
fn line(visit: &Visit, factor: &FactorView) -> Markup {
    let t = &visit.texts.account;
    html! {
        span.grow {
            strong { (called(visit, factor)) }
            @if factor.name.is_some() { " " span.badge { (kind(visit, factor)) } }
            br;
            span.muted {
                (t.added) " " (moment(visit, factor.created_at))
                @if let Some(at) = factor.last_used_at { " · " (t.last_used) " " (moment(visit, at)) }
            }
        }
    }
}

async fn begin_app(visit: Visit) -> Result<Response, Problem> {
    begun_anew(&visit, StatusCode::OK, None).await
}

/// A secret that nobody was shown before.
async fn begun_anew(visit: &Visit, status: StatusCode, told: Option<&str>) -> Result<Response, Problem> {
    match visit.site.services.factors.begin_totp(&visit.ctx, None, None).await {
        Ok(begun) => Ok(app_page(visit, &begun, status, told)),
        Err(failure) => prove_first(failure, APP),
    }
}

fn app_page(visit: &Visit, begun: &TotpBegun, status: StatusCode, told: Option<&str>) -> Response {
    let (t, words) = (&visit.texts.account, &visit.texts.sign_in);
    let content = layout::account(
        visit,
        t.add_app,
        &plain(&html! {
            @if let Some(told) = told { (alert(told)) }
            p { (t.scan) }
            (secret(visit, begun))
            form method="post" action=(APP) {
                (layout::token(visit))
                input type="hidden" name="id" value=(begun.id);
                (field(Field {
                    name: "code", label: words.first_code, autocomplete: "one-time-code", is_required: true,
                    ..Field::default()
                }))
                button { (words.go_on) }
            }
            p.after { a href=(APP) { (words.start_again) } }
        }),
    );
    visit.page_with(status, t.add_app, &content)
}

async fn confirm_app(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let id: FactorId = fields.text("id").parse().map_err(|_| Problem::not_found())?;
    let factors = &visit.site.services.factors;
    match factors.confirm_totp(&visit.ctx, id, fields.text("code").trim()).await {
        Ok(Some(codes)) => Ok(shown_once(&visit, &codes)),
        Ok(None) => Ok(Visit::go(HERE)),
        Err(Failure::Refused(refusal)) if refusal == Refusal::NotFound || told(&visit, &refusal).is_some() => {
            // The same once more, which the app may have already; another one where that is over.
            match factors.waiting_totp(&visit.ctx, id).await {
                Ok(begun) => Ok(app_page(&visit, &begun, status_of(&refusal), told(&visit, &refusal))),
                Err(Failure::Refused(Refusal::NotFound)) => {
                    begun_anew(&visit, StatusCode::UNPROCESSABLE_ENTITY, Some(visit.texts.sign_in.other_secret)).await
                }
                Err(failure) => prove_and_send_again(failure, APP),
            }
        }
        Err(failure) => prove_and_send_again(failure, APP),
    }
}

fn shown_once(visit: &Visit, codes: &[String]) -> Response {
    visit.page(visit.texts.sign_in.recovery_title, &recovery_codes(visit, codes, HERE))
}

async fn remove(visit: Visit, Path(id): Path<FactorId>) -> Result<Response, Problem> {
    let removed = visit.site.services.factors.remove(&visit.ctx, id).await;
    ended(removed, "/account/security?told=removed", HERE)
}

async fn renew(visit: Visit) -> Result<Response, Problem> {
    match visit.site.services.factors.renew_recovery_codes(&visit.ctx).await {
        Ok(codes) => Ok(shown_once(&visit, &codes)),
        Err(failure) => prove_and_send_again(failure, HERE),
    }
}
