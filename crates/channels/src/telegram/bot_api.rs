//! The Bot API, as far as signing in and notifying need it. When to write and what is the caller's matter.

use std::time::Duration;

use serde_json::{Map, Value, json};
use url::Url;
use userd_jose::strict_json;
use userd_model::telegram::{BOT_TOKEN_SHAPE, account_id, bot_id};
use userd_outbound::{Answer, Call, ConfigError, HttpClient, HttpOptions, Secret, printable};

/// Telegram's limit for a message, in UTF-16 units.
pub const MAX_TEXT: usize = 4096;

/// Why a call did not do what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BotFault {
    /// 403: the person blocked the bot, was deactivated, or never wrote to it. The channel is dead until they write.
    #[error("the bot may not write to this person: {0}")]
    Forbidden(String),
    /// 400: no such chat. As dead as `Forbidden`.
    #[error("no such chat: {0}")]
    NoSuchChat(String),
    /// 400: what we sent is wrong; sending it again does not help.
    #[error("the request is wrong: {0}")]
    BadRequest(String),
    /// 429: wait this long, at least for this chat.
    #[error("too many calls, wait {0:?}")]
    RetryAfter(Duration),
    /// 401 or 404: the bot's token is wrong or revoked.
    #[error("the bot's token is not accepted")]
    WrongToken,
    /// 409: a webhook and `getUpdates` at once, or two of the latter.
    #[error("another receiver of updates exists: {0}")]
    Conflict(String),
    /// Unreachable, slow, 5xx or nonsense. What was sent may or may not have arrived.
    #[error("the Bot API cannot be reached: {0}")]
    Unavailable(String),
}

/// A client of the Bot API for one bot.
pub struct BotApi {
    http: HttpClient,
    base: Url,
    token: Secret,
}

/// A message to one person.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// HTML as Telegram reads it; everything from elsewhere through [`escape_html`].
    pub html: String,
    /// Rows of buttons: label, and the data it carries (1 to 64 bytes).
    pub buttons: Vec<Vec<(String, String)>>,
    /// A button below them that opens a page: label, and the page's address.
    pub link: Option<(String, String)>,
    /// Forbids forwarding and saving; for codes.
    pub protect: bool,
    /// Arrives without a sound.
    pub silent: bool,
}

/// What `getMe` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotIdentity {
    /// The bot's id.
    pub id: String,
    /// Its username, without `@`.
    pub username: String,
}

/// What `getWebhookInfo` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookInfo {
    /// Where updates go; empty when nowhere.
    pub url: String,
    /// How many wait.
    pub pending: u64,
    /// Why the last delivery failed, if it did.
    pub last_error: Option<String>,
}

impl BotApi {
    /// A client at `base` (`https://api.telegram.org`, or a stand-in on the loopback).
    pub fn new(base: &str, token: &Secret, options: HttpOptions) -> Result<Self, ConfigError> {
        if bot_id(token.expose()).is_none() {
            return Err(ConfigError::new("telegram.bot_token", BOT_TOKEN_SHAPE));
        }
        let wrong = || ConfigError::new("telegram.api_base_url", "must be an absolute https URL");
        let base = Url::parse(base.trim_end_matches('/')).ok().filter(Url::has_host).ok_or_else(wrong)?;
        let http = HttpClient::new(options, &[&base]).map_err(|e| match e.field.as_str() {
            "endpoints" => wrong(),
            field => ConfigError::new(format!("telegram.{field}"), e.detail),
        })?;
        Ok(Self { http, base, token: token.clone() })
    }

    /// Whether the token works, and whose it is.
    pub async fn get_me(&self) -> Result<BotIdentity, BotFault> {
        let me = self.call("getMe", json!({})).await?;
        let id = me.get("id").and_then(Value::as_u64).and_then(account_id);
        let username = me.get("username").and_then(Value::as_str).map(str::to_owned);
        match (id, username) {
            (Some(id), Some(username)) => Ok(BotIdentity { id, username }),
            _ => Err(BotFault::Unavailable("getMe answered no bot".into())),
        }
    }

    /// Sends updates to `url`, with `secret` (1 to 256 of `A-Za-z0-9_-`) in the header of each.
    pub async fn set_webhook(&self, url: &Url, secret: &Secret) -> Result<(), BotFault> {
        let body = json!({
            "url": url.as_str(), "secret_token": secret.expose(), "max_connections": 10,
            "allowed_updates": ["message", "callback_query", "my_chat_member"],
        });
        self.call("setWebhook", body).await.map(drop)
    }

    /// Stops sending updates.
    pub async fn delete_webhook(&self) -> Result<(), BotFault> {
        self.call("deleteWebhook", json!({})).await.map(drop)
    }

