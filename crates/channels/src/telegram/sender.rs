//! Messages to people through the bot, at the pace that Telegram bears. Who has a chat with it is not known here.

use std::sync::Arc;

use userd_model::Clock;

use super::{BotApi, BotFault, Message, pace::Pacer};
use crate::ChannelFault;

/// What is told about an edit that changes nothing.
const NOT_MODIFIED: &str = "Bad Request: message is not modified";

/// A message for one chat.
#[derive(Clone)]
pub struct ChatMessage {
    /// The chat: the person's id at Telegram.
    pub chat: String,
    /// What it says.
    pub message: Message,
    /// The message of the bot's that it replaces; none: it is a new one.
    pub replaces: Option<i64>,
}

/// Everybody's secrets are in messages, so none is shown.
impl std::fmt::Debug for ChatMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChatMessage").field("chat", &self.chat).finish_non_exhaustive()
    }
}

/// Sends messages. One for all chats, since the pace is theirs together.
pub struct TelegramSender {
    api: Arc<BotApi>,
    pacer: Pacer,
    clock: Arc<dyn Clock>,
}

impl TelegramSender {
    /// A sender that has written to nobody yet.
    #[must_use]
    pub fn new(api: Arc<BotApi>, clock: Arc<dyn Clock>) -> Self {
        Self { api, pacer: Pacer::default(), clock }
    }

    /// Sends a message, or says how long to wait before it is its turn. `Ok` when it is in the chat: which one it is there.
    ///
    /// # Errors
    /// See [`ChannelFault`]. `Gone` is a person who blocked the bot, or never wrote to it.
    pub async fn send(&self, message: &ChatMessage) -> Result<i64, ChannelFault> {
        self.pacer.turn(&message.chat, self.clock.now()).map_err(ChannelFault::Wait)?;
        let sent = match message.replaces {
            None => self.api.send_message(&message.chat, &message.message).await,
            Some(id) => self.api.edit_message(&message.chat, id, &message.message).await.map(|()| id),
        };
        match (sent, message.replaces) {
            (Ok(id), _) => Ok(id),
            // It says so already.
            (Err(BotFault::BadRequest(told)), Some(id)) if told.starts_with(NOT_MODIFIED) => Ok(id),
            (Err(fault), _) => {
                if let BotFault::RetryAfter(wait) = fault {
                    self.pacer.hold(&message.chat, wait, self.clock.now());
                }
                Err(fault.into())
            }
        }
    }
}
