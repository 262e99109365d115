//! The authorization code flow's common part: the authorize URL, the exchange, the refresh. PKCE S256 always.
//! What a provider does differently stays in its file.

use std::{collections::BTreeMap, sync::Arc};

use url::Url;
use userd_model::Timestamp;
use userd_outbound::{Answer, Call, HttpClient, Secret};
use zeroize::Zeroizing;

use crate::{
    answer::{Members, ReadAnswer},
    client_auth::ClientAuth,
    config::UserinfoAuth,
    fault::ProviderFault,
    profile::ProviderTokens,
    provider::{Begin, Callback},
    token_answer::{TokenAnswer, good_token_answer},
};

/// What the code flow needs to know about a provider, besides its endpoints.
pub(crate) struct CodeFlow {
    pub(crate) http: Arc<HttpClient>,
    pub(crate) client_id: String,
    pub(crate) auth: ClientAuth,
    pub(crate) scopes: Vec<String>,
    pub(crate) separator: &'static str,
    pub(crate) authorize_params: BTreeMap<String, String>,
}

/// Form fields beyond the standard ones.
pub(crate) type Fields<'a> = &'a [(&'a str, &'a str)];

/// Headers beyond the standard ones.
pub(crate) type Headers<'a> = &'a [(&'static str, &'a str)];

impl CodeFlow {
    /// The provider's page for this flow. A `more` field replaces a standard one of the same name.
    pub(crate) fn authorize_url(&self, authorize: &Url, begin: &Begin<'_>, more: Fields<'_>) -> Url {
        let scope = self.scopes.join(self.separator);
        let mut pairs: Vec<(&str, &str)> = vec![
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", begin.redirect_uri),
            ("state", begin.state),
            ("code_challenge", begin.pkce_challenge),
            ("code_challenge_method", "S256"),
        ];
        if !scope.is_empty() {
            pairs.push(("scope", &scope));
        }
        pairs.extend(self.authorize_params.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        pairs.retain(|(name, _)| !more.iter().any(|(other, _)| name == other));
        pairs.extend(more);
        with_query(authorize, &pairs)
    }

    /// Turns the callback's code into tokens.
    pub(crate) async fn exchange(
        &self,
        token: &Url,
        callback: &Callback<'_>,
        (more, headers): (Fields<'_>, Headers<'_>),
        now: Timestamp,
    ) -> Result<TokenAnswer, ProviderFault> {
        let code = callback.code()?;
        self.redeem(token, code, callback.verifier, Some(callback.redirect_uri), (more, headers), now).await
    }

    /// Turns a code into tokens.
    pub(crate) async fn redeem(
        &self,
        token: &Url,
        code: &str,
        verifier: &str,
        redirect_uri: Option<&str>,
        (more, headers): (Fields<'_>, Headers<'_>),
        now: Timestamp,
    ) -> Result<TokenAnswer, ProviderFault> {
        let mut form = vec![("grant_type", "authorization_code"), ("code", code), ("code_verifier", verifier)];
        form.extend(redirect_uri.map(|uri| ("redirect_uri", uri)));
        form.extend(more);
        self.token_call(token, form, headers, now).await
    }

    /// New tokens for a refresh token; what the answer leaves out stays as it was.
    pub(crate) async fn refresh(
        &self,
        token: &Url,
        old: &ProviderTokens,
        (more, headers): (Fields<'_>, Headers<'_>),
        now: Timestamp,
    ) -> Result<ProviderTokens, ProviderFault> {
        let refresh_token = old.refresh_token.as_ref().ok_or(ProviderFault::Refused("not_supported"))?;
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
        form.extend(more);
        let answer = self.token_call(token, form, headers, now).await?;
        Ok(ProviderTokens {
            access_token: answer.access_token()?.clone(),
            refresh_token: answer.refresh_token.clone().or_else(|| old.refresh_token.clone()),
            expires_at: answer.expires_at,
            scope: answer.scope.clone().or_else(|| old.scope.clone()),
            device_id: old.device_id.clone(),
        })
    }

    /// A form POST with our credentials, for token, revocation and introspection calls.
    pub(crate) async fn authenticated(
        &self,
        url: &Url,
        fields: Vec<(&str, &str)>,
        headers: Headers<'_>,
        now: Timestamp,
    ) -> Result<Members, ProviderFault> {
        self.prove_and_send(url, fields, headers, now).await?.good()
    }

    async fn prove_and_send(
        &self,
        url: &Url,
        fields: Vec<(&str, &str)>,
        headers: Headers<'_>,
        now: Timestamp,
    ) -> Result<Answer, ProviderFault> {
        let proof = self.auth.prove(&self.client_id, now)?;
        let credentials = proof.form.iter().map(|(name, value)| (*name, value.as_str()));
        let mut call = Call::post(url.clone()).form(fields.iter().copied().chain(credentials));
        for (name, value) in headers {
            call = call.header(name, value);
        }
        Ok(self.http.send(proof.headers(call)).await?)
    }

    async fn token_call(
        &self,
        token: &Url,
        form: Vec<(&str, &str)>,
        headers: Headers<'_>,
        now: Timestamp,
    ) -> Result<TokenAnswer, ProviderFault> {
        Ok(TokenAnswer::read(good_token_answer(&self.prove_and_send(token, form, headers, now).await?)?, now))
    }

    /// Asks who the bearer of the token is.
    pub(crate) async fn userinfo(
        &self,
        url: &Url,
        auth: UserinfoAuth,
        token: &Secret,
    ) -> Result<Members, ProviderFault> {
        self.http.send(show_token(url, auth, token)).await?.good()
    }
}

/// A user-info call with the access token in its place.
pub(crate) fn show_token(url: &Url, auth: UserinfoAuth, token: &Secret) -> Call {
    let header = |scheme: &str| Zeroizing::new(format!("{scheme} {}", token.expose()));
    match auth {
        UserinfoAuth::Bearer => Call::get(url.clone()).header("authorization", &header("Bearer")),
        UserinfoAuth::OAuth => Call::get(url.clone()).header("authorization", &header("OAuth")),
        UserinfoAuth::Query => Call::get(url.clone()).query([("access_token", token.expose())]),
        UserinfoAuth::Form => Call::post(url.clone()).form([("access_token", token.expose())]),
    }
}

/// The URL with more query parameters; spaces as `%20`, which every server reads.
pub(crate) fn with_query(base: &Url, pairs: &[(&str, &str)]) -> Url {
    let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().replace('+', "%20");
    let query = match base.query() {
        Some(already) if !already.is_empty() => format!("{already}&{encoded}"),
        _ => encoded,
    };
    let mut url = base.clone();
    url.set_query(Some(&query));
    url
}
