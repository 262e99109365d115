//! The names of the kinds of provider. What each one does is in its own file.

use serde::{Deserialize, Serialize};

/// The kinds of provider. A kind is one file and one line in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Yandex ID.
    Yandex,
    /// Telegram, all ways in.
    Telegram,
    /// Any OpenID Connect provider.
    Oidc,
    /// Any OAuth 2.0 provider with a user-info call.
    Oauth2,
    /// Google.
    Google,
    /// GitHub and GitHub Enterprise Server.
    Github,
    /// Sign in with Apple.
    Apple,
    /// VK ID.
    Vk,
    /// Mail.ru.
    Mailru,
    /// Odnoklassniki.
    Ok,
    /// Sber ID.
    Sber,
    /// T-ID (T-Bank).
    Tid,
}

impl Kind {
    /// Every kind, for tests and documentation.
    pub const ALL: [Self; 12] = [
        Self::Yandex,
        Self::Telegram,
        Self::Oidc,
        Self::Oauth2,
        Self::Google,
        Self::Github,
        Self::Apple,
        Self::Vk,
        Self::Mailru,
        Self::Ok,
        Self::Sber,
        Self::Tid,
    ];

    /// The name in the configuration and in `GET /v1/auth/providers`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yandex => "yandex",
            Self::Telegram => "telegram",
            Self::Oidc => "oidc",
            Self::Oauth2 => "oauth2",
            Self::Google => "google",
            Self::Github => "github",
            Self::Apple => "apple",
            Self::Vk => "vk",
            Self::Mailru => "mailru",
            Self::Ok => "ok",
            Self::Sber => "sber",
            Self::Tid => "tid",
        }
    }

    /// The usual name of the brand.
    #[must_use]
    pub const fn brand(self) -> &'static str {
        match self {
            Self::Yandex => "Yandex ID",
            Self::Telegram => "Telegram",
            Self::Oidc => "Single sign-on",
            Self::Oauth2 => "OAuth",
            Self::Google => "Google",
            Self::Github => "GitHub",
            Self::Apple => "Apple",
            Self::Vk => "VK ID",
            Self::Mailru => "Mail.ru",
            Self::Ok => "OK",
            Self::Sber => "Sber ID",
            Self::Tid => "T-ID",
        }
    }
}
