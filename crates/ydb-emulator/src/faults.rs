//! Faults by script: what goes wrong, where, and how often.

use std::{sync::Mutex, time::Duration};

use tonic::Code;
use ydb_grpc::ydb_proto::status_ids::StatusCode;

use crate::locked;

/// Where something can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// `ListEndpoints`
    Discovery,
    /// `Login`
    Login,
    /// `CreateSession`
    CreateSession,
    /// `AttachSession`
    AttachSession,
    /// `BeginTransaction`, or the beginning with the first statement.
    Begin,
    /// `ExecuteQuery`
    Statement,
    /// `CommitTransaction`, or the commit with the last statement.
    Commit,
    /// `RollbackTransaction`
    Rollback,
}

/// What goes wrong. `applied` says that the call does its work first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The answer is this status.
    Status {
        /// The operation status.
        code: StatusCode,
        /// Whether the work is done nevertheless.
        applied: bool,
    },
    /// The answer is an error of the transport.
    Grpc {
        /// The code of gRPC.
        code: Code,
        /// Whether the work is done nevertheless.
        applied: bool,
    },
    /// The stream breaks off; of results with rows the first part arrives.
    Cut {
        /// Whether the work is done nevertheless.
        applied: bool,
    },
    /// The call takes longer.
    Delay(Duration),
}

/// A fault by script.
#[derive(Clone, Debug)]
pub struct Fault {
    phase: Phase,
    act: Act,
    skip: u32,
    times: u32,
    every: u32,
    text: Option<String>,
    seen: u32,
}

impl Fault {
    /// Once, the next time.
    #[must_use]
    pub fn new(phase: Phase, act: Act) -> Self {
        Self { phase, act, skip: 0, times: 1, every: 1, text: None, seen: 0 }
    }

    /// A status instead of the work.
    #[must_use]
    pub fn status(phase: Phase, code: StatusCode) -> Self {
        Self::new(phase, Act::Status { code, applied: false })
    }

    /// Not the first so many times.
    #[must_use]
    pub fn skip(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// So many times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Until the faults are cleared.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }

    /// Only every so many-th time.
    #[must_use]
    pub fn every(self, every: u32) -> Self {
        Self { every: every.max(1), ..self }
    }

    /// Only texts with these words.
    #[must_use]
    pub fn matching(self, text: &str) -> Self {
        Self { text: Some(text.to_owned()), ..self }
    }
}

/// The script. The first fault that fits happens.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Adds a fault.
    pub fn add(&self, fault: Fault) {
        locked(&self.0).push(fault);
    }

    /// Forgets all of them.
    pub fn clear(&self) {
        locked(&self.0).clear();
    }

    /// Whether some are still to come.
    #[must_use]
    pub fn are_left(&self) -> bool {
        !locked(&self.0).is_empty()
    }

    pub(crate) fn take(&self, phase: Phase, text: &str) -> Option<Act> {
        let mut faults = locked(&self.0);
        let mut found = None;
        for fault in faults.iter_mut().filter(|fault| fault.phase == phase) {
            if fault.text.as_ref().is_some_and(|wanted| !text.contains(wanted)) {
                continue;
            }
            fault.seen += 1;
            let due = fault.seen > fault.skip && (fault.seen - fault.skip) % fault.every == 0;
            if due && fault.times > 0 && found.is_none() {
                if fault.times != u32::MAX {
                    fault.times -= 1;
                }
                found = Some(fault.act);
            }
        }
        faults.retain(|fault| fault.times > 0);
        found
    }
}
