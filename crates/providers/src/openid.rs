//! What every OpenID Connect provider does alike: nonce, `iss` of the callback, exchange, ID token. Which claims
//! mean what is in each provider's file.

use serde_json::json;
use userd_model::Timestamp;
use userd_outbound::ConfigError;

use crate::{
    answer::ReadAnswer,
    builder::{ProviderBuilder, blank_profile},
    code_flow::{CodeFlow, Fields},
    config::TokenAuth,
    discovery::{Metadata, MetadataSource},
    fault::ProviderFault,
    id_token::{Expect, IdToken, IdTokens, Nonce},
    profile::{Profile, ProviderTokens},
    provider::{Begin, Callback, Facts, Redirect},
    token_answer::TokenAnswer,
};

/// An OpenID Connect client.
pub(crate) struct OpenId {
    pub(crate) facts: Facts,
    pub(crate) flow: CodeFlow,
    /// The same flow with the secret in the form, for a provider that takes it only there.
    pub(crate) flow_with_form: Option<CodeFlow>,
    pub(crate) metadata: MetadataSource,
    pub(crate) id_tokens: IdTokens,
    /// Whether an ID token of the code flow must carry our nonce.
    pub(crate) nonce_required: bool,
    pub(crate) native_client_ids: Vec<String>,
}

impl OpenId {
    /// The code flow with `client_secret_basic`, or `client_secret_post` where the provider says so and the operator
    /// said nothing.
    pub(crate) fn flows(
        builder: &ProviderBuilder<'_>,
        http: &std::sync::Arc<userd_outbound::HttpClient>,
        issuer: &str,
        scopes: &[&str],
    ) -> Result<(CodeFlow, Option<CodeFlow>), ConfigError> {
        let flow = |usually| {
            let auth = builder.client_auth(usually, issuer)?;
            Ok::<_, ConfigError>(builder.code_flow(std::sync::Arc::clone(http), auth, scopes, " "))
        };
        let undecided = builder.config.token_auth.is_none() && builder.secret.is_some();
        Ok((flow(TokenAuth::Basic)?, if undecided { Some(flow(TokenAuth::Post)?) } else { None }))
    }

    pub(crate) async fn begin(&self, begin: &Begin<'_>, more: Fields<'_>) -> Result<Redirect, ProviderFault> {
        let metadata = self.metadata.get(begin.now).await?;
        let mut fields = vec![("nonce", begin.nonce)];
        fields.extend(more);
        let url = self.flow.authorize_url(&metadata.authorize, begin, &fields);
        Ok(Redirect {
            url,
            remember: json!({ "issuer": self.facts.issuer }),
            form_post: self.facts.capabilities.form_post,
        })
    }

    /// The callback's ID token, verified, and the tokens it came with.
    pub(crate) async fn finish(
        &self,
        callback: &Callback<'_>,
        now: Timestamp,
    ) -> Result<(IdToken, TokenAnswer), ProviderFault> {
        let metadata = self.checked(callback, now).await?;
        let answer = self.flow(&metadata).exchange(&metadata.token, callback, (&[], &[]), now).await?;
        let token = self.verify_answer(&metadata, &answer, callback.nonce, now).await?;
        Ok((token, answer))
    }

    /// The metadata, after the callback was found to be this issuer's and this configuration's.
    pub(crate) async fn checked(
        &self,
        callback: &Callback<'_>,
        now: Timestamp,
    ) -> Result<std::sync::Arc<Metadata>, ProviderFault> {
        let mismatch = ProviderFault::Refused("issuer_mismatch");
        if callback.remember.get("issuer").and_then(|i| i.as_str()) != Some(&self.facts.issuer) {
            return Err(mismatch);
        }
        let metadata = self.metadata.get(now).await?;
        match callback.param("iss") {
            Some(iss) if !self.id_tokens.is_issuer(iss) => Err(mismatch),
            None if metadata.iss_parameter => Err(mismatch),
            _ => Ok(metadata),
        }
    }

    pub(crate) async fn verify_answer(
        &self,
        metadata: &Metadata,
        answer: &TokenAnswer,
        nonce: &str,
        now: Timestamp,
    ) -> Result<IdToken, ProviderFault> {
        let token = answer.id_token.as_ref().ok_or(ProviderFault::Refused("token_missing"))?;
        let expect = Expect {
            audiences: std::slice::from_ref(&self.facts.client_id),
            nonce: if self.nonce_required { Nonce::Required(nonce) } else { Nonce::IfPresent(nonce) },
            access_token: answer.access_token.as_ref().map(crate::Secret::expose),
            handed_over: false,
        };
        self.id_tokens.verify(token.expose(), &metadata.jwks, &expect, now).await
    }

