//! A messenger of our own on the loopback: a Bot API that remembers what it was told, and people who write and tap.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::post,
};
use serde_json::{Value, json};
use userd_channels::{
    Channel, ChannelFault, HttpOptions, Secret,
    telegram::{BotApi, ChatMessage},
};
use userd_model::UserId;
use userd_providers::Kind;
use userd_services::{
    Failure, Settings, SignedIn,
    bot::TelegramBot,
    sign_in::{BotPoll, BotStart},
    testing::TestOptions,
};

use super::elsewhere::{Elsewhere, offering_with_bot};
use crate::{
    fixture::{Fixture, TestApp},
    personas::{at, home, started},
};

pub(super) const SECRET: &str = "webhook-secret-1";

/// What the bot was told to do, oldest first: method and body.
pub(super) type Calls = Arc<Mutex<Vec<(String, Value)>>>;

pub(crate) struct Messenger {
    pub(crate) app: TestApp,
    pub(super) telegram: Arc<Elsewhere>,
    pub(super) calls: Calls,
    updates: Mutex<i64>,
}

impl Messenger {
    pub(super) async fn open(fixture: &Fixture) -> Self {
        Self::open_with(fixture, |_| {}).await
    }

    pub(super) async fn open_with(fixture: &Fixture, change: impl FnOnce(&mut Settings)) -> Self {
        Self::open_on(fixture, |options| change(&mut options.settings)).await
    }

    pub(crate) async fn open_on(fixture: &Fixture, change: impl FnOnce(&mut TestOptions)) -> Self {
        let calls = Calls::default();
        let base = serve(Arc::clone(&calls)).await;
        let api = || BotApi::new(&base, &token(), HttpOptions::default()).unwrap();
        let telegram = Elsewhere::new("telegram", |facts| facts.kind = Kind::Telegram);
        let bot =
            TelegramBot { api: api(), username: "userd_test_bot".to_owned(), webhook_secret: Secret::new(SECRET) };
        let mut options = offering_with_bot(&telegram, bot);
        options.channels.telegram = Some(Arc::new(Unpaced(api())));
        change(&mut options);
        let app = fixture.app_with(options).await;
        Self { app, telegram, calls, updates: Mutex::new(100) }
    }

    pub(crate) async fn start(&self) -> BotStart {
        self.start_with(None).await.unwrap()
    }

    /// With the token of an invitation.
    pub(super) async fn start_with(&self, invitation: Option<&str>) -> Result<BotStart, Failure> {
        self.app.sign_in.start_bot(&at(&self.app, home()), invitation).await
    }

    /// Delivers an update under a new number.
    pub(super) async fn update(&self, content: Value) -> Result<(), Failure> {
        let id = {
            let mut last = self.updates.lock().unwrap();
            *last += 1;
            *last
        };
        let mut update = content;
        update["update_id"] = id.into();
        self.app.bot.take_webhook(&at(&self.app, home()), Some(SECRET.as_bytes()), update.to_string().as_bytes()).await
    }

    pub(crate) async fn writes(&self, who: u64, text: &str) {
        let chat = json!({ "id": who, "type": "private" });
        let message = json!({ "message_id": 1, "date": 1, "chat": chat, "from": somebody(who), "text": text });
        self.update(json!({ "message": message })).await.unwrap();
    }

    pub(super) async fn taps(&self, who: u64, data: &str) {
        let message = json!({ "message_id": 1, "date": 1, "chat": { "id": who, "type": "private" } });
        let query = json!({ "id": "q1", "from": somebody(who), "message": message, "data": data });
        self.update(json!({ "callback_query": query })).await.unwrap();
    }

    pub(crate) async fn taps_code(&self, who: u64, start: &BotStart, code: &str) {
        self.taps(who, &format!("{}:{code}", start.attempt)).await;
    }

    pub(super) async fn changes_access(&self, who: u64, status: &str) {
        let chat = json!({ "id": who, "type": "private" });
        let change = json!({ "chat": chat, "from": somebody(who), "date": 1, "new_chat_member": { "status": status } });
        self.update(json!({ "my_chat_member": change })).await.unwrap();
    }

    pub(crate) async fn poll(&self, start: &BotStart) -> Result<BotPoll, Failure> {
        self.app.sign_in.poll_bot(&at(&self.app, home()), &start.attempt, &start.secret).await
    }

    /// The whole way: start, confirm, poll.
    pub(super) async fn sign_in(&self, who: u64) -> SignedIn {
        let start = self.start().await;
        self.writes(who, &start.command).await;
        self.taps_code(who, &start, &start.match_code).await;
        signed_in(self.poll(&start).await.unwrap())
    }

    pub(super) fn told(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    pub(super) async fn may_write(&self, user: UserId) -> bool {
        self.app.reading().identities().of_user(user).await.unwrap()[0].bot_access
    }
}

/// Sends through the bot at once.
struct Unpaced(BotApi);

#[async_trait::async_trait]
impl Channel for Unpaced {
    type Message = ChatMessage;
    type Receipt = i64;

    async fn send(&self, message: &ChatMessage) -> Result<i64, ChannelFault> {
        match message.replaces {
            None => Ok(self.0.send_message(&message.chat, &message.message).await?),
            Some(id) => Ok(self.0.edit_message(&message.chat, id, &message.message).await.map(|()| id)?),
        }
    }
}

pub(super) fn token() -> Secret {
    Secret::new("110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawX")
}

pub(super) fn somebody(id: u64) -> Value {
    json!({ "id": id, "is_bot": false, "first_name": "Ada", "username": "ada", "language_code": "en" })
}

pub(super) async fn serve(calls: Calls) -> String {
    async fn take(
        State(calls): State<Calls>,
        Path((_, method)): Path<(String, String)>,
        Json(body): Json<Value>,
    ) -> Json<Value> {
        let result = if method == "sendMessage" { json!({ "message_id": 1 }) } else { json!(true) };
        calls.lock().unwrap().push((method, body));
        Json(json!({ "ok": true, "result": result }))
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/{bot}/{method}", post(take)).with_state(calls);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    base
}

#[track_caller]
pub(super) fn signed_in(poll: BotPoll) -> SignedIn {
    match poll {
        BotPoll::Completed(answer) => started(*answer),
        BotPoll::Pending => panic!("still pending"),
    }
}
