//! `userd doctor`: looks at every part as the service would use it, and says what to do about what is wrong. It only
//! looks: no file is made, no schema step applied, no key made. What the first start would make is said to be missing.
//! Deliberately absent: what only the wired services can tell (`serving.rs`).

use std::sync::Arc;

use userd_model::{Clock as _, KeyState};
use userd_pages::inspection::{Findings, Inspection};
use userd_providers::{ProviderConfig, ProviderDependencies, Secret};
use userd_services::Services;
use userd_storage::{Store, StoreError, engines::SqliteEngine, migrations::StepState};

use super::{
    finding::{Finding, ok, show, warning, wrong},
    serving::serving,
};
use crate::{
    config::{Config, MasterKeySource},
    terminal::Terminal,
    wiring::{
        engine::{self, Opening},
        ledger,
        machine::Machine,
        master_key::{self, MasterKeyError},
        must_be_whole,
        outside::{OsRandom, SystemClock},
        secret_files, wire,
    },
};

/// Looks at configuration, clock, providers, database, keys and cache. Answers how it went.
pub async fn doctor(config: Config, terminal: Terminal) -> Health {
    let absent = engine::must_exist(&config.database.url, "database.url").is_err();
    let mut findings = at_a_glance(&config);
    if is_ready_to_wire(&config, &mut findings).await {
        match wire(config, Opening::MustExist, false).await {
            Err(fault) => findings.push(wrong("start", format!("{fault}"))),
            Ok(wired) => {
                serving(&wired.config, &wired.services, &mut findings).await;
                wired.services.deps.store.engine().close().await;
            }
        }
    }
    match show(terminal, &findings) {
        _ if absent => Health::NoDatabase,
        true => Health::Well,
        false => Health::Wrong,
    }
}

/// The same for pages, as far as it can be looked at while the service runs: not the file of the database, which is in
/// use, nor the command that hands the master key over.
pub(crate) fn inspection(config: &Config, services: &Arc<Services>) -> Inspection {
    let (config, services) = (Arc::new(config.clone()), Arc::clone(services));
    let shown = Arc::clone(&config);
    let doctor = move || -> Findings {
        let (config, services) = (Arc::clone(&config), Arc::clone(&services));
        Box::pin(async move {
            let mut findings = at_a_glance(&config);
            serving(&config, &services, &mut findings).await;
            findings.into_iter().map(Finding::into_page).collect()
        })
    };
    Inspection::new(move || shown.show().unwrap_or_else(|fault| fault), doctor)
}

/// What can be told from the configuration and the machine.
fn at_a_glance(config: &Config) -> Vec<Finding> {
    let mut findings = configuration(config);
    findings.push(clock());
    findings.push(memory(config));
    findings.extend(purge_ledger(config));
    findings.extend(unwritable(config));
    findings.extend(secret_files::exposed_master_keys(config).into_iter().map(|says| warning("master_key", says)));
    findings.extend(providers(config));
    findings
}

/// What the doctor came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Nothing is wrong.
    Well,
    /// Something is.
    Wrong,
    /// The configuration names a database that nobody has made yet: there is nothing to look at.
    NoDatabase,
}

/// Whether wiring the services would make nothing: the schema is there, and so are the master key and what it opens.
async fn is_ready_to_wire(config: &Config, findings: &mut Vec<Finding>) -> bool {
    if let Some(file) = engine::absent_file(&config.database.url) {
        let says = format!("{} is not there yet: the first start makes it", file.display());
        findings.push(wrong("database", format!("{says}. Is this the configuration of the service that runs?")));
        findings.push(master_key(config, true));
        return false;
    }
    let (store, sqlite) = match engine::open(config, Opening::MustExist) {
        Ok(opened) => (Store::new(opened.engine, std::sync::Arc::new(OsRandom)), opened.sqlite),
        Err(fault) => {
            findings.push(wrong("database", fault.to_string()));
            return false;
        }
    };
    let whole = match &sqlite {
        Some(engine) => file_is_whole(engine, config, findings).await,
        None => true,
    };
    let ready = whole && look_inside(config, &store, findings).await;
    store.engine().close().await;
    ready
}

/// A damaged page is found by whoever comes across it, which may be much later than today's last good backup.
async fn file_is_whole(engine: &SqliteEngine, config: &Config, findings: &mut Vec<Finding>) -> bool {
    let Err(fault) = engine.check_pages().await else { return true };
    let says = match fault {
        StoreError::Corrupt(wrong) => {
            let repair = "stop the service and put a backup in its place with `userd restore`, which keeps the file";
            format!("{wrong}: the file is damaged; {repair}")
        }
        // Its words say what to do.
        other => format!("{}: {other}", engine::place(&config.database.url)),
    };
    findings.push(wrong("database", says));
    false
}

async fn look_inside(config: &Config, store: &Store, findings: &mut Vec<Finding>) -> bool {
    let shown = engine::place(&config.database.url);
    if let Err(fault) = store.health().await {
        findings.push(wrong("database", format!("{shown}: {fault}")));
        return false;
    }
    let steps = match store.migration_status().await {
        Ok(steps) => steps,
        Err(fault) => {
            findings.push(wrong("database", format!("{shown}: {fault}")));
            return false;
        }
    };
    let count = |wanted: fn(StepState) -> bool| steps.iter().filter(|step| wanted(step.state)).count();
    let pending = count(|state| state == StepState::Pending);
    let changed = count(|state| matches!(state, StepState::Changed(_)));
    findings.push(match (pending, changed) {
        (0, 0) => ok("database", format!("{shown} answers, its schema is up to date")),
        (_, 0) => warning(
            "database",
            format!("{shown} answers; {pending} steps of its schema are missing: run `userd migrate up`"),
        ),
        _ => wrong("database", format!("{shown} has another schema than this program: see `userd migrate status`")),
    });
    if pending > 0 || changed > 0 {
        findings.push(master_key(config, pending == steps.len()));
        return false;
    }
    match must_be_whole(store, "database.url", &config.database.url).await {
        Ok(()) => keys(config, store, findings).await,
        Err(fault) => {
            findings.push(wrong("database", fault.to_string()));
            false
        }
    }
}

