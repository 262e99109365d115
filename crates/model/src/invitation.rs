//! An invitation to register: how often and how long it is good, and what whoever takes it gets. Deliberately absent: the
//! account that comes of it, and how its token is made.

use std::time::Duration;

use crate::{InvitationId, Refusal, Sealed, Timestamp, UserId};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// An invitation. Once it is used up it is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Names it to those who administer it.
    pub id: InvitationId,
    /// Of what its holder shows.
    pub token_hash: Vec<u8>,
    /// Whom it was sent to.
    pub email: Option<Sealed>,
    /// What the new account may do.
    pub roles: Vec<String>,
    /// How many accounts may still come of it.
    pub uses: i64,
    /// By whom; nobody's where the operator or a service made it.
    pub created_by: Option<UserId>,
    /// When.
    pub created_at: Timestamp,
    /// From when on it is good for nothing.
    pub expires_at: Timestamp,
}

impl Invitation {
    /// How long one is good where nothing is said.
    pub const LIFE: Duration = Duration::from_secs(7 * DAY.as_secs());
    /// The longest.
    pub const LONGEST: Duration = Duration::from_secs(365 * DAY.as_secs());
    /// The most accounts that may come of one.
    pub const MOST_USES: i64 = 10_000;

    /// Whether an account may still come of it.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.uses > 0 && now < self.expires_at
    }

    /// One account comes of it.
    ///
    /// # Errors
    /// `InvitationGone`.
    pub fn use_once(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if !self.is_good(now) {
            return Err(Refusal::InvitationGone);
        }
        self.uses -= 1;
        Ok(())
    }
}
