//! Answers that are held back while there is nothing: `?wait=` of the feeds.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

use crate::{api::Api, policy::LONGEST_WAIT};

/// How long an answer may be held back: `?wait=` in seconds, 0 to 25.
#[derive(Clone, Copy, Default)]
pub(super) struct Wait(Duration);

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wait = Duration::from_secs(u64::from(u8::deserialize(deserializer)?));
        if wait <= LONGEST_WAIT { Ok(Self(wait)) } else { Err(de::Error::custom("expected seconds from 0 to 25")) }
    }
}

/// Where a stop has begun, an answer is held back this long, so that nobody asks again and again until the end.
const WAIT_AT_THE_STOP: Duration = Duration::from_millis(250);

impl Wait {
    /// What ends the wait: its time, or that the process is about to stop. None where nobody asked to wait.
    pub(super) fn end(self, api: &Api) -> Option<impl Future<Output = ()> + Send + '_> {
        (!self.0.is_zero()).then(|| end_of_wait(api, self.0))
    }

    /// The same for routes whose callers always wait.
    pub(super) fn longest(api: &Api) -> impl Future<Output = ()> + Send + '_ {
        end_of_wait(api, LONGEST_WAIT)
    }
}

async fn end_of_wait(api: &Api, wait: Duration) {
    if api.draining.has_started() {
        return tokio::time::sleep(wait.min(WAIT_AT_THE_STOP)).await;
    }
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = api.draining.starts() => {}
    }
}
