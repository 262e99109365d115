//! One file per resource. A handler parses, calls one service, translates; rules are elsewhere.

pub mod service;

use crate::router::Routes;

/// Every route of the service.
#[must_use]
pub fn all() -> Routes {
    Routes::new().and(service::routes())
}
