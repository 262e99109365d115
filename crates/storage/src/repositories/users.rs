//! Accounts. Uniqueness of what identifies them is not here but in `claims`.

use serde_json::Value as Json;
use userd_model::{Inbox, Sealed, Timestamp, User, UserId, UserStatus, Username};

use super::{
    first_row,
    inboxes::{self, inbox},
    known, list,
    password_credentials::{self, PasswordCredential, credential},
    words,
};
use crate::{
    Call, Row, StoreError, UnitOfWork, Value,
    tables::{List, Range, Shape, position, statements_of},
};

/// Accounts.
pub struct Users<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { USERS:
    INSERT = "users.insert": Shape::Insert;
    FIND = "users.by_id": Shape::Find;
    UPDATE = "users.update": Shape::Update(&[
        "status", "username", "email_sealed", "email_verified", "phone_sealed", "data_key", "display_name", "locale",
        "time_zone", "attributes", "roles", "security_epoch", "version", "updated_at", "last_sign_in_at",
        "blocked_until", "block_reason", "held", "awaits_approval_since",
    ]);
    REMOVE = "users.remove": Shape::Remove;
    RECORD_SIGN_IN = "users.record_sign_in": Shape::Update(&["last_sign_in_at"]);
    FIRST_PAGE = "users.first_page": Shape::List(List::along("users_by_created"));
    OF_STATUS = "users.of_status": Shape::List(List::along("users_by_status").equal(1).range(Range::Behind));
    NEXT_PAGE = "users.next_page": Shape::List(List::along("users_by_created").range(Range::Behind));
}

/// For whoever asks for accounts beside something else.
pub(super) static BY_ID: &crate::Statement = &FIND;

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
            user.blocked_until.into(),
            sealed(user.block_reason.as_ref()),
            held(user)?,
            user.awaits_approval_since.into(),
        ];
        self.0.write(&INSERT, &values).await?;
        self.0.user_terms().write_new(user).await
    }

    /// The account with this id.
    pub async fn find(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        self.0.one(&FIND, &[id.into()], user).await
    }

    /// The accounts with these ids, in this order.
    pub async fn find_many(&mut self, ids: &[UserId]) -> Result<Vec<Option<User>>, StoreError> {
        let keys: Vec<[Value; 1]> = ids.iter().map(|id| [(*id).into()]).collect();
        let calls: Vec<Call<'_>> = keys.iter().map(|values| Call { statement: &FIND, values }).collect();
        let answers = self.0.run_together(&calls).await?;
        answers.into_iter().map(|rows| first_row(&FIND, Some(rows), user)).collect()
    }

    /// Up to `limit` accounts with this stored status by (`created_at`, id) ascending, behind `after`.
    pub async fn of_status(
        &mut self,
        status: UserStatus,
        (at, id): (Timestamp, UserId),
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        let values = [status.as_str().into(), at.into(), id.into(), i64::from(limit).into()];
        self.0.many(&OF_STATUS, &values, user).await
    }

    /// The account and its inbox, asked for together.
    pub async fn find_with_inbox(&mut self, id: UserId) -> Result<(Option<User>, Inbox), StoreError> {
        let key = [id.into()];
        let (found, kept) = self.0.both((&FIND, &key, user), (inboxes::OF_USER, &key, inbox)).await?;
        Ok((found, kept.unwrap_or_else(|| Inbox::empty(id))))
    }

    /// The account and its password, asked for together: what a sign-in looks at.
    pub async fn find_with_password(
        &mut self,
        id: UserId,
    ) -> Result<(Option<User>, Option<PasswordCredential>), StoreError> {
        let key = [id.into()];
        self.0.both((&FIND, &key, user), (password_credentials::BY_USER_ID, &key, credential)).await
    }

    /// Removes an account that was erased. What belonged to it is removed by whoever erases.
    pub async fn remove(&mut self, id: UserId) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[id.into()]).await
    }

    /// Writes every column but the id and `created_at`. Nothing happens when the id is unknown: read it first, in the
    /// same unit of work.
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
            user.blocked_until.into(),
            sealed(user.block_reason.as_ref()),
            held(user)?,
            user.awaits_approval_since.into(),
            user.id.into(),
        ];
        self.0.write(&UPDATE, &values).await?;
        self.0.user_terms().rewrite(user).await
    }

    /// Sets only `last_sign_in_at`: signing in is not a change that an `If-Match` should notice.
    pub async fn record_sign_in(&mut self, id: UserId, at: Timestamp) -> Result<(), StoreError> {
        self.0.write(&RECORD_SIGN_IN, &[at.into(), id.into()]).await
    }

    /// Up to `limit` accounts by (`created_at`, id) ascending, behind `after`.
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
        id: UserId(row.uuid(position!(USERS.id))?),
        status: known("user status", UserStatus::parse(&row.text(position!(USERS.status))?))?,
        username: row.text_or_null(position!(USERS.username))?.map(Username::stored),
        email: row.bytes_or_null(position!(USERS.email_sealed))?.map(Sealed),
        email_verified: row.bool(position!(USERS.email_verified))?,
        phone: row.bytes_or_null(position!(USERS.phone_sealed))?.map(Sealed),
        data_key: row.bytes_or_null(position!(USERS.data_key))?.map(Sealed),
        display_name: row.text_or_null(position!(USERS.display_name))?,
        locale: row.text_or_null(position!(USERS.locale))?,
        time_zone: row.text_or_null(position!(USERS.time_zone))?,
        attributes: match row.json(position!(USERS.attributes))? {
            Json::Object(attributes) => attributes,
            _ => return Err(StoreError::corrupt("attributes are not an object")),
        },
        roles: list(row.json(position!(USERS.roles))?)?,
        security_epoch: row.i64(position!(USERS.security_epoch))?,
        version: row.i64(position!(USERS.version))?,
        created_at: row.timestamp(position!(USERS.created_at))?,
        updated_at: row.timestamp(position!(USERS.updated_at))?,
        last_sign_in_at: row.timestamp_or_null(position!(USERS.last_sign_in_at))?,
        blocked_until: row.timestamp_or_null(position!(USERS.blocked_until))?,
        awaits_approval_since: row.timestamp_or_null(position!(USERS.awaits_approval_since))?,
        block_reason: row.bytes_or_null(position!(USERS.block_reason))?.map(Sealed),
        held: row
            .json_or_null(position!(USERS.held))?
            .map(|held| serde_json::from_value(held).map_err(|error| StoreError::corrupt(error.to_string())))
            .transpose()?
            .unwrap_or_default(),
    })
}

/// Most accounts hold nothing besides roles that count always.
fn held(user: &User) -> Result<Value, StoreError> {
    if user.held.is_empty() {
        return Ok(None::<Json>.into());
    }
    let held = serde_json::to_value(&user.held).map_err(|error| StoreError::corrupt(error.to_string()))?;
    Ok(held.into())
}

fn sealed(value: Option<&Sealed>) -> Value {
    value.map(|sealed| sealed.0.clone()).into()
}
