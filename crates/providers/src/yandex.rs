//! Yandex ID: OAuth 2.0 with a user-info call and, for apps, a JWT of its own. Not OpenID Connect.
//!
//! The subject is the global `id`. Every answer is checked to be about our client, because a token of any other
//! Yandex app opens the same user-info page.

use async_trait::async_trait;
use serde_json::json;
use url::Url;
use userd_jose::{Claims, hs256};
use userd_model::Timestamp;
use userd_outbound::{ConfigError, Secret};

use crate::{
    answer::{Members, full_name, note_email, phone, text},
    builder::{ProviderBuilder, blank_profile, sibling},
    code_flow::CodeFlow,
    config::{TokenAuth, UserinfoAuth},
    digest::sha256,
    fault::ProviderFault,
    id_token::{MAX_TOKEN, SKEW, STALE, refusal},
    profile::{Profile, ProviderTokens, ReplayKey, SubjectKey, subject},
    provider::{Begin, Callback, Capabilities, Facts, NativeProof, Provider, Redirect},
};

const ISSUER: &str = "https://login.yandex.ru";
const JWT_ISSUER: &str = "login.yandex.ru";

/// Domains whose mailboxes only Yandex gives out.
const OWN_DOMAINS: [&str; 7] =
    ["yandex.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.com.tr", "yandex.ua", "ya.ru"];

pub(crate) struct Yandex {
    facts: Facts,
    flow: CodeFlow,
    authorize: Url,
    token: Url,
    userinfo: Url,
    revoke: Url,
    secret: Option<Secret>,
    native_client_ids: Vec<String>,
    trust_email: Option<bool>,
}

impl Yandex {
    pub(crate) fn new(builder: &ProviderBuilder<'_>) -> Result<Self, ConfigError> {
        let config = builder.config;
        let region = config.region.as_deref().unwrap_or("ru");
        if !["ru", "com", "kz", "by", "com.tr"].contains(&region) {
            return Err(ConfigError::new("region", "must be ru, com, kz, by or com.tr"));
        }
        let at = &config.endpoints;
        let authorize = builder.endpoint(
            "authorize",
            at.authorize.as_ref(),
            &format!("https://oauth.yandex.{region}/authorize"),
        )?;
        let token = builder.endpoint("token", at.token.as_ref(), &format!("https://oauth.yandex.{region}/token"))?;
        let userinfo = builder.endpoint("userinfo", at.userinfo.as_ref(), "https://login.yandex.ru/info")?;
        let revoke = builder.endpoint("revoke", at.revoke.as_ref(), sibling(&token, "/revoke_token").as_str())?;
        let native = builder.native(true);
        let capabilities = Capabilities {
            browser: true,
            native_access_token: native,
            native_id_token: native && builder.secret.is_some(),
            native_code: native,
            refresh: true,
            revoke: true,
            ..Capabilities::default()
        };
        let http = builder.http(&[&authorize, &token, &userinfo, &revoke])?;
        let auth = builder.client_auth(TokenAuth::Basic, ISSUER)?;
        Ok(Self {
            facts: builder.facts(builder.issuer(ISSUER), capabilities, true)?,
            // Without a scope the token has the rights that were ticked when the app was registered; asking for
            // one that was not ticked is an error.
            flow: builder.code_flow(http, auth, &[], " "),
            authorize,
            token,
            userinfo,
            revoke,
            secret: builder.secret.clone(),
            native_client_ids: builder.native_client_ids(),
            trust_email: config.trust_email,
        })
    }

    /// Who the token is about, if it was issued to one of `clients`.
    async fn who(&self, token: &Secret, clients: &[String]) -> Result<Profile, ProviderFault> {
        let info = self.flow.userinfo(&self.userinfo, UserinfoAuth::OAuth, token).await?;
        let client_id = text(&info, "client_id").filter(|id| clients.contains(id));
        let client_id = client_id.ok_or(ProviderFault::Refused("client_mismatch"))?;
        let id = text(&info, "id").filter(|id| id.bytes().all(|b| b.is_ascii_digit()));
        let mut profile = blank_profile(&self.facts, subject(id.as_deref())?);
        profile.client_id = client_id;
        self.describe(&mut profile, &info);
        Ok(profile)
    }

    fn describe(&self, profile: &mut Profile, info: &Members) {
        let first_listed = || info.get("emails")?.as_array()?.first()?.as_str().map(str::to_owned);
        self.note_email(profile, text(info, "default_email").or_else(first_listed));
        profile.phone = phone(info.get("default_phone").and_then(|p| p.as_object()).and_then(|p| text(p, "number")));
        profile.username = text(info, "login");
        let parts = full_name(text(info, "first_name"), text(info, "last_name"));
        profile.name = text(info, "real_name").or(parts).or_else(|| text(info, "display_name"));
        let has_avatar = info.get("is_avatar_empty").and_then(serde_json::Value::as_bool) == Some(false);
        profile.picture = text(info, "default_avatar_id").filter(|_| has_avatar).and_then(|id| avatar(&id));
        profile.birthday = text(info, "birthday");
        self.note_psuid(profile, text(info, "psuid"));
        if let Some(sex) = text(info, "sex") {
            profile.extra.insert("sex".into(), sex.into());
        }
    }

    fn note_psuid(&self, profile: &mut Profile, psuid: Option<String>) {
        profile.secondary = psuid
            .and_then(|psuid| subject(Some(&psuid)).ok())
            .map(|psuid| SubjectKey { issuer: format!("{}#psuid", self.facts.issuer), subject: psuid });
    }

