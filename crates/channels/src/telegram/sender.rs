//! Messages to people through the bot, at the pace that Telegram bears. Who has a chat with it is not known here.

use std::sync::Arc;

use userd_model::Clock;

use super::{BotApi, BotFault, Message, pace::Pacer};
use crate::ChannelFault;

/// A message for one chat.
#[derive(Clone)]
pub struct ChatMessage {
    /// The chat: the person's id at Telegram.
    pub chat: String,
    /// What it says.
    pub message: Message,
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

    /// Sends a message, or says how long to wait before it is its turn. `Ok` when it is in the chat.
    ///
    /// # Errors
    /// See [`ChannelFault`]. `Gone` is a person who blocked the bot, or never wrote to it.
    pub async fn send(&self, message: &ChatMessage) -> Result<(), ChannelFault> {
        self.pacer.turn(&message.chat, self.clock.now()).map_err(ChannelFault::Wait)?;
        match self.api.send_message(&message.chat, &message.message).await {
            Ok(_) => Ok(()),
            Err(fault) => {
                if let BotFault::RetryAfter(wait) = fault {
                    self.pacer.hold(&message.chat, wait, self.clock.now());
                }
                Err(fault.into())
            }
        }
    }
}
