//! Sessions: starting one, refreshing it, listing and ending them. A session is a refresh-token family on a device.
//!
//! - `completion.rs`: what every way of signing in ends with
//! - `challenge.rs`: what was proven so far, where a step is asked for first
//! - `standing.rs`: what has to be proven
//! - `login.rs`: by password
//! - `refresh.rs`: rotation, replay, theft
//! - `raise.rs`: a session that goes on stronger
//! - `seen.rs`: which access tokens were used here
//! - `browser.rs`: sessions that a browser holds by a cookie
//! - `ending.rs`: the list of sessions, ending them, signing out

mod browser;
mod challenge;
mod completion;
mod ending;
mod login;
mod raise;
mod refresh;
mod seen;
mod standing;

use userd_model::SessionId;

pub(crate) use refresh::Replays;
pub(crate) use {
    browser::Held,
    challenge::{CHALLENGE_PURPOSE, EarlierProof},
    completion::{Arrival, Proof, lift_block},
    ending::{BOT_PURPOSE, EXCHANGE_PURPOSE},
    login::{device_name, login_key},
};
pub use {
    browser::{HeldAt, InBrowser},
    challenge::Pending,
    completion::Completion,
    ending::SessionView,
    login::Login,
};

use crate::{
    Dependencies, UserView, access_tokens::AccessTokens, admission::AdmissionRules, change::Changes, limits::Limits,
    passwords::PasswordProof, user_reader::UserReader,
};

/// Starts, refreshes and ends sessions.
#[derive(Clone)]
pub struct Sessions {
    pub(crate) deps: Dependencies,
    pub(crate) changes: Changes,
    pub(crate) access_tokens: AccessTokens,
    pub(crate) user_reader: UserReader,
    pub(crate) limits: Limits,
    pub(crate) proof: PasswordProof,
    pub(crate) admission: AdmissionRules,
    pub(crate) replays: Replays,
}

/// The tokens of one session.
#[derive(Clone)]
#[expect(missing_docs, reason = "the members of the contract's TokenPair, documented there")]
pub struct TokenPair {
    pub access_token: String,
    pub expires_in: u64,
    pub refresh_token: String,
    pub refresh_expires_in: u64,
    pub session_id: SessionId,
    /// Shows at a later sign-in that this device has signed in before; a lock then never shuts it out.
    pub device_token: Option<String>,
}

impl std::fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenPair({})", self.session_id)
    }
}

/// A signed-in user and the tokens of the session.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "two words that say it")]
pub struct SignedIn {
    pub user: UserView,
    pub tokens: TokenPair,
}
