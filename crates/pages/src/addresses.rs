//! Addresses that scripts are told of, named by pages and by what stands around them.

/// Which passkeys are good, for whoever keeps them.
pub(crate) const ACCEPTED_PASSKEYS: &str = "/account/security/passkeys/accepted";
/// The inbox as it fills.
pub(crate) const INBOX_STREAM: &str = "/account/notifications/stream";
