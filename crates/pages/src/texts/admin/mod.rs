//! Administration, a table for each of its sections.

mod audit;
mod clients;
mod deliveries;
mod frame;
mod invitations;
mod keys;
mod overview;
mod requests;
mod roles;
mod users;
mod webhooks;

/// Everything that administration says.
pub(crate) struct Admin {
    pub(crate) frame: frame::Frame,
    pub(crate) users: users::Users,
    pub(crate) acts: users::Acts,
    pub(crate) grants: users::Grants,
    pub(crate) requests: requests::Requests,
    pub(crate) audit: audit::AuditLog,
    pub(crate) invitations: invitations::Invitations,
    pub(crate) deliveries: deliveries::Deliveries,
    pub(crate) keys: keys::Keys,
    pub(crate) overview: overview::Overview,
    pub(crate) system: overview::System,
    pub(crate) webhooks: webhooks::Webhooks,
    pub(crate) clients: clients::Clients,
    pub(crate) roles: roles::Roles,
    pub(crate) words: roles::Words,
}

impl Admin {
    pub(super) const ENGLISH: Self = Self {
        frame: frame::Frame::ENGLISH,
        users: users::Users::ENGLISH,
        acts: users::Acts::ENGLISH,
        grants: users::Grants::ENGLISH,
        requests: requests::Requests::ENGLISH,
        audit: audit::AuditLog::ENGLISH,
        invitations: invitations::Invitations::ENGLISH,
        deliveries: deliveries::Deliveries::ENGLISH,
        keys: keys::Keys::ENGLISH,
        overview: overview::Overview::ENGLISH,
        system: overview::System::ENGLISH,
        webhooks: webhooks::Webhooks::ENGLISH,
        clients: clients::Clients::ENGLISH,
        roles: roles::Roles::ENGLISH,
        words: roles::Words::ENGLISH,
    };
    pub(super) const RUSSIAN: Self = Self {
        frame: frame::Frame::RUSSIAN,
        users: users::Users::RUSSIAN,
        acts: users::Acts::RUSSIAN,
        grants: users::Grants::RUSSIAN,
        requests: requests::Requests::RUSSIAN,
        audit: audit::AuditLog::RUSSIAN,
        invitations: invitations::Invitations::RUSSIAN,
        deliveries: deliveries::Deliveries::RUSSIAN,
        keys: keys::Keys::RUSSIAN,
        overview: overview::Overview::RUSSIAN,
        system: overview::System::RUSSIAN,
        webhooks: webhooks::Webhooks::RUSSIAN,
        clients: clients::Clients::RUSSIAN,
        roles: roles::Roles::RUSSIAN,
        words: roles::Words::RUSSIAN,
    };
}

/// Every text: its key, in English, in Russian.
#[cfg(test)]
pub(super) fn all() -> Vec<(&'static str, &'static str, &'static str)> {
    [
        frame::Frame::ALL,
        users::Users::ALL,
        users::Acts::ALL,
        users::Grants::ALL,
        requests::Requests::ALL,
        audit::AuditLog::ALL,
        invitations::Invitations::ALL,
        deliveries::Deliveries::ALL,
        keys::Keys::ALL,
        overview::Overview::ALL,
        overview::System::ALL,
        webhooks::Webhooks::ALL,
        clients::Clients::ALL,
        roles::Roles::ALL,
        roles::Words::ALL,
    ]
    .concat()
}
