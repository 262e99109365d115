//! A refusal: the rules say no, and the caller may know why. Status codes and titles are not here:
//! `crates/http/src/problem/table.rs` maps each refusal to them, once.

use std::time::Duration;

use crate::{Level, RequestState};

/// One field of the input that a rule refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    /// RFC 6901 pointer into the body, e.g. `/password`.
    pub pointer: String,
    /// What is wrong and what would be right; never the value itself.
    pub detail: String,
}

impl InvalidField {
    /// A field and what is wrong with it.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

/// Why something is not done. Each has one stable slug in the HTTP contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Well-formed input that rules refuse, field by field.
    #[error("invalid input")]
    InvalidInput(Vec<InvalidField>),
    /// Malformed input outside any field (a cursor, a header).
    #[error("{0}")]
    Malformed(&'static str),
    /// No or no valid credentials: the access token is missing, wrong, expired or revoked.
    #[error("not signed in")]
    NotSignedIn,
    /// A good access token that is for another service; only whoever holds it hears so. What it should be for is told.
    #[error("the token is for another service than {wanted}")]
    ForAnotherService {
        /// This service's audience.
        wanted: String,
    },
    /// Wrong login or password; deliberately one answer for both.
    #[error("wrong login or password")]
    WrongCredentials,
    /// The current password given with a change is wrong.
    #[error("the current password is wrong")]
    WrongCurrentPassword,
    /// The refresh token is unknown, expired, or its session has ended.
    #[error("the refresh token is not valid")]
    InvalidRefreshToken,
    /// A code, link or setup token is unknown, used or expired.
    #[error("the code is not valid")]
    InvalidCode,
    /// A passkey is not one of the account's, or what its browser answered is not right; deliberately one answer for both.
    #[error("the passkey is not accepted")]
    InvalidPasskey,
    /// A challenge of a sign-in is unknown, used, expired, or was answered wrongly too often.
    #[error("the sign-in has to be started again")]
    ChallengeGone,
    /// A link in a message is unknown, used or expired.
    #[error("the link is not valid any more")]
    LinkGone,
    /// The user may not do this.
    #[error("not allowed")]
    Forbidden,
    /// The account is blocked.
    #[error("the account is blocked")]
    Blocked,
    /// What admitted this person at sign-in would not admit them today; the slug says what. The session stays.
    #[error("this way of signing in is not allowed now: {0}")]
    SignInNotAllowed(&'static str),
    /// No such thing, or its existence is private.
    #[error("not found")]
    NotFound,
    /// The e-mail address is taken.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The username, or one that looks the same, is taken.
    #[error("the username is taken")]
    UsernameTaken,
    /// The account elsewhere is linked to another user.
    #[error("the account elsewhere is linked to another user")]
    IdentityTaken,
    /// Unlinking would take the last way in.
    #[error("this is the last way to sign in")]
    LastWayIn,
    /// Removing the last second factor of somebody whom policy asks for one.
    #[error("this account must have a second factor")]
    FactorRequired,
    /// The request was decided, withdrawn, or has expired.
    #[error("the request is {}", .0.as_str())]
    RequestClosed(RequestState),
    /// Nobody decides about their own request.
    #[error("nobody decides about their own request")]
    OwnRequest,
    /// There is an open request for the same thing.
    #[error("there is an open request for this")]
    RequestOpen,
    /// There is nobody who could decide.
    #[error("there is nobody who could decide this request")]
    NoApprover,
    /// It cannot be asked for.
    #[error("this cannot be asked for")]
    NotRequestable,
    /// What is asked for is so already.
    #[error("this is so already")]
    NothingToChange,
    /// A role or permission with this name exists.
    #[error("the name is taken")]
    NameTaken,
    /// A built-in role or permission stays as it is.
    #[error("this is built in")]
    BuiltIn,
    /// The configuration declares it.
    #[error("this is declared in the configuration")]
    ManagedByConfiguration,
    /// Somebody or something uses it still.
    #[error("this is in use")]
    InUse,
    /// There are as many streams of shared signals as may be.
    #[error("there are too many streams")]
    TooManyStreams,
    /// Nobody would be left who may do everything.
    #[error("this is the last administrator")]
    LastAdministrator,
    /// An account with this e-mail exists; its owner must prove it before linking.
    #[error("an account with this e-mail exists: sign in to it and link the provider there")]
    AccountExists,
    /// Registration is closed, or needs an invitation.
    #[error("registration is closed")]
    RegistrationClosed,
    /// The invitation is unknown, used up, withdrawn or expired, or whoever made it may no longer give what it gives.
    #[error("the invitation is not valid")]
    InvitationGone,
    /// There is an administrator already.
    #[error("setup is already done")]
    SetupDone,
    /// The first address of an account is not removed; another one takes its place.
    #[error("this is the first address of the account")]
    PrimaryEmail,
    /// An account without a password is asked for a new one.
    #[error("the account has no password")]
    NoPassword,
    /// A link was to be sent to an account that has no address for it: none, or one that would have to be proven first.
    #[error("the account has no address that may get this link")]
    NoAddress,
    /// Only a deleted account is erased.
    #[error("the account is not deleted")]
    NotDeleted,
    /// The account may not be erased.
    #[error("the account is on legal hold")]
    OnLegalHold,
    /// `If-Match` names another version than the current one.
    #[error("the resource has changed meanwhile")]
    VersionMismatch,
    /// The `Idempotency-Key` was used with another body.
    #[error("the idempotency key was used with another request")]
    IdempotencyMismatch,
    /// A repeated request whose owner has changed the password, was blocked or signed out everywhere since.
    #[error("the request is too old to be repeated: the account's credentials have changed since")]
    ReplayRefused,
    /// A repeated request whose answer held a secret: that is shown again for some minutes only.
    #[error("the secret of the first answer is not shown again")]
    SecretAlreadyShown,
    /// A stronger or fresher proof of who acts is needed (RFC 9470).
    #[error("prove again who you are to do this")]
    InsufficientAuthentication {
        /// At least this strong.
        level: Level,
        /// At most so long ago; none where only the strength matters.
        max_age: Option<Duration>,
    },
    /// The provider is unknown or disabled.
    #[error("no such provider")]
    NoSuchProvider,
    /// The provider's answer is refused (wrong state, signature, audience, replay …); the slug says which.
    #[error("the provider's answer is not accepted: {0}")]
    ProviderRefused(&'static str),
    /// The provider cannot be reached or answers nonsense.
    #[error("the provider cannot be reached now")]
    ProviderUnavailable,
    /// Too many attempts; wait this long.
    #[error("too many attempts")]
    TooManyAttempts(Duration),
    /// The service is at its bound; try again after this long.
    #[error("busy")]
    Busy(Duration),
    /// A place in a feed that is not this one, or not any more.
    #[error("the cursor belongs to another feed")]
    CursorExpired,
    /// No such resource, or none that the caller may have tokens for (RFC 8707).
    #[error("no tokens are issued for this resource")]
    InvalidTarget,
    /// OAuth client authentication failed.
    #[error("the client is not authenticated")]
    InvalidClient,
}

impl Refusal {
    /// The same where the field has another name.
    #[must_use]
    pub fn at(self, pointer: &str, other: &str) -> Self {
        let Self::InvalidInput(mut fields) = self else { return self };
        for field in fields.iter_mut().filter(|field| field.pointer == pointer) {
            other.clone_into(&mut field.pointer);
        }
        Self::InvalidInput(fields)
    }

    /// One refused field.
    pub fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::InvalidInput(vec![InvalidField::new(pointer, detail)])
    }
}
