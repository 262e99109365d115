//! What a way in still asks for: the one rule that every way of signing in ends with. Pure: it looks at the account
//! and at what was proven, and names the outcome.
//!
//! Deliberately absent: how something was proven (services and providers) and what is stored for it (sessions).

use crate::{Refusal, User};

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
}

impl PendingStep {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::SecondFactor, Self::FactorSetup, Self::PasswordChange, Self::Confirmation, Self::Approval, Self::Terms];

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
        }
    }
}

/// How a way in goes on once somebody has proven who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInOutcome {
    /// A session begins.
    SignedIn,
    /// Something is asked for first.
    Pending(PendingStep),
    /// The account is deleted and can be restored by whoever proved it.
    Restorable,
    /// No.
    Refused(Refusal),
}

/// The outcome for this account. A blocked account says so, a deleted one is no account.
#[must_use]
pub fn outcome(user: &User) -> SignInOutcome {
    match user.must_be_active() {
        Ok(()) => SignInOutcome::SignedIn,
        Err(refusal) => SignInOutcome::Refused(refusal),
    }
}
