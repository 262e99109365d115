//! `userd doctor telegram` and `userd telegram …`: what the Bot API says. The only commands that call another service.

use super::{
    doctor::callback,
    finding::{Finding, ok, show, warning, wrong},
};
use crate::{
    config::Config,
    terminal::Terminal,
    wiring::{WiringError, providers},
};

/// `userd doctor telegram`: asks the Bot API what it thinks, and explains the usual mistakes.
pub async fn doctor(config: Config, terminal: Terminal) -> Result<bool, WiringError> {
    use userd_channels::telegram::BotFault;
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
            let callback = callback(&config, entry);
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
    let Some(api) = providers::bot_api(&config).map_err(providers::wrong)? else {
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

async fn webhook(config: &Config, api: &userd_channels::telegram::BotApi) -> Option<Finding> {
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
pub async fn set_webhook(config: &Config, terminal: Terminal) -> Result<(), WiringError> {
    let missing = |key: &str| WiringError::Config(format!("telegram.{key} is needed for this"));
    let api = providers::bot_api(config).map_err(providers::wrong)?.ok_or_else(|| missing("bot_token"))?;
    let secret = config.telegram.webhook_secret.as_ref().ok_or_else(|| missing("webhook_secret"))?;
    let url = format!("{}/v1/telegram/webhook", config.http.public_url.as_text());
    let parsed = url::Url::parse(&url).map_err(|error| WiringError::Config(error.to_string()))?;
    let secret = userd_providers::Secret::new(secret.expose());
    api.set_webhook(&parsed, &secret).await.map_err(|fault| WiringError::Part(fault.to_string()))?;
    terminal.answer(&serde_json::json!({ "webhook": url }), || format!("Updates go to {url} now."));
    Ok(())
}
