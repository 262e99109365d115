//! What the log says of one user, for the export of everything that is held about them: what was done to them, opened as far
//! as it is theirs, and what they did, with where they were. Of others nothing but that they took part.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use userd_model::{Fact, Timestamp, UserId};
use userd_storage::Failure;

use super::{Audit, AuditFilter, entry};
use crate::fact_drafts::{FactOpener, FactOrigin};

/// Rows read at once.
const PAGE: usize = 200;

/// Something that happened, as the user it concerns has a right to see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields of the contract's audit event")]
pub struct Happened {
    pub id: String,
    pub at: Timestamp,
    pub act: String,
    /// Whether the user did it; the kind of whoever did it otherwise.
    pub by: String,
    /// What it was done to, where that is not the user: its kind.
    pub to: Option<String>,
    /// What was before and what is now, and whatever else was sealed for the user.
    pub personal: Option<Value>,
    pub data: Option<Value>,
    /// From where the user acted.
    pub origin: Option<FactOrigin>,
}

impl Audit {
    /// Everything, the oldest first. May be asked by whoever may have the export.
    pub(crate) async fn everything_of(&self, user: UserId) -> Result<Vec<Happened>, Failure> {
        let named = || Some(user.to_string());
        let to_them = AuditFilter { subject: named(), oldest_first: true, ..AuditFilter::default() };
        let by_them = AuditFilter { actor: named(), oldest_first: true, ..AuditFilter::default() };
        let mut entries = BTreeMap::new();
        for filter in [to_them, by_them] {
            let mut after = None;
            loop {
                let (rows, last, _) = self.rows(&filter, after, PAGE).await?;
                let is_last = rows.len() < PAGE;
                entries.extend(rows.into_iter().map(|row| (row.position, row.entry)));
                if is_last {
                    break;
                }
                after = last;
            }
        }
        let (mut opener, mut all) = (FactOpener::new(&self.deps), Vec::with_capacity(entries.len()));
        for entry in entries.into_values() {
            all.push(happened(entry::fact(&entry)?, user, &mut opener).await?);
        }
        Ok(all)
    }
}

/// What is sealed for somebody else stays shut, and so does what was done to somebody else.
async fn happened(mut fact: Fact, user: UserId, opener: &mut FactOpener<'_>) -> Result<Happened, Failure> {
    let is_theirs = fact.subject.user_id() == Some(user);
    if !is_theirs {
        fact.personal = None;
    }
    if fact.origin_keeper() != Some(user) {
        fact.origin = None;
    }
    let opened = opener.open(&fact).await?;
    let by = if fact.actor.user_id() == Some(user) { "yourself".to_owned() } else { fact.actor.kind };
    Ok(Happened {
        id: fact.id.to_string(),
        at: fact.at,
        act: fact.kind,
        by,
        to: (!is_theirs).then_some(fact.subject.kind),
        personal: opened.personal,
        data: is_theirs.then_some(fact.data),
        origin: opened.origin,
    })
}
