//! Who may see each page, and what bounds its visits, in one table that `gate.rs` enforces. A route without an entry, or an
//! entry without a route, fails a test, and the gate lets nobody to a route without one. Deliberately absent: whether somebody may do what a form asks for; services ask
//! that.

use userd_model::Permission;
use userd_services::limits::Limited;

/// Who may see a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Anybody,
    /// Who is signed in; others are led to the sign-in page and back.
    SignedIn,
    /// Who is signed in and holds this permission; for others it is not there.
    Holder(Permission),
}

/// What bounds the visits of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Nothing: it costs less than counting.
    Free,
    /// Visits of one network are counted here.
    Pages,
    /// The service that the form asks counts by this.
    Service(Limited),
}

/// How a form is known to be one that this browser was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forms {
    /// By a field bound to the browser's cookie.
    Bound,
    /// Anybody may post it: what it carries is itself the proof, as with a link in a mail.
    Unbound,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageAccess {
    /// Upper case.
    pub method: &'static str,
    /// The path template, e.g. `/account/devices/{id}`.
    pub path: &'static str,
    /// Who may see it.
    pub access: Access,
    /// What bounds its visits.
    pub limit: Limit,
    /// How its form is known, where it is one.
    pub forms: Forms,
    /// Whether it hashes a password: a connection that asks for that has low priority afterwards.
    pub hashes: bool,
}

const fn page(path: &'static str, access: Access, limit: Limit) -> PageAccess {
    PageAccess { method: "GET", path, access, limit, forms: Forms::Bound, hashes: false }
}

const fn form(path: &'static str, access: Access, limit: Limit) -> PageAccess {
    PageAccess { method: "POST", path, access, limit, forms: Forms::Bound, hashes: false }
}

/// A form that hashes a password.
const fn hashing(path: &'static str, access: Access, limit: Limit) -> PageAccess {
    PageAccess { method: "POST", path, access, limit, forms: Forms::Bound, hashes: true }
}

/// A form that anybody may post, which hashes a password.
const fn unbound(path: &'static str, access: Access, limit: Limit) -> PageAccess {
    PageAccess { method: "POST", path, access, limit, forms: Forms::Unbound, hashes: true }
}

