//! Ways in that need no other site: a code by mail, and the messenger's bot.

use axum::response::{IntoResponse, Redirect, Response};
use http::header;
use maud::{Markup, html};
use userd_services::{Failure, sign_in::BotPoll};
use userd_web::Problem;

use super::{
    completion::{begin_again, complete, fields_of, status_of, told, wanted},
    last_way::{self, BOT, EMAIL_CODE},
};
use crate::{
    browser_cookies::{self, WAY},
    fields::Fields,
    layout::{self, with_query},
    parts::{self, Field, alert, field, wrong_with},
    routes::Routes,
    texts::fill,
    visit::{Query, Visit, local},
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/sign-in/email-code", ask_code)
        .post("/sign-in/email-code", send_code)
        .get("/sign-in/email-code/enter", enter_code)
        .post("/sign-in/email-code/enter", show_code)
        .get("/sign-in/bot", begin_bot)
        .post("/sign-in/bot", poll_bot)
}

async fn ask_code(visit: Visit, query: Query) -> Result<Response, Problem> {
    if !visit.site.services.deps.settings.email_code_sign_in {
        return Err(Problem::not_found());
    }
    let next = local(query.text("next")).unwrap_or("/account");
    Ok(code_page(&visit, next, "", None))
}

fn code_page(visit: &Visit, next: &str, email: &str, refusal: Option<&userd_model::Refusal>) -> Response {
    let t = &visit.texts.sign_in;
    let wrong = wrong_with(refusal.map(fields_of).unwrap_or_default(), "/email", visit.language);
    let content = parts::single(
        t.code_title,
        &html! {
            @if let Some(text) = refusal.and_then(|refusal| told(visit, refusal)) { (alert(text)) }
            p { (t.code_about) }
            form method="post" action="/sign-in/email-code" {
                (layout::token(visit))
                input type="hidden" name="next" value=(next);
                (field(Field {
                    name: "email", label: t.email, kind: "email", value: email, autocomplete: "email", is_required: true,
                    has_focus: refusal.is_none(), wrong: &wrong, ..Field::default()
                }))
                button { (t.code_send) }
            }
            p.after { a href=(with_query("/sign-in", "next", next)) { (t.start_again) } }
        },
    );
    let status = refusal.map_or(http::StatusCode::OK, status_of);
    visit.page_with(status, t.code_title, &content)
}

async fn send_code(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let next = local(fields.text("next")).unwrap_or("/account");
    visit.goes_on_to(next);
    match visit.site.services.email_codes.begin(&visit.ctx, fields.text("email")).await {
        Ok(begun) => {
            let fields = [("challenge", begun.challenge.as_str()), ("email", fields.text("email")), ("next", next)];
            let mut answer = Redirect::to("/sign-in/email-code/enter").into_response();
            let cookie = browser_cookies::carried(WAY, &fields);
            answer.headers_mut().extend(cookie.map(|value| (header::SET_COOKIE, value)));
            Ok(answer)
        }
        Err(Failure::Refused(refusal)) if told(&visit, &refusal).is_some() => {
            Ok(code_page(&visit, next, fields.text("email"), Some(&refusal)))
        }
        Err(other) => Err(other.into()),
    }
}

async fn enter_code(visit: Visit) -> Result<Response, Problem> {
    if !visit.site.services.deps.settings.email_code_sign_in {
        return Err(Problem::not_found());
    }
    // No code was asked for here, or too long ago.
    if visit.carried(WAY, "challenge").is_none() {
        return Ok(begin_again(&wanted(&visit)));
    }
    Ok(enter_page(&visit, None))
}

fn enter_page(visit: &Visit, refusal: Option<&userd_model::Refusal>) -> Response {
    let (t, next) = (&visit.texts.sign_in, wanted(visit));
    let email = visit.carried(WAY, "email").unwrap_or_default();
    let content = parts::single(
        t.code_title,
        &html! {
            @if let Some(text) = refusal.and_then(|refusal| told(visit, refusal)) { (alert(text)) }
            p { (fill(t.code_sent, "email", &email)) }
            form method="post" action="/sign-in/email-code/enter" {
                (layout::token(visit))
                (field(Field {
                    name: "code", label: t.mail_code, autocomplete: "one-time-code", is_required: true, has_focus: true,
                    ..Field::default()
                }))
                button { (t.submit) }
            }
            p.after { a href=(with_query("/sign-in/email-code", "next", &next)) { (t.start_again) } }
        },
    );
    visit.page_with(refusal.map_or(http::StatusCode::OK, status_of), t.code_title, &content)
}

