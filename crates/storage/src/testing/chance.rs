//! A clock that moves only when told to, and a seeded random generator, for tests. The generator is fair but no secret.

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

use userd_model::{Clock, Random, Timestamp};

/// A clock that moves only when told to.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Standing at `now`.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.micros()))
    }

    /// Moves on by `span`.
    pub fn advance(&self, span: Duration) {
        self.0.store(self.now().plus(span).micros(), Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    /// Standing at the beginning of 2026.
    fn default() -> Self {
        Self::at(Timestamp::from_seconds(1_767_225_600))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// SplitMix64 over a seed: the same seed gives the same bytes.
#[derive(Debug)]
pub struct TestRandom(AtomicU64);

impl TestRandom {
    /// Bytes from `seed`.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Default for TestRandom {
    /// Other bytes in every process and every call, so that tests that share a server do not meet.
    fn default() -> Self {
        Self::seeded(RandomState::new().hash_one(std::process::id()))
    }
}

impl Random for TestRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut mixed =
                self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst).wrapping_add(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let drawn = (mixed ^ (mixed >> 31)).to_le_bytes();
            chunk.iter_mut().zip(drawn).for_each(|(slot, byte)| *slot = byte);
        }
    }
}
