//! Appending to the audit log: entries, the tiles of the tree that are full by them, and where the log ends, all in the
//! unit of work that passes the facts on. Two replicas that append at once meet at the end of the log, and one does it again.

use userd_crypto::transparency::{Edge, Tile};
use userd_model::Fact;
use userd_storage::{
    Failure,
    repositories::{audit_entries::AuditRow, audit_heads::AuditHeadRow, audit_tiles::AuditTileRow},
};

use super::entry;
use crate::{Dependencies, change::Change, user_reader::internal};

/// Appends to the audit log.
#[derive(Clone)]
pub struct AuditLog {
    deps: Dependencies,
}

/// The end of the log: its name, and the edge of its tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) origin: String,
    pub(super) edge: Edge,
}

/// What is to be written.
pub(crate) struct Appended {
    entries: Vec<AuditRow>,
    tiles: Vec<AuditTileRow>,
    head: AuditHeadRow,
}

impl AuditLog {
    pub(crate) const fn new(deps: Dependencies) -> Self {
        Self { deps }
    }

    /// Reads the end of the log, and says what these facts add to it. Nothing where none of them is audited.
    pub(crate) async fn prepare(&self, change: &mut Change<'_>, facts: &[Fact]) -> Result<Option<Appended>, Failure> {
        let facts: Vec<&Fact> = facts.iter().filter(|fact| entry::is_audited(&fact.kind)).collect();
        if facts.is_empty() {
            return Ok(None);
        }
        let mut head = match change.audit_heads().find().await? {
            Some(row) => Head::of(row)?,
            None => Head { origin: self.name(change.id()), edge: Edge::default() },
        };
        let (mut entries, mut tiles) = (Vec::with_capacity(facts.len()), Vec::new());
        for fact in facts {
            let row = entry::row(fact, head.edge.size())?;
            for tile in head.edge.append(entry::hash(&row)) {
                tiles.push(tile_row(&tile)?);
            }
            entries.push(row);
        }
        Ok(Some(Appended { entries, tiles, head: head.row() }))
    }

    /// The name of a new log: what checkpoints begin with.
    pub(super) fn name(&self, id: uuid::Uuid) -> String {
        let id = id.simple().to_string();
        format!("{}/audit/{}", self.deps.settings.site(), id.get(..8).unwrap_or(&id))
    }
}

impl Appended {
    pub(crate) async fn write(self, change: &mut Change<'_>) -> Result<(), Failure> {
        metrics::counter!("userd_audit_entries_total").increment(self.entries.len() as u64);
        change.audit_entries().append_many(&self.entries).await?;
        change.audit_tiles().append_many(&self.tiles).await?;
        Ok(change.audit_heads().write(&self.head).await?)
    }
}

impl Head {
    pub(super) fn of(row: AuditHeadRow) -> Result<Self, Failure> {
        let edge = Edge::from_bytes(&row.edge).ok_or_else(|| internal("the end of the audit log is damaged"))?;
        Ok(Self { origin: row.origin, edge })
    }

    pub(super) fn row(self) -> AuditHeadRow {
        AuditHeadRow { edge: self.edge.to_bytes(), origin: self.origin }
    }
}

fn tile_row(tile: &Tile) -> Result<AuditTileRow, Failure> {
    let number = i64::try_from(tile.index).map_err(internal)?;
    Ok(AuditTileRow { level: tile.level.into(), number, hashes: tile.hashes.concat() })
}
