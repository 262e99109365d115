//! `userd doctor`: looks at every part as the service would use it, and says what to do about what is wrong.

use serde::Serialize;
use userd_cache::CacheHealth;
use userd_model::Clock as _;

use crate::{
    config::Config,
    terminal::Terminal,
    wiring::{WiringError, outside::SystemClock, providers, wire},
};

/// One look.
#[derive(Serialize)]
pub struct Finding {
    /// What was looked at.
    part: &'static str,
    /// `ok`, `warning` or `wrong`.
    state: &'static str,
    /// What was found, and what to do.
    says: String,
}

fn ok(part: &'static str, says: impl Into<String>) -> Finding {
    Finding { part, state: "ok", says: says.into() }
}

fn warning(part: &'static str, says: impl Into<String>) -> Finding {
    Finding { part, state: "warning", says: says.into() }
}

fn wrong(part: &'static str, says: impl Into<String>) -> Finding {
    Finding { part, state: "wrong", says: says.into() }
}

/// Looks at configuration, database, keys, clock and cache. Answers whether nothing is wrong.
pub async fn doctor(config: Config, terminal: Terminal) -> bool {
    let mut findings = configuration(&config);
    findings.push(clock());
    match wire(config.clone()).await {
        Err(fault) => findings.push(wrong("start", format!("{fault}"))),
        Ok(wired) => {
            let services = &wired.services;
            let store = &services.parts.store;
            findings.push(match store.health().await {
                Ok(()) => ok("database", format!("{} answers, its schema is up to date", config.database.url.shown())),
                Err(fault) => wrong("database", format!("{fault}")),
            });
            findings.push(keys(services).await);
            findings.push(match services.parts.cache.health().await {
                CacheHealth::InProcess => {
                    ok("cache", "in process; with several replicas configure cache.url: redis://…")
                }
                CacheHealth::Connected => ok("cache", "Redis answers"),
                CacheHealth::Degraded => warning(
                    "cache",
                    "Redis does not answer: everything works, slower, and limits count per replica. Check cache.url",
                ),
            });
            findings.push(match services.setup.is_open().await {
                Ok(true) => warning("administrator", "there is none yet: `userd users create-admin`"),
                Ok(false) => ok("administrator", "there is one"),
                Err(fault) => wrong("administrator", fault.to_string()),
            });
            store.engine().close().await;
        }
    }
    show(terminal, &findings)
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
    if config.crypto.master_key.is_some() {
        findings.push(warning(
            "master_key",
            "crypto.master_key stands in the configuration: a file or a command keeps it from copies of it",
        ));
    }
    findings
}

fn clock() -> Finding {
    // A machine whose clock was never set is years off; nothing finer can be told without another clock.
    let now = SystemClock::default().now();
    if now.seconds() < 1_760_000_000 {
        return wrong("clock", format!("says {now}, which is before this program was written: set it (NTP)"));
    }
    ok("clock", format!("says {now}"))
}

async fn keys(services: &userd_services::Services) -> Finding {
    match services.signing_keys.list(&userd_model::Actor::Operator).await {
        Err(fault) => wrong("signing_keys", fault.to_string()),
        Ok(keys) => match services.parts.crypto.tokens.active_kid() {
            None => wrong("signing_keys", "none is active: `userd keys rotate`"),
            Some(kid) => ok("signing_keys", format!("{} of them; {kid} signs", keys.len())),
        },
    }
}

