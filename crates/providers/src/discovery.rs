//! Where an OpenID provider's endpoints are: configured, or from its discovery document (OIDC Discovery 1.0). The
//! document is believed only when it names exactly the issuer it was asked for.

use std::sync::Arc;

use url::Url;
use userd_model::Timestamp;
use userd_outbound::{Call, ConfigError, HttpClient};

use crate::{
    answer::{Members, ReadAnswer, text},
    builder::{ProviderBuilder, endpoint},
    fault::ProviderFault,
    learned::Learned,
};

/// An OpenID provider's endpoints and habits.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    pub(crate) authorize: Url,
    pub(crate) token: Url,
    pub(crate) jwks: Url,
    pub(crate) userinfo: Option<Url>,
    pub(crate) revoke: Option<Url>,
    /// It promises `iss` in every answer (RFC 9207).
    pub(crate) iss_parameter: bool,
    /// It takes the client secret in the form only.
    pub(crate) secret_in_form: bool,
}

/// Endpoints that the operator wrote.
#[derive(Clone, Default)]
pub(crate) struct Written {
    pub(crate) authorize: Option<Url>,
    pub(crate) token: Option<Url>,
    pub(crate) jwks: Option<Url>,
    pub(crate) userinfo: Option<Url>,
    pub(crate) revoke: Option<Url>,
}

impl Written {
    pub(crate) fn read(builder: &ProviderBuilder<'_>) -> Result<Self, ConfigError> {
        let at = &builder.config.endpoints;
        let one =
            |name: &'static str, given: &Option<String>| given.as_ref().map(|text| endpoint(name, text)).transpose();
        Ok(Self {
            authorize: one("authorize", &at.authorize)?,
            token: one("token", &at.token)?,
            jwks: one("jwks", &at.jwks)?,
            userinfo: one("userinfo", &at.userinfo)?,
            revoke: one("revoke", &at.revoke)?,
        })
    }

    pub(crate) fn urls(&self) -> impl Iterator<Item = &Url> {
        [&self.authorize, &self.token, &self.jwks, &self.userinfo, &self.revoke].into_iter().flatten()
    }

    /// The whole, when nothing is left to discover.
    pub(crate) fn complete(&self) -> Option<Metadata> {
        Some(Metadata {
            authorize: self.authorize.clone()?,
            token: self.token.clone()?,
            jwks: self.jwks.clone()?,
            userinfo: self.userinfo.clone(),
            revoke: self.revoke.clone(),
            iss_parameter: false,
            secret_in_form: false,
        })
    }
}

/// Where the metadata comes from.
pub(crate) enum MetadataSource {
    Fixed(Arc<Metadata>),
    Discovered(Box<Discovery>),
}

/// A discovery document and what the operator wrote over it.
pub(crate) struct Discovery {
    http: Arc<HttpClient>,
    document: Url,
    names_issuer: String,
    written: Written,
    learned: Learned<Metadata>,
}

impl MetadataSource {
    /// Discovery at `issuer`; the document must name `names_issuer` (the same, or a multi-tenant template).
    pub(crate) fn discover(http: Arc<HttpClient>, issuer: &Url, names_issuer: String, written: Written) -> Self {
        let mut document = issuer.clone();
        document.set_path(&format!("{}/.well-known/openid-configuration", issuer.path().trim_end_matches('/')));
        Self::Discovered(Box::new(Discovery { http, document, names_issuer, written, learned: Learned::new() }))
    }

    pub(crate) async fn get(&self, now: Timestamp) -> Result<Arc<Metadata>, ProviderFault> {
        match self {
            Self::Fixed(metadata) => Ok(Arc::clone(metadata)),
            Self::Discovered(discovery) => discovery.learned.get(now, false, || discovery.fetch()).await,
        }
    }
}

/// An issuer identifier as a URL: no query, no fragment, no credentials.
pub(crate) fn issuer_url(text: &str) -> Result<Url, ConfigError> {
    let wrong = |detail: &str| ConfigError::new("issuer", detail);
    let url = endpoint("issuer", text).map_err(|_| wrong("must be an absolute https URL"))?;
    if url.query().is_some() { Err(wrong("must not have a query")) } else { Ok(url) }
}

impl Discovery {
    async fn fetch(&self) -> Result<Metadata, ProviderFault> {
        let document = self.http.send(Call::get(self.document.clone())).await?.good()?;
        let named = text(&document, "issuer").unwrap_or_default();
        if named != self.names_issuer {
            let told = userd_outbound::printable(&named);
            return Err(ProviderFault::Misconfigured(format!("{} is about the issuer {told}", self.document)));
        }
        let written = &self.written;
        Ok(Metadata {
            authorize: self.required(&document, "authorization_endpoint", &written.authorize)?,
            token: self.required(&document, "token_endpoint", &written.token)?,
            jwks: self.required(&document, "jwks_uri", &written.jwks)?,
            userinfo: self.optional(&document, "userinfo_endpoint", &written.userinfo)?,
            revoke: self.optional(&document, "revocation_endpoint", &written.revoke)?,
            iss_parameter: document.get("authorization_response_iss_parameter_supported") == Some(&true.into()),
            secret_in_form: secret_in_form(&document),
        })
    }

    fn required(&self, document: &Members, name: &'static str, written: &Option<Url>) -> Result<Url, ProviderFault> {
        let missing = || ProviderFault::Unavailable(format!("{} has no {name}", self.document));
        self.optional(document, name, written)?.ok_or_else(missing)
    }

    fn optional(
        &self,
        document: &Members,
        name: &'static str,
        written: &Option<Url>,
    ) -> Result<Option<Url>, ProviderFault> {
        if written.is_some() {
            return Ok(written.clone());
        }
        let parse = |text: String| {
            endpoint(name, &text)
                .map_err(|_| ProviderFault::Unavailable(format!("{}: {name} is no URL", self.document)))
        };
        text(document, name).map(parse).transpose()
    }
}

fn secret_in_form(document: &Members) -> bool {
    let methods = document.get("token_endpoint_auth_methods_supported").and_then(serde_json::Value::as_array);
    let has = |method: &str| methods.is_some_and(|m| m.iter().any(|v| v == method));
    has("client_secret_post") && !has("client_secret_basic")
}
