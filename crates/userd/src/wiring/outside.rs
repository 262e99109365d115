//! The real clock and the real random generator: the only places that ask the operating system for either.

use userd_model::{Clock, Random, Timestamp};

/// The machine's clock. When it jumps back, time stands still at the latest moment seen, so that nothing that has expired
/// becomes valid again.
#[derive(Default)]
pub struct SystemClock(std::sync::atomic::AtomicI64);

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        use std::sync::atomic::Ordering::Relaxed;
        #[expect(clippy::disallowed_methods, reason = "this is the place where the time comes from")]
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        let latest = self.0.fetch_max(micros, Relaxed).max(micros);
        // A longer jump back corrects a clock that was wrong before: follow it.
        if latest - micros > HELD {
            self.0.store(micros, Relaxed)
        }
        Timestamp::from_micros(if latest - micros > HELD { micros } else { latest })
    }
}

/// The longest jump back during which time stands still: five minutes, in microseconds.
const HELD: i64 = 300_000_000;

/// The operating system's generator.
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, bytes: &mut [u8]) {
        // The generator of a running system does not fail; without randomness nothing here may go on.
        #[expect(clippy::disallowed_methods, reason = "this is the place where randomness comes from")]
        let filled = aws_lc_rs::rand::fill(bytes);
        if filled.is_err() {
            std::process::abort();
        }
    }
}
