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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_is_good_as_often_and_as_long_as_it_says() {
        let at = Timestamp::from_seconds;
        let invitation = |uses| Invitation {
            id: InvitationId(uuid::Uuid::nil()),
            token_hash: Vec::new(),
            email: None,
            roles: Vec::new(),
            uses,
            created_by: None,
            created_at: at(0),
            expires_at: at(100),
        };
        for (uses, now, is_good) in [(1, 99, true), (1, 100, false), (0, 99, false), (-1, 99, false), (2, 0, true)] {
            assert_eq!(invitation(uses).is_good(at(now)), is_good, "{uses} {now}");
            let mut used = invitation(uses);
            let answer = used.use_once(at(now));
            assert_eq!(answer, if is_good { Ok(()) } else { Err(Refusal::InvitationGone) });
            assert_eq!(used.uses, uses - i64::from(is_good));
        }
    }

    #[test]
    fn the_usual_and_the_longest_life_are_a_week_and_a_year() {
        assert_eq!(
            (Invitation::LIFE, Invitation::LONGEST),
            (Duration::from_secs(604_800), Duration::from_secs(31_536_000))
        );
    }
}
