//! The Bot API with one bot, and a page per person that plays the Telegram app: press Start, write, press buttons,
//! block. Updates go to the webhook with its secret, or wait for `getUpdates`.
//!
//! Deliberately absent: groups, channels, media, and every method that the service does not use.

mod calls;
mod chats;
mod message;
mod page;
mod updates;
mod webhook;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::{http::Method, response::Response};
use serde_json::json;

pub use self::{chats::Chats, message::Message};
use crate::{
    ask::Ask,
    reply,
    server::{Behaviour, Options, Shared, StandIn, locked, serve},
};

/// The bot's token, the sample in Telegram's documentation.
pub const BOT_TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
/// The bot's id, which is the client id.
pub const BOT_ID: &str = "110201543";
/// The bot's name.
pub const BOT_USERNAME: &str = "stand_in_bot";

/// What can be made to differ. Each counts until it is turned back.
#[derive(Clone, Debug, Default)]
pub struct Knobs {
    /// What the next calls of `sendMessage` answer, one after the other; when none is left, they are answered as usual.
    pub next: VecDeque<SendAnswer>,
    /// Methods that write answer 429 with this `retry_after`, in seconds.
    pub too_many: Option<u64>,
    /// Methods that write answer 400 with this description (without `Bad Request: `).
    pub bad_request: Option<String>,
    /// Methods that write answer 403 with this description (without `Forbidden: `).
    pub forbidden: Option<String>,
    /// Everything about receiving answers 409.
    pub conflict: bool,
    /// Every method takes this long.
    pub slow: Option<Duration>,
    /// The token was revoked: 401.
    pub revoked: bool,
}

