//! Accounts: registration and the changes their owners make.
//!
//! - `register.rs`: a new account
//! - `profile.rs`: display name, locale, time zone, attributes
//! - `password.rs`: a new password
//! - `username.rs`: a new username

mod password;
mod profile;
mod register;
mod username;

pub(crate) use register::{AccountSeed, NewAccount, Reserved, claim, claim_or};
pub use {profile::ProfileInput, register::Registration};

use crate::{Parts, limits::Limits, once::Answers, passwords::PasswordProof, people::People, sessions::Sessions};

/// Registers and changes accounts.
#[derive(Clone)]
pub struct Accounts {
    parts: Parts,
    sessions: Sessions,
    people: People,
    limits: Limits,
    proof: PasswordProof,
    answers: Answers,
}

impl Accounts {
    pub(crate) const fn new(
        parts: Parts,
        sessions: Sessions,
        people: People,
        limits: Limits,
        proof: PasswordProof,
        answers: Answers,
    ) -> Self {
        Self { parts, sessions, people, limits, proof, answers }
    }
}
