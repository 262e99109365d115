//! Failures of services as problems. A refusal is for the caller; everything else is for the log, once, here.

use std::time::Duration;

use userd_services::{Failure, StoreError};

use super::Problem;

/// When to come back after a fault of the database.
const RETRY: Duration = Duration::from_secs(1);

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::Store(
                fault @ (StoreError::Unavailable(_) | StoreError::Conflict | StoreError::OutcomeUnknown(_)),
            ) => {
                tracing::warn!(%fault, "the database did not serve a request");
                Self::unavailable(RETRY)
            }
            // Somebody has to look, but not the caller: until then the database is as good as away.
            Failure::Store(fault @ (StoreError::NoSchema(_) | StoreError::Unusable(_))) => {
                tracing::error!(%fault, "the database cannot serve requests as it is");
                Self::unavailable(RETRY)
            }
            Failure::Store(fault) => {
                tracing::error!(%fault, "a request failed in storage");
                Self::internal()
            }
            Failure::Internal(fault) => {
                tracing::error!(fault, "a request failed inside");
                Self::internal()
            }
        }
    }
}
