//! VK ID: OAuth 2.1 with a device id from the callback, a state that is echoed twice, and errors with status 200.

use async_trait::async_trait;
use serde_json::{Value, json};
use url::Url;
use userd_model::Timestamp;
use userd_outbound::{Call, ConfigError, Secret};

use crate::{
    answer::{Members, ReadAnswer, full_name, note_email, phone, picture, text, text_or_number},
    builder::{ProviderBuilder, blank_profile, sibling},
    code_flow::CodeFlow,
    config::TokenAuth,
    digest::same,
    fault::ProviderFault,
    profile::{Profile, ProviderTokens, subject},
    provider::{Begin, Callback, Capabilities, Facts, Provider, Redirect},
};

const ISSUER: &str = "https://id.vk.ru";

pub(crate) struct Vk {
    facts: Facts,
    flow: CodeFlow,
    authorize: Url,
    token: Url,
    userinfo: Url,
    revoke: Url,
    trust_email: Option<bool>,
}

impl Vk {
    pub(crate) fn new(builder: &ProviderBuilder<'_>) -> Result<Self, ConfigError> {
        let at = &builder.config.endpoints;
        let authorize = builder.endpoint("authorize", at.authorize.as_ref(), "https://id.vk.ru/authorize")?;
        let token = builder.endpoint("token", at.token.as_ref(), "https://id.vk.ru/oauth2/auth")?;
        let userinfo = builder.endpoint("userinfo", at.userinfo.as_ref(), "https://id.vk.ru/oauth2/user_info")?;
        let revoke = builder.endpoint("revoke", at.revoke.as_ref(), sibling(&token, "/oauth2/revoke").as_str())?;
        let http = builder.http(&[&authorize, &token, &userinfo, &revoke])?;
        let auth = builder.client_auth(TokenAuth::Post, ISSUER)?;
        let capabilities = Capabilities { browser: true, refresh: true, revoke: true, ..Capabilities::default() };
        Ok(Self {
            facts: builder.facts(builder.issuer(ISSUER), capabilities, false)?,
            flow: builder.code_flow(http, auth, &["vkid.personal_info", "email"], " "),
            authorize,
            token,
            userinfo,
            revoke,
            trust_email: builder.config.trust_email,
        })
    }

    async fn who(&self, token: &Secret) -> Result<Profile, ProviderFault> {
        let form = [("client_id", self.facts.client_id.as_str()), ("access_token", token.expose())];
        let answer = self.flow.http.send(Call::post(self.userinfo.clone()).form(form)).await?.good()?;
        let nobody = Members::new();
        let user = answer.get("user").and_then(Value::as_object).unwrap_or(&nobody);
        let mut profile = blank_profile(&self.facts, subject(text_or_number(user, "user_id").as_deref())?);
        // `verified` there is the tick of a famous account, not the address.
        note_email(&mut profile, text(user, "email"), (self.trust_email, None), |_| false);
        profile.phone = phone(text(user, "phone"));
        profile.name = full_name(text(user, "first_name"), text(user, "last_name"));
        profile.picture = picture(text(user, "avatar"));
        profile.birthday = text(user, "birthday");
        Ok(profile)
    }
}

/// The device id that VK ID adds to the callback; without it the code cannot be redeemed.
fn device_id<'a>(callback: &Callback<'a>) -> Result<&'a str, ProviderFault> {
    let fine = |id: &&str| (1..=255).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    callback.param("device_id").filter(fine).ok_or(ProviderFault::Refused("callback_malformed"))
}

#[async_trait]
impl Provider for Vk {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    async fn begin(&self, begin: &Begin<'_>) -> Result<Redirect, ProviderFault> {
        // VK's own documentation and SDKs write the method in lower case.
        let url = self.flow.authorize_url(&self.authorize, begin, &[("code_challenge_method", "s256")]);
        Ok(Redirect { url, remember: json!({}), form_post: false })
    }

    async fn finish(&self, callback: &Callback<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        callback.code()?;
        let device_id = device_id(callback)?;
        let more = [("device_id", device_id), ("state", callback.state)];
        let answer = self.flow.exchange(&self.token, callback, (&more, &[]), now).await?;
        let echoed = text(&answer.members, "state").unwrap_or_default();
        if !same(echoed.as_bytes(), callback.state.as_bytes()) {
            return Err(ProviderFault::Refused("state_mismatch"));
        }
        let mut profile = self.who(answer.access_token()?).await?;
        if text_or_number(&answer.members, "user_id").is_some_and(|id| id != profile.subject) {
            return Err(ProviderFault::Refused("subject_mismatch"));
        }
        profile.tokens = answer.tokens(Some(device_id)).filter(|_| self.facts.policy.keep_tokens);
        Ok(profile)
    }

    async fn refresh(&self, tokens: &ProviderTokens, now: Timestamp) -> Result<ProviderTokens, ProviderFault> {
        let device_id = tokens.device_id.as_deref().ok_or(ProviderFault::Refused("not_supported"))?;
        self.flow.refresh(&self.token, tokens, (&[("device_id", device_id)], &[]), now).await
    }

    async fn revoke(&self, tokens: &ProviderTokens, now: Timestamp) -> Result<(), ProviderFault> {
        let fields = vec![("access_token", tokens.access_token.expose())];
        match self.flow.authenticated(&self.revoke, fields, &[], now).await {
            Ok(_) | Err(ProviderFault::Refused(_)) => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}
