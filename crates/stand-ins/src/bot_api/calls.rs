//! The Bot API's methods. Errors are spelled as Telegram's server spells them: clients match on code and beginning.

use std::time::Duration;

use axum::{http::Method, response::Response};
use serde_json::{Map, Value, json};

use super::{
    Knobs,
    chats::{Chats, MayWrite},
    failed,
    message::Message,
    too_many, updates,
};
use crate::{ask::Ask, reply, server::Shared, test_users::TestUser};

/// One call; the token was right.
pub(super) async fn call(shared: &Shared<Knobs>, chats: &Chats, knobs: &Knobs, method: &str, ask: &Ask) -> Response {
    let given = parameters(ask);
    // Method names have no case there.
    match method.to_ascii_lowercase().as_str() {
        "getme" => ok(updates::bot()),
        "sendmessage" => write(shared, chats, knobs, &given, None),
        "editmessagetext" => match given.get("message_id").and_then(integer) {
            Some(id) => write(shared, chats, knobs, &given, Some(id)),
            None => failed(400, "Bad Request: message identifier is not specified"),
        },
        "answercallbackquery" => {
            let text = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default();
            if chats.answer_query(text("callback_query_id"), text("text")) {
                ok(true.into())
            } else {
                failed(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
            }
        }
        "setwebhook" => set_webhook(chats, &given),
        "deletewebhook" => {
            chats.set_webhook(|webhook| *webhook = super::chats::Webhook::default());
            if given.get("drop_pending_updates").is_some_and(truth) {
                chats.forget_updates();
            }
            reply::json(200, &json!({ "ok": true, "result": true, "description": "Webhook was deleted" }))
        }
        "getwebhookinfo" => webhook_info(chats),
        "getupdates" => get_updates(chats, knobs, &given).await,
        _ => failed(404, "Not Found"),
    }
}

fn ok(result: Value) -> Response {
    reply::json(200, &json!({ "ok": true, "result": result }))
}

/// Parameters from the query, a form or JSON.
fn parameters(ask: &Ask) -> Map<String, Value> {
    let texts =
        |pairs: Vec<(String, String)>| pairs.into_iter().map(|(n, v)| (n, Value::from(v))).collect::<Map<_, _>>();
    let mut given = texts(ask.query_pairs());
    if ask.method == Method::POST {
        let is_json = ask.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
        given.extend(if is_json {
            ask.json().as_object().cloned().unwrap_or_default()
        } else {
            texts(ask.form_pairs())
        });
    }
    given
}

fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn truth(value: &Value) -> bool {
    value == true || value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// `sendMessage`, and `editMessageText` with the message's id.
fn write(
    shared: &Shared<Knobs>,
    chats: &Chats,
    knobs: &Knobs,
    given: &Map<String, Value>,
    edit: Option<i64>,
) -> Response {
    if let Some(seconds) = knobs.too_many {
        return too_many(seconds);
    }
    if let Some(what) = &knobs.forbidden {
        return failed(403, &format!("Forbidden: {what}"));
    }
    if let Some(what) = &knobs.bad_request {
        return failed(400, &format!("Bad Request: {what}"));
    }
    let number = given.get("chat_id").and_then(integer).and_then(|id| u64::try_from(id).ok());
    let Some(person) = number.and_then(|number| shared.person_numbered(number)) else {
        return failed(400, "Bad Request: chat not found");
    };
    match chats.may_write(person.number) {
        MayWrite::NeverStarted => return failed(403, "Forbidden: bot can't initiate conversation with a user"),
        MayWrite::Blocked => return failed(403, "Forbidden: bot was blocked by the user"),
        MayWrite::Yes => {}
    }
    match message(given) {
        Ok(message) => written(chats, &person, message, edit),
        Err(what) => failed(400, &format!("Bad Request: {what}")),
    }
}

fn written(chats: &Chats, person: &TestUser, message: Message, edit: Option<i64>) -> Response {
    let date = chats.now_seconds();
    let Some(id) = edit else {
        return ok(updates::bot_message(person, &chats.add_message(person.number, message), date));
    };
    match chats.edit_message(person.number, id, message.clone()) {
        None => failed(400, "Bad Request: message to edit not found"),
        Some(false) => failed(
            400,
            "Bad Request: message is not modified: specified new message content and reply markup are exactly the \
             same as a current content and reply markup of the message",
        ),
        Some(true) => ok(updates::bot_message(person, &Message { id, ..message }, date)),
    }
}

fn message(given: &Map<String, Value>) -> Result<Message, String> {
    let text = given.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    let html = given.get("parse_mode").and_then(Value::as_str).is_some_and(|mode| mode.eq_ignore_ascii_case("html"));
    let shown = if html { without_marks(&text)? } else { text.clone() };
    if shown.trim().is_empty() {
        return Err("message text is empty".to_owned());
    }
    if shown.encode_utf16().count() > 4096 {
        return Err("message is too long".to_owned());
    }
    // In a form, the keyboard is JSON within text.
    let markup = match given.get("reply_markup") {
        Some(Value::String(text)) => {
            serde_json::from_str(text).map_err(|_| "can't parse reply keyboard markup JSON object")?
        }
        Some(value) => value.clone(),
        None => Value::Null,
    };
    let rows = markup["inline_keyboard"].as_array().cloned().unwrap_or_default();
    let buttons =
        rows.iter().map(|row| row.as_array().into_iter().flatten().map(button).collect()).collect::<Result<_, _>>()?;
    let protected = given.get("protect_content").is_some_and(truth);
    Ok(Message { id: 0, by_bot: true, text, buttons, protected })
}

fn button(value: &Value) -> Result<(String, String), String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (label, data, app) = (text(&value["text"]), text(&value["callback_data"]), text(&value["web_app"]["url"]));
    let page = text(&value["url"]);
    if !label.is_empty() && !page.is_empty() {
        let is_here = ["localhost", "127.", "[::1]"].iter().any(|host| page.contains(&format!("://{host}")));
        let wrong = || format!("inline keyboard button URL '{page}' is invalid: Wrong HTTP URL");
        return if page.starts_with("http") && !is_here { Ok((label, page)) } else { Err(wrong()) };
    }
    if !label.is_empty() && !app.is_empty() {
        let is_secure = app.starts_with("https://");
        let wrong = || format!("inline keyboard button Web App URL '{app}' is invalid: Only HTTPS links are allowed");
        return if is_secure { Ok((label, app)) } else { Err(wrong()) };
    }
    if label.is_empty() || !(1..=64).contains(&data.len()) {
        return Err("BUTTON_DATA_INVALID".to_owned());
    }
    Ok((label, data))
}

/// The text without its marks; marks must be known, closed and in order.
fn without_marks(html: &str) -> Result<String, String> {
    let wrong = |what: &str| format!("can't parse entities: {what}");
    let (mut shown, mut open, mut rest) = (String::new(), Vec::new(), html);
    while let Some((before, after)) = rest.split_once('<') {
        shown.push_str(before);
        let (mark, after) = after.split_once('>').ok_or_else(|| wrong("Unclosed start tag"))?;
        rest = after;
        if let Some(name) = mark.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(wrong(&format!("Unexpected end tag \"{name}\"")));
            }
            continue;
        }
        let name = mark.split(' ').next().unwrap_or_default();
        let known = ["b", "strong", "i", "em", "u", "ins", "s", "del", "code", "pre", "a", "tg-spoiler", "blockquote"];
        if !known.contains(&name) {
            return Err(wrong(&format!("Unsupported start tag \"{name}\"")));
        }
        open.push(name);
    }
    shown.push_str(rest);
    if let Some(name) = open.pop() {
        return Err(wrong(&format!("Can't find end tag corresponding to start tag \"{name}\"")));
    }
    Ok(shown.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}

