//! Services for tests: real ones, over any store, with a clock that stands still and cheap password hashing.

mod provider;

use std::{
    net::TcpListener,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use userd_cache::{Cache, CacheOptions, Memory};
use userd_channels::{
    HttpOptions, Secret,
    telegram::BotApi,
    webhook::{Allowed, WebhookOptions, WebhookSender},
};
use userd_crypto::{Algorithm, MasterKeys, PasswordOptions, TokenOptions};
use userd_model::{Clock, Random, Timestamp, password::PasswordRules};
use userd_passkeys::{Passkeys, RelyingParty};
use userd_providers::Provider;
use userd_storage::{
    Failure, Store,
    testing::{ManualClock, TestRandom},
};
use userd_templates::Templates;

pub use self::provider::TestProvider;
use crate::{
    Dependencies, Services, Settings,
    bot::TelegramBot,
    deliveries::Channels,
    limits::LimitSettings,
    settings::{MfaSettings, WellKnown},
    sign_in::SignInSettings,
    start::{CryptoOptions, unlock},
};

/// A whole service without a network.
pub struct TestApp {
    /// The services.
    pub services: Arc<Services>,
    /// The clock, to be advanced.
    pub clock: Arc<ManualClock>,
}

/// What a test may want otherwise.
pub struct TestOptions {
    /// Changed settings.
    pub settings: Settings,
    /// Sign-in providers.
    pub providers: Vec<Arc<dyn Provider>>,
    /// The messenger's bot.
    pub bot: Option<Arc<TelegramBot>>,
    /// The ways out.
    pub channels: Channels,
    /// Calls receivers of webhooks; none: one that calls them wherever they are.
    pub webhooks: Option<Arc<WebhookSender>>,
    /// A cache shared with another service.
    pub cache: Option<Arc<dyn Cache>>,
    /// A clock shared with another service.
    pub clock: Option<Arc<ManualClock>>,
    /// The seed of the random numbers; two services on one database need two.
    pub seed: u64,
    /// How hard hashing is, and how much of it happens at once.
    pub passwords: PasswordOptions,
    /// Remembers who was erased.
    pub purge_ledger: Option<Arc<dyn crate::deletion::PurgeLedger>>,
    /// Cosigns checkpoints of the audit log.
    pub witness: Option<Arc<dyn crate::audit::CheckpointWitness>>,
    /// Passkeys.
    pub passkeys: Option<Arc<dyn Passkeys>>,
    /// Where addresses are.
    pub places: Option<Arc<dyn crate::places::Places>>,
    /// The master key.
    pub master: MasterKeys,
}

impl Default for TestOptions {
    fn default() -> Self {
        Self {
            settings: settings(),
            providers: Vec::new(),
            bot: None,
            channels: channels(),
            webhooks: None,
            cache: None,
            clock: None,
            seed: 1,
            passwords: PasswordOptions {
                memory_kib: 64,
                iterations: 1,
                parallelism: 1,
                workers: 2,
                ..PasswordOptions::default()
            },
            purge_ledger: None,
            witness: None,
            passkeys: passkeys(),
            places: None,
            master: MasterKeys::new([7; 32], Vec::new()),
        }
    }
}

/// Settings as a development start has them, without limits.
#[must_use]
pub fn settings() -> Settings {
    Settings {
        issuer: "http://127.0.0.1:8080".to_owned(),
        audiences: vec!["userd".to_owned(), "https://orders.example".to_owned()],
        access_ttl: Duration::from_secs(600),
        refresh_ttl: Duration::from_secs(30 * 24 * 3600),
        session_max_lifetime: Duration::from_secs(180 * 24 * 3600),
        sessions_per_user: 100,
        algorithm: Algorithm::EdDSA,
        rotation_period: Duration::from_secs(30 * 24 * 3600),
        publish_before: Duration::from_secs(3600),
        password_rules: PasswordRules::default(),
        registration: crate::settings::RegistrationMode::Open,
        registration_approvers: Vec::new(),
        decide_in_chat: false,
        has_pages: true,
        email_confirmation_required: false,
        email_code_sign_in: false,
        documents: Vec::new(),
        restore_window: Duration::from_secs(30 * 24 * 3600),
        email_domains: crate::settings::EmailDomains::default(),
        limits: LimitSettings { enabled: false, ..LimitSettings::default() },
        sign_in: SignInSettings {
            return_to: vec!["https://app.example/done".to_owned()],
            forward_auth: Vec::new(),
            public_url: "http://127.0.0.1:8080".to_owned(),
        },
        serves_alone: false,
        fresh_sign_in: Duration::from_secs(300),
        retention: crate::settings::Retention::default(),
        webhooks: crate::settings::WebhookSettings::default(),
        mfa: MfaSettings::default(),
        well_known: WellKnown::default(),
    }
}

/// Those of a development start, where they are built in.
fn passkeys() -> Option<Arc<dyn Passkeys>> {
    let public_url = url::Url::parse(&settings().sign_in.public_url).ok()?;
    userd_passkeys::of(&RelyingParty::at(&public_url)?).ok()
}

/// One for all tests of a process: making one reads the system's certificates.
#[must_use]
pub fn webhook_sender() -> Arc<WebhookSender> {
    static SHARED: OnceLock<Arc<WebhookSender>> = OnceLock::new();
    let allowed = Allowed { http: true, private_addresses: true };
    let options = WebhookOptions { allowed, timeout: Duration::from_secs(5), ..WebhookOptions::default() };
    #[expect(clippy::expect_used, reason = "no key of these options can be wrong")]
    let make = || Arc::new(WebhookSender::new(options).expect("a sender without proxy and certificates"));
    Arc::clone(SHARED.get_or_init(make))
}

/// The secret of the webhook of [`bot_nobody_reaches`].
pub const BOT_SECRET: &str = "webhook-secret-1";

/// A bot that hears people, and whose answers reach nobody: nothing listens where its messenger should be.
#[must_use]
#[expect(clippy::missing_panics_doc, clippy::expect_used, reason = "for tests")]
pub fn bot_nobody_reaches() -> Arc<TelegramBot> {
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let token = Secret::new("110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawX");
    let api = BotApi::new(&format!("http://{closed}"), &token, HttpOptions::default()).expect("an address and a token");
    Arc::new(TelegramBot { api, username: "userd_test_bot".to_owned(), webhook_secret: Secret::new(BOT_SECRET) })
}

/// The built-in templates, one set for all tests of a process.
fn templates() -> Arc<Templates> {
    static SHARED: OnceLock<Arc<Templates>> = OnceLock::new();
    #[expect(clippy::expect_used, reason = "a fault in one is found by the tests of the templates")]
    let read = || Arc::new(Templates::built_in().expect("the built-in templates"));
    Arc::clone(SHARED.get_or_init(read))
}

/// No way out: mails lie in the development mailbox.
#[must_use]
pub fn channels() -> Channels {
    Channels { email: None, telegram: None, webhooks: webhook_sender(), templates: templates() }
}

/// The same, where messages say what the templates in a folder do.
#[must_use]
#[expect(clippy::missing_panics_doc, clippy::expect_used, reason = "for tests")]
pub fn channels_saying(folder: &Path) -> Channels {
    let templates = Templates::with(Some(folder)).expect("good templates");
    Channels { templates: Arc::new(templates), ..channels() }
}

/// Builds a service over a migrated store.
pub async fn test_app(store: Arc<Store>, options: TestOptions) -> Result<TestApp, Failure> {
    let still = options.clock.unwrap_or_else(|| Arc::new(ManualClock::at(Timestamp::from_seconds(1_767_225_600))));
    let clock: Arc<dyn Clock> = still.clone();
    let random: Arc<dyn Random> = Arc::new(TestRandom::seeded(options.seed));
    let crypto_options = CryptoOptions {
        tokens: TokenOptions {
            audiences: options.settings.audiences.clone(),
            ..TokenOptions::new(options.settings.issuer.clone(), "")
        },
        passwords: options.passwords,
    };
    let (crypto, vault) = unlock(&store, options.master, &random, &clock, crypto_options).await?;
    let cache = options
        .cache
        .unwrap_or_else(|| Arc::new(Memory::new(&CacheOptions::new(Arc::clone(&clock), Arc::clone(&random)))));
    let deps = Dependencies {
        store,
        crypto: Arc::new(crypto),
        vault: Arc::new(vault),
        cache,
        clock,
        random,
        purge_ledger: options.purge_ledger,
        checkpoint_ledger: None,
        checkpoint_witness: options.witness,
        passkeys: options.passkeys,
        places: options.places,
        settings: Arc::new(options.settings),
    };
    let webhooks = options.webhooks.unwrap_or_else(|| Arc::clone(&options.channels.webhooks));
    let channels = Channels { webhooks, ..options.channels };
    let services = Services::new(deps, options.providers, options.bot, channels);
    services.signing_keys.start().await?;
    Ok(TestApp { services, clock: still })
}
