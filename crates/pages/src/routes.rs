//! Pages, and what each answers to, as they are put together. Deliberately absent: what they say (`pages/`), who may see them
//! (`policy.rs`), and what serves them (`router.rs`).

use std::sync::Arc;

use axum::{Router, handler::Handler, routing};

use crate::site::Site;

/// Pages, and what each answers to.
#[derive(Default)]
pub(crate) struct Routes {
    pub(crate) router: Router<Arc<Site>>,
    pub(crate) known: Vec<(&'static str, &'static str)>,
}

impl Routes {
    /// A page.
    #[must_use]
    pub(crate) fn get<H: Handler<T, Arc<Site>>, T: 'static>(mut self, path: &'static str, handler: H) -> Self {
        self.known.push(("GET", path));
        Self { router: self.router.route(path, routing::get(handler)), ..self }
    }

    /// A form.
    #[must_use]
    pub(crate) fn post<H: Handler<T, Arc<Site>>, T: 'static>(mut self, path: &'static str, handler: H) -> Self {
        self.known.push(("POST", path));
        Self { router: self.router.route(path, routing::post(handler)), ..self }
    }
}
