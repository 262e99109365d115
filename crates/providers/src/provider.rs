//! The contract that every provider keeps. No provider in particular is named here.

use std::collections::BTreeMap;

use async_trait::async_trait;
use url::Url;
use userd_model::{Email, Timestamp};

use crate::{
    fault::ProviderFault,
    kind::Kind,
    profile::{Profile, ProviderTokens},
};

/// A way to sign in with an account elsewhere: begin, finish, with remembered data between.
#[async_trait]
pub trait Provider: Send + Sync {
    /// What is fixed about this instance.
    fn facts(&self) -> &Facts;

    /// Where to send the browser, and what the caller must remember until the callback.
    async fn begin(&self, begin: &Begin<'_>) -> Result<Redirect, ProviderFault>;

    /// Turns the provider's answer into a profile. The caller has already matched `state` and the browser to the
    /// login flow, consumed it, and must consume [`Profile::replay_keys`] before acting on the profile.
    async fn finish(&self, callback: &Callback<'_>, now: Timestamp) -> Result<Profile, ProviderFault>;

    /// Turns a proof that an app hands over into a profile. `Refused("not_supported")` where there is no such way in.
    async fn native(&self, _proof: &NativeProof<'_>, _now: Timestamp) -> Result<Profile, ProviderFault> {
        Err(ProviderFault::Refused("not_supported"))
    }

    /// New tokens for old ones. The answer replaces the old tokens wholly.
    async fn refresh(&self, _tokens: &ProviderTokens, _now: Timestamp) -> Result<ProviderTokens, ProviderFault> {
        Err(ProviderFault::Refused("not_supported"))
    }

    /// Tells the provider that the tokens are no longer needed; nothing happens where it has no such call.
    async fn revoke(&self, _tokens: &ProviderTokens, _now: Timestamp) -> Result<(), ProviderFault> {
        Ok(())
    }

    /// The instance's id in the configuration and in paths.
    fn id(&self) -> &str {
        &self.facts().id
    }

    /// Which file speaks for it.
    fn kind(&self) -> Kind {
        self.facts().kind
    }

    /// The name on the button.
    fn display_name(&self) -> &str {
        &self.facts().display_name
    }

    /// The issuer of its subjects (for a multi-tenant issuer: the template; the profile names the tenant's own).
    fn issuer(&self) -> String {
        self.facts().issuer.clone()
    }

    /// Our id at the provider.
    fn client_id(&self) -> &str {
        &self.facts().client_id
    }

    /// Which ways in exist.
    fn capabilities(&self) -> Capabilities {
        self.facts().capabilities
    }

    /// What the operator decided about it.
    fn policy(&self) -> &Policy {
        &self.facts().policy
    }
}

/// What is fixed about a provider instance.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The instance's id in the configuration and in paths.
    pub id: String,
    /// Which file speaks for it.
    pub kind: Kind,
    /// The name on the button.
    pub display_name: String,
    /// The issuer of its subjects.
    pub issuer: String,
    /// Our id at the provider.
    pub client_id: String,
    /// Which ways in exist.
    pub capabilities: Capabilities,
    /// What the operator decided about it.
    pub policy: Policy,
}

/// Which ways in a provider has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// The browser flow (`begin`, `finish`).
    pub browser: bool,
    /// The callback comes as a cross-site POST, so a `SameSite=Lax` cookie is absent from it.
    pub form_post: bool,
    /// [`NativeProof::AccessToken`].
    pub native_access_token: bool,
    /// [`NativeProof::IdToken`].
    pub native_id_token: bool,
    /// [`NativeProof::Code`].
    pub native_code: bool,
    /// [`NativeProof::Widget`] and [`NativeProof::WidgetFragment`].
    pub widget: bool,
    /// [`NativeProof::InitData`].
    pub mini_app: bool,
    /// `refresh` does something.
    pub refresh: bool,
    /// `revoke` does something.
    pub revoke: bool,
}

/// What the operator decided about a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether it is offered and answered at all.
    pub enabled: bool,
    /// Whether every address it gives counts as proven. (Already applied to [`Profile::email_verified`].)
    pub trust_email: bool,
    /// Whether an unknown person gets an account.
    pub allow_sign_up: bool,
    /// Lower-case mail domains; when not empty only people with a proven address in one of them may come in.
    pub allowed_domains: Vec<String>,
    /// Whether the provider's tokens are kept (sealed) for refresh and revocation.
    pub keep_tokens: bool,
}

impl Policy {
    /// Whether the domain allow-list lets this person in.
    #[must_use]
    pub fn admits(&self, profile: &Profile) -> bool {
        self.admits_address(profile.email.as_deref().filter(|_| profile.email_verified))
    }

    /// The same for an address that counts as proven.
    #[must_use]
    pub fn admits_address(&self, proven: Option<&str>) -> bool {
        if self.allowed_domains.is_empty() {
            return true;
        }
        let email = proven.and_then(|text| Email::parse(text).ok());
        email.is_some_and(|email| self.allowed_domains.iter().any(|d| d.eq_ignore_ascii_case(email.domain())))
    }
}

