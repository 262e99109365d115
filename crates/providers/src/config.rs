//! The configuration of one provider: what may be written, not what is built from it.

mod telegram;

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use userd_outbound::Secret;

pub use telegram::{MiniAppCheck, TelegramOptions, TelegramStart};

use crate::{kind::Kind, span::Span};

/// One entry of `providers:`.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// Lower-case letters, digits, `-` and `_`, at most 32: part of paths and of stored identities, never change it.
    pub id: String,
    /// Which provider this is.
    pub kind: Kind,
    /// Our id at the provider (Telegram: the bot's id).
    #[serde(default)]
    pub client_id: String,
    /// Our secret at the provider; without it, a public client with PKCE.
    #[serde(default)]
    pub client_secret: Option<Secret>,
    /// A file that holds `client_secret`.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// The name on the button. Default: the brand.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Off: refused at start and at the callback; identities stay. Default: true.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Whether an unknown person gets an account. Default: true.
    #[serde(default = "yes")]
    pub allow_sign_up: bool,
    /// true: every address it gives counts as proven, unless it says that it is not. false: none does. Default: the
    /// provider's own rule; for oidc and oauth2, what they say is verified counts for `allowed_domains` and nothing else.
    #[serde(default)]
    pub trust_email: Option<bool>,
    /// Only people with a proven address in one of these domains may come in. Default: everybody.
    #[serde(default)]
    pub allowed_domains: Vec<String>,
    /// Keep the provider's tokens (sealed) to refresh and revoke them. Default: true for yandex and apple.
    #[serde(default)]
    pub keep_tokens: Option<bool>,
    /// Scopes to ask for. Default: name, picture and address.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// The issuer (oidc: required, discovered; others: replaces the built-in one).
    #[serde(default)]
    pub issuer: Option<String>,
    /// oidc, multi-tenant: the issuer with `{tenantid}` as the discovery document and tokens have it.
    #[serde(default)]
    pub issuer_template: Option<String>,
    /// oidc, multi-tenant: the tenants that may come in. Default: none without a template, all with one.
    #[serde(default)]
    pub tenants: Vec<String>,
    /// Single endpoints instead of the built-in or discovered ones.
    #[serde(default)]
    pub endpoints: Endpoints,
    /// More parameters for the authorize URL.
    #[serde(default)]
    pub authorize_params: BTreeMap<String, String>,
    /// How we prove who we are at the token endpoint. Default: the provider's usual way; `none` without a secret.
    #[serde(default)]
    pub token_auth: Option<TokenAuth>,
    /// PEM (PKCS#8) for `token_auth: private_key_jwt` and for Apple's `.p8`.
    #[serde(default)]
    pub private_key: Option<Secret>,
    /// A file that holds `private_key`.
    #[serde(default)]
    pub private_key_file: Option<PathBuf>,
    /// The id of `private_key` at the provider.
    #[serde(default)]
    pub key_id: Option<String>,
    /// Signature algorithms accepted in ID tokens: RS256, ES256, EdDSA. Default: all three.
    #[serde(default)]
    pub algorithms: Option<Vec<String>>,
    /// What `aud` of ID tokens may name beside us without `azp`, such as an API that the provider adds. Default: nothing.
    #[serde(default)]
    pub trusted_audiences: Vec<String>,
    /// oidc: false accepts ID tokens without a nonce in the code flow. Default: true.
    #[serde(default)]
    pub require_nonce: Option<bool>,
    /// oidc: whether the user-info endpoint is asked as well. Default: if it exists and the ID token does not say what is
    /// needed of the e-mail.
    #[serde(default)]
    pub userinfo: Option<bool>,
    /// oauth2: how the access token is shown to the user-info endpoint. Default: bearer.
    #[serde(default)]
    pub userinfo_auth: Option<UserinfoAuth>,
    /// oidc and oauth2: where things are in the claims or the user-info answer.
    #[serde(default)]
    pub mapping: Option<Mapping>,
    /// Whether apps may hand tokens over. Default: true for yandex, telegram, google and apple.
    #[serde(default)]
    pub native: Option<bool>,
    /// Client ids of our apps, accepted beside `client_id` in tokens that apps hand over.
    #[serde(default)]
    pub native_client_ids: Vec<String>,
    /// `http://`, `https://`, `socks5://` or `socks5h://` (names resolved by the proxy).
    #[serde(default)]
    pub proxy: Option<Secret>,
    /// PEM: certificate authorities trusted for this provider besides the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// PEM: our client certificate (chain) for mutual TLS.
    #[serde(default)]
    pub client_certificate_file: Option<PathBuf>,
    /// PEM: the private key of `client_certificate_file`.
    #[serde(default)]
    pub client_key_file: Option<PathBuf>,
    /// Lets discovered addresses be private, and configured ones plain http. Default: false.
    #[serde(default)]
    pub allow_private_addresses: bool,
    /// For a whole back-channel call, at most 10 s. Default: 10s.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub timeout: Option<Span>,
    /// yandex: `ru`, `com`, `kz`, `by` or `com.tr`. Default: ru.
    #[serde(default)]
    pub region: Option<String>,
    /// ok: the public application key.
    #[serde(default)]
    pub application_key: Option<String>,
    /// apple: what only Apple needs.
    #[serde(default)]
    pub apple: Option<AppleOptions>,
    /// telegram: which ways in are open, and how wide.
    #[serde(default)]
    pub telegram: Option<TelegramOptions>,
}

