//! Second factors: what a user holds beside a password or an account elsewhere, and what was proven at a sign-in.
//!
//! Deliberately absent: how a factor is checked (services and `crates/crypto`), and when one is asked for (`sign_in.rs`).

use serde::{Deserialize, Serialize};

use crate::{FactorId, Sealed, Timestamp, UserId};

/// What a factor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorKind {
    /// Time-based one-time codes of an authenticator app (RFC 6238).
    Totp,
    /// A WebAuthn credential.
    Passkey,
}

impl FactorKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Totp, Self::Passkey];

    /// The stored and published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
        }
    }

    /// The kind for a stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A factor that its user holds and has shown once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    /// Never used again.
    pub id: FactorId,
    /// Whose.
    pub user_id: UserId,
    /// What it is.
    pub kind: FactorKind,
    /// What the user calls it.
    pub name: Option<String>,
    /// What it is checked with, sealed with the user's data key.
    pub secret: Sealed,
    /// What may not be shown again: the time step of the last code, or the signature counter of a passkey.
    pub counter: i64,
    /// When it was set up.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// How strongly somebody has proven who they are: `acr` in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// By one factor.
    #[serde(rename = "aal1")]
    One,
    /// By two.
    #[serde(rename = "aal2")]
    Two,
}

impl Level {
    /// The published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::One => "aal1",
            Self::Two => "aal2",
        }
    }

    /// What methods amount to. The only computation of it: whoever shows a second factor goes through
    /// [`with_method`], and nothing that others say (a provider's own methods) counts.
    #[must_use]
    pub fn of(amr: &[String]) -> Self {
        if amr.iter().any(|method| method == MULTIPLE) { Self::Two } else { Self::One }
    }
}

/// RFC 8176: more than one factor.
const MULTIPLE: &str = "mfa";

/// A way to show a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorMethod {
    /// A code of an authenticator app.
    Totp,
    /// A passkey, its user verified.
    Passkey,
    /// One of the codes on paper.
    RecoveryCode,
}

impl FactorMethod {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Totp, Self::Passkey, Self::RecoveryCode];

    /// The published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::RecoveryCode => "recovery_code",
        }
    }

    /// What it is among the methods of RFC 8176: a one-time password, or the possession of a key.
    const fn amr(self) -> &'static str {
        match self {
            Self::Totp | Self::RecoveryCode => "otp",
            Self::Passkey => "pop",
        }
    }
}

/// The methods of a sign-in, with a second factor that was shown.
#[must_use]
pub fn with_method(mut amr: Vec<String>, method: FactorMethod) -> Vec<String> {
    for word in [method.amr(), MULTIPLE] {
        if !amr.iter().any(|known| known == word) {
            amr.push(word.to_owned());
        }
    }
    amr
}

/// The ways in which the factors of a user can be shown: recovery codes stand for lost factors, so whoever holds none
/// has no use for them.
#[must_use]
pub fn methods(factors: &[Factor]) -> Vec<FactorMethod> {
    let holds = |kind| factors.iter().any(|factor| factor.kind == kind);
    let shown = |method: &FactorMethod| match method {
        FactorMethod::Totp => holds(FactorKind::Totp),
        FactorMethod::Passkey => holds(FactorKind::Passkey),
        FactorMethod::RecoveryCode => !factors.is_empty(),
    };
    FactorMethod::ALL.into_iter().filter(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(amr: &[&str]) -> Vec<String> {
        amr.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn two_factors_are_what_was_shown_here_and_not_a_list_of_words() {
        for first in ["pwd", "fed", "otp"] {
            assert_eq!(Level::of(&words(&[first])), Level::One);
            for method in FactorMethod::ALL {
                let both = with_method(words(&[first]), method);
                assert_eq!(Level::of(&both), Level::Two, "{both:?}");
                assert_eq!(with_method(both.clone(), method), both, "shown again, nothing is added");
            }
        }
        assert_eq!(Level::of(&words(&["pwd", "otp", "fed"])), Level::One);
        assert_eq!(Level::of(&[]), Level::One);
    }
}
