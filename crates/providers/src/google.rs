//! Google: OpenID Connect with two spellings of its issuer and a rule of its own for addresses.

use std::sync::Arc;

use async_trait::async_trait;
use url::Url;
use userd_model::Timestamp;
use userd_outbound::ConfigError;

use crate::{
    answer::{note_email, text, truth},
    builder::ProviderBuilder,
    config::Mapping,
    discovery::{MetadataSource, Written, issuer_url},
    fault::ProviderFault,
    id_token::{IdToken, IdTokens, IssuerRule},
    mapping::Mapped,
    openid::OpenId,
    profile::{Profile, ProviderTokens},
    provider::{Begin, Callback, Capabilities, Facts, NativeProof, Provider, Redirect},
};

const ISSUER: &str = "https://accounts.google.com";
const SCOPES: [&str; 3] = ["openid", "email", "profile"];

pub(crate) struct Google {
    openid: OpenId,
    trust_email: Option<bool>,
}

impl Google {
    pub(crate) fn new(builder: &ProviderBuilder<'_>) -> Result<Self, ConfigError> {
        let issuer = builder.issuer(ISSUER);
        let at = issuer_url(&issuer)?;
        let written = Written::read(builder)?;
        let configured: Vec<&Url> = written.urls().chain([&at]).collect();
        let http = builder.http(&configured)?;
        let metadata = match written.complete() {
            Some(metadata) => MetadataSource::Fixed(Arc::new(metadata)),
            None => MetadataSource::discover(Arc::clone(&http), &at, issuer.clone(), written),
        };
        let (flow, flow_with_form) = OpenId::flows(builder, &http, &issuer, &SCOPES)?;
        let native = builder.native(true);
        let capabilities = Capabilities {
            browser: true,
            native_id_token: native,
            native_code: native,
            refresh: true,
            revoke: true,
            ..Capabilities::default()
        };
        let spellings = vec![issuer.clone(), issuer.trim_start_matches("https://").to_owned()];
        Ok(Self {
            openid: OpenId {
                facts: builder.facts(issuer, capabilities, false)?,
                flow,
                flow_with_form,
                metadata,
                id_tokens: IdTokens::new(http, IssuerRule::Exact(spellings), builder.config)?,
                nonce_required: true,
                native_client_ids: builder.native_client_ids(),
            },
            trust_email: builder.config.trust_email,
        })
    }

    /// Google answers for `@gmail.com` and for the domains it hosts (`hd`, from the token, never from a request); any
    /// other address was proven once and may belong to somebody else today.
    fn describe(&self, token: &IdToken) -> Profile {
        let mut profile = self.openid.profile(token);
        let mapping = Mapping::default();
        Mapped { members: &token.claims, mapping: &mapping }.describe(&mut profile, None, &[]);
        let claimed = truth(token.claims.get("email_verified"));
        let hosted = text(&token.claims, "hd");
        let email = profile.email.take();
        note_email(&mut profile, email, (self.trust_email, claimed), |email| {
            claimed == Some(true) && (email.domain() == "gmail.com" || hosted.is_some())
        });
        if let Some(hosted) = hosted {
            profile.extra.insert("hd".into(), hosted.into());
        }
        profile
    }
}

#[async_trait]
impl Provider for Google {
    fn facts(&self) -> &Facts {
        &self.openid.facts
    }

    async fn begin(&self, begin: &Begin<'_>) -> Result<Redirect, ProviderFault> {
        let mut more = Vec::new();
        more.extend(begin.locale.map(|locale| ("hl", locale)));
        more.extend(begin.login_hint.map(|hint| ("login_hint", hint)));
        if self.openid.facts.policy.keep_tokens {
            more.push(("access_type", "offline"));
        }
        self.openid.begin(begin, &more).await
    }

    async fn finish(&self, callback: &Callback<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        let (token, answer) = self.openid.finish(callback, now).await?;
        let mut profile = self.describe(&token);
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
