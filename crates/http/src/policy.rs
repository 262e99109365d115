//! What each route needs, in one table. A route without an entry, or an entry without a route, fails the start.
//! Deliberately absent: the decision itself; services ask `Actor::may`, so that command line and API are equal.

use userd_model::Permission;

/// What a caller must be to use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: anybody may call it.
    Public,
    /// A signed-in user; the route touches only what is the user's own.
    User,
    /// A user or service account with this permission.
    Permission(Permission),
    /// A service account by its id and secret (HTTP Basic).
    Client,
    /// A service account by its id and secret, or a bearer token, either with this permission.
    ClientOrBearer(Permission),
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteNeeds {
    /// Upper case.
    pub method: &'static str,
    /// The path template, e.g. `/v1/users/{id}`.
    pub path: &'static str,
    /// What the route needs.
    pub needs: Needs,
}

const fn route(method: &'static str, path: &'static str, needs: Needs) -> RouteNeeds {
    RouteNeeds { method, path, needs }
}

/// Every route of the service.
pub const ROUTES: &[RouteNeeds] = &[
    route("GET", "/livez", Needs::Public),
    route("GET", "/readyz", Needs::Public),
    route("GET", "/version", Needs::Public),
    route("GET", "/metrics", Needs::Public),
    route("GET", "/openapi.json", Needs::Public),
    route("GET", "/docs", Needs::Public),
    route("GET", "/docs/{file}", Needs::Public),
    route("GET", "/problems/{slug}", Needs::Public),
];

/// Why table and routes do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyGap {
    /// A route that nobody decided about.
    #[error("{0} {1} has no entry in policy::ROUTES")]
    RouteWithoutEntry(String, String),
    /// An entry whose route is gone.
    #[error("policy::ROUTES names {0} {1}, which is no route")]
    EntryWithoutRoute(&'static str, &'static str),
    /// Two entries for one route.
    #[error("policy::ROUTES names {0} {1} twice")]
    Twice(&'static str, &'static str),
}

/// Compares the table with the routes that exist, both ways.
///
/// # Errors
/// The first gap.
pub fn check(table: &[RouteNeeds], routes: &[(String, String)]) -> Result<(), PolicyGap> {
    for (at, entry) in table.iter().enumerate() {
        if table.iter().skip(at + 1).any(|other| other.method == entry.method && other.path == entry.path) {
            return Err(PolicyGap::Twice(entry.method, entry.path));
        }
        if !routes.iter().any(|(method, path)| method == entry.method && path == entry.path) {
            return Err(PolicyGap::EntryWithoutRoute(entry.method, entry.path));
        }
    }
    for (method, path) in routes {
        if !table.iter().any(|entry| entry.method == method && entry.path == path) {
            return Err(PolicyGap::RouteWithoutEntry(method.clone(), path.clone()));
        }
    }
    Ok(())
}
