//! Sign-in through providers: one flow for all of them.
//!
//! begin → the provider → finish → profile → admit or link → one-time code → tokens
//!
//! - `attempts.rs`: what is remembered between begin and finish, single use and bound to the browser
//! - `finish.rs`: the provider's answer
//! - `admit.rs`: who a profile is here; the linking rules
//! - `exchange.rs`: the one-time code for tokens, so that tokens never travel in a URL
//! - `native.rs`: apps that hand over a proof themselves
//! - `identities.rs`: a user's accounts elsewhere: list, unlink, bot access
//! - `bot.rs`: sign-in by a message to the messenger's bot

mod admit;
mod attempts;
mod bot;
mod exchange;
mod finish;
mod identities;
mod native;

use std::sync::Arc;

pub use attempts::{Begun, Start};
pub use bot::{BotPoll, BotStart};
pub use finish::{Finished, Landing};
pub use identities::IdentityView;
use userd_model::Refusal;
pub use userd_providers::{Kind, NativeProof, callback_params};
use userd_providers::{Provider, ProviderFault};
use userd_storage::Failure;

use crate::{Parts, bot::TelegramBot, limits::Limits, people::People, revocations::Revocations, sessions::Sessions};

/// What sign-in obeys.
#[derive(Clone, Debug, Default)]
pub struct SignInSettings {
    /// Where the browser may be sent after signing in: whole URLs, compared exactly.
    pub return_to: Vec<String>,
    /// The service's own address, for callbacks and the built-in landing page.
    pub public_url: String,
}

/// Signs people in through providers, and links accounts elsewhere to theirs.
#[derive(Clone)]
pub struct SignIn {
    parts: Parts,
    sessions: Sessions,
    people: People,
    limits: Limits,
    revocations: Arc<Revocations>,
    providers: Arc<Vec<Arc<dyn Provider>>>,
    bot: Option<Arc<TelegramBot>>,
}

impl SignIn {
    pub(crate) fn new(
        parts: Parts,
        sessions: Sessions,
        people: People,
        limits: Limits,
        revocations: Arc<Revocations>,
        providers: Vec<Arc<dyn Provider>>,
        bot: Option<Arc<TelegramBot>>,
    ) -> Self {
        Self { parts, sessions, people, limits, revocations, providers: Arc::new(providers), bot }
    }

    /// The providers on offer, in the configured order.
    pub fn offered(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.providers.iter().filter(|provider| provider.policy().enabled)
    }

    /// The enabled provider with this id.
    ///
    /// # Errors
    /// `NoSuchProvider`, also for one that is configured and disabled.
    pub fn provider(&self, id: &str) -> Result<&Arc<dyn Provider>, Refusal> {
        self.offered().find(|provider| provider.id() == id).ok_or(Refusal::NoSuchProvider)
    }

    /// Our callback for a provider: one per instance, so that an answer of one can't be delivered to another.
    #[must_use]
    pub fn redirect_uri(&self, provider: &str) -> String {
        format!("{}/v1/auth/{provider}/callback", self.parts.settings.sign_in.public_url)
    }
}

/// A fault of a provider, as callers see it; the reason is for the log.
fn provider_fault(provider: &str, fault: ProviderFault) -> Failure {
    metrics::counter!("userd_provider_faults_total", "provider" => provider.to_owned()).increment(1);
    match fault {
        ProviderFault::Refused(slug) => Refusal::ProviderRefused(slug).into(),
        ProviderFault::Unavailable(reason) => {
            tracing::warn!(provider, reason, "the provider cannot be reached");
            Refusal::ProviderUnavailable.into()
        }
        ProviderFault::Misconfigured(reason) => {
            tracing::error!(provider, reason, "the provider refuses this service: check its configuration");
            Refusal::ProviderUnavailable.into()
        }
    }
}
