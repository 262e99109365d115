//! ID tokens under construction.
use std::time::Duration;

/// The longest token that is read, in bytes.
pub(crate) const MAX_TOKEN: usize = 16 * 1024;
/// How far two clocks may be apart.
pub(crate) const SKEW: Duration = Duration::from_secs(60);
/// How old a token may be that somebody hands over.
pub(crate) const STALE: Duration = Duration::from_secs(300);
