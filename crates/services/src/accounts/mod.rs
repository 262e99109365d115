//! Accounts: registration and the changes their owners make.
//!
//! - `register.rs`: a new account
//! - `seed.rs`: the rows of a new account
//! - `emails/`: proof and change of addresses
//! - `create.rs`: a new account made by an administrator
//! - `profile.rs`: display name, locale, time zone, attributes
//! - `password.rs`: a new password
//! - `invited.rs`: by invitation
//! - `password_demanded.rs`: a new password that an administrator demands
//! - `approval.rs`: an account that waits until it is approved
//! - `asked_for.rs`: what a challenge asks for
//! - `terms.rs`: what has to be accepted
//! - `username.rs`: a new username
//! - `wipe.rs`: what goes when somebody else proves the mailbox

mod approval;
mod asked_for;
mod create;
pub mod emails;
mod invited;
mod password;
mod password_demanded;
mod profile;
mod register;
mod seed;
mod terms;
mod username;
mod wipe;

pub(crate) use password::check_new_password;
pub(crate) use register::{NewAccount, Reserved, own_username as username_of, parsed, username as username_with};
pub(crate) use seed::AccountSeed;
pub(crate) use wipe::wipe_claimant;
pub use {create::NewUser, profile::ProfileInput, register::Registration};

use std::sync::Arc;

use self::emails::Emails;
use crate::{
    Dependencies, access_requests::Approvals, change::Changes, idempotency::IdempotencyKeys, limits::Limits,
    passwords::PasswordProof, sessions::Sessions, user_reader::UserReader,
};

/// Registers and changes accounts.
#[derive(Clone)]
pub struct Accounts {
    pub(crate) deps: Dependencies,
    pub(crate) changes: Changes,
    pub(crate) sessions: Sessions,
    pub(crate) user_reader: UserReader,
    pub(crate) limits: Limits,
    pub(crate) proof: PasswordProof,
    pub(crate) emails: Emails,
    pub(crate) idempotency: IdempotencyKeys,
    pub(crate) approvals: Approvals,
    /// Repeats of registrations go one after the other here: a crowd with one key would conflict without end.
    pub(crate) repeats: Arc<tokio::sync::Mutex<()>>,
}
