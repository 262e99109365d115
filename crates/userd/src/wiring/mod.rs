//! The wiring: the only place that knows every room. It turns the configuration into parts and the parts into the
//! services; the command line and the server use the same wiring.

pub(crate) mod channels;
pub mod checks;
pub mod engine;
pub(crate) mod ledger;
pub mod machine;
pub mod master_key;
pub mod outside;
pub mod owners;
pub(crate) mod pages;
pub(crate) mod passkeys;
pub mod places;
pub mod process;
pub mod providers;
pub mod readiness;
pub mod roles;
pub mod secret_files;
mod witness;

use std::{path::PathBuf, sync::Arc};

use userd_cache::{Cache, CacheOptions};
use userd_crypto::{Algorithm, PasswordOptions, TokenOptions};
use userd_model::{Clock, Random, password::PasswordRules};
use userd_services::{
    Dependencies, Services, Settings,
    limits::{LimitSettings, Rate},
    places::Places,
    settings::EmailDomains,
    sign_in::{ForwardHost, SignInSettings},
    start::{CryptoOptions, unlock},
};
use userd_storage::{Store, migrations::StepState};

use self::{
    engine::Opening,
    master_key::MasterKeyError,
    outside::{OsRandom, SystemClock},
    owners::Owners,
};
use crate::config::{self, Config, DatabaseKind, RegistrationMode, SigningAlgorithm};

/// Everything wired, before any port is open.
pub struct Wired {
    /// What it was made from.
    pub config: Config,
    /// The services.
    pub services: Arc<Services>,
    /// The embedded engine, where it is the one: backups ask it.
    pub sqlite: Option<Arc<userd_storage::engines::SqliteEngine>>,
    /// The file that says where addresses are, to be read again.
    pub places: Option<Arc<places::PlacesFile>>,
    /// Which schema steps this start applied.
    pub migrated: usize,
}

/// Why the parts cannot be put together. The message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// The configuration is well-formed but cannot be served.
    #[error("{0}")]
    Config(String),
    /// A part failed.
    #[error("{0}")]
    Part(String),
    /// What was asked about is not well. The answer says so already: a script that reads it gets no second one.
    #[error("{0}")]
    Answered(String),
}

/// A fault of a part, in its own words.
pub(crate) fn part(fault: impl std::fmt::Display) -> WiringError {
    WiringError::Part(fault.to_string())
}

/// Opens the database and brings its schema up to date.
///
/// # Errors
/// The database cannot be reached, or its schema is not ours. `Config` where it must exist and holds nothing of ours.
pub async fn open_store(config: &Config, opening: Opening) -> Result<(Arc<Store>, engine::Opened, usize), WiringError> {
    let opened = engine::open(config, opening)?;
    let store = Store::new(Arc::clone(&opened.engine), Arc::new(OsRandom));
    if opening == Opening::MustExist {
        must_be_ours(&store, "database.url", &config.database.url).await?;
    }
    let report = store.migrate(&SystemClock::default()).await.map_err(part)?;
    must_be_whole(&store, "database.url", &config.database.url).await?;
    Ok((Arc::new(store), opened, report.applied.len()))
}

/// Refuses a database without any step of our schema: it is another program's, or nobody's, and is left as it is.
///
/// # Errors
/// `Config`, naming the database and `key`, where it was given; the database cannot be reached.
pub async fn must_be_ours(store: &Store, key: &str, url: &config::DatabaseUrl) -> Result<(), WiringError> {
    store.health().await.map_err(part)?;
    let steps = store.migration_status().await.map_err(part)?;
    if steps.iter().all(|step| step.state == StepState::Pending) {
        let (place, first) = (engine::place(url), engine::MADE_FIRST);
        return Err(WiringError::Config(format!("{key}: {place}: this database holds nothing of userd; {first}")));
    }
    Ok(())
}

