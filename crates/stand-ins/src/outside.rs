//! The real clock and chance of other people's servers. A test puts its own clock into `Options`.

use aws_lc_rs::{
    digest,
    rand::{SecureRandom, SystemRandom},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use userd_model::{Clock, Timestamp};

/// The machine's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "a stand-in is outside of the service and has its own clock")]
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// 128 random bits as URL-safe text.
pub(crate) fn random_text() -> String {
    let mut bytes = [0; 16];
    // The generator of a running system does not fail; a stand-in would only be guessable.
    let _ = SystemRandom::new().fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// base64url without padding of a SHA-256.
pub(crate) fn sha256_text(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

/// A decimal number derived from text: stable, and of no meaning.
pub(crate) fn opaque_number(text: &str) -> u64 {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let folded = hash.as_ref().iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    // Nineteen digits, as opaque ids of this kind have them.
    1_000_000_000_000_000_000 + folded % 8_000_000_000_000_000_000
}
