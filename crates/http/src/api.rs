//! What handlers share: the state behind every route, made by the wiring. Deliberately absent: anything per request.

use std::sync::{Arc, OnceLock};

use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use userd_model::Random;
use userd_services::Services;
use userd_web::{RequestOptions, caller::HasServices, cursor::Cursors, server::Draining};
use utoipa::ToSchema;

use crate::documentation::Documentation;

/// The state of all routes, used as `State<Arc<Api>>`.
pub struct Api {
    /// The parsed configuration of the request layer.
    pub options: RequestOptions,
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
    /// The API document; the router's builder says of which routes.
    pub documentation: OnceLock<Documentation>,
    /// What handlers call.
    pub services: Arc<Services>,
}

impl HasServices for Api {
    fn services(&self) -> &Services {
        &self.services
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
