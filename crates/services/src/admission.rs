//! What admitted a person at a provider, looked at again at each renewal: renewing applies today's rules of sign-in.
//! Deliberately absent: the rules of a first sign-in (`admit.rs`), and asking the provider anew.

use std::sync::Arc;

use arc_swap::ArcSwap;
use userd_model::{Refusal, Session, User};
use userd_providers::Provider;
use userd_storage::{Failure, UnitOfWork};

use crate::{Dependencies, remembered::remembered};

/// The configured providers, those that are switched off included; replaced when the configuration is read anew.
pub(crate) type Providers = Arc<ArcSwap<Vec<Arc<dyn Provider>>>>;

/// What people call a provider: the name on its button, also while it is switched off; its id where it is not configured
/// any more.
pub(crate) fn provider_name(providers: &Providers, id: &str) -> String {
    let configured = providers.load();
    configured.iter().find(|provider| provider.id() == id).map_or(id, |provider| provider.display_name()).to_owned()
}

/// Decides whether those who came through a provider may go on.
#[derive(Clone)]
pub(crate) struct AdmissionRules {
    deps: Dependencies,
    providers: Providers,
}

impl AdmissionRules {
    pub(crate) const fn new(deps: Dependencies, providers: Providers) -> Self {
        Self { deps, providers }
    }

    /// Refuses a renewal where the session's way in is shut today. An identity that its owner unlinked says nothing: the
    /// one session of it that goes on is the one that unlinked it.
    ///
    /// # Errors
    /// `SignInNotAllowed`.
    pub(crate) async fn must_still_hold(
        &self,
        uow: &mut UnitOfWork,
        user: &User,
        session: &Session,
    ) -> Result<(), Failure> {
        let Some(id) = session.identity_id else { return Ok(()) };
        let Some(identity) = uow.identities().find(id).await? else { return Ok(()) };
        let provider = self.enabled(&identity.provider).ok_or(Refusal::SignInNotAllowed("provider_disabled"))?;
        let profile = remembered(&self.deps, user, &identity)?;
        let proven = profile.filter(|profile| profile.email_verified).and_then(|profile| profile.email);
        if provider.policy().admits_address(proven.as_deref()) {
            return Ok(());
        }
        Err(Refusal::SignInNotAllowed("domain_not_allowed").into())
    }

    fn enabled(&self, id: &str) -> Option<Arc<dyn Provider>> {
        self.providers.load().iter().find(|provider| provider.id() == id && provider.policy().enabled).cloned()
    }
}
