//! Apps and pages that hand over a proof of the provider themselves: tokens, a code with its verifier, the
//! messenger's signed payloads. There is no browser to bind, so the provider must tell whom the proof was made for,
//! it must be fresh, and it works once.

use userd_model::Refusal;
use userd_providers::NativeProof;
use userd_storage::Failure;

use super::{SignIn, provider_fault};
use crate::{Completion, Context, limits::Limited, sign_in_outcome};

impl SignIn {
    /// Signs in with a proof that the app holds.
    ///
    /// # Errors
    /// `NoSuchProvider`, `ProviderRefused`, `ProviderUnavailable`, and those of admission.
    pub async fn native(
        &self,
        ctx: &Context,
        provider: &str,
        proof: NativeProof<'_>,
        device_name: Option<&str>,
    ) -> Result<Completion, Failure> {
        let end = self.prove(ctx, provider, proof, device_name).await;
        sign_in_outcome::ended(self.method(provider), end.as_ref().map(Completion::who));
        end
    }

    async fn prove(
        &self,
        ctx: &Context,
        provider: &str,
        proof: NativeProof<'_>,
        device_name: Option<&str>,
    ) -> Result<Completion, Failure> {
        self.limits.reserve_from(Limited::SignInPerNetwork, &ctx.origin).await?;
        let device_name = crate::sessions::device_name(device_name)?;
        let provider = self.provider(provider)?;
        let profile =
            provider.native(&proof, self.deps.now()).await.map_err(|fault| provider_fault(provider.id(), fault))?;
        if profile.provider != provider.id() {
            return Err(Refusal::ProviderRefused("provider_mismatch").into());
        }
        let admission = self.admit(ctx, &provider, profile).await?;
        let completion = self.start_session(ctx, admission, device_name).await?;
        self.limits.give_back(Limited::SignInPerNetwork, &ctx.origin.network).await;
        Ok(completion)
    }
}
