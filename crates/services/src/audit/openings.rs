//! Where the log went on under another name, because a backup was restored. Checkpoints of what came after that backup are
//! of logs that were left behind: they contradict nothing, and are counted.

use userd_crypto::transparency::Checkpoint;
use userd_model::EventKind;
use userd_storage::{
    Failure, Store, StoreError, UnitOfWork,
    repositories::audit_entries::{AuditOrder, AuditRow},
};

use super::{entry, prune, walk::Opening};

/// Openings that are looked at.
const OPENINGS: u32 = 1_000;

/// Every name that the log in this database has borne, and those that it knows of logs that were left behind: what the log
/// in a backup is told that takes the database's place.
///
/// # Errors
/// Storage faults.
pub async fn names(store: &Store) -> Result<Vec<String>, Failure> {
    let mut unit = store.reading();
    let Some(head) = unit.audit_heads().find().await? else { return Ok(Vec::new()) };
    let mut openings = told(&mut unit).await?;
    openings.extend(waiting(&mut unit, &head.origin, 0).await?);
    let mut names = vec![head.origin];
    for Opening { origin, previous, replaced, .. } in openings {
        names.extend([origin, previous]);
        names.extend(replaced);
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Those that are in the log.
pub(super) async fn told(unit: &mut UnitOfWork) -> Result<Vec<Opening>, StoreError> {
    let act = AuditOrder::Act(EventKind::AuditLogOpened.as_str());
    // What cannot be read is named by the walk.
    let rows = match unit.audit_entries().from(act, 0, OPENINGS).await {
        Err(StoreError::Corrupt(_)) => Vec::new(),
        other => other?,
    };
    let of_row = |row: &AuditRow| opening(row.position, &entry::fact(&row.entry).ok()?.data);
    Ok(rows.iter().filter_map(of_row).collect())
}

/// The one to this name that is still to be passed on, to this position or a later one: a log is verified after a restore
/// also before the service has run.
pub(super) async fn waiting(unit: &mut UnitOfWork, name: &str, position: i64) -> Result<Option<Opening>, Failure> {
    let data = prune::waiting(unit, EventKind::AuditLogOpened, name).await?;
    Ok(data.and_then(|data| opening(position, &data)))
}

fn opening(position: i64, data: &serde_json::Value) -> Option<Opening> {
    let text = |name: &str| data.get(name)?.as_str().map(str::to_owned);
    let size = data.get("size")?.as_u64()?;
    let replaced = data.get("replaced").and_then(serde_json::Value::as_array).into_iter().flatten();
    let replaced = replaced.filter_map(|name| name.as_str().map(str::to_owned)).collect();
    Some(Opening { position, origin: text("origin")?, previous: text("previous")?, size, replaced })
}

/// Whether a backup was restored from before this checkpoint: then it is of a log that was left behind.
pub(super) fn is_cut_off(checkpoint: &Checkpoint, openings: &[Opening]) -> bool {
    openings.iter().any(|opening| {
        (opening.previous == checkpoint.origin && opening.size < checkpoint.size)
            || opening.replaced.contains(&checkpoint.origin)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn opened() -> serde_json::Value {
        json!({ "origin": "b", "previous": "a", "size": 40, "replaced": ["x", "y"] })
    }

    #[test]
    fn an_opening_is_read_from_what_was_told_or_not_at_all() {
        let replaced = vec!["x".to_owned(), "y".to_owned()];
        let whole = Opening { position: 41, origin: "b".to_owned(), previous: "a".to_owned(), size: 40, replaced };
        assert_eq!(opening(41, &opened()), Some(whole.clone()));
        let mut alone = opened();
        alone.as_object_mut().expect("members").remove("replaced");
        assert_eq!(opening(41, &alone), Some(Opening { replaced: Vec::new(), ..whole }));
        for name in ["origin", "previous", "size"] {
            let mut without = opened();
            without.as_object_mut().expect("members").remove(name);
            assert_eq!(opening(41, &without), None, "{name}");
        }
    }

    /// What the backup holds is still the log's own: only what was signed after it was left behind.
    #[test]
    fn a_checkpoint_is_cut_off_where_it_was_signed_after_the_backup_or_by_what_it_replaced() {
        let openings = [opening(41, &opened()).expect("an opening")];
        for (origin, size, expected) in
            [("a", 40, false), ("a", 41, true), ("b", 41, false), ("x", 1, true), ("y", 99, true), ("z", 99, false)]
        {
            let checkpoint = Checkpoint { origin: origin.to_owned(), size, root: [0; 32] };
            assert_eq!(is_cut_off(&checkpoint, &openings), expected, "{origin} {size}");
            assert!(!is_cut_off(&checkpoint, &[]), "{origin} {size}");
        }
    }
}
