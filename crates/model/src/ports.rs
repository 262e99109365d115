//! The two things outside the program that rules depend on, as traits only: the clock and the random generator. The real
//! ones are in `crates/userd/src/wiring`; a test passes in a clock that it moves by hand and a generator that repeats.

use crate::{Timestamp, id};

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// Where randomness comes from. The real one is the operating system's generator and nothing else.
pub trait Random: Send + Sync {
    /// Fills `bytes` with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);

    /// 256 random bits: the strength of every secret made here.
    fn secret(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        bytes
    }

    /// 128 random bits: an id.
    fn id_bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        bytes
    }
}

macro_rules! minted {
    ($($name:ident),+) => {$(
        impl id::$name {
            /// A new id from `random`. Minted before a unit of work, never inside it.
            pub fn mint(random: &dyn Random) -> Self {
                Self::from_random(random.id_bytes())
            }
        }
    )+};
}

minted!(
    UserId,
    SessionId,
    TokenId,
    IdentityId,
    ClientId,
    EventId,
    FactorId,
    RevocationId,
    WebhookId,
    MessageId,
    InvitationId
);
