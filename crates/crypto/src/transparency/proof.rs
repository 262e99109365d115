//! Proofs (RFC 6962 sections 2.1.1 and 2.1.2; checked as RFC 9162 section 2.1.3 and 2.1.4 say).

use std::ops::Range;

use super::{Hash, node_hash};

/// The ranges of entries whose hashes prove that `index` is in a tree of `size`, from the leaf to the root.
#[must_use]
pub fn inclusion_path(index: u64, size: u64) -> Vec<Range<u64>> {
    let (mut entries, mut path) = (0..size, Vec::new());
    while entries.contains(&index) && entries.end - entries.start > 1 {
        let middle = entries.start + split(entries.end - entries.start);
        let (left, right) = (entries.start..middle, middle..entries.end);
        let (inside, sibling) = if left.contains(&index) { (left, right) } else { (right, left) };
        path.push(sibling);
        entries = inside;
    }
    path.reverse();
    path
}

/// The ranges of entries whose hashes prove that a tree of `size` begins with the one of `old` entries.
#[must_use]
pub fn consistency_path(old: u64, size: u64) -> Vec<Range<u64>> {
    let (mut entries, mut path, mut is_whole) = (0..size, Vec::new(), true);
    if old == 0 || old >= size {
        return path;
    }
    while entries.end != old {
        let middle = entries.start + split(entries.end - entries.start);
        let (left, right) = (entries.start..middle, middle..entries.end);
        let (inside, sibling) = if old <= middle {
            (left, right)
        } else {
            is_whole = false;
            (right, left)
        };
        path.push(sibling);
        entries = inside;
    }
    if !is_whole {
        path.push(entries);
    }
    path.reverse();
    path
}

/// The largest power of two below `count`.
fn split(count: u64) -> u64 {
    1 << count.saturating_sub(1).checked_ilog2().unwrap_or(0)
}

/// The root that an inclusion proof leads to; nothing where it has too many or too few hashes.
#[must_use]
pub fn root_of_proof(leaf: Hash, index: u64, size: u64, proof: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut node, mut last, mut root) = (index, size - 1, leaf);
    for hash in proof {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            root = node_hash(hash, &root);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            root = node_hash(&root, hash);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(root)
}

/// Whether the proof shows that the tree of the new root begins with that of the old one.
#[must_use]
pub fn is_consistent((old, old_root): (u64, Hash), (size, root): (u64, Hash), proof: &[Hash]) -> bool {
    if old == 0 || old >= size {
        return proof.is_empty() && (old == 0 || old == size && old_root == root);
    }
    let first = old.is_power_of_two().then_some(old_root);
    let mut hashes = first.into_iter().chain(proof.iter().copied());
    let (mut node, mut last) = (old - 1, size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let Some(seed) = hashes.next() else { return false };
    let (mut before, mut now) = (seed, seed);
    for hash in hashes {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            before = node_hash(&hash, &before);
            now = node_hash(&hash, &now);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            now = node_hash(&now, &hash);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && before == old_root && now == root
}
