//! Routes with their documentation: what each resource's file registers its handlers in. Deliberately absent: who may
//! call them (`policy.rs`), and what stands around them (`router.rs`).

use std::sync::{Arc, OnceLock};

use axum::{Router, routing::MethodRouter};
use bytes::Bytes;
use serde_json::Value;
use utoipa::openapi::{HttpMethod, OpenApi};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::{api::Api, openapi, policy::RouteAccess};

/// Says what the handlers of one path take and answer. A function and not its result: thousands of schemas are put
/// together when somebody asks for the document, not at every start.
pub type Describe = fn() -> UtoipaMethodRouter<Arc<Api>>;

/// The handlers of one path, as [`routes!`] makes them.
pub struct Documented {
    /// Method and path template of each; they have one path.
    pub operations: Vec<(HttpMethod, String)>,
    /// The handlers.
    pub router: MethodRouter<Arc<Api>>,
    /// Their documentation.
    pub describe: Describe,
}

/// The documented handlers of one path: `routes!(read, change)`. What `utoipa_axum::routes!` does, but for the
/// document, which is left for later.
#[macro_export]
macro_rules! documented_routes {
    ($($handler:path),+ $(,)?) => {{
        use utoipa_axum::PathItemExt as _;
        let mut operations = Vec::new();
        let mut router = axum::routing::MethodRouter::new();
        $(utoipa_axum::paste! {
            for method in utoipa_axum::routes!(@path [methods()] of $handler) {
                router = router.on(method.to_method_filter(), $handler);
                operations.push((method, utoipa_axum::routes!(@path [path()] of $handler)));
            }
        })+
        $crate::documented::Documented { operations, router, describe: || utoipa_axum::routes!($($handler),+) }
    }};
}
pub use documented_routes as routes;

/// Routes with their documentation. There is no way to add one without the other: [`Routes::with`] takes only what
/// [`routes!`] makes of documented handlers.
#[derive(Default)]
pub struct Routes {
    pub(crate) router: Router<Arc<Api>>,
    /// Method and path of each.
    pub(crate) operations: Vec<(String, String)>,
    described: Vec<Describe>,
}

impl Routes {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These and the handlers of one path: `.with(routes!(read, change))`.
    #[must_use]
    pub fn with(mut self, documented: Documented) -> Self {
        let Documented { operations, router, describe } = documented;
        if let Some((_, path)) = operations.first() {
            self.router = self.router.route(path, router);
        }
        self.operations.extend(operations.into_iter().map(|(method, path)| (openapi::name(&method).to_owned(), path)));
        self.described.push(describe);
        self
    }

    /// These and the routes of another resource.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.operations.extend(other.operations);
        self.described.extend(other.described);
        Self { router: self.router.merge(other.router), ..self }
    }

    /// The document of these routes under this table, not written yet.
    #[must_use]
    pub fn documentation(&self, table: &[RouteAccess]) -> Documentation {
        Documentation { described: self.described.clone(), table: table.to_vec(), written: OnceLock::new() }
    }
}

/// The API document: put together when it is first asked for.
#[derive(Debug)]
pub struct Documentation {
    described: Vec<Describe>,
    table: Vec<RouteAccess>,
    written: OnceLock<Bytes>,
}

/// Why there is no document. A fault of the code, which a test finds: all routes are documented there.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Two different types of bodies have the same name.
    #[error("two different schemas are named {0}: rename one of the types")]
    AmbiguousSchema(String),
    /// The document could not be written.
    #[error("the API document could not be written: {0}")]
    Unwritable(#[from] serde_json::Error),
}

impl Documentation {
    /// The document as bytes, from now on kept.
    ///
    /// # Errors
    /// See [`DocumentError`].
    pub fn bytes(&self) -> Result<Bytes, DocumentError> {
        if let Some(written) = self.written.get() {
            return Ok(written.clone());
        }
        let bytes = Bytes::from(serde_json::to_vec(&self.document()?)?);
        // Two who ask at once write the same.
        Ok(self.written.get_or_init(|| bytes).clone())
    }

    /// The document.
    ///
    /// # Errors
    /// See [`DocumentError`].
    pub fn document(&self) -> Result<Value, DocumentError> {
        let mut collected = OpenApiRouter::new();
        for describe in &self.described {
            let documented = describe();
            if let Some(name) = ambiguous(collected.get_openapi(), &documented) {
                return Err(DocumentError::AmbiguousSchema(name));
            }
            collected = collected.routes(documented);
        }
        Ok(openapi::complete(collected.get_openapi(), &self.table))
    }
}

/// The document has one place for all schemas: of two types with one name, only one would be described.
fn ambiguous(known: &OpenApi, documented: &UtoipaMethodRouter<Arc<Api>>) -> Option<String> {
    let known = &known.components.as_ref()?.schemas;
    let mut schemas = documented.0.iter();
    schemas.find(|(name, schema)| known.get(name).is_some_and(|is| is != schema)).map(|(name, _)| name.clone())
}
