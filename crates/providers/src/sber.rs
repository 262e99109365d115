//! Sber ID: mutual TLS, a request id on every call, and ID tokens whose signature (GOST) is not checked here. What
//! they say counts only because they come from the token endpoint itself, over mutual TLS.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use url::Url;
use userd_model::{Random, Timestamp};
use userd_outbound::{ConfigError, Secret};

use crate::{
    answer::{Members, ReadAnswer, full_name, note_email, phone, text},
    builder::{ProviderBuilder, blank_profile, missing},
    code_flow::{CodeFlow, show_token},
    config::{TokenAuth, UserinfoAuth},
    digest::same,
    fault::ProviderFault,
    id_token::MAX_TOKEN,
    profile::{Profile, subject},
    provider::{Begin, Callback, Capabilities, Facts, Provider, Redirect},
};

const ISSUER: &str = "https://id.sber.ru";

pub(crate) struct Sber {
    facts: Facts,
    flow: CodeFlow,
    authorize: Url,
    token: Url,
    userinfo: Url,
    completed: Option<Url>,
    random: Arc<dyn Random>,
    trust_email: Option<bool>,
}

impl Sber {
    pub(crate) fn new(builder: &ProviderBuilder<'_>) -> Result<Self, ConfigError> {
        let config = builder.config;
        let at = &config.endpoints;
        let authorize =
            builder.endpoint("authorize", at.authorize.as_ref(), "https://id.sber.ru/CSAFront/oidc/authorize.do")?;
        let token = builder.endpoint("token", at.token.as_ref(), "https://oauth.sber.ru/ru/prod/tokens/v2/oidc")?;
        let userinfo = builder.endpoint(
            "userinfo",
            at.userinfo.as_ref(),
            "https://oauth.sber.ru/ru/prod/sberbankid/v2.1/userinfo",
        )?;
        let completed = at.completed.as_ref().map(|url| crate::builder::endpoint("completed", url)).transpose()?;
        if config.client_certificate_file.is_none() && at.token.is_none() {
            return Err(missing("client_certificate_file"));
        }
        let mut configured = vec![&authorize, &token, &userinfo];
        configured.extend(&completed);
        let http = builder.http(&configured)?;
        let auth = builder.client_auth(TokenAuth::Post, ISSUER)?;
        let capabilities = Capabilities { browser: true, ..Capabilities::default() };
        Ok(Self {
            facts: builder.facts(builder.issuer(ISSUER), capabilities, false)?,
            flow: builder.code_flow(http, auth, &["openid", "name", "email", "mobile"], " "),
            authorize,
            token,
            userinfo,
            completed,
            random: Arc::clone(&builder.dependencies.random),
            trust_email: config.trust_email,
        })
    }

    /// 32 hexadecimal digits, another for every call.
    fn request_id(&self) -> String {
        hex::encode(self.random.id_bytes())
    }

    async fn who(&self, token: &Secret, claims: &Members) -> Result<Profile, ProviderFault> {
        let ask = |url: &Url| show_token(url, UserinfoAuth::Bearer, token).header("rquid", &self.request_id());
        let info = self.flow.http.send(ask(&self.userinfo)).await?.good()?;
        let sub = subject(text(&info, "sub").as_deref())?;
        if text(claims, "sub").as_deref() != Some(&sub) {
            return Err(ProviderFault::Refused("subject_mismatch"));
        }
        if let Some(url) = &self.completed
            && let Err(fault) = self.flow.http.send(ask(url)).await
        {
            tracing::warn!(%fault, "Sber ID was not told that the sign-in is complete");
        }
        let mut profile = blank_profile(&self.facts, sub);
        note_email(&mut profile, text(&info, "email"), (self.trust_email, None), |_| false);
        profile.phone = phone(text(&info, "phone_number"));
        profile.name = full_name(text(&info, "given_name"), text(&info, "family_name")).or_else(|| text(&info, "name"));
        profile.birthday = text(&info, "birthdate");
        Ok(profile)
    }

    /// The claims of a token that came over mutual TLS for this very flow.
    fn claims(&self, id_token: &str, nonce: &str) -> Result<Members, ProviderFault> {
        let payload = id_token.split('.').nth(1).filter(|_| id_token.len() <= MAX_TOKEN);
        let payload = payload.ok_or_else(|| ProviderFault::malformed_token("it is too long, or has no payload"))?;
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).map_err(ProviderFault::malformed_token)?;
        let claims = userd_jose::strict_json::object(&payload).map_err(ProviderFault::malformed_token)?;
        let found = text(&claims, "nonce").ok_or(ProviderFault::Refused("nonce_missing"))?;
        if !same(found.as_bytes(), nonce.as_bytes()) {
            return Err(ProviderFault::Refused("nonce_mismatch"));
        }
        let for_us = match claims.get("aud") {
            Some(serde_json::Value::Array(many)) => many.len() == 1 && many.iter().any(|a| a == &self.facts.client_id),
            Some(one) => one == &self.facts.client_id,
            None => false,
        };
        if for_us { Ok(claims) } else { Err(ProviderFault::Refused("audience_mismatch")) }
    }
}

#[async_trait]
impl Provider for Sber {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    async fn begin(&self, begin: &Begin<'_>) -> Result<Redirect, ProviderFault> {
        let url = self.flow.authorize_url(&self.authorize, begin, &[("nonce", begin.nonce)]);
        Ok(Redirect { url, remember: json!({}), form_post: false })
    }

    async fn finish(&self, callback: &Callback<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        let request_id = self.request_id();
        let answer = self.flow.exchange(&self.token, callback, (&[], &[("rquid", &request_id)]), now).await?;
        let id_token = answer.id_token.as_ref().ok_or(ProviderFault::Refused("token_missing"))?;
        let claims = self.claims(id_token.expose(), callback.nonce)?;
        let mut profile = self.who(answer.access_token()?, &claims).await?;
        profile.tokens = answer.tokens(None).filter(|_| self.facts.policy.keep_tokens);
        Ok(profile)
    }
}
