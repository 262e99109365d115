//! Keys of one sign-in provider. What each kind makes of them is the business of `userd-providers`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    connections::ProxyUrl,
    names::{Domain, Scope, Slug},
    secret::Secret,
    text::Optional,
    urls::WebUrl,
    values::{FilePath, InputFile},
};

/// A sign-in provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// Its name in URLs, unique in the list: `/v1/auth/{id}/start`. Changing it unlinks nobody but breaks redirect URIs.
    pub id: Slug,
    /// What it is.
    pub kind: ProviderKind,
    /// Whether it is offered and answered.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What people read on the button. Empty: the kind's own name.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub display_name: String,
    /// The client id that the provider gave.
    #[serde(default)]
    #[schemars(length(max = 256))]
    pub client_id: String,
    /// The client secret that the provider gave.
    #[serde(default)]
    pub client_secret: Optional<Secret>,
    /// File with that secret.
    #[serde(default)]
    pub client_secret_file: Optional<FilePath>,
    /// The issuer, for kind `oidc`, exactly as the provider writes it.
    #[serde(default)]
    pub issuer: Optional<WebUrl>,
    /// Scopes to ask for. Empty: what the kind needs.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub scopes: Vec<Scope>,
    /// Takes its e-mail addresses for proven even where it does not say so.
    #[serde(default)]
    pub trust_email: bool,
    /// Whether somebody unknown gets an account.
    #[serde(default = "yes")]
    pub allow_sign_up: bool,
    /// When not empty: only people with a proven address in one of these domains.
    #[serde(default)]
    #[schemars(length(max = 256))]
    pub allowed_domains: Vec<Domain>,
    /// Keeps the provider's tokens, encrypted, for refresh and revocation.
    #[serde(default)]
    pub keep_tokens: bool,
    /// Overrides of the provider's addresses.
    #[serde(default)]
    pub endpoints: EndpointsConfig,
    /// How the client proves itself at the token endpoint. `auto`: as the kind or the discovery document says.
    #[serde(default)]
    pub token_endpoint_auth_method: ClientAuthMethod,
    /// Refuses ID tokens without the nonce that was sent. `false` is for providers that are known to leave it out.
    #[serde(default = "yes")]
    pub nonce_required: bool,
    /// Proxy for calls to it: `http://`, `https://`, `socks5://` or `socks5h://`. Empty: none.
    #[serde(default)]
    pub proxy: Optional<ProxyUrl>,
    /// PEM file with a certificate authority trusted for it besides the system's.
    #[serde(default)]
    pub ca_file: Optional<InputFile>,
    /// PEM file with the certificate that this client shows.
    #[serde(default)]
    pub client_certificate_file: Optional<InputFile>,
    /// PEM file with the private key to it.
    #[serde(default)]
    pub client_key_file: Optional<InputFile>,
    /// Lets its addresses be private ones and plain http. For a provider in the same house.
    #[serde(default)]
    pub allow_private_addresses: bool,
    /// Kind `apple`: the team id.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub team_id: String,
    /// Kind `apple`: the id of the key.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub key_id: String,
    /// Kind `apple`: the .p8 file with the private key.
    #[serde(default)]
    pub private_key_file: Optional<InputFile>,
    /// Kind `ok`: the public application key.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub application_key: String,
}

fn yes() -> bool {
    true
}

/// What a provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the brands; doc lines would make the schema a list of alternatives")]
pub enum ProviderKind {
    Yandex,
    Telegram,
    Oidc,
    Oauth2,
    Google,
    Github,
    Apple,
    Vk,
    Mailru,
    Ok,
    Sber,
    Tid,
}

/// Addresses of a provider. Empty: the kind's own or those of the discovery document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EndpointsConfig {
    /// Where the browser goes.
    pub authorize: Optional<WebUrl>,
    /// Where a code becomes tokens.
    pub token: Optional<WebUrl>,
    /// Where the profile is.
    pub userinfo: Optional<WebUrl>,
    /// Where the public keys are.
    pub jwks: Optional<WebUrl>,
    /// Where tokens are given back.
    pub revoke: Optional<WebUrl>,
}

/// How a client proves itself at the token endpoint (OpenID Connect Core, section 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "the names are those of the registry; doc lines would make the schema a list of alternatives"
)]
pub enum ClientAuthMethod {
    #[default]
    Auto,
    ClientSecretBasic,
    ClientSecretPost,
    TlsClientAuth,
    None,
}
