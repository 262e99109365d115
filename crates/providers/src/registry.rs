//! Which file speaks for which kind: one line each. What they do is in their files.

use std::{collections::BTreeSet, sync::Arc};

use userd_model::Random;
use userd_outbound::{ConfigError, Secret};

use crate::{Kind, config::ProviderConfig, provider::Provider, setup::Setup};

/// What providers need from the rest of the program.
#[derive(Clone)]
pub struct Surroundings {
    /// Ids of single calls and assertions.
    pub random: Arc<dyn Random>,
    /// The bot's token from the `telegram` section, for the widget and Mini App doors.
    pub telegram_bot_token: Option<Secret>,
}

/// Builds every entry of `providers:`, in its order.
///
/// # Errors
/// As [`build`], with the entry in front of the key (`providers[1].issuer`); also two entries with one id.
pub fn build_all(
    configs: &[ProviderConfig],
    surroundings: &Surroundings,
) -> Result<Vec<Arc<dyn Provider>>, ConfigError> {
    let mut ids = BTreeSet::new();
    let one = |(at, config): (usize, &ProviderConfig)| {
        let place = |error: ConfigError| ConfigError::new(format!("providers[{at}].{}", error.field), error.detail);
        if !ids.insert(config.id.clone()) {
            return Err(place(ConfigError::new("id", "is used by another entry: identities are kept under it")));
        }
        build(config, surroundings).map_err(place)
    };
    configs.iter().enumerate().map(one).collect()
}

/// Builds the provider that an entry of the configuration describes.
///
/// # Errors
/// The key that is wrong and why; nothing was contacted.
pub fn build(config: &ProviderConfig, surroundings: &Surroundings) -> Result<Arc<dyn Provider>, ConfigError> {
    let setup = Setup::new(config, surroundings)?;
    Ok(match config.kind {
        Kind::Yandex => Arc::new(crate::yandex::Yandex::new(&setup)?),
        Kind::Telegram => Arc::new(crate::telegram::Telegram::new(&setup)?),
        Kind::Oidc => Arc::new(crate::oidc::Oidc::new(&setup)?),
        Kind::Oauth2 => Arc::new(crate::oauth2::Oauth2::new(&setup)?),
        Kind::Google => Arc::new(crate::google::Google::new(&setup)?),
        Kind::Github => Arc::new(crate::github::Github::new(&setup)?),
        Kind::Apple => Arc::new(crate::apple::Apple::new(&setup)?),
        Kind::Vk => Arc::new(crate::vk::Vk::new(&setup)?),
        Kind::Mailru => Arc::new(crate::mailru::MailRu::new(&setup)?),
        Kind::Ok => Arc::new(crate::ok::Odnoklassniki::new(&setup)?),
        Kind::Sber => Arc::new(crate::sber::Sber::new(&setup)?),
        Kind::Tid => Arc::new(crate::tid::Tid::new(&setup)?),
    })
}
