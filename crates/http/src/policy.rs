//! What each route needs, in one table. A route without an entry, or an entry without a route, fails the start.
//! Deliberately absent: the decision itself; services ask `Actor::may`, so that command line and API are equal.

use userd_model::Permission;
use userd_web::RouteTraits;

/// What a caller must be to use a route.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteNeeds {
    /// Upper case.
    pub method: &'static str,
    /// The path template, e.g. `/v1/users/{id}`.
    pub path: &'static str,
    /// What the route needs.
    pub needs: Needs,
    /// Whether it hashes a password: a connection that asks for that has low priority afterwards.
    pub hashes: bool,
}

const fn route(method: &'static str, path: &'static str, needs: Needs) -> RouteNeeds {
    RouteNeeds { method, path, needs, hashes: false }
}

/// A route that hashes a password.
const fn hashing(method: &'static str, path: &'static str, needs: Needs) -> RouteNeeds {
    RouteNeeds { method, path, needs, hashes: true }
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
    route("GET", "/setup", Needs::Public),
    route("GET", "/signed-in", Needs::Public),
    route("GET", "/pages/{file}", Needs::Public),
    hashing("POST", "/v1/auth/register", Needs::Public),
    hashing("POST", "/v1/auth/login", Needs::Public),
    route("POST", "/v1/auth/refresh", Needs::Public),
    route("POST", "/v1/auth/logout", Needs::User),
    route("POST", "/v1/auth/logout-all", Needs::User),
    hashing("POST", "/v1/setup", Needs::Public),
    route("GET", "/v1/auth/providers", Needs::Public),
    route("GET", "/v1/auth/{provider}/start", Needs::Public),
    route("GET", "/v1/auth/{provider}/callback", Needs::Public),
    route("POST", "/v1/auth/{provider}/callback", Needs::Public),
    route("POST", "/v1/auth/exchange", Needs::Public),
    route("POST", "/v1/auth/{provider}/token", Needs::Public),
    route("POST", "/v1/auth/telegram/widget", Needs::Public),
    route("POST", "/v1/auth/telegram/mini-app", Needs::Public),
    route("POST", "/v1/auth/telegram/bot/start", Needs::Public),
    route("POST", "/v1/auth/telegram/bot/poll", Needs::Public),
    route("POST", "/v1/telegram/webhook", Needs::Public),
    route("GET", "/v1/me", Needs::User),
    route("PATCH", "/v1/me", Needs::User),
    hashing("PUT", "/v1/me/password", Needs::User),
    route("PUT", "/v1/me/username", Needs::User),
    route("GET", "/v1/me/sessions", Needs::User),
    route("DELETE", "/v1/me/sessions/{id}", Needs::User),
    route("GET", "/v1/me/identities", Needs::User),
    route("POST", "/v1/me/identities/{provider}/start", Needs::User),
    route("DELETE", "/v1/me/identities/{id}", Needs::User),
    route("GET", "/.well-known/jwks.json", Needs::Public),
    route("GET", "/.well-known/oauth-authorization-server", Needs::Public),
    route("POST", "/oauth2/introspect", Needs::ClientOrBearer(Permission::TOKENS_INTROSPECT)),
    route("POST", "/oauth2/revoke", Needs::Public),
    route("POST", "/oauth2/token", Needs::Public),
    route("GET", "/v1/revocations", Needs::Permission(Permission::REVOCATIONS_READ)),
    route("GET", "/v1/users", Needs::Permission(Permission::USERS_READ)),
    route("GET", "/v1/users/{id}", Needs::Permission(Permission::USERS_READ)),
    route("POST", "/v1/users/{id}/block", Needs::Permission(Permission::USERS_MANAGE)),
    route("POST", "/v1/users/{id}/unblock", Needs::Permission(Permission::USERS_MANAGE)),
    route("POST", "/v1/users/{id}/sign-out", Needs::Permission(Permission::USERS_MANAGE)),
    route("GET", "/v1/clients", Needs::Permission(Permission::CLIENTS_READ)),
    route("POST", "/v1/clients", Needs::Permission(Permission::CLIENTS_MANAGE)),
    route("DELETE", "/v1/clients/{id}", Needs::Permission(Permission::CLIENTS_MANAGE)),
    route("POST", "/v1/clients/{id}/rotate-secret", Needs::Permission(Permission::CLIENTS_MANAGE)),
    route("GET", "/v1/signing-keys", Needs::Permission(Permission::SIGNING_KEYS_READ)),
    route("POST", "/v1/signing-keys/rotate", Needs::Permission(Permission::SIGNING_KEYS_MANAGE)),
    route("POST", "/v1/signing-keys/{kid}/revoke", Needs::Permission(Permission::SIGNING_KEYS_MANAGE)),
];

/// Where linking begins: its answer ties the attempt to the browser with a cookie, also from a page of another origin.
const CROSS_ORIGIN_COOKIES: &str = "/v1/me/identities/{provider}/start";

/// Asked every few seconds by machines.
const PROBES: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// What the request layer must know of these routes.
pub(crate) fn traits(table: &[RouteNeeds]) -> impl Iterator<Item = RouteTraits> {
    table.iter().map(|entry| RouteTraits {
        path: entry.path,
        hashes: entry.hashes,
        cross_origin_cookies: entry.path == CROSS_ORIGIN_COOKIES,
        probe: PROBES.contains(&entry.path),
    })
}

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
