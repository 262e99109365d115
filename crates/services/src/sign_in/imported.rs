//! Accounts elsewhere that other software knew of: linked as if their owner had signed in by them.

use userd_model::{Identity, IdentityId, Timestamp, User};
use userd_storage::{Failure, repositories::claims::Claim};

use super::{
    SignIn,
    identity_names::{KIND, name},
};
use crate::claims::claim;

impl SignIn {
    /// The link, and the claim that makes it one account's alone.
    ///
    /// # Errors
    /// `NoSuchProvider`.
    pub(crate) fn imported(
        &self,
        user: &User,
        id: IdentityId,
        provider: &str,
        subject: &str,
        now: Timestamp,
    ) -> Result<(Claim, Identity), Failure> {
        let provider = self.provider(provider)?;
        let issuer = provider.issuer();
        let claim = claim(&self.deps, KIND, &name(provider.id(), &issuer, subject), user.id, now);
        let identity = Identity {
            id,
            user_id: user.id,
            provider: provider.id().to_owned(),
            issuer,
            subject: self.seal(user, id, "subject", subject.as_bytes())?,
            profile: None,
            tokens: None,
            client_id: provider.client_id().to_owned(),
            bot_access: false,
            created_at: now,
            last_used_at: now,
        };
        Ok((claim, identity))
    }
}
