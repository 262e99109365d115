//! Password hashes, one per user who has a password. Apart from `users`, so that reading a user never carries one.

use userd_model::{Timestamp, UserId};

use crate::{
    Row, Statement, StoreError, UnitOfWork,
    tables::{Shape, position, statements_of},
};

/// Password hashes.
pub struct PasswordCredentials<'a>(pub(super) &'a mut UnitOfWork);

/// A user's password, hashed. Printing leaves the hash out.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordCredential {
    /// Whose.
    pub user_id: UserId,
    /// A PHC string: algorithm, parameters, salt and hash.
    pub hash: String,
    /// When the password was last set.
    pub changed_at: Timestamp,
    /// Whether it has to be changed before anything else.
    pub must_change: bool,
}

impl std::fmt::Debug for PasswordCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordCredential").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

statements_of! { PASSWORD_CREDENTIALS:
    BY_USER = "password_credentials.by_user": Shape::Find;
    UPSERT = "password_credentials.upsert": Shape::Upsert;
    REMOVE = "password_credentials.remove": Shape::Remove;
}

/// For reading a password together with something else.
pub(super) static BY_USER_ID: &Statement = &BY_USER;

impl PasswordCredentials<'_> {
    /// The user's password, if there is one.
    pub async fn find(&mut self, user: UserId) -> Result<Option<PasswordCredential>, StoreError> {
        self.0.one(&BY_USER, &[user.into()], credential).await
    }

    /// Sets or replaces the user's password.
    pub async fn upsert(&mut self, credential: &PasswordCredential) -> Result<(), StoreError> {
        let values = [
            credential.user_id.into(),
            credential.hash.as_str().into(),
            credential.changed_at.into(),
            credential.must_change.into(),
        ];
        self.0.write(&UPSERT, &values).await
    }

    /// Removes the user's password.
    pub async fn remove(&mut self, user: UserId) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[user.into()]).await
    }
}

pub(super) fn credential(row: &mut Row) -> Result<PasswordCredential, StoreError> {
    Ok(PasswordCredential {
        user_id: UserId(row.uuid(position!(PASSWORD_CREDENTIALS.user_id))?),
        hash: row.text(position!(PASSWORD_CREDENTIALS.hash))?,
        changed_at: row.timestamp(position!(PASSWORD_CREDENTIALS.changed_at))?,
        must_change: row.bool(position!(PASSWORD_CREDENTIALS.must_change))?,
    })
}
