//! Accounts. Uniqueness of what identifies them is not here but in `claims`.

use serde_json::Value as Json;
use userd_model::{Sealed, Timestamp, User, UserId, UserStatus, Username};

use super::{
    known, list,
    password_credentials::{self, PasswordCredential, credential},
    words,
};
use crate::{Row, StoreError, UnitOfWork, Value, statements};

/// Accounts.
pub struct Users<'a>(pub(super) &'a mut UnitOfWork);

statements! {
    INSERT = "users.insert": "INSERT INTO users (id, status, username, email_sealed, email_verified, phone_sealed, \
        data_key, display_name, locale, time_zone, attributes, roles, security_epoch, version, created_at, \
        updated_at, last_sign_in_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        (Uuid, Text, Text, Bytes, Bool, Bytes, Bytes, Text, Text, Text, Json, Json, I64, I64, Timestamp, Timestamp,
         Timestamp) -> ();
    BY_ID = "users.by_id": "SELECT id, status, username, email_sealed, email_verified, phone_sealed, data_key, \
        display_name, locale, time_zone, attributes, roles, security_epoch, version, created_at, updated_at, \
        last_sign_in_at FROM users WHERE id = $1"
        (Uuid) -> (Uuid, Text, Text, Bytes, Bool, Bytes, Bytes, Text, Text, Text, Json, Json, I64, I64, Timestamp,
         Timestamp, Timestamp);
    UPDATE = "users.update": "UPDATE users SET status = $1, username = $2, email_sealed = $3, email_verified = $4, \
        phone_sealed = $5, data_key = $6, display_name = $7, locale = $8, time_zone = $9, attributes = $10, \
        roles = $11, security_epoch = $12, version = $13, updated_at = $14, last_sign_in_at = $15 WHERE id = $16"
        (Text, Text, Bytes, Bool, Bytes, Bytes, Text, Text, Text, Json, Json, I64, I64, Timestamp, Timestamp, Uuid)
        -> ();
    RECORD_SIGN_IN = "users.record_sign_in": "UPDATE users SET last_sign_in_at = $1 WHERE id = $2"
        (Timestamp, Uuid) -> ();
    FIRST_PAGE = "users.first_page": "SELECT id, status, username, email_sealed, email_verified, phone_sealed, \
        data_key, display_name, locale, time_zone, attributes, roles, security_epoch, version, created_at, \
        updated_at, last_sign_in_at FROM users ORDER BY created_at, id LIMIT $1"
        (I64) -> (Uuid, Text, Text, Bytes, Bool, Bytes, Bytes, Text, Text, Text, Json, Json, I64, I64, Timestamp,
         Timestamp, Timestamp);
    NEXT_PAGE = "users.next_page": "SELECT id, status, username, email_sealed, email_verified, phone_sealed, \
        data_key, display_name, locale, time_zone, attributes, roles, security_epoch, version, created_at, \
        updated_at, last_sign_in_at FROM users WHERE (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3"
        (Timestamp, Uuid, I64) -> (Uuid, Text, Text, Bytes, Bool, Bytes, Bytes, Text, Text, Text, Json, Json, I64,
         I64, Timestamp, Timestamp, Timestamp);
}

impl Users<'_> {
    /// Adds an account.
    ///
    /// # Errors
    /// `Duplicate(Key("users"))` when the id exists.
    pub async fn insert(&mut self, user: &User) -> Result<(), StoreError> {
        let values = [
            user.id.into(),
            user.status.as_str().into(),
            user.username.as_ref().map(Username::as_str).into(),
            sealed(user.email.as_ref()),
            user.email_verified.into(),
            sealed(user.phone.as_ref()),
            sealed(user.data_key.as_ref()),
            user.display_name.clone().into(),
            user.locale.clone().into(),
            user.time_zone.clone().into(),
            Json::Object(user.attributes.clone()).into(),
            words(&user.roles),
            user.security_epoch.into(),
            user.version.into(),
            user.created_at.into(),
            user.updated_at.into(),
            user.last_sign_in_at.into(),
        ];
        self.0.write(&INSERT, &values).await
    }

    /// The account with this id.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn find(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        self.0.one(&BY_ID, &[id.into()], user).await
    }

    /// The account and its password, asked for together: what a sign-in looks at.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn find_with_password(
        &mut self,
        id: UserId,
    ) -> Result<(Option<User>, Option<PasswordCredential>), StoreError> {
        let key = [id.into()];
        self.0.both((&BY_ID, &key, user), (password_credentials::BY_USER_ID, &key, credential)).await
    }

    /// Writes every column but the id and `created_at`. Nothing happens when the id is unknown: read it first, in the
    /// same unit of work.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn update(&mut self, user: &User) -> Result<(), StoreError> {
        let values = [
            user.status.as_str().into(),
            user.username.as_ref().map(Username::as_str).into(),
            sealed(user.email.as_ref()),
            user.email_verified.into(),
            sealed(user.phone.as_ref()),
            sealed(user.data_key.as_ref()),
            user.display_name.clone().into(),
            user.locale.clone().into(),
            user.time_zone.clone().into(),
            Json::Object(user.attributes.clone()).into(),
            words(&user.roles),
            user.security_epoch.into(),
            user.version.into(),
            user.updated_at.into(),
            user.last_sign_in_at.into(),
            user.id.into(),
        ];
        self.0.write(&UPDATE, &values).await
    }

    /// Sets only `last_sign_in_at`: signing in is not a change that an `If-Match` should notice.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn record_sign_in(&mut self, id: UserId, at: Timestamp) -> Result<(), StoreError> {
        self.0.write(&RECORD_SIGN_IN, &[at.into(), id.into()]).await
    }

    /// Up to `limit` accounts by (`created_at`, id) ascending, behind `after`.
    ///
    /// # Errors
    /// Storage faults only.
    pub async fn page(&mut self, after: Option<(Timestamp, UserId)>, limit: u32) -> Result<Vec<User>, StoreError> {
        let limit = i64::from(limit).into();
        match after {
            None => self.0.many(&FIRST_PAGE, &[limit], user).await,
            Some((at, id)) => self.0.many(&NEXT_PAGE, &[at.into(), id.into(), limit], user).await,
        }
    }
}

pub(super) fn user(row: &mut Row) -> Result<User, StoreError> {
    Ok(User {
        id: UserId(row.uuid(0)?),
        status: known("user status", UserStatus::parse(&row.text(1)?))?,
        username: row.text_or_null(2)?.map(Username::stored),
        email: row.bytes_or_null(3)?.map(Sealed),
        email_verified: row.bool(4)?,
        phone: row.bytes_or_null(5)?.map(Sealed),
        data_key: row.bytes_or_null(6)?.map(Sealed),
        display_name: row.text_or_null(7)?,
        locale: row.text_or_null(8)?,
        time_zone: row.text_or_null(9)?,
        attributes: match row.json(10)? {
            Json::Object(attributes) => attributes,
            _ => return Err(StoreError::corrupt("attributes are not an object")),
        },
        roles: list(row.json(11)?)?,
        security_epoch: row.i64(12)?,
        version: row.i64(13)?,
        created_at: row.timestamp(14)?,
        updated_at: row.timestamp(15)?,
        last_sign_in_at: row.timestamp_or_null(16)?,
    })
}

fn sealed(value: Option<&Sealed>) -> Value {
    value.map(|sealed| sealed.0.clone()).into()
}
