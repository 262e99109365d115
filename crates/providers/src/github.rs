//! GitHub and GitHub Enterprise Server: OAuth 2.0 with a user-info call, errors with status 200, a list of addresses.
//! The subject is the numeric id, because a login can be renamed and taken by somebody else.

use async_trait::async_trait;
use serde_json::{Value, json};
use url::Url;
use userd_model::Timestamp;
use userd_outbound::{Call, ConfigError, Secret};

use crate::{
    answer::{Members, ReadAnswer, note_email, picture, text},
    builder::{ProviderBuilder, blank_profile},
    client_auth::basic,
    code_flow::{CodeFlow, show_token},
    config::{TokenAuth, UserinfoAuth},
    fault::ProviderFault,
    openid::revoked,
    profile::{Profile, ProviderTokens, subject},
    provider::{Begin, Callback, Capabilities, Facts, NativeProof, Provider, Redirect},
};

const ISSUER: &str = "https://github.com";
const API_VERSION: (&str, &str) = ("x-github-api-version", "2022-11-28");

pub(crate) struct Github {
    facts: Facts,
    flow: CodeFlow,
    authorize: Url,
    token: Url,
    userinfo: Url,
    emails: Url,
    check_token: Url,
    secret: Option<Secret>,
    trust_email: Option<bool>,
}

impl Github {
    pub(crate) fn new(builder: &ProviderBuilder<'_>) -> Result<Self, ConfigError> {
        let config = builder.config;
        let at = &config.endpoints;
        let authorize =
            builder.endpoint("authorize", at.authorize.as_ref(), "https://github.com/login/oauth/authorize")?;
        let token = builder.endpoint("token", at.token.as_ref(), "https://github.com/login/oauth/access_token")?;
        let userinfo = builder.endpoint("userinfo", at.userinfo.as_ref(), "https://api.github.com/user")?;
        let emails = format!("{}/emails", userinfo.as_str().trim_end_matches('/'));
        let emails = builder.endpoint("emails", at.emails.as_ref(), &emails)?;
        // Next to `/user`, also below `/api/v3/` of an Enterprise Server.
        let next_to =
            userinfo.join(&format!("applications/{}/token", config.client_id)).unwrap_or_else(|_| userinfo.clone());
        let check_token = builder.endpoint("check_token", at.check_token.as_ref(), next_to.as_str())?;
        let http = builder.http(&[&authorize, &token, &userinfo, &emails, &check_token])?;
        let auth = builder.client_auth(TokenAuth::Post, ISSUER)?;
        let capabilities = Capabilities {
            browser: true,
            native_access_token: builder.native(false) && builder.secret.is_some(),
            native_code: builder.native(false),
            revoke: builder.secret.is_some(),
            ..Capabilities::default()
        };
        Ok(Self {
            facts: builder.facts(builder.issuer(ISSUER), capabilities, false)?,
            flow: builder.code_flow(http, auth, &["read:user", "user:email"], " "),
            authorize,
            token,
            userinfo,
            emails,
            check_token,
            secret: builder.secret.clone(),
            trust_email: config.trust_email,
        })
    }

    async fn who(&self, token: &Secret) -> Result<Profile, ProviderFault> {
        let user = self.flow.http.send(ask(&self.userinfo, token)).await?.good()?;
        self.describe(&user, token).await
    }

    async fn describe(&self, user: &Members, token: &Secret) -> Result<Profile, ProviderFault> {
        let id = user.get("id").and_then(Value::as_u64).map(|id| id.to_string());
        let mut profile = blank_profile(&self.facts, subject(id.as_deref())?);
        profile.username = text(user, "login");
        profile.name = text(user, "name").or_else(|| text(user, "login"));
        profile.picture = picture(text(user, "avatar_url"));
        if let Some((email, verified)) = self.primary_email(token).await? {
            note_email(&mut profile, Some(email), (self.trust_email, Some(verified)), |_| verified);
        }
        Ok(profile)
    }

