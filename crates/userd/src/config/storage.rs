//! Keys of the database and of the cache.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    connections::{CacheUrl, DatabaseUrl},
    text::Optional,
    values::{FilePath, InputFile, Period},
};

/// The database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite://path` (one machine), `sqlite::memory:` (gone at the end), `postgres://user@host/database`, or, in builds
    /// with the feature `ydb`, `grpc(s)://host:2136/path/to/database` (docs/ydb.md).
    pub url: DatabaseUrl,
    /// File that holds the URL instead, for URLs with a password.
    pub url_file: Optional<FilePath>,
    /// Connections to a database server at the same time.
    #[schemars(range(min = 1, max = 1_000))]
    pub pool_size: u32,
    /// The longest wait for a free connection; then 503.
    #[schemars(extend("x-range" = ["10ms", "1m"]))]
    pub acquire_timeout: Period,
    /// How long an unused connection is kept.
    #[schemars(extend("x-range" = ["1s", "1d"]))]
    pub idle_timeout: Period,
    /// Keeps prepared statements on each connection. `false` behind a PgBouncer that does not know them.
    pub statement_cache: bool,
    /// PEM file with the certificate authority of the server. Empty: the system's.
    pub ca_file: Optional<InputFile>,
    /// PEM file with the certificate that this client shows.
    pub client_certificate_file: Optional<InputFile>,
    /// PEM file with the private key to it.
    pub client_key_file: Optional<InputFile>,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: DatabaseUrl::development(),
            url_file: Optional::NONE,
            pool_size: 16,
            acquire_timeout: Period::seconds(2),
            idle_timeout: Period::minutes(10),
            statement_cache: true,
            ca_file: Optional::NONE,
            client_certificate_file: Optional::NONE,
            client_key_file: Optional::NONE,
        }
    }
}

/// The cache, the shared rate limits and the fan-out of revocations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CacheConfig {
    /// `memory://` (in this process), `redis://host:6379`, `rediss://…` (TLS); several hosts as
    /// `redis+cluster://a:6379,b:6379` or `redis+sentinel://a:26379,b:26379/name`.
    pub url: CacheUrl,
    /// File that holds the URL instead, for URLs with a password.
    pub url_file: Optional<FilePath>,
    /// PEM file with the certificate authority of the server. Empty: the system's.
    pub ca_file: Optional<InputFile>,
    /// The longest wait for an answer; then this process goes on with its own memory.
    #[schemars(extend("x-range" = ["1ms", "10s"]))]
    pub timeout: Period,
    /// Text before every key, so that several services can share one server.
    #[schemars(length(min = 1, max = 64))]
    pub key_prefix: String,
    /// Values kept in this process, in MiB at most.
    #[schemars(range(min = 1, max = 65_536))]
    pub memory_mib: u32,
    /// Counters of rate limits kept in this process (about 40 bytes each).
    #[schemars(range(min = 1_000, max = 100_000_000))]
    pub limit_cells: u32,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            url: CacheUrl::memory(),
            url_file: Optional::NONE,
            ca_file: Optional::NONE,
            timeout: Period(std::time::Duration::from_millis(50)),
            key_prefix: "userd:".to_owned(),
            memory_mib: 64,
            limit_cells: 100_000,
        }
    }
}
