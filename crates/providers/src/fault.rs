//! What can go wrong between us and a provider. Status codes and pages for people are not here.

use userd_outbound::Unreachable;

/// Why there is no profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderFault {
    /// The answer is not acceptable: the stable slug says why and may be shown to the caller.
    ///
    /// `access_denied`, `provider_error`, `code_missing`, `code_refused`, `callback_malformed`, `state_mismatch`,
    /// `issuer_mismatch`, `client_mismatch`, `token_malformed`, `token_refused`, `token_missing`, `token_expired`,
    /// `token_stale`, `token_not_yet_valid`, `algorithm_not_allowed`, `signature_invalid`, `nonce_missing`,
    /// `nonce_mismatch`, `token_hash_mismatch`, `subject_missing`, `subject_mismatch`, `telegram_id_missing`,
    /// `payload_malformed`, `payload_stale`, `bot_refused`, `not_supported`, `provider_disabled`.
    #[error("the provider's answer is not accepted: {0}")]
    Refused(&'static str),
    /// The provider cannot be reached, is slow, or answers nonsense. For the log, not for the caller.
    #[error("the provider cannot be reached: {0}")]
    Unavailable(String),
    /// The provider refuses *us* (wrong secret, unregistered redirect …): an operator must act. For the log.
    #[error("the provider refuses this client: {0}")]
    Misconfigured(String),
}

impl ProviderFault {
    /// A token that is not what it should be. One word stands for many causes, so the log says which.
    pub(crate) fn malformed_token(cause: impl std::fmt::Display) -> Self {
        tracing::info!(%cause, "the provider's token is malformed");
        Self::Refused("token_malformed")
    }

    /// The slug of a refusal, if it is one.
    #[must_use]
    pub fn slug(&self) -> Option<&'static str> {
        match self {
            Self::Refused(slug) => Some(slug),
            Self::Unavailable(_) | Self::Misconfigured(_) => None,
        }
    }
}

impl From<Unreachable> for ProviderFault {
    fn from(fault: Unreachable) -> Self {
        Self::Unavailable(fault.why())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("one thread").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// `token_malformed` stands for many causes; whoever runs the service can tell them apart (fault 14).
    #[test]
    fn the_log_says_what_is_wrong_with_a_token() {
        use userd_jose::JoseError;

        let log = Memory::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            for cause in [JoseError::TooLong, JoseError::Parts, JoseError::Claim("iat"), JoseError::Header("crit")] {
                assert_eq!(crate::id_token::refusal(cause), ProviderFault::Refused("token_malformed"));
                let text = String::from_utf8(log.0.lock().expect("one thread").clone()).expect("text");
                assert!(text.contains(&cause.to_string()), "{cause}: {text}");
            }
        });
    }
}
