//! Messages through the bot, against a Bot API that answers as told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use userd_channels::{
    Channel, ChannelFault, HttpOptions, Secret,
    telegram::{BotApi, ChatMessage, Message, TelegramSender, escape_html},
};
use userd_model::{Clock, Timestamp};
use userd_stand_ins::{
    Options,
    bot_api::{self, SendAnswer},
};

struct ManualClock(AtomicI64);

impl ManualClock {
    fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

struct Fixture {
    upstream: bot_api::BotApi,
    sender: TelegramSender,
    clock: Arc<ManualClock>,
    chat: String,
}

/// A bot, and a person who has pressed Start.
async fn fixture() -> Fixture {
    let clock = Arc::new(ManualClock(AtomicI64::new(1_796_000_000)));
    let upstream = bot_api::start(Options::with_clock(Arc::clone(&clock) as _)).await.unwrap();
    upstream.press_start("maria", None).unwrap();
    let options = HttpOptions { timeout: Duration::from_millis(400), ..HttpOptions::default() };
    let api = BotApi::new(&upstream.base_url, &Secret::new(bot_api::BOT_TOKEN), options).unwrap();
    let sender = TelegramSender::new(Arc::new(api), Arc::clone(&clock) as _);
    let chat = upstream.person("maria").unwrap().number.to_string();
    Fixture { upstream, sender, clock, chat }
}

impl Fixture {
    async fn send(&self, text: &str) -> Result<(), ChannelFault> {
        self.put(text, None).await.map(drop)
    }

    async fn put(&self, text: &str, replaces: Option<i64>) -> Result<i64, ChannelFault> {
        let message = Message { html: format!("<b>{}</b>", escape_html(text)), ..Message::default() };
        Channel::send(&self.sender, &ChatMessage { chat: self.chat.clone(), message, replaces }).await
    }

    fn answers(&self, answer: SendAnswer) {
        self.upstream.turn(|knobs| knobs.next.push_back(answer));
    }

    fn written(&self) -> usize {
        self.upstream.messages("maria").iter().filter(|message| message.by_bot).count()
    }
}

#[tokio::test]
async fn a_message_arrives_as_it_was_written() {
    let fixture = fixture().await;
    fixture.send("<i>Анна</i> & co").await.unwrap();
    let message = fixture.upstream.messages("maria").pop().unwrap();
    assert_eq!(message.text, "<b>&lt;i&gt;Анна&lt;/i&gt; &amp; co</b>");
    let body = fixture.upstream.requests().pop().unwrap().json();
    assert_eq!((&body["parse_mode"], &body["link_preview_options"]["is_disabled"]), (&"HTML".into(), &true.into()));
    assert!(
        !format!("{:?}", ChatMessage { chat: "7".into(), message: Message::default(), replaces: None })
            .contains("html")
    );
}

#[tokio::test]
async fn what_the_bot_api_answers_is_told_apart() {
    let fixture = fixture().await;
    for (answer, expected) in [
        (SendAnswer::Usual, "Ok("),
        (SendAnswer::Forbidden("bot was blocked by the user"), "Err(Gone("),
        (SendAnswer::Forbidden("user is deactivated"), "Err(Gone("),
        (SendAnswer::BadRequest("chat not found"), "Err(Gone("),
        (SendAnswer::BadRequest("can't parse entities: x"), "Err(Undeliverable("),
        (SendAnswer::TooMany(3), "Err(Later { after: Some(3s)"),
        (SendAnswer::Broken(502), "Err(Later { after: None"),
        (SendAnswer::Hang, "Err(Later { after: None"),
    ] {
        fixture.clock.pass(10);
        fixture.answers(answer.clone());
        let sent = fixture.send("hello").await;
        assert!(format!("{sent:?}").starts_with(expected), "{answer:?}: {sent:?}");
        assert!(!format!("{sent:?}").contains("AAHdq"), "the token is in the URL");
    }
    assert_eq!(fixture.written(), 1);
    fixture.clock.pass(10);
    fixture.upstream.turn(|knobs| knobs.revoked = true);
    assert!(matches!(fixture.send("hello").await, Err(ChannelFault::OurFault(_))));
}

/// The answer is lost on its way: it may be there twice, but it is not there never.
#[tokio::test]
async fn an_answer_that_is_lost_is_no_answer() {
    let fixture = fixture().await;
    fixture.answers(SendAnswer::Lost);
    assert!(matches!(fixture.send("hello").await, Err(ChannelFault::Later { .. })));
    assert_eq!(fixture.written(), 1);
}

/// Nobody who comes too early is sent, and the Bot API is not asked.
#[tokio::test]
async fn the_pace_is_kept_before_telegram_has_to_say_so() {
    let fixture = fixture().await;
    fixture.send("one").await.unwrap();
    assert_eq!(fixture.send("two").await, Err(ChannelFault::Wait(Duration::from_secs(1))));
    assert_eq!(fixture.upstream.requests().len(), 1);
    fixture.clock.pass(1);
    fixture.answers(SendAnswer::TooMany(30));
    assert!(matches!(fixture.send("two").await, Err(ChannelFault::Later { after: Some(_), .. })));
    fixture.clock.pass(10);
    assert_eq!(fixture.send("two").await, Err(ChannelFault::Wait(Duration::from_secs(20))));
    fixture.clock.pass(20);
    fixture.send("two").await.unwrap();
    assert_eq!(fixture.written(), 2);
}

/// A message that was sent is replaced; saying the same again is no fault, and one that is gone is one.
#[tokio::test]
async fn a_message_is_replaced_by_its_number() {
    let fixture = fixture().await;
    let sent = fixture.put("open", None).await.unwrap();
    let later = || fixture.clock.0.fetch_add(10, std::sync::atomic::Ordering::SeqCst);
    for _ in 0..2 {
        later();
        assert_eq!(fixture.put("done", Some(sent)).await, Ok(sent));
    }
    assert_eq!(fixture.written(), 1);
    later();
    assert!(matches!(fixture.put("done", Some(sent + 1000)).await, Err(ChannelFault::Undeliverable(_))));
}
