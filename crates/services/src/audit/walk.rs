//! The walk along the log: every entry against its hash in the tree, the tree against itself, and both against
//! checkpoints. It stops at the first thing that is not as it was.

use std::collections::BTreeMap;

use serde::Serialize;
use userd_crypto::transparency::{Edge, Hash, WIDTH};
use userd_storage::{
    Failure, StoreError, UnitOfWork,
    repositories::audit_entries::{AuditOrder, AuditRow},
};

use super::{append::Head, entry, tree};
use crate::user_reader::internal;

/// Tiles read at once …
const TILES: u32 = 64;
/// … and their entries.
const ENTRIES: u32 = TILES * 16;
/// How high a tree of 2^63 entries is, in tiles.
const HIGHEST: u8 = 16;

/// What is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The first entry that it concerns.
    pub position: u64,
    /// What is wrong there.
    pub what: String,
}

/// The log went on under another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Opening {
    /// The entry that says so.
    pub position: i64,
    /// The name from then on.
    pub origin: String,
    /// The name before.
    pub previous: String,
    /// How many entries there were.
    pub size: u64,
    /// Names of logs that this one never was: of the database whose place the backup took.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<String>,
}

/// Why a walk ended early.
pub(super) enum Stop {
    Fault(Fault),
    Failure(Failure),
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(failure: E) -> Self {
        Self::Failure(failure.into())
    }
}

pub(super) fn fault<T>(position: u64, what: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Fault(Fault { position, what: what.into() }))
}

/// Roots that the log must have had, by its size, each with who says so.
pub(super) type Roots = BTreeMap<u64, Vec<(Hash, &'static str)>>;

/// A walk under way.
pub(super) struct Walk<'w> {
    pub(super) unit: UnitOfWork,
    pub(super) head: &'w Head,
    /// What was rebuilt so far.
    pub(super) edge: Edge,
    pub(super) roots: &'w Roots,
    /// The last size at which a root was as it must be.
    good: u64,
    /// The first entry that is there.
    first: u64,
    pub(super) entries: u64,
    pub(super) checkpoints: u64,
    progress: &'w (dyn Fn(u64) + Send + Sync),
}

impl<'w> Walk<'w> {
    /// From a multiple of sixteen on.
    pub(super) async fn begin(
        mut unit: UnitOfWork,
        head: &'w Head,
        start: u64,
        roots: &'w Roots,
        progress: &'w (dyn Fn(u64) + Send + Sync),
    ) -> Result<Self, Stop> {
        let whole = 0..start;
        let tiles = tree::tiles(&mut unit, &head.edge, std::slice::from_ref(&whole)).await?;
        let Some(edge) = tiles.edge_at(start) else { return fault(start, "the tree over what is before is damaged") };
        let first = first_entry(&mut unit).await?.unwrap_or_else(|| head.edge.size());
        Ok(Self { unit, head, edge, roots, good: 0, first, entries: 0, checkpoints: 0, progress })
    }

    /// The roots of sizes before the start, from the tree as it is kept.
    pub(super) async fn check_earlier_roots(&mut self) -> Result<(), Stop> {
        for size in self.roots.range(..=self.edge.size()).map(|(size, _)| *size).collect::<Vec<_>>() {
            let root = match size {
                0 => Edge::default().root(),
                size => {
                    let whole = 0..size;
                    let tiles = tree::tiles(&mut self.unit, &self.head.edge, std::slice::from_ref(&whole)).await?;
                    match tiles.hash(&whole) {
                        Some(root) => root,
                        None => return fault(self.good, "a tile of the tree is missing"),
                    }
                }
            };
            self.must_have_root(size, &root)?;
        }
        Ok(())
    }

    /// To the end of the log.
    pub(super) async fn run(&mut self) -> Result<(), Stop> {
        let full = self.head.edge.size() / WIDTH as u64;
        let mut next = self.edge.size() / WIDTH as u64;
        while next < full {
            let rows = self.unit.audit_tiles().from(0, number(next)?, TILES).await?;
            let mut entries = self.window(next * WIDTH as u64).await?.into_iter().peekable();
            let before = next;
            for row in rows.iter().take_while(|row| number(full).is_ok_and(|full| row.number < full)) {
                let Some(tile) = tree::tile(row).filter(|tile| tile.index == next) else { break };
                for leaf in tile.hashes {
                    self.step(leaf, &mut entries).await?;
                }
                next += 1;
            }
            if next < full && next - before < TILES.into() {
                return fault(next * WIDTH as u64, "the tile with the hashes of these entries is missing or damaged");
            }
            (self.progress)(self.edge.size());
        }
        let mut entries = self.window(next * WIDTH as u64).await?.into_iter().peekable();
        for leaf in self.head.edge.level(0).to_vec() {
            self.step(leaf, &mut entries).await?;
        }
        (self.progress)(self.edge.size());
        self.must_end_here()
    }