/// The master key, what it seals, and the key that signs.
async fn keys(config: &Config, store: &Store, findings: &mut Vec<Finding>) -> bool {
    let mut reading = store.reading();
    let read = async { Ok((reading.system_secrets().all().await?, reading.signing_keys().all().await?)) };
    let (secrets, signing) = match read.await {
        Ok(read) => read,
        Err::<_, userd_storage::StoreError>(fault) => {
            findings.push(wrong("database", fault.to_string()));
            return false;
        }
    };
    let key = master_key(config, secrets.is_empty());
    let found = key.is_ok();
    findings.push(key);
    let signs = signing.iter().any(|key| key.state == KeyState::Active);
    if !signs {
        findings.push(warning("signing_keys", "none is active yet: the next start makes one"));
    }
    found && signs && !secrets.is_empty()
}

/// `fresh`: the database holds nothing that was sealed, so that a start may make a key.
fn master_key(config: &Config, fresh: bool) -> Finding {
    let place = match config.crypto.master_key_source() {
        MasterKeySource::File(path) => Some(path),
        MasterKeySource::Given(_) | MasterKeySource::Command(_) => None,
    };
    match master_key::find(&config.crypto, false) {
        Ok(found) => ok("master_key", format!("{} is there", found.keys.current_id())),
        Err(MasterKeyError::File(path, error))
            if error.kind() == std::io::ErrorKind::NotFound && place == Some(path.as_path()) =>
        {
            let path = engine::whole(&path);
            let path = path.display();
            if fresh {
                warning("master_key", format!("{path} is not there yet: it will be made by the first start"))
            } else {
                let says =
                    "is not there, and the database was sealed with it: put it back, the data is lost without it";
                wrong("master_key", format!("{path} {says}"))
            }
        }
        Err(fault) => wrong("master_key", fault.to_string()),
    }
}

/// Each configured provider, in the order in which they are offered. Nobody is contacted.
fn providers(config: &Config) -> Vec<Finding> {
    let token = config.telegram.bot_token.as_ref().map(|token| Secret::new(token.expose()));
    let dependencies = ProviderDependencies { random: std::sync::Arc::new(OsRandom), telegram_bot_token: token };
    let look = |entry: &ProviderConfig| {
        let part = format!("provider {}", entry.id);
        match userd_providers::build(entry, &dependencies) {
            Err(error) => wrong(part, error.to_string()),
            Ok(_) if !entry.enabled => warning(part, "enabled is false: nobody can sign in with it"),
            Ok(_) => ok(part, format!("enabled; the redirect URI to register there is {}", callback(config, entry))),
        }
    };
    config.providers.iter().map(look).collect()
}

/// Where a provider sends the browser back to.
pub(super) fn callback(config: &Config, provider: &ProviderConfig) -> String {
    format!("{}/v1/auth/{}/callback", config.http.public_url.as_text(), provider.id)
}

fn configuration(config: &Config) -> Vec<Finding> {
    let mut findings = vec![ok("configuration", "every key is lawful")];
    let public = config.http.public_url.url();
    let is_loopback = matches!(public.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if public.scheme() != "https" && !is_loopback {
        findings.push(wrong("public_url", "http.public_url is not https: tokens would travel in the clear"));
    }
    if !is_loopback && config.http.trusted_proxies.is_empty() && config.http.tls.certificate_file.is_none() {
        findings.push(warning(
            "proxy",
            "no TLS here and no http.trusted_proxies: behind a proxy every caller would count as one address",
        ));
    }
    if !config.rate_limits.enabled {
        findings.push(warning("rate_limits", "rate_limits.enabled is false: passwords can be guessed without delay"));
    }
    if public.scheme() == "https" && config.mail.url.is_none() && config.mail.url_file.is_none() {
        findings.push(warning(
            "mail",
            "mail.url is empty: no mail is sent, each lies in the development mailbox (`userd mail list`)",
        ));
    }
    if config.crypto.master_key.is_some() {
        findings.push(warning(
            "master_key",
            "crypto.master_key stands in the configuration: a file or a command keeps it from copies of it",
        ));
    }
    findings
}

fn memory(config: &Config) -> Finding {
    let memory = Machine::here().memory(config);
    let finding = if memory.is_too_much() { warning } else { ok };
    finding("memory", memory.to_string())
}

/// Files of lines to which nothing can be added; not asked where the first start makes their folder.
fn unwritable(config: &Config) -> Vec<Finding> {
    if engine::absent_file(&config.database.url).is_some() {
        return Vec::new();
    }
    ledger::unwritable(config).into_iter().map(|says| wrong("ledger", says)).collect()
}

/// Where erased accounts are remembered; nothing where no backup could bring them back.
fn purge_ledger(config: &Config) -> Option<Finding> {
    let missing = ledger::missing(config).map(|says| warning("purge_ledger", says));
    let kept =
        |path: std::path::PathBuf| ok("purge_ledger", format!("erased accounts are named in {}", path.display()));
    missing.or_else(|| ledger::path(config).map(kept))
}

fn clock() -> Finding {
    // A machine whose clock was never set is years off; nothing finer can be told without another clock.
    let now = SystemClock::default().now();
    if now.seconds() < 1_760_000_000 {
        return wrong("clock", format!("says {now}, which is before this program was written: set it (NTP)"));
    }
    ok("clock", format!("says {now}"))
}
