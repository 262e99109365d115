//! Telegram, all ways in, one identity: OpenID Connect, the legacy widget, Mini Apps and the bot's deep link all end in
//! the same issuer and the person's numeric id.
//!
//! The ID token's own `sub` is opaque and kept as the secondary key, under an issuer text of its own, because it looks
//! like a numeric id and may equal somebody else's. A token without the numeric `id` (scope `profile`, always asked
//! for) is refused as `telegram_id_missing`: an account that the other ways cannot find again would be a second one.

mod mini_app;
mod signed_fields;
mod widget;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use url::Url;
use userd_model::{Timestamp, telegram::account_id};

use signed_fields::BotToken;
use userd_outbound::ConfigError;
pub use widget::fields_of_json;

use crate::{
    answer::{Members, locale, phone, picture, text},
    builder::{ProviderBuilder, blank_profile, sibling},
    code_flow::with_query,
    config::{TelegramOptions, TelegramStart},
    discovery::{Metadata, MetadataSource, Written, issuer_url},
    fault::ProviderFault,
    id_token::{IdToken, IdTokens, IssuerRule},
    openid::OpenId,
    profile::{Profile, SubjectKey, subject},
    provider::{Begin, Callback, Capabilities, Facts, NativeProof, Provider, Redirect},
    token_answer::TokenAnswer,
};

const ISSUER: &str = "https://oauth.telegram.org";
const BOT_ACCESS: &str = "telegram:bot_access";

pub(crate) struct Telegram {
    openid: OpenId,
    start: TelegramStart,
    widget: Option<widget::Widget>,
    mini_app: Option<mini_app::MiniApp>,
}

impl Telegram {
    pub(crate) fn new(builder: &ProviderBuilder<'_>) -> Result<Self, ConfigError> {
        let config = builder.config;
        let bot_id = &config.client_id;
        if bot_id.is_empty() || !bot_id.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ConfigError::new("client_id", "is the bot's id, digits only"));
        }
        let options = config.telegram.clone().unwrap_or_default();
        let token = builder.dependencies.telegram_bot_token.as_ref().map(BotToken::parse).transpose()?;
        if token.as_ref().is_some_and(|token| token.bot_id() != bot_id) {
            return Err(ConfigError::new("client_id", "is another bot's id than that of telegram.bot_token"));
        }
        let widget = widget_verifier(&options, token.as_ref())?;
        let mini_app = mini_app::verifier(&options, token.as_ref(), bot_id)?;
        if options.start == TelegramStart::Widget && widget.is_none() {
            return Err(ConfigError::new(
                "telegram.start",
                "widget needs telegram.bot_token and the widget switched on",
            ));
        }
        let openid = open_id(builder, widget.is_some(), mini_app.is_some())?;
        Ok(Self { openid, start: options.start, widget, mini_app })
    }

    fn by_id_token(&self, token: &IdToken) -> Result<Profile, ProviderFault> {
        let id = token.claims.get("id").and_then(numeric_id).ok_or(ProviderFault::Refused("telegram_id_missing"))?;
        let mut profile = self.openid.profile(token);
        let opaque = std::mem::replace(&mut profile.subject, subject(Some(&id))?);
        profile.secondary = Some(SubjectKey { issuer: format!("{}#sub", self.openid.facts.issuer), subject: opaque });
        profile.username = text(&token.claims, "preferred_username");
        profile.name = text(&token.claims, "name");
        profile.picture = picture(text(&token.claims, "picture"));
        profile.phone = phone(text(&token.claims, "phone_number"));
        Ok(profile)
    }

    /// The bot may write when that was asked for and not left out of what was granted.
    fn bot_access(&self, answer: &TokenAnswer) -> Option<bool> {
        let asked = self.openid.flow.scopes.iter().any(|scope| scope == BOT_ACCESS);
        let granted = answer.scope.as_ref().is_none_or(|granted| granted.split(' ').any(|scope| scope == BOT_ACCESS));
        asked.then_some(granted)
    }

    fn by_widget(
        &self,
        fields: &std::collections::BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<Profile, ProviderFault> {
        let verifier = self.widget.as_ref().ok_or(ProviderFault::Refused("not_supported"))?;
        verifier.verify(&self.openid.facts, fields, now)
    }

    fn begin_widget(&self, begin: &Begin<'_>, authorize: &Url) -> Result<Redirect, ProviderFault> {
        let malformed = |_| ProviderFault::Misconfigured("the redirect URI is no URL".into());
        let redirect = Url::parse(begin.redirect_uri).map_err(malformed)?;
        let return_to = with_query(&redirect, &[("state", begin.state)]);
        let origin = redirect.origin().ascii_serialization();
        let mut fields = vec![
            ("bot_id", self.openid.facts.client_id.as_str()),
            ("origin", &origin),
            ("return_to", return_to.as_str()),
        ];
        if self.openid.flow.scopes.iter().any(|scope| scope == BOT_ACCESS) {
            fields.push(("request_access", "write"));
        }
        let remember = json!({ "issuer": self.openid.facts.issuer });
        Ok(Redirect { url: with_query(authorize, &fields), remember, form_post: false })
    }
}

