//! Where a receiver may be: what can be known from the URL alone. Where its name leads is known when it is called.

use std::fmt;

use url::Url;

/// The longest URL.
pub const MAX_URL: usize = 2048;

/// Where a webhook leads. `Debug` shows the host: paths and queries may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(Url);

/// Where webhooks may lead. Nothing said: to https, outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Plain http too: whoever is on the way reads along, though nobody can forge.
    pub http: bool,
    /// Private addresses too, this machine's own included.
    pub private_addresses: bool,
}

/// Why a URL is none for a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    /// No absolute URL with a host.
    #[error("must be an absolute URL such as https://shop.example/hooks")]
    NoUrl,
    /// Longer than [`MAX_URL`].
    #[error("must have at most {MAX_URL} characters")]
    TooLong,
    /// Neither https nor, where that is allowed, http.
    #[error("must begin with https://")]
    Scheme,
    /// User and password: they would be shown to whoever sees the URL.
    #[error("must not have a user name or password")]
    Credentials,
    /// Never sent, so it can only be a mistake.
    #[error("must not have a fragment (#…)")]
    Fragment,
    /// An address inside, or this machine.
    #[error("must not lead to a private address")]
    PrivateAddress,
}

impl WebhookUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, allowed: Allowed) -> Result<Self, UrlFault> {
        if text.len() > MAX_URL {
            return Err(UrlFault::TooLong);
        }
        // The parser drops what is invisible; what is called would then not be what was read.
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(UrlFault::NoUrl);
        }
        let url = Url::parse(text).map_err(|_| UrlFault::NoUrl)?;
        if !(url.scheme() == "https" || (url.scheme() == "http" && allowed.http)) {
            return Err(UrlFault::Scheme);
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(UrlFault::NoUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlFault::Credentials);
        }
        if url.fragment().is_some() {
            return Err(UrlFault::Fragment);
        }
        if !allowed.private_addresses && userd_outbound::names_private(&url) {
            return Err(UrlFault::PrivateAddress);
        }
        if url.as_str().len() > MAX_URL {
            return Err(UrlFault::TooLong);
        }
        Ok(Self(url))
    }

    /// The whole URL, to store and to show to its owners.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Scheme, host and port: what a breaker or a pool goes by, and what a log may name.
    #[must_use]
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Reads a URL as it was stored. Where it leads is looked at once more when it is called.
    #[must_use]
    pub fn stored(text: &str) -> Option<Self> {
        Url::parse(text).ok().map(Self)
    }

    pub(super) const fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())
    }
}
