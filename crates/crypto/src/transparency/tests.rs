//! Against the reference tree of other implementations, the definition, and each other.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::ops::Range;

use super::*;

/// The reference tree of certificate-transparency's implementations: entries, and the root after each.
const REFERENCE: [(&str, &str); 8] = [
    ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    ("606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
];
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The definition of RFC 6962, word for word.
fn slow_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => hash_of(&[]),
        [leaf] => *leaf,
        more => {
            let half = (1..).map(|n| 1 << n).find(|width| *width >= more.len()).unwrap() / 2;
            node_hash(&slow_root(&more[..half]), &slow_root(&more[half..]))
        }
    }
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

fn grown(count: u64) -> (Edge, Vec<Tile>) {
    let mut edge = Edge::default();
    let tiles = leaves(count).into_iter().flat_map(|leaf| edge.append(leaf)).collect();
    (edge, tiles)
}

#[test]
fn the_reference_tree_has_the_roots_of_other_implementations() {
    let mut edge = Edge::default();
    assert_eq!(hex::encode(edge.root()), NOTHING);
    for (entry, root) in REFERENCE {
        edge.append(leaf_hash(&hex::decode(entry).unwrap()));
        assert_eq!(hex::encode(edge.root()), root);
    }
}

#[test]
fn a_tree_that_grows_has_the_root_of_the_definition_and_survives_being_kept() {
    let all = leaves(600);
    let mut edge = Edge::default();
    for size in 0..600 {
        assert_eq!(edge.root(), slow_root(&all[..size]), "{size}");
        assert_eq!(Edge::from_bytes(&edge.to_bytes()).as_ref(), Some(&edge), "{size}");
        edge.append(all[size]);
    }
    let bytes = edge.to_bytes();
    for wrong in [&bytes[1..], &bytes[..bytes.len() - 1], &[bytes.clone(), vec![0]].concat(), &[]] {
        assert_eq!(Edge::from_bytes(wrong), None);
    }
}

/// With only the tiles that are asked for, so that asking for too few is noticed.
fn hashes(edge: &Edge, tiles: &[Tile], ranges: &[Range<u64>]) -> Vec<Hash> {
    let needed = tiles_for(edge, ranges);
    let found = tiles.iter().filter(|tile| needed.contains(&(tile.level, tile.index))).cloned();
    let tiles = Tiles::new(edge, found);
    ranges.iter().map(|range| tiles.hash(range).unwrap()).collect()
}

#[test]
fn every_entry_of_every_tree_is_proven_and_no_other_in_its_place() {
    let (edge, tiles) = grown(300);
    let all = leaves(300);
    for size in [1, 2, 3, 15, 16, 17, 31, 33, 255, 256, 257, 272, 299, 300] {
        let root = slow_root(&all[..size]);
        for index in 0..size {
            let (place, count) = (index as u64, size as u64);
            let proof = hashes(&edge, &tiles, &inclusion_path(place, count));
            assert_eq!(root_of_proof(all[index], place, count, &proof), Some(root), "{index} of {size}");
            let other = all[(index + 1) % size];
            assert!(size == 1 || root_of_proof(other, place, count, &proof) != Some(root));
            assert!(size == 1 || root_of_proof(all[index], (place + 1) % count, count, &proof) != Some(root));
            let longer = [proof, vec![root]].concat();
            assert_eq!(root_of_proof(all[index], place, count, &longer), None);
        }
    }
}

