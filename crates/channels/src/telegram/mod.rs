//! Telegram: the client of the Bot API, and the updates that come back. What they lead to is not known here.

mod bot_api;
mod update;

pub use bot_api::{BotApi, BotFault, BotIdentity, MAX_TEXT, Message, WebhookInfo, escape_html};
pub use update::{
    BotUser, Content, MAX_PAYLOAD, NotAnUpdate, SECRET_HEADER, Update, is_payload, start_link, webhook_secret_matches,
};
