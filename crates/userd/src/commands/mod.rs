//! The commands: each wires what it needs, asks one service, and answers in words or JSON. They work beside a running
//! service on the same database: what they change reaches it within a second.

pub mod audit;
mod audit_formats;
pub mod backup;
pub mod clients;
pub mod copy;
pub mod deliveries;
pub mod doctor;
mod finding;
pub mod health;
pub mod import;
pub mod invitations;
pub mod keys;
pub mod mail;
pub mod migrate;
pub mod notifications;
pub mod restore;
pub mod roles;
mod scratch;
mod serving;
pub mod streams;
pub mod telegram;
pub mod templates;
pub mod users;
pub mod webhooks;

use crate::wiring::WiringError;

/// A failure of a service, for the person at the command line: what a rule refused, field by field.
pub(crate) fn said(failure: &userd_services::Failure) -> WiringError {
    use userd_model::Refusal;
    match failure {
        userd_services::Failure::Refused(Refusal::InvalidInput(fields)) => {
            let lines: Vec<String> = fields
                .iter()
                .map(|field| format!("{}: {}", field.pointer.trim_start_matches('/'), field.detail))
                .collect();
            WiringError::Config(lines.join("\n"))
        }
        other => WiringError::Part(other.to_string()),
    }
}

/// The same where something was named that may not be there: `what` it is, and which command `list`s such things. What is
/// not there, or not in the state that the act is for, is no wrong usage (2) but 1, by every command: it may have been there
/// a moment ago.
pub(crate) fn said_of(failure: &userd_services::Failure, what: &str, list: &str) -> WiringError {
    match failure {
        userd_services::Failure::Refused(userd_model::Refusal::NotFound) => {
            WiringError::Part(format!("there is no {what}; `userd {list}` shows them"))
        }
        other => said(other),
    }
}
