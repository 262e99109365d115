//! The outbox: facts written in the unit of work that made them true, removed once they have been passed on or a week
//! has passed. Split into shards by subject, each worked off by whoever holds its lease.

use userd_model::{EventId, Fact, FactActor, Sealed, Subject, Timestamp, UserId};

use super::fact_numbers::owner;
use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{List, OUTBOX_SHARDS, Range, Shape, position, statements_of},
};

/// The outbox.
pub struct Outbox<'a>(pub(super) &'a mut UnitOfWork);

/// How many shards there are: 0 to 15. Changing it needs an empty outbox, and tells the subjects' order from then on.
pub const SHARDS: i64 = OUTBOX_SHARDS;

/// The shard of a subject: all its facts are in one. FNV-1a, which is the same in every release.
#[must_use]
pub fn shard_of(subject: &Subject) -> i64 {
    let bytes = subject.kind.bytes().chain([0]).chain(subject.id.bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    // Its low bits alone hear only of the low bits of the bytes.
    i64::try_from((hash ^ (hash >> 32)) & 0xffff_ffff).unwrap_or(0) % SHARDS
}

statements_of! { OUTBOX:
    PUSH = "outbox.insert": Shape::Insert;
    FIRST_PAGE = "outbox.first_page": Shape::List(List::by_key().equal(1));
    NEXT_PAGE = "outbox.next_page": Shape::List(List::by_key().equal(1).range(Range::Behind));
    REMOVE = "outbox.remove": Shape::Remove;
}

impl Outbox<'_> {
    /// Adds a fact to its shard.
    ///
    /// # Errors
    /// `Duplicate(Key("outbox"))` when the fact is there.
    pub async fn push(&mut self, fact: &Fact) -> Result<(), StoreError> {
        self.push_many(std::slice::from_ref(fact)).await
    }

    /// The same for many, in one round trip where the engine can.
    ///
    /// # Errors
    /// `Duplicate(Key("outbox"))` when a fact is there.
    pub async fn push_many(&mut self, facts: &[Fact]) -> Result<(), StoreError> {
        self.0.write_many(&PUSH, facts.iter().map(pushed).collect()).await
    }

    /// Up to `limit` facts of one shard by (time, id), behind `after`.
    pub async fn page(
        &mut self,
        shard: i64,
        after: Option<(Timestamp, EventId)>,
        limit: u32,
    ) -> Result<Vec<Fact>, StoreError> {
        let limit = i64::from(limit).into();
        match after {
            None => self.0.many(&FIRST_PAGE, &[shard.into(), limit], fact).await,
            Some((at, id)) => self.0.many(&NEXT_PAGE, &[shard.into(), at.into(), id.into(), limit], fact).await,
        }
    }

    /// Removes facts of a shard that have been passed on.
    pub async fn remove_many(&mut self, shard: i64, facts: &[Fact]) -> Result<(), StoreError> {
        let key = |fact: &Fact| vec![shard.into(), fact.at.into(), fact.id.into()];
        self.0.write_many(&REMOVE, facts.iter().map(key).collect()).await
    }
}

fn fact(row: &mut Row) -> Result<Fact, StoreError> {
    let owner = UserId(row.uuid(position!(OUTBOX.user_id))?);
    let kind = row.text_or_null(position!(OUTBOX.subject_kind))?;
    let id = row.text_or_null(position!(OUTBOX.subject_id))?;
    Ok(Fact {
        at: row.timestamp(position!(OUTBOX.created_at))?,
        id: EventId(row.uuid(position!(OUTBOX.id))?),
        kind: row.text(position!(OUTBOX.kind))?,
        public: row.bool_or_null(position!(OUTBOX.public))?.unwrap_or(true),
        subject: kind.zip(id).map_or_else(|| owner.into(), |(kind, id)| Subject { kind, id }),
        number: row.i64_or_null(position!(OUTBOX.number))?.unwrap_or(0),
        actor: match row.text_or_null(position!(OUTBOX.actor_kind))? {
            Some(kind) => FactActor { kind, id: row.uuid_or_null(position!(OUTBOX.actor_id))? },
            None => FactActor::unknown(),
        },
        request_id: row.text_or_null(position!(OUTBOX.request_id))?,
        origin: row.bytes_or_null(position!(OUTBOX.origin))?.map(Sealed),
        personal: row.bytes_or_null(position!(OUTBOX.personal))?.map(Sealed),
        data: row.json(position!(OUTBOX.data))?,
    })
}

/// The values of PUSH.
fn pushed(fact: &Fact) -> Vec<Value> {
    let sealed = |part: &Option<Sealed>| Value::from(part.as_ref().map(|sealed| sealed.0.clone()));
    vec![
        shard_of(&fact.subject).into(),
        fact.at.into(),
        fact.id.into(),
        fact.kind.as_str().into(),
        owner(&fact.subject),
        fact.data.clone().into(),
        fact.public.into(),
        fact.subject.kind.as_str().into(),
        fact.subject.id.as_str().into(),
        fact.number.into(),
        fact.actor.kind.as_str().into(),
        fact.actor.id.into(),
        fact.request_id.clone().into(),
        sealed(&fact.origin),
        sealed(&fact.personal),
    ]
}
