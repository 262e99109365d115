//! Puts routes, document, policy and request layer together, and refuses to when they contradict each other.
//! Deliberately absent: any single route; each resource registers its own (`routes/`).

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use userd_web::{
    RequestLayer,
    problem::{Problem, table},
};

use crate::{
    api::Api,
    documentation::DocumentError,
    documented::Routes,
    policy::{self, PolicyGap, RouteAccess},
    routes,
};

/// Why no router could be built. The start ends here.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    /// Routes and policy table differ.
    #[error(transparent)]
    Policy(#[from] PolicyGap),
}

/// The whole service as one router.
///
/// # Errors
/// See [`AssemblyError`].
pub fn build(api: Arc<Api>) -> Result<Router, AssemblyError> {
    assemble(api, routes::all(), policy::ROUTES)
}

/// One of two listeners: what the other has is not there.
///
/// # Errors
/// See [`AssemblyError`].
pub fn build_side(api: Arc<Api>, side: Side) -> Result<Router, AssemblyError> {
    assemble_side(api, routes::all(), policy::ROUTES, side)
}

/// What a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Everything.
    Whole,
    /// Everything but what only those who run the service need.
    Public,
    /// That, and whether the process lives.
    Admin,
}

impl Side {
    fn serves(self, path: &str) -> bool {
        match self {
            Self::Whole => true,
            Self::Public => !APART.contains(&path),
            Self::Admin => APART.contains(&path) || path == "/livez",
        }
    }
}

/// What stands on an address of its own where one is configured.
const APART: [&str; 2] = ["/metrics", "/readyz"];

/// A router of these routes under this table.
///
/// # Errors
/// See [`AssemblyError`].
pub fn assemble(api: Arc<Api>, routes: Routes, table: &[RouteAccess]) -> Result<Router, AssemblyError> {
    assemble_side(api, routes, table, Side::Whole)
}

fn assemble_side(api: Arc<Api>, routes: Routes, table: &[RouteAccess], side: Side) -> Result<Router, AssemblyError> {
    policy::check(table, &routes.operations)?;
    // Filled once; a second router over the same state has the same document.
    let _ = api.documentation.set(routes.documentation(table));
    let layer = RequestLayer::new(&api.options, policy::traits(table), api.random.as_ref());
    let router = routes.router.fallback(no_such_path).method_not_allowed_fallback(no_such_method).with_state(api);
    let router = match side {
        Side::Whole => router,
        side => router.layer(middleware::from_fn(move |request, next| only(side, request, next))),
    };
    Ok(router.layer(layer))
}

/// The API document without a running service, for `userd openapi`.
///
/// # Errors
/// See [`DocumentError`].
pub fn document() -> Result<serde_json::Value, DocumentError> {
    routes::all().documentation(policy::ROUTES).document()
}

async fn only(side: Side, request: Request, next: Next) -> Response {
    if side.serves(request.uri().path()) { next.run(request).await } else { no_such_path().await.into_response() }
}

async fn no_such_path() -> Problem {
    Problem::not_found()
}

async fn no_such_method() -> Problem {
    Problem::of(&table::METHOD_NOT_ALLOWED)
}
