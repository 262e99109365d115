//! Mail.ru: OAuth 2.0 with a user-info call. The subject is `id`; the address is not, because mailboxes are given out
//! again.

use async_trait::async_trait;
use serde_json::json;
use url::Url;
use userd_model::{Email, Timestamp};
use userd_outbound::{ConfigError, Secret};

use crate::{
    answer::{full_name, locale, note_email, picture, text, text_or_number},
    builder::{ProviderBuilder, blank_profile},
    code_flow::CodeFlow,
    config::{TokenAuth, UserinfoAuth},
    fault::ProviderFault,
    profile::{Profile, ProviderTokens, subject},
    provider::{Begin, Callback, Capabilities, Facts, NativeProof, Provider, Redirect},
};

const ISSUER: &str = "https://oauth.mail.ru";

/// Domains whose mailboxes only Mail.ru gives out.
const OWN_DOMAINS: [&str; 6] = ["mail.ru", "bk.ru", "inbox.ru", "list.ru", "internet.ru", "vk.com"];

pub(crate) struct MailRu {
    facts: Facts,
    flow: CodeFlow,
    authorize: Url,
    token: Url,
    userinfo: Url,
    native_client_ids: Vec<String>,
    trust_email: Option<bool>,
}

impl MailRu {
    pub(crate) fn new(builder: &ProviderBuilder<'_>) -> Result<Self, ConfigError> {
        let at = &builder.config.endpoints;
        let authorize = builder.endpoint("authorize", at.authorize.as_ref(), "https://oauth.mail.ru/login")?;
        let token = builder.endpoint("token", at.token.as_ref(), "https://oauth.mail.ru/token")?;
        let userinfo = builder.endpoint("userinfo", at.userinfo.as_ref(), "https://oauth.mail.ru/userinfo")?;
        let http = builder.http(&[&authorize, &token, &userinfo])?;
        let auth = builder.client_auth(TokenAuth::Basic, ISSUER)?;
        let capabilities = Capabilities {
            browser: true,
            native_access_token: builder.native(false),
            refresh: true,
            ..Capabilities::default()
        };
        Ok(Self {
            facts: builder.facts(builder.issuer(ISSUER), capabilities, false)?,
            flow: builder.code_flow(http, auth, &["userinfo"], " "),
            authorize,
            token,
            userinfo,
            native_client_ids: builder.native_client_ids(),
            trust_email: builder.config.trust_email,
        })
    }

    async fn who(&self, token: &Secret, clients: &[String]) -> Result<Profile, ProviderFault> {
        let info = self.flow.userinfo(&self.userinfo, UserinfoAuth::Query, token).await?;
        let client_id = text(&info, "client_id").filter(|id| clients.contains(id));
        let client_id = client_id.ok_or(ProviderFault::Refused("client_mismatch"))?;
        let mut profile = blank_profile(&self.facts, subject(text_or_number(&info, "id").as_deref())?);
        profile.client_id = client_id;
        let own = |email: &Email| OWN_DOMAINS.contains(&email.domain());
        note_email(&mut profile, text(&info, "email"), (self.trust_email, None), own);
        profile.name = text(&info, "name").or_else(|| full_name(text(&info, "first_name"), text(&info, "last_name")));
        profile.username = text(&info, "nickname");
        profile.picture = picture(text(&info, "image"));
        profile.birthday = text(&info, "birthday");
        profile.locale = locale(text(&info, "locale"));
        Ok(profile)
    }
}

#[async_trait]
impl Provider for MailRu {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    async fn begin(&self, begin: &Begin<'_>) -> Result<Redirect, ProviderFault> {
        let url = self.flow.authorize_url(&self.authorize, begin, &[]);
        Ok(Redirect { url, remember: json!({}), form_post: false })
    }

    async fn finish(&self, callback: &Callback<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        let answer = self.flow.exchange(&self.token, callback, (&[], &[]), now).await?;
        let mut profile = self.who(answer.access_token()?, std::slice::from_ref(&self.facts.client_id)).await?;
        profile.tokens = answer.tokens(None).filter(|_| self.facts.policy.keep_tokens);
        Ok(profile)
    }

    async fn native(&self, proof: &NativeProof<'_>, _now: Timestamp) -> Result<Profile, ProviderFault> {
        match *proof {
            NativeProof::AccessToken(token) if self.facts.capabilities.native_access_token => {
                self.who(&Secret::new(token), &self.native_client_ids).await
            }
            _ => Err(ProviderFault::Refused("not_supported")),
        }
    }

    async fn refresh(&self, tokens: &ProviderTokens, now: Timestamp) -> Result<ProviderTokens, ProviderFault> {
        self.flow.refresh(&self.token, tokens, (&[], &[]), now).await
    }
}
