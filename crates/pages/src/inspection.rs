//! What the process lets administrators see of itself: its configuration, and what its doctor finds. Pages know neither
//! configuration nor machine, so whoever puts them together says it. Deliberately absent: who may see it.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

/// What was found when a part was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The part.
    pub part: String,
    /// How it is.
    pub state: State,
    /// What was found, and what to do.
    pub says: String,
}

/// How a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Well,
    /// It works, and is hardly meant.
    Warning,
    /// It does not work, or must not be used so.
    Wrong,
}

/// The findings, once they are there.
pub type Findings = Pin<Box<dyn Future<Output = Vec<Finding>> + Send>>;

/// Looks at the process.
#[derive(Clone)]
pub struct Inspection {
    configuration: Arc<dyn Fn() -> String + Send + Sync>,
    doctor: Arc<dyn Fn() -> Findings + Send + Sync>,
}

impl Inspection {
    /// `configuration` says it with secrets masked.
    pub fn new(
        configuration: impl Fn() -> String + Send + Sync + 'static,
        doctor: impl Fn() -> Findings + Send + Sync + 'static,
    ) -> Self {
        Self { configuration: Arc::new(configuration), doctor: Arc::new(doctor) }
    }

    pub(crate) fn configuration(&self) -> String {
        (self.configuration)()
    }

    pub(crate) async fn findings(&self) -> Vec<Finding> {
        (self.doctor)().await
    }
}

impl fmt::Debug for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspection").finish_non_exhaustive()
    }
}
