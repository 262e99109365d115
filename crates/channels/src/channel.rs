//! What all channels have in common: a message is sent, and what went wrong is told in words that a queue understands.

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    email::{Email, EmailFault, Relay},
    telegram::{BotFault, ChatMessage, TelegramSender},
    webhook::{WebhookCall, WebhookFault, WebhookSender},
};

/// A way in which something reaches somebody. An implementation sends once: trying again is the queue's matter.
#[async_trait]
pub trait Channel: Send + Sync {
    /// What is sent, with whom it is for.
    type Message: Send + Sync;

    /// What the other side says when it has taken one.
    type Receipt: Send;

    /// Sends a message. `Ok` when the other side has taken it.
    ///
    /// # Errors
    /// See [`ChannelFault`]. After `Later` the message may have arrived all the same; a second copy has the same id.
    async fn send(&self, message: &Self::Message) -> Result<Self::Receipt, ChannelFault>;
}

/// Why a message was not sent, and what that means for it. Reasons are short, for the log and for dead letters; no secret
/// and no path of a URL is in them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelFault {
    /// Our own pace forbids it for this long. Nothing was sent, and no attempt was made that counts.
    #[error("not before {0:?} have passed")]
    Wait(Duration),
    /// Another time it may be taken: not before `after`, where the other side said so.
    #[error("{reason}")]
    Later {
        /// How long the other side asks us to wait.
        after: Option<Duration>,
        /// What happened.
        reason: String,
    },
    /// Another time this message may be taken. The other side answers and takes others meanwhile: it is not to blame.
    #[error("{0}")]
    Deferred(String),
    /// This message will never be taken: a dead letter.
    #[error("{0}")]
    Undeliverable(String),
    /// Nothing will be taken at this destination until its owner does something: a dead letter, and the channel is
    /// unreachable (a person who blocked the bot) or switched off (a webhook that answered 410).
    #[error("{0}")]
    Gone(String),
    /// We are not let in: wrong credentials, no TLS. The operator's matter. The message is as good as before, and the
    /// destination is not to blame.
    #[error("{0}")]
    OurFault(String),
}

#[async_trait]
impl Channel for Relay {
    type Message = Email;
    type Receipt = ();

    async fn send(&self, message: &Email) -> Result<(), ChannelFault> {
        Ok(Self::send(self, message).await?)
    }
}

#[async_trait]
impl Channel for TelegramSender {
    type Message = ChatMessage;
    /// Which message it is in the chat.
    type Receipt = i64;

    async fn send(&self, message: &ChatMessage) -> Result<i64, ChannelFault> {
        Self::send(self, message).await
    }
}

#[async_trait]
impl Channel for WebhookSender {
    type Message = WebhookCall;
    type Receipt = ();

    async fn send(&self, message: &WebhookCall) -> Result<(), ChannelFault> {
        Ok(Self::send(self, message).await?)
    }
}

impl From<EmailFault> for ChannelFault {
    fn from(fault: EmailFault) -> Self {
        match fault {
            EmailFault::Undeliverable(reason) => Self::Undeliverable(reason),
            EmailFault::Deferred(reason) => Self::Deferred(reason),
            EmailFault::Unavailable(reason) => Self::Later { after: None, reason },
            EmailFault::NotAccepted(reason) => Self::OurFault(reason),
        }
    }
}

impl From<BotFault> for ChannelFault {
    fn from(fault: BotFault) -> Self {
        let reason = fault.to_string();
        match fault {
            BotFault::Forbidden(_) | BotFault::NoSuchChat(_) => Self::Gone(reason),
            BotFault::BadRequest(_) => Self::Undeliverable(reason),
            BotFault::RetryAfter(after) => Self::Later { after: Some(after), reason },
            BotFault::WrongToken => Self::OurFault(reason),
            BotFault::Conflict(_) | BotFault::Unavailable(_) => Self::Later { after: None, reason },
        }
    }
}

impl From<WebhookFault> for ChannelFault {
    fn from(fault: WebhookFault) -> Self {
        match fault {
            WebhookFault::Wait(wait) => Self::Wait(wait),
            WebhookFault::Gone(reason) => Self::Gone(reason),
            WebhookFault::Throttled { retry_after: after, reason }
            | WebhookFault::Unavailable { retry_after: after, reason } => Self::Later { after, reason },
            WebhookFault::Refused(reason) => Self::Later { after: None, reason },
            WebhookFault::Aborted(reason) => Self::Undeliverable(reason),
            WebhookFault::Unsendable(reason) => Self::OurFault(reason.to_owned()),
        }
    }
}
