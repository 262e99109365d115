//! The router that serves the pages in front of the API's, under the request layer and behind the gate. It is put together when
//! somebody first asks for a page: until then a service that only programs call has none of it in memory.

use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use axum::{Router, extract::Request, middleware, response::Response, routing::future::RouteFuture};
use tower::Service;
use userd_web::{RequestLayer, RequestOptions, RouteTraits};

use crate::{
    gate, pages,
    policy::{self, PAGES, PageAccess},
    problem_page,
    site::Site,
};

/// The pages, in front of `api`, which gets every request that is for none of them.
pub fn router(site: Arc<Site>, api: Router) -> Router {
    let mut beginnings: Vec<&str> = PAGES.iter().map(|page| beginning(page.path)).collect();
    beginnings.sort_unstable();
    beginnings.dedup();
    Router::new().fallback_service(InFront(Arc::new(Shared { site, api, beginnings, pages: OnceLock::new() })))
}

/// What is asked first whether a request is for a page.
#[derive(Clone)]
struct InFront(Arc<Shared>);

struct Shared {
    site: Arc<Site>,
    api: Router,
    /// How the paths of pages begin.
    beginnings: Vec<&'static str>,
    pages: OnceLock<Router>,
}

impl Service<Request> for InFront {
    type Response = Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let shared = &self.0;
        let may_be_page = shared.beginnings.binary_search(&beginning(request.uri().path())).is_ok();
        let router = if may_be_page { shared.pages() } else { &shared.api };
        router.clone().call(request)
    }
}

impl Shared {
    fn pages(&self) -> &Router {
        self.pages.get_or_init(|| assemble(&self.site, self.api.clone()))
    }
}

/// The first part of a path.
fn beginning(path: &str) -> &str {
    path.trim_start_matches('/').split('/').next().unwrap_or_default()
}

fn assemble(site: &Arc<Site>, api: Router) -> Router {
    let random = Arc::clone(&site.services.deps.random);
    let options = RequestOptions { problem_page: Some(problem_page::of(site)), ..site.options.requests.clone() };
    let layer = RequestLayer::new(&options, traits(PAGES), random.as_ref());
    let gate = middleware::from_fn_with_state(Arc::clone(site), gate::pass);
    let routes = pages::all();
    debug_assert!(policy::check(PAGES, &routes.known).is_ok(), "pages and their table differ");
    // The API has a layer of its own: what is asked of it here stays outside of this one.
    routes.router.route_layer(gate).with_state(Arc::clone(site)).layer(layer).fallback_service(api)
}

fn traits(table: &'static [PageAccess]) -> impl Iterator<Item = RouteTraits> {
    /// A GET changes something there: an attempt begins, or ends, the secret of an app is made, or the audit log tells of it.
    const CHANGED_BY_GET: [&str; 8] = [
        "/sign-in/with/{provider}",
        "/sign-in/step",
        "/signed-in",
        "/continue",
        "/sign-in/bot",
        "/account/prove/with/{provider}",
        "/account/security/app",
        "/account/data/export",
    ];
    table.iter().map(|entry| RouteTraits {
        path: entry.path,
        hashes: entry.hashes,
        changed_by_get: CHANGED_BY_GET.contains(&entry.path),
        ..RouteTraits::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Access, Forms, Limit, PolicyGap};

    #[test]
    fn every_page_has_a_line_and_every_line_a_page() {
        policy::check(PAGES, &pages::all().known).expect("the table fits");
    }

    #[test]
    fn every_page_begins_as_some_line_does() {
        for (path, first) in [("/", ""), ("/admin/users/{id}", "admin"), ("//admin", "admin"), ("/l/x", "l"), ("", "")]
        {
            assert_eq!(beginning(path), first, "{path}");
        }
    }

    #[test]
    fn a_page_that_nobody_decided_about_is_found() {
        let routes = [("GET", "/"), ("GET", "/forgotten")];
        let entry = |path| PageAccess {
            method: "GET",
            path,
            access: Access::Anybody,
            limit: Limit::Free,
            forms: Forms::Bound,
            hashes: false,
        };
        let gap = policy::check(&[entry("/")], &routes).expect_err("a gap");
        assert_eq!(gap, PolicyGap::RouteWithoutEntry("GET".to_owned(), "/forgotten".to_owned()));
        let gap = policy::check(&[entry("/"), entry("/gone")], &routes).expect_err("a gap");
        assert_eq!(gap, PolicyGap::EntryWithoutRoute("GET", "/gone"));
        let gap = policy::check(&[entry("/"), entry("/")], &routes).expect_err("a gap");
        assert_eq!(gap, PolicyGap::Twice("GET", "/"));
    }
}
