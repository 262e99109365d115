//! Second factors: set up, shown, removed. Whoever holds one shows it at every way in (`sessions/completion.rs` asks).
//!
//! - `totp.rs`: authenticator apps
//! - `passkeys/`: passkeys, which are a way in too
//! - `qr.rs`: what an app reads
//! - `recovery.rs`: codes for when a factor is lost
//! - `shown.rs`: whether what somebody shows is a factor of theirs
//! - `second_step.rs`: the second step of a sign-in
//! - `step_up.rs`: a fresher proof in a session
//! - `demanded.rs`: what policy demands, and what an administrator resets
//! - `held.rs`: the list, removal

mod demanded;
mod held;
mod passkeys;
mod qr;
mod recovery;
mod second_step;
mod shown;
mod step_up;
mod totp;

pub use held::{AcceptedPasskeys, FactorView, HeldFactors};
pub use passkeys::PasskeyBegun;
pub use shown::Shown;
pub use step_up::StepUp;
pub use totp::TotpBegun;

use crate::{
    Dependencies, change::Changes, idempotency::IdempotencyKeys, limits::Limits, passwords::PasswordProof,
    sessions::Sessions, user_reader::UserReader, ways_in::WaysIn,
};

/// Sets up, shows and removes second factors.
#[derive(Clone)]
pub struct Factors {
    pub(crate) deps: Dependencies,
    pub(crate) changes: Changes,
    pub(crate) sessions: Sessions,
    pub(crate) user_reader: UserReader,
    pub(crate) limits: Limits,
    pub(crate) idempotency: IdempotencyKeys,
    pub(crate) proof: PasswordProof,
    pub(crate) ways_in: WaysIn,
}