#[test]
fn every_smaller_tree_is_proven_to_be_the_beginning_and_no_other() {
    let (edge, tiles) = grown(300);
    let all = leaves(300);
    for size in [1, 2, 7, 16, 33, 255, 256, 257, 300] {
        let root = (size as u64, slow_root(&all[..size]));
        for old in 0..=size {
            let before = (old as u64, slow_root(&all[..old]));
            let proof = hashes(&edge, &tiles, &consistency_path(before.0, root.0));
            assert!(is_consistent(before, root, &proof), "{old} in {size}");
            let another = (before.0, leaf_hash(b"another"));
            assert!(old == 0 || !is_consistent(another, root, &proof), "{old} in {size}");
            assert!(old == 0 || old == size || !is_consistent(before, (root.0, another.1), &proof));
            let longer = [proof.clone(), vec![root.1]].concat();
            assert!(!is_consistent(before, root, &longer), "{old} in {size}, with more");
            let shorter = proof.split_last().map(|(_, shorter)| shorter);
            assert!(shorter.is_none_or(|shorter| !is_consistent(before, root, shorter)), "{old} in {size}, with less");
        }
    }
}

#[test]
fn a_tree_is_seen_as_it_was_at_any_size() {
    let (edge, tiles) = grown(300);
    let tiles = Tiles::new(&edge, tiles);
    for size in 0..=300 {
        assert_eq!(tiles.edge_at(size), Some(grown(size).0), "{size}");
    }
    assert_eq!(tiles.edge_at(400), None);
}

/// How many reads a proof takes: two of each level of tiles at most.
#[test]
fn a_proof_of_a_large_tree_takes_few_tiles() {
    let size = 1_000_000_000;
    let edge = Edge::of(size, Vec::new());
    for index in [0, 1, 123_456_789, 999_999_999] {
        assert!(tiles_for(&edge, &inclusion_path(index, size)).len() <= 16);
    }
    assert!(tiles_for(&edge, &consistency_path(777_777_777, size)).len() <= 16);
}

#[test]
fn a_checkpoint_is_opened_by_its_key_alone_and_only_unchanged() {
    let key = CheckpointKey::from_pkcs8(&CheckpointKey::generate().unwrap()).unwrap();
    let other = CheckpointKey::from_pkcs8(&CheckpointKey::generate().unwrap()).unwrap();
    let checkpoint = Checkpoint { origin: "users.example/audit/1".to_owned(), size: 17, root: leaf_hash(b"x") };
    let note = key.sign(&checkpoint).unwrap();
    assert_eq!(key.open(&note), Ok(checkpoint.clone()));
    assert_eq!(other.open(&note), Err(NoteError::Signature));
    let witnessed = format!("{note}\u{2014} witness.example AAAAAAAA\n");
    assert_eq!(key.open(&witnessed), Ok(checkpoint.clone()));
    for at in 0..note.len() {
        for bit in 0..8 {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let changed = String::from_utf8_lossy(&bytes);
            assert!(key.open(&changed).is_err(), "{changed}");
        }
    }
    assert!(key.verifier(&checkpoint.origin).starts_with("users.example/audit/1+"));
}

#[test]
fn no_tree_holds_an_entry_behind_its_end_or_begins_with_a_larger_one() {
    let all = leaves(8);
    for size in 0..8_u64 {
        assert_eq!(root_of_proof(all[0], size, size, &[]), None);
        assert_eq!(root_of_proof(all[0], size + 1, size, &[]), None);
        assert!(inclusion_path(size, size).is_empty());
        let (root, larger) = (slow_root(&all[..usize::try_from(size).unwrap()]), size + 1);
        assert!(!is_consistent((larger, root), (size, root), &[]));
        assert!(consistency_path(larger, size).is_empty() && consistency_path(size, size).is_empty());
    }
}

#[test]
fn a_log_without_a_name_has_no_checkpoints() {
    let key = CheckpointKey::from_pkcs8(&CheckpointKey::generate().unwrap()).unwrap();
    let nameless = Checkpoint { origin: String::new(), size: 1, root: leaf_hash(b"x") };
    assert_eq!(key.open(&key.sign(&nameless).unwrap()), Err(NoteError::Malformed));
    for no_note in ["", "origin\n1\nroot\n", "a\n\nb"] {
        assert_eq!(key.open(no_note), Err(NoteError::Malformed), "{no_note}");
    }
}
