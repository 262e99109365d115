//! Proving again who one is where one comes from: a sign-in to the account that somebody is signed in to already, by an account
//! elsewhere that opens it. For whoever has no password it is the only proof beside a second factor. Its code is exchanged as
//! every other one is; the session of before is the page's to end.

use userd_model::Act;
use userd_storage::Failure;

use super::{SignIn, Start, StartedFlow, login_flow::Purpose};
use crate::{Context, limits::Limited};

impl SignIn {
    /// Begins such a proof. What opens another account, or none, proves nothing, and no account is made of it.
    ///
    /// # Errors
    /// `NoSuchProvider`, `ProviderUnavailable`, `TooManyAttempts`.
    pub async fn start_proof(&self, ctx: &Context, provider: &str, start: Start) -> Result<StartedFlow, Failure> {
        self.limits.reserve_from(Limited::SignInPerNetwork, &ctx.origin).await?;
        let (user, _) = ctx.user()?;
        ctx.may(&Act::StepUp(user))?;
        self.start_for(ctx, provider, start, Purpose::Prove { user }).await
    }
}
