//! The kinds of facts: their published words. What a fact is made of is in `fact.rs`.

use serde::{Deserialize, Serialize};

/// What a member of an event's data holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberType {
    /// An id.
    Uuid,
    /// A word or a text.
    Text,
    /// A list of words.
    Texts,
    /// Yes or no.
    Boolean,
    /// A whole number that is not negative.
    Number,
    /// Members of a thing, by their names in the API.
    Object,
}

/// A member of an event's data, as other services may rely on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub holds: MemberType,
    /// Whether every event of the kind has it.
    pub required: bool,
    /// What it tells.
    pub about: &'static str,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal of $subject:literal {
        $($member:ident $(($maybe:ident))?: $holds:ident $about:literal),* $(,)?
    }),+ $(,)?) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum EventKind { $($(#[doc = $doc])+ #[serde(rename = $word)] $name),+ }

        impl EventKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable published word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// What it tells, in a sentence or two.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+)),+ }
            }

            /// The kind of subject it happens to.
            #[must_use]
            pub const fn subject(self) -> &'static str {
                match self { $(Self::$name => $subject),+ }
            }

            /// What its data hold.
            #[must_use]
            pub const fn members(self) -> &'static [Member] {
                match self { $(Self::$name => &[$(Member {
                    name: stringify!($member),
                    holds: MemberType::$holds,
                    required: kinds!(@required $($maybe)?),
                    about: $about,
                }),*]),+ }
            }
        }
    };
    (@required) => { true };
    (@required maybe) => { false };
}

