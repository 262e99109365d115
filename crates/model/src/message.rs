//! A message that another service sends: to some users, to whoever holds a role, or to everybody. It becomes a delivery
//! for each of them; one to a role or to everybody in steps, each behind the one before.
//!
//! Deliberately absent: what becomes of each delivery (`delivery.rs`), and what somebody wants to get (`preferences.rs`).

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    InvalidField, MessageId, Refusal, Sealed, Timestamp, UserId,
    preferences::{Category, CategoryName, MessageChannel},
    text,
    texts::Language,
};

/// The most users that one message names.
pub const MAX_USERS: usize = 200;
/// Title and body together, in bytes of their texts. `data` has a bound of its own (`text::attributes`).
pub const MAX_BYTES: usize = 16 * 1024;
/// How far ahead a message may be scheduled, and how long it may be worth sending.
const FURTHEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// A text in each language, or one for everybody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MessageText {
    /// The same for everybody.
    One(String),
    /// By the language of the reader.
    Each(EachLanguage),
}

/// A text in each language that the service speaks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EachLanguage {
    /// For `ru` and its regions.
    pub ru: String,
    /// For everybody else.
    pub en: String,
}

impl MessageText {
    /// The text for whoever reads this language.
    #[must_use]
    pub fn in_language(&self, language: Language) -> &str {
        match (self, language) {
            (Self::One(text), _) => text,
            (Self::Each(each), Language::Russian) => &each.ru,
            (Self::Each(each), Language::English) => &each.en,
        }
    }

    /// How many bytes its texts have.
    const fn bytes(&self) -> usize {
        match self {
            Self::One(text) => text.len(),
            Self::Each(EachLanguage { ru, en }) => ru.len() + en.len(),
        }
    }

    /// The text as it is stored, or what is wrong with it and where.
    fn checked(
        &self,
        pointer: &str,
        check: fn(&str) -> Result<String, &'static str>,
        wrong: &mut Vec<InvalidField>,
    ) -> Self {
        let mut one = |text: &str, pointer: String| {
            check(text).unwrap_or_else(|detail| {
                wrong.push(InvalidField::new(pointer, detail));
                String::new()
            })
        };
        match self {
            Self::One(text) => Self::One(one(text, pointer.to_owned())),
            Self::Each(EachLanguage { ru, en }) => {
                let (ru, en) = (one(ru, format!("{pointer}/ru")), one(en, format!("{pointer}/en")));
                Self::Each(EachLanguage { ru, en })
            }
        }
    }
}

/// To whom.
#[derive(Clone, PartialEq, Eq)]
pub enum Audience {
    /// These users; unknown ones are told nothing.
    Users(Vec<UserId>),
    /// Whoever holds this role when it is sent.
    Role(String),
    /// Everybody who is there when it is sent.
    All,
}

impl Audience {
    /// The published word.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Users(_) => "users",
            Self::Role(_) => "role",
            Self::All => "all",
        }
    }
}

/// What is said.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the members of the contract's Notification")]
pub struct MessageContent {
    pub title: MessageText,
    pub body: MessageText,
    pub data: Map<String, Value>,
    pub action_url: Option<String>,
    /// What can be pressed under it in a messenger. Only this service's own messages have any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
}

/// A button under a message.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Button {
    /// What it says.
    pub label: EachLanguage,
    /// What comes back when it is pressed.
    pub data: String,
}

/// A message as somebody asks for it.
#[derive(Clone)]
#[expect(missing_docs, reason = "the members of the contract's body")]
pub struct MessageInput {
    pub to: Audience,
    pub category: String,
    pub title: MessageText,
    pub body: MessageText,
    pub data: Option<Map<String, Value>>,
    pub action_url: Option<String>,
    pub channels: Option<Vec<String>>,
    pub not_before: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
}

/// A message that is right.
pub struct CheckedMessage {
    /// To whom; users in order, each once.
    pub to: Audience,
    /// What it is about.
    pub category: CategoryName,
    /// What it says.
    pub content: MessageContent,
    /// By which ways it goes.
    pub channels: Vec<MessageChannel>,
    /// When it is sent.
    pub due_at: Timestamp,
    /// When it stops being worth it.
    pub expires_at: Option<Timestamp>,
}

impl MessageInput {
    /// What is asked for, if all of it is right. `wrong` is what was found before: URLs are not read here.
    ///
    /// # Errors
    /// `InvalidInput` with everything that is wrong.
    pub fn check(self, now: Timestamp, mut wrong: Vec<InvalidField>) -> Result<CheckedMessage, Refusal> {
        let to = checked_audience(self.to, &mut wrong);
        let category = match CategoryName::parse(&self.category) {
            // Those are what this service itself has to say: nobody else speaks in its name or past what is muted.
            Ok(name) if name != Category::Message.into() && Category::ALL.iter().any(|ours| name == (*ours).into()) => {
                wrong.push(InvalidField::new("/category", "is for what this service itself says"));
                name
            }
            Ok(name) => name,
            Err(detail) => {
                wrong.push(InvalidField::new("/category", detail));
                Category::Message.into()
            }
        };
        let title = self.title.checked("/title", text::title, &mut wrong);
        let body = self.body.checked("/body", text::message, &mut wrong);
        let data = self.data.unwrap_or_default();
        if let Err(detail) = text::attributes(&data) {
            wrong.push(InvalidField::new("/data", detail));
        }
        if title.bytes() + body.bytes() > MAX_BYTES {
            wrong.push(InvalidField::new("/body", "must be at most 16 KiB, title included"));
        }
        let content = MessageContent { title, body, data, action_url: self.action_url, buttons: Vec::new() };
        let channels = checked_channels(self.channels, &mut wrong);
        let due_at = self.not_before.unwrap_or(now).max(now);
        if due_at > now.plus(FURTHEST) {
            wrong.push(InvalidField::new("/not_before", "must be within a year"));
        }
        match self.expires_at {
            Some(at) if at <= due_at => {
                wrong.push(InvalidField::new("/expires_at", "must be later than now and than not_before"));
            }
            Some(at) if at > due_at.plus(FURTHEST) => {
                wrong.push(InvalidField::new("/expires_at", "must be within a year after it is sent"));
            }
            _ => {}
        }
        if wrong.is_empty() {
            Ok(CheckedMessage { to, category, content, channels, due_at, expires_at: self.expires_at })
        } else {
            Err(Refusal::InvalidInput(wrong))
        }
    }
}

