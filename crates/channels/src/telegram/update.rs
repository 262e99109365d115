//! What comes back from the bot: its deep link, and the updates that its webhook or `getUpdates` delivers. Which attempt
//! a payload belongs to, and what a person may do, are the caller's matter.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value};
use url::Url;
use userd_jose::strict_json;
use userd_model::telegram::account_id;
use userd_outbound::Secret;

type Members = Map<String, Value>;

/// The longest payload of a `/start` link.
pub const MAX_PAYLOAD: usize = 64;

/// The header in which Telegram repeats the secret given to `setWebhook`.
pub const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

/// Whether a webhook call comes from whom we gave the secret to. The source address proves nothing.
#[must_use]
pub fn webhook_secret_matches(expected: &Secret, given: Option<&[u8]>) -> bool {
    let given = given.unwrap_or_default();
    let hash = |bytes: &[u8]| digest(&SHA256, bytes);
    let same = subtle::ConstantTimeEq::ct_eq(hash(expected.expose().as_bytes()).as_ref(), hash(given).as_ref());
    !expected.is_empty() && bool::from(same)
}

/// Whether text may be a `/start` payload: 1 to 64 of `A-Za-z0-9_-`.
#[must_use]
pub fn is_payload(text: &str) -> bool {
    (1..=MAX_PAYLOAD).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// `https://t.me/<bot>?start=<payload>`; `None` when either is malformed.
#[must_use]
pub fn start_link(bot_username: &str, payload: &str) -> Option<Url> {
    let name_is_fine =
        (4..=32).contains(&bot_username.len()) && bot_username.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !name_is_fine || !is_payload(payload) {
        return None;
    }
    Url::parse(&format!("https://t.me/{bot_username}?start={payload}")).ok()
}

/// A person who wrote to the bot.
#[derive(Clone, Debug)]
pub struct BotUser {
    /// The numeric id, decimal.
    pub id: String,
    members: Members,
}

impl BotUser {
    /// The language of the person's app.
    #[must_use]
    pub fn language(&self) -> Option<String> {
        text(&self.members, "language_code")
    }

    /// What Telegram says about the person: `first_name`, `username` …
    #[must_use]
    pub const fn members(&self) -> &Map<String, Value> {
        &self.members
    }
}

/// A body that is no update of the Bot API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no update of the Bot API")]
pub struct NotAnUpdate;

/// One update. Deliveries repeat: the caller remembers `id`.
#[derive(Clone, Debug)]
pub struct Update {
    /// Grows; the same update always has the same one.
    pub id: i64,
    /// What happened.
    pub content: Content,
}

/// What happened, as far as we care. Only private chats with people are anything but `Other`.
#[derive(Clone, Debug)]
pub enum Content {
    /// `/start`, bare or with a payload.
    Start {
        /// Who.
        from: BotUser,
        /// What came with it.
        payload: Option<String>,
    },
    /// Any other text.
    Text {
        /// Who.
        from: BotUser,
        /// What.
        text: String,
    },
    /// The person's own phone number, from the button that asks for it.
    OwnPhone {
        /// Who.
        from: BotUser,
        /// With a plus.
        phone: String,
    },
    /// A button under one of the bot's messages.
    Button {
        /// Who.
        from: BotUser,
        /// To be answered.
        query_id: String,
        /// What the button carries.
        data: String,
        /// The message it hangs under.
        message_id: i64,
    },
    /// The person blocked the bot, or let it write again.
    Access {
        /// Who.
        from: BotUser,
        /// Whether the bot may write now.
        may_write: bool,
    },
    /// Nothing for us: groups, channels, bots, forwarded messages, kinds we do not know.
    Other,
}

impl Update {
    /// Reads a webhook's body, at most 256 KiB. An update we have no use for is [`Content::Other`], not an error.
    pub fn parse(body: &[u8]) -> Result<Self, NotAnUpdate> {
        if body.len() > 256 * 1024 {
            return Err(NotAnUpdate);
        }
        let update = strict_json::object(body).map_err(|_| NotAnUpdate)?;
        let id = update.get("update_id").and_then(Value::as_i64).ok_or(NotAnUpdate)?;
        let object = |name: &str| update.get(name).and_then(Value::as_object);
        let content = if let Some(message) = object("message") {
            message_content(message)
        } else if let Some(query) = object("callback_query") {
            button(query)
        } else if let Some(change) = object("my_chat_member") {
            access(change)
        } else {
            None
        };
        Ok(Self { id, content: content.unwrap_or(Content::Other) })
    }
}

fn message_content(message: &Members) -> Option<Content> {
    let forwarded = message.keys().any(|name| name.starts_with("forward_"));
    if forwarded || message.contains_key("via_bot") || message.contains_key("sender_chat") {
        return None;
    }
    let from = private_person(message)?;
    if let Some(contact) = message.get("contact").and_then(Value::as_object) {
        // People can send anybody's card; only their own counts.
        let own = id(contact, "user_id").as_ref() == Some(&from.id);
        let phone = with_plus(text(contact, "phone_number")?);
        return own.then_some(Content::OwnPhone { from, phone });
    }
    let text = text(message, "text")?;
    let mut words = text.split_ascii_whitespace();
    let command = words.next().unwrap_or_default();
    if command != "/start" && !command.starts_with("/start@") {
        return Some(Content::Text { from, text });
    }
    let payload = words.next().map(str::to_owned);
    let lawful = words.next().is_none() && payload.as_deref().is_none_or(is_payload);
    lawful.then_some(Content::Start { from, payload })
}

fn button(query: &Members) -> Option<Content> {
    let message = query.get("message").and_then(Value::as_object)?;
    let from = person(query)?;
    is_private_chat_with(message, &from).then_some(())?;
    let message_id = message.get("message_id").and_then(Value::as_i64)?;
    Some(Content::Button { from, query_id: text(query, "id")?, data: text(query, "data")?, message_id })
}

fn access(change: &Members) -> Option<Content> {
    let from = private_person(change)?;
    let status = change.get("new_chat_member").and_then(Value::as_object).and_then(|m| text(m, "status"))?;
    let may_write = match status.as_str() {
        "member" => true,
        "kicked" | "left" => false,
        _ => return None,
    };
    Some(Content::Access { from, may_write })
}

fn private_person(message: &Members) -> Option<BotUser> {
    let from = person(message)?;
    is_private_chat_with(message, &from).then_some(from)
}

fn person(holder: &Members) -> Option<BotUser> {
    let members = holder.get("from").and_then(Value::as_object)?;
    let is_human = members.get("is_bot") == Some(&Value::Bool(false));
    is_human.then_some(BotUser { id: id(members, "id")?, members: members.clone() })
}

fn is_private_chat_with(message: &Members, from: &BotUser) -> bool {
    message.get("chat").and_then(Value::as_object).is_some_and(|chat| {
        text(chat, "type").as_deref() == Some("private") && id(chat, "id").as_ref() == Some(&from.id)
    })
}

fn id(members: &Members, name: &str) -> Option<String> {
    members.get(name).and_then(Value::as_u64).and_then(account_id)
}

fn text(members: &Members, name: &str) -> Option<String> {
    members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Some apps send the number without it.
fn with_plus(number: String) -> String {
    if number.starts_with('+') { number } else { format!("+{number}") }
}