kinds! {
    /// An account was made.
    UserRegistered = "user.registered" of "user" { invitation_id(maybe): Uuid "The invitation that it came of" },
    /// Profile fields changed.
    UserChanged = "user.changed" of "user" {
        reason(maybe): Text "`mailbox_proven_by_another`: whoever proved the address took over an account that nobody had proven",
    },
    /// The username changed.
    UsernameChanged = "user.username_changed" of "user" {},
    /// The owner proved to read mail at the account's address.
    EmailVerified = "user.email_verified" of "user" {},
    /// The e-mail address changed: the new one is proven.
    EmailChanged = "user.email_changed" of "user" {},
    /// The owner proved a further address.
    EmailAdded = "user.email_added" of "user" {},
    /// A further address was removed; or one that nobody had proven, which somebody else took while the account was deleted.
    EmailRemoved = "user.email_removed" of "user" {},
    /// The password changed.
    PasswordChanged = "user.password_changed" of "user" {},
    /// The owner accepted a document.
    TermsAccepted = "user.terms_accepted" of "user" {
        document: Text "Which",
        version: Text "In which version",
    },
    /// So many attempts at the account were wrong that further ones are delayed. Told once in each window of the limit.
    SignInLimitReached = "user.sign_in_limit_reached" of "user" {
        limit: Text "Which: `password_per_account`, `password_per_known_devices` or `second_factor_per_account`",
    },
    /// An administrator demands a new password: the next sign-in by the one so far asks for it. Or its owner has said of something
    /// that it was not them: then the one so far is gone.
    PasswordChangeRequired = "user.password_change_required" of "user" {},
    /// An administrator had a link sent to the account's address that sets a new password.
    PasswordResetSent = "user.password_reset_sent" of "user" {},
    /// Everything that is held about the account was given out, to its owner or to the operator.
    UserExported = "user.exported" of "user" {},
    /// An administrator shut the account.
    UserBlocked = "user.blocked" of "user" { until(maybe): Text "When it ends by itself (RFC 3339)" },
    /// An administrator opened it again, or the block ended by itself.
    UserUnblocked = "user.unblocked" of "user" {},
    /// The account was deleted, and can be restored.
    UserDeleted = "user.deleted" of "user" { by: Text "`owner` or `administrator`" },
    /// A deleted account is back.
    UserRestored = "user.restored" of "user" {
        status(maybe): Text "`blocked`: it is back, and stays blocked",
    },
    /// A deleted account was erased for good; forget what you know of it.
    UserPurged = "user.purged" of "user" {},
    /// The account may not be erased.
    LegalHoldPlaced = "user.legal_hold_placed" of "user" {},
    /// The account may be erased again.
    LegalHoldLifted = "user.legal_hold_lifted" of "user" {},
    /// A role was given.
    RoleGranted = "user.role_granted" of "user" {
        role: Text "The name of the role",
        source(maybe): Text "`direct`, `request` or `config`",
        starts_at(maybe): Text "From when on it counts (RFC 3339)",
        expires_at(maybe): Text "When it ends by itself (RFC 3339)",
        before(maybe): Object "Where it was held before: `source`, `starts_at` and `expires_at` of then",
    },
    /// A role was taken away, or has ended.
    RoleRevoked = "user.role_revoked" of "user" {
        role: Text "The name of the role",
        reason: Text "`revoked`, `requested` by its holder, or `expired`",
    },
    /// A single permission was given.
    PermissionGranted = "user.permission_granted" of "user" {
        permission: Text "The permission",
        source(maybe): Text "`direct`, `request` or `config`",
        starts_at(maybe): Text "From when on it counts (RFC 3339)",
        expires_at(maybe): Text "When it ends by itself (RFC 3339)",
        before(maybe): Object "Where it was held before: `source`, `starts_at` and `expires_at` of then",
    },
    /// A single permission was taken away, or has ended.
    PermissionRevoked = "user.permission_revoked" of "user" {
        permission: Text "The permission",
        reason: Text "`revoked`, `requested` by its holder, or `expired`",
    },
    /// Somebody asked for a change of their rights.
    AccessRequestOpened = "access_request.opened" of "user" {
        request_id: Uuid "The request",
        kind: Text "`role` or `permission`",
        name: Text "Which",
        action: Text "`grant` or `revoke`",
    },
    /// An approver decided about a request.
    AccessRequestVoted = "access_request.voted" of "user" {
        request_id: Uuid "The request",
        kind: Text "`role` or `permission`",
        name: Text "Which",
        action: Text "`grant` or `revoke`",
        verdict: Text "`approve` or `decline`",
    },
    /// Nobody had decided about a request for long: others may decide too, and were told.
    AccessRequestEscalated = "access_request.escalated" of "user" {
        request_id: Uuid "The request",
        kind: Text "`role` or `permission`",
        name: Text "Which",
        action: Text "`grant` or `revoke`",
    },
    /// A request has ended.
    AccessRequestClosed = "access_request.closed" of "user" {
        request_id: Uuid "The request",
        kind: Text "`role` or `permission`",
        name: Text "Which",
        action: Text "`grant` or `revoke`",
        state: Text "`approved`, `declined`, `withdrawn` or `expired`",
    },
    /// A role was made.
    RoleCreated = "role.created" of "role" {
        permissions: Texts "What it allows by itself",
        after(maybe): Object "What it is, beside what every role begins with",
    },
    /// A role was changed, or the configuration declares it from now on, or no longer.
    RoleChanged = "role.changed" of "role" {
        permissions: Texts "What it allows by itself",
        before(maybe): Object "What is different, as it was",
        after(maybe): Object "The same, as it is now",
    },
    /// A role was removed. A built-in one is as it was in the beginning.
    RoleRemoved = "role.removed" of "role" {
        before(maybe): Object "What it was, beside what is left or what every role begins with",
        after(maybe): Object "Of a built-in one: the same, as it is now",
    },
    /// A permission was registered.
    PermissionRegistered = "permission.registered" of "permission" {
        after(maybe): Object "What it is, beside what every one begins with",
    },
    /// A permission was changed by the configuration, which declares it from now on, or no longer.
    PermissionChanged = "permission.changed" of "permission" {
        before: Object "What is different, as it was",
        after: Object "The same, as it is now",
    },
    /// A permission was removed.
    PermissionRemoved = "permission.removed" of "permission" {
        before(maybe): Object "What it was, beside what every one begins with",
    },
    /// A sign-in made a session.
    SessionStarted = "session.started" of "user" {
        session_id: Uuid "The session",
        amr: Texts "How it was proven who signed in (RFC 8176)",
        new_device(maybe): Boolean "Whether no session of the user was of this network and user agent",
    },
    /// The user of a session has shown a second factor since: it counts for more from now on.
    AssuranceRaised = "session.assurance_raised" of "user" {
        session_id: Uuid "The session",
        acr: Text "What it counts for now: `aal2`",
        previous: Text "And before: `aal1`",
    },
    /// A session ended by its owner or an administrator.
    SessionEnded = "session.ended" of "user" {
        session_id: Uuid "The session",
        reason: Text "Why",
    },
    /// Two parties hold refresh tokens of one session, which was ended.
    RefreshTokenReplayed = "session.refresh_token_replayed" of "user" { session_id: Uuid "The session" },
    /// The refresh token before the current one was shown again and answered with its successor: a lost answer, or the
    /// first sign of a thief.
    RefreshTokenReused = "session.refresh_token_reused" of "user" { session_id: Uuid "The session" },
    /// An account elsewhere was linked.
    IdentityLinked = "identity.linked" of "user" {
        identity_id: Uuid "The link",
        provider: Text "The id of the provider",
        moved_from(maybe): Uuid "The user whose it was",
    },
    /// An account elsewhere was unlinked.
    IdentityUnlinked = "identity.unlinked" of "user" {
        identity_id: Uuid "The link",
        provider: Text "The id of the provider",
        moved_to(maybe): Uuid "The user whose it is now",
    },
    /// The messenger's bot may write to the user, or may no longer.
    BotAccessChanged = "identity.bot_access_changed" of "user" {
        identity_id: Uuid "The link",
        may_write: Boolean "Whether it may",
    },
    /// A second factor was set up.
    FactorAdded = "factor.added" of "user" {
        factor_id: Uuid "The factor",
        kind: Text "`totp` or `passkey`",
    },
    /// A second factor was removed.
    FactorRemoved = "factor.removed" of "user" {
        factor_id: Uuid "The factor",
        kind: Text "`totp` or `passkey`",
        reason: Text "`removed_by_user`, `reset` by an administrator, `not_me` or `mailbox_proven_by_another`",
    },
    /// A new set of recovery codes took the place of the old one.
    RecoveryCodesMade = "factor.recovery_codes_made" of "user" {},
    /// A recovery code stood for a second factor.
    RecoveryCodeUsed = "factor.recovery_code_used" of "user" {},
    /// A service account was made.
    ClientCreated = "client.created" of "client" {
        permissions: Texts "What it may do",
        permission_prefix(maybe): Text "What it may register, give and ask about begins so",
    },
    /// A service account was renamed, or its tokens are for other audiences now.
    ClientChanged = "client.changed" of "client" {
        name: Text "Its name",
        audiences: Texts "The audiences that its tokens may be for; none: the first that is configured",
    },
    /// A service account was disabled.
    ClientDisabled = "client.disabled" of "client" {},
    /// A service account that was disabled is in use again, with a new secret.
    ClientEnabled = "client.enabled" of "client" {},
    /// A service account got a new secret.
    ClientSecretRotated = "client.secret_rotated" of "client" {},
    /// Somebody sent a notification to whoever holds a role, or to everybody.
    NotificationSent = "notification.sent" of "notification" {
        audience: Text "`role` or `all`",
        category: Text "What it is about",
    },
    /// Somebody may invite others to register.
    InvitationCreated = "invitation.created" of "invitation" { roles: Texts "What the new account will hold" },
    /// An invitation was withdrawn.
    InvitationRevoked = "invitation.revoked" of "invitation" {},
    /// A webhook was made.
    WebhookCreated = "webhook.created" of "webhook" { events: Texts "The types that it is called for" },
    /// Somebody changed a webhook.
    WebhookChanged = "webhook.changed" of "webhook" {
        events: Texts "The types that it is called for",
        enabled: Boolean "Whether it is on",
        host(maybe): Text "Where it leads from now on, where that has changed: host and port, and nothing else of the URL",
        previous_host(maybe): Text "And before",
    },
    /// A webhook got a new secret.
    WebhookSecretRotated = "webhook.secret_rotated" of "webhook" {},
    /// A webhook is sent once more what happened before.
    WebhookResent = "webhook.resent" of "webhook" {
        events: Number "How many events",
        from(maybe): Text "The beginning of the range of time (RFC 3339)",
        to(maybe): Text "Its end (RFC 3339)",
    },
    /// A webhook was removed.
    WebhookRemoved = "webhook.removed" of "webhook" {},
    /// The service switched a webhook off.
    WebhookDisabled = "webhook.disabled" of "webhook" {
        reason: Text "`gone`: the receiver wants no more; `failing`: for five days every call failed",
    },
    /// A service account set up a stream of shared signals.
    StreamCreated = "stream.created" of "stream" {
        client_id: Uuid "Whose it is",
        events: Texts "The types of signals that it carries",
        delivery: Text "`push` or `poll`",
    },
    /// A stream of shared signals carries other signals now, leads elsewhere, or was paused, stopped or resumed.
    StreamChanged = "stream.changed" of "stream" {
        events: Texts "The types of signals that it carries",
        delivery: Text "`push` or `poll`",
        status: Text "`enabled`, `paused` or `disabled`",
    },
    /// A stream of shared signals was removed.
    StreamRemoved = "stream.removed" of "stream" {},
    /// A key that tokens are to be signed with was made and published. The two that an installation begins with are not told.
    SigningKeyCreated = "signing_key.created" of "signing_key" { algorithm: Text "`EdDSA`, `ES256` or `RS256`" },
    /// From now on tokens are signed with this key.
    SigningKeyActivated = "signing_key.activated" of "signing_key" {},
    /// Another key signs; what this one signed is accepted until it expires.
    SigningKeyRetired = "signing_key.retired" of "signing_key" {},
    /// Nothing that this key signed is accepted any more.
    SigningKeyRevoked = "signing_key.revoked" of "signing_key" {},
    /// The key is forgotten: all that it signed has expired, or it never signed.
    SigningKeyRemoved = "signing_key.removed" of "signing_key" {},
    /// A checkpoint of the audit log was signed: keep it outside, and nobody can rewrite what came before.
    AuditCheckpoint = "audit.checkpoint" of "audit_log" {
        origin: Text "The name of the log",
        size: Number "How many entries it had",
        root: Text "Its root, in base64",
        note: Text "The checkpoint as it was signed (C2SP tlog-checkpoint)",
    },
    /// After a restored backup the audit log goes on under another name: what came after the backup is not in it.
    AuditLogOpened = "audit.log_opened" of "audit_log" {
        origin: Text "The name from now on",
        size: Number "How many entries the backup had",
        previous: Text "The name so far",
        checkpoint(maybe): Text "The last checkpoint in the backup, as it was signed",
        replaced(maybe): Texts "Names of logs that this one never was: those of the database whose place the backup took",
    },
    /// Entries of the audit log whose time is over are removed from its front.
    AuditPruned = "audit.pruned" of "audit_log" { before: Number "The position of the first entry that stays" },
}

