//! A provider that exists only here: it says what the case tells it to, and remembers what it was asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use userd_model::{Refusal, Timestamp};
use userd_providers::{
    Begin, Callback, Capabilities, Facts, Kind, NativeProof, Policy, Profile, Provider, ProviderFault, ProviderTokens,
    Redirect, ReplayKey, Secret, pkce_challenge,
};
use userd_services::{
    Failure, SignedIn,
    bot::TelegramBot,
    sign_in::{Finished, Start, StartedFlow},
    testing::TestOptions,
};

use crate::{
    fixture::{Fixture, TestApp},
    personas::{Member, at, authenticated, home, started},
};

/// The provider.
pub(crate) struct Elsewhere {
    facts: Facts,
    /// Who signs in there next.
    pub(crate) person: Mutex<Profile>,
    /// What goes wrong there next.
    pub(crate) fault: Mutex<Option<ProviderFault>>,
    /// The access tokens it was told to forget.
    pub(crate) forgotten: Mutex<Vec<String>>,
}

impl Elsewhere {
    pub(crate) fn new(id: &str, change: impl FnOnce(&mut Facts)) -> Arc<Self> {
        let mut facts = Facts {
            id: id.to_owned(),
            kind: Kind::Oidc,
            display_name: id.to_owned(),
            issuer: format!("https://{id}.example"),
            client_id: "userd-at-elsewhere".to_owned(),
            capabilities: Capabilities { browser: true, native_access_token: true, ..Capabilities::default() },
            policy: Policy {
                enabled: true,
                trust_email: false,
                allow_sign_up: true,
                allowed_domains: Vec::new(),
                keep_tokens: true,
            },
        };
        change(&mut facts);
        let person = person(id, "1");
        Arc::new(Self { facts, person: Mutex::new(person), fault: Mutex::default(), forgotten: Mutex::default() })
    }

    /// Lets another person sign in there.
    pub(crate) fn is(&self, person: Profile) {
        *self.person.lock().unwrap() = person;
    }

    fn answer(&self) -> Result<Profile, ProviderFault> {
        match self.fault.lock().unwrap().take() {
            Some(fault) => Err(fault),
            None => Ok(self.person.lock().unwrap().clone()),
        }
    }
}

#[async_trait]
impl Provider for Elsewhere {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    async fn begin(&self, begin: &Begin<'_>) -> Result<Redirect, ProviderFault> {
        if let Some(fault) = self.fault.lock().unwrap().take() {
            return Err(fault);
        }
        let mut url = url::Url::parse(&format!("{}/authorize", self.facts.issuer)).unwrap();
        url.query_pairs_mut()
            .append_pair("state", begin.state)
            .append_pair("nonce", begin.nonce)
            .append_pair("redirect_uri", begin.redirect_uri)
            .append_pair("code_challenge", begin.pkce_challenge);
        let remember = serde_json::json!({ "nonce": begin.nonce, "challenge": begin.pkce_challenge });
        Ok(Redirect { url, remember, form_post: self.facts.capabilities.form_post })
    }

    /// Whatever was said at the beginning must be given back here.
    async fn finish(&self, callback: &Callback<'_>, _now: Timestamp) -> Result<Profile, ProviderFault> {
        callback.code()?;
        assert_eq!(callback.remember["nonce"], callback.nonce);
        assert_eq!(callback.remember["challenge"], pkce_challenge(callback.verifier));
        assert!(callback.redirect_uri.ends_with(&format!("/v1/auth/{}/callback", self.facts.id)));
        self.answer()
    }

    async fn native(&self, proof: &NativeProof<'_>, now: Timestamp) -> Result<Profile, ProviderFault> {
        let (token, again_by_holder) = match proof {
            NativeProof::AccessToken(token) => (token, false),
            NativeProof::InitData(data) if self.facts.capabilities.mini_app => (data, true),
            _ => return Err(ProviderFault::Refused("not_supported")),
        };
        let mut hash = [0; 32];
        hash.iter_mut().zip(token.bytes()).for_each(|(to, from)| *to = from);
        let mut profile = self.answer()?;
        let until = now.plus(std::time::Duration::from_secs(300));
        profile.replay_keys.push(ReplayKey { hash, purpose: "native_token", until, again_by_holder });
        Ok(profile)
    }

    async fn refresh(&self, tokens: &ProviderTokens, _now: Timestamp) -> Result<ProviderTokens, ProviderFault> {
        let by = tokens.refresh_token.as_ref().unwrap().expose();
        self.fault.lock().unwrap().take().map_or_else(|| Ok(provider_tokens(&format!("new-by-{by}"))), Err)
    }

