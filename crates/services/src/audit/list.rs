//! Entries for reading: filtered along indexes, with what is personal opened where its key still exists.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::Value;
use userd_model::{Act, Refusal, Timestamp, UserId};
use userd_storage::{
    Failure,
    repositories::audit_entries::{AuditOrder, AuditRow},
};
use uuid::Uuid;

use super::{Audit, entry};
use crate::{
    Context,
    fact_drafts::{FactOpener, FactOrigin, OpenedFact},
};

/// Rows read at once.
const BATCH: u32 = 200;
/// Rows that one page looks at: one index leads, the other filters are asked of each row.
const LOOKED_AT: usize = 2_000;

/// Which entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// The id of who acted, or `operator`, `system`, `anonymous`.
    pub actor: Option<String>,
    /// The id of whatever it was done to.
    pub subject: Option<String>,
    /// The kind of fact.
    pub act: Option<String>,
    /// The oldest first.
    pub oldest_first: bool,
}

impl AuditFilter {
    /// Not every database takes every character.
    fn check(&self) -> Result<(), Refusal> {
        let words = [&self.actor, &self.subject, &self.act];
        if words.into_iter().flatten().any(|word| word.contains(char::is_control)) {
            return Err(Refusal::Malformed("a filter holds a control character"));
        }
        Ok(())
    }
}

/// Who acted, or to what it was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields of the contract's audit event")]
pub struct AuditParty {
    pub kind: String,
    pub id: Option<String>,
}

/// An entry as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields of the contract's audit event, documented there")]
pub struct AuditView {
    pub id: Uuid,
    pub position: i64,
    pub at: Timestamp,
    pub actor: AuditParty,
    pub act: String,
    pub subject: AuditParty,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub data: Value,
    pub origin: Option<FactOrigin>,
    pub request_id: Option<String>,
    pub hash: String,
}

/// A page of entries.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditPage {
    /// In the order that was asked for.
    pub items: Vec<AuditView>,
    /// Where to go on: the last position that was looked at. None at the end; with the oldest first never, so that
    /// whoever follows the log goes on from there.
    pub next: Option<i64>,
    /// Whether there may be more now.
    pub has_more: bool,
}

impl Audit {
    /// Up to `limit` entries behind the position `after`.
    ///
    /// # Errors
    /// `Forbidden`; storage faults.
    pub async fn list(
        &self,
        ctx: &Context,
        filter: &AuditFilter,
        after: Option<i64>,
        limit: usize,
    ) -> Result<AuditPage, Failure> {
        ctx.may(&Act::ReadAudit)?;
        filter.check()?;
        let (rows, next, has_more) = self.rows(filter, after, limit).await?;
        let (mut opener, mut items) = (FactOpener::new(&self.deps), Vec::with_capacity(rows.len()));
        for row in &rows {
            items.push(view(row, &mut opener).await?);
        }
        Ok(AuditPage { items, next, has_more })
    }

    /// Entries of what was done to a user, the newest first.
    ///
    /// # Errors
    /// `Forbidden`; storage faults.
    pub async fn of_user(
        &self,
        ctx: &Context,
        user: UserId,
        after: Option<i64>,
        limit: usize,
    ) -> Result<AuditPage, Failure> {
        let filter = AuditFilter { subject: Some(user.to_string()), ..AuditFilter::default() };
        self.list(ctx, &filter, after, limit).await
    }

    /// Rows, where to go on, and whether there may be more now.
    pub(super) async fn rows(
        &self,
        filter: &AuditFilter,
        after: Option<i64>,
        limit: usize,
    ) -> Result<(Vec<AuditRow>, Option<i64>, bool), Failure> {
        let order = filter.order();
        let (mut rows, mut looked_at, mut last) = (Vec::new(), 0, after);
        loop {
            let mut reading = self.deps.store.reading();
            let batch = if filter.oldest_first {
                reading.audit_entries().from(order, last.map_or(0, |last| last.saturating_add(1)), BATCH).await?
            } else {
                let from = last.map_or(i64::MAX, |last| last.saturating_sub(1));
                reading.audit_entries().up_to(order, from, BATCH).await?
            };
            let is_end = batch.len() < BATCH as usize;
            for row in batch {
                let is_wanted = filter.admits(&row);
                if is_wanted && rows.len() >= limit {
                    return Ok((rows, last, true));
                }
                looked_at += 1;
                last = Some(row.position);
                if is_wanted {
                    rows.push(row);
                }
            }
            if is_end {
                let next = if filter.oldest_first { last.or(Some(-1)) } else { None };
                return Ok((rows, next, false));
            }
            if looked_at >= LOOKED_AT {
                return Ok((rows, last, true));
            }
        }
    }
}

impl AuditFilter {
    /// The index that leads: the one that is likely to have the fewest rows.
    fn order(&self) -> AuditOrder<'_> {
        match (&self.subject, &self.actor, &self.act) {
            (Some(subject), ..) => AuditOrder::Subject(subject),
            (None, Some(actor), _) => AuditOrder::Actor(actor),
            (None, None, Some(act)) => AuditOrder::Act(act),
            (None, None, None) => AuditOrder::Whole,
        }
    }

    fn admits(&self, row: &AuditRow) -> bool {
        let fits = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted == is);
        fits(&self.actor, &row.actor) && fits(&self.subject, &row.subject) && fits(&self.act, &row.act)
    }
}

