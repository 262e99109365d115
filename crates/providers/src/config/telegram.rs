//! The configuration of Telegram's ways in.

use serde::{Deserialize, Serialize};

use crate::span::Span;

/// Telegram's ways in.
#[derive(Clone, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TelegramOptions {
    /// What `start` opens: `oidc` (default) or the legacy `widget` page.
    pub start: TelegramStart,
    /// Accept the legacy widget's fields. Default: true when the bot's token is known.
    pub widget: Option<bool>,
    /// Accept Mini App `initData`. Default: true.
    pub mini_app: Option<bool>,
    /// How `initData` is checked: with the bot's token, or with Telegram's public key and no token at all.
    /// Default: the token when known.
    pub mini_app_check: Option<MiniAppCheck>,
    /// Telegram's public key for `public_key`, 64 hex digits. Default: the production key.
    pub mini_app_public_key: Option<String>,
    /// Take payloads of Telegram's test environment instead of production. Default: false.
    pub test_environment: bool,
    /// How old a widget payload may be, at most 15m. Default: 5m.
    #[schemars(with = "Option<String>")]
    pub widget_window: Option<Span>,
    /// How old `initData` may be, at most 24h. Default: 10m.
    #[schemars(with = "Option<String>")]
    pub mini_app_window: Option<Span>,
    /// true: `initData` signs in again and again within the window, also for whoever has copied it from a log, a proxy or
    /// another app's memory. false: again only on the device that it signed in first. Default: false.
    pub mini_app_reuse: bool,
}

/// What the browser flow of Telegram opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TelegramStart {
    /// "Log in with Telegram", OpenID Connect.
    #[default]
    Oidc,
    /// The legacy page that answers in the fragment.
    Widget,
}

/// How `initData` is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MiniAppCheck {
    /// HMAC with the bot's token.
    BotToken,
    /// Ed25519 with Telegram's public key and the bot's id.
    PublicKey,
}
