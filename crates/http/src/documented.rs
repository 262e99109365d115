//! Routes with their documentation: what each resource's file registers its handlers in. Deliberately absent: who may
//! call them (`policy.rs`), and what stands around them (`router.rs`).

use std::{collections::BTreeSet, sync::Arc};

use utoipa::openapi::{RefOr, schema::Schema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::{api::Api, openapi, policy::RouteAccess};

/// Routes with their documentation. There is no way to add one without the other: [`Routes::with`] takes only what
/// `utoipa_axum::routes!` makes of documented handlers.
#[derive(Default)]
pub struct Routes {
    pub(crate) router: OpenApiRouter<Arc<Api>>,
    /// Schema names that stand for two different things.
    pub(crate) ambiguous: BTreeSet<String>,
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
    pub fn document(&self, table: &[RouteAccess]) -> serde_json::Value {
        openapi::complete(self.router.get_openapi(), table)
    }

    /// The document has one place for all schemas: of two types with one name, only one would be described.
    fn note_ambiguous<'a>(&mut self, schemas: impl Iterator<Item = (&'a String, &'a RefOr<Schema>)>) {
        let Some(known) = &self.router.get_openapi().components else { return };
        let different = schemas.filter(|(name, schema)| known.schemas.get(*name).is_some_and(|other| other != *schema));
        self.ambiguous.extend(different.map(|(name, _)| name.clone()));
    }
}
