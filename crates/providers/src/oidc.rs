//! Any OpenID Connect provider, by configuration: discovery or written endpoints, one tenant or many.

use std::sync::Arc;

use async_trait::async_trait;
use url::Url;
use userd_model::Timestamp;
use userd_outbound::{ConfigError, Secret};

use crate::{
    answer::{Members, ReadAnswer, text},
    builder::{ProviderBuilder, missing},
    code_flow::show_token,
    config::{Mapping, UserinfoAuth},
    discovery::{Metadata, MetadataSource, Written, issuer_url},
    fault::ProviderFault,
    id_token::{IdToken, IdTokens, IssuerRule},
    mapping::Mapped,
    openid::OpenId,
    profile::{Profile, ProviderTokens},
    provider::{Begin, Callback, Capabilities, Facts, NativeProof, Provider, Redirect},
};

const SCOPES: [&str; 3] = ["openid", "email", "profile"];

pub(crate) struct Oidc {
    openid: OpenId,
    mapping: Mapping,
    userinfo: Option<bool>,
    trust_email: Option<bool>,
    many_tenants: bool,
    any_tenant: bool,
}

impl Oidc {
    pub(crate) fn new(builder: &ProviderBuilder<'_>) -> Result<Self, ConfigError> {
        let config = builder.config;
        let issuer = config.issuer.clone().ok_or_else(|| missing("issuer"))?;
        let at = issuer_url(&issuer)?;
        let written = Written::read(builder)?;
        let configured: Vec<&Url> = written.urls().chain([&at]).collect();
        let http = builder.http(&configured)?;
        let names_issuer = config.issuer_template.clone().unwrap_or_else(|| issuer.clone());
        let metadata = match written.complete() {
            Some(metadata) => MetadataSource::Fixed(Arc::new(metadata)),
            None => MetadataSource::discover(Arc::clone(&http), &at, names_issuer.clone(), written),
        };
        let (flow, flow_with_form) = OpenId::flows(builder, &http, &issuer, &SCOPES)?;
        if !flow.scopes.iter().any(|scope| scope == "openid") {
            return Err(ConfigError::new("scopes", "must contain openid"));
        }
        let native = builder.native(false);
        let capabilities = Capabilities {
            browser: true,
            native_id_token: native,
            native_code: native,
            refresh: true,
            revoke: true,
            ..Capabilities::default()
        };
        Ok(Self {
            openid: OpenId {
                facts: builder.facts(names_issuer, capabilities, false)?,
                flow,
                flow_with_form,
                metadata,
                id_tokens: IdTokens::new(http, IssuerRule::of(&issuer, config)?, config)?,
                nonce_required: config.require_nonce.unwrap_or(true),
                native_client_ids: builder.native_client_ids(),
            },
            mapping: config.mapping.clone().unwrap_or_default(),
            userinfo: config.userinfo,
            trust_email: config.trust_email,
            many_tenants: config.issuer_template.is_some(),
            any_tenant: config.issuer_template.is_some() && config.tenants.is_empty(),
        })
    }

    fn describe(&self, token: &IdToken, claims: &Members) -> Profile {
        let mut profile = self.openid.profile(token);
        // Any tenant's administrator writes any address there: of tenants that nobody named, no claim counts for a domain.
        let domains = if self.any_tenant { &[][..] } else { &self.openid.facts.policy.allowed_domains };
        Mapped { members: claims, mapping: &self.mapping }.describe(&mut profile, self.trust_email, domains);
        // And only an explicit claim counts at all.
        if self.many_tenants && !profile.email_vouched {
            profile.email_verified = false;
        }
        profile
    }

    /// Whether the domain list asks for what the claims do not say.
    fn domain_is_untold(&self, claims: &Members) -> bool {
        let said = Mapped { members: claims, mapping: &self.mapping };
        let email = said.text(self.mapping.email.as_ref(), "email").is_some();
        let verified = said.find(self.mapping.email_verified.as_ref(), "email_verified").is_some();
        !(self.openid.facts.policy.allowed_domains.is_empty() || email && verified)
    }