    /// An ID token that an app hands over: our audience or our app's, young, and to be used once.
    pub(crate) async fn handed_over(
        &self,
        token: &str,
        nonce: Option<&str>,
        now: Timestamp,
    ) -> Result<IdToken, ProviderFault> {
        let metadata = self.metadata.get(now).await?;
        let expect = Expect {
            audiences: &self.native_client_ids,
            nonce: nonce.map_or(Nonce::Absent, Nonce::Shown),
            access_token: None,
            handed_over: true,
        };
        self.id_tokens.verify(token, &metadata.jwks, &expect, now).await
    }

    /// A code that an app obtained for our own client with PKCE.
    pub(crate) async fn native_code(
        &self,
        (code, verifier): (&str, &str),
        redirect_uri: Option<&str>,
        nonce: Option<&str>,
        now: Timestamp,
    ) -> Result<IdToken, ProviderFault> {
        let metadata = self.metadata.get(now).await?;
        let flow = self.flow(&metadata);
        let answer = flow.redeem(&metadata.token, code, verifier, redirect_uri, (&[], &[]), now).await?;
        let token = answer.id_token.as_ref().ok_or(ProviderFault::Refused("token_missing"))?;
        let expect = Expect {
            audiences: std::slice::from_ref(&self.facts.client_id),
            nonce: nonce.map_or(Nonce::Absent, Nonce::Shown),
            access_token: answer.access_token.as_ref().map(crate::Secret::expose),
            handed_over: true,
        };
        self.id_tokens.verify(token.expose(), &metadata.jwks, &expect, now).await
    }

    pub(crate) async fn refresh(&self, old: &ProviderTokens, now: Timestamp) -> Result<ProviderTokens, ProviderFault> {
        let metadata = self.metadata.get(now).await?;
        self.flow(&metadata).refresh(&metadata.token, old, (&[], &[]), now).await
    }

    /// RFC 7009, the refresh token if there is one, since the access token ends with it.
    pub(crate) async fn revoke(&self, tokens: &ProviderTokens, now: Timestamp) -> Result<(), ProviderFault> {
        let metadata = self.metadata.get(now).await?;
        let Some(revoke) = &metadata.revoke else { return Ok(()) };
        let fields = revocation(tokens);
        let proof = self.flow(&metadata).auth.prove(&self.facts.client_id, now)?;
        let credentials = proof.form.iter().map(|(name, value)| (*name, value.as_str()));
        let call = userd_outbound::Call::post(revoke.clone()).form(fields.into_iter().chain(credentials));
        revoked(&self.flow.http.send(proof.headers(call)).await?)
    }

    pub(crate) fn flow(&self, metadata: &Metadata) -> &CodeFlow {
        self.flow_with_form.as_ref().filter(|_| metadata.secret_in_form).unwrap_or(&self.flow)
    }

    /// A profile with the token's subject and nothing else.
    pub(crate) fn profile(&self, token: &IdToken) -> Profile {
        let mut profile = blank_profile(&self.facts, token.subject.clone());
        profile.issuer.clone_from(&token.issuer);
        profile.client_id.clone_from(&token.client_id);
        profile
    }
}

/// The form of RFC 7009.
pub(crate) fn revocation(tokens: &ProviderTokens) -> [(&str, &str); 2] {
    let (token, hint) = match &tokens.refresh_token {
        Some(token) => (token, "refresh_token"),
        None => (&tokens.access_token, "access_token"),
    };
    [("token", token.expose()), ("token_type_hint", hint)]
}

/// A revocation's answer may be empty; a token that is gone already is gone.
pub(crate) fn revoked(answer: &userd_outbound::Answer) -> Result<(), ProviderFault> {
    match answer.status {
        200..=299 => Ok(()),
        429 | 500.. => Err(ProviderFault::Unavailable(format!("{} answered {}", answer.host, answer.status))),
        _ => match answer.good() {
            Err(fault @ ProviderFault::Misconfigured(_)) => Err(fault),
            _ => Ok(()),
        },
    }
}
