//! The Bot API, asked by our own client of it, and its chats, played by a person.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::State, http::HeaderMap, routing::post};
use support::soon;
use tokio::sync::mpsc;
use userd_channels::{
    HttpOptions, Secret,
    telegram::{BotApi as Client, BotFault, Content, Message, SECRET_HEADER, Update},
};
use userd_stand_ins::{
    Options,
    bot_api::{self, BotApi},
    telegram::{BOT_ID, BOT_TOKEN, BOT_USERNAME},
};

const IVAN: &str = "424242424242";

async fn bot() -> (BotApi, Client) {
    let bot = bot_api::start(Options::default()).await.unwrap();
    let client = client(&bot, BOT_TOKEN);
    (bot, client)
}

fn client(bot: &BotApi, token: &str) -> Client {
    let options = HttpOptions { timeout: Duration::from_secs(8), ..HttpOptions::default() };
    Client::new(&bot.base_url, &Secret::new(token), options).unwrap()
}

fn text(html: &str) -> Message {
    Message { html: html.into(), ..Message::default() }
}

/// A webhook that answers `status` and hands on what it gets.
async fn webhook(status: u16) -> (url::Url, mpsc::UnboundedReceiver<(Option<String>, Vec<u8>)>) {
    type Sender = mpsc::UnboundedSender<(Option<String>, Vec<u8>)>;
    async fn take(
        State((status, sender)): State<(u16, Arc<Sender>)>,
        headers: HeaderMap,
        body: axum::body::Bytes,
    ) -> axum::http::StatusCode {
        let secret = headers.get(SECRET_HEADER).map(|value| value.to_str().unwrap().to_owned());
        let _ = sender.send((secret, body.to_vec()));
        axum::http::StatusCode::from_u16(status).unwrap()
    }
    let (sender, receiver) = mpsc::unbounded_channel();
    let app = Router::new().route("/hook", post(take)).with_state((status, Arc::new(sender)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, receiver)
}

#[tokio::test]
async fn the_token_is_checked_in_its_shape_and_its_value() {
    let (bot, client_) = bot().await;
    let me = client_.get_me().await.unwrap();
    assert_eq!((me.id.as_str(), me.username.as_str()), (BOT_ID, BOT_USERNAME));
    let other = client(&bot, "110201543:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(other.get_me().await, Err(BotFault::WrongToken));
    assert_eq!(support::get(&format!("{}/botnonsense/getMe", bot.base_url), &[]).await.0, 404);
    bot.turn(|knobs| knobs.revoked = true);
    assert_eq!(client_.get_me().await, Err(BotFault::WrongToken));
}

#[tokio::test]
async fn a_bot_writes_only_to_who_let_it() {
    let (bot, client) = bot().await;
    assert!(matches!(client.send_message("1", &text("x")).await, Err(BotFault::NoSuchChat(_))));
    let first = client.send_message(IVAN, &text("x")).await;
    assert!(matches!(first, Err(BotFault::Forbidden(text)) if text.contains("can't initiate conversation")));
    bot.press_start("ivan", None).unwrap();
    let id = client.send_message(IVAN, &text("<b>hello</b>")).await.unwrap();
    client.edit_message(IVAN, id, &text("bye")).await.unwrap();
    assert!(matches!(client.edit_message(IVAN, id, &text("bye")).await, Err(BotFault::BadRequest(_))));
    let written = soon(bot.bot_messages_after("ivan", 0)).await;
    assert_eq!((written.len(), written[0].text.as_str()), (1, "bye"));
    bot.block("ivan", true).unwrap();
    let blocked = client.send_message(IVAN, &text("x")).await;
    assert!(matches!(blocked, Err(BotFault::Forbidden(text)) if text.contains("blocked by the user")));
}

#[tokio::test]
async fn a_message_that_telegram_would_refuse_is_refused() {
    let (bot, client) = bot().await;
    bot.press_start("ivan", None).unwrap();
    let long = "я".repeat(4097);
    let no_data = Message { buttons: vec![vec![("label".into(), "x".repeat(65))]], ..text("x") };
    let here = Message { link: Some(("label".into(), "http://127.0.0.1:8080/x".into())), ..text("x") };
    for message in [
        text("<b>open"),
        text("</b>"),
        text("<script>x</script>"),
        text("a < b"),
        text(" "),
        text(&long),
        no_data,
        here,
    ] {
        let result = client.send_message(IVAN, &message).await;
        assert!(matches!(result, Err(BotFault::BadRequest(_))), "{message:?}: {result:?}");
    }
    let there = Some(("label".into(), "https://id.example.org/x".into()));
    client.send_message(IVAN, &Message { link: there, ..text("&lt;b&gt; &amp; <i>fine</i>") }).await.unwrap();
}

#[tokio::test]
async fn every_refusal_can_be_had_on_demand() {
    let (bot, client) = bot().await;
    bot.press_start("ivan", None).unwrap();
    bot.turn(|knobs| knobs.too_many = Some(7));
    assert_eq!(client.send_message(IVAN, &text("x")).await, Err(BotFault::RetryAfter(Duration::from_secs(7))));
    bot.turn(|knobs| (knobs.too_many, knobs.forbidden) = (None, Some("user is deactivated".into())));
    assert!(matches!(client.send_message(IVAN, &text("x")).await, Err(BotFault::Forbidden(_))));
    bot.turn(|knobs| (knobs.forbidden, knobs.bad_request) = (None, Some("chat not found".into())));
    assert!(matches!(client.send_message(IVAN, &text("x")).await, Err(BotFault::NoSuchChat(_))));
    bot.turn(|knobs| (knobs.bad_request, knobs.conflict) = (None, true));
    assert!(matches!(client.get_updates(0).await, Err(BotFault::Conflict(_))));
    bot.turn(|knobs| knobs.slow = Some(Duration::from_secs(60)));
    let waited = tokio::time::timeout(Duration::from_millis(100), client.get_me()).await;
    assert!(waited.is_err(), "slow");
}

#[tokio::test]
async fn updates_wait_for_a_poll_and_are_forgotten_by_the_next() {
    let (bot, client) = bot().await;
    let waiting = tokio::spawn(async move { (client.get_updates(0).await, client) });
    let id = bot.press_start("ivan", Some("payload-1")).unwrap();
    let (updates, client) = soon(waiting).await.unwrap();
    let update = Update::parse(&updates.unwrap()[0]).unwrap();
    assert_eq!(update.id, id);
    assert!(
        matches!(update.content, Content::Start { from, payload } if from.id == IVAN && payload.as_deref() == Some("payload-1"))
    );
    let next = bot.say("maria", "hello").unwrap();
    let updates = client.get_updates(id + 1).await.unwrap();
    assert_eq!((updates.len(), Update::parse(&updates[0]).unwrap().id), (1, next));
    client.set_webhook(&"https://users.example/hook".parse().unwrap(), &Secret::new("s")).await.unwrap();
    assert!(
        matches!(client.get_updates(0).await, Err(BotFault::Conflict(_))),
        "a webhook and polls exclude each other"
    );
    client.delete_webhook().await.unwrap();
    assert_eq!(client.get_updates(0).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_webhook_gets_the_secret_and_repeats() {
    let (bot, client) = bot().await;
    let (url, mut got) = webhook(200).await;
    client.set_webhook(&url, &Secret::new("hook_secret-1")).await.unwrap();
    let id = bot.press_start("ivan", Some("abc")).unwrap();
    let (secret, body) = soon(got.recv()).await.unwrap();
    assert_eq!(secret.as_deref(), Some("hook_secret-1"));
    assert_eq!(Update::parse(&body).unwrap().id, id);
    bot.deliver_again(id);
    assert_eq!(soon(got.recv()).await.unwrap().1, body, "the same once more");
    bot.deliver(serde_json::json!({ "edited_message": {} }));
    bot.share_phone("ivan", true).unwrap();
    let (_, body) = soon(got.recv()).await.unwrap();
    let content = Update::parse(&body).unwrap().content;
    assert!(
        matches!(content, Content::OwnPhone { phone, .. } if phone == "+79001234567"),
        "kinds not asked for stay away"
    );
    bot.share_phone("ivan", false).unwrap();
    assert!(matches!(Update::parse(&soon(got.recv()).await.unwrap().1).unwrap().content, Content::Other));
    bot.block("ivan", true).unwrap();
    let content = Update::parse(&soon(got.recv()).await.unwrap().1).unwrap().content;
    assert!(matches!(content, Content::Access { may_write: false, .. }));
}

#[tokio::test]
async fn a_webhook_that_fails_is_tried_again_and_told_about() {
    let (bot, client) = bot().await;
    let (url, mut got) = webhook(500).await;
    client.set_webhook(&url, &Secret::new("s")).await.unwrap();
    bot.press_start("ivan", None).unwrap();
    let first = soon(got.recv()).await.unwrap();
    assert_eq!(soon(got.recv()).await.unwrap(), first);
    let info = client.get_webhook_info().await.unwrap();
    assert_eq!((info.url.as_str(), info.pending), (url.as_str(), 1));
    assert!(info.last_error.unwrap().contains("500"));
}

#[tokio::test]
async fn a_button_is_pressed_and_its_notice_seen() {
    let (bot, client) = bot().await;
    let start = bot.press_start("ivan", None).unwrap();
    let buttons = vec![vec![("42".to_owned(), "match:42".to_owned()), ("17".to_owned(), "match:17".to_owned())]];
    let sent = client.send_message(IVAN, &Message { buttons, ..text("Which?") }).await.unwrap();
    assert_eq!(bot.press("ivan", "99"), None, "no such button");
    let press = bot.press("ivan", "42").unwrap();
    let updates = client.get_updates(start + 1).await.unwrap();
    let Content::Button { from, query_id, data, message_id } = Update::parse(&updates[0]).unwrap().content else {
        panic!("{updates:?}")
    };
    assert_eq!((from.id.as_str(), data.as_str(), message_id), (IVAN, "match:42", sent));
    client.answer_callback_query(&query_id, "Done").await.unwrap();
    assert_eq!(bot.chats().notice_of(press).as_deref(), Some("Done"));
    assert!(client.answer_callback_query("another", "").await.is_err());
}

#[tokio::test]
async fn the_page_plays_the_app() {
    let (bot, client) = bot().await;
    let home = support::open(&format!("{}/{BOT_USERNAME}?start=abc", bot.base_url)).await;
    assert!(home.body.contains("/chat/ivan?start=abc"));
    let chat = format!("{}/chat/ivan", bot.base_url);
    assert!(support::open(&format!("{chat}?start=abc")).await.body.contains("value=\"abc\""));
    assert_eq!(support::post(&chat, &[("start", "abc")], &[]).await.0, 303);
    let updates = client.get_updates(0).await.unwrap();
    assert!(
        matches!(Update::parse(&updates[0]).unwrap().content, Content::Start { payload: Some(p), .. } if p == "abc")
    );
    let buttons = vec![vec![("Yes".to_owned(), "yes".to_owned())]];
    client.send_message(IVAN, &Message { buttons, ..text("<b>Sure?</b>") }).await.unwrap();
    let page = support::open(&chat).await.body;
    assert!(page.contains("name=\"press\" value=\"yes\"") && page.contains("&lt;b&gt;Sure?"));
    support::post(&chat, &[("press", "yes")], &[]).await;
    assert_eq!(client.get_updates(0).await.unwrap().len(), 2);
}

#[tokio::test]
async fn who_grants_bot_access_can_be_written_to() {
    let network = userd_stand_ins::network::FakeNetwork::start(0).await.unwrap();
    let client = client(&network.bot_api, BOT_TOKEN);
    assert!(client.send_message(IVAN, &text("x")).await.is_err());
    let story = support::Story::new(support::provider(&network.config(), "telegram", |_| {}));
    story.sign_in("ivan").await.unwrap();
    client.send_message(IVAN, &text("x")).await.unwrap();
}
