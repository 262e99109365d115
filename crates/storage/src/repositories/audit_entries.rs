//! The entries of the audit log. Bytes pass through: what they say is not known here.

use userd_model::{EventId, Timestamp};

use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{List, Range, Shape, position, statements_of},
};

/// The audit log.
pub struct AuditEntries<'a>(pub(super) &'a mut UnitOfWork);

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// From 0 on, without gaps.
    pub position: i64,
    /// The fact's.
    pub id: EventId,
    /// What happened.
    pub act: String,
    /// Who did it: an id, or the kind of whoever has none.
    pub actor: String,
    /// The id of whatever it was done to.
    pub subject: String,
    /// When.
    pub at: Timestamp,
    /// What is hashed.
    pub entry: Vec<u8>,
}

/// Along which order entries are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditOrder<'a> {
    /// All.
    Whole,
    /// Of one act.
    Act(&'a str),
    /// Of one actor.
    Actor(&'a str),
    /// Of one subject.
    Subject(&'a str),
}

statements_of! { AUDIT_ENTRIES:
    APPEND = "audit_entries.append": Shape::Insert;
    REMOVE = "audit_entries.remove": Shape::Remove;
    BY_POSITION = "audit_entries.by_position": Shape::Find;
    BY_ID = "audit_entries.by_id": Shape::List(List::along("audit_entries_by_id").equal(1));
    NEXT = "audit_entries.next": Shape::List(List::by_key().range(Range::From));
    LAST = "audit_entries.last": Shape::List(List::by_key().range(Range::UpTo).descending());
    NEXT_OF_ACT = "audit_entries.next_of_act":
        Shape::List(List::along("audit_entries_by_act").equal(1).range(Range::From));
    LAST_OF_ACT = "audit_entries.last_of_act":
        Shape::List(List::along("audit_entries_by_act").equal(1).range(Range::UpTo).descending());
    NEXT_OF_ACTOR = "audit_entries.next_of_actor":
        Shape::List(List::along("audit_entries_by_actor").equal(1).range(Range::From));
    LAST_OF_ACTOR = "audit_entries.last_of_actor":
        Shape::List(List::along("audit_entries_by_actor").equal(1).range(Range::UpTo).descending());
    NEXT_OF_SUBJECT = "audit_entries.next_of_subject":
        Shape::List(List::along("audit_entries_by_subject").equal(1).range(Range::From));
    LAST_OF_SUBJECT = "audit_entries.last_of_subject":
        Shape::List(List::along("audit_entries_by_subject").equal(1).range(Range::UpTo).descending());
}

impl AuditEntries<'_> {
    /// Appends entries.
    ///
    /// # Errors
    /// `Duplicate(Key("audit_entries"))` when a position is taken.
    pub async fn append_many(&mut self, rows: &[AuditRow]) -> Result<(), StoreError> {
        self.0.write_many(&APPEND, rows.iter().map(appended).collect()).await
    }

    /// Removes entries by their positions.
    pub async fn remove_many(&mut self, positions: &[i64]) -> Result<(), StoreError> {
        self.0.write_many(&REMOVE, positions.iter().map(|position| vec![(*position).into()]).collect()).await
    }

    /// The entry at a position.
    pub async fn find(&mut self, position: i64) -> Result<Option<AuditRow>, StoreError> {
        self.0.one(&BY_POSITION, &[position.into()], row).await
    }

    /// The entry of a fact.
    pub async fn of_fact(&mut self, id: EventId) -> Result<Option<AuditRow>, StoreError> {
        self.0.one(&BY_ID, &[id.into(), 1_i64.into()], row).await
    }

    /// Up to `limit` entries from a position on, in order.
    pub async fn from(
        &mut self,
        order: AuditOrder<'_>,
        position: i64,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.along(order, [&NEXT, &NEXT_OF_ACT, &NEXT_OF_ACTOR, &NEXT_OF_SUBJECT], position, limit).await
    }

    /// Up to `limit` entries up to a position, the last one first.
    pub async fn up_to(
        &mut self,
        order: AuditOrder<'_>,
        position: i64,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.along(order, [&LAST, &LAST_OF_ACT, &LAST_OF_ACTOR, &LAST_OF_SUBJECT], position, limit).await
    }

    async fn along(
        &mut self,
        order: AuditOrder<'_>,
        [whole, of_act, of_actor, of_subject]: [&'static crate::Statement; 4],
        position: i64,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let (position, limit) = (position.into(), i64::from(limit).into());
        let (statement, word) = match order {
            AuditOrder::Whole => return self.0.many(whole, &[position, limit], row).await,
            AuditOrder::Act(word) => (of_act, word),
            AuditOrder::Actor(word) => (of_actor, word),
            AuditOrder::Subject(word) => (of_subject, word),
        };
        self.0.many(statement, &[word.into(), position, limit], row).await
    }
}

fn row(row: &mut Row) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        position: row.i64(position!(AUDIT_ENTRIES.position))?,
        id: EventId(row.uuid(position!(AUDIT_ENTRIES.id))?),
        act: row.text(position!(AUDIT_ENTRIES.act))?,
        actor: row.text(position!(AUDIT_ENTRIES.actor))?,
        subject: row.text(position!(AUDIT_ENTRIES.subject))?,
        at: row.timestamp(position!(AUDIT_ENTRIES.occurred_at))?,
        entry: row.bytes(position!(AUDIT_ENTRIES.entry))?,
    })
}

/// The values of APPEND.
fn appended(row: &AuditRow) -> Vec<Value> {
    vec![
        row.position.into(),
        row.id.into(),
        row.act.as_str().into(),
        row.actor.as_str().into(),
        row.subject.as_str().into(),
        row.at.into(),
        row.entry.clone().into(),
    ]
}
