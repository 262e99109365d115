//! Apps and pages that hand over a proof of the provider themselves: tokens, a code with its verifier, the
//! messenger's signed payloads. There is no browser to bind, so the provider must tell whom the proof was made for,
//! it must be fresh, and it works once.

use userd_model::Refusal;
use userd_providers::NativeProof;
use userd_storage::Failure;

use super::{SignIn, exchange::Began, provider_fault};
use crate::{Completion, Context, limits::Limited, sign_in_outcome};

/// The device that hands a proof over: what its user calls it, and what an earlier answer gave it.
struct ShownDevice<'a> {
    name: Option<&'a str>,
    token: Option<&'a str>,
}

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
        self.native_again(ctx, provider, proof, ShownDevice { name: device_name, token: None }).await
    }

    /// Signs in with a Mini App's data. The device that it signed in first may do so again with the `device_token` of that
    /// answer: a reloaded app has no other data.
    ///
    /// # Errors
    /// As [`SignIn::native`]; `replayed` for data that was used, by whoever does not show the token.
    pub async fn mini_app(
        &self,
        ctx: &Context,
        provider: &str,
        init_data: &str,
        device_token: Option<&str>,
    ) -> Result<Completion, Failure> {
        let device = ShownDevice { name: None, token: device_token };
        self.native_again(ctx, provider, NativeProof::InitData(init_data), device).await
    }

    async fn native_again(
        &self,
        ctx: &Context,
        provider: &str,
        proof: NativeProof<'_>,
        device: ShownDevice<'_>,
    ) -> Result<Completion, Failure> {
        let end = self.prove(ctx, provider, proof, device).await;
        sign_in_outcome::ended(self.method(provider), end.as_ref().map(Completion::who));
        end
    }

    async fn prove(
        &self,
        ctx: &Context,
        provider: &str,
        proof: NativeProof<'_>,
        device: ShownDevice<'_>,
    ) -> Result<Completion, Failure> {
        self.limits.reserve_from(Limited::SignInPerNetwork, &ctx.origin).await?;
        let device_name = crate::sessions::device_name(device.name)?;
        let provider = self.provider(provider)?;
        let profile =
            provider.native(&proof, self.deps.now()).await.map_err(|fault| provider_fault(provider.id(), fault))?;
        if profile.provider != provider.id() {
            return Err(Refusal::ProviderRefused("provider_mismatch").into());
        }
        let keys = profile.replay_keys.clone();
        let admission = self.admit(ctx, &provider, profile, device.token).await?;
        let completion = self.begin_session(ctx, admission, Began::Proof(&keys), device_name).await?;
        self.limits.give_back(Limited::SignInPerNetwork, &ctx.origin.network).await;
        Ok(completion)
    }
}
