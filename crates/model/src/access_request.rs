//! Requests that others decide: for a change of rights, or for an account where registration asks for approval. Who asked
//! for what, who decided, and what comes of it: the whole state machine is here and knows no storage.
//!
//! Deliberately absent: who may decide (`services`), and what an approved request leads to.

mod escalation;

use serde::{Deserialize, Serialize};

pub use self::escalation::Standing;
use crate::{AccessRequestId, GrantKind, Refusal, Sealed, Timestamp, UserId};

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// A role.
    Role,
    /// A single permission.
    Permission,
    /// The requester's own account, which waits until it is approved.
    Account,
}

impl RequestKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Role, Self::Permission, Self::Account];

    /// The stored and published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Role => GrantKind::Role.as_str(),
            Self::Permission => GrantKind::Permission.as_str(),
            Self::Account => "account",
        }
    }

    /// The kind of grant that it leads to; none for an account.
    #[must_use]
    pub const fn of_grant(self) -> Option<GrantKind> {
        match self {
            Self::Role => Some(GrantKind::Role),
            Self::Permission => Some(GrantKind::Permission),
            Self::Account => None,
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl From<GrantKind> for RequestKind {
    fn from(kind: GrantKind) -> Self {
        match kind {
            GrantKind::Role => Self::Role,
            GrantKind::Permission => Self::Permission,
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestedAction {
    /// To be given it.
    Grant,
    /// To be rid of it.
    Revoke,
    /// To have an account. Nobody asks for it in words: a registration does.
    #[serde(skip_deserializing)]
    Register,
}

impl RequestedAction {
    /// The stored and published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Revoke => "revoke",
            Self::Register => "register",
        }
    }

    /// The action of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Grant, Self::Revoke, Self::Register].into_iter().find(|action| action.as_str() == word)
    }
}

/// How far a request is. All but the first are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Waits for decisions.
    Open,
    /// Enough approved.
    Approved,
    /// Enough declined.
    Declined,
    /// Its requester does not want it any more.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
}

impl RequestState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Open, Self::Approved, Self::Declined, Self::Withdrawn, Self::Expired];

    /// The stored and published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// What an approver says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No.
    Decline,
}

impl Verdict {
    /// The published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Decline => "decline",
        }
    }
}

/// What one approver decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Who; none: by rule.
    pub by: Option<UserId>,
    /// What.
    pub verdict: Verdict,
    /// Why, sealed under the requester's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Sealed>,
    /// When.
    pub at: Timestamp,
    /// The end that the approver wants at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl Decision {
    /// Whether it approves of nothing any more: the end that its approver wants has passed.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.verdict == Verdict::Approve && self.expires_at.is_some_and(|end| end <= now)
    }
}

/// A request for a change of rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRequest {
    /// Never used again.
    pub id: AccessRequestId,
    /// Whose.
    pub requester: UserId,
    /// What it is about.
    pub kind: RequestKind,
    /// Which.
    pub name: String,
    /// What is asked for.
    pub action: RequestedAction,
    /// Why, sealed under the requester's key.
    pub reason: Option<Sealed>,
    /// From when on; none: from the approval on.
    pub starts_at: Option<Timestamp>,
    /// For how long; none: for good.
    pub duration_seconds: Option<u64>,
    /// How far it is.
    pub state: RequestState,
    /// What was decided so far, in order.
    pub decisions: Vec<Decision>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be decided.
    pub expires_at: Timestamp,
    /// Raised with every change.
    pub version: i64,
}

/// How many must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// To approve.
    pub approve: u32,
    /// To decline.
    pub decline: u32,
}

impl AccessRequest {
    /// Refuses what can be changed no more.
    ///
    /// # Errors
    /// `RequestClosed`.
    pub fn must_be_open(&self, now: Timestamp) -> Result<(), Refusal> {
        match self.state_at(now) {
            RequestState::Open => Ok(()),
            closed => Err(Refusal::RequestClosed(closed)),
        }
    }

    /// The state at this time: a request may have expired by itself.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> RequestState {
        match self.state {
            RequestState::Open if self.expires_at <= now => RequestState::Expired,
            state => state,
        }
    }

    /// Leaves out what was said by those who may decide no more, and what was approved until a time that has passed: it counts
    /// for nothing from now on. What a rule said stays.
    pub fn leave_out(&mut self, now: Timestamp, may_decide: impl Fn(UserId) -> bool) {
        self.decisions.retain(|decision| decision.by.is_none_or(&may_decide) && !decision.is_over(now));
    }

    /// Takes a decision into account. Who decided before decides anew: the last word counts. An approval until a time that has
    /// passed counts no more, or what comes of the request would have ended before it began.
    ///
    /// # Errors
    /// `RequestClosed`; `OwnRequest` for the requester.
    pub fn decide(&mut self, decision: Decision, quorum: Quorum, now: Timestamp) -> Result<RequestState, Refusal> {
        self.must_be_open(now)?;
        if decision.by == Some(self.requester) {
            return Err(Refusal::OwnRequest);
        }
        let by_rule = decision.by.is_none();
        self.decisions.retain(|other| (other.by.is_none() || other.by != decision.by) && !other.is_over(now));
        self.decisions.push(decision);
        let count = |verdict| {
            let agreeing = self.decisions.iter().filter(|decision| decision.verdict == verdict);
            u32::try_from(agreeing.count()).unwrap_or(u32::MAX)
        };
        self.state = if count(Verdict::Approve) >= quorum.approve || by_rule {
            RequestState::Approved
        } else if count(Verdict::Decline) >= quorum.decline {
            RequestState::Declined
        } else {
            RequestState::Open
        };
        self.version += 1;
        Ok(self.state)
    }

    /// Its requester does not want it any more.
    ///
    /// # Errors
    /// `RequestClosed`.
    pub fn withdraw(&mut self, now: Timestamp) -> Result<(), Refusal> {
        self.must_be_open(now)?;
        (self.state, self.version) = (RequestState::Withdrawn, self.version + 1);
        Ok(())
    }

    /// Its time is over. Whether anything changed.
    pub fn expire(&mut self, now: Timestamp) -> bool {
        let is_over = self.state == RequestState::Open && self.state_at(now) == RequestState::Expired;
        if is_over {
            (self.state, self.version) = (RequestState::Expired, self.version + 1);
        }
        is_over
    }

    /// From when to when the grant counts that comes of it: as asked for, at most as long as the approvers allow and the
    /// role does.
    #[must_use]
    pub fn period(&self, longest: Option<u64>, now: Timestamp) -> crate::Period {
        let start = self.starts_at.filter(|start| *start > now);
        let seconds = match (self.duration_seconds, longest) {
            (Some(wanted), Some(longest)) => Some(wanted.min(longest)),
            (wanted, longest) => wanted.or(longest),
        };
        let wanted = seconds.map(|seconds| start.unwrap_or(now).plus(std::time::Duration::from_secs(seconds)));
        let allowed = self.decisions.iter().filter(|decision| decision.verdict == Verdict::Approve);
        let end = allowed.filter_map(|decision| decision.expires_at).chain(wanted).min();
        crate::Period { starts_at: start, expires_at: end }
    }
}

#[cfg(test)]
mod tests;
