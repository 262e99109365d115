//! Who may do what. The whole policy is [`Act::rule`] and [`Actor::may`]; API, command line and pages all ask it.
//! An act is a named thing done to something of somebody; what allows it stands beside its name.
//!
//! Deliberately absent: whether the thing exists and whether its state allows the act; services look.

use crate::{ClientId, Permission, Refusal, SessionId, UserId};

/// Whoever acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody that is known: a request without a token.
    Anonymous,
    /// A signed-in user.
    User {
        /// Who.
        id: UserId,
        /// In which session.
        session_id: SessionId,
        /// What they may do.
        permissions: Vec<Permission>,
    },
    /// Another service.
    Service {
        /// Which.
        id: ClientId,
        /// What it may do.
        permissions: Vec<Permission>,
        /// What it may register, give and ask about begins so; none: it is not limited.
        prefix: Option<String>,
    },
    /// The operator at the machine's command line.
    Operator,
    /// The service itself: schedules and clean-up.
    System,
}

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident $(($whose:ty))? => $rule:expr),+ $(,)?) => {
        /// Something an actor may or may not do. An id in it says whose it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Act { $($(#[$doc])* $name $(($whose))?),+ }

        impl Act {
            /// Every act; those to something of a user, to something of this one.
            #[must_use]
            pub fn all(of: UserId) -> Vec<(&'static str, Self)> {
                vec![$((stringify!($name), acts!(@make of $name $(($whose))?))),+]
            }
        }

        impl Act {
            /// What allows it.
            const fn rule(&self) -> Rule {
                match self { $(acts!(@pattern _of $name $(($whose))?) => $rule),+ }
            }

            /// Whose it is.
            const fn owner(&self) -> Option<UserId> {
                match self { $(acts!(@pattern of $name $(($whose))?) => acts!(@owner of $(($whose))?)),+ }
            }
        }
    };
    (@make $of:ident $name:ident ($whose:ty)) => { Self::$name($of) };
    (@make $of:ident $name:ident) => { Self::$name };
    (@pattern $of:ident $name:ident ($whose:ty)) => { Self::$name($of) };
    (@pattern $of:ident $name:ident) => { Self::$name };
    (@owner $of:ident ($whose:ty)) => { Some(*$of) };
    (@owner $of:ident) => { None };
}

/// What allows an act.
enum Rule {
    /// The owner alone.
    Owner,
    /// The owner, and whoever holds the permission.
    OwnerOr(Permission),
    /// Whoever holds the permission, but never to oneself.
    NotOneself(Permission),
    /// Whoever holds the permission.
    Holder(Permission),
    /// The operator alone.
    Operator,
}

use Rule::{Holder, NotOneself, Operator, Owner, OwnerOr};

