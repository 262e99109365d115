//! The right edge of a tree: all that appending needs, however large the tree is. Sixteen hashes that stand side by side
//! are a tile; one that is full never changes again and leaves the edge.

use super::{Hash, complete_root, root_over, tiles::WIDTH};

/// A full tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// 0 of hashes of entries, 1 of hashes over sixteen of these …
    pub level: u8,
    /// Which one of its level.
    pub index: u64,
    /// Sixteen of them.
    pub hashes: Vec<Hash>,
}

/// The right edge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    /// Of each level the hashes that are in no full tile yet.
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// With these hashes in no full tile.
    pub(super) const fn of(size: u64, levels: Vec<Vec<Hash>>) -> Self {
        Self { size, levels }
    }

    /// How many entries the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of a level that are in no full tile.
    #[must_use]
    pub fn level(&self, level: u8) -> &[Hash] {
        self.levels.get(usize::from(level)).map_or(&[], Vec::as_slice)
    }

    /// Appends an entry by its hash. Answers the tiles that are full now, the lowest first.
    pub fn append(&mut self, leaf: Hash) -> Vec<Tile> {
        self.size += 1;
        let (mut full, mut hash) = (Vec::new(), leaf);
        for level in 0..=u8::MAX {
            if self.levels.len() <= usize::from(level) {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(usize::from(level)) else { break };
            hashes.push(hash);
            if hashes.len() < WIDTH {
                break;
            }
            let hashes = std::mem::take(hashes);
            hash = complete_root(&hashes);
            full.push(Tile { level, index: (self.size >> (4 * (u32::from(level) + 1))) - 1, hashes });
        }
        full
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut trees = Vec::new();
        for hashes in self.levels.iter().rev() {
            let mut rest = hashes.as_slice();
            for width in [8, 4, 2, 1] {
                if hashes.len() & width != 0 {
                    let (tree, behind) = rest.split_at(width.min(rest.len()));
                    trees.push(complete_root(tree));
                    rest = behind;
                }
            }
        }
        root_over(&trees)
    }

    /// As bytes, for keeping.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        self.levels.iter().flatten().for_each(|hash| bytes.extend_from_slice(hash));
        bytes
    }

    /// What [`Self::to_bytes`] wrote; nothing for any other bytes. How many hashes a level has follows from the size.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (size, mut rest) = bytes.split_first_chunk::<8>()?;
        let size = u64::from_be_bytes(*size);
        let mut levels = Vec::new();
        let mut left = size;
        while left > 0 {
            let mut hashes = Vec::new();
            for _ in 0..left % WIDTH as u64 {
                let (hash, behind) = rest.split_first_chunk::<32>()?;
                hashes.push(*hash);
                rest = behind;
            }
            levels.push(hashes);
            left /= WIDTH as u64;
        }
        rest.is_empty().then_some(Self { size, levels })
    }
}
