//! The API document, from what the documented handlers of each path say. Deliberately absent: what stands in it besides
//! (`openapi.rs`), and the handlers themselves (`documented.rs`).

use std::sync::{Mutex, OnceLock, PoisonError};

use axum::routing::MethodRouter;
use bytes::Bytes;
use serde_json::Value;
use utoipa::openapi::{OpenApi, Paths, RefOr, schema::Schema};
use utoipa_axum::router::OpenApiRouter;

use crate::{openapi, policy::RouteAccess};

/// A schema by its name.
pub type Named = (String, RefOr<Schema>);

/// Says what the handlers of one path take and answer. A function and not its result: thousands of schemas are put
/// together when somebody asks for the document, not at every start.
pub type Describe = fn() -> (Vec<Named>, Paths);

/// The API document: put together when it is first asked for.
#[derive(Debug)]
pub struct Documentation {
    described: Vec<Describe>,
    table: Vec<RouteAccess>,
    written: OnceLock<Bytes>,
    /// Held by whoever puts it together: of many who ask first, one does.
    writing: Mutex<()>,
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
    /// The document of these under this table, not written yet.
    #[must_use]
    pub fn of(described: Vec<Describe>, table: &[RouteAccess]) -> Self {
        Self { described, table: table.to_vec(), written: OnceLock::new(), writing: Mutex::new(()) }
    }

    /// The document as bytes, from now on kept.
    ///
    /// # Errors
    /// See [`DocumentError`].
    pub fn bytes(&self) -> Result<Bytes, DocumentError> {
        if let Some(written) = self.written.get() {
            return Ok(written.clone());
        }
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(written) = self.written.get() {
            return Ok(written.clone());
        }
        let bytes = Bytes::from(serde_json::to_vec(&self.document()?)?);
        Ok(self.written.get_or_init(|| bytes).clone())
    }

    /// The document.
    ///
    /// # Errors
    /// See [`DocumentError`].
    pub fn document(&self) -> Result<Value, DocumentError> {
        let mut collected = OpenApiRouter::<()>::new();
        for describe in &self.described {
            let (schemas, paths) = describe();
            if let Some(name) = ambiguous(collected.get_openapi(), &schemas) {
                return Err(DocumentError::AmbiguousSchema(name));
            }
            collected = collected.routes((schemas, paths, MethodRouter::new()));
        }
        Ok(openapi::complete(collected.get_openapi(), &self.table))
    }
}

/// The document has one place for all schemas: of two types with one name, only one would be described.
fn ambiguous(known: &OpenApi, schemas: &[Named]) -> Option<String> {
    let known = &known.components.as_ref()?.schemas;
    schemas.iter().find(|(name, schema)| known.get(name).is_some_and(|is| is != schema)).map(|(name, _)| name.clone())
}
