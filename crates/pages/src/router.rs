//! The router that serves the pages in front of the API's, under the request layer and behind the gate; refuses to when
//! pages and their table differ.

use std::sync::Arc;

use axum::{Router, middleware};
use userd_web::{RequestLayer, RequestOptions, RouteTraits};

use crate::{
    gate, pages,
    policy::{self, PAGES, PageAccess, PolicyGap},
    problem_page,
    routes::Routes,
    site::Site,
};

/// The pages, in front of `api`, which gets every request that is for none of them.
///
/// # Errors
/// Pages and their table differ.
pub fn router(site: Arc<Site>, api: Router) -> Result<Router, PolicyGap> {
    assemble(site, pages::all(), PAGES, api)
}

fn assemble(site: Arc<Site>, routes: Routes, table: &'static [PageAccess], api: Router) -> Result<Router, PolicyGap> {
    policy::check(table, &routes.known)?;
    let random = Arc::clone(&site.services.deps.random);
    let options = RequestOptions { problem_page: Some(problem_page::of(&site)), ..site.options.requests.clone() };
    let layer = RequestLayer::new(&options, traits(table), random.as_ref());
    let gate = middleware::from_fn_with_state(Arc::clone(&site), gate::pass);
    // The API has a layer of its own: what is asked of it here stays outside of this one.
    Ok(routes.router.route_layer(gate).with_state(site).layer(layer).fallback_service(api))
}

fn traits(table: &'static [PageAccess]) -> impl Iterator<Item = RouteTraits> {
    /// A GET changes something there: an attempt begins, or ends.
    const CHANGED_BY_GET: [&str; 6] = [
        "/sign-in/with/{provider}",
        "/signed-in",
        "/continue",
        "/sign-in/bot",
        "/account/linked/with/{provider}",
        "/account/security/app",
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
    use crate::policy::{Access, Forms, Limit};

    #[test]
    fn every_page_has_a_line_and_every_line_a_page() {
        policy::check(PAGES, &pages::all().known).expect("the table fits");
    }

    #[test]
    fn a_page_that_nobody_decided_about_fails_the_start() {
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
