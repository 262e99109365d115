//! The page that plays the Telegram app: a chat per person, with Start, a line to write, and the bot's buttons.

use axum::{http::Method, response::Response};

use super::{BOT_USERNAME, Knobs, chats::Chats, message::Message};
use crate::{
    ask::Ask,
    page::{escape, hidden, page},
    reply,
    server::{Shared, locked},
    test_users::TestUser,
};

/// `/`, `/<bot>?start=…` (in place of `t.me`), `/chat/<person>` and its forms.
pub(super) fn answer(shared: &Shared<Knobs>, chats: &Chats, ask: &Ask) -> Response {
    if ask.method == Method::GET && (ask.path == "/" || ask.path == format!("/{BOT_USERNAME}")) {
        return whose_phone(shared, ask);
    }
    let person = ask.path.strip_prefix("/chat/").and_then(|key| shared.person(key));
    match (person, &ask.method) {
        (Some(person), &Method::GET) => chat(&person, chats, &ask.query_param("start").unwrap_or_default()),
        (Some(person), &Method::POST) => {
            act(&person, chats, ask);
            let mut answer = reply::redirect(&ask.path);
            *answer.status_mut() = axum::http::StatusCode::SEE_OTHER;
            answer
        }
        _ => reply::not_found(),
    }
}

fn whose_phone(shared: &Shared<Knobs>, ask: &Ask) -> Response {
    let start = ask.query_param("start").unwrap_or_default();
    let start: String = url::form_urlencoded::byte_serialize(start.as_bytes()).collect();
    let link = |person: &TestUser| {
        format!("<li><a href=\"/chat/{}?start={start}\">{}</a></li>", escape(&person.key), escape(&person.name()))
    };
    let links: String = locked(&shared.users).iter().map(link).collect();
    page(&format!("@{BOT_USERNAME}"), &format!("<p>Whose phone is this? / Чей это телефон?</p><ul>{links}</ul>"))
}

fn chat(person: &TestUser, chats: &Chats, start: &str) -> Response {
    let messages: String = chats.messages(person.number).iter().map(line).collect();
    let form = |inputs: &str| format!("<form method=\"post\">{inputs}</form>");
    let body = format!(
        "<p>{} · <a href=\"/chat/{}\">refresh / обновить</a></p>{messages}{}{}{}",
        escape(&person.name()),
        escape(&person.key),
        form(&format!(
            "<input name=\"start\" size=\"50\" placeholder=\"payload\" value=\"{}\"> <button>Start</button>",
            escape(start)
        )),
        form("<input name=\"text\" size=\"50\" placeholder=\"/start …\"> <button>Send / Отправить</button>"),
        form(
            "<button name=\"phone\" value=\"1\">Share my phone / Мой номер</button> \
              <button name=\"block\" value=\"1\">Block / Заблокировать</button>"
        ),
    );
    page(&format!("@{BOT_USERNAME}"), &body)
}

/// One message; the bot's marks are its own, so they are shown as text.
fn line(message: &Message) -> String {
    let class = if message.by_bot { "bot" } else { "me" };
    let button = |(label, data): &(String, String)| {
        format!(
            "<form method=\"post\" style=\"display:inline\">{}<button>{}</button></form>",
            hidden("press", data),
            escape(label)
        )
    };
    let buttons: String = message.buttons.iter().flatten().map(button).collect();
    format!("<p class=\"{class}\">{}</p>{buttons}", escape(&message.text).replace('\n', "<br>"))
}

fn act(person: &TestUser, chats: &Chats, ask: &Ask) {
    let form = ask.form();
    let field = |name: &str| form.get(name).map(|text| text.trim());
    if let Some(payload) = field("start") {
        chats.person_writes(person, format!("/start {payload}").trim_end());
    } else if let Some(text) = field("text").filter(|text| !text.is_empty()) {
        chats.person_writes(person, text);
    } else if let Some(data) = field("press") {
        chats.person_presses(person, data);
    } else if field("phone").is_some() {
        chats.person_shares_phone(person, true);
    } else if field("block").is_some() {
        chats.person_blocks(person, true);
    }
}
