//! Sign in with Apple: OpenID Connect whose client secret we sign, whose callback is a cross-site POST, and which
//! tells the person's name once and unsigned.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use url::Url;
use userd_jose::Algorithm;
use userd_model::Timestamp;
use userd_outbound::ConfigError;

use crate::{
    answer::{full_name, note_email, text, truth},
    builder::{ProviderBuilder, missing, sibling},
    client_auth::ClientAuth,
    discovery::{Metadata, MetadataSource, Written, issuer_url},
    fault::ProviderFault,
    id_token::{IdToken, IdTokens, IssuerRule},
    openid::OpenId,
    profile::{Profile, ProviderTokens},
    provider::{Begin, Callback, Capabilities, Facts, NativeProof, Provider, Redirect},
};

const ISSUER: &str = "https://appleid.apple.com";

pub(crate) struct Apple {
    openid: OpenId,
    trust_email: Option<bool>,
}

impl Apple {
    pub(crate) fn new(builder: &ProviderBuilder<'_>) -> Result<Self, ConfigError> {
        let config = builder.config;
        let issuer = builder.issuer(ISSUER);
        let metadata = metadata(builder, &issuer)?;
        let configured: Vec<&Url> =
            [&metadata.authorize, &metadata.token, &metadata.jwks].into_iter().chain(&metadata.revoke).collect();
        let http = builder.http(&configured)?;
        let team_id = config.apple.as_ref().ok_or_else(|| missing("apple.team_id"))?.team_id.clone();
        if config.key_id.is_none() {
            return Err(missing("key_id"));
        }
        let key = builder.assertion_key(Some(Algorithm::ES256))?;
        let auth = ClientAuth::AppleSecret { key, team_id, audience: issuer.clone() };
        let flow = builder.code_flow(Arc::clone(&http), auth, &["name", "email"], " ");
        let capabilities = Capabilities {
            browser: true,
            // Apple refuses any other answer once a scope is asked for.
            form_post: !flow.scopes.is_empty(),
            native_id_token: builder.native(true),
            refresh: true,
            revoke: true,
            ..Capabilities::default()
        };
        Ok(Self {
            openid: OpenId {
                facts: builder.facts(issuer.clone(), capabilities, true)?,
                flow,
                flow_with_form: None,
                metadata: MetadataSource::Fixed(Arc::new(metadata)),
                id_tokens: IdTokens::new(http, IssuerRule::Exact(vec![issuer]), config)?,
                nonce_required: true,
                native_client_ids: builder.native_client_ids(),
            },
            trust_email: config.trust_email,
        })
    }

    /// Apple proves every address it gives; its booleans may be text.
    fn describe(&self, token: &IdToken) -> Profile {
        let mut profile = self.openid.profile(token);
        let claimed = truth(token.claims.get("email_verified"));
        let email = text(&token.claims, "email");
        note_email(&mut profile, email, (self.trust_email, claimed), |_| claimed == Some(true));
        if let Some(private) = truth(token.claims.get("is_private_email")) {
            profile.extra.insert("is_private_email".into(), private.into());
        }
        profile
    }
}

fn metadata(builder: &ProviderBuilder<'_>, issuer: &str) -> Result<Metadata, ConfigError> {
    let at = issuer_url(issuer)?;
    let written = Written::read(builder)?;
    let token = written.token.unwrap_or_else(|| sibling(&at, "/auth/token"));
    Ok(Metadata {
        authorize: written.authorize.unwrap_or_else(|| sibling(&at, "/auth/authorize")),
        jwks: written.jwks.unwrap_or_else(|| sibling(&token, "/auth/keys")),
        revoke: Some(written.revoke.unwrap_or_else(|| sibling(&token, "/auth/revoke"))),
        token,
        userinfo: None,
        iss_parameter: false,
        secret_in_form: true,
    })
}

/// The name from the `user` field, which comes with the first consent only. It is not signed, so nothing else in it
/// (an address!) is read.
fn first_consent_name(user: &str) -> Option<String> {
    let user = userd_jose::strict_json::object(user.as_bytes()).ok()?;
    let name = user.get("name").and_then(Value::as_object)?;
    full_name(text(name, "firstName"), text(name, "lastName")).filter(|name| name.len() <= 400)
}

#[async_trait]
impl Provider for Apple {
    fn facts(&self) -> &Facts {
        &self.openid.facts
    }

    async fn begin(&self, begin: &Begin<'_>) -> Result<Redirect, ProviderFault> {
        let mode = if self.openid.facts.capabilities.form_post { "form_post" } else { "query" };
        self.openid.begin(begin, &[("response_mode", mode)]).await
    }

    async fn finish(&self, callback: &Callback<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        let (token, answer) = self.openid.finish(callback, now).await?;
        let mut profile = self.describe(&token);
        profile.name = callback.param("user").and_then(first_consent_name);
        profile.tokens = answer.tokens(None).filter(|_| self.openid.facts.policy.keep_tokens);
        Ok(profile)
    }

    async fn native(&self, proof: &NativeProof<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        let NativeProof::IdToken { token, nonce } = *proof else {
            return Err(ProviderFault::Refused("not_supported"));
        };
        if !self.openid.facts.capabilities.native_id_token {
            return Err(ProviderFault::Refused("not_supported"));
        }
        let token = self.openid.handed_over(token, nonce, now).await?;
        let mut profile = self.describe(&token);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_is_read_from_the_unsigned_user_field() {
        let user = r#"{"name":{"firstName":"Ann","lastName":"Lee"},"email":"victim@example.com"}"#;
        assert_eq!(first_consent_name(user).as_deref(), Some("Ann Lee"));
        assert_eq!(first_consent_name(r#"{"email":"victim@example.com"}"#), None);
        assert_eq!(first_consent_name("not json"), None);
    }
}
