//! How long to wait between attempts to reach Redis. Deliberately absent: what is attempted (breaker.rs, reader.rs).

use std::time::Duration;

pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_millis(500);

/// The pause after one that was not enough.
pub(crate) fn longer(pause: Duration) -> Duration {
    (pause * 2).min(LAST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound() {
        let pauses = std::iter::successors(Some(FIRST_PAUSE), |pause| Some(longer(*pause)));
        let millis: Vec<_> = pauses.take(6).map(|pause| pause.as_millis()).collect();
        assert_eq!(millis, [50, 100, 200, 400, 500, 500]);
    }
}
