//! A new account, a forgotten password, the first administrator.

use axum::response::Response;
use http::{StatusCode, header};
use maud::{Markup, html};
use userd_model::Refusal;
use userd_services::{Failure, RegistrationMode, accounts::Registration, passwords::Password};
use userd_web::Problem;

use super::{
    completion::{complete, status_of, told, wrong_at},
    sign_in_form::ways_to_an_account,
    steps::{accepted, documents, password_hint},
};
use crate::{
    browser_cookies::{self, WAY},
    fields::Fields,
    layout::{self, with_query},
    parts::{self, Field, alert, field},
    routes::Routes,
    visit::{Query, Visit, local},
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/register", show)
        .post("/register", submit)
        .get("/forgot", forgot)
        .post("/forgot", send)
        .get("/setup", setup)
        .post("/setup", finish_setup)
        .get("/.well-known/change-password", change_password)
}

/// What was filled in so far.
#[derive(Default)]
struct Filled<'a> {
    next: &'a str,
    invitation: &'a str,
    email: &'a str,
    name: &'a str,
    /// What was sent, where it was refused.
    sent: Option<&'a Fields>,
}

async fn show(visit: Visit, query: Query) -> Response {
    let next = local(query.text("next")).unwrap_or("/account");
    if visit.account.is_some() {
        return Visit::go(next);
    }
    let filled = Filled { next, invitation: query.text("invitation"), email: query.text("email"), ..Filled::default() };
    visit.page(visit.texts.sign_in.register_title, &form(&visit, &filled, None))
}

async fn submit(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let given = |name: &str| Some(fields.text(name).to_owned()).filter(|text| !text.trim().is_empty());
    let next = local(fields.text("next")).unwrap_or("/account");
    visit.goes_on_to(next);
    let registration = Registration {
        email: given("email"),
        display_name: given("display_name"),
        locale: Some(visit.tag().to_owned()),
        invitation: given("invitation"),
        accept: accepted(&visit, &fields),
        ..Registration::with(Password::new(fields.text("password").to_owned()))
    };
    match visit.site.services.accounts.register(&visit.ctx, registration, None).await {
        Ok(completion) => complete(&visit, completion, next, fields.text("email").trim()).await,
        Err(Failure::Refused(refusal)) if told(&visit, &refusal).is_some() => {
            let (invitation, email) = (fields.text("invitation"), fields.text("email"));
            let filled = Filled { next, invitation, email, name: fields.text("display_name"), sent: Some(&fields) };
            let content = form(&visit, &filled, Some(&refusal));
            Ok(visit.page_with(status_of(&refusal), visit.texts.sign_in.register_title, &content))
        }
        Err(other) => Err(other.into()),
    }
}

fn form(visit: &Visit, filled: &Filled<'_>, refusal: Option<&Refusal>) -> Markup {
    let t = &visit.texts.sign_in;
    let mode = visit.site.services.deps.settings.registration;
    if !mode.admits(!filled.invitation.is_empty()) {
        let about = if mode == RegistrationMode::Invite { t.registration_invited } else { t.registration_closed };
        let back = with_query("/sign-in", "next", filled.next);
        return parts::single(t.register_title, &html! { p { (about) } p.after { a href=(back) { (t.title) } } });
    }
    let wrong = |pointer| wrong_at(visit, refusal, pointer);
    // The rule would take a username in its place, which this form does not ask for.
    let wrong_email = match wrong("/email") {
        told if !told.is_empty() && filled.email.trim().is_empty() => t.email_wanted.to_owned(),
        told => told,
    };
    parts::single(
        t.register_title,
        &html! {
            @if let Some(text) = refusal.and_then(|refusal| told(visit, refusal)) { (alert(text)) }
            form method="post" action="/register" {
                (layout::token(visit))
                input type="hidden" name="next" value=(filled.next);
                input type="hidden" name="invitation" value=(filled.invitation);
                (field(Field {
                    name: "email", label: t.email, kind: "email", value: filled.email, autocomplete: "email",
                    is_required: true, has_focus: refusal.is_none(), wrong: &wrong_email, ..Field::default()
                }))
                (field(Field {
                    name: "display_name", label: t.display_name, value: filled.name, autocomplete: "name",
                    wrong: &wrong("/display_name"), ..Field::default()
                }))
                (field(Field {
                    name: "password", label: t.password, kind: "password", autocomplete: "new-password",
                    hint: &password_hint(visit), is_required: true, wrong: &wrong("/password"), ..Field::default()
                }))
                (documents(visit, filled.sent))
                button { (t.register_submit) }
            }
            (ways_to_an_account(visit, filled.next, filled.invitation))
            p.after { (t.have_account) " " a href=(with_query("/sign-in", "next", filled.next)) { (t.title) } }
        },
    )
}

async fn forgot(visit: Visit, query: Query) -> Response {
    let content = forgot_form(&visit, local(query.text("next")).unwrap_or("/account"), "", None);
    visit.page(visit.texts.sign_in.forgot_title, &content)
}

