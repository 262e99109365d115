//! The ways out of the service, as configured. Nothing is contacted.

use std::{sync::Arc, time::Duration};

use userd_channels::{
    Channel, Secret,
    email::{Email, Relay, RelayOptions},
    telegram::{ChatMessage, TelegramSender},
    webhook::{Allowed, WebhookOptions, WebhookSender},
};
use userd_model::Clock;
use userd_services::{bot::TelegramBot, deliveries::Channels};
use userd_templates::Templates;

use super::{
    WiringError, part,
    providers::{bot_api, wrong},
};
use crate::config::Config;

/// Connections to the relay at the same time.
const CONNECTIONS: u32 = 8;
/// The longest that a mail may take on its way into the relay.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Relay, bot and templates. Without a relay mails lie in the development mailbox; without a bot nobody is written to there.
pub(super) fn build(
    config: &Config,
    bot: Option<&Arc<TelegramBot>>,
    clock: &Arc<dyn Clock>,
) -> Result<Channels, WiringError> {
    let told = |faults: Vec<userd_templates::TemplateFault>| {
        WiringError::Config(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    };
    let templates = Templates::with(config.mail.templates.as_ref().map(|folder| folder.0.as_path())).map_err(told)?;
    Ok(Channels {
        email: relay(config, TIMEOUT)?.map(|relay| Arc::new(relay) as Arc<dyn Channel<Message = Email, Receipt = ()>>),
        telegram: telegram(config, bot, clock)?,
        webhooks: Arc::new(webhook_sender(config)?),
        templates: Arc::new(templates),
    })
}

/// The relay, where one is configured; `timeout` for a mail, or for a look at it.
pub(crate) fn relay(config: &Config, timeout: Duration) -> Result<Option<Relay>, WiringError> {
    let Some(url) = config.mail.url.as_ref() else { return Ok(None) };
    let from =
        config.mail.from.as_ref().ok_or_else(|| part("mail.from: the sender is needed when mail.url is given"))?;
    let options = RelayOptions {
        url: Secret::new(url.expose()),
        from: from.as_str().to_owned(),
        ca_file: None,
        connections: CONNECTIONS,
        timeout,
    };
    Relay::new(&options).map(Some).map_err(wrong)
}

fn telegram(
    config: &Config,
    bot: Option<&Arc<TelegramBot>>,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Arc<dyn Channel<Message = ChatMessage, Receipt = i64>>>, WiringError> {
    if bot.is_none() {
        return Ok(None);
    }
    let api = bot_api(config).map_err(wrong)?;
    let sender = api.map(|api| TelegramSender::new(Arc::new(api), Arc::clone(clock)));
    Ok(sender.map(|sender| Arc::new(sender) as Arc<dyn Channel<Message = ChatMessage, Receipt = i64>>))
}

fn webhook_sender(config: &Config) -> Result<WebhookSender, WiringError> {
    let webhooks = &config.webhooks;
    let allowed = Allowed { http: webhooks.allow_http, private_addresses: webhooks.allow_private_addresses };
    let options = WebhookOptions { timeout: webhooks.timeout.0, allowed, ..WebhookOptions::default() };
    WebhookSender::new(options).map_err(part)
}