acts! {
    /// Page through accounts.
    ListUsers => Holder(Permission::USERS_READ),
    /// See an account.
    ReadUser(UserId) => OwnerOr(Permission::USERS_READ),
    /// Look an account up by its e-mail address, username or phone.
    FindUser => Holder(Permission::USERS_READ),
    /// Make an account for somebody else.
    CreateUser => Holder(Permission::USERS_MANAGE),
    /// See open invitations.
    ListInvitations => Holder(Permission::USERS_READ),
    /// Invite somebody to register, with roles that allow at most what the inviter may do.
    CreateInvitation => Holder(Permission::USERS_MANAGE),
    /// Withdraw an invitation.
    RevokeInvitation => Holder(Permission::USERS_MANAGE),
    /// Block an account. Whoever blocks themself could not undo it; somebody else has to.
    BlockUser(UserId) => NotOneself(Permission::USERS_MANAGE),
    /// Unblock an account.
    UnblockUser(UserId) => Holder(Permission::USERS_MANAGE),
    /// End every session of an account.
    SignOutUser(UserId) => Holder(Permission::USERS_MANAGE),
    /// Change display name, locale, time zone and attributes.
    ChangeProfile(UserId) => OwnerOr(Permission::USERS_MANAGE),
    /// Change the username.
    ChangeUsername(UserId) => Owner,
    /// Change the e-mail address.
    ChangeEmail(UserId) => Owner,
    /// Change the password, knowing the current one.
    ChangePassword(UserId) => Owner,
    /// Set a password without knowing the current one.
    SetPassword(UserId) => Operator,
    /// Send somebody a link that sets a new password.
    SendPasswordReset(UserId) => Holder(Permission::USERS_MANAGE),
    /// Demand a new password of somebody at the next sign-in by it.
    RequirePasswordChange(UserId) => Holder(Permission::USERS_MANAGE),
    /// Get everything that is held about an account.
    ExportAccount(UserId) => Owner,
    /// Delete one's own account.
    DeleteAccount(UserId) => Owner,
    /// Delete an account of somebody else. Owners delete theirs by proving who they are.
    DeleteUser(UserId) => NotOneself(Permission::USERS_MANAGE),
    /// Restore a deleted account, whoever deleted it.
    RestoreUser(UserId) => Holder(Permission::USERS_MANAGE),
    /// Erase a deleted account before its time.
    PurgeUser(UserId) => NotOneself(Permission::USERS_PURGE),
    /// Forbid to erase an account, or allow it again.
    HoldUser(UserId) => NotOneself(Permission::USERS_PURGE),
    /// See the sessions of an account.
    ReadSessions(UserId) => OwnerOr(Permission::USERS_READ),
    /// Name a device of an account.
    NameDevice(UserId) => Owner,
    /// End sessions of an account.
    EndSessions(UserId) => Owner,
    /// See the linked accounts elsewhere.
    ReadIdentities(UserId) => OwnerOr(Permission::USERS_READ),
    /// Read the inbox of an account.
    ReadNotifications(UserId) => Owner,
    /// Mark, put away and remove what is in the inbox of an account.
    ChangeNotifications(UserId) => Owner,
    /// Link an account elsewhere.
    LinkIdentity(UserId) => Owner,
    /// Unlink an account elsewhere.
    UnlinkIdentity(UserId) => Owner,
    /// Unlink an account elsewhere of somebody else. Owners unlink theirs by a fresh sign-in.
    RemoveIdentity(UserId) => NotOneself(Permission::USERS_MANAGE),
    /// See one's second factors.
    ReadFactors(UserId) => Owner,
    /// Set second factors up and remove them.
    ManageFactors(UserId) => Owner,
    /// Prove again who one is.
    StepUp(UserId) => Owner,
    /// Remove all second factors of somebody who has lost them.
    ResetFactors(UserId) => NotOneself(Permission::USERS_RESET_FACTORS),
    /// See what reaches a user how.
    ReadPreferences(UserId) => Owner,
    /// Change what reaches a user how.
    ChangePreferences(UserId) => Owner,
    /// See roles and permissions.
    ReadRoles => Holder(Permission::ROLES_READ),
    /// Make, change and remove roles.
    ManageRoles => Holder(Permission::ROLES_MANAGE),
    /// Register and remove permissions.
    ManagePermissions => Holder(Permission::PERMISSIONS_MANAGE),
    /// Ask what somebody may do.
    CheckPermissions => Holder(Permission::PERMISSIONS_CHECK),
    /// See what an account holds.
    ReadGrants(UserId) => OwnerOr(Permission::USERS_READ),
    /// Give an account a role or permission. Whoever holds one for a while could else make it last.
    GrantTo(UserId) => NotOneself(Permission::ROLES_GRANT),
    /// Take a role or permission from an account.
    RevokeFrom(UserId) => Holder(Permission::ROLES_GRANT),
    /// Ask for a change of one's rights.
    RequestAccess(UserId) => Owner,
    /// See one's requests.
    ReadOwnRequests(UserId) => Owner,
    /// See every access request. Approvers see those that they may decide.
    ReadRequests => Holder(Permission::ACCESS_REQUESTS_READ),
    /// Make an administrator.
    CreateAdministrator => Operator,
    /// End what was issued before a backup was restored.
    EndThePast => Operator,
    /// Page through service accounts.
    ListClients => Holder(Permission::CLIENTS_READ),
    /// Make a service account.
    CreateClient => Holder(Permission::CLIENTS_MANAGE),
    /// Change a service account's name and audiences.
    ChangeClient => Holder(Permission::CLIENTS_MANAGE),
    /// Disable a service account.
    DisableClient => Holder(Permission::CLIENTS_MANAGE),
    /// Enable a service account that was disabled.
    EnableClient => Holder(Permission::CLIENTS_MANAGE),
    /// Give a service account a new secret.
    RotateClientSecret => Holder(Permission::CLIENTS_MANAGE),
    /// See signing keys.
    ListSigningKeys => Holder(Permission::SIGNING_KEYS_READ),
    /// Rotate signing keys.
    RotateSigningKeys => Holder(Permission::SIGNING_KEYS_MANAGE),
    /// Revoke a signing key.
    RevokeSigningKey => Holder(Permission::SIGNING_KEYS_MANAGE),
    /// Ask whether a token is good.
    IntrospectToken => Holder(Permission::TOKENS_INTROSPECT),
    /// Read the revocation feed.
    ReadRevocations => Holder(Permission::REVOCATIONS_READ),
    /// Read the event feed.
    ReadEvents => Holder(Permission::EVENTS_READ),
    /// Read the audit log, take proofs from it, and verify it.
    ReadAudit => Holder(Permission::AUDIT_READ),
    /// See the configuration, what the doctor finds, and what messages say.
    ReadSystem => Holder(Permission::AUDIT_READ),
    /// See what becomes of messages.
    ReadDeliveries => Holder(Permission::DELIVERIES_READ),
    /// Read the development mailbox.
    ReadMails => Operator,
    /// Try a message again, or give it up.
    ManageDeliveries => Holder(Permission::DELIVERIES_MANAGE),
    /// Send a notification to users, to whoever holds a role, or to everybody.
    SendNotifications => Holder(Permission::NOTIFICATIONS_SEND),
    /// See what became of a notification that was sent.
    ReadSentNotifications => Holder(Permission::NOTIFICATIONS_SEND),
    /// See webhooks.
    ListWebhooks => Holder(Permission::WEBHOOKS_READ),
    /// Make, change, try and remove webhooks. They are told whatever happens, so this is much.
    ManageWebhooks => Holder(Permission::WEBHOOKS_MANAGE),
    /// See one's own streams of shared signals, and take the signals from them.
    ReadStreams => Holder(Permission::SSF_READ),
    /// Set up, change, pause and remove one's own streams of shared signals.
    ManageStreams => Holder(Permission::SSF_MANAGE),
    /// See, pause and remove the streams of every service account.
    OverseeStreams => Operator,
    /// End every session of an account because another party asks for it.
    RevokeTokens(UserId) => Holder(Permission::TOKENS_REVOKE),
}