    /// The next entry, whose hash the tree says.
    async fn step(
        &mut self,
        leaf: Hash,
        entries: &mut std::iter::Peekable<std::vec::IntoIter<AuditRow>>,
    ) -> Result<(), Stop> {
        let position = self.edge.size();
        while entries.next_if(|row| u64::try_from(row.position).is_ok_and(|at| at < position)).is_some() {}
        match entries.next_if(|row| u64::try_from(row.position) == Ok(position)) {
            Some(row) if !entry::is_whole(&row) => {
                return fault(position, "the columns of the entry do not say what is in it");
            }
            Some(row) if entry::hash(&row) != leaf => return fault(position, "the entry was changed"),
            Some(_) => self.entries += 1,
            None if position < self.first => {}
            None => {
                // Perhaps it was pruned in the meantime.
                self.first = first_entry(&mut self.unit).await?.unwrap_or_else(|| self.head.edge.size());
                if position >= self.first {
                    return fault(position, "the entry is missing");
                }
            }
        }
        for tile in self.edge.append(leaf).into_iter().filter(|tile| tile.level > 0) {
            let kept = self.unit.audit_tiles().find(tile.level.into(), number(tile.index)?).await?;
            let kept = kept.as_ref().and_then(tree::tile).map(|kept| kept.hashes).unwrap_or_default();
            let differs = tile.hashes.iter().zip(&kept).position(|(made, kept)| made != kept);
            if kept.len() != tile.hashes.len() || differs.is_some() {
                let hash = tile.index * WIDTH as u64 + differs.unwrap_or(0) as u64;
                return fault(hash << (4 * u32::from(tile.level)), "the tree above these entries is not over them");
            }
        }
        let size = self.edge.size();
        if self.roots.contains_key(&size) {
            self.must_have_root(size, &self.edge.root())?;
        }
        Ok(())
    }

    fn must_have_root(&mut self, size: u64, root: &Hash) -> Result<(), Stop> {
        for (expected, who) in self.roots.get(&size).into_iter().flatten() {
            if expected != root {
                let what = format!("entries from here up to {size} are not those of {who} of {size} entries");
                return fault(self.good, what);
            }
            self.checkpoints += 1;
        }
        self.good = size;
        Ok(())
    }

    /// The end of the log as it is kept is that of what was walked.
    fn must_end_here(&self) -> Result<(), Stop> {
        if self.edge == self.head.edge {
            return Ok(());
        }
        for level in 0..HIGHEST {
            let (made, kept) = (self.edge.level(level), self.head.edge.level(level));
            if let Some(differs) = made.iter().zip(kept).position(|(made, kept)| made != kept) {
                let height = 4 * u32::from(level);
                let hash = (self.edge.size() >> (height + 4)) * WIDTH as u64 + differs as u64;
                return fault(hash << height, "the end of the tree is not over these entries");
            }
        }
        fault(self.edge.size(), "the end of the log is damaged")
    }

    /// Entries from a position on; where one of them cannot even be read, that one is named.
    async fn window(&mut self, position: u64) -> Result<Vec<AuditRow>, Stop> {
        let from = number(position)?;
        match self.unit.audit_entries().from(AuditOrder::Whole, from, ENTRIES).await {
            Ok(rows) => Ok(rows),
            Err(StoreError::Corrupt(_)) => {
                for at in from..from.saturating_add(ENTRIES.into()) {
                    if let Err(StoreError::Corrupt(_)) = self.unit.audit_entries().find(at).await {
                        return fault(at.try_into().unwrap_or(0), "the entry cannot be read");
                    }
                }
                fault(position, "an entry behind this one cannot be read")
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Nothing stands behind the end, where `size` is the size of the log now.
    pub(super) async fn must_be_all(&mut self, size: u64) -> Result<(), Stop> {
        if let Some(row) = self.unit.audit_entries().from(AuditOrder::Whole, number(size)?, 1).await?.first() {
            return fault(row.position.try_into().unwrap_or(size), "an entry stands behind the end of the log");
        }
        if let Some(row) = self.unit.audit_entries().up_to(AuditOrder::Whole, -1, 1).await?.first() {
            return fault(0, format!("an entry stands before the beginning of the log, at {}", row.position));
        }
        for level in 0..HIGHEST {
            let height = 4 * (u32::from(level) + 1);
            let behind = size.checked_shr(height).unwrap_or(0);
            if !self.unit.audit_tiles().from(level.into(), number(behind)?, 1).await?.is_empty() {
                let position = behind.checked_shl(height).unwrap_or(size);
                return fault(position, "a tile stands behind the end of the tree");
            }
        }
        Ok(())
    }
}

/// One that cannot even be read is the walk's to name: until then nothing is taken for pruned.
async fn first_entry(unit: &mut UnitOfWork) -> Result<Option<u64>, Stop> {
    match unit.audit_entries().from(AuditOrder::Whole, 0, 1).await {
        Ok(first) => Ok(first.first().and_then(|row| u64::try_from(row.position).ok())),
        Err(StoreError::Corrupt(_)) => Ok(Some(0)),
        Err(other) => Err(other.into()),
    }
}

pub(super) fn number(count: u64) -> Result<i64, Stop> {
    i64::try_from(count).map_err(|error| Stop::Failure(internal(error)))
}
