//! Roles and permissions that users hold.

use userd_model::{Grant, GrantId, GrantKind, GrantSource, Period, Sealed, Timestamp, UserId};

use super::{MOST, known};
use crate::{
    NEVER, Row, StoreError, UnitOfWork, Value,
    tables::{List, Range, Shape, position, statements_of},
};

/// Grants.
pub struct Grants<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { GRANTS:
    UPSERT = "grants.upsert": Shape::Upsert;
    FIND = "grants.find": Shape::Find;
    OF_USER = "grants.of_user": Shape::List(List::by_key().equal(1));
    REMOVE = "grants.remove": Shape::Remove;
    ENDED = "grants.ended": Shape::List(List::along("grants_by_end").range(Range::UpTo));
    ENDING = "grants.ending": Shape::List(List::along("grants_by_end").range(Range::From));
}

impl Grants<'_> {
    /// Writes grants; each takes the place of the one of the same thing.
    pub async fn upsert_many(&mut self, grants: &[Grant]) -> Result<(), StoreError> {
        self.0.write_many(&UPSERT, grants.iter().map(row_of).collect()).await
    }

    /// The grant of this thing to this user.
    pub async fn find(&mut self, user: UserId, kind: GrantKind, name: &str) -> Result<Option<Grant>, StoreError> {
        self.0.one(&FIND, &[user.into(), kind.as_str().into(), name.into()], grant).await
    }

    /// The grants of a user, by kind and name; at most 1,000.
    pub async fn of_user(&mut self, user: UserId) -> Result<Vec<Grant>, StoreError> {
        self.0.many(&OF_USER, &[user.into(), i64::from(MOST).into()], grant).await
    }

    /// Removes what is held no more.
    pub async fn remove_many(&mut self, user: UserId, things: &[(GrantKind, String)]) -> Result<(), StoreError> {
        let keys = things.iter().map(|(kind, name)| vec![user.into(), kind.as_str().into(), name.as_str().into()]);
        self.0.write_many(&REMOVE, keys.collect()).await
    }

    /// Up to `limit` grants whose time is over, the earliest first.
    pub async fn ended(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Grant>, StoreError> {
        self.0.many(&ENDED, &[now.into(), i64::from(limit).into()], grant).await
    }

    /// Up to `limit` grants that end at `from` or later, the earliest first.
    pub async fn ending_from(&mut self, from: Timestamp, limit: u32) -> Result<Vec<Grant>, StoreError> {
        self.0.many(&ENDING, &[from.into(), i64::from(limit).into()], grant).await
    }
}

fn row_of(grant: &Grant) -> Vec<Value> {
    vec![
        grant.user_id.into(),
        grant.kind.as_str().into(),
        grant.name.as_str().into(),
        grant.id.into(),
        grant.source.as_str().into(),
        grant.reason.as_ref().map(|sealed| sealed.0.clone()).into(),
        grant.granted_by.as_str().into(),
        grant.created_at.into(),
        grant.period.starts_at.into(),
        grant.period.expires_at.unwrap_or(NEVER).into(),
    ]
}

fn grant(row: &mut Row) -> Result<Grant, StoreError> {
    let ends_at = row.timestamp(position!(GRANTS.ends_at))?;
    Ok(Grant {
        id: GrantId(row.uuid(position!(GRANTS.id))?),
        user_id: UserId(row.uuid(position!(GRANTS.user_id))?),
        kind: known("kind of grant", GrantKind::parse(&row.text(position!(GRANTS.kind))?))?,
        name: row.text(position!(GRANTS.name))?,
        source: known("source of grant", GrantSource::parse(&row.text(position!(GRANTS.source))?))?,
        reason: row.bytes_or_null(position!(GRANTS.reason))?.map(Sealed),
        granted_by: row.text(position!(GRANTS.granted_by))?,
        created_at: row.timestamp(position!(GRANTS.created_at))?,
        period: Period {
            starts_at: row.timestamp_or_null(position!(GRANTS.starts_at))?,
            expires_at: Some(ends_at).filter(|end| *end < NEVER),
        },
    })
}
