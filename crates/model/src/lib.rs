//! The model: what things are and which changes are allowed.
//!
//! Deliberately absent: I/O, async, clocks, randomness, SQL, HTTP. Everything here is a plain value or a pure
//! function of plain values; whoever calls it passes the time and the ids in.

pub mod access_request;
pub mod agents;
pub mod built_in_texts;
pub mod client;
pub mod deletion;
pub mod delivery;
pub mod details;
pub mod email;
pub mod event;
pub mod fact;
pub mod factor;
pub mod grant;
pub mod id;
pub mod identity;
pub mod invitation;
pub mod message;
pub mod notification;
pub mod password;
pub mod password_blocklist;
pub mod permission;
pub mod phone;
pub mod policy;
pub mod ports;
pub mod preferences;
pub mod quiet_hours;
pub mod refusal;
pub mod revocation;
pub mod role;
pub mod session;
pub mod sign_in;
pub mod signing_key;
pub mod stream;
pub mod telegram;
pub mod terms;
pub mod text;
pub mod texts;
pub mod time;
pub mod user;
pub mod username;
pub mod webhook;

pub use access_request::{
    AccessRequest, Decision, Quorum, RequestKind, RequestState, RequestedAction, Standing, Verdict,
};
pub use client::Client;
pub use deletion::{DeletedBy, Deletion};
pub use delivery::{Delivery, DeliveryChannel, DeliveryState};
pub use email::{Email, FurtherEmail};
pub use event::EventKind;
pub use fact::{Event, Fact, FactActor, Subject};
pub use factor::{Factor, FactorKind, FactorMethod, Level};
pub use grant::{Grant, GrantKind, GrantSource, Held, Period};
pub use id::{
    AccessRequestId, ClientId, DeliveryId, EventId, FactorId, FurtherEmailId, GrantId, IdentityId, InvitationId,
    MessageId, NotificationId, RevocationId, SessionId, StreamId, TokenId, UserId, WebhookId,
};
pub use identity::Identity;
pub use invitation::Invitation;
pub use message::Message;
pub use notification::{Folder, Inbox, Notification};
pub use password::{AboutUser, PasswordRules};
pub use permission::Permission;
pub use phone::Phone;
pub use policy::{Act, Actor};
pub use ports::{Clock, Random};
pub use refusal::{InvalidField, Refusal};
pub use revocation::{Revocation, Revoked};
pub use role::{Role, RoleRules};
pub use session::Session;
pub use sign_in::{PendingStep, SignInOutcome};
pub use signing_key::{KeyState, SigningKeyRecord};
pub use stream::{QueuedSignal, Signal, Stream, StreamKey, StreamStatus};
pub use terms::{Acceptance, Accepted, Document};
pub use time::Timestamp;
pub use user::{Sealed, User, UserStatus};
pub use username::{Login, Username};
pub use webhook::{EventPattern, Webhook};