/// What is said of a database that a copy was not finished into.
pub const HALF_COPIED: &str = "`userd storage copy` into this database has not come to its end: have it do so with \
                               --resume, or empty the database";

/// Refuses a database that a copy was begun into and not finished: half of the accounts would be served, and what a start
/// makes where it is missing would never be what was to come.
///
/// # Errors
/// `Config`, naming the database and `key`, where it was given; the database cannot be read.
pub async fn must_be_whole(store: &Store, key: &str, url: &config::DatabaseUrl) -> Result<(), WiringError> {
    match store.reading().leases().copying().await.map_err(part)? {
        Some(copying) if !copying.is_finished => {
            Err(WiringError::Config(format!("{key}: {}: {HALF_COPIED}", engine::place(url))))
        }
        _ => Ok(()),
    }
}

/// Wires everything. `opening` says whether what is not there yet is made: database, schema, and the folder of the master
/// key.
pub async fn wire(config: Config, opening: Opening, serves_alone: bool) -> Result<Wired, WiringError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let random: Arc<dyn Random> = Arc::new(OsRandom);
    let (store, opened, migrated) = open_store(&config, opening).await?;
    let fresh = store.reading().system_secrets().all().await.map_err(part)?.is_empty();
    let master = find_master_key(&config, fresh, opening)?;
    // At once: what fails from here on must not take it along.
    if let Some(file) = &master.made {
        say_made(file, opening);
    }
    let options = CryptoOptions { tokens: token_options(&config), passwords: password_options(&config)? };
    let (crypto, vault) = unlock(&store, master.keys, &random, &clock, options).await.map_err(part)?;
    let cache = connect_cache(&config, &clock, &random).await?;
    let (built, bot) = providers::build(&config)?;
    let channels = channels::build(&config, bot.as_ref(), &clock)?;
    let places = places::of(&config)?;
    let deps = Dependencies {
        store,
        crypto: Arc::new(crypto),
        vault: Arc::new(vault),
        cache,
        clock,
        random,
        purge_ledger: ledger::of(&config),
        checkpoint_ledger: ledger::of_checkpoints(&config),
        checkpoint_witness: witness::of(&config)?,
        passkeys: passkeys::of(&config)?,
        places: places.clone().map(|file| file as Arc<dyn Places>),
        settings: Arc::new(Settings { serves_alone, ..settings(&config) }),
    };
    let services = Services::new(deps, built, bot, channels);
    services.signing_keys.start().await.map_err(part)?;
    services.follow_revocations().await.map_err(part)?;
    Ok(Wired { config, services, sqlite: opened.sqlite, places, migrated })
}

/// Whose the files are that the service keeps, before this process makes any.
#[must_use]
pub fn owners(config: &Config) -> Owners {
    let key = match config.crypto.master_key_source() {
        config::MasterKeySource::File(path) => Some(path.to_owned()),
        _ => None,
    };
    let named = [&config.audit.checkpoint_file.0, &config.log.file.0].into_iter().flatten();
    let named = named.map(|file| file.0.clone());
    let database = database_file(&config.database.url);
    Owners::of(database.into_iter().chain(ledger::path(config)).chain(key).chain(named))
}

/// The same of a database that is named at the command.
#[must_use]
pub fn owners_of_database(url: &config::DatabaseUrl) -> Owners {
    Owners::of(database_file(url))
}

fn database_file(url: &config::DatabaseUrl) -> Option<PathBuf> {
    match url.kind() {
        DatabaseKind::Sqlite(path) => Some(PathBuf::from(path)),
        _ => None,
    }
}

/// The service logs; a command talks to whoever typed it.
fn say_made(file: &std::path::Path, opening: Opening) {
    let file = engine::whole(file);
    if opening == Opening::MayCreate {
        tracing::warn!(file = %file.display(), "made a master key: keep a copy in a safe place, the data is lost without it");
    } else {
        crate::terminal::notice(&format!("made a master key: {}; keep a copy in a safe place", file.display()));
    }
}

