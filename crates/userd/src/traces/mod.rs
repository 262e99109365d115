//! Traces over OTLP, in builds with the feature `otlp`: a span for each request, and in it one for each unit of work, each
//! hash and each call to somebody else. Without the feature nothing of it is compiled but the word that says so.
//!
//! What is told of a span stands on a list ([`layer`]): nothing else leaves, whatever somebody writes into a span one day.

#[cfg(feature = "otlp")]
mod layer;
#[cfg(feature = "otlp")]
mod sending;

use crate::config::OtlpConfig;

#[cfg(feature = "otlp")]
pub use self::{layer::TraceLayer, sending::Traces};

/// The target of what is said for traces alone; rooms write it out. The log never shows it.
pub const TARGET: &str = "userd::spans";

/// What a build without the feature has in the layer's place.
#[cfg(not(feature = "otlp"))]
pub type TraceLayer = tracing_subscriber::layer::Identity;

/// Keeps the sending thread; on drop what is left is sent, for at most two seconds.
#[cfg(not(feature = "otlp"))]
pub struct Traces;

/// Whether traces could be sent as configured.
///
/// # Errors
/// A build without them.
pub fn check(config: &OtlpConfig) -> Result<(), &'static str> {
    if cfg!(feature = "otlp") || config.endpoint.is_none() {
        Ok(())
    } else {
        Err("this build sends no traces: build it with `--features otlp`")
    }
}

/// The layer that makes spans of requests into traces, and what sends them; none where no collector is configured.
///
/// # Errors
/// In words: a build without them, a client that cannot be made.
#[cfg(not(feature = "otlp"))]
pub fn begin(config: &OtlpConfig) -> Result<Option<(TraceLayer, Traces)>, String> {
    check(config).map(|()| None).map_err(str::to_owned)
}

/// The layer that makes spans of requests into traces, and what sends them; none where no collector is configured.
///
/// # Errors
/// In words: a client that cannot be made.
#[cfg(feature = "otlp")]
pub fn begin(config: &OtlpConfig) -> Result<Option<(TraceLayer, Traces)>, String> {
    let Some(endpoint) = config.endpoint.as_ref() else { return Ok(None) };
    let traces = Traces::to(endpoint)?;
    Ok(Some((TraceLayer::new(traces.queue(), config.one_in), traces)))
}