/// What one call of `sendMessage` answers.
#[derive(Clone, Debug)]
pub enum SendAnswer {
    /// As usual.
    Usual,
    /// 429 with this `retry_after`, in seconds.
    TooMany(u64),
    /// 403 with this description (without `Forbidden: `).
    Forbidden(&'static str),
    /// 400 with this description (without `Bad Request: `).
    BadRequest(&'static str),
    /// This status with a page of a proxy's.
    Broken(u16),
    /// Nothing, for ever.
    Hang,
    /// The message is in the chat, and nobody is told.
    Lost,
}

/// A running Bot API.
pub struct BotApi {
    stand_in: StandIn<Knobs>,
    chats: Arc<Chats>,
    delivering: tokio::task::JoinHandle<()>,
}

impl std::ops::Deref for BotApi {
    type Target = StandIn<Knobs>;

    fn deref(&self) -> &Self::Target {
        &self.stand_in
    }
}

impl Drop for BotApi {
    fn drop(&mut self) {
        self.delivering.abort();
    }
}

/// Starts it: `/bot<token>/<method>`, and pages at `/`.
pub async fn start(options: Options) -> std::io::Result<BotApi> {
    let chats = Arc::new(Chats::new(Arc::clone(&options.clock)));
    let stand_in = serve(options, Knobs::default(), Arc::new(Behind { chats: Arc::clone(&chats) })).await?;
    let delivering = tokio::spawn(webhook::deliver(Arc::clone(&chats)));
    Ok(BotApi { stand_in, chats, delivering })
}

impl BotApi {
    /// The chats, for what only a test does to them.
    #[must_use]
    pub fn chats(&self) -> Arc<Chats> {
        Arc::clone(&self.chats)
    }

    /// The person opens the bot's link and presses Start. The answer is the update's id; `None`: nobody by this key.
    pub fn press_start(&self, person: &str, payload: Option<&str>) -> Option<i64> {
        let text = payload.map_or_else(|| "/start".to_owned(), |payload| format!("/start {payload}"));
        self.say(person, &text)
    }

    /// The person writes to the bot.
    pub fn say(&self, person: &str, text: &str) -> Option<i64> {
        Some(self.chats.person_writes(&self.person(person)?, text))
    }

    /// The person presses the first button that carries this data, or has this label. `None`: there is none.
    pub fn press(&self, person: &str, button: &str) -> Option<i64> {
        self.chats.person_presses(&self.person(person)?, button)
    }

    /// The person shares a phone number: their own, or a friend's card.
    pub fn share_phone(&self, person: &str, own: bool) -> Option<i64> {
        self.chats.person_shares_phone(&self.person(person)?, own)
    }

    /// The person blocks the bot, or lets it write again.
    pub fn block(&self, person: &str, blocked: bool) -> Option<i64> {
        Some(self.chats.person_blocks(&self.person(person)?, blocked))
    }

    /// The chat as the person sees it.
    #[must_use]
    pub fn messages(&self, person: &str) -> Vec<Message> {
        self.person(person).map(|person| self.chats.messages(person.number)).unwrap_or_default()
    }

    /// Waits until the bot has written more than `seen` messages to the person; the caller bounds the wait.
    pub async fn bot_messages_after(&self, person: &str, seen: usize) -> Vec<Message> {
        let mut changes = self.chats.changes();
        loop {
            let written: Vec<_> = self.messages(person).into_iter().filter(|message| message.by_bot).collect();
            if written.len() > seen {
                return written;
            }
            // The sender lives as long as we do.
            let _ = changes.changed().await;
        }
    }

    /// Puts an update that was delivered already in the queue once more: deliveries repeat.
    pub fn deliver_again(&self, update: i64) {
        self.chats.repeat(update);
    }

    /// Puts any update in the queue, such as one from a group.
    pub fn deliver(&self, content: serde_json::Value) -> i64 {
        self.chats.push_update(content)
    }
}

struct Behind {
    chats: Arc<Chats>,
}

impl Behaviour<Knobs> for Behind {
    async fn answer(&self, shared: &Arc<Shared<Knobs>>, ask: &Ask) -> Response {
        let Some(rest) = ask.path.strip_prefix("/bot") else {
            return page::answer(shared, &self.chats, ask);
        };
        let knobs = shared.knobs();
        if let Some(slow) = knobs.slow {
            tokio::time::sleep(slow).await;
        }
        let (token, method) = rest.split_once('/').unwrap_or((rest, ""));
        let well_formed = token.split_once(':').is_some_and(|(id, _)| id.bytes().all(|b| b.is_ascii_digit()));
        if !well_formed || !matches!(ask.method, Method::GET | Method::POST) {
            return failed(404, "Not Found");
        }
        if token != BOT_TOKEN || knobs.revoked {
            return failed(401, "Unauthorized");
        }
        let is_send = method.eq_ignore_ascii_case("sendMessage");
        let next = if is_send { locked(&shared.knobs).next.pop_front() } else { None };
        let usual = calls::call(shared, &self.chats, &knobs, method, ask);
        match next {
            None | Some(SendAnswer::Usual) => usual.await,
            Some(SendAnswer::TooMany(seconds)) => too_many(seconds),
            Some(SendAnswer::Forbidden(what)) => failed(403, &format!("Forbidden: {what}")),
            Some(SendAnswer::BadRequest(what)) => failed(400, &format!("Bad Request: {what}")),
            Some(SendAnswer::Broken(status)) => reply::text(status, "<html>".to_owned()),
            Some(SendAnswer::Hang) => std::future::pending().await,
            Some(SendAnswer::Lost) => {
                usual.await;
                std::future::pending().await
            }
        }
    }
}

/// 429, as the Bot API spells it.
fn too_many(seconds: u64) -> Response {
    let description = format!("Too Many Requests: retry after {seconds}");
    let parameters = json!({ "retry_after": seconds });
    reply::json(429, &json!({ "ok": false, "error_code": 429, "description": description, "parameters": parameters }))
}

/// An error as the Bot API spells it.
fn failed(code: u16, description: &str) -> Response {
    reply::json(code, &json!({ "ok": false, "error_code": code, "description": description }))
}
