//! A transparency log's mathematics: Merkle trees (RFC 6962), proofs, and checkpoints as signed notes (C2SP).
//! Deliberately absent: what entries say, and where anything is kept.

mod edge;
mod note;
mod proof;
#[cfg(test)]
mod tests;
mod tiles;
mod witness;

use aws_lc_rs::digest::{Context, SHA256};
pub use edge::{Edge, Tile};
pub use note::{Checkpoint, CheckpointKey, NoteError};
pub use proof::{consistency_path, inclusion_path, is_consistent, root_of_proof};
pub use tiles::{Tiles, WIDTH, tiles_for};
pub use witness::{Cosignature, WitnessKey, add_checkpoint};

/// A SHA-256 hash in the tree.
pub type Hash = [u8; 32];

fn hash_of(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut hash = [0; 32];
    hash.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    hash
}

/// The hash of an entry (RFC 6962 section 2.1). Leaves and nodes begin differently, so that none passes as the other.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    hash_of(&[&[0], entry])
}

/// The hash over two hashes.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    hash_of(&[&[1], left, right])
}

/// The root over hashes of complete trees that stand side by side, each smaller than the one before it; the root of
/// nothing where there are none.
fn root_over(trees: &[Hash]) -> Hash {
    let over = trees.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
    over.unwrap_or_else(|| hash_of(&[]))
}

/// The root over as many hashes as are a power of two.
fn complete_root(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => hash_of(&[]),
        [hash] => *hash,
        more => {
            let (left, right) = more.split_at(more.len().next_power_of_two() / 2);
            node_hash(&complete_root(left), &complete_root(right))
        }
    }
}
