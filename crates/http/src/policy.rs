//! What each route needs, in one table. A route without an entry, or an entry without a route, fails the start.
//! Deliberately absent: the decision itself; services ask `Actor::may`, so that command line and API are equal.

use std::time::Duration;

use userd_model::Permission;
use userd_web::RouteTraits;

/// What a caller must be to use a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: anybody may call it.
    Public,
    /// A signed-in user; the route touches only what is the user's own.
    User,
    /// A user or service account with this permission.
    Permission(Permission),
    /// A service account with this permission; the route touches only what is its own.
    Service(Permission),
    /// A service account by its id and secret (HTTP Basic).
    Client,
    /// A service account by its id and secret, or a bearer token, either with this permission.
    ClientOrBearer(Permission),
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteAccess {
    /// Upper case.
    pub method: &'static str,
    /// The path template, e.g. `/v1/users/{id}`.
    pub path: &'static str,
    /// What a caller must be.
    pub access: Access,
    /// Whether it hashes a password: a connection that asks for that has low priority afterwards.
    pub hashes: bool,
}

const fn route(method: &'static str, path: &'static str, access: Access) -> RouteAccess {
    RouteAccess { method, path, access, hashes: false }
}

/// A route that hashes a password.
const fn hashing(method: &'static str, path: &'static str, access: Access) -> RouteAccess {
    RouteAccess { method, path, access, hashes: true }
}