impl Actor {
    /// Default deny: allowed is what a rule here allows. The operator and the service itself may everything.
    ///
    /// # Errors
    /// `NotSignedIn` for nobody, `Forbidden` for everybody else.
    pub fn may(&self, act: &Act) -> Result<(), Refusal> {
        let is_owner = matches!((self, act.owner()), (Self::User { id, .. }, Some(owner)) if *id == owner);
        let allowed = match (self, act.rule()) {
            (Self::Anonymous, _) => return Err(Refusal::NotSignedIn),
            (Self::Operator | Self::System, _) => true,
            (_, Rule::Owner) => is_owner,
            (_, Rule::OwnerOr(permission)) => is_owner || self.holds(&permission),
            (_, Rule::NotOneself(permission)) => !is_owner && self.holds(&permission),
            (_, Rule::Holder(permission)) => self.holds(&permission),
            (_, Rule::Operator) => false,
        };
        if allowed { Ok(()) } else { Err(Refusal::Forbidden) }
    }

    /// Whether the actor holds a permission: nobody gives what they do not hold.
    #[must_use]
    pub fn holds(&self, permission: &Permission) -> bool {
        match self {
            Self::Anonymous => false,
            Self::Operator | Self::System => true,
            Self::User { permissions, .. } | Self::Service { permissions, .. } => permissions.contains(permission),
        }
    }

    /// Whether the actor may give a permission to others.
    #[must_use]
    pub fn may_give(&self, permission: &Permission) -> bool {
        match self {
            Self::Anonymous => false,
            Self::Operator | Self::System => true,
            Self::User { permissions, .. } | Self::Service { permissions, .. } => {
                self.reaches(permission.as_str()) && permission.may_be_given_by(permissions)
            }
        }
    }

