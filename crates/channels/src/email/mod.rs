//! E-mail: what a message looks like on the wire, and the relay that takes it. When to write, to whom and in which words
//! is the caller's matter; so is trying again.
//!
//! Deliberately absent: DKIM and bounces. The relay signs, and knows who exists.

mod message;
mod relay;

use userd_model::Timestamp;

pub use self::relay::{Relay, RelayOptions};

/// A message to one person.
#[derive(Clone)]
pub struct Email {
    /// Names the message for good: a second copy of it has the same `Message-ID`.
    pub id: uuid::Uuid,
    /// When it was written.
    pub at: Timestamp,
    /// The address, in canonical form.
    pub to: userd_model::Email,
    /// The person's name, shown beside the address.
    pub to_name: Option<String>,
    /// One line.
    pub subject: String,
    /// For readers without HTML; says all that the HTML says.
    pub text: String,
    /// A whole document without outside parts.
    pub html: String,
    /// The language of the words (BCP 47).
    pub language: String,
    /// Where one request stops messages of this kind (RFC 8058); none for those that cannot be stopped.
    pub unsubscribe: Option<url::Url>,
}

/// Everybody's secrets are in messages, so none is shown.
impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Email").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailFault {
    /// The relay will never take this message for this address (5xx). Sending it again does not help.
    #[error("the relay refuses the message: {0}")]
    Undeliverable(String),
    /// The relay does not take this message for this address now (4xx), and may take others.
    #[error("the relay does not take the message yet: {0}")]
    Deferred(String),
    /// The relay takes nothing now (421), cannot be reached, or broke off. It may have taken it all the same.
    #[error("the relay cannot take the message now: {0}")]
    Unavailable(String),
    /// The relay refuses us: wrong credentials, no TLS. The operator's matter; the message is as good as before.
    #[error("the relay does not accept us: {0}")]
    NotAccepted(String),
}