fn widget_verifier(options: &TelegramOptions, token: Option<&BotToken>) -> Result<Option<widget::Widget>, ConfigError> {
    match (options.widget, token) {
        (Some(false), _) | (None, None) => Ok(None),
        (Some(true), None) => Err(ConfigError::new("telegram.widget", "needs telegram.bot_token")),
        (_, Some(token)) => widget::Widget::new(token, options.widget_window).map(Some),
    }
}

fn open_id(builder: &ProviderBuilder<'_>, widget: bool, mini_app: bool) -> Result<OpenId, ConfigError> {
    let config = builder.config;
    let issuer = builder.issuer(ISSUER);
    let metadata = metadata(builder, &issuer)?;
    let http = builder.http(&[&metadata.authorize, &metadata.token, &metadata.jwks])?;
    let (mut flow, _) = OpenId::flows(builder, &http, &issuer, &["openid", "profile"])?;
    for needed in ["profile", "openid"] {
        if !flow.scopes.iter().any(|scope| scope == needed) {
            flow.scopes.insert(0, needed.to_owned());
        }
    }
    let native = builder.native(true);
    let capabilities = Capabilities {
        browser: true,
        native_id_token: native,
        native_code: native,
        widget,
        mini_app,
        ..Capabilities::default()
    };
    Ok(OpenId {
        facts: builder.facts(issuer.clone(), capabilities, false)?,
        flow,
        flow_with_form: None,
        metadata: MetadataSource::Fixed(Arc::new(metadata)),
        id_tokens: IdTokens::new(http, IssuerRule::Exact(vec![issuer]), config)?,
        // Whether the code flow echoes the nonce is contested; one that is there must be ours.
        nonce_required: config.require_nonce.unwrap_or(false),
        native_client_ids: builder.native_client_ids(),
    })
}

fn metadata(builder: &ProviderBuilder<'_>, issuer: &str) -> Result<Metadata, ConfigError> {
    let at = issuer_url(issuer)?;
    let written = Written::read(builder)?;
    let authorize = written.authorize.unwrap_or_else(|| sibling(&at, "/auth"));
    let token = written.token.unwrap_or_else(|| sibling(&at, "/token"));
    let jwks = written.jwks.unwrap_or_else(|| sibling(&token, "/.well-known/jwks.json"));
    Ok(Metadata { authorize, token, jwks, userinfo: None, revoke: None, iss_parameter: false, secret_in_form: false })
}

/// A Telegram id, which is a whole number.
pub(crate) fn numeric_id(value: &Value) -> Option<String> {
    value.as_u64().and_then(account_id)
}

/// The identity of a person who wrote to the bot, the same as by the other ways in. `user` is what the Bot API says
/// about them. Writing to the bot lets it write back.
///
/// # Errors
/// `subject_missing` when the id names nobody.
pub fn bot_profile(telegram: &dyn Provider, id: &str, user: &Map<String, Value>) -> Result<Profile, ProviderFault> {
    let mut profile = describe(telegram.facts(), id, user)?;
    profile.bot_access = Some(true);
    Ok(profile)
}