    /// Whether the name of a role or permission is within what the actor may deal with: a service account may be limited to
    /// words of its own.
    #[must_use]
    pub fn reaches(&self, name: &str) -> bool {
        match self {
            Self::Service { prefix: Some(prefix), .. } => name.starts_with(prefix.as_str()),
            _ => true,
        }
    }

    /// Refuses names beyond that.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn must_reach(&self, name: &str) -> Result<(), Refusal> {
        if self.reaches(name) { Ok(()) } else { Err(Refusal::Forbidden) }
    }

    /// Who, for logs.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::User { id, .. } => id.to_string(),
            Self::Service { id, .. } => id.to_string(),
            Self::Operator => "operator".to_owned(),
            Self::System => "system".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: UserId = UserId(uuid::Uuid::from_u128(1));
    const OTHER: UserId = UserId(uuid::Uuid::from_u128(2));

    fn user(permissions: &[Permission]) -> Actor {
        Actor::User { id: ME, session_id: SessionId(uuid::Uuid::nil()), permissions: permissions.to_vec() }
    }

    fn service(permissions: &[Permission], prefix: Option<&str>) -> Actor {
        Actor::Service {
            id: ClientId(uuid::Uuid::from_u128(1)),
            permissions: permissions.to_vec(),
            prefix: prefix.map(str::to_owned),
        }
    }

    /// One act of each rule, by everybody who could do it. A service account is nobody's owner, whatever its id.
    #[test]
    fn what_allows_an_act_is_its_rule_and_nothing_else() {
        let (manage, read) = ([Permission::USERS_MANAGE], [Permission::USERS_READ]);
        for (actor, owner, owner_or, of_others, oneself, not_oneself, holder, operator) in [
            (user(&[]), true, true, false, false, false, false, false),
            (user(&manage), true, true, false, false, true, true, false),
            (user(&read), true, true, true, false, false, false, false),
            (service(&[], None), false, false, false, false, false, false, false),
            (service(&manage, None), false, false, false, true, true, true, false),
            (Actor::Operator, true, true, true, true, true, true, true),
            (Actor::System, true, true, true, true, true, true, true),
        ] {
            for (act, allowed) in [
                (Act::ChangeUsername(ME), owner),
                (Act::ReadUser(ME), owner_or),
                (Act::ReadUser(OTHER), of_others),
                (Act::BlockUser(ME), oneself),
                (Act::BlockUser(OTHER), not_oneself),
                (Act::UnblockUser(OTHER), holder),
                (Act::SetPassword(ME), operator),
            ] {
                let answer = if allowed { Ok(()) } else { Err(Refusal::Forbidden) };
                assert_eq!(actor.may(&act), answer, "{} {act:?}", actor.name());
            }
        }
        for (_, act) in Act::all(ME) {
            assert_eq!(Actor::Anonymous.may(&act), Err(Refusal::NotSignedIn), "{act:?}");
        }
        assert_eq!(user(&[]).may(&Act::ChangeUsername(OTHER)), Err(Refusal::Forbidden));
    }

    #[test]
    fn a_service_account_deals_with_words_of_its_own_where_it_is_limited() {
        let (held, word) = ([Permission::PERMISSIONS_MANAGE], Permission::parse("billing.read").unwrap());
        for (actor, reaches, gives) in [
            (service(&held, Some("billing.")), true, true),
            (service(&held, Some("cms.")), false, false),
            (service(&held, None), true, true),
            (service(&[], Some("billing.")), true, false),
            (user(&held), true, true),
            (user(&[]), true, false),
            (Actor::Operator, true, true),
            (Actor::System, true, true),
            (Actor::Anonymous, true, false),
        ] {
            assert_eq!(actor.reaches(word.as_str()), reaches, "{actor:?}");
            assert_eq!(actor.must_reach(word.as_str()).is_ok(), reaches, "{actor:?}");
            assert_eq!(actor.may_give(&word), gives, "{actor:?}");
        }
        assert!(!Actor::Anonymous.holds(&word) && Actor::System.holds(&word) && !user(&held).holds(&word));
    }
}
