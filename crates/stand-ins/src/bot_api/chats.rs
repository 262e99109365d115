//! The bot's private chats and the queue of updates. What an update looks like is in `updates`.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::sync::watch;
use userd_model::Clock;

use super::{message::Message, updates};
use crate::{server::locked, test_users::TestUser};

/// Where updates go.
#[derive(Clone, Debug, Default)]
pub(super) struct Webhook {
    pub(super) url: String,
    pub(super) secret: Option<String>,
    pub(super) allowed: Vec<String>,
    pub(super) last_error: Option<String>,
}

#[derive(Default)]
struct Chat {
    open: bool,
    blocked: bool,
    messages: Vec<Message>,
}

#[derive(Default)]
struct State {
    chats: BTreeMap<u64, Chat>,
    last_message: i64,
    last_update: i64,
    waiting: VecDeque<Value>,
    all: Vec<Value>,
    webhook: Webhook,
    /// Notices of `answerCallbackQuery` by query id; `None` until answered.
    queries: BTreeMap<String, Option<String>>,
}

/// The bot's chats, updates and webhook.
pub struct Chats {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

/// Whether the bot may write to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MayWrite {
    Yes,
    NeverStarted,
    Blocked,
}

impl Chats {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let state = State { last_update: 10_000, ..State::default() };
        Self { clock, state: Mutex::new(state), changed: watch::Sender::new(()) }
    }

    /// Tells of changes from now on.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(super) fn now_seconds(&self) -> i64 {
        self.clock.now().seconds()
    }

    /// The bot may write to the person from now on.
    pub fn open(&self, person: &TestUser) {
        let mut state = locked(&self.state);
        let chat = state.chats.entry(person.number).or_default();
        (chat.open, chat.blocked) = (true, false);
    }

    pub(super) fn may_write(&self, number: u64) -> MayWrite {
        match locked(&self.state).chats.get(&number) {
            Some(chat) if chat.blocked => MayWrite::Blocked,
            Some(chat) if chat.open => MayWrite::Yes,
            _ => MayWrite::NeverStarted,
        }
    }

    /// A chat, oldest message first.
    #[must_use]
    pub fn messages(&self, number: u64) -> Vec<Message> {
        locked(&self.state).chats.get(&number).map(|chat| chat.messages.clone()).unwrap_or_default()
    }

    /// What the bot answered to a press, by the update's id.
    #[must_use]
    pub fn notice_of(&self, update: i64) -> Option<String> {
        locked(&self.state).queries.get(&format!("q{update}")).cloned().flatten()
    }

    pub(super) fn add_message(&self, number: u64, message: Message) -> Message {
        let mut state = locked(&self.state);
        state.last_message += 1;
        let message = Message { id: state.last_message, ..message };
        state.chats.entry(number).or_default().messages.push(message.clone());
        drop(state);
        self.changed.send_replace(());
        message
    }

    /// Replaces a message of the bot's; `None`: there is none, `Some(false)`: it is the same already.
    pub(super) fn edit_message(&self, number: u64, id: i64, new: Message) -> Option<bool> {
        let mut state = locked(&self.state);
        let messages = &mut state.chats.get_mut(&number)?.messages;
        let old = messages.iter_mut().find(|message| message.id == id && message.by_bot)?;
        let differs = old.text != new.text || old.buttons != new.buttons;
        *old = Message { id, ..new };
        drop(state);
        self.changed.send_replace(());
        Some(differs)
    }

    pub(super) fn person_writes(&self, person: &TestUser, text: &str) -> i64 {
        self.open(person);
        let message = Message { id: 0, by_bot: false, text: text.to_owned(), buttons: Vec::new(), protected: false };
        let message = self.add_message(person.number, message);
        self.push_update(updates::text(person, &message, self.now_seconds()))
    }

    pub(super) fn person_shares_phone(&self, person: &TestUser, own: bool) -> Option<i64> {
        let phone = person.phone.clone()?;
        self.open(person);
        let text = format!("☎ {phone}");
        let message = Message { id: 0, by_bot: false, text, buttons: Vec::new(), protected: false };
        let message = self.add_message(person.number, message);
        let whose = if own { person.number } else { person.number + 1 };
        Some(self.push_update(updates::contact(person, &message, &phone, whose, self.now_seconds())))
    }

    pub(super) fn person_presses(&self, person: &TestUser, button: &str) -> Option<i64> {
        let messages = self.messages(person.number);
        let found = messages.iter().rev().find_map(|message| {
            let pressed = message.buttons.iter().flatten().find(|(label, data)| data == button || label == button)?;
            Some((message.clone(), pressed.1.clone()))
        });
        let (message, data) = found?;
        let query = format!("q{}", locked(&self.state).last_update + 1);
        locked(&self.state).queries.insert(query.clone(), None);
        Some(self.push_update(updates::press(person, &message, &query, &data, self.now_seconds())))
    }

    pub(super) fn person_blocks(&self, person: &TestUser, blocked: bool) -> i64 {
        let mut state = locked(&self.state);
        let chat = state.chats.entry(person.number).or_default();
        chat.open = true;
        chat.blocked = blocked;
        drop(state);
        self.push_update(updates::access(person, blocked, self.now_seconds()))
    }

    /// Notes the notice; `false`: no such query.
    pub(super) fn answer_query(&self, id: &str, notice: &str) -> bool {
        match locked(&self.state).queries.get_mut(id) {
            Some(answer) => {
                *answer = Some(notice.to_owned());
                true
            }
            None => false,
        }
    }

    /// Numbers an update and queues it, unless the webhook did not ask for its kind.
    pub(super) fn push_update(&self, content: Value) -> i64 {
        let mut state = locked(&self.state);
        state.last_update += 1;
        let id = state.last_update;
        let mut update = json!({ "update_id": id });
        let kinds: Vec<String> = content.as_object().map(|o| o.keys().cloned().collect()).unwrap_or_default();
        if let (Some(update), Value::Object(content)) = (update.as_object_mut(), content) {
            update.extend(content);
        }
        state.all.push(update.clone());
        let allowed = &state.webhook.allowed;
        if allowed.is_empty() || kinds.iter().any(|kind| allowed.contains(kind)) {
            state.waiting.push_back(update);
        }
        drop(state);
        self.changed.send_replace(());
        id
    }

    pub(super) fn repeat(&self, id: i64) {
        let mut state = locked(&self.state);
        let again = state.all.iter().find(|update| update["update_id"] == id).cloned();
        state.waiting.extend(again);
        drop(state);
        self.changed.send_replace(());
    }

    pub(super) fn webhook(&self) -> Webhook {
        locked(&self.state).webhook.clone()
    }

    pub(super) fn set_webhook(&self, change: impl FnOnce(&mut Webhook)) {
        change(&mut locked(&self.state).webhook);
        self.changed.send_replace(());
    }

    pub(super) fn pending(&self) -> usize {
        locked(&self.state).waiting.len()
    }

    /// The oldest update that nobody has taken.
    pub(super) fn oldest(&self) -> Option<Value> {
        locked(&self.state).waiting.front().cloned()
    }

    /// The oldest update was taken.
    pub(super) fn taken(&self) {
        locked(&self.state).waiting.pop_front();
        self.changed.send_replace(());
    }

    /// Forgets everything below `offset`, and answers up to `limit` of the rest.
    pub(super) fn updates_from(&self, offset: i64, limit: usize) -> Vec<Value> {
        let mut state = locked(&self.state);
        state.waiting.retain(|update| update["update_id"].as_i64().unwrap_or_default() >= offset);
        state.waiting.iter().take(limit).cloned().collect()
    }

    pub(super) fn forget_updates(&self) {
        locked(&self.state).waiting.clear();
    }
}