    /// The user-info answer, signed or not. Without one the ID token is enough, unless it is needed.
    async fn user_info(
        &self,
        metadata: &Metadata,
        url: &Url,
        access_token: &Secret,
        needed: bool,
        now: Timestamp,
    ) -> Result<Option<Members>, ProviderFault> {
        let openid = &self.openid;
        let answer = openid.flow.http.send(show_token(url, UserinfoAuth::Bearer, access_token)).await?;
        if answer.status >= 400 && !needed {
            tracing::warn!(provider = openid.facts.id, status = answer.status, "no user-info; the ID token is enough");
            return Ok(None);
        }
        let signed = std::str::from_utf8(&answer.body).ok().map(str::trim).filter(|text| text.starts_with("ey"));
        match signed.filter(|_| answer.status == 200) {
            Some(token) => {
                let client_id = &openid.facts.client_id;
                openid.id_tokens.verify_user_info(token, &metadata.jwks, client_id, now).await.map(Some)
            }
            None => answer.good().map(Some),
        }
    }

    /// The token's claims, and the user-info answer for what they leave out.
    async fn claims(
        &self,
        token: &IdToken,
        access_token: Option<&Secret>,
        now: Timestamp,
    ) -> Result<Members, ProviderFault> {
        let mut claims = token.claims.clone();
        let metadata = self.openid.metadata.get(now).await?;
        let needed = self.domain_is_untold(&claims);
        let wanted = self.userinfo.unwrap_or_else(|| needed || !claims.contains_key("email"));
        if let (true, Some(url), Some(access_token)) = (wanted, &metadata.userinfo, access_token) {
            let Some(mut info) = self.user_info(&metadata, url, access_token, needed, now).await? else {
                return Ok(claims);
            };
            if text(&info, "sub").as_deref() != Some(&token.subject) {
                return Err(ProviderFault::Refused("subject_mismatch"));
            }
            // Whether an address is verified is told by who told the address.
            if !claims.contains_key("email") {
                claims.remove("email_verified");
            } else if claims.get("email") != info.get("email") {
                info.remove("email_verified");
            }
            for (name, value) in info {
                claims.entry(name).or_insert(value);
            }
        }
        Ok(claims)
    }
}

#[async_trait]
impl Provider for Oidc {
    fn facts(&self) -> &Facts {
        &self.openid.facts
    }

    async fn begin(&self, begin: &Begin<'_>) -> Result<Redirect, ProviderFault> {
        let mut more = Vec::new();
        more.extend(begin.locale.map(|locale| ("ui_locales", locale)));
        more.extend(begin.login_hint.map(|hint| ("login_hint", hint)));
        self.openid.begin(begin, &more).await
    }

    async fn finish(&self, callback: &Callback<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        let (token, answer) = self.openid.finish(callback, now).await?;
        let claims = self.claims(&token, answer.access_token.as_ref(), now).await?;
        let mut profile = self.describe(&token, &claims);
        profile.tokens = answer.tokens(None).filter(|_| self.openid.facts.policy.keep_tokens);
        Ok(profile)
    }

    async fn native(&self, proof: &NativeProof<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        let capabilities = self.openid.facts.capabilities;
        let token = match *proof {
            NativeProof::IdToken { token, nonce } if capabilities.native_id_token => {
                self.openid.handed_over(token, nonce, now).await?
            }
            NativeProof::Code { code, verifier, redirect_uri, nonce } if capabilities.native_code => {
                self.openid.native_code((code, verifier), redirect_uri, nonce, now).await?
            }
            _ => return Err(ProviderFault::Refused("not_supported")),
        };
        let mut profile = self.describe(&token, &token.claims);
        profile.replay_keys.push(token.replay_key);
        Ok(profile)
    }

    async fn refresh(&self, tokens: &ProviderTokens, now: Timestamp) -> Result<ProviderTokens, ProviderFault> {
        self.openid.refresh(tokens, now).await
    }

    async fn revoke(&self, tokens: &ProviderTokens, now: Timestamp) -> Result<(), ProviderFault> {
        self.openid.revoke(tokens, now).await
    }
}