/// Every page.
pub const PAGES: &[PageAccess] = &[
    page("/assets/{file}", Access::Anybody, Limit::Free),
    page("/", Access::Anybody, Limit::Free),
    form("/language", Access::Anybody, Limit::Free),
    page("/admin", Access::SignedIn, Limit::Pages),
    page("/admin/overview", Access::Holder(Permission::USERS_READ), Limit::Pages),
    page("/admin/users", Access::Holder(Permission::USERS_READ), Limit::Pages),
    page("/admin/users/+make", Access::Holder(Permission::USERS_MANAGE), Limit::Pages),
    form("/admin/users/+make", Access::Holder(Permission::USERS_MANAGE), Limit::Pages),
    page("/admin/users/{id}/change", Access::Holder(Permission::USERS_MANAGE), Limit::Pages),
    form("/admin/users/{id}/change", Access::Holder(Permission::USERS_MANAGE), Limit::Pages),
    page("/admin/users/{id}", Access::Holder(Permission::USERS_READ), Limit::Pages),
    page("/admin/users/{id}/acts/{act}", Access::Holder(Permission::USERS_READ), Limit::Pages),
    form("/admin/users/{id}/acts/{act}", Access::Holder(Permission::USERS_READ), Limit::Pages),
    page("/admin/users/{id}/grants/give", Access::Holder(Permission::USERS_READ), Limit::Pages),
    form("/admin/users/{id}/grants/give", Access::Holder(Permission::USERS_READ), Limit::Pages),
    page("/admin/users/{id}/grants/{kind}/{name}/take", Access::Holder(Permission::USERS_READ), Limit::Pages),
    form("/admin/users/{id}/grants/{kind}/{name}/take", Access::Holder(Permission::USERS_READ), Limit::Pages),
    page("/admin/users/{id}/identities/{identity}/unlink", Access::Holder(Permission::USERS_MANAGE), Limit::Pages),
    form("/admin/users/{id}/identities/{identity}/unlink", Access::Holder(Permission::USERS_MANAGE), Limit::Pages),
    page("/admin/requests", Access::SignedIn, Limit::Pages),
    page("/admin/requests/{id}", Access::SignedIn, Limit::Pages),
    form("/admin/requests/{id}", Access::SignedIn, Limit::Pages),
    page("/admin/roles", Access::Holder(Permission::ROLES_READ), Limit::Pages),
    page("/admin/roles/+make", Access::Holder(Permission::ROLES_MANAGE), Limit::Pages),
    form("/admin/roles/+make", Access::Holder(Permission::ROLES_MANAGE), Limit::Pages),
    page("/admin/roles/{name}", Access::Holder(Permission::ROLES_READ), Limit::Pages),
    page("/admin/roles/{name}/change", Access::Holder(Permission::ROLES_MANAGE), Limit::Pages),
    form("/admin/roles/{name}/change", Access::Holder(Permission::ROLES_MANAGE), Limit::Pages),
    page("/admin/roles/{name}/remove", Access::Holder(Permission::ROLES_MANAGE), Limit::Pages),
    form("/admin/roles/{name}/remove", Access::Holder(Permission::ROLES_MANAGE), Limit::Pages),
    page("/admin/permissions", Access::Holder(Permission::ROLES_READ), Limit::Pages),
    page("/admin/permissions/register", Access::Holder(Permission::PERMISSIONS_MANAGE), Limit::Pages),
    form("/admin/permissions/register", Access::Holder(Permission::PERMISSIONS_MANAGE), Limit::Pages),
    page("/admin/permissions/{name}/remove", Access::Holder(Permission::PERMISSIONS_MANAGE), Limit::Pages),
    form("/admin/permissions/{name}/remove", Access::Holder(Permission::PERMISSIONS_MANAGE), Limit::Pages),
    page("/admin/clients", Access::Holder(Permission::CLIENTS_READ), Limit::Pages),
    page("/admin/clients/make", Access::Holder(Permission::CLIENTS_MANAGE), Limit::Pages),
    form("/admin/clients/make", Access::Holder(Permission::CLIENTS_MANAGE), Limit::Pages),
    page("/admin/clients/{id}/change", Access::Holder(Permission::CLIENTS_MANAGE), Limit::Pages),
    form("/admin/clients/{id}/change", Access::Holder(Permission::CLIENTS_MANAGE), Limit::Pages),
    page("/admin/clients/{id}/rotate", Access::Holder(Permission::CLIENTS_MANAGE), Limit::Pages),
    form("/admin/clients/{id}/rotate", Access::Holder(Permission::CLIENTS_MANAGE), Limit::Pages),
    page("/admin/clients/{id}/disable", Access::Holder(Permission::CLIENTS_MANAGE), Limit::Pages),
    form("/admin/clients/{id}/disable", Access::Holder(Permission::CLIENTS_MANAGE), Limit::Pages),
    page("/admin/clients/{id}/enable", Access::Holder(Permission::CLIENTS_MANAGE), Limit::Pages),
    form("/admin/clients/{id}/enable", Access::Holder(Permission::CLIENTS_MANAGE), Limit::Pages),
    page("/admin/webhooks", Access::Holder(Permission::WEBHOOKS_READ), Limit::Pages),
    page("/admin/webhooks/make", Access::Holder(Permission::WEBHOOKS_MANAGE), Limit::Pages),
    form("/admin/webhooks/make", Access::Holder(Permission::WEBHOOKS_MANAGE), Limit::Pages),
    page("/admin/webhooks/{id}", Access::Holder(Permission::WEBHOOKS_READ), Limit::Pages),
    page("/admin/webhooks/{id}/change", Access::Holder(Permission::WEBHOOKS_MANAGE), Limit::Pages),
    form("/admin/webhooks/{id}/change", Access::Holder(Permission::WEBHOOKS_MANAGE), Limit::Pages),
    page("/admin/webhooks/{id}/rotate", Access::Holder(Permission::WEBHOOKS_MANAGE), Limit::Pages),
    form("/admin/webhooks/{id}/rotate", Access::Holder(Permission::WEBHOOKS_MANAGE), Limit::Pages),
    page("/admin/webhooks/{id}/remove", Access::Holder(Permission::WEBHOOKS_MANAGE), Limit::Pages),
    form("/admin/webhooks/{id}/remove", Access::Holder(Permission::WEBHOOKS_MANAGE), Limit::Pages),
    form("/admin/webhooks/{id}/test", Access::Holder(Permission::WEBHOOKS_MANAGE), Limit::Pages),
    form("/admin/webhooks/{id}/switch", Access::Holder(Permission::WEBHOOKS_MANAGE), Limit::Pages),
    page("/admin/invitations", Access::Holder(Permission::USERS_READ), Limit::Pages),
    page("/admin/invitations/make", Access::Holder(Permission::USERS_MANAGE), Limit::Pages),
    form("/admin/invitations/make", Access::Holder(Permission::USERS_MANAGE), Limit::Pages),
    page("/admin/invitations/{id}/withdraw", Access::Holder(Permission::USERS_MANAGE), Limit::Pages),
    form("/admin/invitations/{id}/withdraw", Access::Holder(Permission::USERS_MANAGE), Limit::Pages),
    page("/admin/audit", Access::Holder(Permission::AUDIT_READ), Limit::Pages),
    page("/admin/audit/export", Access::Holder(Permission::AUDIT_READ), Limit::Pages),
    page("/admin/templates", Access::Holder(Permission::AUDIT_READ), Limit::Pages),
    page("/admin/templates/{name}/html", Access::Holder(Permission::AUDIT_READ), Limit::Pages),
    page("/admin/configuration", Access::Holder(Permission::AUDIT_READ), Limit::Pages),
    page("/admin/doctor", Access::Holder(Permission::AUDIT_READ), Limit::Pages),
    form("/admin/audit/verify", Access::Holder(Permission::AUDIT_READ), Limit::Pages),
    page("/admin/deliveries", Access::Holder(Permission::DELIVERIES_READ), Limit::Pages),
    form("/admin/deliveries/{id}/retry", Access::Holder(Permission::DELIVERIES_MANAGE), Limit::Pages),
    form("/admin/deliveries/{id}/give-up", Access::Holder(Permission::DELIVERIES_MANAGE), Limit::Pages),
    page("/admin/signing-keys", Access::Holder(Permission::SIGNING_KEYS_READ), Limit::Pages),
    page("/admin/signing-keys/rotate", Access::Holder(Permission::SIGNING_KEYS_MANAGE), Limit::Pages),
    form("/admin/signing-keys/rotate", Access::Holder(Permission::SIGNING_KEYS_MANAGE), Limit::Pages),
    page("/admin/signing-keys/{kid}/revoke", Access::Holder(Permission::SIGNING_KEYS_MANAGE), Limit::Pages),
    form("/admin/signing-keys/{kid}/revoke", Access::Holder(Permission::SIGNING_KEYS_MANAGE), Limit::Pages),
    page("/sign-in", Access::Anybody, Limit::Pages),
    hashing("/sign-in", Access::Anybody, Limit::Service(Limited::PasswordPerNetwork)),
    page("/sign-in/with/{provider}", Access::Anybody, Limit::Service(Limited::SignInPerNetwork)),
    page("/signed-in", Access::Anybody, Limit::Service(Limited::SignInPerNetwork)),
    page("/continue", Access::SignedIn, Limit::Pages),
    page("/sign-in/step", Access::Anybody, Limit::Pages),
    hashing("/sign-in/step", Access::Anybody, Limit::Pages),
    form("/sign-in/passkey/question", Access::Anybody, Limit::Service(Limited::PasskeyPerNetwork)),
    form("/sign-in/passkey", Access::Anybody, Limit::Service(Limited::PasskeyPerNetwork)),
    form("/sign-in/step/question", Access::Anybody, Limit::Service(Limited::PasskeyPerNetwork)),
    form("/sign-in/step/resend", Access::Anybody, Limit::Service(Limited::MailPerNetwork)),
    page("/sign-in/email-code", Access::Anybody, Limit::Pages),
    form("/sign-in/email-code", Access::Anybody, Limit::Service(Limited::MailPerNetwork)),
    page("/sign-in/email-code/enter", Access::Anybody, Limit::Pages),
    form("/sign-in/email-code/enter", Access::Anybody, Limit::Service(Limited::CodePerNetwork)),
    page("/sign-in/bot", Access::Anybody, Limit::Service(Limited::SignInPerNetwork)),
    form("/sign-in/bot", Access::Anybody, Limit::Pages),
    page("/register", Access::Anybody, Limit::Pages),
    hashing("/register", Access::Anybody, Limit::Service(Limited::RegistrationPerNetwork)),
    page("/forgot", Access::Anybody, Limit::Pages),
    form("/forgot", Access::Anybody, Limit::Service(Limited::MailPerNetwork)),
    page("/setup", Access::Anybody, Limit::Pages),
    hashing("/setup", Access::Anybody, Limit::Service(Limited::SignInPerNetwork)),
    page("/.well-known/change-password", Access::Anybody, Limit::Free),
    page("/l/{token}", Access::Anybody, Limit::Service(Limited::LinkPerNetwork)),
    unbound("/l/{token}", Access::Anybody, Limit::Service(Limited::LinkPerNetwork)),
    form("/sign-out", Access::SignedIn, Limit::Pages),
    page("/account", Access::SignedIn, Limit::Pages),
    page("/account/prove", Access::SignedIn, Limit::Pages),
    hashing("/account/prove", Access::SignedIn, Limit::Service(Limited::PasswordPerNetwork)),
    page("/account/prove/with/{provider}", Access::SignedIn, Limit::Service(Limited::SignInPerNetwork)),
    form("/account/prove/question", Access::SignedIn, Limit::Service(Limited::PasskeyPerNetwork)),
    page("/account/profile", Access::SignedIn, Limit::Pages),
    form("/account/profile", Access::SignedIn, Limit::Pages),
    page("/account/username", Access::SignedIn, Limit::Pages),
    form("/account/username", Access::SignedIn, Limit::Service(Limited::UsernamePerUser)),
    page("/account/emails", Access::SignedIn, Limit::Pages),
    form("/account/emails", Access::SignedIn, Limit::Service(Limited::MailPerUser)),
    hashing("/account/emails/change", Access::SignedIn, Limit::Service(Limited::MailPerUser)),
    form("/account/emails/code", Access::SignedIn, Limit::Service(Limited::CodePerNetwork)),
    form("/account/emails/resend", Access::SignedIn, Limit::Service(Limited::MailPerNetwork)),
    form("/account/emails/{id}/first", Access::SignedIn, Limit::Pages),
    form("/account/emails/{id}/remove", Access::SignedIn, Limit::Pages),
    page("/account/security", Access::SignedIn, Limit::Pages),
    page("/account/security/password", Access::SignedIn, Limit::Pages),
    hashing("/account/security/password", Access::SignedIn, Limit::Service(Limited::PasswordPerNetwork)),
    page("/account/security/app", Access::SignedIn, Limit::Service(Limited::FactorChange)),
    form("/account/security/app", Access::SignedIn, Limit::Service(Limited::FactorChange)),
    page("/account/security/passkeys/add", Access::SignedIn, Limit::Pages),
    form("/account/security/passkeys/add", Access::SignedIn, Limit::Service(Limited::FactorChange)),
    form("/account/security/passkeys/question", Access::SignedIn, Limit::Service(Limited::FactorChange)),
    page("/account/security/passkeys/offer", Access::SignedIn, Limit::Pages),
    form("/account/security/passkeys/offer", Access::SignedIn, Limit::Pages),
    page("/account/security/passkeys/accepted", Access::SignedIn, Limit::Pages),
    page("/account/security/factors/{id}/rename", Access::SignedIn, Limit::Pages),
    form("/account/security/factors/{id}/rename", Access::SignedIn, Limit::Service(Limited::FactorChange)),
    form("/account/security/factors/{id}/remove", Access::SignedIn, Limit::Service(Limited::FactorChange)),
    form("/account/security/recovery-codes", Access::SignedIn, Limit::Pages),
    page("/account/devices", Access::SignedIn, Limit::Pages),
    form("/account/devices/{id}/end", Access::SignedIn, Limit::Pages),
    form("/account/devices/end-others", Access::SignedIn, Limit::Pages),
    page("/account/linked", Access::SignedIn, Limit::Pages),
    form("/account/linked/with/{provider}", Access::SignedIn, Limit::Service(Limited::SignInPerNetwork)),
    form("/account/linked/move", Access::SignedIn, Limit::Service(Limited::SignInPerNetwork)),
    form("/account/linked/{id}/remove", Access::SignedIn, Limit::Pages),
    page("/account/notifications", Access::SignedIn, Limit::Pages),
    page("/account/notifications/stream", Access::SignedIn, Limit::Pages),
    form("/account/notifications/read-all", Access::SignedIn, Limit::Pages),
    form("/account/notifications/{id}/archive", Access::SignedIn, Limit::Pages),
    page("/account/preferences", Access::SignedIn, Limit::Pages),
    form("/account/preferences", Access::SignedIn, Limit::Pages),
    page("/account/access", Access::SignedIn, Limit::Pages),
    form("/account/access", Access::SignedIn, Limit::Service(Limited::AccessRequestPerUser)),
    form("/account/access/removal", Access::SignedIn, Limit::Service(Limited::AccessRequestPerUser)),
    form("/account/access/{id}/withdraw", Access::SignedIn, Limit::Pages),
    page("/account/data", Access::SignedIn, Limit::Pages),
    page("/account/data/export", Access::SignedIn, Limit::Service(Limited::ExportPerUser)),
    page("/account/data/delete", Access::SignedIn, Limit::Pages),
    hashing("/account/data/delete", Access::SignedIn, Limit::Service(Limited::PasswordPerNetwork)),
];

