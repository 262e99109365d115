//! The ways in that an account has. Whoever takes one away leaves another that is open: a provider on offer, a password with
//! a login to go with it, a passkey, or a mailed code. Asked after the taking, within its change, so that of many who take
//! the last two at once one is refused.

use userd_model::{FactorKind, Refusal, User, UserId};
use userd_storage::{Failure, UnitOfWork};

use crate::{Dependencies, admission::Providers};

/// Knows what is open here.
#[derive(Clone)]
pub(crate) struct WaysIn {
    deps: Dependencies,
    providers: Providers,
}

impl WaysIn {
    pub(crate) const fn new(deps: Dependencies, providers: Providers) -> Self {
        Self { deps, providers }
    }

    /// Refuses a change after which the user could not come in any more.
    ///
    /// # Errors
    /// `LastWayIn`.
    pub(crate) async fn must_be_left(&self, unit: &mut UnitOfWork, user: &User) -> Result<(), Failure> {
        let settings = &self.deps.settings;
        let is_open = self.has_provider(unit, user.id).await?
            || self.has_passkey(unit, user.id).await?
            || has_password_login(unit, user.id).await?
            || (settings.email_code_sign_in && user.email_verified);
        if is_open { Ok(()) } else { Err(Refusal::LastWayIn.into()) }
    }

    async fn has_provider(&self, unit: &mut UnitOfWork, user: UserId) -> Result<bool, Failure> {
        let configured = self.providers.load_full();
        let is_offered = |id: &str| configured.iter().any(|provider| provider.id() == id && provider.policy().enabled);
        Ok(unit.identities().of_user(user).await?.iter().any(|identity| is_offered(&identity.provider)))
    }

    /// Every passkey here is found without a name and verifies who is there (decision 0033).
    async fn has_passkey(&self, unit: &mut UnitOfWork, user: UserId) -> Result<bool, Failure> {
        if self.deps.passkeys.is_none() {
            return Ok(false);
        }
        Ok(unit.factors().of_user(user).await?.iter().any(|factor| factor.kind == FactorKind::Passkey))
    }
}

/// Whether the user can sign in with a password.
async fn has_password_login(unit: &mut UnitOfWork, user: UserId) -> Result<bool, Failure> {
    if unit.password_credentials().find(user).await?.is_none() {
        return Ok(false);
    }
    let claims = unit.claims().of_owner(user).await?;
    Ok(claims.iter().any(|claim| matches!(claim.kind.as_str(), "email" | "username" | "phone")))
}
