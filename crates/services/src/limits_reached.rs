//! Telling that a limit of an account was reached: once in each window, whichever replica saw it. Nobody's answer waits for
//! it. Deliberately absent: counting attempts (`limits.rs`).

use std::time::Duration;

use userd_model::{EventKind, Timestamp, UserId};
use userd_storage::Failure;

use crate::{Services, faults::Faults};

/// The shortest window.
const HOUR: Duration = Duration::from_secs(3600);

impl Services {
    /// Tells what was reached here since the last time.
    ///
    /// # Errors
    /// Storage faults: then it is told when the limit is reached once more.
    pub async fn tell_limits_reached(&self) -> Result<(), Failure> {
        let mut faults = Faults::default();
        for (account, limit, period) in self.limits.take_reached() {
            let told = self.tell_limit_reached(account, limit, period.max(HOUR)).await;
            faults.of(told, "telling of limits reached", &account);
        }
        faults.end(())
    }

    async fn tell_limit_reached(&self, account: UserId, limit: &'static str, window: Duration) -> Result<(), Failure> {
        let window = i64::try_from(window.as_micros()).unwrap_or(i64::MAX);
        self.changes
            .run(&self.changes.system_context(), "tell_limit_reached", |mut change| async move {
                let begun = change.now.micros().div_euclid(window);
                let parts: [&[u8]; 3] = [account.0.as_bytes(), limit.as_bytes(), &begun.to_be_bytes()];
                let once = self.deps.crypto.index.keyed_hash("limit reached", &parts);
                let end = Timestamp::from_micros(begun.saturating_add(1).saturating_mul(window));
                let is_there = change.users().find(account).await?.is_some();
                if is_there && change.replay_guard().consume_once(&once, "limit_reached", end).await? {
                    change.event(EventKind::SignInLimitReached, account, serde_json::json!({ "limit": limit }));
                }
                change.commit(()).await
            })
            .await
    }
}
