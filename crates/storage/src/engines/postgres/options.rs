//! How the engine reaches its server.

use std::{fmt, path::PathBuf, time::Duration};

/// Where the server is and how it is used. `PostgresOptions::at` gives the values meant for service.
///
/// The URL's `sslmode` is `disable`, `prefer` (TLS when the server has it), `require` or `verify-full`. Whenever TLS is
/// used the certificate and the host name are checked: `require` means `verify-full` here. Without `sslmode`, a server
/// on this machine (a socket, `localhost`, a loopback address) is spoken to in the clear and every other one with
/// `require`. `sslrootcert`, `sslcert` and `sslkey` in the URL are files, the same as the three options below.
#[derive(Clone)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:port/database?sslmode=…`. Holds a secret: never printed.
    pub url: String,
    /// Connections for units of work.
    pub max_connections: usize,
    /// Connections for reads outside of units of work, shared and pipelined.
    pub read_connections: usize,
    /// How long a unit of work waits for a connection before `Unavailable`.
    pub acquire_timeout: Duration,
    /// How long a statement or a commit may take before it is cancelled.
    pub statement_timeout: Duration,
    /// How long the way to the server may take.
    pub connect_timeout: Duration,
    /// A connection unused for this long is closed.
    pub idle_life: Duration,
    /// Prepared statements, kept per connection. Turn off behind a pooler in transaction mode.
    pub statement_cache: bool,
    /// Several statements under way on one connection. Turn off for poolers that cannot.
    pub pipelining: bool,
    /// The authorities to trust, PEM; the system's own when absent.
    pub ca_file: Option<PathBuf>,
    /// This client's certificate chain, PEM.
    pub client_cert_file: Option<PathBuf>,
    /// Its private key, PEM.
    pub client_key_file: Option<PathBuf>,
}

impl PostgresOptions {
    /// Sixteen connections and two for reads; three seconds for a connection, ten for a statement.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 16,
            read_connections: 2,
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            idle_life: Duration::from_secs(600),
            statement_cache: true,
            pipelining: true,
            ca_file: None,
            client_cert_file: None,
            client_key_file: None,
        }
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("max_connections", &self.max_connections)
            .field("read_connections", &self.read_connections)
            .field("statement_cache", &self.statement_cache)
            .field("pipelining", &self.pipelining)
            .finish_non_exhaustive()
    }
}
