//! How a database is reached.

use std::{path::PathBuf, time::Duration};

/// How a database is reached.
#[derive(Clone, Debug)]
pub struct YdbOptions {
    /// See [`crate::address::Address`].
    pub url: Url,
    /// Sessions at the same time.
    pub max_sessions: usize,
    /// How many are opened when it connects.
    pub warm_sessions: usize,
    /// The longest wait for a session.
    pub acquire_timeout: Duration,
    /// How long an unused session is kept.
    pub idle_life: Duration,
    /// The longest wait for an answer.
    pub statement_timeout: Duration,
    /// How long one login serves, where there is one, before another is made beside the work. Shorter than what is left of
    /// the tokens that clouds hand out: those are good for five minutes at least.
    pub login_life: Duration,
    /// PEM file with the certificate authority of the server.
    pub ca_file: Option<PathBuf>,
}

/// A URL that may hold a password.
#[derive(Clone)]
pub struct Url(pub String);

impl std::fmt::Debug for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Url(…)")
    }
}

impl YdbOptions {
    /// The usual, at this URL.
    #[must_use]
    pub fn at(url: &str) -> Self {
        Self {
            url: Url(url.to_owned()),
            max_sessions: 16,
            warm_sessions: 2,
            acquire_timeout: Duration::from_secs(2),
            idle_life: Duration::from_secs(600),
            statement_timeout: Duration::from_secs(5),
            login_life: Duration::from_secs(240),
            ca_file: None,
        }
    }
}