/// Where nothing is sealed yet a key is made; a command makes one only where its folder is, so that a path that means
/// something else from another folder leaves no key there.
fn find_master_key(config: &Config, fresh: bool, opening: Opening) -> Result<master_key::Found, WiringError> {
    let folder = || match config.crypto.master_key_source() {
        config::MasterKeySource::File(path) => engine::whole(path).parent().is_some_and(std::path::Path::is_dir),
        _ => true,
    };
    let may_make = fresh && (opening == Opening::MayCreate || folder());
    master_key::find(&config.crypto, may_make).map_err(|fault| match fault {
        MasterKeyError::File(path, error) if error.kind() == std::io::ErrorKind::NotFound => {
            let what = if fresh { "`userd serve` makes one" } else { "put it back: the database was sealed with it" };
            let path = engine::whole(&path);
            WiringError::Config(format!("the master key file {} is not there; {what}", path.display()))
        }
        other => part(other),
    })
}

fn token_options(config: &Config) -> TokenOptions {
    TokenOptions {
        cache_capacity: config.tokens.verified_cache_entries as usize,
        audiences: config.tokens.audience.0.clone(),
        ..TokenOptions::new(config.issuer(), "")
    }
}

fn password_options(config: &Config) -> Result<PasswordOptions, WiringError> {
    let passwords = &config.passwords;
    let pepper = match &passwords.pepper.0 {
        None => None,
        Some(secret) => Some(userd_crypto::MasterKeys::parse_key(secret.expose()).map_err(|_| {
            WiringError::Config("passwords.pepper: 32 bytes in base64, e.g. from `openssl rand -base64 32`".to_owned())
        })?),
    };
    Ok(PasswordOptions {
        memory_kib: passwords.argon2.memory_kib,
        iterations: passwords.argon2.iterations,
        parallelism: passwords.argon2.parallelism,
        workers: machine::Machine::here().workers(config),
        queue: passwords.queue as usize,
        deadline: passwords.queue_timeout.0,
        pepper,
        ..PasswordOptions::default()
    })
}

async fn connect_cache(
    config: &Config,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn Random>,
) -> Result<Arc<dyn Cache>, WiringError> {
    let cache = &config.cache;
    let options = CacheOptions {
        memory_bytes: u64::from(cache.memory_mib) << 20,
        limit_cells: cache.limit_cells as usize,
        key_prefix: cache.key_prefix.clone(),
        response_timeout: cache.timeout.0,
        authority_file: cache.ca_file.0.as_ref().map(|file| file.0.clone()),
        ..CacheOptions::new(Arc::clone(clock), Arc::clone(random))
    };
    let url = if cache.url.is_memory() { "memory:" } else { cache.url.expose() };
    userd_cache::connect(url, options).await.map_err(part)
}

