//! What services are made of: the parts every service may use, the settings they obey, and the whole set.

use std::{sync::Arc, time::Duration};

use userd_cache::Cache;
use userd_crypto::{CryptoManager, Vault};
use userd_model::{Clock, Random, Timestamp, password::PasswordRules};
use userd_storage::Store;

use crate::{
    access_tokens::AccessTokens,
    accounts::Accounts,
    authenticate::LastLook,
    bot::{BotUpdates, TelegramBot},
    clients::Clients,
    limits::{LimitSettings, Limits},
    once::Answers,
    passwords::PasswordProof,
    people::People,
    revocations::Revocations,
    roles::Roles,
    sessions::Sessions,
    setup::Setup,
    sign_in::{SignIn, SignInSettings},
    signing_keys::SigningKeys,
    sweeper::Sweeper,
    users::Users,
};

/// What services obey, parsed and checked by the wiring.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `iss` of tokens.
    pub issuer: String,
    /// `aud` of tokens.
    pub audience: String,
    /// Life of an access token.
    pub access_ttl: Duration,
    /// Life of a refresh token; each refresh begins it anew.
    pub refresh_ttl: Duration,
    /// The longest a session may be refreshed, whatever its use.
    pub session_max_lifetime: Duration,
    /// Sessions one user may have; a further sign-in ends the oldest.
    pub sessions_per_user: usize,
    /// The algorithm new signing keys are made for.
    pub algorithm: userd_crypto::Algorithm,
    /// How long a key signs before the next one takes over.
    pub rotation_period: Duration,
    /// How long a key is published before it signs.
    pub publish_before: Duration,
    /// What a new password must satisfy.
    pub password_rules: PasswordRules,
    /// Whether anybody may register.
    pub registration_open: bool,
    /// Whether limits are enforced.
    pub limits: LimitSettings,
    /// Sign-in through providers.
    pub sign_in: SignInSettings,
    /// How fresh a sign-in must be for linking and other sensitive acts.
    pub fresh_sign_in: Duration,
}

/// What every service may use. Cloning is cheap.
#[derive(Clone)]
pub struct Parts {
    /// What is remembered.
    pub store: Arc<Store>,
    /// Keys, tokens, hashes, sealed fields.
    pub crypto: Arc<CryptoManager>,
    /// Seals what belongs to no single user and lives briefly: successors, saved answers, sign-in attempts.
    pub vault: Arc<Vault>,
    /// Hot reads, limits, fan-out.
    pub cache: Arc<dyn Cache>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// What to obey.
    pub settings: Arc<Settings>,
}

impl Parts {
    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Where a request comes from, as far as it matters to limits and to the list of devices.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The address as shown to the user.
    pub ip: Option<String>,
    /// The address as limits see it: IPv4 whole, IPv6 as its /64.
    pub network: String,
    /// `User-Agent`, shortened.
    pub user_agent: Option<String>,
}

/// Every service, wired.
pub struct Services {
    /// The parts, for what stands beside the services (readiness, command line).
    pub parts: Parts,
    /// Registration, profile, password, username.
    pub accounts: Accounts,
    /// Sign-in by password, refresh, sign-out, devices.
    pub sessions: Sessions,
    /// Issue, check, introspect and revoke access tokens.
    pub access_tokens: AccessTokens,
    /// The revocation view and feed.
    pub revocations: Arc<Revocations>,
    /// The life of signing keys and master-key rotation.
    pub signing_keys: SigningKeys,
    /// Service accounts.
    pub clients: Clients,
    /// Administration of accounts.
    pub users: Users,
    /// The first administrator.
    pub setup: Setup,
    /// Sign-in through providers, linking.
    pub sign_in: SignIn,
    /// What the messenger's bot hears.
    pub bot: BotUpdates,
    /// Removal of what has expired.
    pub sweeper: Sweeper,
    /// Saved answers of repeated requests.
    pub answers: Answers,
    /// Users as their owners and administrators see them.
    pub people: People,
    /// What roles allow.
    pub roles: Roles,
    /// Attempts and delays.
    pub limits: Limits,
    pub(crate) last_look: LastLook,
}

impl Services {
    /// Wires the services over `parts`. `providers` in the order in which they are offered.
    #[must_use]
    pub fn new(
        parts: Parts,
        providers: Vec<Arc<dyn userd_providers::Provider>>,
        bot: Option<Arc<TelegramBot>>,
    ) -> Arc<Self> {
        let revocations = Arc::new(Revocations::new(parts.clone()));
        let roles = Roles::new(parts.clone());
        let people = People::new(parts.clone());
        let limits = Limits::new(parts.clone());
        let answers = Answers::new(parts.clone());
        let proof = PasswordProof::new(parts.clone(), limits.clone());
        let access_tokens = AccessTokens::new(parts.clone(), Arc::clone(&revocations), roles.clone());
        let sessions = Sessions::new(
            parts.clone(),
            access_tokens.clone(),
            people.clone(),
            limits.clone(),
            proof.clone(),
            Arc::clone(&revocations),
        );
        let sign_in = SignIn::new(
            parts.clone(),
            sessions.clone(),
            people.clone(),
            limits.clone(),
            Arc::clone(&revocations),
            providers,
            bot.clone(),
        );
        Arc::new(Self {
            accounts: Accounts::new(
                parts.clone(),
                sessions.clone(),
                people.clone(),
                limits.clone(),
                proof,
                answers.clone(),
            ),
            signing_keys: SigningKeys::new(parts.clone(), Arc::clone(&revocations)),
            clients: Clients::new(
                parts.clone(),
                access_tokens.clone(),
                limits.clone(),
                answers.clone(),
                Arc::clone(&revocations),
            ),
            users: Users::new(parts.clone(), people.clone(), Arc::clone(&revocations)),
            setup: Setup::new(parts.clone(), sessions.clone(), people.clone(), limits.clone()),
            bot: BotUpdates::new(parts.clone(), bot, vec![Arc::new(sign_in.clone())]),
            sign_in,
            sweeper: Sweeper::new(parts.clone()),
            parts,
            sessions,
            access_tokens,
            revocations,
            answers,
            people,
            roles,
            limits,
            last_look: LastLook::default(),
        })
    }
}
