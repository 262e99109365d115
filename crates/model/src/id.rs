//! Identifiers. Each kind is its own type, so that a session id can never be passed for a user id.
//! All are UUIDs (version 4 when minted here: ordered ids make hot partitions in distributed engines).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Makes the id from 16 random bytes (version 4, RFC 9562 section 5.4).
            #[must_use]
            pub fn from_random(bytes: [u8; 16]) -> Self {
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )+};
}

ids! {
    /// A person (or an administrator) with an account here.
    UserId,
    /// One session: the refresh tokens of one sign-in.
    SessionId,
    /// One access token (`jti`).
    TokenId,
    /// One link between a user and an account elsewhere.
    IdentityId,
    /// One second factor of a user.
    FactorId,
    /// A service account of another service.
    ClientId,
    /// One fact in the outbox.
    EventId,
    /// One entry of the revocation feed.
    RevocationId,
    /// One notification in an inbox.
    NotificationId,
    /// A request for a change of rights.
    AccessRequestId,
    /// A grant of a role or permission.
    GrantId,
    /// One message on its way to one destination.
    DeliveryId,
    /// What somebody sends to many.
    MessageId,
    /// One receiver of events.
    WebhookId,
    /// One stream of security events to a receiver.
    StreamId,
    /// One invitation to register.
    InvitationId,
    /// A further e-mail address of a user.
    FurtherEmailId,
}
