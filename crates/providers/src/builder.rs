//! From configuration to the parts that every provider needs. What one provider alone needs is in its file.

use std::sync::Arc;

use url::Url;
use userd_jose::Algorithm;
use userd_model::Random;
use userd_outbound::{ConfigError, HttpClient, HttpOptions, Secret, read_file};

use crate::{
    answer::Members,
    assertion::AssertionKey,
    client_auth::ClientAuth,
    code_flow::CodeFlow,
    config::{ProviderConfig, TokenAuth},
    kind::Kind,
    profile::Profile,
    provider::{Capabilities, Facts, Policy},
};

/// Parameters of the authorize URL that are ours alone.
const RESERVED: [&str; 9] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "state",
    "nonce",
    "scope",
    "code_challenge",
    "code_challenge_method",
];

/// What providers need from the rest of the program.
#[derive(Clone)]
pub struct ProviderDependencies {
    /// Ids of single calls and assertions.
    pub random: Arc<dyn Random>,
    /// The bot's token from the `telegram` section, for the widget and Mini Apps.
    pub telegram_bot_token: Option<Secret>,
}

/// One provider under construction.
pub(crate) struct ProviderBuilder<'a> {
    pub(crate) config: &'a ProviderConfig,
    pub(crate) dependencies: &'a ProviderDependencies,
    pub(crate) secret: Option<Secret>,
}

impl<'a> ProviderBuilder<'a> {
    pub(crate) fn new(config: &'a ProviderConfig, dependencies: &'a ProviderDependencies) -> Result<Self, ConfigError> {
        let id_is_fine = (1..=32).contains(&config.id.len())
            && config.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        if !id_is_fine {
            return Err(ConfigError::new("id", "must be 1 to 32 of a-z, 0-9, - and _"));
        }
        if let Some(name) = RESERVED.iter().find(|name| config.authorize_params.contains_key(**name)) {
            return Err(ConfigError::new("authorize_params", format!("{name} is set by the service itself")));
        }
        refuse_foreign_keys(config)?;
        let secret =
            Secret::resolve("client_secret", config.client_secret.as_ref(), config.client_secret_file.as_deref())?;
        Ok(Self { config, dependencies, secret })
    }

    /// A configured endpoint, or the built-in one.
    pub(crate) fn endpoint(
        &self,
        name: &'static str,
        given: Option<&String>,
        built_in: &str,
    ) -> Result<Url, ConfigError> {
        endpoint(name, given.map_or(built_in, String::as_str))
    }

    /// The issuer as configured, or the built-in one.
    pub(crate) fn issuer(&self, built_in: &str) -> String {
        self.config.issuer.clone().unwrap_or_else(|| built_in.to_owned())
    }

    pub(crate) fn facts(
        &self,
        issuer: String,
        capabilities: Capabilities,
        keeps_tokens: bool,
    ) -> Result<Facts, ConfigError> {
        let config = self.config;
        if config.client_id.is_empty() {
            return Err(missing("client_id"));
        }
        refuse_a_list_that_nobody_is_on(config)?;
        Ok(Facts {
            id: config.id.clone(),
            kind: config.kind,
            display_name: config.display_name.clone().unwrap_or_else(|| config.kind.brand().to_owned()),
            issuer,
            client_id: config.client_id.clone(),
            capabilities,
            policy: Policy {
                enabled: config.enabled,
                trust_email: config.trust_email == Some(true),
                allow_sign_up: config.allow_sign_up,
                allowed_domains: config.allowed_domains.iter().map(|d| d.to_ascii_lowercase()).collect(),
                keep_tokens: config.keep_tokens.unwrap_or(keeps_tokens),
            },
        })
    }

    /// Whether apps may hand tokens over.
    pub(crate) fn native(&self, usually: bool) -> bool {
        self.config.native.unwrap_or(usually)
    }

    /// Every client id of ours that a token handed over by an app may name.
    pub(crate) fn native_client_ids(&self) -> Vec<String> {
        std::iter::once(&self.config.client_id).chain(&self.config.native_client_ids).cloned().collect()
    }

