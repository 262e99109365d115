//! Telegram's sign-in host and its Bot API beside the service, and what people do in the bot's chat.

use std::time::Duration;

use serde_json::{Value, json};
use userd_stand_ins::{
    Options, bot_api,
    bot_api::{BotApi, Message},
    telegram,
    telegram::Telegram,
};

use crate::{
    fixture::Fixture,
    providers,
    support::{Answer, TestApp, until},
};

/// The service beside Telegram's two hosts.
pub struct FakeNetwork {
    pub fixture: Fixture,
    pub telegram: Telegram,
    pub bot: BotApi,
}

/// Opens it with these settings of the provider, and sets the bot's webhook.
pub async fn open(app: &TestApp, settings: Value) -> FakeNetwork {
    open_with(app, settings, |_| ()).await
}

/// The same, with more in the configuration.
pub async fn open_with(app: &TestApp, settings: Value, more: impl FnOnce(&mut Value)) -> FakeNetwork {
    let bot = bot_api::start(Options::default()).await.unwrap();
    let telegram = telegram::start_beside(&bot, Options::default()).await.unwrap();
    let mut entry = providers::telegram(&telegram);
    entry["telegram"] = settings;
    let mut file = json!({ "providers": [entry], "telegram": providers::bot(&bot.base_url) });
    more(&mut file);
    let fixture = Fixture::open_with(&Fixture::address(app), file).await;
    let set = fixture.app.run(&["telegram", "set-webhook"]).await;
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    FakeNetwork { fixture, telegram, bot }
}

/// A sign-in through the bot, as the browser sees it.
pub struct BotLogin {
    pub attempt: String,
    pub secret: String,
    pub match_code: String,
}

impl FakeNetwork {
    pub async fn start_bot(&self) -> BotLogin {
        let begun = self.fixture.visitor().poke("/v1/auth/telegram/bot/start").await.expect(200);
        let text = |name: &str| begun[name].as_str().unwrap().to_owned();
        assert_eq!(begun["link"], format!("https://t.me/{}?start={}", telegram::BOT_USERNAME, text("attempt")));
        BotLogin { attempt: text("attempt"), secret: text("secret"), match_code: text("match_code") }
    }

    pub async fn poll(&self, attempt: &BotLogin) -> Answer {
        let body = json!({ "attempt": attempt.attempt, "secret": attempt.secret });
        self.fixture.visitor().post("/v1/auth/telegram/bot/poll", body).await
    }

    /// The person opens the link; the bot's question.
    pub async fn asked(&self, person: &str, attempt: &BotLogin) -> Message {
        let seen = self.bot.messages(person).iter().filter(|message| message.by_bot).count();
        self.bot.press_start(person, Some(&attempt.attempt)).unwrap();
        // A notice of an earlier sign-in may come before it.
        let question = || {
            let written = self.bot.messages(person).into_iter().filter(|message| message.by_bot).skip(seen);
            written.filter(|message| !message.buttons.is_empty()).last()
        };
        until("the bot asks", Duration::from_secs(10), async || question().is_some()).await;
        question().unwrap()
    }

    pub async fn answered(&self, person: &str, seen: usize) -> Message {
        let messages = tokio::time::timeout(Duration::from_secs(10), self.bot.bot_messages_after(person, seen)).await;
        messages.unwrap_or_else(|_| panic!("the bot says nothing to {person}")).pop().unwrap()
    }

    /// Waits until the bot has answered a press.
    pub async fn pressed(&self, person: &str, button: &str) -> String {
        let update = self.bot.press(person, button).unwrap_or_else(|| panic!("there is no button {button}"));
        self.noticed(update).await
    }

    pub async fn noticed(&self, update: i64) -> String {
        until("the bot answers a press", Duration::from_secs(10), async || {
            self.bot.chats().notice_of(update).is_some()
        })
        .await;
        self.bot.chats().notice_of(update).unwrap()
    }

    /// Waits until an update was delivered and taken: one behind it is answered.
    pub async fn settled(&self, person: &str) {
        let seen = self.bot.messages(person).iter().filter(|message| message.by_bot).count();
        self.bot.press_start(person, None).unwrap();
        self.answered(person, seen).await;
    }

    pub async fn forge(&self, secret: Option<&str>, body: &str) -> u16 {
        let request = self.fixture.visitor().request(reqwest::Method::POST, "/v1/telegram/webhook");
        let request = request.header("content-type", "application/json").body(body.to_owned());
        let request = match secret {
            Some(secret) => request.header("X-Telegram-Bot-Api-Secret-Token", secret),
            None => request,
        };
        request.send().await.unwrap().status().as_u16()
    }
}