/// A login flow that is about to start. All randomness comes from the caller, one value per flow.
#[derive(Clone, Copy)]
pub struct Begin<'a> {
    /// Our callback for this provider instance, exactly as registered.
    pub redirect_uri: &'a str,
    /// At least 128 random bits as URL-safe text, at most 96 characters.
    pub state: &'a str,
    /// Random, another value than `state`.
    pub nonce: &'a str,
    /// [`pkce_challenge`](crate::pkce_challenge) of the flow's verifier.
    pub pkce_challenge: &'a str,
    /// A random id for this sign-in, 6 to 50 printable ASCII characters: tokens bound to it can be revoked.
    pub device_id: &'a str,
    /// The person's language, if known.
    pub locale: Option<&'a str>,
    /// Which account the person probably wants.
    pub login_hint: Option<&'a str>,
    /// The current time.
    pub now: Timestamp,
}

/// Where to send the browser.
#[derive(Clone, Debug)]
pub struct Redirect {
    /// The provider's page.
    pub url: Url,
    /// The provider's own data, to be given back in [`Callback::remember`]. Not secret, but keep it server-side.
    pub remember: serde_json::Value,
    /// The callback will come as a cross-site POST.
    pub form_post: bool,
}

/// The provider's answer to a login flow.
#[derive(Clone, Copy)]
pub struct Callback<'a> {
    /// The callback's parameters (query or form), from [`callback_params`].
    pub params: &'a BTreeMap<String, String>,
    /// The same as in [`Begin`].
    pub redirect_uri: &'a str,
    /// The flow's state; the caller has found the flow by it.
    pub state: &'a str,
    /// The flow's nonce.
    pub nonce: &'a str,
    /// The flow's PKCE verifier.
    pub verifier: &'a str,
    /// What `begin` asked to remember.
    pub remember: &'a serde_json::Value,
}

impl<'a> Callback<'a> {
    /// A parameter, if present.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.get(name).map(String::as_str)
    }

    /// The code; the provider's `error` and a missing, empty or huge code are refusals.
    pub fn code(&self) -> Result<&'a str, ProviderFault> {
        if let Some(error) = self.param("error").filter(|error| !error.is_empty()) {
            tracing::debug!(error = userd_outbound::printable(error), "the provider answered with an error");
            return Err(ProviderFault::Refused(match error {
                "access_denied" | "user_cancelled_authorize" | "user_cancelled_login" => "access_denied",
                _ => "provider_error",
            }));
        }
        match self.param("code") {
            Some(code) if !code.is_empty() && code.len() <= 4096 => Ok(code),
            _ => Err(ProviderFault::Refused("code_missing")),
        }
    }
}

/// Reads a callback's query or form body. A name that comes twice is refused: two parsers could see two values.
pub fn callback_params(encoded: &[u8]) -> Result<BTreeMap<String, String>, ProviderFault> {
    if encoded.len() > 64 * 1024 {
        return Err(ProviderFault::Refused("callback_malformed"));
    }
    let mut params = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(encoded) {
        if params.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(ProviderFault::Refused("callback_malformed"));
        }
    }
    Ok(params)
}

/// What an app or page hands over instead of a browser flow.
#[derive(Clone, Copy)]
pub enum NativeProof<'a> {
    /// An access token of the provider; accepted only where the provider tells whom it was issued to.
    AccessToken(&'a str),
    /// A signed token; at most five minutes old and used once.
    IdToken {
        /// The compact JWS.
        token: &'a str,
        /// The nonce that the app gave the SDK, if it did; then it, or its SHA-256, must be inside.
        nonce: Option<&'a str>,
    },
    /// An authorization code that the app obtained with PKCE.
    Code {
        /// The code.
        code: &'a str,
        /// The verifier the app made.
        verifier: &'a str,
        /// The redirect URI the app used, if any.
        redirect_uri: Option<&'a str>,
        /// As with an ID token. Refused where the provider gives none: nothing could be compared.
        nonce: Option<&'a str>,
    },
    /// The fields of Telegram's widget, decoded, nothing else among them.
    Widget(&'a BTreeMap<String, String>),
    /// The value of `tgAuthResult` from the fragment.
    WidgetFragment(&'a str),
    /// A Mini App's raw `initData`.
    InitData(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ASVS V15.3.7
    #[test]
    fn a_parameter_that_comes_twice_is_refused() {
        assert_eq!(callback_params(b"code=a&state=b&code=c"), Err(ProviderFault::Refused("callback_malformed")));
        assert_eq!(callback_params(b"code=a&c%6Fde=c"), Err(ProviderFault::Refused("callback_malformed")));
    }

    #[test]
    fn the_domain_list_wants_a_proven_address() {
        let policy = Policy {
            enabled: true,
            trust_email: false,
            allow_sign_up: true,
            allowed_domains: vec!["example.com".into()],
            keep_tokens: false,
        };
        let mut profile = crate::answer::tests::profile();
        assert!(!policy.admits(&profile));
        profile.email = Some("a@EXAMPLE.com".into());
        assert!(!policy.admits(&profile));
        profile.email_verified = true;
        assert!(policy.admits(&profile));
        let crooked = [
            "a@example.com@evil.test",
            "a@evil.test\n@example.com",
            "a@evil.test @example.com",
            "\"a@evil.test\"@example.com",
        ];
        for crooked in crooked {
            profile.email = Some(crooked.into());
            assert!(!policy.admits(&profile), "{crooked:?}");
        }
    }
}
