//! Which file speaks for which kind: one line each. What they do is in their files.

use std::{collections::BTreeSet, sync::Arc};

use userd_outbound::ConfigError;

use crate::{
    builder::{ProviderBuilder, ProviderDependencies},
    config::ProviderConfig,
    kind::Kind,
    provider::Provider,
};

/// Builds every entry of `providers:`, in its order. An error names the entry in front of the key
/// (`providers[1].issuer`); two entries with one id are one.
pub fn build_all(
    configs: &[ProviderConfig],
    dependencies: &ProviderDependencies,
) -> Result<Vec<Arc<dyn Provider>>, ConfigError> {
    let mut ids = BTreeSet::new();
    let one = |(at, config): (usize, &ProviderConfig)| {
        let place = |error: ConfigError| ConfigError::new(format!("providers[{at}].{}", error.field), error.detail);
        if !ids.insert(config.id.clone()) {
            return Err(place(ConfigError::new("id", "is used by another entry: identities are kept under it")));
        }
        build(config, dependencies).map_err(place)
    };
    configs.iter().enumerate().map(one).collect()
}

/// Builds the provider that an entry of the configuration describes. Nothing is contacted.
pub fn build(config: &ProviderConfig, dependencies: &ProviderDependencies) -> Result<Arc<dyn Provider>, ConfigError> {
    let builder = ProviderBuilder::new(config, dependencies)?;
    Ok(match config.kind {
        Kind::Yandex => Arc::new(crate::yandex::Yandex::new(&builder)?),
        Kind::Telegram => Arc::new(crate::telegram::Telegram::new(&builder)?),
        Kind::Oidc => Arc::new(crate::oidc::Oidc::new(&builder)?),
        Kind::Oauth2 => Arc::new(crate::oauth2::Oauth2::new(&builder)?),
        Kind::Google => Arc::new(crate::google::Google::new(&builder)?),
        Kind::Github => Arc::new(crate::github::Github::new(&builder)?),
        Kind::Apple => Arc::new(crate::apple::Apple::new(&builder)?),
        Kind::Vk => Arc::new(crate::vk::Vk::new(&builder)?),
        Kind::Mailru => Arc::new(crate::mailru::MailRu::new(&builder)?),
        Kind::Ok => Arc::new(crate::ok::Odnoklassniki::new(&builder)?),
        Kind::Sber => Arc::new(crate::sber::Sber::new(&builder)?),
        Kind::Tid => Arc::new(crate::tid::Tid::new(&builder)?),
    })
}
