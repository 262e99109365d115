//! Whose inbox has something new: told to the streams of this process, and through the cache to those of the others. The
//! table is the truth: whoever misses a message looks now and then.

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use userd_cache::CacheHealth;
use userd_model::UserId;

use crate::Dependencies;

/// Tells of arrivals.
#[derive(Clone)]
pub struct Arrivals {
    deps: Dependencies,
    told: broadcast::Sender<Arrived>,
}

/// Where something is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// In this inbox.
    For(UserId),
    /// Perhaps in any: something that other replicas told was missed.
    Perhaps,
}

/// How many arrivals a slow stream may be behind; one that is further behind looks into the table.
const BEHIND: usize = 1_024;

#[derive(Serialize, Deserialize)]
struct Message {
    arrivals: Vec<UserId>,
}

impl Arrivals {
    pub(crate) fn new(deps: &Dependencies) -> Self {
        Self { deps: deps.clone(), told: broadcast::Sender::new(BEHIND) }
    }

    /// What arrives from now on, for anybody.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arrived> {
        self.told.subscribe()
    }

    /// Whether what other replicas tell is heard here now. Where there is no cache but this process's own nobody knows whether
    /// there are others.
    pub async fn are_heard(&self) -> bool {
        self.deps.cache.health().await == CacheHealth::Connected
    }

    pub(crate) async fn announce(&self, users: &[UserId]) {
        if users.is_empty() {
            return;
        }
        self.tell(users);
        if let Ok(bytes) = serde_json::to_vec(&Message { arrivals: users.to_vec() }) {
            self.deps.cache.publish(bytes.into()).await;
        }
    }

    /// Takes a message of another replica; one that is not of arrivals is for somebody else.
    pub(crate) fn receive(&self, message: &[u8]) {
        if let Ok(Message { arrivals }) = serde_json::from_slice(message) {
            self.tell(&arrivals);
        }
    }

    /// Something was missed: the table knows.
    pub(crate) fn doubt(&self) {
        let _ = self.told.send(Arrived::Perhaps);
    }

    fn tell(&self, users: &[UserId]) {
        for user in users {
            // An error would mean that nobody watches.
            let _ = self.told.send(Arrived::For(*user));
        }
    }
}
