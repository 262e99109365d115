//! Which file speaks for which kind: one line each. What they do is in their files.

use std::sync::Arc;

use userd_model::Random;

use crate::{
    Kind,
    config::{ConfigError, ProviderConfig},
    provider::Provider,
    secret::Secret,
    setup::Setup,
};

/// What providers need from the rest of the program.
#[derive(Clone)]
pub struct Surroundings {
    /// Ids of single calls and assertions.
    pub random: Arc<dyn Random>,
    /// The bot's token from the `telegram` section, for the widget and Mini App doors.
    pub telegram_bot_token: Option<Secret>,
}

/// Builds the provider that an entry of the configuration describes.
///
/// # Errors
/// The key that is wrong and why; nothing was contacted.
pub fn build(config: &ProviderConfig, surroundings: &Surroundings) -> Result<Arc<dyn Provider>, ConfigError> {
    let setup = Setup::new(config, surroundings)?;
    Ok(match config.kind {
        Kind::Yandex => Arc::new(crate::yandex::Yandex::new(&setup)?),
        other => return Err(ConfigError::new("kind", format!("{} is not built in", other.as_str()))),
    })
}