/// Every route of the service.
pub const ROUTES: &[RouteAccess] = &[
    route("GET", "/livez", Access::Public),
    route("GET", "/readyz", Access::Public),
    route("GET", "/version", Access::Public),
    route("GET", "/metrics", Access::Public),
    route("GET", "/openapi.json", Access::Public),
    route("GET", "/docs", Access::Public),
    route("GET", "/docs/{file}", Access::Public),
    route("GET", "/problems/{slug}", Access::Public),
    route("GET", "/", Access::Public),
    route("GET", "/setup", Access::Public),
    route("GET", "/signed-in", Access::Public),
    route("GET", "/pages/{file}", Access::Public),
    route("GET", "/l/{token}", Access::Public),
    hashing("POST", "/l/{token}", Access::Public),
    route("GET", "/v1/auth/documents", Access::Public),
    hashing("POST", "/v1/auth/register", Access::Public),
    hashing("POST", "/v1/auth/login", Access::Public),
    route("POST", "/v1/auth/refresh", Access::Public),
    route("POST", "/v1/auth/logout", Access::User),
    route("POST", "/v1/auth/logout-all", Access::User),
    route("POST", "/v1/auth/email/verify", Access::Public),
    route("POST", "/v1/auth/email/resend", Access::Public),
    route("POST", "/v1/auth/password/forgot", Access::Public),
    hashing("POST", "/v1/auth/password/reset", Access::Public),
    route("POST", "/v1/auth/email-code/begin", Access::Public),
    route("POST", "/v1/auth/email-code/finish", Access::Public),
    route("POST", "/v1/auth/passkey/begin", Access::Public),
    route("POST", "/v1/auth/passkey/finish", Access::Public),
    route("POST", "/v1/auth/restore", Access::Public),
    hashing("POST", "/v1/setup", Access::Public),
    route("GET", "/v1/auth/providers", Access::Public),
    route("GET", "/v1/auth/{provider}/start", Access::Public),
    route("GET", "/v1/auth/{provider}/callback", Access::Public),
    route("POST", "/v1/auth/{provider}/callback", Access::Public),
    route("POST", "/v1/auth/exchange", Access::Public),
    route("POST", "/v1/auth/{provider}/token", Access::Public),
    route("POST", "/v1/auth/telegram/widget", Access::Public),
    route("POST", "/v1/auth/telegram/mini-app", Access::Public),
    route("POST", "/v1/auth/telegram/bot/start", Access::Public),
    route("POST", "/v1/auth/telegram/bot/poll", Access::Public),
    route("POST", "/v1/telegram/webhook", Access::Public),
    route("GET", "/v1/forward-auth", Access::Public),
    route("GET", "/_userd/start", Access::Public),
    route("GET", "/_userd/callback", Access::Public),
    route("POST", "/_userd/sign-out", Access::Public),
    route("GET", "/v1/me", Access::User),
    route("PATCH", "/v1/me", Access::User),
    route("GET", "/v1/me/export", Access::User),
    hashing("DELETE", "/v1/me", Access::User),
    hashing("PUT", "/v1/me/password", Access::User),
    hashing("PUT", "/v1/me/email", Access::User),
    route("GET", "/v1/me/emails", Access::User),
    route("POST", "/v1/me/emails", Access::User),
    route("DELETE", "/v1/me/emails/{id}", Access::User),
    route("POST", "/v1/me/emails/{id}/primary", Access::User),
    route("PUT", "/v1/me/username", Access::User),
    route("GET", "/v1/me/sessions", Access::User),
    route("PATCH", "/v1/me/sessions/{id}", Access::User),
    route("DELETE", "/v1/me/sessions/{id}", Access::User),
    route("POST", "/v1/auth/second-factor", Access::Public),
    hashing("POST", "/v1/auth/continue", Access::Public),
    hashing("POST", "/v1/auth/step-up", Access::User),
    route("POST", "/v1/auth/step-up/begin", Access::User),
    route("GET", "/v1/me/factors", Access::User),
    route("PATCH", "/v1/me/factors/{id}", Access::User),
    route("DELETE", "/v1/me/factors/{id}", Access::User),
    route("POST", "/v1/me/factors/totp", Access::User),
    route("POST", "/v1/me/factors/totp/{id}/confirm", Access::User),
    route("POST", "/v1/me/factors/passkeys/begin", Access::User),
    route("POST", "/v1/me/factors/passkeys/finish", Access::User),
    route("POST", "/v1/me/recovery-codes", Access::User),
    route("GET", "/v1/me/identities", Access::User),
    route("POST", "/v1/me/identities/{provider}/start", Access::User),
    route("POST", "/v1/me/identities/move", Access::User),
    route("DELETE", "/v1/me/identities/{id}", Access::User),
    route("GET", "/v1/me/notification-preferences", Access::User),
    route("PUT", "/v1/me/notification-preferences", Access::User),
    route("GET", "/v1/me/notifications", Access::User),
    route("GET", "/v1/me/notifications/unread-count", Access::User),
    route("GET", "/v1/me/notifications/stream", Access::User),
    route("POST", "/v1/me/notifications/seen", Access::User),
    route("POST", "/v1/me/notifications/read-all", Access::User),
    route("POST", "/v1/me/notifications/{id}/read", Access::User),
    route("POST", "/v1/me/notifications/{id}/archive", Access::User),
    route("DELETE", "/v1/me/notifications/{id}", Access::User),
    route("POST", "/v1/notifications", Access::Permission(Permission::NOTIFICATIONS_SEND)),
    route("GET", "/v1/notifications/{id}", Access::Permission(Permission::NOTIFICATIONS_SEND)),
    route("GET", "/v1/deliveries", Access::Permission(Permission::DELIVERIES_READ)),
    route("POST", "/v1/deliveries/{id}/retry", Access::Permission(Permission::DELIVERIES_MANAGE)),
    route("POST", "/v1/deliveries/{id}/resend", Access::Permission(Permission::DELIVERIES_MANAGE)),
    route("GET", "/.well-known/webauthn", Access::Public),
    route("GET", "/.well-known/passkey-endpoints", Access::Public),
    route("GET", "/.well-known/change-password", Access::Public),
    route("GET", "/.well-known/jwks.json", Access::Public),
    route("GET", "/.well-known/oauth-authorization-server", Access::Public),
    route("POST", "/oauth2/introspect", Access::ClientOrBearer(Permission::TOKENS_INTROSPECT)),
    route("POST", "/oauth2/revoke", Access::Public),
    route("POST", "/oauth2/token", Access::Public),
    route("POST", "/v1/global-token-revocation", Access::Permission(Permission::TOKENS_REVOKE)),
    route("GET", "/v1/revocations", Access::Permission(Permission::REVOCATIONS_READ)),
    route("GET", "/v1/events", Access::Permission(Permission::EVENTS_READ)),
    route("GET", "/v1/audit-events", Access::Permission(Permission::AUDIT_READ)),
    route("GET", "/v1/audit-events/verify", Access::Permission(Permission::AUDIT_READ)),
    route("GET", "/v1/audit-events/{id}/proof", Access::Permission(Permission::AUDIT_READ)),
    route("GET", "/v1/users/{id}/audit-events", Access::Permission(Permission::AUDIT_READ)),
    route("GET", "/v1/webhooks", Access::Permission(Permission::WEBHOOKS_READ)),
    route("POST", "/v1/webhooks", Access::Permission(Permission::WEBHOOKS_MANAGE)),
    route("GET", "/v1/webhooks/{id}", Access::Permission(Permission::WEBHOOKS_READ)),
    route("PATCH", "/v1/webhooks/{id}", Access::Permission(Permission::WEBHOOKS_MANAGE)),
    route("DELETE", "/v1/webhooks/{id}", Access::Permission(Permission::WEBHOOKS_MANAGE)),
    route("POST", "/v1/webhooks/{id}/test", Access::Permission(Permission::WEBHOOKS_MANAGE)),
    route("POST", "/v1/webhooks/{id}/resend", Access::Permission(Permission::WEBHOOKS_MANAGE)),
    route("POST", "/v1/webhooks/{id}/rotate-secret", Access::Permission(Permission::WEBHOOKS_MANAGE)),
    route("GET", "/.well-known/ssf-configuration", Access::Public),
    route("GET", "/v1/ssf/streams", Access::Service(Permission::SSF_READ)),
    route("POST", "/v1/ssf/streams", Access::Service(Permission::SSF_MANAGE)),
    route("PATCH", "/v1/ssf/streams", Access::Service(Permission::SSF_MANAGE)),
    route("PUT", "/v1/ssf/streams", Access::Service(Permission::SSF_MANAGE)),
    route("DELETE", "/v1/ssf/streams", Access::Service(Permission::SSF_MANAGE)),
    route("GET", "/v1/ssf/status", Access::Service(Permission::SSF_READ)),
    route("POST", "/v1/ssf/status", Access::Service(Permission::SSF_MANAGE)),
    route("POST", "/v1/ssf/verify", Access::Service(Permission::SSF_MANAGE)),
    route("POST", "/v1/ssf/streams/{id}/poll", Access::Service(Permission::SSF_READ)),
    route("GET", "/v1/users", Access::Permission(Permission::USERS_READ)),
    route("POST", "/v1/users", Access::Permission(Permission::USERS_MANAGE)),
    route("GET", "/v1/users/{id}", Access::Permission(Permission::USERS_READ)),
    route("PATCH", "/v1/users/{id}", Access::Permission(Permission::USERS_MANAGE)),
    route("GET", "/v1/users/{id}/sessions", Access::Permission(Permission::USERS_READ)),
    route("GET", "/v1/users/{id}/identities", Access::Permission(Permission::USERS_READ)),
    route("DELETE", "/v1/users/{id}/identities/{identity_id}", Access::Permission(Permission::USERS_MANAGE)),
    route("DELETE", "/v1/users/{id}", Access::Permission(Permission::USERS_MANAGE)),
    route("POST", "/v1/users/{id}/restore", Access::Permission(Permission::USERS_MANAGE)),
    route("POST", "/v1/users/{id}/purge", Access::Permission(Permission::USERS_PURGE)),
    route("PUT", "/v1/users/{id}/legal-hold", Access::Permission(Permission::USERS_PURGE)),
    route("DELETE", "/v1/users/{id}/legal-hold", Access::Permission(Permission::USERS_PURGE)),
    route("POST", "/v1/users/{id}/send-password-reset", Access::Permission(Permission::USERS_MANAGE)),
    route("POST", "/v1/users/{id}/block", Access::Permission(Permission::USERS_MANAGE)),
    route("POST", "/v1/users/{id}/unblock", Access::Permission(Permission::USERS_MANAGE)),
    route("POST", "/v1/users/{id}/require-password-change", Access::Permission(Permission::USERS_MANAGE)),
    route("DELETE", "/v1/users/{id}/factors", Access::Permission(Permission::USERS_RESET_FACTORS)),
    route("POST", "/v1/users/{id}/sign-out", Access::Permission(Permission::USERS_MANAGE)),
    route("GET", "/v1/invitations", Access::Permission(Permission::USERS_READ)),
    route("POST", "/v1/invitations", Access::Permission(Permission::USERS_MANAGE)),
    route("DELETE", "/v1/invitations/{id}", Access::Permission(Permission::USERS_MANAGE)),
    route("GET", "/v1/me/grants", Access::User),
    route("GET", "/v1/users/{id}/grants", Access::Permission(Permission::USERS_READ)),
    route("PUT", "/v1/users/{id}/roles/{role}", Access::Permission(Permission::ROLES_GRANT)),
    route("DELETE", "/v1/users/{id}/roles/{role}", Access::Permission(Permission::ROLES_GRANT)),
    route("PUT", "/v1/users/{id}/permissions/{permission}", Access::Permission(Permission::ROLES_GRANT)),
    route("DELETE", "/v1/users/{id}/permissions/{permission}", Access::Permission(Permission::ROLES_GRANT)),
    route("GET", "/v1/roles", Access::Permission(Permission::ROLES_READ)),
    route("POST", "/v1/roles", Access::Permission(Permission::ROLES_MANAGE)),
    route("GET", "/v1/roles/{name}", Access::Permission(Permission::ROLES_READ)),
    route("PUT", "/v1/roles/{name}", Access::Permission(Permission::ROLES_MANAGE)),
    route("DELETE", "/v1/roles/{name}", Access::Permission(Permission::ROLES_MANAGE)),
    route("GET", "/v1/permissions", Access::Permission(Permission::ROLES_READ)),
    route("POST", "/v1/permissions", Access::Permission(Permission::PERMISSIONS_MANAGE)),
    route("DELETE", "/v1/permissions/{name}", Access::Permission(Permission::PERMISSIONS_MANAGE)),
    route("POST", "/v1/permissions/check", Access::Permission(Permission::PERMISSIONS_CHECK)),
    route("GET", "/v1/me/access-requests", Access::User),
    route("POST", "/v1/me/access-requests", Access::User),
    route("GET", "/v1/me/access-requests/catalogue", Access::User),
    route("POST", "/v1/me/access-requests/{id}/withdraw", Access::User),
    route("GET", "/v1/access-requests", Access::User),
    route("GET", "/v1/access-requests/{id}", Access::User),
    route("POST", "/v1/access-requests/{id}/approve", Access::User),
    route("POST", "/v1/access-requests/{id}/decline", Access::User),
    route("GET", "/v1/clients", Access::Permission(Permission::CLIENTS_READ)),
    route("POST", "/v1/clients", Access::Permission(Permission::CLIENTS_MANAGE)),
    route("PATCH", "/v1/clients/{id}", Access::Permission(Permission::CLIENTS_MANAGE)),
    route("DELETE", "/v1/clients/{id}", Access::Permission(Permission::CLIENTS_MANAGE)),
    route("POST", "/v1/clients/{id}/enable", Access::Permission(Permission::CLIENTS_MANAGE)),
    route("POST", "/v1/clients/{id}/rotate-secret", Access::Permission(Permission::CLIENTS_MANAGE)),
    route("GET", "/v1/signing-keys", Access::Permission(Permission::SIGNING_KEYS_READ)),
    route("POST", "/v1/signing-keys/rotate", Access::Permission(Permission::SIGNING_KEYS_MANAGE)),
    route("POST", "/v1/signing-keys/{kid}/revoke", Access::Permission(Permission::SIGNING_KEYS_MANAGE)),
];