async fn show_code(visit: Visit, fields: Fields) -> Result<Response, Problem> {
    let next = &wanted(&visit);
    let Some(challenge) = visit.carried(WAY, "challenge") else { return Ok(begin_again(next)) };
    match visit.site.services.email_codes.finish(&visit.ctx, &challenge, fields.text("code"), None).await {
        Ok(completion) => Ok(last_way::remember(complete(&visit, completion, next, "").await?, EMAIL_CODE)),
        Err(Failure::Refused(refusal)) if told(&visit, &refusal).is_some() => Ok(enter_page(&visit, Some(&refusal))),
        Err(other) => Err(other.into()),
    }
}

/// The bot is written to in the messenger; then the person comes back here. The script asks by itself.
async fn begin_bot(visit: Visit, query: Query) -> Result<Response, Problem> {
    let next = local(query.text("next")).unwrap_or("/account");
    let invitation = Some(query.text("invitation")).filter(|token| !token.is_empty());
    let begun = visit.site.services.sign_in.start_bot(&visit.ctx, invitation).await?;
    let fields = [
        ("attempt", begun.attempt.as_str()),
        ("secret", &begun.secret),
        ("next", next),
        ("invitation", query.text("invitation")),
        ("link", &begun.link),
        ("number", &begun.match_code),
        ("command", &begun.command),
    ];
    let steps = bot_steps(&visit, &begun.link, &begun.match_code, &begun.command);
    let mut answer = bot_page(&visit, &steps, (next, query.text("invitation")), None);
    let cookie = browser_cookies::carried(WAY, &fields);
    answer.headers_mut().extend(cookie.map(|value| (header::SET_COOKIE, value)));
    Ok(answer)
}

/// What is to be done in the messenger. Whoever has not done it yet needs it as long as they wait.
fn bot_steps(visit: &Visit, link: &str, number: &str, command: &str) -> Markup {
    let t = &visit.texts.sign_in;
    html! {
        ol {
            li { a href=(link) rel="noreferrer" target="_blank" { (t.bot_open) } }
            li { (t.bot_number) " " strong.number { (number) } }
            li { (t.bot_return) }
        }
        p.hint { (t.bot_command) " " code { (command) } }
    }
}

fn bot_page(visit: &Visit, steps: &Markup, (next, invitation): (&str, &str), note: Option<&str>) -> Response {
    let t = &visit.texts.sign_in;
    let anew = with_query("/sign-in/bot", "next", next);
    let anew = if invitation.is_empty() { anew } else { with_query(&anew, "invitation", invitation) };
    let content = parts::single(
        t.with_bot,
        &html! {
            @if let Some(note) = note { (parts::note(note)) }
            (steps)
            form method="post" action="/sign-in/bot" data-poll {
                (layout::token(visit))
                button { (t.bot_confirmed) }
            }
            p.after { a href=(anew) { (t.start_again) } }
        },
    );
    visit.page(t.with_bot, &content)
}

async fn poll_bot(visit: Visit) -> Result<Response, Problem> {
    let (carried, next) = (|name| visit.carried(WAY, name), &wanted(&visit));
    let (Some(attempt), Some(secret)) = (carried("attempt"), carried("secret")) else { return Ok(begin_again(next)) };
    match visit.site.services.sign_in.poll_bot(&visit.ctx, &attempt, &secret).await {
        Ok(BotPoll::Completed(completion)) => {
            Ok(last_way::remember(complete(&visit, *completion, next, "").await?, BOT))
        }
        Ok(BotPoll::Pending) => {
            let [link, number, command, invitation] =
                ["link", "number", "command", "invitation"].map(|name| carried(name).unwrap_or_default());
            let steps = bot_steps(&visit, &link, &number, &command);
            Ok(bot_page(&visit, &steps, (next, &invitation), Some(visit.texts.sign_in.bot_waiting)))
        }
        Err(Failure::Refused(userd_model::Refusal::InvalidCode)) => Ok(begin_again(next)),
        Err(other) => Err(other.into()),
    }
}
