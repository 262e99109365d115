//! The configuration: a file, then the environment, then flags, parsed once at start into final types.
//!
//! How it goes: `yaml` makes a tree whose nodes know their line, `overlay` lays variables and flags over it, `twins`
//! reads `…_file` keys, `shape` holds the tree against the JSON Schema and gathers everything that is wrong, `read`
//! fills the structs, `rules` checks what one key means for another. The schema is derived from the structs, so the
//! document that editors use is the one that is enforced.
//!
//! Deliberately absent: the process environment, which is passed in, and any use of the values. Whether an engine or a
//! provider can be built from them is asked by `crate::wiring`, which hands its questions to [`Config::load`].

mod accounts;
mod audit;
mod connections;
mod crypto;
mod example;
mod files;
mod formats;
mod http;
mod load;
mod log;
mod names;
mod outside;
mod overlay;
mod pages;
mod read;
mod report;
mod retention;
mod roles;
mod rules;
mod schema;
mod secret;
mod shape;
mod sources;
mod storage;
mod text;
mod tree;
mod twins;
mod urls;
mod values;
mod yaml;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use userd_providers::{Kind as ProviderKind, ProviderConfig};

pub use self::{
    accounts::{
        AccountsConfig, DocumentConfig, EmailConfirmation, MfaConfig, PasskeysConfig, RateLimitsConfig,
        RegistrationConfig, RegistrationMode, SessionsConfig, SignInConfig,
    },
    audit::AuditConfig,
    connections::{CacheUrl, DatabaseKind, DatabaseUrl, MailUrl, ProxyUrl},
    crypto::{Argon2Config, CryptoConfig, MasterKeySource, PasswordsConfig, SigningAlgorithm, TokensConfig},
    http::{HttpConfig, TlsConfig},
    load::Loaded,
    log::{LogConfig, LogFormat, LogRotation, OtlpConfig},
    names::{BotName, HexColour, Mailbox},
    outside::{MailConfig, TelegramConfig, WebhooksConfig},
    pages::PagesConfig,
    report::{ConfigError, ConfigErrors, Origin},
    retention::RetentionConfig,
    roles::{DeclaredApprovers, DeclaredNotify, DeclaredPermission, DeclaredRole, RolesConfig},
    rules::Rules,
    secret::{MASK, Secret},
    sources::{Flag, Sources},
    storage::{CacheConfig, DatabaseConfig},
    text::Optional,
    tree::Origins,
    urls::{ReturnUrl, SecureUrl, WebOrigin},
    values::{Cidr, FilePath, InputFile, Listen, LogFilter, Period, Rate},
};

pub(crate) use self::files::text_of;

/// Everything that can be set.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The HTTP server.
    pub http: HttpConfig,
    /// Pages for people.
    pub pages: PagesConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// The cache, the shared rate limits and the fan-out of revocations.
    pub cache: CacheConfig,
    /// The master key, under which everything else is encrypted.
    pub crypto: CryptoConfig,
    /// Access tokens, refresh tokens and the keys that sign.
    pub tokens: TokensConfig,
    /// What passwords must be and how they are hashed.
    pub passwords: PasswordsConfig,
    /// Sessions.
    pub sessions: SessionsConfig,
    /// Limits on attempts: tries at once, then one more per time. A network is one IPv4 address or one IPv6 /64.
    pub rate_limits: RateLimitsConfig,
    /// Who may register.
    pub registration: RegistrationConfig,
    /// Roles and permissions that are declared by configuration: here, or in a file beside it. `userd roles plan` shows what would
    /// change and `userd roles apply` makes it so; nothing of it is applied at start.
    pub roles: RolesConfig,
    /// Second factors.
    pub mfa: MfaConfig,
    /// Passkeys.
    pub passkeys: PasskeysConfig,
    /// The end of accounts.
    pub accounts: AccountsConfig,
    /// The audit log.
    pub audit: AuditConfig,
    /// Sign-in without a password: through providers, by mail.
    pub sign_in: SignInConfig,
    /// Mail.
    pub mail: MailConfig,
    /// The Telegram bot behind the login widget, Mini Apps and messages.
    pub telegram: TelegramConfig,
    /// Calls to other services that asked for events.
    pub webhooks: WebhooksConfig,
    /// How long things are kept.
    pub retention: RetentionConfig,
    /// Sign-in providers, in the order in which they are offered.
    #[schemars(length(max = 64))]
    pub providers: Vec<ProviderConfig>,
    /// The log.
    pub log: LogConfig,
}

impl Config {
    /// What the service runs on when nothing is configured: 127.0.0.1, data under `./data`.
    #[must_use]
    pub fn development() -> Self {
        Self::default()
    }

    /// Reads and checks the configuration. `further` asks what only the rooms know that will be built from it, so that
    /// one run tells everything that is wrong.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place, key and what would be right; never a value.
    pub fn load(sources: Sources, further: impl FnOnce(&Self, &mut Rules<'_>)) -> Result<Loaded, ConfigErrors> {
        load::load(sources, further)
    }

    /// `iss` of tokens: `tokens.issuer`, else `http.public_url`.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.tokens.issuer.as_ref().map_or_else(|| self.http.public_url.as_text(), |issuer| issuer.as_str().to_owned())
    }

    /// The whole configuration as YAML, secrets masked.
    pub fn show(&self) -> Result<String, String> {
        serde_saphyr::to_string(self).map_err(|error| error.to_string())
    }

    /// A configuration file that says every key with its meaning and default.
    #[must_use]
    pub fn example() -> String {
        example::render(schema::schema())
    }

    /// The JSON Schema (2020-12) of the configuration file.
    #[must_use]
    pub fn schema() -> serde_json::Value {
        schema::schema().clone()
    }
}