/// Why table and routes do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyGap {
    /// A route that nobody decided about.
    #[error("{0} {1} has no entry in policy::PAGES")]
    RouteWithoutEntry(String, String),
    /// An entry whose route is gone.
    #[error("policy::PAGES names {0} {1}, which is no page")]
    EntryWithoutRoute(&'static str, &'static str),
    /// Two entries for one page.
    #[error("policy::PAGES names {0} {1} twice")]
    Twice(&'static str, &'static str),
}

/// Compares the table with the routes that exist, both ways.
///
/// # Errors
/// The first gap.
pub fn check(table: &[PageAccess], routes: &[(&'static str, &'static str)]) -> Result<(), PolicyGap> {
    let is = |entry: &PageAccess, method: &str, path: &str| entry.method == method && entry.path == path;
    for (at, entry) in table.iter().enumerate() {
        if table.iter().skip(at + 1).any(|other| is(other, entry.method, entry.path)) {
            return Err(PolicyGap::Twice(entry.method, entry.path));
        }
        if !routes.contains(&(entry.method, entry.path)) {
            return Err(PolicyGap::EntryWithoutRoute(entry.method, entry.path));
        }
    }
    for (method, path) in routes {
        if !table.iter().any(|entry| is(entry, method, path)) {
            return Err(PolicyGap::RouteWithoutEntry((*method).to_owned(), (*path).to_owned()));
        }
    }
    Ok(())
}

