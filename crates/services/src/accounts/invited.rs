//! Registration by invitation: what whoever shows one registers with, and the account behind the link of a mail.

use userd_model::Refusal;
use userd_storage::Failure;

use super::{AccountSeed, Accounts, NewAccount, Registration, Reserved};
use crate::{Context, invitations::Redeemable, limits::Limited, passwords::Password};

impl Accounts {
    /// The invitation that is shown. Whoever gives no address registers with the invited one.
    pub(super) async fn invited(
        &self,
        ctx: &Context,
        registration: &mut Registration,
    ) -> Result<Option<Redeemable>, Failure> {
        let Some(token) = &registration.invitation else { return Ok(None) };
        let invitation = self.emails.invitations.look(ctx, token).await?;
        if let (None, Some(email)) = (&registration.email, &invitation.email) {
            registration.email = Some(email.as_str().to_owned());
        }
        Ok(Some(invitation))
    }

    /// Makes the account of whoever follows the link of an invitation, with its address. Signs nobody in.
    ///
    /// # Errors
    /// Those of a registration.
    pub async fn accept_invitation(&self, ctx: &Context, token: &str, password: Password) -> Result<(), Failure> {
        if !self.deps.settings.registration.admits(true) {
            return Err(Refusal::RegistrationClosed.into());
        }
        let mut registration = Registration::with(password);
        registration.invitation = Some(token.to_owned());
        let invitation = self.invited(ctx, &mut registration).await?;
        let mut checked = NewAccount::check(&registration, &self.deps.settings.password_rules, Reserved::Refused)
            .map_err(|refusal| refusal.at("/password", "/new_password"))?;
        checked.invite(invitation)?;
        self.limits.reserve_from(Limited::RegistrationPerNetwork, &ctx.origin).await?;
        let hash = self.proof.hash(&registration.password, &ctx.origin).await?;
        let account = &AccountSeed::mint(&self.deps, &checked, Some(hash), self.deps.now())?;
        self.changes
            .run(ctx, "accept_invitation", |mut change| async move {
                account.store(&mut change).await?;
                change.commit(()).await
            })
            .await?;
        tracing::info!(user_id = %account.user.id, "registered by the link of an invitation");
        Ok(())
    }
}
