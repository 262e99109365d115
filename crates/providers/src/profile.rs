//! What a provider told about a person, verified. Whether that person has an account here is not known in this room.

use serde::{Deserialize, Serialize};
use userd_model::Timestamp;

use crate::{Secret, fault::ProviderFault};

/// Who signed in at the provider. Only (`provider`, `issuer`, `subject`) identifies; everything else is a suggestion.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The provider instance's id in the configuration.
    pub provider: String,
    /// The issuer whose subject this is; several ways in of one provider share it.
    pub issuer: String,
    /// The `client_id` the proof was made for: pairwise subjects change with it.
    pub client_id: String,
    /// The provider's stable name of the account: not empty, at most 255 characters, no control characters.
    pub subject: String,
    /// A second stable name in another namespace (Telegram's opaque `sub`, Yandex' `psuid`). Never equal to
    /// somebody's `subject`, since its issuer text differs.
    pub secondary: Option<SubjectKey>,
    /// The address as the provider gave it, if any.
    pub email: Option<String>,
    /// Whether the address may be taken for proven: the provider's own rules and `trust_email` are applied already.
    pub email_verified: bool,
    /// Whether the provider itself says so, by its claim or because the mailbox is its own. The operator's trust alone is
    /// enough for a new account; an account that only claims the address is not taken over for it.
    pub email_vouched: bool,
    /// As given; `+` added where the provider drops it.
    pub phone: Option<String>,
    /// The account's name there; changeable and reusable, never an identifier.
    pub username: Option<String>,
    /// The person's name to show.
    pub name: Option<String>,
    /// An https URL of a picture.
    pub picture: Option<String>,
    /// As given, text: parts may be unknown (`0000-12-23`).
    pub birthday: Option<String>,
    /// BCP 47 tag as given.
    pub locale: Option<String>,
    /// Group names, where a mapping asks for them.
    pub groups: Vec<String>,
    /// A small, named subset of what else the provider said, for the export and the support desk.
    pub extra: serde_json::Map<String, serde_json::Value>,
    /// The provider's tokens; present only where `keep_tokens` is on.
    pub tokens: Option<ProviderTokens>,
    /// Whether the messenger's bot may write to the person; `None` where the proof does not say.
    pub bot_access: Option<bool>,
    /// Must be consumed in the replay guard before this profile is acted on; a second use is a replay.
    pub replay_keys: Vec<ReplayKey>,
}

/// A subject within an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectKey {
    /// The issuer, or a name derived from it.
    pub issuer: String,
    /// The subject.
    pub subject: String,
}

/// Something signed that is accepted once, as the replay guard remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayKey {
    /// SHA-256 over what was signed (never over the signature, which may be malleable).
    pub hash: [u8; 32],
    /// What kind of thing.
    pub purpose: &'static str,
    /// From when on it is refused for its age anyway.
    pub until: Timestamp,
    /// The device that came in with it may come again with it, since its client sends it again by itself.
    pub again_by_holder: bool,
}

/// The provider's own tokens, for refresh and revocation. Serialized only to be sealed by the caller.
#[derive(Clone, Debug)]
pub struct ProviderTokens {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, if one was given.
    pub refresh_token: Option<Secret>,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// The scopes granted, where the provider says.
    pub scope: Option<String>,
    /// The device id that the tokens are bound to (Yandex, VK ID).
    pub device_id: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredTokens {
    access_token: String,
    refresh_token: Option<String>,
    expires_at: Option<Timestamp>,
    scope: Option<String>,
    device_id: Option<String>,
}

impl ProviderTokens {
    /// JSON bytes that hold the secrets in the clear: seal them at once.
    pub fn to_sealable(&self) -> Result<zeroize::Zeroizing<Vec<u8>>, serde_json::Error> {
        let stored = StoredTokens {
            access_token: self.access_token.expose().to_owned(),
            refresh_token: self.refresh_token.as_ref().map(|t| t.expose().to_owned()),
            expires_at: self.expires_at,
            scope: self.scope.clone(),
            device_id: self.device_id.clone(),
        };
        serde_json::to_vec(&stored).map(zeroize::Zeroizing::new)
    }

    /// Back from [`ProviderTokens::to_sealable`].
    pub fn from_sealable(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let stored: StoredTokens = serde_json::from_slice(bytes)?;
        Ok(Self {
            access_token: Secret::new(stored.access_token),
            refresh_token: stored.refresh_token.map(Secret::new),
            expires_at: stored.expires_at,
            scope: stored.scope,
            device_id: stored.device_id,
        })
    }
}

/// A subject that may name an account: providers that fail half-way have answered with an empty, null or zero one,
/// and everybody who met that failure shared an account.
pub(crate) fn subject(text: Option<&str>) -> Result<String, ProviderFault> {
    match text {
        Some(text)
            if !text.trim().is_empty()
                && text != "0"
                && text != "null"
                && text != "undefined"
                && text.chars().count() <= 255
                && !text.chars().any(char::is_control) =>
        {
            Ok(text.to_owned())
        }
        _ => Err(ProviderFault::Refused("subject_missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AC-038: an empty, null, zero or overlong subject names nobody.
    #[test]
    fn a_subject_that_names_nobody_is_refused() {
        let long = "x".repeat(256);
        for bad in [None, Some(""), Some(" "), Some("0"), Some("null"), Some("undefined"), Some("a\nb"), Some(&long)] {
            assert_eq!(subject(bad), Err(ProviderFault::Refused("subject_missing")), "{bad:?}");
        }
        assert_eq!(subject(Some("1")).ok().as_deref(), Some("1"));
    }

    #[test]
    fn tokens_survive_sealing_and_hide_from_debug() -> Result<(), serde_json::Error> {
        let tokens = ProviderTokens {
            access_token: Secret::new("at-secret"),
            refresh_token: Some(Secret::new("rt-secret")),
            expires_at: Some(Timestamp::from_seconds(7)),
            scope: None,
            device_id: Some("d".into()),
        };
        assert!(!format!("{tokens:?}").contains("secret"));
        let back = ProviderTokens::from_sealable(&tokens.to_sealable()?)?;
        assert_eq!(back.access_token.expose(), "at-secret");
        assert_eq!(back.refresh_token.map(|t| t.expose().to_owned()).as_deref(), Some("rt-secret"));
        assert_eq!(back.device_id.as_deref(), Some("d"));
        Ok(())
    }
}
