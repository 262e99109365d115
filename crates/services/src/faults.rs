//! Work in the background has parts that have nothing to do with each other: steps, and accounts within one. One that fails
//! stands in no other's way. Each fault is told in the log; the first is answered when everything has had its turn.

use std::{fmt::Display, mem};

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

/// Whether what is tried again and again fails by now. That may last for hours: the first fault is told, those behind it are not.
#[derive(Default)]
pub(crate) struct Outage {
    lasts: bool,
}

impl Outage {
    /// The fault, where the time before was none.
    pub(crate) fn begins<'a, T>(&mut self, outcome: &'a Result<T, Failure>) -> Option<&'a Failure> {
        let lasted = mem::replace(&mut self.lasts, outcome.is_err());
        outcome.as_ref().err().filter(|_| !lasted)
    }

    /// Whether the last time failed.
    pub(crate) const fn lasts(&self) -> bool {
        self.lasts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Result<u32, Failure> {
        Err(Failure::Internal(text.to_owned()))
    }

    #[test]
    fn an_outage_is_told_once_and_the_next_one_again() {
        let mut outage = Outage::default();
        for (outcome, begins, lasts) in [
            (Ok(1), false, false),
            (fault("one"), true, true),
            (fault("two"), false, true),
            (Ok(1), false, false),
            (Ok(1), false, false),
            (fault("three"), true, true),
        ] {
            assert_eq!(outage.begins(&outcome).is_some(), begins, "{outcome:?}");
            assert_eq!(outage.lasts(), lasts, "{outcome:?}");
        }
    }

    #[test]
    fn every_step_has_its_turn_and_the_first_fault_is_answered() {
        let mut faults = Faults::default();
        assert_eq!(faults.step(Ok(1), "a step"), Some(1));
        assert!(!faults.any());
        assert_eq!(faults.step(fault("the first"), "a step"), None);
        assert_eq!(faults.of(fault("the second"), "a step", &"somebody"), None);
        assert_eq!(faults.of(Ok(2), "a step", &"somebody else"), Some(2));
        assert!(faults.any());
        assert!(matches!(faults.end(()), Err(Failure::Internal(text)) if text == "the first"));
        assert!(matches!(Faults::default().end(3), Ok(3)));
    }
}
