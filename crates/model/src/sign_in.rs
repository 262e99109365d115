//! What a way in still asks for: the one rule that every way of signing in ends with. Pure: it looks at the account,
//! at what was proven and at what policy asks for, and names the outcome.
//!
//! Deliberately absent: how something was proven (services and providers) and what is stored for it (sessions).

use crate::{Level, Refusal, Timestamp, User};

/// A step between a proof and a session. Its challenge opens only the routes that resolve it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PendingStep {
    /// A second factor is to be shown.
    SecondFactor,
    /// A second factor is demanded and has to be set up first.
    FactorSetup,
    /// The password has to be changed first.
    PasswordChange,
    /// The e-mail address has to be confirmed first.
    Confirmation,
    /// An administrator has to approve the account first.
    Approval,
    /// New terms have to be accepted first.
    Terms,
    /// The account is deleted; whoever has proven to be its owner may have it back.
    Restore,
}

impl PendingStep {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::SecondFactor,
        Self::FactorSetup,
        Self::PasswordChange,
        Self::Confirmation,
        Self::Approval,
        Self::Terms,
        Self::Restore,
    ];

    /// The `status` of the answer.
    #[must_use]
    pub const fn status(self) -> &'static str {
        match self {
            Self::SecondFactor => "second_factor_required",
            Self::FactorSetup => "factor_setup_required",
            Self::PasswordChange => "password_change_required",
            Self::Confirmation => "confirmation_required",
            Self::Approval => "approval_pending",
            Self::Terms => "terms_required",
            Self::Restore => "account_deleted",
        }
    }

    /// The step of a `status`.
    #[must_use]
    pub fn parse(status: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|step| step.status() == status)
    }
}

/// How a way in goes on once somebody has proven who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInOutcome {
    /// A session begins.
    SignedIn,
    /// Something is asked for first.
    Pending(PendingStep),
    /// No.
    Refused(Refusal),
}

/// What the outcome rests on beside the account: read within the change that begins the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What was proven.
    pub level: Level,
    /// Whether the user holds a second factor.
    pub holds_factor: bool,
    /// Whether policy asks this user for two factors.
    pub must_have_two: bool,
    /// Whether a device stands for the second factor that was shown on it before.
    pub is_remembered: bool,
    /// Whether the account is deleted, and its owner may still have it back.
    pub is_restorable: bool,
    /// Whether the password was used, and somebody demands another one.
    pub must_change_password: bool,
    /// Whether there are terms that have to be accepted first.
    pub owes_terms: bool,
}

impl Standing {
    /// What this user has to prove before a session begins, or is renewed. Whoever holds a second factor shows it;
    /// a remembered device stands for it only where policy does not ask for two.
    #[must_use]
    pub const fn asked_for(&self) -> Level {
        if self.must_have_two || (self.holds_factor && !self.is_remembered) { Level::Two } else { Level::One }
    }

    /// Whether what was proven is enough.
    #[must_use]
    pub fn suffices(&self) -> bool {
        self.level >= self.asked_for()
    }
}

/// The outcome for this account. A blocked account says so, a deleted one is no account. Factors come first: no other
/// step is taken by whoever has shown only one of two.
#[must_use]
pub fn outcome(user: &User, standing: &Standing, now: Timestamp) -> SignInOutcome {
    if standing.is_restorable {
        let is_short = standing.holds_factor && !standing.suffices();
        return SignInOutcome::Pending(if is_short { PendingStep::SecondFactor } else { PendingStep::Restore });
    }
    if let Err(refusal) = user.must_be_active(now) {
        return SignInOutcome::Refused(refusal);
    }
    match standing.suffices() {
        true if user.awaits_approval_since.is_some() => SignInOutcome::Pending(PendingStep::Approval),
        true if standing.must_change_password => SignInOutcome::Pending(PendingStep::PasswordChange),
        true if standing.owes_terms => SignInOutcome::Pending(PendingStep::Terms),
        true => SignInOutcome::SignedIn,
        false if standing.holds_factor => SignInOutcome::Pending(PendingStep::SecondFactor),
        false => SignInOutcome::Pending(PendingStep::FactorSetup),
    }
}
