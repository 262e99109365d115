//! Keys of outside parties that are no sign-in providers: the mail server, the Telegram bot and receivers of webhooks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    connections::{MailUrl, ProxyUrl},
    names::{BotName, Mailbox},
    secret::Secret,
    text::Optional,
    urls::SecureUrl,
    values::{FilePath, Period},
};

/// Mail.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`. Empty: mails are kept, `userd mail list` shows them.
    pub url: Optional<MailUrl>,
    /// File that holds the URL instead, for URLs with a password.
    pub url_file: Optional<FilePath>,
    /// The sender. Needed when `url` is given.
    pub from: Optional<Mailbox>,
    /// Folder with templates in place of the built-in ones; see `userd templates list`. Empty: none.
    pub templates: Optional<FilePath>,
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
    /// Puts buttons under the bot's messages to those who decide access requests, for roles with `decide_in_chat` and for
    /// accounts that wait for approval. Whoever holds a second factor still decides where they can show it.
    pub decide_in_chat: bool,
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
            decide_in_chat: false,
        }
    }
}

/// Calls to other services that asked for events (`POST /v1/webhooks`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebhooksConfig {
    /// Lets webhooks lead to private addresses, this machine included. Whoever may manage webhooks can then make this service call
    /// whatever it reaches.
    pub allow_private_addresses: bool,
    /// Lets webhooks be plain http: whoever is on the way reads the events.
    pub allow_http: bool,
    /// The longest one call may take.
    #[schemars(extend("x-range" = ["1s", "30s"]))]
    pub timeout: Period,
    /// How often an event is tried, within 75 hours; then it is a dead letter.
    #[schemars(range(min = 1, max = 10))]
    pub tries: u32,
    /// A webhook of which every call has failed for so long is switched off.
    #[schemars(extend("x-range" = ["1h", "365d"]))]
    pub disable_after: Period,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        Self {
            allow_private_addresses: false,
            allow_http: false,
            timeout: Period::seconds(15),
            tries: 10,
            disable_after: Period::days(5),
        }
    }
}
