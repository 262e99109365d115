//! Webhooks: one event, one receiver, one call, signed as Standard Webhooks say (<https://www.standardwebhooks.com>),
//! and what the receiver's answer means. Which events go where is the caller's matter; so is trying again.
//!
//! Deliberately absent: which webhooks there are, and when one is switched off.

mod breaker;
mod retry_after;
mod secret;
mod security_event;
mod sender;
mod signature;
mod url;

use std::time::Duration;

use bytes::Bytes;
use userd_model::Timestamp;

pub use self::{
    secret::WebhookSecret,
    security_event::{SecurityEventCall, SecurityEventFault},
    sender::{WebhookOptions, WebhookSender},
    url::{Allowed, MAX_URL, UrlFault, WebhookUrl},
};

/// One event for one receiver.
#[derive(Clone)]
pub struct WebhookCall {
    /// `webhook-id`: names the event to this receiver for good, so that it knows a second copy. Letters, digits, `_` and
    /// `-`.
    pub id: String,
    /// When this attempt is made; a receiver refuses what is old.
    pub at: Timestamp,
    /// Where to.
    pub url: WebhookUrl,
    /// What the body is.
    pub content_type: ContentType,
    /// The event, JSON. It is signed and sent byte by byte.
    pub body: Bytes,
    /// Signed with each: one, or two while one takes the other's place.
    pub secrets: Vec<WebhookSecret>,
}

/// Events are about people, and a URL may hold a secret.
impl std::fmt::Debug for WebhookCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookCall").field("id", &self.id).field("url", &self.url).finish_non_exhaustive()
    }
}

/// What a body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentType {
    /// `application/json`
    Json,
    /// `application/cloudevents+json`: a `CloudEvent` in structured mode.
    #[default]
    CloudEvent,
}

impl ContentType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::CloudEvent => "application/cloudevents+json",
        }
    }
}

/// Why a receiver has not taken an event. The reasons are for the log and for the receiver's administrators: they name
/// the host, and nothing else of the URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookFault {
    /// The receiver is left alone for this long: it does not answer, asks for it, or is being called as often as may be.
    /// Nothing was sent, and no attempt was made.
    #[error("not before {0:?} have passed")]
    Wait(Duration),
    /// 410, or `webhook-delivery: disable`: the receiver wants no more of anything.
    #[error("the receiver wants no more events: {0}")]
    Gone(String),
    /// 429, 502, 504: too much for it.
    #[error("the receiver is overloaded: {reason}")]
    Throttled {
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
        /// What it answered.
        reason: String,
    },
    /// Another 5xx, no connection, no answer in time.
    #[error("the receiver cannot be reached: {reason}")]
    Unavailable {
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
        /// What happened.
        reason: String,
    },
    /// Another 4xx, a redirect, a place where we do not go. Somebody must mend something, and may do so in time.
    #[error("the receiver refuses the event: {0}")]
    Refused(String),
    /// `webhook-delivery: abort-message`: never this event again.
    #[error("the receiver never takes this event: {0}")]
    Aborted(String),
    /// The call cannot be made: no secret, or a key or an id that is none. Our mistake.
    #[error("the call cannot be made: {0}")]
    Unsendable(&'static str),
}
