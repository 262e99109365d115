//! What handlers share: the state behind every route, made by the wiring. Deliberately absent: anything per request.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use url::Url;
use userd_model::Random;
use userd_services::Services;
use utoipa::ToSchema;

use crate::{client_address::TrustedProxies, cors::Cors, cursor::Cursors};

/// The state of all routes, used as `State<Arc<Api>>`.
pub struct Api {
    /// The parsed configuration of this room.
    pub options: HttpOptions,
    /// What `/version` says.
    pub build: BuildInfo,
    /// What `/readyz` asks.
    pub readiness: Arc<dyn Readiness>,
    /// Raised when the process is about to stop.
    pub draining: Draining,
    /// What `/metrics` renders.
    pub metrics: PrometheusHandle,
    /// Seals the positions of lists.
    pub cursors: Cursors,
    /// Where request ids come from.
    pub random: Arc<dyn Random>,
    /// The API document; the router's builder fills it.
    pub document: OnceLock<Bytes>,
    /// What handlers call.
    pub services: Arc<Services>,
}

/// The parsed configuration of this room.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// The address that clients use; https turns on HSTS.
    pub public_url: Url,
    /// Whose `X-Forwarded-For` counts.
    pub trusted_proxies: TrustedProxies,
    /// Which web origins may call.
    pub cors: Cors,
    /// How long a request may take until its answer starts; streams may go on.
    pub request_deadline: Duration,
}

impl HttpOptions {
    /// The defaults for a public URL: no proxies, no foreign origins, 30 seconds.
    #[must_use]
    pub fn new(public_url: Url) -> Self {
        Self {
            public_url,
            trusted_proxies: TrustedProxies::default(),
            cors: Cors::default(),
            request_deadline: Duration::from_secs(30),
        }
    }
}

/// What was built, from what, when.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BuildInfo {
    /// The program's name.
    pub name: &'static str,
    /// Its semantic version.
    pub version: &'static str,
    /// The commit it was built from, or `unknown`.
    pub commit: &'static str,
    /// When it was built, RFC 3339, or `unknown`.
    pub build_time: &'static str,
}

/// How one part of the service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    /// Works.
    Ok,
    /// Works with a fall-back; the service stays ready.
    Degraded,
    /// Does not work; the service is not ready.
    Down,
}

/// Asks the parts that requests depend on.
#[async_trait::async_trait]
pub trait Readiness: Send + Sync {
    /// Name and state of each part, quickly.
    async fn parts(&self) -> Vec<(&'static str, PartState)>;
}

/// The sign that the process is about to stop: `/readyz` answers 503 from then on.
#[derive(Clone, Debug, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    /// Raises the sign.
    pub fn start(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Is it raised?
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
