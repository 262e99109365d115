//! Any OAuth 2.0 provider with a user-info call, by configuration.

use async_trait::async_trait;
use serde_json::json;
use url::Url;
use userd_model::Timestamp;
use userd_outbound::{ConfigError, Secret};

use crate::{
    builder::{ProviderBuilder, blank_profile, endpoint},
    code_flow::CodeFlow,
    config::{Mapping, TokenAuth, UserinfoAuth},
    fault::ProviderFault,
    mapping::Mapped,
    openid::{revocation, revoked},
    profile::{Profile, ProviderTokens, subject},
    provider::{Begin, Callback, Capabilities, Facts, NativeProof, Provider, Redirect},
};

pub(crate) struct Oauth2 {
    facts: Facts,
    flow: CodeFlow,
    authorize: Url,
    token: Url,
    userinfo: Url,
    revoke: Option<Url>,
    userinfo_auth: UserinfoAuth,
    mapping: Mapping,
    iss_expected: bool,
    native_client_ids: Vec<String>,
    trust_email: Option<bool>,
}

impl Oauth2 {
    pub(crate) fn new(builder: &ProviderBuilder<'_>) -> Result<Self, ConfigError> {
        let config = builder.config;
        let at = &config.endpoints;
        let required = |name: &'static str, given: &Option<String>| {
            let given = given
                .as_ref()
                .ok_or_else(|| ConfigError::new(format!("endpoints.{name}"), "is required for this kind"))?;
            endpoint(name, given)
        };
        let authorize = required("authorize", &at.authorize)?;
        let token = required("token", &at.token)?;
        let userinfo = required("userinfo", &at.userinfo)?;
        let revoke = at.revoke.as_ref().map(|url| endpoint("revoke", url)).transpose()?;
        let mut configured = vec![&authorize, &token, &userinfo];
        configured.extend(&revoke);
        let http = builder.http(&configured)?;
        let issuer = builder.issuer(&authorize.origin().ascii_serialization());
        let auth = builder.client_auth(TokenAuth::Basic, &issuer)?;
        let mapping = config.mapping.clone().unwrap_or_default();
        let capabilities = Capabilities {
            browser: true,
            native_access_token: builder.native(false) && mapping.client_id.is_some(),
            native_code: builder.native(false),
            refresh: true,
            revoke: revoke.is_some(),
            ..Capabilities::default()
        };
        Ok(Self {
            facts: builder.facts(issuer, capabilities, false)?,
            flow: builder.code_flow(http, auth, &[], " "),
            authorize,
            token,
            userinfo,
            revoke,
            userinfo_auth: config.userinfo_auth.unwrap_or_default(),
            mapping,
            iss_expected: config.issuer.is_some(),
            native_client_ids: builder.native_client_ids(),
            trust_email: config.trust_email,
        })
    }

    async fn who(&self, token: &Secret, clients: &[String]) -> Result<Profile, ProviderFault> {
        let info = self.flow.userinfo(&self.userinfo, self.userinfo_auth, token).await?;
        let mapped = Mapped { members: &info, mapping: &self.mapping };
        if let Some(path) = &self.mapping.client_id
            && !mapped.text(Some(path), "").is_some_and(|id| clients.contains(&id))
        {
            return Err(ProviderFault::Refused("client_mismatch"));
        }
        let id = mapped.text(self.mapping.subject.as_ref(), "id");
        let mut profile = blank_profile(&self.facts, subject(id.as_deref())?);
        mapped.describe(&mut profile, self.trust_email, &self.facts.policy.allowed_domains);
        Ok(profile)
    }
}

#[async_trait]
impl Provider for Oauth2 {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    async fn begin(&self, begin: &Begin<'_>) -> Result<Redirect, ProviderFault> {
        let url = self.flow.authorize_url(&self.authorize, begin, &[]);
        Ok(Redirect { url, remember: json!({}), form_post: false })
    }

    async fn finish(&self, callback: &Callback<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        if self.iss_expected && callback.param("iss").is_some_and(|iss| iss != self.facts.issuer) {
            return Err(ProviderFault::Refused("issuer_mismatch"));
        }
        let answer = self.flow.exchange(&self.token, callback, (&[], &[]), now).await?;
        let mut profile = self.who(answer.access_token()?, std::slice::from_ref(&self.facts.client_id)).await?;
        profile.tokens = answer.tokens(None).filter(|_| self.facts.policy.keep_tokens);
        Ok(profile)
    }

    async fn native(&self, proof: &NativeProof<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        let capabilities = self.facts.capabilities;
        match *proof {
            NativeProof::AccessToken(token) if capabilities.native_access_token => {
                self.who(&Secret::new(token), &self.native_client_ids).await
            }
            NativeProof::Code { code, verifier, redirect_uri, nonce: None } if capabilities.native_code => {
                let answer = self.flow.redeem(&self.token, code, verifier, redirect_uri, (&[], &[]), now).await?;
                self.who(answer.access_token()?, std::slice::from_ref(&self.facts.client_id)).await
            }
            _ => Err(ProviderFault::Refused("not_supported")),
        }
    }

    async fn refresh(&self, tokens: &ProviderTokens, now: Timestamp) -> Result<ProviderTokens, ProviderFault> {
        self.flow.refresh(&self.token, tokens, (&[], &[]), now).await
    }

    async fn revoke(&self, tokens: &ProviderTokens, now: Timestamp) -> Result<(), ProviderFault> {
        let Some(revoke) = &self.revoke else { return Ok(()) };
        let proof = self.flow.auth.prove(&self.facts.client_id, now)?;
        let credentials = proof.form.iter().map(|(name, value)| (*name, value.as_str()));
        let form = revocation(tokens).into_iter().chain(credentials);
        let call = proof.headers(userd_outbound::Call::post(revoke.clone()).form(form));
        revoked(&self.flow.http.send(call).await?)
    }
}
