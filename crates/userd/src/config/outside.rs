//! Keys of outside parties that are no sign-in providers: the mail server and the Telegram bot.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    connections::{MailUrl, ProxyUrl},
    names::{BotName, Mailbox},
    secret::Secret,
    text::Optional,
    urls::SecureUrl,
    values::FilePath,
};

/// Mail.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// No effect in this version, which sends no mail. `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`.
    pub url: Optional<MailUrl>,
    /// No effect in this version. File that holds the URL instead, for URLs with a password.
    pub url_file: Optional<FilePath>,
    /// No effect in this version. The sender. Needed when `url` is given.
    pub from: Optional<Mailbox>,
}

/// The Telegram bot behind the login widget, Mini Apps and messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TelegramConfig {
    /// The token that @BotFather gave.
    pub bot_token: Optional<Secret>,
    /// File with that token.
    pub bot_token_file: Optional<FilePath>,
    /// The bot's name without @.
    pub bot_username: Optional<BotName>,
    /// What Telegram sends with each webhook call. Empty: webhooks are refused.
    pub webhook_secret: Optional<Secret>,
    /// File with that secret.
    pub webhook_secret_file: Optional<FilePath>,
    /// The Bot API server.
    pub api_base_url: SecureUrl,
    /// Proxy for calls to it: `http://`, `https://`, `socks5://` or `socks5h://`. Empty: none.
    pub proxy: Optional<ProxyUrl>,
}

impl Default for TelegramConfig {
    fn default() -> Self {
        Self {
            bot_token: Optional::NONE,
            bot_token_file: Optional::NONE,
            bot_username: Optional::NONE,
            webhook_secret: Optional::NONE,
            webhook_secret_file: Optional::NONE,
            api_base_url: SecureUrl::telegram(),
            proxy: Optional::NONE,
        }
    }
}
