//! Any hash of a tree, from its edge and a few of its tiles: one read per level, whatever the size.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use super::{Edge, Hash, Tile, complete_root, root_over};

/// Hashes in a tile.
pub const WIDTH: usize = 16;
/// Levels of the tree in one of tiles.
const LEVELS: u32 = 4;

/// Some tiles of a tree, and its edge.
#[derive(Debug)]
pub struct Tiles<'e> {
    edge: &'e Edge,
    full: BTreeMap<(u8, u64), Vec<Hash>>,
}

/// Hashes that stand side by side in one tile, and have one hash over them.
struct Piece {
    level: u8,
    index: u64,
    hashes: Range<usize>,
}

/// The complete trees that `entries` are made of, the largest first.
fn pieces(entries: &Range<u64>) -> impl Iterator<Item = Piece> {
    let (mut start, mut left) = (entries.start, entries.end.saturating_sub(entries.start));
    std::iter::from_fn(move || {
        let height = left.checked_ilog2()?;
        let (level, width) = (height / LEVELS, 1_usize << (height % LEVELS));
        let first = start >> (LEVELS * level);
        let offset = usize::try_from(first % WIDTH as u64).unwrap_or(0);
        start += 1 << height;
        left -= 1 << height;
        let level = u8::try_from(level).unwrap_or(u8::MAX);
        Some(Piece { level, index: first / WIDTH as u64, hashes: offset..offset + width })
    })
}

/// Which full tiles the hashes over these ranges of entries take, in a tree of this edge.
#[must_use]
pub fn tiles_for(edge: &Edge, ranges: &[Range<u64>]) -> BTreeSet<(u8, u64)> {
    let is_full = |piece: &Piece| piece.index < edge.size() >> (LEVELS * (u32::from(piece.level) + 1)).min(63);
    ranges.iter().flat_map(pieces).filter(is_full).map(|piece| (piece.level, piece.index)).collect()
}

impl<'e> Tiles<'e> {
    /// These tiles behind this edge.
    #[must_use]
    pub fn new(edge: &'e Edge, full: impl IntoIterator<Item = Tile>) -> Self {
        Self { edge, full: full.into_iter().map(|tile| ((tile.level, tile.index), tile.hashes)).collect() }
    }

    /// The hash over a range of entries as proofs have them; nothing where a tile is missing or not whole.
    #[must_use]
    pub fn hash(&self, entries: &Range<u64>) -> Option<Hash> {
        let trees: Option<Vec<Hash>> = pieces(entries).map(|piece| self.piece(&piece)).collect();
        trees.map(|trees| root_over(&trees))
    }

    /// The edge that the tree had when it was smaller.
    #[must_use]
    pub fn edge_at(&self, size: u64) -> Option<Edge> {
        let mut levels = Vec::new();
        let mut count = size;
        while count > 0 {
            let level = u8::try_from(levels.len()).ok()?;
            let partial = usize::try_from(count % WIDTH as u64).ok()?;
            // Where none is left over, no tile is looked at: it may not have been asked for.
            let hashes = if partial == 0 { &[] } else { self.tile(level, count / WIDTH as u64)? };
            levels.push(hashes.get(..partial)?.to_vec());
            count /= WIDTH as u64;
        }
        Some(Edge::of(size, levels))
    }

    fn piece(&self, piece: &Piece) -> Option<Hash> {
        self.tile(piece.level, piece.index)?.get(piece.hashes.clone()).map(complete_root)
    }

    /// A tile, as far as it is filled; an empty one is right behind the last.
    fn tile(&self, level: u8, index: u64) -> Option<&[Hash]> {
        if index == self.edge.size() >> (LEVELS * (u32::from(level) + 1)).min(63) {
            return Some(self.edge.level(level));
        }
        self.full.get(&(level, index)).map(Vec::as_slice)
    }
}
