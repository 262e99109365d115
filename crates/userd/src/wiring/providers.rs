//! The configured sign-in providers, and the messenger's bot.

use std::sync::Arc;

use userd_channels::{HttpOptions, telegram::BotApi};
use userd_providers::{ConfigError, Kind, Provider, ProviderDependencies, Secret};
use userd_services::bot::TelegramBot;

use super::{WiringError, outside::OsRandom};
use crate::config::Config;

/// Providers in the order in which they are offered, and the bot where it can be used to sign in.
pub type Built = (Vec<Arc<dyn Provider>>, Option<Arc<TelegramBot>>);

/// Builds them. Nothing is contacted.
pub fn build(config: &Config) -> Result<Built, WiringError> {
    let token = config.telegram.bot_token.as_ref().map(|token| Secret::new(token.expose()));
    let dependencies = ProviderDependencies { random: Arc::new(OsRandom), telegram_bot_token: token };
    let mut providers = Vec::with_capacity(config.providers.len());
    for (place, entry) in config.providers.iter().enumerate() {
        let provider = userd_providers::build(entry, &dependencies)
            .map_err(|error| WiringError::Config(format!("providers[{place}].{}: {}", error.field, error.detail)))?;
        providers.push(provider);
    }
    let offered = providers.iter().any(|provider| provider.kind() == Kind::Telegram && provider.policy().enabled);
    let bot = if offered { bot(config).map_err(wrong)?.map(Arc::new) } else { None };
    Ok((providers, bot))
}

/// The bot, where its token, name and webhook secret are all configured. Nothing is contacted.
pub fn bot(config: &Config) -> Result<Option<TelegramBot>, ConfigError> {
    let telegram = &config.telegram;
    let (Some(username), Some(webhook_secret)) = (telegram.bot_username.as_ref(), telegram.webhook_secret.as_ref())
    else {
        return Ok(None);
    };
    let Some(api) = bot_api(config)? else { return Ok(None) };
    Ok(Some(TelegramBot {
        api,
        username: username.as_str().to_owned(),
        webhook_secret: Secret::new(webhook_secret.expose()),
    }))
}

/// A client of the Bot API, where a token is configured.
pub fn bot_api(config: &Config) -> Result<Option<BotApi>, ConfigError> {
    let Some(token) = config.telegram.bot_token.as_ref() else { return Ok(None) };
    let token = Secret::new(token.expose());
    let options = HttpOptions {
        proxy: config.telegram.proxy.as_ref().map(|proxy| Secret::new(proxy.expose())),
        ..HttpOptions::default()
    };
    BotApi::new(config.telegram.api_base_url.as_str(), &token, options).map(Some)
}

/// For the person who starts the service or a command.
pub fn wrong(error: ConfigError) -> WiringError {
    WiringError::Config(error.to_string())
}