fn checked_audience(to: Audience, wrong: &mut Vec<InvalidField>) -> Audience {
    let Audience::Users(mut users) = to else { return to };
    users.sort_unstable();
    users.dedup();
    if !(1..=MAX_USERS).contains(&users.len()) {
        wrong.push(InvalidField::new("/to/user_ids", "must name 1 to 200 users"));
    }
    Audience::Users(users)
}

fn checked_channels(words: Option<Vec<String>>, wrong: &mut Vec<InvalidField>) -> Vec<MessageChannel> {
    let Some(words) = words else { return MessageChannel::ALL.to_vec() };
    let mut channels = Vec::new();
    for (at, word) in words.iter().enumerate() {
        match MessageChannel::ALL.iter().find(|channel| channel.as_str() == word) {
            Some(channel) if !channels.contains(channel) => channels.push(*channel),
            Some(_) => wrong.push(InvalidField::new(format!("/channels/{at}"), "stands here twice")),
            None => wrong.push(InvalidField::new(format!("/channels/{at}"), "must be inbox, email or telegram")),
        }
    }
    if words.is_empty() {
        wrong.push(InvalidField::new("/channels", "must name a channel, or be left out for all"));
    }
    channels
}

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// It becomes deliveries, step by step, from its time on.
    Pending,
    /// All its deliveries are there.
    Expanded,
    /// Its time was over before.
    Expired,
}

impl MessageState {
    const ALL: [Self; 3] = [Self::Pending, Self::Expanded, Self::Expired];

    /// The stored and published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Expanded => "expanded",
            Self::Expired => "expired",
        }
    }

    /// The state of a stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Where the last step ended, in the order in which users registered.
pub type MessageCursor = (Timestamp, UserId);

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Which.
    pub id: MessageId,
    /// How far it is.
    pub state: MessageState,
    /// When it is sent: users who register later are not its audience.
    pub due_at: Timestamp,
    /// What it is about.
    pub category: CategoryName,
    /// `users`, `role` or `all`.
    pub audience: String,
    /// The role.
    pub role: Option<String>,
    /// By which ways it goes.
    pub channels: Vec<MessageChannel>,
    /// What it says: sealed.
    pub content: Sealed,
    /// Who sent it: a kind of actor, and an id.
    pub sent_by: (String, Option<uuid::Uuid>),
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it stops being worth it.
    pub expires_at: Option<Timestamp>,
    /// Where the last step ended.
    pub cursor: Option<MessageCursor>,
    /// How many deliveries to users there are.
    pub recipients: i64,
    /// When its row can go.
    pub remove_at: Timestamp,
}

impl Message {
    /// How long its row stays after it is sent: longer than anything that is made of it can be tried.
    pub const KEPT: Duration = Duration::from_secs(400 * 24 * 3600);
    /// The same for one that names its readers. What was said to somebody does not outlive them by long: so long as a copy
    /// can be tried (30 days into the inbox, 3 by mail), be a dead letter (30), and be tried once more.
    pub const KEPT_NAMED: Duration = Duration::from_secs(64 * 24 * 3600);

    /// A step is done: `users` more were found up to `cursor`; none is left behind it where there is no further one.
    pub const fn step(&mut self, users: i64, cursor: Option<MessageCursor>) {
        self.recipients += users;
        match cursor {
            Some(cursor) => self.cursor = Some(cursor),
            None => self.state = MessageState::Expanded,
        }
    }

    /// Its time is over.
    pub const fn expire(&mut self) {
        self.state = MessageState::Expired;
    }
}

/// How many of the copies of a message are in which state, by `channel.state`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageCounts(pub BTreeMap<String, i64>);

impl MessageCounts {
    /// How many rows the counts of one message are spread over, so that those who count do not wait for each other.
    pub const SLOTS: i64 = 64;

    /// Who mutes the category on the channel gets no copy there …
    pub const MUTED: &str = "muted";
    /// … and neither does who has no such channel.
    pub const UNREACHABLE: &str = "unreachable";

    /// Where copies for this user are counted.
    #[must_use]
    pub fn slot_of(user: UserId) -> i64 {
        i64::try_from(user.0.as_u128() % u128::from(Self::SLOTS.unsigned_abs())).unwrap_or(0)
    }

    /// One more, or one less.
    pub fn add(&mut self, channel: &str, state: &str, by: i64) {
        *self.0.entry(format!("{channel}.{state}")).or_default() += by;
    }

    /// Both together.
    pub fn merge(&mut self, other: &Self) {
        for (name, count) in &other.0 {
            *self.0.entry(name.clone()).or_default() += count;
        }
    }

    /// How many there are.
    #[must_use]
    pub fn get(&self, channel: &str, state: &str) -> i64 {
        self.0.get(&format!("{channel}.{state}")).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