/// Where linking begins: its answer ties the login flow to the browser with a cookie, also from a page of another origin.
const CROSS_ORIGIN_COOKIES: &str = "/v1/me/identities/{provider}/start";

/// A GET changes something there: an attempt begins, or ends, or the audit log tells of it. HEAD is answered without asking them.
/// (`/v1/auth/{provider}/start` knows HEAD: it says whether there is such a provider.)
const CHANGED_BY_GET: [&str; 4] =
    ["/v1/auth/{provider}/callback", "/_userd/start", "/_userd/callback", "/v1/me/export"];

/// Their answers may be held back until there is something.
const WAIT: [&str; 3] = ["/v1/revocations", "/v1/events", "/v1/ssf/streams/{id}/poll"];

/// The longest that a caller may have an answer held back.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(25);

/// Asked every few seconds by machines.
const PROBES: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// What the request layer must know of these routes.
pub(crate) fn traits(table: &[RouteAccess]) -> impl Iterator<Item = RouteTraits> {
    table.iter().map(|entry| RouteTraits {
        path: entry.path,
        hashes: entry.hashes,
        cross_origin_cookies: entry.path == CROSS_ORIGIN_COOKIES,
        probe: PROBES.contains(&entry.path),
        changed_by_get: CHANGED_BY_GET.contains(&entry.path),
        waits: if WAIT.contains(&entry.path) { LONGEST_WAIT } else { Duration::ZERO },
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
pub fn check(table: &[RouteAccess], routes: &[(String, String)]) -> Result<(), PolicyGap> {
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
