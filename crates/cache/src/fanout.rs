//! What subscribers of the fan-out hold. Deliberately absent: how messages travel (memory.rs, redis/reader.rs).

use bytes::Bytes;
use tokio::sync::broadcast;

/// How many unread messages one subscriber may fall behind before it is told to read everything again.
pub(crate) const BACKLOG: usize = 1024;

/// What a subscriber hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// One published message.
    Payload(Bytes),
    /// Messages may have been missed: read the source of truth again.
    Resync,
}

/// A place in the fan-out. Dropping it ends the subscription.
#[derive(Debug)]
pub struct Subscription {
    receiver: broadcast::Receiver<Message>,
}

impl Subscription {
    pub(crate) fn new(receiver: broadcast::Receiver<Message>) -> Self {
        Self { receiver }
    }

    /// The next message; `None` once the cache itself is gone. Safe to cancel. A subscriber that fell behind gets
    /// [`Message::Resync`] in place of what it missed.
    pub async fn next(&mut self) -> Option<Message> {
        match self.receiver.recv().await {
            Ok(message) => Some(message),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Message::Resync),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