const fn yes() -> bool {
    true
}

impl ProviderConfig {
    /// A configuration with defaults everywhere else.
    #[must_use]
    pub fn new(id: &str, kind: Kind, client_id: &str) -> Self {
        Self {
            id: id.to_owned(),
            kind,
            client_id: client_id.to_owned(),
            client_secret: None,
            client_secret_file: None,
            display_name: None,
            enabled: true,
            allow_sign_up: true,
            trust_email: None,
            allowed_domains: Vec::new(),
            keep_tokens: None,
            scopes: None,
            issuer: None,
            issuer_template: None,
            tenants: Vec::new(),
            endpoints: Endpoints::default(),
            authorize_params: BTreeMap::new(),
            token_auth: None,
            private_key: None,
            private_key_file: None,
            key_id: None,
            algorithms: None,
            trusted_audiences: Vec::new(),
            require_nonce: None,
            userinfo: None,
            userinfo_auth: None,
            mapping: None,
            native: None,
            native_client_ids: Vec::new(),
            proxy: None,
            ca_file: None,
            client_certificate_file: None,
            client_key_file: None,
            allow_private_addresses: false,
            timeout: None,
            region: None,
            application_key: None,
            apple: None,
            telegram: None,
        }
    }
}

/// Endpoints that replace the built-in or discovered ones. What is left out follows from its neighbours where
/// possible (`revoke` from `token`, `emails` from `userinfo`).
#[derive(Clone, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    /// Where the browser goes.
    #[serde(default)]
    pub authorize: Option<String>,
    /// Where codes become tokens.
    #[serde(default)]
    pub token: Option<String>,
    /// Who the person is.
    #[serde(default)]
    pub userinfo: Option<String>,
    /// The keys of ID tokens.
    #[serde(default)]
    pub jwks: Option<String>,
    /// Where tokens end.
    #[serde(default)]
    pub revoke: Option<String>,
    /// github: the list of addresses.
    #[serde(default)]
    pub emails: Option<String>,
    /// github: where an app's token is checked.
    #[serde(default)]
    pub check_token: Option<String>,
    /// sber: where a finished sign-in is reported (required there in production).
    #[serde(default)]
    pub completed: Option<String>,
}

/// How we prove who we are at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenAuth {
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
    /// `private_key_jwt` (RFC 7523), audience: the issuer.
    PrivateKeyJwt,
    /// A public client: PKCE only.
    None,
}

/// How an access token is shown to the user-info endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserinfoAuth {
    /// `Authorization: Bearer`.
    #[default]
    Bearer,
    /// `Authorization: OAuth`.
    OAuth,
    /// `?access_token=`: ends up in logs, only where nothing else works.
    Query,
    /// A POST with `access_token` in the form.
    Form,
}

/// Where things are: a member's name, or a JSON pointer (`/user/id`).
#[derive(Clone, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// The stable id (oauth2: default `id`; oidc: always `sub`).
    pub subject: Option<String>,
    /// Default `email`.
    pub email: Option<String>,
    /// Default `email_verified`.
    pub email_verified: Option<String>,
    /// Default `phone_number`.
    pub phone: Option<String>,
    /// Default `preferred_username`.
    pub username: Option<String>,
    /// Default `name`.
    pub name: Option<String>,
    /// Default `picture`.
    pub picture: Option<String>,
    /// Default `birthdate`.
    pub birthday: Option<String>,
    /// Default `locale`.
    pub locale: Option<String>,
    /// A list of names; default: none.
    pub groups: Option<String>,
    /// Where the answer names the client the token was issued to. Without it apps cannot hand tokens over.
    pub client_id: Option<String>,
}

/// What only Apple needs.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppleOptions {
    /// The team's id, ten characters.
    pub team_id: String,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused() {
        let entry = serde_json::json!({"id": "a", "kind": "yandex", "client_id": "c", "trust_emails": true});
        assert!(serde_json::from_value::<ProviderConfig>(entry).unwrap_err().to_string().contains("trust_emails"));
    }

    #[test]
    fn a_secret_is_never_printed() {
        let entry = serde_json::json!({"id": "a", "kind": "yandex", "client_id": "c", "client_secret": "hush-hush",
            "proxy": "socks5://user:hush-hush@proxy"});
        let config: ProviderConfig = serde_json::from_value(entry).unwrap();
        assert!(!format!("{config:?}").contains("hush"));
        assert!(!serde_json::to_string(&config).unwrap().contains("hush"));
    }
}
