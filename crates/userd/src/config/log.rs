//! Keys of the log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    text::Optional,
    urls::WebOrigin,
    values::{FilePath, LogFilter},
};

/// The log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// `pretty`: for people; `json`: one object per line; `auto`: pretty on a terminal, json elsewhere and in files.
    pub format: LogFormat,
    /// A level (off, error, warn, info, debug, trace), or a level per room: `info,userd_storage=debug`.
    pub level: LogFilter,
    /// A file that gets the log too. With rotation it is a link to the newest of `<file>.<date>`. Empty: none.
    pub file: Optional<FilePath>,
    /// When a new file is begun, by UTC.
    pub rotation: LogRotation,
    /// Files that are kept; the oldest goes.
    #[schemars(range(min = 1, max = 10_000))]
    pub keep: u32,
    /// Lines that may wait to be written. More are dropped and counted (`userd_log_lines_dropped_total`), so that a slow
    /// disk or terminal never slows a request.
    #[schemars(range(min = 128, max = 1_000_000))]
    pub buffer_lines: u32,
    /// Traces of requests, in builds with the feature `otlp`.
    pub otlp: OtlpConfig,
}

/// Traces of requests, sent to a collector by OTLP over HTTP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OtlpConfig {
    /// The collector, which is sent to at `/v1/traces`: `http://127.0.0.1:4318`. Empty: no traces.
    pub endpoint: Optional<WebOrigin>,
    /// One request in so many is traced, drawn by chance; where `http.trusted_proxies` send a `traceparent`, its word
    /// counts instead.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub one_in: u32,
}

impl Default for OtlpConfig {
    fn default() -> Self {
        Self { endpoint: Optional::NONE, one_in: 1 }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::Auto,
            level: LogFilter::info(),
            file: Optional::NONE,
            rotation: LogRotation::Daily,
            keep: 14,
            buffer_lines: 8_192,
            otlp: OtlpConfig::default(),
        }
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "explained at the key; doc lines would make the schema a list of alternatives")]
pub enum LogFormat {
    Auto,
    Pretty,
    Json,
}

/// When a new log file is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it; doc lines would make the schema a list of alternatives")]
pub enum LogRotation {
    Daily,
    Hourly,
    Never,
}
