//! An entry of the audit log: a fact as bytes. They are what is hashed, so they are kept as they were written; what is
//! personal is in them sealed, and the key is elsewhere. Whoever is erased takes the key along and leaves the hash.

use serde::{Deserialize, Serialize};
use userd_crypto::transparency::leaf_hash;
use userd_model::{EventId, Fact, FactActor, Sealed, Subject, Timestamp};
use userd_storage::{Failure, repositories::audit_entries::AuditRow};
use uuid::Uuid;

use crate::user_reader::internal;

/// The kinds of facts that are no entries, each with the reason. All others are, also those of later releases.
pub const NOT_AUDITED: &[(&str, &str)] = &[
    ("audit.checkpoint", "tells of the log itself: an entry of it would make the next checkpoint"),
    ("identity.bot_access_changed", "a messenger tells whether it delivers; nobody may do more or less by it"),
];

/// Whether facts of this kind become entries.
#[must_use]
pub fn is_audited(kind: &str) -> bool {
    NOT_AUDITED.iter().all(|(other, _)| *other != kind)
}

const VERSION: u8 = 1;

/// How a fact is written. Members are only ever added.
#[derive(Serialize, Deserialize)]
struct Written<'e> {
    v: u8,
    id: EventId,
    at: Timestamp,
    act: std::borrow::Cow<'e, str>,
    actor: Named<Option<Uuid>>,
    subject: Named<String>,
    number: i64,
    request_id: Option<String>,
    origin: Option<Sealed>,
    personal: Option<Sealed>,
    data: serde_json::Value,
}

#[derive(Serialize, Deserialize)]
struct Named<Id> {
    kind: String,
    id: Id,
}

/// The entry of a fact at a position.
pub(super) fn row(fact: &Fact, position: u64) -> Result<AuditRow, Failure> {
    let written = Written {
        v: VERSION,
        id: fact.id,
        at: fact.at,
        act: fact.kind.as_str().into(),
        actor: Named { kind: fact.actor.kind.clone(), id: fact.actor.id },
        subject: Named { kind: fact.subject.kind.clone(), id: fact.subject.id.clone() },
        number: fact.number,
        request_id: fact.request_id.clone(),
        origin: fact.origin.clone(),
        personal: fact.personal.clone(),
        data: fact.data.clone(),
    };
    let entry = serde_json::to_vec(&written).map_err(internal)?;
    Ok(around(fact, i64::try_from(position).map_err(internal)?, entry))
}

/// The fact in an entry.
pub(super) fn fact(entry: &[u8]) -> Result<Fact, Failure> {
    let written: Written<'_> = serde_json::from_slice(entry).map_err(internal)?;
    Ok(Fact {
        id: written.id,
        kind: written.act.into_owned(),
        public: false,
        subject: Subject { kind: written.subject.kind, id: written.subject.id },
        number: written.number,
        actor: FactActor { kind: written.actor.kind, id: written.actor.id },
        request_id: written.request_id,
        origin: written.origin,
        personal: written.personal,
        at: written.at,
        data: written.data,
    })
}

/// Whether the columns of a row say what is in its entry.
pub(super) fn is_whole(row: &AuditRow) -> bool {
    fact(&row.entry).is_ok_and(|fact| around(&fact, row.position, row.entry.clone()) == *row)
}

fn around(fact: &Fact, position: i64, entry: Vec<u8>) -> AuditRow {
    AuditRow {
        position,
        id: fact.id,
        act: fact.kind.clone(),
        actor: fact.actor.id.map_or_else(|| fact.actor.kind.clone(), |id| id.to_string()),
        subject: fact.subject.id.clone(),
        at: fact.at,
        entry,
    }
}

pub(super) fn hash(row: &AuditRow) -> userd_crypto::transparency::Hash {
    leaf_hash(&row.entry)
}

#[cfg(test)]
mod tests {
    use userd_model::UserId;

    use super::*;

    fn written() -> Fact {
        Fact {
            id: EventId::from_random([3; 16]),
            kind: "user.username_changed".to_owned(),
            public: false,
            subject: UserId::from_random([1; 16]).into(),
            number: 7,
            actor: UserId::from_random([2; 16]).into(),
            request_id: Some("request-7".to_owned()),
            origin: Some(Sealed(vec![1])),
            personal: Some(Sealed(vec![2])),
            at: Timestamp::from_seconds(1_800_000_000),
            data: serde_json::json!({ "role": "editor" }),
        }
    }

    #[test]
    fn a_fact_is_the_same_in_its_entry() {
        let written = written();
        let row = row(&written, 5).expect("an entry");
        assert_eq!(fact(&row.entry).expect("a fact"), written);
        assert_eq!((row.position, &*row.actor), (5, &*UserId::from_random([2; 16]).to_string()));
        let nobody = super::row(&Fact { actor: FactActor::unknown(), ..written }, 6).expect("an entry");
        assert_eq!((nobody.position, &*nobody.actor), (6, "anonymous"));
    }

    /// The columns are what is looked for; the entry is what is hashed.
    #[test]
    fn a_row_whose_columns_say_something_else_than_its_entry_is_not_whole() {
        let row = row(&written(), 5).expect("an entry");
        assert!(is_whole(&row));
        assert!(is_whole(&AuditRow { position: 6, ..row.clone() }), "its place is what the tree says");
        for other in [
            AuditRow { id: EventId::from_random([4; 16]), ..row.clone() },
            AuditRow { act: "user.blocked".to_owned(), ..row.clone() },
            AuditRow { actor: "operator".to_owned(), ..row.clone() },
            AuditRow { subject: "nobody".to_owned(), ..row.clone() },
            AuditRow { at: row.at.plus(std::time::Duration::from_micros(1)), ..row.clone() },
            AuditRow { entry: b"{}".to_vec(), ..row.clone() },
        ] {
            assert!(!is_whole(&other), "{other:?}");
        }
    }

    #[test]
    fn what_is_no_entry_is_listed_and_everything_else_is_one() {
        let kinds = userd_model::EventKind::ALL.iter().map(|kind| kind.as_str());
        let left_out: Vec<_> = kinds.filter(|kind| !is_audited(kind)).collect();
        assert_eq!(left_out, ["identity.bot_access_changed", "audit.checkpoint"]);
        assert!(is_audited("user.of_a_later_release"));
    }
}
