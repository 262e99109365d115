//! The configuration, loaded and tried: each room is asked whether it could be built from its part. What is built here is
//! thrown away. Deliberately absent: what one key means for another (`crate::config`), and contact with anybody.

use std::{path::Path, sync::Arc};

use userd_crypto::MasterKeys;
use userd_model::Random;
use userd_providers::{Kind, ProviderConfig, ProviderDependencies, Secret};
use userd_templates::Templates;

use super::{engine, pages, places, providers, roles, secret_files};
use crate::config::{Config, ConfigErrors, DatabaseKind, Loaded, MasterKeySource, Rules, Sources};

/// Loads the configuration and asks the rooms about it.
///
/// # Errors
/// Everything that is wrong, each with its place, key and what would be right; never a value.
pub fn load(sources: Sources) -> Result<Loaded, ConfigErrors> {
    let mut loaded = Config::load(sources, check)?;
    let exposed = secret_files::exposed(&loaded);
    loaded.warnings.extend(exposed);
    Ok(loaded)
}

fn check(config: &Config, rules: &mut Rules<'_>) {
    certificate(config, rules);
    database_and_cache(config, rules);
    pepper(config, rules);
    logo(config, rules);
    places_file(config, rules);
    passkeys(config, rules);
    bot(config, rules);
    declared_roles(config, rules);
    templates(config, rules);
    sign_in_providers(config, rules);
    traces(config, rules);
    log_file(config, rules);
}

/// The log would be written into it, or with rotation move it aside.
fn log_file(config: &Config, rules: &mut Rules<'_>) {
    let Some(log) = config.log.file.as_ref().map(|file| engine::whole(file)) else { return };
    let database = match config.database.url.kind() {
        DatabaseKind::Sqlite(path) => Some(Path::new(path)),
        _ => None,
    };
    let key = match config.crypto.master_key_source() {
        MasterKeySource::File(path) => Some(path),
        MasterKeySource::Given(_) | MasterKeySource::Command(_) => None,
    };
    for (path, name) in [(database, "database.url"), (key, "crypto.master_key_file")] {
        if path.is_some_and(|path| engine::whole(path) == log) {
            rules.refuse(&["log.file", name], &format!("is the file of {name} too: name another"));
        }
    }
}

fn traces(config: &Config, rules: &mut Rules<'_>) {
    if let Err(why) = crate::traces::check(&config.log.otlp) {
        rules.refuse(&["log.otlp.endpoint"], why);
    }
}

fn certificate(config: &Config, rules: &mut Rules<'_>) {
    let tls = &config.http.tls;
    if let (Some(certificate), Some(key)) = (tls.certificate_file.as_ref(), tls.key_file.as_ref())
        && let Err(why) = userd_web::server::tls::from_files(certificate, key)
    {
        rules.refuse(&["http.tls.certificate_file", "http.tls.key_file"], &why.to_string());
    }
}

fn database_and_cache(config: &Config, rules: &mut Rules<'_>) {
    if let Err(why) = engine::check(&config.database) {
        rules.refuse(&["database.url"], &why);
    }
    if !config.cache.url.is_memory()
        && let Err(why) = userd_cache::check_url(config.cache.url.expose())
    {
        rules.refuse(&["cache.url"], &why.to_string());
    }
}

fn declared_roles(config: &Config, rules: &mut Rules<'_>) {
    for (key, detail) in roles::declared(&config.roles).err().unwrap_or_default() {
        rules.refuse(&[&format!("roles.{key}")], &detail);
    }
}

fn templates(config: &Config, rules: &mut Rules<'_>) {
    if let Some(folder) = config.mail.templates.as_ref()
        && let Err(faults) = Templates::with(Some(folder.0.as_path()))
    {
        let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
        rules.refuse(&["mail.templates"], &told.join("; "));
    }
}

fn logo(config: &Config, rules: &mut Rules<'_>) {
    if !rules.is_wrong("pages.logo")
        && let Err(why) = pages::check_logo(config)
    {
        rules.refuse(&["pages.logo"], &why);
    }
}

fn places_file(config: &Config, rules: &mut Rules<'_>) {
    if !rules.is_wrong("sessions.places_file")
        && let Err(why) = places::check(config)
    {
        rules.refuse(&["sessions.places_file"], &why);
    }
}

fn passkeys(config: &Config, rules: &mut Rules<'_>) {
    if let Err((key, why)) = super::passkeys::check(config) {
        rules.refuse(&[key], &why);
    }
}

fn pepper(config: &Config, rules: &mut Rules<'_>) {
    if config.passwords.pepper.as_ref().is_some_and(|pepper| MasterKeys::parse_key(pepper.expose()).is_err()) {
        rules.refuse(&["passwords.pepper"], "expected 32 bytes in base64, such as `openssl rand -base64 32` prints");
    }
}

/// The bot's own sign-in is built at start when all its keys are there and a Telegram provider is offered.
fn bot(config: &Config, rules: &mut Rules<'_>) {
    let offered = config.providers.iter().any(|provider| provider.kind == Kind::Telegram);
    if offered && let Err(error) = providers::bot(config) {
        rules.refuse(&[&error.field], &error.detail);
    }
}

fn sign_in_providers(config: &Config, rules: &mut Rules<'_>) {
    if rules.is_wrong("providers") {
        return;
    }
    let token = config.telegram.bot_token.as_ref().map(|token| Secret::new(token.expose()));
    let dependencies = ProviderDependencies { random: Arc::new(NoRandomness), telegram_bot_token: token };
    for (at, provider) in config.providers.iter().enumerate() {
        let (mut left, mut told) = (provider.clone(), Vec::new());
        while let Err(error) = userd_providers::build(&left, &dependencies) {
            rules.refuse(&[&format!("providers.{at}.{}", error.field)], &error.detail);
            let goes_on = !told.contains(&error.field) && leave_out(&mut left, &error.field);
            if !goes_on {
                break;
            }
            told.push(error.field);
        }
    }
}

/// A room says what is wrong first. Without what has been told it says what else is: of keys that nothing else follows from.
fn leave_out(provider: &mut ProviderConfig, key: &str) -> bool {
    match key {
        "authorize_params" => provider.authorize_params.clear(),
        "ca_file" => provider.ca_file = None,
        "client_certificate_file" | "client_key_file" => {
            (provider.client_certificate_file, provider.client_key_file) = (None, None);
        }
        "proxy" => provider.proxy = None,
        "timeout" => provider.timeout = None,
        _ => return false,
    }
    true
}

/// What is built with it is never used.
struct NoRandomness;

impl Random for NoRandomness {
    fn fill(&self, _: &mut [u8]) {}
}
