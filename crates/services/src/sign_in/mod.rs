//! Sign-in through providers: one flow for all of them.
//!
//! begin → the provider → finish → profile → admit or link → one-time code → tokens
//!
//! - `login_flow.rs`: what is remembered between begin and finish, single use and bound to the browser
//! - `finish.rs`: the provider's answer
//! - `admit.rs`: who a profile is here; the linking rules
//! - `exchange.rs`: the one-time code for tokens, so that tokens never travel in a URL
//! - `native.rs`: apps that hand over a proof themselves
//! - `identities.rs`: a user's accounts elsewhere: list, unlink
//! - `moving.rs`: an account elsewhere from one user to another
//! - `proving.rs`: who is signed in proves it again where they come from
//! - `identity_names.rs`, `identity_fields.rs`: how identities are named in claims, and what is sealed with them
//! - `imported.rs`: accounts elsewhere that other software knew of
//! - `replay.rs`: what was signed elsewhere is good once
//! - `bot.rs`: sign-in by a message to the messenger's bot
//! - `commands.rs`: what the bot is told besides
//! - `decisions.rs`: what approvers press in the bot
//!
//! Deliberately absent: the same rules at each renewal (`admission.rs` of the crate).

mod admit;
mod bot;
mod commands;
mod decisions;
mod exchange;
mod finish;
mod identities;
mod identity_fields;
mod identity_names;
mod imported;
mod login_flow;
mod moving;
mod native;
mod proving;
mod replay;

use std::sync::Arc;

pub use bot::{BotPoll, BotStart};
pub(crate) use commands::BotCommands;
pub(crate) use decisions::ChatDecisions;
pub use finish::{Finished, ReturnTo};
pub use identities::IdentityView;
pub use login_flow::{Start, StartedFlow};
pub use moving::Emptied;
pub use native::Along;
use userd_model::Refusal;
pub use userd_providers::{Kind, NativeProof, callback_params, telegram::fields_of_json};
use userd_providers::{Provider, ProviderFault};
use userd_storage::Failure;

use crate::{
    Dependencies,
    access_requests::Approvals,
    admission::{Providers, provider_name},
    bot::TelegramBot,
    change::Changes,
    deletion::Deletions,
    invitations::Invitations,
    limits::Limits,
    sessions::Sessions,
    sign_in_outcome,
    ways_in::WaysIn,
};

/// What sign-in obeys.
#[derive(Clone, Debug, Default)]
pub struct SignInSettings {
    /// Where the browser may be sent after signing in: whole URLs, compared exactly.
    pub return_to: Vec<String>,
    /// Hosts whose proxy may ask here whom a request is of.
    pub forward_auth: Vec<ForwardHost>,
    /// The service's own address, for callbacks and the built-in landing page.
    pub public_url: String,
}

/// A host whose proxy asks here whom a request is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardHost(String);

impl ForwardHost {
    /// By its origin: `https://app.example.org`.
    #[must_use]
    pub const fn at(origin: String) -> Self {
        Self(origin)
    }

    /// Host and port, as browsers ask for it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, name)| name)
    }

    /// The address of a path there.
    #[must_use]
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Where a browser comes back to with a code.
    #[must_use]
    pub fn callback(&self) -> String {
        self.address("/_userd/callback")
    }
}

/// Signs people in through providers, and links accounts elsewhere to theirs.
#[derive(Clone)]
pub struct SignIn {
    deps: Dependencies,
    changes: Changes,
    sessions: Sessions,
    limits: Limits,
    providers: Providers,
    bot: Option<Arc<TelegramBot>>,
    invitations: Invitations,
    approvals: Approvals,
    ways_in: WaysIn,
    deletions: Deletions,
}

impl SignIn {
    pub(crate) fn new(
        deps: Dependencies,
        changes: Changes,
        sessions: Sessions,
        limits: Limits,
        providers: Providers,
        bot: Option<Arc<TelegramBot>>,
        (invitations, approvals, ways_in, deletions): (Invitations, Approvals, WaysIn, Deletions),
    ) -> Self {
        let configured = providers.load();
        begin_faults(&configured);
        let of_providers = configured.iter().map(|provider| provider.id());
        sign_in_outcome::declare(of_providers.chain([
            sign_in_outcome::PASSWORD,
            sign_in_outcome::SECOND_FACTOR,
            sign_in_outcome::EMAIL_CODE,
            sign_in_outcome::PASSKEY,
            sign_in_outcome::TERMS,
            sign_in_outcome::APPROVAL,
            sign_in_outcome::UNKNOWN,
        ]));
        Self { deps, changes, sessions, limits, providers, bot, invitations, approvals, ways_in, deletions }
    }

    /// The providers on offer, in the configured order.
    #[must_use]
    pub fn offered(&self) -> Vec<Arc<dyn Provider>> {
        self.providers.load().iter().filter(|provider| provider.policy().enabled).cloned().collect()
    }

    /// Others from now on. Sign-ins under way end with the provider of the same id.
    pub(crate) fn replace(&self, providers: Vec<Arc<dyn Provider>>) {
        sign_in_outcome::declare(providers.iter().map(|provider| provider.id()));
        begin_faults(&providers);
        self.providers.store(Arc::new(providers));
    }

    /// The enabled provider with this id.
    ///
    /// # Errors
    /// `NoSuchProvider`, also for one that is configured and disabled.
    pub fn provider(&self, id: &str) -> Result<Arc<dyn Provider>, Refusal> {
        self.offered().into_iter().find(|provider| provider.id() == id).ok_or(Refusal::NoSuchProvider)
    }

    /// What people call a provider, also one that is switched off; the id of one that is not configured any more.
    #[must_use]
    pub fn name_of(&self, provider: &str) -> String {
        provider_name(&self.providers, provider)
    }

    /// What sign-ins through a provider are counted under: its id, if it is configured.
    fn method<'a>(&self, id: &'a str) -> &'a str {
        let is_known = self.providers.load().iter().any(|provider| provider.id() == id);
        if is_known { id } else { sign_in_outcome::UNKNOWN }
    }

    /// Our callback for a provider: one per instance, so that an answer of one can't be delivered to another.
    #[must_use]
    pub fn redirect_uri(&self, provider: &str) -> String {
        format!("{}/v1/auth/{provider}/callback", self.deps.settings.sign_in.public_url)
    }
}

/// What went wrong at a provider, as callers see it; the reason is for the log. An answer that is not accepted is no
/// fault of the provider: a person may have said no, and anybody may send a bad one.
fn provider_fault(provider: &str, fault: ProviderFault) -> Failure {
    let count = || metrics::counter!("userd_provider_faults_total", "provider" => provider.to_owned()).increment(1);
    match fault {
        ProviderFault::Refused(slug) => Refusal::ProviderRefused(slug).into(),
        ProviderFault::Unavailable(reason) => {
            count();
            tracing::warn!(provider, reason, "the provider cannot be reached");
            Refusal::ProviderUnavailable.into()
        }
        ProviderFault::Misconfigured(reason) => {
            count();
            tracing::error!(provider, reason, "the provider refuses this service: check its configuration");
            Refusal::ProviderUnavailable.into()
        }
    }
}

/// Lets the series of these providers begin at zero.
fn begin_faults(providers: &[Arc<dyn Provider>]) {
    for provider in providers {
        metrics::counter!("userd_provider_faults_total", "provider" => provider.id().to_owned()).increment(0);
    }
}
