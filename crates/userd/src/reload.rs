//! SIGHUP: the configuration is read and checked again, and what can change while the service runs is changed: the
//! certificate, the log's level, the providers, the limits, the file of places. A configuration that is wrong changes nothing. Deliberately
//! absent: everything else, whose keys are named as needing a restart.

use std::sync::Arc;

use serde_json::Value;
use tokio::signal::unix::Signal;
use userd_providers::Secret;
use userd_services::Services;
use userd_web::server::tls::{self, ServerTls};

use crate::{
    config::{Config, Loaded, Sources},
    logging::LevelHandle,
    wiring::{Wired, WiringError, checks, limits, part, places::PlacesFile, providers},
};

/// Where the configuration comes from, and the log whose level can change.
pub struct Reloadable {
    /// The same file, environment and flags as at the start.
    pub sources: Box<dyn Fn() -> Sources + Send>,
    /// Of the process's log.
    pub level: LevelHandle,
}

/// What is changed.
pub struct Reload {
    reloadable: Reloadable,
    /// What is in force.
    config: Config,
    services: Arc<Services>,
    tls: Option<ServerTls>,
    places: Option<Arc<PlacesFile>>,
}

impl Reload {
    /// `wired` is what the service was started with.
    #[must_use]
    pub fn new(reloadable: Reloadable, wired: &Wired, tls: Option<ServerTls>) -> Self {
        let (config, services, places) = (wired.config.clone(), Arc::clone(&wired.services), wired.places.clone());
        Self { reloadable, config, services, tls, places }
    }

    /// Reloads at each signal, for ever. Files are read where nobody else waits: a disk may hang.
    pub async fn at_each(mut self, mut hangup: Signal) {
        while hangup.recv().await.is_some() {
            let done = tokio::task::spawn_blocking(move || {
                self.once();
                self
            });
            match done.await {
                Ok(again) => self = again,
                // It panicked, and has been told.
                Err(_) => return,
            }
        }
    }

    fn once(&mut self) {
        match checks::load((self.reloadable.sources)()) {
            Err(errors) => tracing::error!("the configuration is wrong, nothing was changed: {errors}"),
            Ok(loaded) => {
                if let Err(error) = self.apply(loaded) {
                    tracing::error!("not everything could be changed: {error}");
                }
            }
        }
    }

    fn apply(&mut self, loaded: Loaded) -> Result<(), WiringError> {
        let mut new = loaded.config;
        if let Some(port) = self.config.http.public_url.url().port() {
            new.http.listened_on(port);
        }
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        let (changed, fixed): (Vec<_>, Vec<_>) =
            changed_keys(&self.config, &new).into_iter().partition(|key| self.can_change(key, &new));
        let (built, _) = providers::build(&new)?;
        self.services.reload(limits(&new.rate_limits), built);
        self.reloadable.level.set(&new.log.level).map_err(part)?;
        let files = new.http.tls.certificate_file.as_ref().zip(new.http.tls.key_file.as_ref());
        if let (Some(served), Some((certificate, key))) = (&self.tls, files) {
            served.replace(tls::from_files(&certificate.0, &key.0).map_err(part)?);
            self.config.http.tls = new.http.tls;
        }
        // Its content changes, not its key.
        if let Some(places) = &self.places {
            places.reload().map_err(part)?;
        }
        self.config.rate_limits = new.rate_limits;
        self.config.providers = new.providers;
        self.config.log.level = new.log.level;
        tracing::info!(changed = changed.join(", "), "configuration reloaded");
        for key in fixed {
            tracing::warn!("needs a restart: {key}");
        }
        Ok(())
    }

    /// A certificate can be replaced, but a listener does not begin or cease to speak TLS.
    fn can_change(&self, key: &str, new: &Config) -> bool {
        let within =
            |section: &str| key.strip_prefix(section).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let keeps_tls = self.tls.is_some() == new.http.tls.certificate_file.is_some();
        ["rate_limits", "providers", "log.level"].into_iter().any(within) || within("http.tls") && keeps_tls
    }
}

/// Keys whose values differ. A secret is shown as a mask, so that only its section is known to differ.
fn changed_keys(old: &Config, new: &Config) -> Vec<String> {
    let json = |config: &Config| serde_json::to_value(config).unwrap_or_default();
    let mut keys = Vec::new();
    differences(&json(old), &json(new), "", &mut keys);
    let sections = [
        ("http", old.http != new.http),
        ("database", old.database != new.database),
        ("cache", old.cache != new.cache),
        ("crypto", old.crypto != new.crypto),
        ("tokens", old.tokens != new.tokens),
        ("passwords", old.passwords != new.passwords),
        ("mail", old.mail != new.mail),
        ("telegram", old.telegram != new.telegram),
        ("providers", !provider_secrets(old).eq(provider_secrets(new))),
    ];
    for (section, _) in sections.into_iter().filter(|(_, differs)| *differs) {
        if !keys
            .iter()
            .any(|key| key.strip_prefix(section).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
        {
            keys.push(section.to_owned());
        }
    }
    keys
}

/// What is shown as a mask, of each provider.
fn provider_secrets(config: &Config) -> impl Iterator<Item = Option<&str>> {
    let providers = config.providers.iter();
    let secrets = providers.flat_map(|provider| [&provider.client_secret, &provider.private_key, &provider.proxy]);
    secrets.map(|secret| secret.as_ref().map(Secret::expose))
}

fn differences(old: &Value, new: &Value, path: &str, keys: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in new {
                let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                differences(old.get(name).unwrap_or(&Value::Null), value, &key, keys);
            }
        }
        _ if old == new => {}
        _ => keys.push(path.to_owned()),
    }
}
