//! The bot: who may say what to the webhook, and what the Bot API's answers mean.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

use std::time::Duration;

use serde_json::{Value, json};
use userd_channels::{
    HttpOptions, Secret,
    telegram::{
        BotApi, BotFault, Content, Message, NotAnUpdate, Update, escape_html, is_payload, start_link,
        webhook_secret_matches,
    },
};
use userd_stand_ins::{Fault, Options, StandIn, generic};

const BOT_TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";

fn private(message: Value) -> Value {
    let mut whole = json!({
        "message_id": 5, "date": 1_767_225_600, "chat": { "id": 7, "type": "private" },
        "from": { "id": 7, "is_bot": false, "first_name": "Ann", "username": "ann", "language_code": "ru" },
    });
    whole.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
    whole.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    whole
}

fn content(update: Value) -> Content {
    let mut whole = json!({ "update_id": 1 });
    whole.as_object_mut().unwrap().extend(update.as_object().unwrap().clone());
    Update::parse(whole.to_string().as_bytes()).unwrap().content
}

fn message(change: Value) -> Content {
    content(json!({ "message": private(change) }))
}

/// AC-069: a forged update without the secret in its header is refused, wherever it comes from.
#[test]
fn only_the_webhook_secret_opens_the_webhook() {
    let secret = Secret::new("0123456789abcdef0123456789abcdef");
    assert!(webhook_secret_matches(&secret, Some(b"0123456789abcdef0123456789abcdef")));
    for wrong in [
        None,
        Some(&b""[..]),
        Some(b"0123456789abcdef0123456789abcdeg"),
        Some(b"0123456789ABCDEF0123456789ABCDEF"),
        Some(b"0"),
    ] {
        assert!(!webhook_secret_matches(&secret, wrong));
    }
    assert!(!webhook_secret_matches(&Secret::new(""), Some(b"")), "no secret opens nothing");
    assert!(!webhook_secret_matches(&Secret::new(""), None));
}

#[test]
fn a_start_link_carries_a_lawful_payload_only() {
    assert_eq!(start_link("our_bot", "Ab-1_").unwrap().as_str(), "https://t.me/our_bot?start=Ab-1_");
    let long = "a".repeat(65);
    for payload in ["", "a b", "a&b=c", "ю", &long] {
        assert!(!is_payload(payload) && start_link("our_bot", payload).is_none(), "{payload}");
    }
    for name in ["", "a/b", "evil.example/our_bot", "our bot"] {
        assert!(start_link(name, "a").is_none(), "{name}");
    }
}

#[test]
fn start_comes_with_and_without_its_payload() {
    for (text, expected) in [
        ("/start", None),
        ("/start abc-1", Some("abc-1")),
        ("/start@our_bot abc", Some("abc")),
        ("/start  abc ", Some("abc")),
    ] {
        let Content::Start { from, payload } = message(json!({ "text": text })) else { panic!("{text}") };
        assert_eq!((from.id.as_str(), payload.as_deref()), ("7", expected), "{text}");
    }
    assert!(matches!(message(json!({ "text": "/start a b" })), Content::Other));
    assert!(matches!(message(json!({ "text": "/start a;b" })), Content::Other));
    assert!(matches!(message(json!({ "text": "hello" })), Content::Text { .. }));
}

/// Only a person in their own private chat speaks; what was forwarded or sent through a bot is somebody else's word.
#[test]
fn nobody_else_speaks_for_a_person() {
    let start = "/start abc";
    for change in [
        json!({ "chat": { "id": -100, "type": "group" } }),
        json!({ "chat": { "id": 8, "type": "private" } }),
        json!({ "chat": { "id": 7, "type": "channel" } }),
        json!({ "from": { "id": 7, "is_bot": true, "first_name": "B" } }),
        json!({ "from": { "id": 7, "first_name": "B" } }),
        json!({ "from": { "id": "7", "is_bot": false } }),
        json!({ "from": { "id": 0, "is_bot": false } }),
        json!({ "from": null }),
        json!({ "forward_origin": { "type": "user" } }),
        json!({ "forward_date": 1 }),
        json!({ "via_bot": { "id": 9 } }),
        json!({ "sender_chat": { "id": 9 } }),
    ] {
        let mut whole = json!({ "text": start });
        whole.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert!(matches!(message(whole), Content::Other), "{change}");
    }
    assert!(matches!(content(json!({ "edited_message": private(json!({ "text": start })) })), Content::Other));
    assert!(matches!(content(json!({ "channel_post": private(json!({ "text": start })) })), Content::Other));
}

