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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{UserStatus, user::tests::user};

    const NOW: Timestamp = Timestamp::from_seconds(9);
    /// One factor shown, none held, nothing asked for.
    const ONE: Standing = Standing {
        level: Level::One,
        holds_factor: false,
        must_have_two: false,
        is_remembered: false,
        is_restorable: false,
        must_change_password: false,
        owes_terms: false,
    };

    fn pending(step: PendingStep) -> SignInOutcome {
        SignInOutcome::Pending(step)
    }

    /// Every standing there is, against the rule said the other way round: who may be let in with what was shown.
    #[test]
    fn whoever_holds_or_must_have_two_factors_shows_two() {
        for bits in 0..16_u8 {
            let is = |bit: u8| bits & (1 << bit) != 0;
            let standing = Standing {
                level: if is(0) { Level::Two } else { Level::One },
                holds_factor: is(1),
                must_have_two: is(2),
                is_remembered: is(3),
                ..ONE
            };
            let one_will_do = !is(2) && (!is(1) || is(3));
            assert_eq!(standing.asked_for() == Level::One, one_will_do, "{standing:?}");
            assert_eq!(standing.suffices(), one_will_do || is(0), "{standing:?}");
            let expected = match (one_will_do || is(0), is(1)) {
                (true, _) => SignInOutcome::SignedIn,
                (false, true) => pending(PendingStep::SecondFactor),
                (false, false) => pending(PendingStep::FactorSetup),
            };
            assert_eq!(outcome(&user(1), &standing, NOW), expected, "{standing:?}");
        }
    }

    /// Whoever has shown one of two is told nothing of what else waits.
    #[test]
    fn what_is_asked_for_comes_in_its_order_and_after_the_factors() {
        let waiting = User { awaits_approval_since: Some(NOW), ..user(1) };
        let both = Standing { must_change_password: true, owes_terms: true, ..ONE };
        for (account, standing, step) in [
            (&waiting, both, PendingStep::Approval),
            (&user(1), both, PendingStep::PasswordChange),
            (&user(1), Standing { owes_terms: true, ..ONE }, PendingStep::Terms),
            (&waiting, Standing { holds_factor: true, ..both }, PendingStep::SecondFactor),
            (&waiting, Standing { must_have_two: true, ..both }, PendingStep::FactorSetup),
        ] {
            assert_eq!(outcome(account, &standing, NOW), pending(step), "{standing:?}");
        }
    }

    #[test]
    fn a_deleted_account_is_offered_back_only_to_who_has_shown_all_that_its_owner_holds() {
        let deleted = User { status: UserStatus::Deleted, ..user(1) };
        let restorable = Standing { is_restorable: true, owes_terms: true, must_change_password: true, ..ONE };
        for (standing, step) in [
            (restorable, PendingStep::Restore),
            (Standing { must_have_two: true, ..restorable }, PendingStep::Restore),
            (Standing { holds_factor: true, ..restorable }, PendingStep::SecondFactor),
            (Standing { holds_factor: true, level: Level::Two, ..restorable }, PendingStep::Restore),
        ] {
            assert_eq!(outcome(&deleted, &standing, NOW), pending(step), "{standing:?}");
        }
    }

    #[test]
    fn whoever_is_out_is_refused_whatever_was_shown() {
        for (status, refusal) in [(UserStatus::Blocked, Refusal::Blocked), (UserStatus::Deleted, Refusal::NotSignedIn)]
        {
            let out = User { status, ..user(1) };
            for standing in [ONE, Standing { level: Level::Two, ..ONE }, Standing { holds_factor: true, ..ONE }] {
                assert_eq!(outcome(&out, &standing, NOW), SignInOutcome::Refused(refusal.clone()), "{standing:?}");
            }
        }
    }
}