fn set_webhook(chats: &Chats, given: &Map<String, Value>) -> Response {
    let text = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (url, secret) = (text("url"), text("secret_token"));
    let host = url::Url::parse(&url).ok();
    // The real one wants https; a stand-in's webhook is on this machine.
    let lawful = url.is_empty() || host.is_some_and(|u| u.scheme() == "https" || u.host_str() == Some("127.0.0.1"));
    if !lawful {
        return failed(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook");
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if secret.len() > 256 || !secret.bytes().all(allowed) {
        return failed(400, "Bad Request: secret token contains unallowed characters");
    }
    let kinds = given.get("allowed_updates").and_then(Value::as_array).into_iter().flatten();
    let kinds: Vec<String> = kinds.filter_map(|kind| kind.as_str().map(str::to_owned)).collect();
    chats.set_webhook(|webhook| {
        *webhook = super::chats::Webhook {
            url,
            secret: (!secret.is_empty()).then_some(secret),
            allowed: kinds,
            last_error: None,
        };
    });
    reply::json(200, &json!({ "ok": true, "result": true, "description": "Webhook was set" }))
}

fn webhook_info(chats: &Chats) -> Response {
    let webhook = chats.webhook();
    let mut info = json!({
        "url": webhook.url, "has_custom_certificate": false, "pending_update_count": chats.pending(),
    });
    if let Some(error) = webhook.last_error {
        info["last_error_date"] = chats.now_seconds().into();
        info["last_error_message"] = error.into();
    }
    if !webhook.allowed.is_empty() {
        info["allowed_updates"] = json!(webhook.allowed);
    }
    ok(info)
}

async fn get_updates(chats: &Chats, knobs: &Knobs, given: &Map<String, Value>) -> Response {
    if knobs.conflict {
        return failed(
            409,
            "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
        );
    }
    if !chats.webhook().url.is_empty() {
        return failed(
            409,
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
        );
    }
    let number = |name: &str| given.get(name).and_then(integer);
    let offset = number("offset").unwrap_or_default();
    let limit = number("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(100).clamp(1, 100);
    let patience = Duration::from_secs(number("timeout").and_then(|t| u64::try_from(t).ok()).unwrap_or(0).min(50));
    let mut changes = chats.changes();
    let waited = tokio::time::timeout(patience, async {
        while chats.updates_from(offset, limit).is_empty() {
            if changes.changed().await.is_err() {
                break;
            }
        }
    });
    // Too late is the usual end of a long poll.
    let _ = waited.await;
    ok(chats.updates_from(offset, limit).into())
}
