//! Routes with their documentation: what each resource's file registers its handlers in. Deliberately absent: who may
//! call them (`policy.rs`), and what stands around them (`router.rs`).

use std::sync::Arc;

use axum::{Router, routing::MethodRouter};
use utoipa::openapi::HttpMethod;
#[doc(hidden)]
pub use utoipa_axum::router::UtoipaMethodRouter;

use crate::{
    api::Api,
    documentation::{Describe, Documentation},
    openapi,
    policy::RouteAccess,
};

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
        $crate::documented::Documented {
            operations,
            router,
            describe: || {
                let described: $crate::documented::UtoipaMethodRouter<std::sync::Arc<$crate::api::Api>> =
                    utoipa_axum::routes!($($handler),+);
                (described.0, described.1)
            },
        }
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
        Documentation::of(self.described.clone(), table)
    }
}
