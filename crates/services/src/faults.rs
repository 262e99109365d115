//! Work in the background has parts that have nothing to do with each other: steps, and accounts within one. One that fails
//! stands in no other's way. Each fault is told in the log; the first is answered when everything has had its turn.

use std::fmt::Display;

use userd_storage::Failure;

/// What went wrong so far.
#[derive(Default)]
pub(crate) struct Faults(Option<Failure>);

impl Faults {
    /// What a step answered; none where it failed.
    pub(crate) fn step<T>(&mut self, outcome: Result<T, Failure>, step: &'static str) -> Option<T> {
        self.keep(
            outcome,
            |failure| tracing::warn!(%failure, step, "a step of the background work fails; the others go on"),
        )
    }

    /// The same of one account, or whatever else a step does one after the other.
    pub(crate) fn of<T>(&mut self, outcome: Result<T, Failure>, step: &'static str, of: &dyn Display) -> Option<T> {
        self.keep(outcome, |failure| tracing::warn!(%failure, step, %of, "this one fails; the others are gone on with"))
    }

    /// Whether anything failed. What failed is still due: whoever asks again for what is due is given it again.
    pub(crate) const fn any(&self) -> bool {
        self.0.is_some()
    }

    /// The first fault, else what was done.
    ///
    /// # Errors
    /// The first fault.
    pub(crate) fn end<T>(self, done: T) -> Result<T, Failure> {
        match self.0 {
            Some(failure) => Err(failure),
            None => Ok(done),
        }
    }

    fn keep<T>(&mut self, outcome: Result<T, Failure>, tell: impl FnOnce(&Failure)) -> Option<T> {
        match outcome {
            Ok(answer) => Some(answer),
            Err(failure) => {
                tell(&failure);
                self.0.get_or_insert(failure);
                None
            }
        }
    }
}
