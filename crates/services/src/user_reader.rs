//! UserReader as the API shows them: the stored user with its sealed fields opened. Nothing is decided here, so reads
//! may come from the cache.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use userd_cache::{Cached, Loaded};
use userd_model::{Email, Phone, Refusal, Sealed, Timestamp, User, UserId, UserStatus};
use userd_storage::{Failure, StoreError};

use crate::Dependencies;

/// A user as its owner and administrators see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields of the contract's User, documented there")]
pub struct UserView {
    pub id: UserId,
    pub username: Option<String>,
    pub email: Option<String>,
    pub email_verified: bool,
    pub phone: Option<String>,
    pub display_name: Option<String>,
    pub locale: Option<String>,
    pub time_zone: Option<String>,
    pub attributes: serde_json::Map<String, serde_json::Value>,
    pub status: UserStatus,
    pub roles: Vec<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_sign_in_at: Option<Timestamp>,
    pub blocked_until: Option<Timestamp>,
    pub block_reason: Option<String>,
    pub version: i64,
}

impl UserView {
    /// What the account is called among somebody's passkeys: its name there, and the person's.
    #[must_use]
    pub fn names_at_passkeys(&self) -> (String, String) {
        let name = self.email.as_ref().or(self.username.as_ref()).cloned().unwrap_or_else(|| self.id.to_string());
        let display_name = self.display_name.clone().unwrap_or_else(|| name.clone());
        (name, display_name)
    }
}

/// Reads users for showing.
#[derive(Clone)]
pub struct UserReader {
    deps: Dependencies,
    users: Arc<Cached<User, Failure>>,
}

impl UserReader {
    pub(crate) fn new(deps: Dependencies) -> Self {
        let users = Cached::new(deps.cache.clone(), deps.random.clone(), "user", Duration::from_secs(300));
        Self { deps, users: Arc::new(users) }
    }

    /// The user, possibly a moment old: for showing, never for deciding.
    ///
    /// # Errors
    /// `NotFound`; storage faults.
    pub async fn show(&self, id: UserId) -> Result<UserView, Failure> {
        let user = self.current(id).await?;
        // Remembered from before the master key changed, by a load that was under way then: what is stored counts.
        let is_known = user.data_key.as_ref().is_none_or(|key| self.deps.crypto.fields.knows(key));
        if is_known && let Ok(view) = self.view(&user) {
            return Ok(view);
        }
        let user = self.deps.store.reading().users().find(id).await?.ok_or(Refusal::NotFound)?;
        self.changed(&user).await;
        self.view(&user)
    }

    /// The stored user, as old as [`Self::show`] may be.
    pub(crate) async fn current(&self, id: UserId) -> Result<Arc<User>, Failure> {
        let deps = &self.deps;
        let load = || async move {
            let user = deps.store.reading().users().find(id).await.map_err(Failure::from)?;
            Ok::<_, Failure>(user.map(|value| Loaded { version: value.version, value }))
        };
        self.users.get_or_load(&id.to_string(), load).await?.ok_or_else(|| Refusal::NotFound.into())
    }

    /// The same for the user themself: whoever is not there, as after a backup was restored, is not signed in.
    ///
    /// # Errors
    /// `NotSignedIn`; storage faults.
    pub async fn show_own(&self, id: UserId) -> Result<UserView, Failure> {
        self.show(id).await.map_err(|failure| match failure {
            Failure::Refused(Refusal::NotFound) => Refusal::NotSignedIn.into(),
            other => other,
        })
    }

    /// Opens a user's sealed fields.
    ///
    /// # Errors
    /// `Corrupt` when a sealed field does not open: a damaged row or a foreign master key.
    pub fn view(&self, user: &User) -> Result<UserView, Failure> {
        let opened = |field: &str, sealed: Option<&Sealed>| open_field(&self.deps, user, field, sealed);
        Ok(UserView {
            id: user.id,
            username: user.username.as_ref().map(|name| name.as_str().to_owned()),
            email: opened("email", user.email.as_ref())?,
            email_verified: user.email_verified,
            phone: opened("phone", user.phone.as_ref())?,
            display_name: user.display_name.clone(),
            locale: user.locale.clone(),
            time_zone: user.time_zone.clone(),
            attributes: user.attributes.clone(),
            status: user.status_at(self.deps.now()),
            roles: user.roles_at(self.deps.now()).cloned().collect(),
            created_at: user.created_at,
            updated_at: user.updated_at,
            last_sign_in_at: user.last_sign_in_at,
            blocked_until: user.blocked_until.filter(|end| *end > self.deps.now()),
            block_reason: opened("block_reason", user.block_reason.as_ref())?,
            version: user.version,
        })
    }

    /// After a commit: nothing older than this version may be shown again.
    pub(crate) async fn changed(&self, user: &User) {
        self.users.invalidate(&user.id.to_string(), user.version).await;
    }

    /// After a sign-in: its time shows at once. The version stays, so other replicas show it a little later.
    pub(crate) async fn signed_in(&self, user: &User) {
        self.users.invalidate_local(&user.id.to_string(), user.version);
    }

    /// Another replica or the command line changed the user: forget what is remembered here.
    pub(crate) fn forget(&self, id: UserId, version: i64) {
        self.users.invalidate_local(&id.to_string(), version);
    }
}

/// Seals a user's e-mail under a data key.
pub(crate) fn seal_email(deps: &Dependencies, user: UserId, key: &Sealed, email: &Email) -> Result<Sealed, Failure> {
    seal_field(deps, user, key, "email", email.as_str().as_bytes())
}

/// Seals a user's phone number under a data key.
pub(crate) fn seal_phone(deps: &Dependencies, user: UserId, key: &Sealed, phone: &Phone) -> Result<Sealed, Failure> {
    seal_field(deps, user, key, "phone", phone.as_str().as_bytes())
}

/// Seals one field of a user.
pub(crate) fn seal_field(
    deps: &Dependencies,
    user: UserId,
    key: &Sealed,
    field: &str,
    value: &[u8],
) -> Result<Sealed, Failure> {
    let key = deps.crypto.fields.open_data_key(key, user).map_err(internal)?;
    key.seal(deps.random.as_ref(), &context(user, field), value).map_err(internal)
}

/// Opens one sealed field of a user; a user without a data key has been erased and shows nothing.
pub(crate) fn open_field(
    deps: &Dependencies,
    user: &User,
    field: &str,
    sealed: Option<&Sealed>,
) -> Result<Option<String>, Failure> {
    let (Some(sealed), Some(key)) = (sealed, user.data_key.as_ref()) else { return Ok(None) };
    let key = deps.crypto.fields.open_data_key(key, user.id).map_err(internal)?;
    let bytes = key.open(&context(user.id, field), sealed).map_err(internal)?;
    let text = String::from_utf8(bytes.to_vec()).map_err(|_| StoreError::corrupt("a sealed field is not text"))?;
    Ok(Some(text))
}

fn context(user: UserId, field: &str) -> String {
    format!("users|{field}|{user}")
}

/// A fault of the crypto room, for the log; callers learn nothing of it.
pub(crate) fn internal(fault: impl std::fmt::Display) -> Failure {
    Failure::Internal(fault.to_string())
}