impl EventKind {
    /// Whether other services hear of it: whether it goes into the event log.
    #[must_use]
    pub const fn is_public(self) -> bool {
        true
    }

    /// Whether `data` are what is published of this kind: every required member, each of its type, and no other.
    #[must_use]
    pub fn describes(self, data: &serde_json::Value) -> bool {
        let Some(object) = data.as_object() else { return false };
        let known = |name: &String| self.members().iter().any(|member| member.name == name);
        let is_text = |value: &serde_json::Value| value.is_string();
        object.keys().all(known)
            && self.members().iter().all(|member| match (object.get(member.name), member.holds) {
                (None, _) => !member.required,
                (Some(value), MemberType::Uuid) => {
                    value.as_str().is_some_and(|text| text.parse::<uuid::Uuid>().is_ok())
                }
                (Some(value), MemberType::Text) => is_text(value),
                (Some(value), MemberType::Texts) => value.as_array().is_some_and(|list| list.iter().all(is_text)),
                (Some(value), MemberType::Boolean) => value.is_boolean(),
                (Some(value), MemberType::Number) => value.is_u64(),
                (Some(value), MemberType::Object) => value.is_object(),
            })
    }

    /// Whether it happens only to somebody who has just proven who they are: then they are who acted, although the
    /// request began as nobody's.
    #[must_use]
    pub const fn is_by_its_user(self) -> bool {
        !matches!(self, Self::RefreshTokenReplayed | Self::RefreshTokenReused | Self::SignInLimitReached)
    }
}

#[cfg(test)]
mod tests;
