//! T-ID (T-Bank): OAuth 2.0 whose user-info call is a POST that also wants our credentials. Its ID token is called
//! technical by the bank and is not read.

use async_trait::async_trait;
use serde_json::json;
use url::Url;
use userd_model::Timestamp;
use userd_outbound::{Call, ConfigError, Secret};
use zeroize::Zeroizing;

use crate::{
    answer::{ReadAnswer, full_name, note_email, phone, text},
    builder::{ProviderBuilder, blank_profile, sibling},
    code_flow::CodeFlow,
    config::TokenAuth,
    fault::ProviderFault,
    openid::revoked,
    profile::{Profile, ProviderTokens, subject},
    provider::{Begin, Callback, Capabilities, Facts, Provider, Redirect},
};

const ISSUER: &str = "https://id.tbank.ru";
const NO_ADAPTER: (&str, &str) = ("x-sso-no-adapter", "true");

pub(crate) struct Tid {
    facts: Facts,
    flow: CodeFlow,
    authorize: Url,
    token: Url,
    userinfo: Url,
    revoke: Url,
    secret: Option<Secret>,
    trust_email: Option<bool>,
}

impl Tid {
    pub(crate) fn new(builder: &ProviderBuilder<'_>) -> Result<Self, ConfigError> {
        let at = &builder.config.endpoints;
        let authorize = builder.endpoint("authorize", at.authorize.as_ref(), "https://id.tbank.ru/auth/authorize")?;
        let token = builder.endpoint("token", at.token.as_ref(), "https://id.tbank.ru/auth/token")?;
        let userinfo = builder.endpoint("userinfo", at.userinfo.as_ref(), "https://id.tbank.ru/userinfo/userinfo")?;
        let revoke = builder.endpoint("revoke", at.revoke.as_ref(), sibling(&token, "/auth/revoke").as_str())?;
        let http = builder.http(&[&authorize, &token, &userinfo, &revoke])?;
        let auth = builder.client_auth(TokenAuth::Basic, ISSUER)?;
        let capabilities = Capabilities { browser: true, refresh: true, revoke: true, ..Capabilities::default() };
        Ok(Self {
            facts: builder.facts(builder.issuer(ISSUER), capabilities, false)?,
            flow: builder.code_flow(http, auth, &["profile", "phone"], " "),
            authorize,
            token,
            userinfo,
            revoke,
            secret: builder.secret.clone(),
            trust_email: builder.config.trust_email,
        })
    }

    async fn who(&self, token: &Secret) -> Result<Profile, ProviderFault> {
        let bearer = Zeroizing::new(format!("Bearer {}", token.expose()));
        let mut form = vec![("client_id", self.facts.client_id.as_str())];
        form.extend(self.secret.as_ref().map(|secret| ("client_secret", secret.expose())));
        let call = Call::post(self.userinfo.clone()).header("authorization", &bearer).form(form);
        let info = self.flow.http.send(call).await?.good()?;
        let mut profile = blank_profile(&self.facts, subject(text(&info, "sub").as_deref())?);
        note_email(&mut profile, text(&info, "email"), (self.trust_email, None), |_| false);
        profile.phone = phone(text(&info, "phone_number"));
        profile.name = text(&info, "name").or_else(|| full_name(text(&info, "given_name"), text(&info, "family_name")));
        profile.birthday = text(&info, "birthdate");
        Ok(profile)
    }
}

#[async_trait]
impl Provider for Tid {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    async fn begin(&self, begin: &Begin<'_>) -> Result<Redirect, ProviderFault> {
        let url = self.flow.authorize_url(&self.authorize, begin, &[]);
        Ok(Redirect { url, remember: json!({}), form_post: false })
    }

    async fn finish(&self, callback: &Callback<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        let answer = self.flow.exchange(&self.token, callback, (&[], &[NO_ADAPTER]), now).await?;
        let mut profile = self.who(answer.access_token()?).await?;
        profile.tokens = answer.tokens(None).filter(|_| self.facts.policy.keep_tokens);
        Ok(profile)
    }

    async fn refresh(&self, tokens: &ProviderTokens, now: Timestamp) -> Result<ProviderTokens, ProviderFault> {
        self.flow.refresh(&self.token, tokens, (&[], &[NO_ADAPTER]), now).await
    }

    async fn revoke(&self, tokens: &ProviderTokens, now: Timestamp) -> Result<(), ProviderFault> {
        let proof = self.flow.auth.prove(&self.facts.client_id, now)?;
        let credentials = proof.form.iter().map(|(name, value)| (*name, value.as_str()));
        let form = crate::openid::revocation(tokens).into_iter().chain(credentials);
        let call = proof.headers(Call::post(self.revoke.clone()).form(form));
        revoked(&self.flow.http.send(call).await?)
    }
}