/// What the signed JSON and fields say about a person, under the same names in every way in.
pub(crate) fn describe(facts: &Facts, id: &str, user: &Members) -> Result<Profile, ProviderFault> {
    let mut profile = blank_profile(facts, subject(Some(id))?);
    profile.name = crate::answer::full_name(text(user, "first_name"), text(user, "last_name"));
    profile.username = text(user, "username");
    profile.picture = picture(text(user, "photo_url"));
    profile.locale = locale(text(user, "language_code"));
    Ok(profile)
}

#[async_trait]
impl Provider for Telegram {
    fn facts(&self) -> &Facts {
        &self.openid.facts
    }

    async fn begin(&self, begin: &Begin<'_>) -> Result<Redirect, ProviderFault> {
        if self.start == TelegramStart::Widget {
            let metadata = self.openid.metadata.get(begin.now).await?;
            return self.begin_widget(begin, &metadata.authorize);
        }
        let more: Vec<_> = begin.locale.map(|locale| ("lang", locale)).into_iter().collect();
        self.openid.begin(begin, &more).await
    }

    /// The code flow's callback, or the widget's fields beside our own `state`, or `tgAuthResult` posted by our page.
    async fn finish(&self, callback: &Callback<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        if callback.param("code").is_none() && callback.param("error").is_none() {
            if let Some(result) = callback.param("tgAuthResult") {
                return self.by_widget(&widget::fields_of_fragment(result)?, now);
            }
            if callback.param("hash").is_some() {
                let mut fields = callback.params.clone();
                fields.remove("state");
                return self.by_widget(&fields, now);
            }
        }
        let (token, answer) = self.openid.finish(callback, now).await?;
        let mut profile = self.by_id_token(&token)?;
        profile.bot_access = self.bot_access(&answer);
        Ok(profile)
    }

    async fn native(&self, proof: &NativeProof<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        let capabilities = self.openid.facts.capabilities;
        let token = match *proof {
            NativeProof::Widget(fields) => return self.by_widget(fields, now),
            NativeProof::WidgetFragment(result) => return self.by_widget(&widget::fields_of_fragment(result)?, now),
            NativeProof::InitData(raw) => {
                let verifier = self.mini_app.as_ref().ok_or(ProviderFault::Refused("not_supported"))?;
                return verifier.verify(&self.openid.facts, raw, now);
            }
            NativeProof::IdToken { token, nonce } if capabilities.native_id_token => {
                self.openid.handed_over(token, nonce, now).await?
            }
            NativeProof::Code { code, verifier, redirect_uri, nonce } if capabilities.native_code => {
                self.openid.native_code((code, verifier), redirect_uri, nonce, now).await?
            }
            _ => return Err(ProviderFault::Refused("not_supported")),
        };
        let mut profile = self.by_id_token(&token)?;
        profile.replay_keys.push(token.replay_key);
        Ok(profile)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]
mod tests {
    use super::*;

    /// What is built in equals the discovery document as it was published; it is not asked at run time.
    #[test]
    fn pinned_assumption_telegram_endpoints_are_as_published() {
        let document: Value = serde_json::from_str(include_str!("../../tests/data/telegram_discovery.json")).unwrap();
        let config = crate::ProviderConfig::new("t", crate::Kind::Telegram, "1");
        let dependencies = crate::ProviderDependencies { random: Arc::new(Still), telegram_bot_token: None };
        let builder = ProviderBuilder::new(&config, &dependencies).unwrap();
        let built_in = metadata(&builder, ISSUER).unwrap();
        assert_eq!(document["issuer"], ISSUER);
        assert_eq!(document["authorization_endpoint"], built_in.authorize.as_str());
        assert_eq!(document["token_endpoint"], built_in.token.as_str());
        assert_eq!(document["jwks_uri"], built_in.jwks.as_str());
        assert!(document.get("userinfo_endpoint").is_none());
    }

    struct Still;

    impl userd_model::Random for Still {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }
}
