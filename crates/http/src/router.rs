//! Puts routes, document, policy and conventions together, and refuses to when they contradict each other.

use std::{collections::BTreeSet, sync::Arc};

use axum::Router;
use bytes::Bytes;
use utoipa::openapi::{RefOr, schema::Schema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::{
    api::Api,
    middleware::{Conventions, Settings},
    openapi,
    policy::{self, PolicyGap, RouteNeeds},
    problem::{Problem, table},
    routes,
};

/// Routes with their documentation. There is no way to add one without the other: [`Routes::with`] takes only what
/// `utoipa_axum::routes!` makes of documented handlers.
#[derive(Default)]
pub struct Routes {
    router: OpenApiRouter<Arc<Api>>,
    /// Schema names that stand for two different things.
    ambiguous: BTreeSet<String>,
}

impl Routes {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These and the handlers of one path: `.with(routes!(read, change))`.
    #[must_use]
    pub fn with(mut self, documented: UtoipaMethodRouter<Arc<Api>>) -> Self {
        self.note_ambiguous(documented.0.iter().map(|(name, schema)| (name, schema)));
        Self { router: self.router.routes(documented), ambiguous: self.ambiguous }
    }

    /// These and the routes of another resource.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        let theirs = other.router.get_openapi().components.iter().flat_map(|components| &components.schemas);
        self.note_ambiguous(theirs);
        self.ambiguous.extend(other.ambiguous);
        Self { router: self.router.merge(other.router), ambiguous: self.ambiguous }
    }

    /// The API document of these routes.
    #[must_use]
    pub fn document(&self, table: &[RouteNeeds]) -> serde_json::Value {
        openapi::complete(self.router.get_openapi(), table)
    }

    /// The document has one place for all schemas: of two types with one name, only one would be described.
    fn note_ambiguous<'a>(&mut self, schemas: impl Iterator<Item = (&'a String, &'a RefOr<Schema>)>) {
        let Some(known) = &self.router.get_openapi().components else { return };
        let different = schemas.filter(|(name, schema)| known.schemas.get(*name).is_some_and(|other| other != *schema));
        self.ambiguous.extend(different.map(|(name, _)| name.clone()));
    }
}

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
pub fn assemble(api: Arc<Api>, routes: Routes, table: &[RouteNeeds]) -> Result<Router, AssemblyError> {
    if let Some(name) = routes.ambiguous.first() {
        return Err(AssemblyError::AmbiguousSchema(name.clone()));
    }
    let document = routes.document(table);
    policy::check(table, &openapi::operations(&document))?;
    // Filled once; a second router over the same state has the same document.
    let _ = api.document.set(Bytes::from(serde_json::to_vec(&document)?));
    let settings = Settings::new(&api.options, table, api.random.as_ref());
    let router = Router::from(routes.router)
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .with_state(api)
        .layer(Conventions(Arc::new(settings)));
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
