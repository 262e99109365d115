//! The user: an account and the changes to it that are lawful.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{Held, Refusal, Timestamp, UserId, Username};

/// Encrypted bytes; only `crates/crypto` can open them. Printing shows the length, nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

/// As base64 text. As a list of numbers it would take four times the space in a cache, and reading it would take longer
/// than decrypting it.
impl Serialize for Sealed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        STANDARD_NO_PAD.decode(text.as_bytes()).map(Self).map_err(serde::de::Error::custom)
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// Whether an account can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserStatus {
    /// In use.
    Active,
    /// Blocked by an administrator.
    Blocked,
    /// Deleted by its owner or an administrator; restorable for a while.
    Deleted,
}

impl UserStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Active, Self::Blocked, Self::Deleted];

    /// The stored and published word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Blocked => "blocked",
            Self::Deleted => "deleted",
        }
    }

    /// The status for a stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// An account. E-mail and phone are sealed with the user's own data key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Never changes, never used again.
    pub id: UserId,
    /// Whether the account can be used.
    pub status: UserStatus,
    /// As displayed; uniqueness is a claim on its canonical form.
    pub username: Option<Username>,
    /// The e-mail address, sealed.
    pub email: Option<Sealed>,
    /// Whether its owner has proven to read it.
    pub email_verified: bool,
    /// The phone number, sealed.
    pub phone: Option<Sealed>,
    /// This user's data key, wrapped by the master key. Destroying it erases what is sealed, backups included.
    pub data_key: Option<Sealed>,
    /// Free text, shown to others.
    pub display_name: Option<String>,
    /// BCP 47.
    pub locale: Option<String>,
    /// IANA name.
    pub time_zone: Option<String>,
    /// The application's own facts about the user; a JSON object.
    pub attributes: serde_json::Map<String, serde_json::Value>,
    /// Names of roles that were granted; not all count at all times.
    pub roles: Vec<String>,
    /// What was granted besides, and when it counts.
    #[serde(default)]
    pub held: Held,
    /// Raised to revoke all access tokens issued so far; tokens carry it as `ver`.
    pub security_epoch: i64,
    /// Raised with every change; the `If-Match` guard.
    pub version: i64,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When its owner last signed in.
    pub last_sign_in_at: Option<Timestamp>,
    /// When a block ends by itself; none: never.
    #[serde(default)]
    pub blocked_until: Option<Timestamp>,
    /// Why it is blocked, sealed; for administrators and the message about it.
    #[serde(default)]
    pub block_reason: Option<Sealed>,
    /// Since when the account waits until it is approved; none: it does not.
    #[serde(default)]
    pub awaits_approval_since: Option<Timestamp>,
}

/// What a profile change may contain. An outer `None` leaves the field; an inner `None` clears it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProfileChange {
    /// New display name.
    pub display_name: Option<Option<String>>,
    /// New locale.
    pub locale: Option<Option<String>>,
    /// New time zone.
    pub time_zone: Option<Option<String>>,
    /// New attributes, replacing all of the old ones.
    pub attributes: Option<serde_json::Map<String, serde_json::Value>>,
    /// Whether the phone number goes. Only providers tell one.
    pub forgets_phone: bool,
}

