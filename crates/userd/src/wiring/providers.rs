//! The configured sign-in providers, and the messenger's bot.

use std::sync::Arc;

use userd_providers::{
    HttpOptions, Kind, Provider, Secret, Surroundings,
    telegram::{BotToken, bot_api::BotApi},
};
use userd_services::sign_in::BotDoor;

use super::{WiringError, outside::OsRandom};
use crate::config::Config;

/// Providers in the order in which they are offered, and the bot where it can be used to sign in.
pub type Built = (Vec<Arc<dyn Provider>>, Option<Arc<BotDoor>>);

/// Builds them. Nothing is contacted.
///
/// # Errors
/// The key that is wrong, and why.
pub fn build(config: &Config) -> Result<Built, WiringError> {
    let token = config.telegram.bot_token.as_ref().map(|token| Secret::new(token.expose()));
    let surroundings = Surroundings { random: Arc::new(OsRandom), telegram_bot_token: token };
    let mut providers = Vec::with_capacity(config.providers.len());
    for (place, entry) in config.providers.iter().enumerate() {
        let provider = userd_providers::build(entry, &surroundings)
            .map_err(|error| WiringError::Config(format!("providers[{place}].{}: {}", error.field, error.detail)))?;
        providers.push(provider);
    }
    let offered = providers.iter().any(|provider| provider.kind() == Kind::Telegram);
    let bot = if offered { bot(config)?.map(Arc::new) } else { None };
    Ok((providers, bot))
}

/// The bot, where its token, name and webhook secret are all configured.
///
/// # Errors
/// A malformed token, address or proxy.
pub fn bot(config: &Config) -> Result<Option<BotDoor>, WiringError> {
    let telegram = &config.telegram;
    let (Some(username), Some(webhook_secret)) = (telegram.bot_username.as_ref(), telegram.webhook_secret.as_ref())
    else {
        return Ok(None);
    };
    let Some(api) = bot_api(config)? else { return Ok(None) };
    Ok(Some(BotDoor {
        api,
        username: username.as_str().to_owned(),
        webhook_secret: Secret::new(webhook_secret.expose()),
    }))
}

/// A client of the Bot API, where a token is configured.
///
/// # Errors
/// A malformed token, address or proxy.
pub fn bot_api(config: &Config) -> Result<Option<BotApi>, WiringError> {
    let wrong = |error: userd_providers::ConfigError| {
        WiringError::Config(format!("telegram.{}: {}", error.field, error.detail))
    };
    let Some(token) = config.telegram.bot_token.as_ref() else { return Ok(None) };
    let token = BotToken::parse(&Secret::new(token.expose())).map_err(wrong)?;
    let options = HttpOptions {
        proxy: config.telegram.proxy.as_ref().map(|proxy| Secret::new(proxy.expose())),
        ..HttpOptions::default()
    };
    BotApi::new(config.telegram.api_base_url.as_str(), token, options).map(Some).map_err(wrong)
}