    async fn revoke(&self, tokens: &ProviderTokens, _now: Timestamp) -> Result<(), ProviderFault> {
        self.forgotten.lock().unwrap().push(tokens.access_token.expose().to_owned());
        self.fault.lock().unwrap().take().map_or(Ok(()), Err)
    }
}

/// A person at a provider, with nothing but a subject.
pub(crate) fn person(provider: &str, subject: &str) -> Profile {
    Profile {
        provider: provider.to_owned(),
        issuer: format!("https://{provider}.example"),
        client_id: "userd-at-elsewhere".to_owned(),
        subject: subject.to_owned(),
        secondary: None,
        email: None,
        email_verified: false,
        email_vouched: false,
        phone: None,
        username: None,
        name: None,
        picture: None,
        birthday: None,
        locale: None,
        groups: Vec::new(),
        extra: serde_json::Map::new(),
        tokens: None,
        bot_access: None,
        replay_keys: Vec::new(),
    }
}

/// As [`person`], with a proven address.
pub(crate) fn proven(provider: &str, subject: &str, email: &str) -> Profile {
    Profile { email: Some(email.to_owned()), email_verified: true, email_vouched: true, ..person(provider, subject) }
}

pub(crate) fn provider_tokens(access: &str) -> ProviderTokens {
    ProviderTokens {
        access_token: Secret::new(access),
        refresh_token: Some(Secret::new(format!("refresh-of-{access}"))),
        expires_at: None,
        scope: None,
        device_id: None,
    }
}

/// An app that offers these providers.
pub(crate) fn offering(providers: &[&Arc<Elsewhere>]) -> TestOptions {
    let providers = providers.iter().map(|provider| Arc::clone(*provider) as Arc<dyn Provider>).collect();
    TestOptions { providers, ..TestOptions::default() }
}

pub(crate) fn offering_with_bot(provider: &Arc<Elsewhere>, bot: TelegramBot) -> TestOptions {
    TestOptions { bot: Some(Arc::new(bot)), ..offering(&[provider]) }
}

/// An app with one provider, `acme`, as most cases want it.
pub(crate) async fn app_with_acme(fixture: &Fixture) -> (TestApp, Arc<Elsewhere>) {
    let acme = Elsewhere::new("acme", |_| {});
    (fixture.app_with(offering(&[&acme])).await, acme)
}

/// The state in the URL that the browser was sent to.
pub(crate) fn state_of(begun: &StartedFlow) -> String {
    let url = url::Url::parse(&begun.url).unwrap();
    url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned()
}

/// The provider's answer with this state.
pub(crate) fn answer(state: &str) -> BTreeMap<String, String> {
    [("code", "c"), ("state", state)].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// The refusal that a callback ended with.
#[track_caller]
pub(crate) fn refused(finished: Finished) -> Refusal {
    match finished {
        Finished::Refused { failure: Failure::Refused(refusal), .. } => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn code(finished: Finished) -> String {
    match finished {
        Finished::Code { code, .. } => code,
        other => panic!("no code: {other:?}"),
    }
}

impl TestApp {
    pub(crate) async fn begin(&self, provider: &str) -> StartedFlow {
        self.sign_in.start(&at(self, home()), provider, Start::default()).await.unwrap()
    }

    /// The same browser comes back with what it was given.
    pub(crate) async fn come_back(&self, provider: &str, begun: &StartedFlow) -> Finished {
        self.sign_in.finish(&at(self, home()), provider, &answer(&state_of(begun)), Some(&begun.browser)).await
    }

    /// The whole way to the provider and back, as a browser goes it.
    pub(crate) async fn through(&self, provider: &str) -> Finished {
        let begun = self.begin(provider).await;
        self.come_back(provider, &begun).await
    }

    pub(crate) async fn sign_in_through(&self, provider: &str) -> SignedIn {
        let code = code(self.through(provider).await);
        self.sign_in.exchange(&at(self, home()), &code, None, None).await.map(started).unwrap()
    }

    pub(crate) async fn begin_link(&self, member: &Member, provider: &str) -> Result<StartedFlow, Failure> {
        let who = self.who(&member.tokens.access_token).await.unwrap();
        self.sign_in.start_link(&authenticated(self, &who), provider, Start::default()).await
    }

    pub(crate) async fn link(&self, member: &Member, provider: &str) -> Finished {
        let begun = self.begin_link(member, provider).await.unwrap();
        self.come_back(provider, &begun).await
    }
}