    /// The back channel; `configured` are the URLs that the operator or this program wrote.
    pub(crate) fn http(&self, configured: &[&Url]) -> Result<Arc<HttpClient>, ConfigError> {
        let config = self.config;
        let longest = HttpOptions::default().timeout;
        let timeout = config.timeout.map_or(longest, |span| span.0);
        if timeout.is_zero() || timeout > longest {
            return Err(ConfigError::new("timeout", "must be more than 0 and at most 10s"));
        }
        let read = |field: &'static str, path: &std::path::PathBuf| {
            read_file(path).map_err(|e| ConfigError::new(field, format!("{}: {e}", path.display())))
        };
        let extra_roots = config.ca_file.as_ref().map(|path| read("ca_file", path)).transpose()?;
        let client_identity = match (&config.client_certificate_file, &config.client_key_file) {
            (Some(certificate), Some(key)) => {
                let pem =
                    [read("client_certificate_file", certificate)?, b"\n".to_vec(), read("client_key_file", key)?]
                        .concat();
                let pem = String::from_utf8(pem).map_err(|_| ConfigError::new("client_key_file", "is not PEM"))?;
                Some(Secret::new(pem))
            }
            (None, None) => None,
            _ => return Err(ConfigError::new("client_key_file", "and client_certificate_file belong together")),
        };
        let options = HttpOptions {
            timeout,
            proxy: config.proxy.clone(),
            extra_roots,
            client_identity,
            allow_private_addresses: config.allow_private_addresses,
            ..HttpOptions::default()
        };
        HttpClient::new(options, configured).map(Arc::new)
    }

    /// Our credentials; without any secret we are a public client.
    pub(crate) fn client_auth(&self, usually: TokenAuth, audience: &str) -> Result<ClientAuth, ConfigError> {
        let way = match (self.config.token_auth, &self.secret) {
            (Some(way), _) => way,
            (None, None) => TokenAuth::None,
            (None, Some(_)) => usually,
        };
        let secret = || self.secret.clone().ok_or_else(|| missing("client_secret"));
        Ok(match way {
            TokenAuth::None => ClientAuth::Public,
            TokenAuth::Basic => ClientAuth::Basic(secret()?),
            TokenAuth::Post => ClientAuth::Post(secret()?),
            TokenAuth::PrivateKeyJwt => {
                ClientAuth::PrivateKeyJwt { key: self.assertion_key(None)?, audience: audience.to_owned() }
            }
        })
    }

    /// The configured private key.
    pub(crate) fn assertion_key(&self, only: Option<Algorithm>) -> Result<AssertionKey, ConfigError> {
        let config = self.config;
        let pem = Secret::resolve("private_key", config.private_key.as_ref(), config.private_key_file.as_deref())?
            .ok_or_else(|| missing("private_key"))?;
        AssertionKey::new(&pem, only, config.key_id.clone(), Arc::clone(&self.dependencies.random))
    }

    /// The code flow over `http`.
    pub(crate) fn code_flow(
        &self,
        http: Arc<HttpClient>,
        auth: ClientAuth,
        scopes: &[&str],
        separator: &'static str,
    ) -> CodeFlow {
        CodeFlow {
            http,
            client_id: self.config.client_id.clone(),
            auth,
            scopes: self.config.scopes.clone().unwrap_or_else(|| scopes.iter().map(|s| (*s).to_owned()).collect()),
            separator,
            authorize_params: self.config.authorize_params.clone(),
        }
    }
}

/// A key that this kind does not read would be silently without effect.
fn refuse_foreign_keys(config: &ProviderConfig) -> Result<(), ConfigError> {
    let signed = &[Kind::Oidc, Kind::Google, Kind::Apple, Kind::Telegram];
    let of_some_kinds: [(&str, bool, &[Kind]); 11] = [
        ("trusted_audiences", !config.trusted_audiences.is_empty(), signed),
        ("region", config.region.is_some(), &[Kind::Yandex]),
        ("application_key", config.application_key.is_some(), &[Kind::Ok]),
        ("apple", config.apple.is_some(), &[Kind::Apple]),
        ("telegram", config.telegram.is_some(), &[Kind::Telegram]),
        ("issuer_template", config.issuer_template.is_some(), &[Kind::Oidc]),
        ("tenants", !config.tenants.is_empty(), &[Kind::Oidc]),
        ("userinfo", config.userinfo.is_some(), &[Kind::Oidc]),
        ("require_nonce", config.require_nonce.is_some(), &[Kind::Oidc, Kind::Telegram]),
        ("mapping", config.mapping.is_some(), &[Kind::Oidc, Kind::Oauth2]),
        ("userinfo_auth", config.userinfo_auth.is_some(), &[Kind::Oauth2]),
    ];
    match of_some_kinds.iter().find(|(_, given, kinds)| *given && !kinds.contains(&config.kind)) {
        Some((field, ..)) => {
            Err(ConfigError::new(*field, format!("means nothing to the kind {}", config.kind.as_str())))
        }
        None => Ok(()),
    }
}

/// A domain list lets people with a proven address in. Where no address is ever proven it locks everybody out.
fn refuse_a_list_that_nobody_is_on(config: &ProviderConfig) -> Result<(), ConfigError> {
    let trusted = config.trust_email == Some(true);
    let wrong = match config.kind {
        _ if config.allowed_domains.is_empty() => return Ok(()),
        Kind::Telegram => "lets nobody in: this kind gives no address",
        _ if config.trust_email == Some(false) => "lets nobody in beside trust_email: false",
        Kind::Vk | Kind::Ok | Kind::Sber | Kind::Tid if !trusted => {
            "lets nobody in: this kind does not say which addresses are verified; set trust_email if you are sure"
        }
        Kind::Oidc if config.issuer_template.is_some() && config.tenants.is_empty() && !trusted => {
            "lets nobody in: any tenant may claim any address; name the tenants"
        }
        _ => return Ok(()),
    };
    Err(ConfigError::new("allowed_domains", wrong))
}

/// An absolute http(s) URL without a fragment or credentials.
pub(crate) fn endpoint(name: &'static str, text: &str) -> Result<Url, ConfigError> {
    let wrong = || {
        ConfigError::new(format!("endpoints.{name}"), "must be an absolute http(s) URL without credentials or fragment")
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if plain && url.has_host() && matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(wrong()) }
}

/// A key that this kind cannot do without.
pub(crate) fn missing(field: &'static str) -> ConfigError {
    ConfigError::new(field, "is required for this kind")
}

/// Another path at the same origin.
pub(crate) fn sibling(url: &Url, path: &str) -> Url {
    let mut other = url.clone();
    other.set_path(path);
    other.set_query(None);
    other
}

/// A profile of this provider with nothing but its subject.
#[must_use]
pub fn blank_profile(facts: &Facts, subject: String) -> Profile {
    Profile {
        provider: facts.id.clone(),
        issuer: facts.issuer.clone(),
        client_id: facts.client_id.clone(),
        subject,
        secondary: None,
        email: None,
        email_verified: false,
        email_vouched: false,
        phone: None,
        username: None,
        name: None,
        picture: None,
        birthday: None,
        locale: None,
        groups: Vec::new(),
        extra: Members::new(),
        tokens: None,
        bot_access: None,
        replay_keys: Vec::new(),
    }
}
