//! A sign-in provider that asks nobody.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use url::Url;
use userd_model::Timestamp;
use userd_providers::{
    Begin, Callback, Capabilities, Facts, Kind, NativeProof, Policy, Profile, Provider, ProviderFault, Redirect,
    blank_profile,
};

/// A provider whose every code is good.
pub struct TestProvider(Facts);

impl TestProvider {
    /// `form_post`: its answer comes as a form. Called `telegram` it is of that kind.
    #[must_use]
    pub fn named(id: &str, form_post: bool) -> Arc<dyn Provider> {
        Arc::new(Self(facts(id, id, form_post)))
    }

    /// With another name on its button than its id.
    #[must_use]
    pub fn called(id: &str, display_name: &str) -> Arc<dyn Provider> {
        Arc::new(Self(facts(id, display_name, false)))
    }

    fn profile(&self, subject: &str) -> Profile {
        blank_profile(&self.0, subject.to_owned())
    }
}

#[async_trait]
impl Provider for TestProvider {
    fn facts(&self) -> &Facts {
        &self.0
    }

    async fn begin(&self, begin: &Begin<'_>) -> Result<Redirect, ProviderFault> {
        let no_url = |_| ProviderFault::Refused("not_supported");
        let mut url = Url::parse(&self.0.issuer).map_err(no_url)?;
        url.query_pairs_mut().append_pair("state", begin.state);
        Ok(Redirect { url, remember: Value::Null, form_post: self.0.capabilities.form_post })
    }

    async fn finish(&self, callback: &Callback<'_>, _now: Timestamp) -> Result<Profile, ProviderFault> {
        Ok(self.profile(callback.code()?))
    }

    /// Takes what names somebody called `sub-…`, and nothing else.
    async fn native(&self, proof: &NativeProof<'_>, _now: Timestamp) -> Result<Profile, ProviderFault> {
        let subject = match proof {
            NativeProof::AccessToken(text) | NativeProof::InitData(text) => *text,
            NativeProof::Widget(fields) => fields.get("hash").map_or("", String::as_str),
            _ => "",
        };
        if !subject.starts_with("sub-") {
            return Err(ProviderFault::Refused("not_supported"));
        }
        Ok(self.profile(subject))
    }
}

fn facts(id: &str, display_name: &str, form_post: bool) -> Facts {
    Facts {
        id: id.to_owned(),
        kind: if id == "telegram" { Kind::Telegram } else { Kind::Oidc },
        display_name: display_name.to_owned(),
        issuer: format!("https://{id}.example"),
        client_id: "userd".to_owned(),
        capabilities: Capabilities { browser: true, form_post, ..Capabilities::default() },
        policy: Policy {
            enabled: true,
            trust_email: false,
            allow_sign_up: true,
            allowed_domains: Vec::new(),
            keep_tokens: false,
        },
    }
}