    /// Where updates go and how it fares.
    pub async fn get_webhook_info(&self) -> Result<WebhookInfo, BotFault> {
        let info = self.call("getWebhookInfo", json!({})).await?;
        let text = |name: &str| info.get(name).and_then(Value::as_str).map(str::to_owned);
        Ok(WebhookInfo {
            url: text("url").unwrap_or_default(),
            pending: info.get("pending_update_count").and_then(Value::as_u64).unwrap_or(0),
            last_error: text("last_error_message"),
        })
    }

    /// Asks for updates after `offset`, waiting up to five seconds; for machines that no webhook reaches. Each one is
    /// the JSON that [`Update::parse`](super::Update::parse) reads.
    pub async fn get_updates(&self, offset: i64) -> Result<Vec<Vec<u8>>, BotFault> {
        let body = json!({
            "offset": offset, "timeout": 5, "allowed_updates": ["message", "callback_query", "my_chat_member"],
        });
        let updates = self.call("getUpdates", body).await?;
        Ok(updates.as_array().into_iter().flatten().map(|update| update.to_string().into_bytes()).collect())
    }

    /// Writes to a person; the answer is the message's id.
    pub async fn send_message(&self, chat: &str, message: &Message) -> Result<i64, BotFault> {
        // Marks and entities do not count there, so this only stops what can never fit.
        if message.html.encode_utf16().count() > MAX_TEXT * 4 {
            return Err(BotFault::BadRequest("the message is too long".into()));
        }
        let mut body = message_body(chat, message)?;
        body.insert("protect_content".into(), message.protect.into());
        body.insert("disable_notification".into(), message.silent.into());
        let sent = self.call("sendMessage", Value::Object(body)).await?;
        let no_id = || BotFault::Unavailable("sendMessage answered no message".into());
        sent.get("message_id").and_then(Value::as_i64).ok_or_else(no_id)
    }

    /// Replaces a message that the bot sent.
    pub async fn edit_message(&self, chat: &str, message_id: i64, message: &Message) -> Result<(), BotFault> {
        let mut body = message_body(chat, message)?;
        body.insert("message_id".into(), message_id.into());
        self.call("editMessageText", Value::Object(body)).await.map(drop)
    }

    /// Stops the spinner on a button, with a short notice.
    pub async fn answer_callback_query(&self, query_id: &str, notice: &str) -> Result<(), BotFault> {
        let notice: String = notice.chars().take(200).collect();
        self.call("answerCallbackQuery", json!({ "callback_query_id": query_id, "text": notice })).await.map(drop)
    }

    async fn call(&self, method: &str, body: Value) -> Result<Value, BotFault> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/bot{}/{method}", self.base.path().trim_end_matches('/'), self.token.expose()));
        let answer =
            self.http.send(Call::post(url).json(&body)).await.map_err(|fault| BotFault::Unavailable(fault.why()))?;
        result(&answer)
    }
}

fn message_body(chat: &str, message: &Message) -> Result<Map<String, Value>, BotFault> {
    let chat: i64 = chat.parse().map_err(|_| BotFault::NoSuchChat("the chat's id is no number".into()))?;
    let mut body = Map::new();
    body.insert("chat_id".into(), chat.into());
    body.insert("text".into(), message.html.as_str().into());
    body.insert("parse_mode".into(), "HTML".into());
    body.insert("link_preview_options".into(), json!({ "is_disabled": true }));
    let button = |(label, data): &(String, String)| json!({ "text": label, "callback_data": data });
    let mut rows: Vec<Vec<Value>> = message.buttons.iter().map(|row| row.iter().map(button).collect()).collect();
    rows.extend(message.link.iter().map(|(label, url)| vec![json!({ "text": label, "url": url })]));
    if !rows.is_empty() {
        body.insert("reply_markup".into(), json!({ "inline_keyboard": rows }));
    }
    Ok(body)
}

/// Code and prefix decide; the rest of the text changes without notice.
fn result(answer: &Answer) -> Result<Value, BotFault> {
    let mut members = strict_json::object(&answer.body)
        .map_err(|_| BotFault::Unavailable(format!("{} answered {}", answer.host, answer.status)))?;
    if members.get("ok") == Some(&true.into()) {
        return members.remove("result").ok_or_else(|| BotFault::Unavailable("an answer without a result".into()));
    }
    let code = members.get("error_code").and_then(Value::as_u64).unwrap_or(u64::from(answer.status));
    let told = printable(members.get("description").and_then(Value::as_str).unwrap_or_default());
    let wait = members.get("parameters").and_then(|p| p.get("retry_after")).and_then(Value::as_u64).unwrap_or(1);
    Err(match code {
        400 if told.starts_with("Bad Request: chat not found") => BotFault::NoSuchChat(told),
        400 => BotFault::BadRequest(told),
        401 | 404 => BotFault::WrongToken,
        403 => BotFault::Forbidden(told),
        409 => BotFault::Conflict(told),
        429 => BotFault::RetryAfter(Duration::from_secs(wait.clamp(1, 86_400))),
        _ => BotFault::Unavailable(format!("{code} {told}")),
    })
}

/// Text for Telegram's HTML.
#[must_use]
pub fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
