//! The sections of administration, and who may see each. Deliberately absent: their pages (`pages/admin/`), whose lines
//! in `policy.rs` say it again for whoever types the address.

use userd_model::{Act, Permission};

use crate::visit::Visit;

/// The sections that the visitor may see: their paths, and what they are called.
pub(crate) fn of(visit: &Visit) -> Vec<(&'static str, &'static str)> {
    let t = &visit.texts.admin;
    let may = |act: Act| visit.ctx.may(&act).is_ok();
    // Whom a role names to decide its requests, and who may nothing else, comes by the link in the message.
    let decides = may(Act::ReadRequests) || visit.holds(&Permission::ROLES_GRANT);
    let all = [
        ("/admin/overview", t.overview.title, may(Act::ListUsers)),
        ("/admin/users", t.frame.users, may(Act::ListUsers)),
        ("/admin/requests", t.requests.title, decides),
        ("/admin/roles", t.roles.title, may(Act::ReadRoles)),
        ("/admin/permissions", t.words.title, may(Act::ReadRoles)),
        ("/admin/invitations", t.invitations.title, may(Act::ListInvitations)),
        ("/admin/clients", t.clients.title, may(Act::ListClients)),
        ("/admin/webhooks", t.webhooks.title, may(Act::ListWebhooks)),
        ("/admin/audit", t.audit.title, may(Act::ReadAudit)),
        ("/admin/deliveries", t.deliveries.title, may(Act::ReadDeliveries)),
        ("/admin/signing-keys", t.keys.title, may(Act::ListSigningKeys)),
        ("/admin/templates", t.system.templates, may(Act::ReadSystem)),
        ("/admin/configuration", t.system.configuration, may(Act::ReadSystem)),
        ("/admin/doctor", t.system.doctor, may(Act::ReadSystem)),
    ];
    all.into_iter().filter(|(.., may)| *may).map(|(path, name, _)| (path, name)).collect()
}
