//! Which service is trusted, and how.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::Error;

/// What happens while the view of revocations is too old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenStale {
    /// Nobody can tell: 503.
    #[default]
    Refuse,
    /// The signature alone is trusted.
    Accept,
    /// The service is asked about each token.
    Introspect,
}

/// Which service is trusted, and how. `Options::of` has the defaults.
#[derive(Clone)]
pub struct Options {
    /// `iss` of the tokens.
    pub issuer: String,
    /// The `aud` that tokens must be for: this service. Default: `userd`.
    pub audience: String,
    /// Where the service answers, when that is not the issuer (inside a cluster). Empty: the issuer.
    pub base_url: String,
    /// The service account's id and secret. Without them revocations are not followed: a token is good until it expires.
    pub client: Option<(String, Zeroizing<String>)>,
    /// The audience of userd itself, the first of its `tokens.audience`: the own token is asked for it. Default: `userd`.
    pub userd_audience: String,
    /// How far clocks may be apart, at most a minute. Default: 10 s.
    pub leeway: Duration,
    /// What happens while the view of revocations is too old.
    pub when_stale: WhenStale,
    /// How old the view may be; more than `wait`. Default: 30 s.
    pub max_age: Duration,
    /// How long one question for revocations is held, 1 to 25 s. Default: 10 s.
    pub wait: Duration,
    /// The longest any other call may take. Default: 5 s.
    pub timeout: Duration,
    /// How many revocations are kept. Beyond it the oldest are replaced by one that refuses more than they did. Default: 100,000.
    pub max_entries: usize,
    /// How many verified tokens are remembered, so that each is verified once. Default: 10,000.
    pub max_tokens: usize,
    /// A key set that is never asked for.
    pub keys: Option<Vec<u8>>,
}

impl Options {
    /// For the service with this issuer.
    #[must_use]
    pub fn of(issuer: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: "userd".to_owned(),
            base_url: String::new(),
            client: None,
            userd_audience: "userd".to_owned(),
            leeway: Duration::from_secs(10),
            when_stale: WhenStale::Refuse,
            max_age: Duration::from_secs(30),
            wait: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            max_entries: 100_000,
            max_tokens: 10_000,
            keys: None,
        }
    }

    /// With this service's account, so that revocations are followed.
    #[must_use]
    pub fn client(self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { client: Some((id.into(), Zeroizing::new(secret.into()))), ..self }
    }

    /// For tokens of this audience.
    #[must_use]
    pub fn audience(self, audience: impl Into<String>) -> Self {
        Self { audience: audience.into(), ..self }
    }

    pub(crate) fn settled(mut self) -> Result<Self, Error> {
        if !self.issuer.starts_with("https://") && !self.issuer.starts_with("http://") {
            return Err(Error::Options("the issuer must be an http(s) URL"));
        }
        if self.audience.is_empty() || self.userd_audience.is_empty() {
            return Err(Error::Options("an audience must not be empty"));
        }
        if self.base_url.is_empty() {
            self.base_url.clone_from(&self.issuer);
        }
        self.base_url.truncate(self.base_url.trim_end_matches('/').len());
        if self.leeway > Duration::from_secs(60) {
            return Err(Error::Options("leeway is a minute at most"));
        }
        let seconds = self.wait.as_secs();
        if !(1..=25).contains(&seconds) || self.max_age <= self.wait {
            return Err(Error::Options("wait is 1 to 25 seconds, and max_age more than it"));
        }
        if self.timeout.is_zero() || self.max_entries < 16 || self.max_tokens == 0 {
            return Err(Error::Options("timeout, max_entries (16 or more) and max_tokens must be positive"));
        }
        Ok(self)
    }
}

/// Shows nothing of the secret.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}
