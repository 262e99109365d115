//! One file per resource. A handler parses, calls one service, translates; rules are elsewhere.

mod access_requests;
mod addresses;
mod audit;
mod auth;
mod bodies;
mod challenges;
mod client_credentials;
mod clients;
mod deletion;
mod deliveries;
mod email_codes;
mod emails;
mod events;
mod factors;
mod forward_auth;
mod grants;
mod identities;
mod invitations;
mod links;
mod me;
mod notification_stream;
mod notifications;
mod oauth2;
mod oauth2_schemas;
mod pages;
mod passkeys;
mod permissions;
mod preferences;
mod profile;
mod revocations;
mod roles;
mod sent_notifications;
pub mod service;
mod shared_signals;
mod sign_in;
mod signal_streams;
mod signing_keys;
mod steps;
mod telegram_bot;
mod token_revocation;
mod users;
mod versioned;
mod waiting;
mod webhooks;
mod well_known;

use crate::documented::Routes;

/// Every route of the service.
#[must_use]
pub fn all() -> Routes {
    Routes::new()
        .and(service::routes())
        .and(pages::routes())
        .and(links::routes())
        .and(auth::routes())
        .and(emails::routes())
        .and(addresses::routes())
        .and(email_codes::routes())
        .and(deletion::routes())
        .and(sign_in::routes())
        .and(telegram_bot::routes())
        .and(forward_auth::routes())
        .and(me::routes())
        .and(identities::routes())
        .and(factors::routes())
        .and(passkeys::routes())
        .and(well_known::routes())
        .and(steps::routes())
        .and(preferences::routes())
        .and(oauth2::routes())
        .and(token_revocation::routes())
        .and(revocations::routes())
        .and(events::routes())
        .and(notifications::routes())
        .and(notification_stream::routes())
        .and(sent_notifications::routes())
        .and(deliveries::routes())
        .and(audit::routes())
        .and(webhooks::routes())
        .and(shared_signals::routes())
        .and(signal_streams::routes())
        .and(users::routes())
        .and(invitations::routes())
        .and(grants::routes())
        .and(roles::routes())
        .and(permissions::routes())
        .and(access_requests::routes())
        .and(clients::routes())
        .and(signing_keys::routes())
}
