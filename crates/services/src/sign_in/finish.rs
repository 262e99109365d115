//! The provider's answer: matched to its attempt, turned into a profile, admitted, and sent on with a one-time code.

use std::{collections::BTreeMap, fmt};

use userd_model::Refusal;
use userd_providers::Callback;
use userd_storage::Failure;

use super::{
    SignIn,
    attempts::{Attempt, Purpose, browser_hashes},
    provider_fault,
};
use crate::{Origin, limits::Limited};

/// Where the browser goes now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landing {
    /// The application's URL; none for the built-in page.
    pub return_to: Option<String>,
}

/// How a callback ends. Both ways land somewhere: an error is a slug on the application's own page.
pub enum Finished {
    /// Signed in: a one-time code for [`SignIn::exchange`].
    Code {
        /// Where to.
        landing: Landing,
        /// The code.
        code: String,
    },
    /// Linked to the signed-in user.
    Linked {
        /// Where to.
        landing: Landing,
    },
    /// Refused.
    Refused {
        /// Where to; the built-in page when the attempt itself is not known.
        landing: Landing,
        /// Why.
        failure: Failure,
    },
}

impl fmt::Debug for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code { landing, .. } => f.debug_struct("Code").field("landing", landing).finish_non_exhaustive(),
            Self::Linked { landing } => f.debug_struct("Linked").field("landing", landing).finish(),
            Self::Refused { landing, failure } => {
                f.debug_struct("Refused").field("landing", landing).field("failure", failure).finish()
            }
        }
    }
}

impl SignIn {
    /// Finishes a browser flow. `browser` is every proof that the browser's cookies hold; one must be the attempt's.
    pub async fn finish(
        &self,
        provider: &str,
        params: &BTreeMap<String, String>,
        browser: impl IntoIterator<Item: AsRef<str>>,
        origin: &Origin,
    ) -> Finished {
        let browser = browser_hashes(browser);
        self.finish_from(provider, params, &browser, origin).await
    }

    async fn finish_from(
        &self,
        provider: &str,
        params: &BTreeMap<String, String>,
        browser: &[[u8; 32]],
        origin: &Origin,
    ) -> Finished {
        let refused = |landing, failure| Finished::Refused { landing, failure };
        let nowhere = Landing { return_to: None };
        let state = params.get("state").map(String::as_str);
        // A provider that was switched off meanwhile is noticed after this: its people land where they came from.
        let attempt = match self.take_attempt(provider, state, browser).await {
            Ok(attempt) => attempt,
            Err(failure) => return refused(nowhere, self.provider(provider).err().map_or(failure, Failure::from)),
        };
        let landing = Landing { return_to: attempt.return_to.clone() };
        let code = match self.complete(provider, params, state.unwrap_or_default(), &attempt).await {
            Ok(code) => code,
            Err(failure) => return refused(landing, failure),
        };
        // What `start` reserved.
        self.limits.give_back(Limited::SignInPerNetwork, &origin.network).await;
        match code {
            Some(code) => Finished::Code { landing, code },
            None => Finished::Linked { landing },
        }
    }

    async fn complete(
        &self,
        id: &str,
        params: &BTreeMap<String, String>,
        state: &str,
        attempt: &Attempt,
    ) -> Result<Option<String>, Failure> {
        let provider = self.provider(id)?;
        let callback = Callback {
            params,
            redirect_uri: &attempt.redirect_uri,
            state,
            nonce: &attempt.nonce,
            verifier: &attempt.verifier,
            remember: &attempt.remember,
        };
        let profile = provider.finish(&callback, self.parts.now()).await.map_err(|fault| provider_fault(id, fault))?;
        if profile.provider != id {
            return Err(Refusal::ProviderRefused("provider_mismatch").into());
        }
        match attempt.purpose {
            Purpose::SignIn => {
                let user = self.admit(provider, profile).await?;
                self.mint_code(user, attempt.code_challenge.clone()).await.map(Some)
            }
            Purpose::Link { user, session } => {
                self.link(provider, profile, user, session).await?;
                Ok(None)
            }
        }
    }
}
