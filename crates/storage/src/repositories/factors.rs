//! Second factors. That a passkey belongs to one user only is a claim, not a rule of this table.

use userd_model::{Factor, FactorId, FactorKind, Sealed, UserId};

use super::{MOST, known};
use crate::{
    Row, Statement, StoreError, UnitOfWork, Value,
    tables::{List, Shape, position, statements_of},
};

/// Second factors.
pub struct Factors<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { FACTORS:
    INSERT = "factors.insert": Shape::Insert;
    BY_ID = "factors.by_id": Shape::Find;
    UPDATE = "factors.update": Shape::Update(&["name", "secret", "counter", "last_used_at"]);
    BY_USER = "factors.by_user": Shape::List(List::along("factors_by_user").equal(1));
    REMOVE = "factors.remove": Shape::Remove;
}

/// For reading a user's factors together with something else.
pub(super) static OF_USER: &Statement = &BY_USER;

impl Factors<'_> {
    /// Adds a factor.
    ///
    /// # Errors
    /// `Duplicate(Key("factors"))` when the id exists.
    pub async fn insert(&mut self, factor: &Factor) -> Result<(), StoreError> {
        let values = [
            factor.id.into(),
            factor.user_id.into(),
            factor.kind.as_str().into(),
            factor.name.clone().into(),
            factor.secret.0.clone().into(),
            factor.counter.into(),
            factor.created_at.into(),
            factor.last_used_at.into(),
        ];
        self.0.write(&INSERT, &values).await
    }

    /// The factor with this id.
    pub async fn find(&mut self, id: FactorId) -> Result<Option<Factor>, StoreError> {
        self.0.one(&BY_ID, &[id.into()], factor).await
    }

    /// Writes every column but the id, the user, the kind and `created_at`. Nothing happens when the id is unknown.
    pub async fn update(&mut self, factor: &Factor) -> Result<(), StoreError> {
        let values = [
            factor.name.clone().into(),
            factor.secret.0.clone().into(),
            factor.counter.into(),
            factor.last_used_at.into(),
            factor.id.into(),
        ];
        self.0.write(&UPDATE, &values).await
    }

    /// The user's factors by (`created_at`, id); at most 1,000.
    pub async fn of_user(&mut self, user: UserId) -> Result<Vec<Factor>, StoreError> {
        self.0.many(&BY_USER, &of_user(user), factor).await
    }

    /// Removes a factor.
    pub async fn remove(&mut self, id: FactorId) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[id.into()]).await
    }
}

/// The values of [`OF_USER`].
pub(super) fn of_user(user: UserId) -> [Value; 2] {
    [user.into(), i64::from(MOST).into()]
}

pub(super) fn factor(row: &mut Row) -> Result<Factor, StoreError> {
    Ok(Factor {
        id: FactorId(row.uuid(position!(FACTORS.id))?),
        user_id: UserId(row.uuid(position!(FACTORS.user_id))?),
        kind: known("kind of factor", FactorKind::parse(&row.text(position!(FACTORS.kind))?))?,
        name: row.text_or_null(position!(FACTORS.name))?,
        secret: Sealed(row.bytes(position!(FACTORS.secret))?),
        counter: row.i64(position!(FACTORS.counter))?,
        created_at: row.timestamp(position!(FACTORS.created_at))?,
        last_used_at: row.timestamp_or_null(position!(FACTORS.last_used_at))?,
    })
}
