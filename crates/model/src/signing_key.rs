//! The life of a signing key: next → active → retired, and gone when the last token signed by it has expired.

use serde::{Deserialize, Serialize};

use crate::{Sealed, Timestamp};

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Published, so that verifiers know it before it signs; not signing yet.
    Next,
    /// Signing.
    Active,
    /// No longer signing; published until its last token has expired.
    Retired,
    /// Compromised: not published, and nothing it signed is accepted.
    Revoked,
}

impl KeyState {
    /// The stored and published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }

    /// The state for a stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Next, Self::Active, Self::Retired, Self::Revoked].into_iter().find(|state| state.as_str() == word)
    }
}

/// A signing key as stored: the private half sealed under the master key.
#[derive(Clone, Debug, PartialEq)]
pub struct SigningKeyRecord {
    /// Its name in token headers and in the JWKS.
    pub kid: String,
    /// `EdDSA`, `ES256` or `RS256`.
    pub algorithm: String,
    /// Where it is in its life.
    pub state: KeyState,
    /// The public half (RFC 7517).
    pub public_jwk: serde_json::Value,
    /// The private half (PKCS#8), sealed.
    pub private_key: Sealed,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it began to sign.
    pub activated_at: Option<Timestamp>,
    /// When it stopped signing.
    pub retired_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored and published: no release may write another one (fault 38).
    #[test]
    fn the_words_of_a_state_are_fixed() {
        use KeyState::{Active, Next, Retired, Revoked};
        for (state, word) in [(Next, "next"), (Active, "active"), (Retired, "retired"), (Revoked, "revoked")] {
            assert_eq!((state.as_str(), KeyState::parse(word)), (word, Some(state)));
            assert_eq!(serde_json::to_value(state).expect("JSON"), word);
        }
        assert_eq!(KeyState::parse("NEXT"), None);
    }
}
