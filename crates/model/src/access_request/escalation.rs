//! Requests that nobody decides for long: from some moment on others may decide too.

use std::time::Duration;

use super::AccessRequest;
use crate::Timestamp;

/// As what somebody may decide a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// From the beginning.
    Approver,
    /// Once it has waited for too long.
    Escalation,
}

impl AccessRequest {
    /// From when on others may decide it too, where they may after so many seconds.
    #[must_use]
    pub fn escalates_at(&self, after: Option<u64>) -> Option<Timestamp> {
        after.map(|seconds| self.created_at.plus(Duration::from_secs(seconds)))
    }

    /// Whether it is up to somebody now. It follows from the time alone, whether or not anybody was told.
    #[must_use]
    pub fn is_up_to(&self, standing: Standing, after: Option<u64>, now: Timestamp) -> bool {
        match standing {
            Standing::Approver => true,
            Standing::Escalation => self.escalates_at(after).is_some_and(|from| from <= now),
        }
    }
}
