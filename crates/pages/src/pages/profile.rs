//! Name, language, time zone, username; a copy of everything; the end of the account.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use maud::{Markup, html};
use userd_model::Refusal;
use userd_services::{Failure, UserView, accounts::ProfileInput, passwords::Password};
use userd_web::Problem;

use super::{
    completion::{fields_of, status_of, told, wrong_at},
    prove::prove_and_send_again,
};
use crate::{
    browser_cookies,
    fields::Fields,
    layout,
    parts::{Field, alert, done, field, panel, plain, wrong_with},
    routes::Routes,
    visit::{Query, Visit},
};

const PROFILE: &str = "/account/profile";
const USERNAME: &str = "/account/username";
const DATA: &str = "/account/data";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(PROFILE, show)
        .post(PROFILE, save)
        .get(USERNAME, show_username)
        .post(USERNAME, rename)
        .get(DATA, data)
        .get("/account/data/export", export)
        .get("/account/data/delete", show_delete)
        .post("/account/data/delete", delete)
}

async fn show(visit: Visit, query: Query) -> Result<Response, Problem> {
    page(&visit, query.text("told") == "saved", None)
}

/// A form that was refused: which one, what was sent in it, and why.
#[derive(Clone, Copy)]
struct Refused<'a> {
    form: &'a str,
    fields: &'a Fields,
    why: &'a Refusal,
}

fn page(visit: &Visit, is_saved: bool, refused: Option<Refused<'_>>) -> Result<Response, Problem> {
    let t = &visit.texts.account;
    let account = visit.must_have_account()?;
    let refusal = refused.map(|refused| refused.why);
    let content = layout::account(
        visit,
        t.profile,
        &html! {
            @if is_saved { (done(t.saved)) }
            @if is_saved && visit.site.services.deps.passkeys.is_some() { (layout::signals(visit)) }
            @if let Some(text) = refusal.and_then(|refusal| told(visit, refusal)) { (alert(text)) }
            (panel(t.profile, &profile_form(visit, account, refused.filter(|refused| refused.form == PROFILE))))
            (panel(t.username, &username_form(visit, account, refused.filter(|refused| refused.form == USERNAME))))
        },
    );
    Ok(visit.page_with(refusal.map_or(http::StatusCode::OK, status_of), t.profile, &content))
}

/// What is stored, or what was sent and refused.
fn profile_form(visit: &Visit, account: &UserView, refused: Option<Refused<'_>>) -> Markup {
    let t = &visit.texts.account;
    let errors = refused.map(|refused| fields_of(refused.why)).unwrap_or_default();
    let wrong = |pointer| wrong_with(errors, pointer, visit.language);
    let text = |name: &str, stored: &Option<String>| match refused {
        Some(refused) => refused.fields.text(name).to_owned(),
        None => stored.clone().unwrap_or_default(),
    };
    let locale = text("locale", &account.locale);
    // Whoever is told of a change in another window sends the next try over it; everybody else over what they saw.
    let seen = refused.filter(|refused| *refused.why != Refusal::VersionMismatch);
    let version = seen.map_or_else(|| account.version.to_string(), |refused| refused.fields.text("version").to_owned());
    html! {
        form method="post" action=(PROFILE) data-guard=(t.unsaved) {
            (layout::token(visit))
            input type="hidden" name="version" value=(version);
            (field(Field {
                name: "display_name", label: t.name, value: &text("display_name", &account.display_name),
                autocomplete: "name", wrong: &wrong("/display_name"), ..Field::default()
            }))
            div.field {
                label for="locale" { (visit.texts.common.language) }
                select id="locale" name="locale" {
                    @for (code, name) in [("", "—"), ("en", "English"), ("ru", "Русский")] {
                        option value=(code) selected[locale == code] { (name) }
                    }
                }
            }
            (field(Field {
                name: "time_zone", label: t.time_zone, value: &text("time_zone", &account.time_zone),
                hint: t.time_zone_hint, wrong: &wrong("/time_zone"), ..Field::default()
            }))
            button { (t.save) }
        }
    }
}

fn username_form(visit: &Visit, account: &UserView, refused: Option<Refused<'_>>) -> Markup {
    let t = &visit.texts.account;
    let stored = account.username.as_deref().unwrap_or_default();
    let value = refused.map_or(stored, |refused| refused.fields.text("username"));
    let wrong = wrong_at(visit, refused.map(|refused| refused.why), "/username");
    html! {
        form method="post" action=(USERNAME) data-guard=(t.unsaved) {
            (layout::token(visit))
            (field(Field {
                name: "username", label: t.username, value, autocomplete: "username", hint: t.username_hint,
                is_required: true, wrong: &wrong, ..Field::default()
            }))
            button { (t.save) }
        }
    }
}