/// The line of a page.
pub(crate) fn of(method: &str, path: &str) -> Option<&'static PageAccess> {
    let method = if method == "HEAD" { "GET" } else { method };
    PAGES.iter().find(|entry| entry.method == method && entry.path == path)
}

/// Where a page shows what stands at an address: there, or above it, where only forms go.
pub(crate) fn shown_at<'a>(template: &str, address: &'a str) -> &'a str {
    if of("GET", template).is_some() {
        return address;
    }
    let path = address.split('?').next().unwrap_or_default();
    match (template.rsplit_once('/'), path.rsplit_once('/')) {
        (Some((template, _)), Some((path, _))) if !path.is_empty() => shown_at(template, path),
        _ => "/",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_has_a_page_above_it() {
        for entry in PAGES {
            let shown = shown_at(entry.path, entry.path);
            assert!(of("GET", shown).is_some(), "{}: {shown}", entry.path);
        }
        for (template, address, shown) in [
            ("/account", "/account?a=b", "/account?a=b"),
            ("/sign-in/passkey", "/sign-in/passkey", "/sign-in"),
            ("/admin/webhooks/{id}/test", "/admin/webhooks/7/test?a=b", "/admin/webhooks/7"),
            ("/account/emails/{id}/first", "/account/emails/7/first", "/account/emails"),
            ("/language", "/language", "/"),
        ] {
            assert_eq!(shown_at(template, address), shown);
        }
    }
}
