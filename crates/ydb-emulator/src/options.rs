//! What an emulator is started with.

use std::fmt;

/// When a refusal shows that the server may give at either moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// With the statement that causes it.
    Statement,
    /// With the commit.
    Commit,
}

/// A certificate and its key, both as PEM.
#[derive(Clone)]
pub struct Tls {
    /// The chain, the server's own first; for `localhost`.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// What an emulator is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The path of the database.
    pub database: String,
    /// The first node's port; zero for a free one. Further nodes always take free ones.
    pub port: u16,
    /// How many nodes discovery names, each on a port of its own: one to three.
    pub nodes: u16,
    /// A user name and a password: without a token from `Login` nothing is answered.
    pub credentials: Option<(String, String)>,
    /// With it, connections are encrypted, and clients are told `localhost` instead of 127.0.0.1.
    pub tls: Option<Tls>,
    /// A token that is accepted without a `Login`.
    pub token: Option<String>,
    /// When a transaction hears that another one has overwritten what it read.
    pub conflicts_show: Moment,
    /// When INSERT of a key that exists is refused.
    pub existing_keys_show: Moment,
    /// Where the clock stands, in microseconds since 1970; none: it is the system's.
    pub now: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            database: "/local".to_owned(),
            port: 0,
            nodes: 1,
            credentials: None,
            tls: None,
            token: None,
            conflicts_show: Moment::Commit,
            existing_keys_show: Moment::Statement,
            now: None,
        }
    }
}
