//! Odnoklassniki: OAuth 2.0 whose API calls carry an MD5 signature, with errors at status 200.

use async_trait::async_trait;
use md5::{Digest as _, Md5};
use serde_json::json;
use url::Url;
use userd_model::Timestamp;
use userd_outbound::{Call, ConfigError, Secret};

use crate::{
    answer::{ReadAnswer, full_name, locale, note_email, picture, text, text_or_number},
    builder::{ProviderBuilder, blank_profile, missing},
    code_flow::CodeFlow,
    config::TokenAuth,
    fault::ProviderFault,
    profile::{Profile, subject},
    provider::{Begin, Callback, Capabilities, Facts, Provider, Redirect},
};

const ISSUER: &str = "https://ok.ru";

pub(crate) struct Odnoklassniki {
    facts: Facts,
    flow: CodeFlow,
    authorize: Url,
    token: Url,
    userinfo: Url,
    application_key: String,
    secret: Secret,
    trust_email: Option<bool>,
}

impl Odnoklassniki {
    pub(crate) fn new(builder: &ProviderBuilder<'_>) -> Result<Self, ConfigError> {
        let config = builder.config;
        let at = &config.endpoints;
        let authorize =
            builder.endpoint("authorize", at.authorize.as_ref(), "https://connect.ok.ru/oauth/authorize")?;
        let token = builder.endpoint("token", at.token.as_ref(), "https://api.ok.ru/oauth/token.do")?;
        let userinfo = builder.endpoint("userinfo", at.userinfo.as_ref(), "https://api.ok.ru/fb.do")?;
        let http = builder.http(&[&authorize, &token, &userinfo])?;
        let auth = builder.client_auth(TokenAuth::Post, ISSUER)?;
        let capabilities = Capabilities { browser: true, ..Capabilities::default() };
        Ok(Self {
            facts: builder.facts(builder.issuer(ISSUER), capabilities, false)?,
            flow: builder.code_flow(http, auth, &["VALUABLE_ACCESS"], ";"),
            authorize,
            token,
            userinfo,
            application_key: config.application_key.clone().ok_or_else(|| missing("application_key"))?,
            secret: builder.secret.clone().ok_or_else(|| missing("client_secret"))?,
            trust_email: config.trust_email,
        })
    }

    async fn who(&self, token: &Secret) -> Result<Profile, ProviderFault> {
        let mut fields = vec![
            ("application_key", self.application_key.as_str()),
            ("format", "JSON"),
            ("method", "users.getCurrentUser"),
        ];
        let signature = signature(&fields, token.expose(), self.secret.expose());
        fields.extend([("access_token", token.expose()), ("sig", signature.as_str())]);
        let info = self.flow.http.send(Call::post(self.userinfo.clone()).form(fields)).await?.good()?;
        let mut profile = blank_profile(&self.facts, subject(text_or_number(&info, "uid").as_deref())?);
        note_email(&mut profile, text(&info, "email"), (self.trust_email, None), |_| false);
        profile.name = text(&info, "name").or_else(|| full_name(text(&info, "first_name"), text(&info, "last_name")));
        profile.picture = picture(text(&info, "pic_3").or_else(|| text(&info, "pic_2")));
        profile.birthday = text(&info, "birthday");
        profile.locale = locale(text(&info, "locale"));
        Ok(profile)
    }
}

/// `md5(sorted "k=v" without the token + md5(token + secret))`. MD5 is their protocol; nothing of ours rests on it.
fn signature(fields: &[(&str, &str)], access_token: &str, secret: &str) -> String {
    let md5 = |text: &str| hex::encode(Md5::digest(text.as_bytes()));
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let joined: String = sorted.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let session_secret = md5(&format!("{access_token}{secret}"));
    md5(&format!("{joined}{session_secret}"))
}

#[async_trait]
impl Provider for Odnoklassniki {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    async fn begin(&self, begin: &Begin<'_>) -> Result<Redirect, ProviderFault> {
        let url = self.flow.authorize_url(&self.authorize, begin, &[]);
        Ok(Redirect { url, remember: json!({}), form_post: false })
    }

    async fn finish(&self, callback: &Callback<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        let answer = self.flow.exchange(&self.token, callback, (&[], &[]), now).await?;
        let mut profile = self.who(answer.access_token()?).await?;
        profile.tokens = answer.tokens(None).filter(|_| self.facts.policy.keep_tokens);
        Ok(profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signature that two independent implementations compute.
    #[test]
    fn the_known_signature_comes_out() {
        let fields = [("method", "users.getCurrentUser"), ("application_key", "CBAPUBLICKEY"), ("format", "JSON")];
        assert_eq!(signature(&fields, "tkn1-abc", "SECRETKEY"), "74d712ac96556c4749081794725bec94");
    }
}
