//! The sign that the process is about to stop, and the one that it shall not wait for anybody.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::watch;

/// The sign that the process is about to stop: it is not ready from then on.
#[derive(Clone, Debug, Default)]
pub struct Draining(Arc<Signs>);

#[derive(Debug, Default)]
struct Signs {
    /// Asked for each answer.
    started: AtomicBool,
    start: watch::Sender<bool>,
    hurry: watch::Sender<bool>,
}

impl Draining {
    /// Raises the sign.
    pub fn start(&self) {
        self.0.started.store(true, Ordering::Release);
        self.0.start.send_replace(true);
    }

    /// Is it raised?
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.0.started.load(Ordering::Acquire)
    }

    /// Waits until it is raised: whoever holds an answer back gives it then.
    pub async fn starts(&self) {
        // An error would mean that the sender is gone, and it is in here.
        let _ = self.0.start.subscribe().wait_for(|started| *started).await;
    }

    /// What is under way need not finish.
    pub fn hurry(&self) {
        self.0.hurry.send_replace(true);
    }

    /// Waits until somebody is in a hurry.
    pub async fn is_in_a_hurry(&self) {
        // An error would mean that the sender is gone, and it is in here.
        let _ = self.0.hurry.subscribe().wait_for(|hurry| *hurry).await;
    }
}