fn forgot_form(visit: &Visit, next: &str, login: &str, told: Option<&str>) -> Markup {
    let t = &visit.texts.sign_in;
    let wrong = if told.is_some() && login.trim().is_empty() { t.login_wanted } else { "" };
    parts::single(
        t.forgot_title,
        &html! {
            @if let Some(told) = told { (alert(told)) }
            p { (t.forgot_about) }
            form method="post" action="/forgot" {
                (layout::token(visit))
                input type="hidden" name="next" value=(next);
                (field(Field {
                    name: "login", label: t.login, value: login, autocomplete: "username", is_required: true,
                    has_focus: told.is_none(), wrong, ..Field::default()
                }))
                button { (t.forgot_submit) }
            }
            p.after { a href=(with_query("/sign-in", "next", next)) { (t.title) } }
        },
    )
}

/// The same answer for every login. Whoever follows the link in this browser goes on to where they wanted.
async fn send(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let t = &visit.texts.sign_in;
    let next = local(fields.text("next")).unwrap_or("/account");
    visit.goes_on_to(next);
    let login = fields.text("login");
    if login.trim().is_empty() {
        let content = forgot_form(&visit, next, login, Some(t.look_at_fields));
        return Ok(visit.page_with(StatusCode::UNPROCESSABLE_ENTITY, t.forgot_title, &content));
    }
    match visit.site.services.recovery.forgot(&visit.ctx, login).await {
        Ok(()) => {
            let content = parts::single(
                t.sent_title,
                &html! {
                    p { (t.sent_about) }
                    p.after { a href=(with_query("/sign-in", "next", next)) { (t.title) } }
                },
            );
            let mut answer = visit.page(t.sent_title, &content);
            let cookie = browser_cookies::carried(WAY, &[("next", next)]);
            answer.headers_mut().extend(cookie.map(|value| (header::SET_COOKIE, value)));
            Ok(answer)
        }
        Err(Failure::Refused(Refusal::TooManyAttempts(_))) => {
            let content = forgot_form(&visit, next, login, Some(t.too_many));
            Ok(visit.page_with(StatusCode::TOO_MANY_REQUESTS, t.forgot_title, &content))
        }
        Err(other) => Err(other.into()),
    }
}

async fn setup(visit: Visit) -> Result<Response, Problem> {
    if !visit.site.services.setup.is_open().await? {
        return Ok(setup_is_done(&visit, StatusCode::OK));
    }
    Ok(visit.page(visit.texts.sign_in.setup_title, &setup_form(&visit, "", "", None)))
}

/// No form any more: nobody gets in by it.
fn setup_is_done(visit: &Visit, status: StatusCode) -> Response {
    let t = &visit.texts.sign_in;
    let content = html! { (parts::note(t.setup_done)) p { a.button href="/sign-in" { (t.title) } } };
    visit.page_with(status, t.setup_title, &parts::single(t.setup_title, &content))
}

/// The token stands behind `#`, which browsers send to nobody: the script fills it in, or a person does.
fn setup_form(visit: &Visit, token: &str, username: &str, refusal: Option<&Refusal>) -> Markup {
    let t = &visit.texts.sign_in;
    let wrong = |pointer| wrong_at(visit, refusal, pointer);
    let wrong_token = if matches!(refusal, Some(Refusal::InvalidCode)) { t.wrong_code } else { "" };
    parts::single(
        t.setup_title,
        &html! {
            @if let Some(text) = refusal.and_then(|refusal| told(visit, refusal)) { (alert(text)) }
            p { (t.setup_about) }
            form method="post" action="/setup" data-token-from-fragment="setup_token" {
                (layout::token(visit))
                (field(Field {
                    name: "setup_token", label: t.setup_token, hint: t.setup_token_hint, value: token, autocomplete: "off",
                    is_required: true, wrong: wrong_token, ..Field::default()
                }))
                (field(Field {
                    name: "username", label: t.username, value: username, autocomplete: "username", is_required: true,
                    wrong: &wrong("/username"), ..Field::default()
                }))
                (field(Field {
                    name: "password", label: t.password, kind: "password", autocomplete: "new-password",
                    hint: &password_hint(visit), is_required: true, wrong: &wrong("/password"), ..Field::default()
                }))
                button { (t.setup_submit) }
            }
        },
    )
}

async fn finish_setup(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let registration = Registration {
        username: Some(fields.text("username").to_owned()),
        ..Registration::with(Password::new(fields.text("password").to_owned()))
    };
    let token = fields.text("setup_token").trim();
    match visit.site.services.setup.finish(&visit.ctx, token, registration).await {
        Ok(completion) => complete(&visit, completion, "/admin/overview?done=setup", "").await,
        Err(Failure::Refused(refusal @ Refusal::SetupDone)) => Ok(setup_is_done(&visit, status_of(&refusal))),
        Err(Failure::Refused(refusal)) if told(&visit, &refusal).is_some() => {
            let content = setup_form(&visit, token, fields.text("username"), Some(&refusal));
            Ok(visit.page_with(status_of(&refusal), visit.texts.sign_in.setup_title, &content))
        }
        Err(other) => Err(other.into()),
    }
}

/// Where password managers lead (W3C, a well-known URL for changing passwords).
async fn change_password() -> Response {
    Visit::go("/account/security")
}
