//! The bot's deep link and its webhook: what a link is made of, what an update says, who may say it. Which attempt a
//! payload belongs to, and the confirmation with its match code, are the caller's matter.

use serde_json::Value;
use url::Url;
use userd_outbound::Secret;

use super::{describe, numeric_id};
use crate::{
    answer::{Members, phone, text, truth},
    digest::{same, sha256},
    fault::ProviderFault,
    profile::Profile,
    provider::Provider,
};

/// The longest payload of a `/start` link.
pub const MAX_PAYLOAD: usize = 64;

/// The header in which Telegram repeats the secret given to `setWebhook`.
pub const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

/// Whether a webhook call comes from whom we gave the secret to. The source address proves nothing.
#[must_use]
pub fn webhook_secret_matches(expected: &Secret, given: Option<&[u8]>) -> bool {
    let given = given.unwrap_or_default();
    !expected.is_empty() && same(&sha256(expected.expose().as_bytes()), &sha256(given))
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

    /// The identity behind the bot's door, the same as behind the others. Writing to the bot lets it write back.
    ///
    /// # Errors
    /// `subject_missing` when the id names nobody.
    pub fn profile(&self, telegram: &dyn Provider) -> Result<Profile, ProviderFault> {
        let mut profile = describe(telegram.facts(), &self.id, &self.members)?;
        profile.bot_access = Some(true);
        Ok(profile)
    }
}

/// One call of the webhook. Deliveries repeat: the caller remembers `id`.
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
    /// Reads a webhook's body, at most 256 KiB.
    ///
    /// # Errors
    /// `payload_malformed` when it is no update at all; an update we have no use for is [`Content::Other`].
    pub fn parse(body: &[u8]) -> Result<Self, ProviderFault> {
        let malformed = || ProviderFault::Refused("payload_malformed");
        if body.len() > 256 * 1024 {
            return Err(malformed());
        }
        let update = userd_jose::strict_json::object(body).map_err(|_| malformed())?;
        let id = update.get("update_id").and_then(Value::as_i64).ok_or_else(malformed)?;
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
        let own = contact.get("user_id").and_then(numeric_id).is_some_and(|id| id == from.id);
        let phone = phone(text(contact, "phone_number"))?;
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
    if truth(members.get("is_bot")) != Some(false) {
        return None;
    }
    Some(BotUser { id: members.get("id").and_then(numeric_id)?, members: members.clone() })
}

fn is_private_chat_with(message: &Members, from: &BotUser) -> bool {
    message.get("chat").and_then(Value::as_object).is_some_and(|chat| {
        text(chat, "type").as_deref() == Some("private")
            && chat.get("id").and_then(numeric_id).as_ref() == Some(&from.id)
    })
}
