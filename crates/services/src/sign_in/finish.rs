//! The provider's answer: matched to its login flow, turned into a profile, admitted, and sent on with a one-time code.

use std::{collections::BTreeMap, fmt};

use userd_model::Refusal;
use userd_providers::Callback;
use userd_storage::Failure;

use super::{
    SignIn,
    login_flow::{LoginFlow, Purpose, TurnedAway, browser_hashes},
    provider_fault,
};
use crate::{Context, limits::Limited, sign_in_outcome};

/// Where the browser goes now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo {
    /// The application's URL; none for the built-in page.
    pub return_to: Option<String>,
}

/// How a callback ends. Both ways land somewhere: an error is a slug on the application's own page.
pub enum Finished {
    /// Signed in: a one-time code for [`SignIn::exchange`].
    Code {
        /// Where to.
        target: ReturnTo,
        /// The code.
        code: String,
    },
    /// Linked to the signed-in user.
    Linked {
        /// Where to.
        target: ReturnTo,
    },
    /// Refused.
    Refused {
        /// Where to; the built-in page when the flow itself is not known.
        target: ReturnTo,
        /// Why.
        failure: Failure,
    },
}

impl fmt::Debug for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code { target, .. } => f.debug_struct("Code").field("target", target).finish_non_exhaustive(),
            Self::Linked { target } => f.debug_struct("Linked").field("target", target).finish(),
            Self::Refused { target, failure } => {
                f.debug_struct("Refused").field("target", target).field("failure", failure).finish()
            }
        }
    }
}

impl SignIn {
    /// Finishes a browser flow. `browser` is every proof that the browser's cookies hold; one must be the flow's.
    pub async fn finish(
        &self,
        ctx: &Context,
        provider: &str,
        params: &BTreeMap<String, String>,
        browser: impl IntoIterator<Item: AsRef<str>>,
    ) -> Finished {
        let browser = browser_hashes(browser);
        let finished = self.finish_from(ctx, provider, params, &browser).await;
        self.note_end(provider, &finished);
        finished
    }

    /// For the log and the counter. A link is no sign-in, and one that goes on with a code ends at its exchange.
    fn note_end(&self, provider: &str, finished: &Finished) {
        let method = self.method(provider);
        match finished {
            Finished::Code { .. } => sign_in_outcome::note(method, "admitted"),
            Finished::Linked { .. } => sign_in_outcome::note(method, "linked"),
            Finished::Refused { failure, .. } => sign_in_outcome::ended_early(method, failure),
        }
    }

    /// A callback that cannot be read: its flow is not touched, and the browser lands where the flow leads back to.
    pub async fn unreadable(&self, ctx: &Context, provider: &str, state: Option<&str>) -> Finished {
        let failure = Refusal::ProviderRefused("callback_malformed").into();
        let finished = match self.way_back(ctx, state).await {
            Ok(target) => Finished::Refused { target, failure },
            Err(failure) => Finished::Refused { target: ReturnTo { return_to: None }, failure },
        };
        self.note_end(provider, &finished);
        finished
    }

    async fn finish_from(
        &self,
        ctx: &Context,
        provider: &str,
        params: &BTreeMap<String, String>,
        browser: &[[u8; 32]],
    ) -> Finished {
        let state = params.get("state").map(String::as_str);
        // A provider that was switched off meanwhile is noticed after this: its people land where they came from.
        let flow = match self.take_flow(ctx, provider, state, browser).await {
            Ok(flow) => flow,
            Err(TurnedAway { target, failure }) => {
                let failure = self.provider(provider).err().map_or(failure, Failure::from);
                return Finished::Refused { target, failure };
            }
        };
        let target = ReturnTo { return_to: flow.return_to.clone() };
        let code = match self.complete(ctx, provider, params, state.unwrap_or_default(), &flow).await {
            Ok(code) => code,
            Err(failure) => return Finished::Refused { target, failure },
        };
        // What `start` reserved.
        self.limits.give_back(Limited::SignInPerNetwork, &ctx.origin.network).await;
        match code {
            Some(code) => Finished::Code { target, code },
            None => Finished::Linked { target },
        }
    }

    async fn complete(
        &self,
        ctx: &Context,
        id: &str,
        params: &BTreeMap<String, String>,
        state: &str,
        flow: &LoginFlow,
    ) -> Result<Option<String>, Failure> {
        let provider = self.provider(id)?;
        let callback = Callback {
            params,
            redirect_uri: &flow.redirect_uri,
            state,
            nonce: &flow.nonce,
            verifier: &flow.verifier,
            remember: &flow.remember,
        };
        let profile = provider.finish(&callback, self.deps.now()).await.map_err(|fault| provider_fault(id, fault))?;
        if profile.provider != id {
            return Err(Refusal::ProviderRefused("provider_mismatch").into());
        }
        match flow.purpose {
            Purpose::SignIn => {
                let invitation = flow.invitation.as_deref();
                let admission = self.admit(ctx, &provider, profile, None, invitation).await?;
                sign_in_outcome::note_user(admission.user);
                self.mint_code(ctx, admission, id, flow.code_challenge.clone()).await.map(Some)
            }
            Purpose::Link { user, session } => {
                sign_in_outcome::note_user(user);
                self.link(ctx, &provider, profile, user, session).await?;
                Ok(None)
            }
            Purpose::Move { user, session } => {
                sign_in_outcome::note_user(user);
                match self.link(ctx, &provider, profile.clone(), user, session).await {
                    Err(Failure::Refused(Refusal::IdentityTaken)) => {
                        let admission = self.admit_known(ctx, &provider, profile, None).await?;
                        self.mint_code(ctx, admission, id, flow.code_challenge.clone()).await.map(Some)
                    }
                    linked => linked.map(|()| None),
                }
            }
            Purpose::Prove { user } => {
                sign_in_outcome::note_user(user);
                let admission = self.admit_known(ctx, &provider, profile, Some(user)).await?;
                self.mint_code(ctx, admission, id, flow.code_challenge.clone()).await.map(Some)
            }
        }
    }
}
