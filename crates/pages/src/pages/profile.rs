//! Name, language, time zone, username; a copy of everything; the end of the account.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use maud::{Markup, html};
use userd_model::Refusal;
use userd_services::{Failure, UserView, accounts::ProfileInput, passwords::Password};
use userd_web::Problem;

use super::{
    completion::{fields_of, status_of, told},
    prove::prove_first,
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
const DATA: &str = "/account/data";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(PROFILE, show)
        .post(PROFILE, save)
        .get("/account/username", show_username)
        .post("/account/username", rename)
        .get(DATA, data)
        .get("/account/data/export", export)
        .get("/account/data/delete", show_delete)
        .post("/account/data/delete", delete)
}

async fn show(visit: Visit, query: Query) -> Result<Response, Problem> {
    page(&visit, query.text("told") == "saved", None)
}

fn page(visit: &Visit, is_saved: bool, refusal: Option<&Refusal>) -> Result<Response, Problem> {
    let t = &visit.texts.account;
    let account = visit.must_have_account()?;
    let errors = refusal.map(fields_of).unwrap_or_default();
    let wrong = |pointer| wrong_with(errors, pointer, visit.language);
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let content = layout::account(
        visit,
        t.profile,
        &html! {
            @if is_saved { (done(t.saved)) }
            @if is_saved && visit.site.services.deps.passkeys.is_some() { (layout::signals(visit)) }
            @if let Some(text) = refusal.and_then(|refusal| told(visit, refusal)) { (alert(text)) }
            (panel(t.profile, &html! {
                form method="post" action=(PROFILE) data-guard=(t.unsaved) {
                    (layout::token(visit))
                    input type="hidden" name="version" value=(account.version);
                    (field(Field {
                        name: "display_name", label: t.name, value: &text(&account.display_name), autocomplete: "name",
                        wrong: &wrong("/display_name"), ..Field::default()
                    }))
                    div.field {
                        label for="locale" { (visit.texts.common.language) }
                        select id="locale" name="locale" {
                            @for (tag, name) in [("", "—"), ("en", "English"), ("ru", "Русский")] {
                                option value=(tag) selected[text(&account.locale) == tag] { (name) }
                            }
                        }
                    }
                    (field(Field {
                        name: "time_zone", label: t.time_zone, value: &text(&account.time_zone), hint: t.time_zone_hint,
                        wrong: &wrong("/time_zone"), ..Field::default()
                    }))
                    button { (t.save) }
                }
            }))
            (panel(t.username, &username_form(visit, account, &wrong("/username"))))
        },
    );
    Ok(visit.page_with(refusal.map_or(http::StatusCode::OK, status_of), t.profile, &content))
}

fn username_form(visit: &Visit, account: &UserView, wrong: &str) -> Markup {
    let t = &visit.texts.account;
    html! {
        form method="post" action="/account/username" data-guard=(t.unsaved) {
            (layout::token(visit))
            (field(Field {
                name: "username", label: t.username, value: account.username.as_deref().unwrap_or_default(),
                autocomplete: "username", hint: t.username_hint, is_required: true, wrong, ..Field::default()
            }))
            button { (t.save) }
        }
    }
}

/// The task by itself, for applications that lead straight to it.
async fn show_username(visit: Visit) -> Result<Response, Problem> {
    let t = &visit.texts.account;
    let form = username_form(&visit, visit.must_have_account()?, "");
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
    finish(&visit, saved.map(drop))
}

async fn rename(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let renamed = visit.site.services.accounts.change_username(&visit.ctx, fields.text("username"), None).await;
    finish(&visit, renamed.map(drop))
}

fn finish(visit: &Visit, outcome: Result<(), Failure>) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(Visit::go("/account/profile?told=saved")),
        Err(Failure::Refused(refusal)) if told(visit, &refusal).is_some() => page(visit, false, Some(&refusal)),
        Err(failure) => prove_first(failure, PROFILE),
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
    html! {
        @if refusal.is_some() { (alert(t.wrong_password)) }
        p { (t.delete_about) }
        form method="post" action="/account/data/delete" {
            (layout::token(visit))
            (field(Field {
                name: "current_password", label: t.current_password, kind: "password",
                autocomplete: "current-password", hint: t.current_password_hint, ..Field::default()
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
        Err(Failure::Refused(refusal @ (Refusal::WrongCurrentPassword | Refusal::WrongCredentials))) => {
            Ok(data_page(&visit, Some(&refusal)))
        }
        Err(failure) => prove_first(failure, DATA),
    }
}
