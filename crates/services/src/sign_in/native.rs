//! Apps and pages that hand over a proof of the provider themselves: tokens, a code with its verifier, the
//! messenger's signed payloads. There is no browser to bind, so the provider must tell whom the proof was made for,
//! it must be fresh, and it works once.

use userd_model::Refusal;
use userd_providers::NativeProof;
use userd_storage::Failure;

use super::{SignIn, exchange::Began, provider_fault};
use crate::{Completion, Context, limits::Limited, link_tokens, sign_in_outcome};

/// What is handed over along with a proof. Never printed: tokens.
#[derive(Clone, Copy, Default)]
pub struct Along<'a> {
    /// What the user calls the device.
    pub device_name: Option<&'a str>,
    /// The `device_token` of an earlier answer to a Mini App: a reloaded one has no other data, and the device that the data
    /// signed in first may show it again.
    pub device_token: Option<&'a str>,
    /// The token of an invitation, for whoever has no account yet.
    pub invitation: Option<&'a str>,
}

impl SignIn {
    /// Signs in with a proof that the app holds.
    ///
    /// # Errors
    /// `NoSuchProvider`, `ProviderRefused`, `ProviderUnavailable`, and those of admission; `replayed` for data that was used,
    /// by whoever does not show the device's token; `InvitationGone` for whoever needs one and shows one that is gone.
    pub async fn native(
        &self,
        ctx: &Context,
        provider: &str,
        proof: NativeProof<'_>,
        along: Along<'_>,
    ) -> Result<Completion, Failure> {
        let end = self.prove(ctx, provider, proof, along).await;
        sign_in_outcome::ended(self.method(provider), end.as_ref().map(Completion::who));
        end
    }

    async fn prove(
        &self,
        ctx: &Context,
        provider: &str,
        proof: NativeProof<'_>,
        along: Along<'_>,
    ) -> Result<Completion, Failure> {
        self.limits.reserve_from(Limited::SignInPerNetwork, &ctx.origin).await?;
        let device_name = crate::sessions::device_name(along.device_name)?;
        let provider = self.provider(provider)?;
        let profile =
            provider.native(&proof, self.deps.now()).await.map_err(|fault| provider_fault(provider.id(), fault))?;
        if profile.provider != provider.id() {
            return Err(Refusal::ProviderRefused("provider_mismatch").into());
        }
        let keys = profile.replay_keys.clone();
        // What is no token is the hash of none. Guesses count against the network, as every proof that is refused does.
        let invitation = along.invitation.map(|token| link_tokens::hash_of(token).unwrap_or_default());
        let invitation = invitation.as_ref().map(<[u8; 32]>::as_slice);
        let admission = self.admit(ctx, &provider, profile, along.device_token, invitation).await;
        let admission = admission.map_err(gone)?;
        let completion = self.begin_session(ctx, admission, Began::Proof(&keys), device_name).await?;
        self.limits.give_back(Limited::SignInPerNetwork, &ctx.origin.network).await;
        Ok(completion)
    }
}

/// There is no page to land on: whoever asked hears what is wrong.
fn gone(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(Refusal::ProviderRefused("invitation_refused")) => Refusal::InvitationGone.into(),
        other => other,
    }
}