#[test]
fn only_a_persons_own_phone_counts() {
    let contact = |user_id: Value| message(json!({ "contact": { "phone_number": "79001234567", "user_id": user_id } }));
    let Content::OwnPhone { phone, .. } = contact(json!(7)) else { panic!() };
    assert_eq!(phone, "+79001234567");
    for other in [json!(8), json!(null), json!("7")] {
        assert!(matches!(contact(other), Content::Other));
    }
}

#[test]
fn buttons_and_blocks_are_understood() {
    let query = |from: u64| {
        content(json!({ "callback_query": {
            "id": "q", "data": "confirm:1", "from": { "id": from, "is_bot": false },
            "message": { "message_id": 9, "chat": { "id": 7, "type": "private" } },
        } }))
    };
    let Content::Button { from, data, message_id, query_id } = query(7) else { panic!() };
    assert_eq!((from.id.as_str(), data.as_str(), message_id, query_id.as_str()), ("7", "confirm:1", 9, "q"));
    assert!(matches!(query(8), Content::Other), "a button in somebody else's chat");
    for (status, expected) in [("kicked", false), ("member", true)] {
        let change = private(json!({ "new_chat_member": { "status": status } }));
        let Content::Access { may_write, .. } = content(json!({ "my_chat_member": change })) else { panic!() };
        assert_eq!(may_write, expected, "{status}");
    }
}

