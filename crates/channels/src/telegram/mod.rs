//! Telegram: the client of the Bot API, messages through it at the pace it bears, and the updates that come back. What
//! they lead to is not known here.

mod bot_api;
mod pace;
mod sender;
mod update;

pub use bot_api::{BotApi, BotFault, BotIdentity, MAX_TEXT, Message, WebhookInfo, escape_html};
pub use pace::Pacer;
pub use sender::{ChatMessage, TelegramSender};
pub use update::{
    BotUser, Content, MAX_PAYLOAD, NotAnUpdate, SECRET_HEADER, Update, is_payload, start_link, webhook_secret_matches,
};