impl User {
    /// The status at this time: a block may have ended by itself.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> UserStatus {
        match self.status {
            UserStatus::Blocked if self.blocked_until.is_some_and(|end| end <= now) => UserStatus::Active,
            stored => stored,
        }
    }

    /// Refuses whoever may not use the service: the one place that says blocked and deleted users are out.
    ///
    /// # Errors
    /// `Blocked` for a blocked account; `NotSignedIn` for a deleted one, whose existence is private.
    pub fn must_be_active(&self, now: Timestamp) -> Result<(), Refusal> {
        match self.status_at(now) {
            UserStatus::Active => Ok(()),
            UserStatus::Blocked => Err(Refusal::Blocked),
            UserStatus::Deleted => Err(Refusal::NotSignedIn),
        }
    }

    /// Whether its owner can come in: it is active, and waits for no approval. Rights of others count for nothing.
    #[must_use]
    pub fn is_in_use(&self, now: Timestamp) -> bool {
        self.status_at(now) == UserStatus::Active && self.awaits_approval_since.is_none()
    }

    /// Whether it has an address that nobody has proven.
    #[must_use]
    pub const fn only_claims_its_address(&self) -> bool {
        self.email.is_some() && !self.email_verified
    }

    /// Whether its address is for whoever wants it: nobody has proven it, and the account is deleted (decision 0068).
    #[must_use]
    pub fn gives_up_its_address(&self) -> bool {
        self.status == UserStatus::Deleted && self.only_claims_its_address()
    }

    /// Refuses a change that was prepared against another version (`If-Match`).
    ///
    /// # Errors
    /// `VersionMismatch`.
    pub const fn must_have_version(&self, expected: Option<i64>) -> Result<(), Refusal> {
        match expected {
            Some(version) if version != self.version => Err(Refusal::VersionMismatch),
            _ => Ok(()),
        }
    }

    /// Marks a change at `now`: every write of a user goes through this.
    pub fn touch(&mut self, now: Timestamp) {
        self.version += 1;
        self.updated_at = now;
    }

    /// Applies a profile change that [`crate::text`] has already checked.
    pub fn change_profile(&mut self, change: ProfileChange, now: Timestamp) {
        if let Some(name) = change.display_name {
            self.display_name = name;
        }
        if let Some(locale) = change.locale {
            self.locale = locale;
        }
        if let Some(zone) = change.time_zone {
            self.time_zone = zone;
        }
        if let Some(attributes) = change.attributes {
            self.attributes = attributes;
        }
        if change.forgets_phone {
            self.phone = None;
        }
        self.touch(now);
    }

    /// Blocks the account, for good or until a time. The raised epoch revokes the access tokens issued before. Whoever is
    /// blocked already stays so, with the new end.
    ///
    /// # Errors
    /// `NotFound` for a deleted account.
    pub fn block(&mut self, until: Option<Timestamp>, now: Timestamp) -> Result<(), Refusal> {
        match self.status_at(now) {
            UserStatus::Deleted => return Err(Refusal::NotFound),
            UserStatus::Blocked if self.blocked_until == until => {}
            UserStatus::Blocked => self.touch(now),
            UserStatus::Active => self.raise_epoch(now),
        }
        (self.status, self.blocked_until) = (UserStatus::Blocked, until);
        Ok(())
    }

    /// The account has been approved, or refused: it waits no longer.
    pub fn decide_approval(&mut self, now: Timestamp) {
        self.awaits_approval_since = None;
        self.touch(now);
    }

    /// Unblocks the account; a deleted one is restored, not unblocked.
    ///
    /// # Errors
    /// `NotFound` for a deleted account.
    pub fn unblock(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if self.status == UserStatus::Deleted {
            return Err(Refusal::NotFound);
        }
        if self.status != UserStatus::Active {
            self.status = UserStatus::Active;
            (self.blocked_until, self.block_reason) = (None, None);
            self.touch(now);
        }
        Ok(())
    }

    /// Deletes the account, which can come back. The raised epoch revokes the access tokens issued before. Answers what it
    /// was.
    ///
    /// # Errors
    /// `NotFound` for one that is deleted already.
    pub fn delete(&mut self, now: Timestamp) -> Result<UserStatus, Refusal> {
        let before = self.status_at(now);
        if before == UserStatus::Deleted {
            return Err(Refusal::NotFound);
        }
        self.status = UserStatus::Deleted;
        self.raise_epoch(now);
        Ok(before)
    }

    /// Restores a deleted account to what it was.
    ///
    /// # Errors
    /// `NotFound` for one that is not deleted.
    pub fn restore(&mut self, status: UserStatus, now: Timestamp) -> Result<(), Refusal> {
        if self.status != UserStatus::Deleted {
            return Err(Refusal::NotFound);
        }
        self.status = status;
        self.touch(now);
        Ok(())
    }

    /// Erases whatever tells who it was. Without the data key nothing that was sealed for the user can be read.
    pub fn erase(&mut self, now: Timestamp) {
        self.forget_profile();
        (self.email, self.email_verified, self.data_key) = (None, false, None);
        (self.blocked_until, self.block_reason) = (None, None);
        self.roles.clear();
        self.held = Held::default();
        self.status = UserStatus::Deleted;
        self.raise_epoch(now);
    }

    /// Forgets what the holder so far wrote about themself: somebody else has proven to own the account's mailbox.
    pub fn forget_profile(&mut self) {
        (self.username, self.phone) = (None, None);
        (self.display_name, self.locale, self.time_zone) = (None, None, None);
        self.attributes.clear();
    }

    /// Revokes every access token issued so far.
    pub fn raise_epoch(&mut self, now: Timestamp) {
        self.security_epoch += 1;
        self.touch(now);
    }
}

#[cfg(test)]
pub(crate) mod tests;