/// `userd doctor telegram`: asks the Bot API what it thinks, and explains the usual mistakes.
///
/// # Errors
/// The configuration itself is wrong.
pub async fn telegram(config: Config, terminal: Terminal) -> Result<bool, WiringError> {
    use userd_providers::telegram::bot_api::BotFault;
    let telegram = &config.telegram;
    let mut findings = Vec::new();
    let provider = config.providers.iter().find(|entry| entry.kind == userd_providers::Kind::Telegram);
    match provider {
        None => {
            findings.push(warning("provider", "no entry of kind telegram in `providers`: nobody can sign in with it"))
        }
        Some(entry) if !entry.client_id.bytes().all(|b| b.is_ascii_digit()) || entry.client_id.is_empty() => findings
            .push(wrong("client_id", "is the bot's number (the part of its token before the colon), not its name")),
        Some(entry) => {
            let callback = format!("{}/v1/auth/{}/callback", config.http.public_url.as_text(), entry.id);
            findings.push(ok(
                "redirect",
                format!(
                    "register {callback} in BotFather: your bot, Bot Settings, Web Login, Allowed URLs. An address \
                     that is not there makes Telegram answer in the old way (#tgAuthResult)"
                ),
            ));
            if !config.http.public_url.is_secure() {
                findings.push(warning("public_url", "Telegram accepts only https addresses as Allowed URLs"));
            }
            if entry.client_secret.is_none() && entry.client_secret_file.is_none() {
                findings.push(warning(
                    "client_secret",
                    "none: sign-in works as a public client with PKCE. BotFather shows the secret under Web Login; it \
                     is not the bot's token",
                ));
            }
        }
    }
    let Some(api) = providers::bot_api(&config)? else {
        findings.push(warning("bot_token", "none: the widget, Mini Apps by HMAC and the bot's own sign-in are off"));
        return Ok(show(terminal, &findings));
    };
    match api.get_me().await {
        Ok(me) => {
            findings.push(ok("bot", format!("@{} (id {})", me.username, me.id)));
            if provider.is_some_and(|entry| entry.client_id != me.id) {
                findings.push(wrong("client_id", format!("is not this bot's: it should be {}", me.id)));
            }
            if telegram.bot_username.as_ref().is_some_and(|name| !name.as_str().eq_ignore_ascii_case(&me.username)) {
                findings.push(wrong("bot_username", format!("should be {}", me.username)));
            }
        }
        Err(BotFault::WrongToken) => findings.push(wrong(
            "bot_token",
            "the Bot API does not accept it: copy it again from BotFather (the client secret is something else)",
        )),
        Err(fault) => findings.push(wrong(
            "bot_api",
            format!("{fault}. If this machine cannot reach Telegram, set telegram.proxy or telegram.api_base_url"),
        )),
    }
    findings.extend(webhook(&config, &api).await);
    Ok(show(terminal, &findings))
}

async fn webhook(config: &Config, api: &userd_providers::telegram::bot_api::BotApi) -> Option<Finding> {
    let expected = format!("{}/v1/telegram/webhook", config.http.public_url.as_text());
    let info = api.get_webhook_info().await.ok()?;
    Some(if config.telegram.webhook_secret.is_none() {
        warning("webhook", "telegram.webhook_secret is not set: sign-in through the bot is off")
    } else if info.url.is_empty() {
        wrong("webhook", format!("none is set: `userd telegram set-webhook` sends updates to {expected}"))
    } else if info.url != expected {
        wrong("webhook", format!("updates go to {}, not to {expected}: `userd telegram set-webhook`", info.url))
    } else if let Some(error) = info.last_error {
        wrong("webhook", format!("the last delivery failed: {error}"))
    } else {
        ok("webhook", format!("set; {} updates wait", info.pending))
    })
}

/// `userd telegram set-webhook`: lets the Bot API send updates here.
///
/// # Errors
/// No token or secret, or the Bot API refuses.
pub async fn set_webhook(config: &Config, terminal: Terminal) -> Result<(), WiringError> {
    let missing = |key: &str| WiringError::Config(format!("telegram.{key} is needed for this"));
    let api = providers::bot_api(config)?.ok_or_else(|| missing("bot_token"))?;
    let secret = config.telegram.webhook_secret.as_ref().ok_or_else(|| missing("webhook_secret"))?;
    let url = format!("{}/v1/telegram/webhook", config.http.public_url.as_text());
    let parsed = url::Url::parse(&url).map_err(|error| WiringError::Config(error.to_string()))?;
    let secret = userd_providers::Secret::new(secret.expose());
    api.set_webhook(&parsed, &secret).await.map_err(|fault| WiringError::Part(fault.to_string()))?;
    terminal.answer(&serde_json::json!({ "webhook": url }), || format!("Updates go to {url} now."));
    Ok(())
}

fn show(terminal: Terminal, findings: &[Finding]) -> bool {
    terminal.answer(&findings, || {
        let mark = |state: &str| match state {
            "ok" => "ok     ",
            "warning" => "warning",
            _ => "WRONG  ",
        };
        let lines: Vec<String> = findings
            .iter()
            .map(|finding| format!("{}  {:<14} {}", mark(finding.state), finding.part, finding.says))
            .collect();
        lines.join("\n")
    });
    findings.iter().all(|finding| finding.state != "wrong")
}
