//! The audit log: what happened that matters to security, in one order, in a hash tree from which nothing can be taken and
//! in which nothing can be changed without its being noticed (RFC 6962). Deliberately absent: what happened; that is
//! told by facts, and whoever passes them on (`event_log.rs`) appends them here in the same unit of work.

mod append;
mod entry;

pub use append::AuditLog;
pub use entry::{NOT_AUDITED, is_audited};