/// What the services obey.
fn settings(config: &Config) -> Settings {
    let public_url = config.http.public_url.as_text();
    Settings {
        issuer: config.issuer(),
        audiences: config.tokens.audience.0.clone(),
        access_ttl: config.tokens.access_ttl.0,
        refresh_ttl: config.tokens.refresh_ttl.0,
        session_max_lifetime: config.sessions.max_lifetime.0,
        sessions_per_user: config.sessions.max_per_user as usize,
        algorithm: match config.tokens.algorithm {
            SigningAlgorithm::EdDSA => Algorithm::EdDSA,
            SigningAlgorithm::ES256 => Algorithm::ES256,
            SigningAlgorithm::RS256 => Algorithm::RS256,
        },
        rotation_period: config.tokens.rotation_period.0,
        publish_before: config.tokens.publish_before.0,
        password_rules: PasswordRules {
            min_length: config.passwords.min_length as usize,
            context_words: context_words(config),
        },
        registration: match config.registration.mode {
            RegistrationMode::Open => userd_services::RegistrationMode::Open,
            RegistrationMode::Invite => userd_services::RegistrationMode::Invite,
            RegistrationMode::Approval => userd_services::RegistrationMode::Approval,
            RegistrationMode::Closed => userd_services::RegistrationMode::Closed,
        },
        registration_approvers: config.registration.approvers.clone(),
        decide_in_chat: config.telegram.decide_in_chat,
        has_pages: config.pages.enabled,
        email_confirmation_required: config.registration.email_confirmation == config::EmailConfirmation::Required,
        documents: config.registration.documents.iter().map(document).collect(),
        email_code_sign_in: config.sign_in.email_code,
        email_domains: EmailDomains {
            allowed: config.registration.allowed_domains.iter().map(|domain| domain.to_ascii_lowercase()).collect(),
            blocked: config.registration.blocked_domains.iter().map(|domain| domain.to_ascii_lowercase()).collect(),
        },
        restore_window: config.accounts.restore_window.0,
        limits: limits(&config.rate_limits),
        sign_in: SignInSettings {
            return_to: config.sign_in.return_to.iter().map(|url| url.as_str().to_owned()).collect(),
            forward_auth: config.sign_in.forward_auth.iter().map(|origin| ForwardHost::at(origin.as_text())).collect(),
            public_url,
        },
        serves_alone: false,
        fresh_sign_in: std::time::Duration::from_secs(300),
        mfa: userd_services::MfaSettings {
            required_for: config.mfa.required_for.clone(),
            remember_devices: config.mfa.remember_devices.0,
        },
        well_known: passkeys::well_known(config),
        retention: userd_services::settings::Retention {
            events: config.retention.events.0,
            audit: config.retention.audit.0,
            inbox: config.retention.inbox.0,
            deliveries: config.retention.deliveries.0,
            dead_letters: config.retention.dead_letters.0,
            mails: config.retention.development_mails.0,
            mails_count: config.retention.development_mails_count as usize,
        },
        webhooks: userd_services::settings::WebhookSettings {
            tries: config.webhooks.tries.into(),
            disable_after: config.webhooks.disable_after.0,
        },
    }
}

/// The operator's words, the service's name, and the labels of its host name.
fn context_words(config: &Config) -> Vec<String> {
    let mut words = config.passwords.context_words.clone();
    words.push("userd".to_owned());
    let host = config.http.public_url.url().domain().unwrap_or_default().to_owned();
    words.extend(host.split('.').filter(|label| label.len() > 3).map(str::to_owned));
    words
}

/// The rates of the limits.
pub(crate) fn limits(config: &config::RateLimitsConfig) -> LimitSettings {
    let rate = |rate: &config::Rate| Rate { burst: rate.burst, period: rate.period.0 };
    LimitSettings {
        enabled: config.enabled,
        password_per_account: rate(&config.password_per_account),
        password_per_known_device: rate(&config.password_per_known_device),
        password_per_network: rate(&config.password_per_network),
        registration_per_network: rate(&config.registration_per_network),
        refresh_per_session: rate(&config.refresh_per_session),
        client_per_network: rate(&config.client_per_network),
        sign_in_per_network: rate(&config.sign_in_per_network),
        second_factor_per_account: rate(&config.second_factor_per_account),
        second_factor_per_network: rate(&config.second_factor_per_network),
        notification_per_sender: rate(&config.notification_per_sender),
        broadcast_per_sender: rate(&config.broadcast_per_sender),
        mail_per_network: rate(&config.mail_per_network),
        mail_per_recipient: rate(&config.mail_per_recipient),
        code_per_network: rate(&config.code_per_network),
        passkey_per_network: rate(&config.passkey_per_network),
    }
}

fn document(config: &config::DocumentConfig) -> userd_model::Document {
    userd_model::Document {
        id: config.id.clone(),
        version: config.version.clone(),
        url: config.url.as_str().to_owned(),
        required: config.required,
    }
}