    /// Yandex tells no flag, and the default address may be anybody's: only its own domains are proof.
    fn note_email(&self, profile: &mut Profile, given: Option<String>) {
        note_email(profile, given, (self.trust_email, None), |email| OWN_DOMAINS.contains(&email.domain()));
    }

    /// The JWT that an app gets from user-info. It names no client and lives for a year, so: our secret must have
    /// signed it, it must be fresh, and it counts once.
    fn who_by_jwt(&self, token: &str, now: Timestamp) -> Result<Profile, ProviderFault> {
        let secret = self.secret.as_ref().ok_or(ProviderFault::Refused("not_supported"))?;
        let claims = hs256::verify(token, secret.expose().as_bytes(), MAX_TOKEN).map_err(refusal)?;
        let (uid, replay_key) = self.check_jwt(&claims, now)?;
        let mut profile = blank_profile(&self.facts, subject(Some(&uid.to_string()))?);
        profile.replay_keys.push(replay_key);
        let members = claims.into_members();
        self.note_email(&mut profile, text(&members, "email"));
        profile.username = text(&members, "login");
        profile.name = text(&members, "name").or_else(|| text(&members, "display_name"));
        profile.picture = text(&members, "avatar_id").and_then(|id| avatar(&id));
        profile.birthday = text(&members, "birthday");
        self.note_psuid(&mut profile, text(&members, "psuid"));
        Ok(profile)
    }

    fn check_jwt(&self, claims: &Claims, now: Timestamp) -> Result<(i64, ReplayKey), ProviderFault> {
        let absent = |name| move || ProviderFault::malformed_token(format_args!("the claim {name} is absent"));
        if claims.text("iss").map_err(refusal)? != Some(JWT_ISSUER) {
            return Err(ProviderFault::Refused("issuer_mismatch"));
        }
        let issued = Timestamp::from_seconds(claims.numeric_date("iat").map_err(refusal)?.ok_or_else(absent("iat"))?);
        let expires = Timestamp::from_seconds(claims.numeric_date("exp").map_err(refusal)?.ok_or_else(absent("exp"))?);
        if expires.plus(SKEW) <= now {
            return Err(ProviderFault::Refused("token_expired"));
        }
        if issued > now.plus(SKEW) {
            return Err(ProviderFault::Refused("token_not_yet_valid"));
        }
        if issued.plus(STALE) < now {
            return Err(ProviderFault::Refused("token_stale"));
        }
        let uid = claims.integer("uid").map_err(refusal)?.filter(|uid| *uid > 0);
        let uid = uid.ok_or(ProviderFault::Refused("subject_missing"))?;
        let jti = claims.text("jti").map_err(refusal)?.filter(|jti| !jti.is_empty());
        let jti = jti.ok_or_else(absent("jti"))?;
        let hash = sha256(format!("yandex jwt\n{}\n{jti}", self.facts.client_id).as_bytes());
        Ok((
            uid,
            ReplayKey { hash, purpose: "yandex_jwt", until: issued.plus(STALE).plus(SKEW), again_by_holder: false },
        ))
    }
}

/// The picture's address; the id contains a slash.
fn avatar(id: &str) -> Option<String> {
    let clean = id.len() <= 200 && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_'));
    (clean && !id.is_empty()).then(|| format!("https://avatars.yandex.net/get-yapic/{id}/islands-200"))
}

#[async_trait]
impl Provider for Yandex {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    async fn begin(&self, begin: &Begin<'_>) -> Result<Redirect, ProviderFault> {
        let mut more = vec![("device_id", begin.device_id)];
        more.extend(begin.login_hint.map(|hint| ("login_hint", hint)));
        let url = self.flow.authorize_url(&self.authorize, begin, &more);
        Ok(Redirect { url, remember: json!({ "device_id": begin.device_id }), form_post: false })
    }

    async fn finish(&self, callback: &Callback<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        let device_id = callback.remember.get("device_id").and_then(|d| d.as_str());
        let more: Vec<_> = device_id.map(|id| ("device_id", id)).into_iter().collect();
        let answer = self.flow.exchange(&self.token, callback, (&more, &[]), now).await?;
        let mut profile = self.who(answer.access_token()?, std::slice::from_ref(&self.facts.client_id)).await?;
        profile.tokens = answer.tokens(device_id).filter(|_| self.facts.policy.keep_tokens);
        Ok(profile)
    }

    async fn native(&self, proof: &NativeProof<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        let capabilities = self.facts.capabilities;
        match *proof {
            NativeProof::AccessToken(token) if capabilities.native_access_token => {
                self.who(&Secret::new(token), &self.native_client_ids).await
            }
            NativeProof::IdToken { nonce: Some(_), .. } if capabilities.native_id_token => {
                Err(ProviderFault::Refused("nonce_missing"))
            }
            NativeProof::IdToken { token, nonce: None } if capabilities.native_id_token => self.who_by_jwt(token, now),
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

    /// Yandex lets an app revoke only tokens that are bound to a device.
    async fn revoke(&self, tokens: &ProviderTokens, now: Timestamp) -> Result<(), ProviderFault> {
        if tokens.device_id.is_none() {
            return Ok(());
        }
        let fields = vec![("access_token", tokens.access_token.expose())];
        match self.flow.authenticated(&self.revoke, fields, &[], now).await {
            Ok(_) | Err(ProviderFault::Refused(_)) => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}