/// An entry with what can be opened of it. One that was damaged is shown as far as it can be read.
async fn view(row: &AuditRow, opener: &mut FactOpener<'_>) -> Result<AuditView, Failure> {
    let fact = entry::fact(&row.entry).ok();
    let opened = match &fact {
        None => OpenedFact::default(),
        Some(fact) => match opener.open(fact).await {
            Err(Failure::Internal(_)) => OpenedFact::default(),
            other => other?,
        },
    };
    let mut data = fact.as_ref().map_or(Value::Null, |fact| fact.data.clone());
    let (before, after) = both(&mut data, opened.personal);
    let id = |id: String| Some(id);
    Ok(AuditView {
        id: row.id.0,
        position: row.position,
        at: row.at,
        actor: fact.as_ref().map_or_else(
            || AuditParty { kind: "unknown".to_owned(), id: id(row.actor.clone()) },
            |fact| AuditParty { kind: fact.actor.kind.clone(), id: fact.actor.id.map(|id| id.to_string()) },
        ),
        act: row.act.clone(),
        subject: fact.as_ref().map_or_else(
            || AuditParty { kind: "unknown".to_owned(), id: id(row.subject.clone()) },
            |fact| AuditParty { kind: fact.subject.kind.clone(), id: id(fact.subject.id.clone()) },
        ),
        before,
        after,
        data,
        origin: opened.origin,
        request_id: fact.and_then(|fact| fact.request_id),
        hash: STANDARD.encode(entry::hash(row)),
    })
}

/// What was before and what is now: of a person as it was sealed, of anything else out of the data. Whatever else is
/// personal is what is now.
fn both(data: &mut Value, personal: Option<Value>) -> (Option<Value>, Option<Value>) {
    let mut open = |name: &str| {
        let members = data.as_object_mut().filter(|members| members.get(name).is_some_and(Value::is_object))?;
        members.remove(name)
    };
    match personal {
        Some(Value::Object(mut members)) if members.contains_key("before") || members.contains_key("after") => {
            (members.remove("before"), members.remove("after"))
        }
        personal => (open("before"), personal.or_else(|| open("after"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use userd_model::EventId;

    use super::*;

    fn filter(subject: Option<&str>, actor: Option<&str>, act: Option<&str>) -> AuditFilter {
        let [subject, actor, act] = [subject, actor, act].map(|word| word.map(str::to_owned));
        AuditFilter { actor, subject, act, oldest_first: false }
    }

    #[test]
    fn the_narrowest_index_leads_and_each_filter_is_asked_of_each_row() {
        let row = AuditRow {
            position: 0,
            id: EventId::from_random([1; 16]),
            act: "user.blocked".to_owned(),
            actor: "operator".to_owned(),
            subject: "ada".to_owned(),
            at: Timestamp::from_seconds(1_800_000_000),
            entry: Vec::new(),
        };
        let (ada, operator, blocked) = (Some("ada"), Some("operator"), Some("user.blocked"));
        for (filter, order) in [
            (filter(None, None, None), AuditOrder::Whole),
            (filter(None, None, blocked), AuditOrder::Act("user.blocked")),
            (filter(None, operator, blocked), AuditOrder::Actor("operator")),
            (filter(ada, operator, blocked), AuditOrder::Subject("ada")),
            (filter(ada, None, None), AuditOrder::Subject("ada")),
        ] {
            assert_eq!(filter.order(), order);
            assert!(filter.admits(&row), "{filter:?}");
        }
        let other = Some("other");
        for filter in [filter(other, operator, blocked), filter(ada, other, blocked), filter(ada, operator, other)] {
            assert!(!filter.admits(&row), "{filter:?}");
        }
        let odd = Some("a\0");
        for filter in [filter(odd, None, None), filter(None, odd, None), filter(ada, operator, odd)] {
            assert!(matches!(filter.check(), Err(Refusal::Malformed(_))), "{filter:?}");
        }
        assert!(filter(ada, operator, blocked).check().is_ok());
    }

    /// Of a person it is sealed; of a role it stands in the data, and is taken out of there.
    #[test]
    fn what_was_before_and_what_is_now_comes_from_where_it_is() {
        let (one, two) = (json!({ "name": "one" }), json!({ "name": "two" }));
        let of_role = json!({ "before": one, "after": two, "role": "editor" });
        let rest = json!({ "role": "editor" });
        let words = json!({ "before": "a word", "after": 2 });
        for (data, personal, before, after, left) in [
            (of_role.clone(), None, Some(&one), Some(&two), &rest),
            (of_role.clone(), Some(json!({ "before": two })), Some(&two), None, &of_role),
            (of_role.clone(), Some(json!({ "after": one })), None, Some(&one), &of_role),
            (rest.clone(), Some(json!({ "before": one, "after": two })), Some(&one), Some(&two), &rest),
            (rest.clone(), Some(one.clone()), None, Some(&one), &rest),
            (words.clone(), None, None, None, &words),
            (Value::Null, None, None, None, &Value::Null),
        ] {
            let mut given = data.clone();
            let (was, is) = both(&mut given, personal.clone());
            assert_eq!((was.as_ref(), is.as_ref()), (before, after), "{data} {personal:?}");
            assert_eq!(&given, left, "{data} {personal:?}");
        }
    }
}
