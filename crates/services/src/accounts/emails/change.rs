//! Another address: proven first, then it takes the place of the old one.

use userd_model::{Act, Email, Refusal};
use userd_storage::Failure;

use super::{Emails, ask::pending};
use crate::{
    Context, limits::Limited, mailbox_limits::Asking, mailbox_proofs::Proves, passwords::Password, recent_proof,
    sessions::Pending,
};

impl Emails {
    /// Asks the signed-in user to prove another address, of an account that still has the expected version. Until then
    /// nothing changes, and nobody learns whether it is free.
    ///
    /// # Errors
    /// `InvalidInput`, `VersionMismatch`; `WrongCurrentPassword`, `InsufficientAuthentication` where there is no
    /// password or a second factor; `TooManyAttempts`.
    pub async fn change(
        &self,
        ctx: &Context,
        email: &str,
        current: Option<&Password>,
        expected: Option<i64>,
    ) -> Result<Pending, Failure> {
        let (id, session) = ctx.user()?;
        ctx.may(&Act::ChangeEmail(id))?;
        let address = &Email::parse(email).map_err(|detail| Refusal::field("/email", detail))?;
        self.deps.settings.email_domains.must_admit(address)?;
        self.limits.reserve(Limited::MailPerUser, &id.to_string()).await?;
        recent_proof::must_show_factor(ctx, &self.deps.settings, &mut self.deps.store.reading(), id).await?;
        let proven = match current {
            Some(current) => Some(self.proof.again(id, session, current, &ctx.origin).await?.hash),
            None if self.deps.store.reading().password_credentials().find(id).await?.is_some() => {
                return Err(Refusal::field("/current_password", "is required: this account has a password").into());
            }
            None => {
                recent_proof::must_be_given(ctx, &self.deps.settings, &mut self.deps.store.reading()).await?;
                None
            }
        };
        let proven = proven.as_ref();
        let reserved = self.reserve(address, &Asking::of(&self.deps, ctx).await?).await;
        let goes_out = reserved.is_some();
        let asked = self
            .changes
            .run(ctx, "change_email", |mut change| async move {
                let user = change.active_user(id).await?;
                user.must_have_version(expected)?;
                let stored = change.password_credentials().find(id).await?.map(|credential| credential.hash);
                if stored.as_ref() != proven {
                    return Err(Refusal::WrongCurrentPassword.into());
                }
                recent_proof::must_still_be_given(ctx, &self.deps.settings, &mut change, proven.is_some()).await?;
                let proves = Proves::Replacement(id);
                let minted = self.ask(&mut change, address, proves, user.locale.clone(), goes_out).await?;
                change.commit(minted).await
            })
            .await;
        let is_used = asked.is_ok();
        let minted = self.settled(reserved, asked, is_used).await?;
        self.deliveries.wake();
        Ok(pending(&minted))
    }
}