/// The task by itself, for applications that lead straight to it.
async fn show_username(visit: Visit) -> Result<Response, Problem> {
    let t = &visit.texts.account;
    let form = username_form(&visit, visit.must_have_account()?, None);
    Ok(visit.page(t.username, &layout::account(&visit, t.username, &plain(&form))))
}

async fn save(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let given = |name: &str| Some(Some(fields.text(name).to_owned()).filter(|text| !text.trim().is_empty()));
    let input = ProfileInput {
        display_name: given("display_name"),
        locale: given("locale"),
        time_zone: given("time_zone"),
        ..ProfileInput::default()
    };
    let version = fields.text("version").parse().ok();
    let saved = visit.site.services.accounts.change_profile(&visit.ctx, input, version).await;
    finish(&visit, (PROFILE, &fields), saved.map(drop))
}

async fn rename(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let renamed = visit.site.services.accounts.change_username(&visit.ctx, fields.text("username"), None).await;
    finish(&visit, (USERNAME, &fields), renamed.map(drop))
}

fn finish(visit: &Visit, (form, fields): (&str, &Fields), outcome: Result<(), Failure>) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(Visit::go("/account/profile?told=saved")),
        Err(Failure::Refused(why)) if told(visit, &why).is_some() => {
            page(visit, false, Some(Refused { form, fields, why: &why }))
        }
        Err(failure) => prove_and_send_again(failure, PROFILE),
    }
}

async fn show_delete(visit: Visit) -> Response {
    let t = &visit.texts.account;
    visit.page(t.delete, &layout::account(&visit, t.delete, &plain(&deletion(&visit, None))))
}

async fn data(visit: Visit) -> Response {
    data_page(&visit, None)
}

fn data_page(visit: &Visit, refusal: Option<&Refusal>) -> Response {
    let t = &visit.texts.account;
    let content = layout::account(
        visit,
        t.data,
        &html! {
            (panel(t.export, &html! { p { (t.export_about) } a.button.quiet href="/account/data/export" { (t.export) } }))
            (panel(t.delete, &deletion(visit, refusal)))
        },
    );
    visit.page_with(refusal.map_or(http::StatusCode::OK, status_of), t.data, &content)
}

fn deletion(visit: &Visit, refusal: Option<&Refusal>) -> Markup {
    let t = &visit.texts.account;
    let is_wrong = matches!(refusal, Some(Refusal::WrongCurrentPassword | Refusal::WrongCredentials));
    let errors = refusal.map(fields_of).unwrap_or_default();
    let missing = wrong_with(errors, "/current_password", visit.language);
    html! {
        @if let Some(text) = refusal.filter(|_| !is_wrong).and_then(|refusal| told(visit, refusal)) { (alert(text)) }
        p { (t.delete_about) }
        form method="post" action="/account/data/delete" {
            (layout::token(visit))
            (field(Field {
                name: "current_password", label: t.current_password, kind: "password",
                autocomplete: "current-password", hint: t.current_password_hint,
                wrong: if is_wrong { t.wrong_password } else { missing.as_str() }, ..Field::default()
            }))
            button.danger { (t.delete) }
        }
    }
}

/// Everything that is held about the visitor, as a file.
async fn export(visit: Visit) -> Result<Response, Problem> {
    let (id, _) = visit.ctx.user()?;
    let archive = visit.site.services.export(&visit.ctx, id).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"account.json\"")),
    ];
    Ok((headers, archive.to_string()).into_response())
}

async fn delete(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let current = Some(fields.text("current_password")).filter(|text| !text.is_empty());
    let current = current.map(|text| Password::new(text.to_owned()));
    match visit.site.services.deletions.delete_own(&visit.ctx, current.as_ref()).await {
        Ok(_) => {
            let mut answer = Visit::signed_out("/sign-in?told=deleted");
            let cookie = browser_cookies::removed(browser_cookies::DEVICE);
            answer.headers_mut().extend(cookie.map(|value| (header::SET_COOKIE, value)));
            Ok(answer)
        }
        Err(Failure::Refused(refusal)) if told(&visit, &refusal).is_some() => Ok(data_page(&visit, Some(&refusal))),
        Err(failure) => prove_and_send_again(failure, DATA),
    }
}