#[test]
fn a_body_that_is_no_update_is_refused() {
    for body in ["", "{}", "[]", r#"{"update_id":"1"}"#, r#"{"update_id":1,"update_id":2}"#, "not json"] {
        assert_eq!(Update::parse(body.as_bytes()).err(), Some(NotAnUpdate), "{body}");
    }
    let deep = format!(r#"{{"update_id":1,"x":{}{}}}"#, "[".repeat(100), "]".repeat(100));
    assert_eq!(Update::parse(deep.as_bytes()).err(), Some(NotAnUpdate));
}

struct Bot {
    upstream: StandIn<generic::Knobs>,
    api: BotApi,
}

async fn bot() -> Bot {
    let upstream = generic::start("oauth2", Options::default()).await.unwrap();
    let options = HttpOptions { timeout: Duration::from_millis(400), ..HttpOptions::default() };
    let api = BotApi::new(&format!("{}/prefix/", upstream.base_url), &Secret::new(BOT_TOKEN), options).unwrap();
    let bot = Bot { upstream, api };
    bot.answers(200, json!({ "ok": true, "result": true }));
    bot
}

impl Bot {
    fn answers(&self, status: u16, body: Value) {
        self.upstream.fail("*", Fault::Status(status, body));
    }
}

#[tokio::test]
async fn a_message_is_sent_with_its_buttons_and_without_a_preview() {
    let bot = bot().await;
    bot.answers(200, json!({ "ok": true, "result": { "message_id": 11 } }));
    let message = Message {
        html: format!("<b>{}</b>", escape_html("a<b>&c")),
        buttons: vec![vec![("Да".into(), "yes:1".into())]],
        link: Some(("Там".into(), "https://id.example.org/there".into())),
        protect: true,
        silent: false,
    };
    assert_eq!(bot.api.send_message("7", &message).await, Ok(11));
    let ask = &bot.upstream.requests_to(&format!("/prefix/bot{BOT_TOKEN}/sendMessage"))[0];
    let body = ask.json();
    assert_eq!(
        (&body["chat_id"], &body["text"], &body["parse_mode"]),
        (&json!(7), &json!("<b>a&lt;b&gt;&amp;c</b>"), &json!("HTML"))
    );
    let rows = &body["reply_markup"]["inline_keyboard"];
    assert_eq!(rows[0][0]["callback_data"], "yes:1");
    assert_eq!(rows[1], json!([{ "text": "Там", "url": "https://id.example.org/there" }]));
    assert_eq!((&body["protect_content"], &body["link_preview_options"]["is_disabled"]), (&json!(true), &json!(true)));
}

#[tokio::test]
async fn refusals_are_told_apart_by_code_and_prefix() {
    let bot = bot().await;
    for (code, description, expected) in [
        (403, "Forbidden: bot was blocked by the user", "Forbidden"),
        (403, "Forbidden: user is deactivated", "Forbidden"),
        (400, "Bad Request: chat not found", "NoSuchChat"),
        (400, "Bad Request: can't parse entities: x", "BadRequest"),
        (401, "Unauthorized", "WrongToken"),
        (404, "Not Found", "WrongToken"),
        (409, "Conflict: terminated by other getUpdates request", "Conflict"),
        (429, "Too Many Requests: retry after 17", "RetryAfter(17s)"),
        (500, "Internal Server Error", "Unavailable"),
    ] {
        bot.answers(
            code,
            json!({ "ok": false, "error_code": code, "description": description, "parameters": { "retry_after": 17 } }),
        );
        let fault = bot.api.send_message("7", &Message::default()).await.unwrap_err();
        assert!(format!("{fault:?}").starts_with(expected), "{description}: {fault:?}");
    }
    for ill in [
        Fault::Text(502, "<html>".into()),
        Fault::Hang,
        Fault::Huge,
        Fault::Redirect("http://127.0.0.1:1/".into()),
        Fault::Status(200, json!({ "ok": true })),
    ] {
        bot.upstream.fail("*", ill.clone());
        let fault = bot.api.get_me().await.unwrap_err();
        assert!(matches!(&fault, BotFault::Unavailable(text) if !text.contains("AAHdq")), "{ill:?}: {fault:?}");
    }
}

#[tokio::test]
async fn the_webhook_is_set_with_its_secret() {
    let bot = bot().await;
    let url = "https://users.example/v1/telegram/webhook".parse().unwrap();
    bot.api.set_webhook(&url, &Secret::new("s3cret")).await.unwrap();
    let body = bot.upstream.requests()[0].json();
    assert_eq!((&body["url"], &body["secret_token"]), (&json!(url.as_str()), &json!("s3cret")));
    bot.answers(200, json!({ "ok": true, "result": { "id": 110_201_543, "is_bot": true, "username": "our_bot" } }));
    let me = bot.api.get_me().await.unwrap();
    assert_eq!((me.id.as_str(), me.username.as_str()), ("110201543", "our_bot"));
    bot.answers(
        200,
        json!({ "ok": true, "result": { "url": "", "pending_update_count": 3, "last_error_message": "x" } }),
    );
    let info = bot.api.get_webhook_info().await.unwrap();
    assert_eq!((info.url.as_str(), info.pending, info.last_error.as_deref()), ("", 3, Some("x")));
}

#[tokio::test]
async fn updates_can_be_fetched_where_no_webhook_reaches() {
    let bot = bot().await;
    bot.answers(
        200,
        json!({ "ok": true, "result": [{ "update_id": 5, "message": private(json!({ "text": "/start a" })) }] }),
    );
    let updates = bot.api.get_updates(4).await.unwrap();
    let update = Update::parse(&updates[0]).unwrap();
    assert_eq!(update.id, 5);
    assert!(matches!(update.content, Content::Start { payload: Some(p), .. } if p == "a"));
}

#[test]
fn a_wrong_base_url_is_refused() {
    for base in ["", "api.telegram.org", "http://api.telegram.org", "ftp://127.0.0.1"] {
        let error = BotApi::new(base, &Secret::new(BOT_TOKEN), HttpOptions::default())
            .err()
            .unwrap_or_else(|| panic!("{base}"));
        assert_eq!(error.field, "telegram.api_base_url");
    }
}

/// The token is part of every path: one of another shape would call something else.
#[test]
fn a_malformed_token_is_refused() {
    for token in
        ["", "110201543", "110201543:", "x:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "1:AAHdqTcvCH1vGWJxfSeofSAs0K5/../x"]
    {
        let made = BotApi::new("https://api.telegram.org", &Secret::new(token), HttpOptions::default());
        assert_eq!(made.err().map(|error| error.field).as_deref(), Some("telegram.bot_token"), "{token}");
    }
}
