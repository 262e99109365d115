//! Hashes of the tree, from the tiles that are kept.

use std::ops::Range;

use userd_crypto::transparency::{Edge, Hash, Tile, Tiles, WIDTH, tiles_for};
use userd_storage::{Failure, UnitOfWork, repositories::audit_tiles::AuditTileRow};

use crate::user_reader::internal;

/// A tile as it is kept; nothing for a row that is not whole.
pub(super) fn tile(row: &AuditTileRow) -> Option<Tile> {
    let (hashes, rest) = row.hashes.as_chunks::<32>();
    let is_whole = rest.is_empty() && hashes.len() == WIDTH;
    let (level, index) = (u8::try_from(row.level).ok()?, u64::try_from(row.number).ok()?);
    is_whole.then(|| Tile { level, index, hashes: hashes.to_vec() })
}

/// The tiles that the hashes over these ranges take.
pub(super) async fn tiles<'e>(
    unit: &mut UnitOfWork,
    edge: &'e Edge,
    ranges: &[Range<u64>],
) -> Result<Tiles<'e>, Failure> {
    let mut found = Vec::new();
    for (level, index) in tiles_for(edge, ranges) {
        let row = unit.audit_tiles().find(level.into(), i64::try_from(index).map_err(internal)?).await?;
        found.extend(row.as_ref().and_then(tile));
    }
    Ok(Tiles::new(edge, found))
}

/// The hashes over these ranges.
///
/// # Errors
/// `Internal` where the tree is damaged.
pub(super) async fn hashes(unit: &mut UnitOfWork, edge: &Edge, ranges: &[Range<u64>]) -> Result<Vec<Hash>, Failure> {
    let tiles = tiles(unit, edge, ranges).await?;
    let hashes: Option<Vec<Hash>> = ranges.iter().map(|range| tiles.hash(range)).collect();
    hashes.ok_or_else(|| internal("a tile of the audit log is missing; `userd audit verify` says which"))
}
