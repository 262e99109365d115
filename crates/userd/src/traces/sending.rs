//! Sends finished spans to a collector: from a thread of its own, in batches, out of a queue that is bounded. A collector
//! that is slow or dead costs spans and nothing else.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use opentelemetry::KeyValue;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SpanProcessor as _},
};
use tokio::runtime::{Builder, Runtime};
use url::Url;
use userd_outbound::{Call, HttpOptions};

use crate::config::WebOrigin;

/// Spans that may wait: a few megabytes. More are dropped.
const QUEUE: usize = 8_192;
const BATCH: usize = 512;
const EVERY: Duration = Duration::from_secs(2);
/// For one batch; longer than a healthy collector takes, shorter than the end of the process may.
const PATIENCE: Duration = Duration::from_secs(3);
/// At the end of the process.
const LAST: Duration = Duration::from_secs(2);

/// Keeps the sending thread; on drop what is left is sent, for at most two seconds.
pub struct Traces {
    queue: Arc<BatchSpanProcessor>,
}

impl Traces {
    pub(super) fn to(collector: &WebOrigin) -> Result<Self, String> {
        let url = collector.url().join("/v1/traces").map_err(said)?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::to(url.clone())?)
            .with_endpoint(url)
            .with_retry_policy(RetryPolicy::disabled())
            .build()
            .map_err(said)?;
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(EVERY)
            .build();
        let mut queue = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        queue.set_resource(&Resource::builder_empty().with_service_name("userd").with_attribute(version).build());
        Ok(Self { queue: Arc::new(queue) })
    }

    pub(super) fn queue(&self) -> Arc<BatchSpanProcessor> {
        Arc::clone(&self.queue)
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // What could not be sent by then is lost, like whatever came while the collector was away.
        let _ = self.queue.shutdown_with_timeout(LAST);
    }
}

/// Posts batches, on the thread that gathers them: its runtime has no other work, and the service's none of this.
struct Sender {
    http: userd_outbound::HttpClient,
    url: Url,
    runtime: Runtime,
    is_failing: AtomicBool,
}

impl Sender {
    fn to(url: Url) -> Result<Self, String> {
        let options = HttpOptions {
            timeout: PATIENCE,
            max_body: 64 * 1024,
            // A collector is in the same network as a rule.
            allow_private_addresses: true,
            ..HttpOptions::default()
        };
        let http = userd_outbound::HttpClient::new(options, &[&url]).map_err(said)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(said)?;
        Ok(Self { http, url, runtime, is_failing: AtomicBool::new(false) })
    }

    /// Says when it begins to fail, and when it ends.
    fn note(&self, why: Option<&str>) {
        match (why, self.is_failing.swap(why.is_some(), Ordering::Relaxed)) {
            (Some(why), false) => tracing::warn!("traces cannot be sent and are lost meanwhile: {why}"),
            (None, true) => tracing::info!("traces are sent again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let call = Call::post(self.url.clone()).body("application/x-protobuf", request.into_body());
        let answer = self.runtime.block_on(self.http.send(call)).map_err(|fault| {
            let why = fault.why();
            self.note(Some(&why));
            why
        })?;
        let is_fine = (200..300).contains(&answer.status);
        self.note((!is_fine).then(|| format!("{} answers {}", answer.host, answer.status)).as_deref());
        Ok(Response::builder().status(answer.status).body(answer.body)?)
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

fn said(error: impl fmt::Display) -> String {
    error.to_string()
}
