//! Puts routes, document, policy and request layer together, and refuses to when they contradict each other.
//! Deliberately absent: any single route; each resource registers its own (`routes/`).

use std::sync::Arc;

use axum::Router;
use bytes::Bytes;
use userd_web::{
    RequestLayer,
    problem::{Problem, table},
};

use crate::{
    api::Api,
    documented::Routes,
    openapi,
    policy::{self, PolicyGap, RouteAccess},
    routes,
};

/// Why no router could be built. The start ends here.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    /// Routes and policy table differ.
    #[error(transparent)]
    Policy(#[from] PolicyGap),
    /// Two different types of bodies have the same name.
    #[error("two different schemas are named {0}: rename one of the types")]
    AmbiguousSchema(String),
    /// The document could not be written.
    #[error("the API document could not be written: {0}")]
    Document(#[from] serde_json::Error),
}

/// The whole service as one router.
///
/// # Errors
/// See [`AssemblyError`].
pub fn build(api: Arc<Api>) -> Result<Router, AssemblyError> {
    assemble(api, routes::all(), policy::ROUTES)
}

/// A router of these routes under this table.
///
/// # Errors
/// See [`AssemblyError`].
pub fn assemble(api: Arc<Api>, routes: Routes, table: &[RouteAccess]) -> Result<Router, AssemblyError> {
    if let Some(name) = routes.ambiguous.first() {
        return Err(AssemblyError::AmbiguousSchema(name.clone()));
    }
    let document = routes.document(table);
    policy::check(table, &openapi::operations(&document))?;
    // Filled once; a second router over the same state has the same document.
    let _ = api.document.set(Bytes::from(serde_json::to_vec(&document)?));
    let layer = RequestLayer::new(&api.options, policy::traits(table), api.random.as_ref());
    let router = Router::from(routes.router)
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .with_state(api)
        .layer(layer);
    Ok(router)
}

/// The API document without a running service, for `userd openapi`.
#[must_use]
pub fn document() -> serde_json::Value {
    routes::all().document(policy::ROUTES)
}

async fn no_such_path() -> Problem {
    Problem::not_found()
}

async fn no_such_method() -> Problem {
    Problem::of(&table::METHOD_NOT_ALLOWED)
}