    /// The primary address and whether GitHub verified it. The address in the public profile is what the person
    /// wrote there, so it is never read; a no-reply address is nobody's mailbox.
    async fn primary_email(&self, token: &Secret) -> Result<Option<(String, bool)>, ProviderFault> {
        let answer = self.flow.http.send(ask(&self.emails, token)).await?;
        if matches!(answer.status, 403 | 404) {
            return Ok(None);
        }
        let list = if answer.status == 200 { answer.value()? } else { Value::Object(answer.good()?) };
        let primary = list.as_array().into_iter().flatten().find(|entry| entry.get("primary") == Some(&true.into()));
        Ok(primary.and_then(|entry| {
            let email = entry.get("email")?.as_str().filter(|e| e.contains('@'))?;
            let no_reply = email.to_ascii_lowercase().ends_with("@users.noreply.github.com");
            (!no_reply).then(|| (email.to_owned(), entry.get("verified") == Some(&true.into())))
        }))
    }

    fn app_call(&self, call: Call, token: &Secret) -> Result<Call, ProviderFault> {
        let secret = self.secret.as_ref().ok_or(ProviderFault::Refused("not_supported"))?;
        let credentials = basic(&self.facts.client_id, secret.expose());
        let call = call.header("authorization", &credentials).header(API_VERSION.0, API_VERSION.1);
        Ok(call.json(&json!({ "access_token": token.expose() })))
    }

    /// A token that an app hands over must have been issued to our client: GitHub says so, nobody else.
    async fn who_by_token(&self, token: &Secret) -> Result<Profile, ProviderFault> {
        let answer = self.flow.http.send(self.app_call(Call::post(self.check_token.clone()), token)?).await?;
        if matches!(answer.status, 404 | 422) {
            return Err(ProviderFault::Refused("client_mismatch"));
        }
        let checked = answer.good()?;
        let named = checked.get("app").and_then(|app| app.get("client_id")).and_then(Value::as_str);
        if named.is_some_and(|named| named != self.facts.client_id) {
            return Err(ProviderFault::Refused("client_mismatch"));
        }
        let user = checked.get("user").and_then(Value::as_object).ok_or(ProviderFault::Refused("subject_missing"))?;
        self.describe(user, token).await
    }
}

fn ask(url: &Url, token: &Secret) -> Call {
    show_token(url, UserinfoAuth::Bearer, token).header(API_VERSION.0, API_VERSION.1)
}

#[async_trait]
impl Provider for Github {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    async fn begin(&self, begin: &Begin<'_>) -> Result<Redirect, ProviderFault> {
        let more: Vec<_> = begin.login_hint.map(|hint| ("login", hint)).into_iter().collect();
        let url = self.flow.authorize_url(&self.authorize, begin, &more);
        Ok(Redirect { url, remember: Value::Null, form_post: false })
    }

    async fn finish(&self, callback: &Callback<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        let answer = self.flow.exchange(&self.token, callback, (&[], &[]), now).await?;
        let mut profile = self.who(answer.access_token()?).await?;
        profile.tokens = answer.tokens(None).filter(|_| self.facts.policy.keep_tokens);
        Ok(profile)
    }

    async fn native(&self, proof: &NativeProof<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        let capabilities = self.facts.capabilities;
        match *proof {
            NativeProof::AccessToken(token) if capabilities.native_access_token => {
                self.who_by_token(&Secret::new(token)).await
            }
            NativeProof::Code { code, verifier, redirect_uri, nonce: None } if capabilities.native_code => {
                let answer = self.flow.redeem(&self.token, code, verifier, redirect_uri, (&[], &[]), now).await?;
                self.who(answer.access_token()?).await
            }
            _ => Err(ProviderFault::Refused("not_supported")),
        }
    }

    async fn revoke(&self, tokens: &ProviderTokens, _now: Timestamp) -> Result<(), ProviderFault> {
        let call = self.app_call(Call::delete(self.check_token.clone()), &tokens.access_token)?;
        revoked(&self.flow.http.send(call).await?)
    }
}
