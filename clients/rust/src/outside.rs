//! The system's clock and its randomness: the one place that asks for them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Since 1970.
#[expect(clippy::disallowed_methods, reason = "a library for other services has no clock passed in")]
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Random bytes; the same as before where the system has none.
#[expect(clippy::disallowed_methods, reason = "a library for other services has no randomness passed in")]
pub(crate) fn fill(bytes: &mut [u8]) {
    let _the_same_otherwise = aws_lc_rs::rand::fill(bytes);
}
