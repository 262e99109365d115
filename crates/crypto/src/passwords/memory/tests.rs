//! A worker's memory: what it computes with it, and how much it keeps.

use super::{super::phc::Cost, *};

const USUAL: usize = 64;

fn hash(memory_kib: u32) -> Argon2Hash {
    let cost = Cost::new(memory_kib, 1, 1).unwrap();
    Argon2Hash {
        algorithm: argon2::Algorithm::Argon2id,
        cost,
        pepper_id: None,
        salt: b"0123456789abcdef".to_vec(),
        output: vec![0; 32],
    }
}

/// What the library computes by itself.
fn expected(hash: &Argon2Hash, password: &[u8]) -> Vec<u8> {
    let mut output = vec![0; 32];
    hash.context().unwrap().hash_password_into(password, &hash.salt, &mut output).unwrap();
    output
}

#[test]
fn what_an_earlier_hash_left_in_the_memory_changes_no_later_one() {
    let mut memory = Memory::new(USUAL, Arc::default());
    for (cost, password) in [(64, &b"first"[..]), (64, b"second"), (32, b"third"), (256, b"fourth"), (64, b"fifth")] {
        let hash = hash(cost);
        assert_eq!(*memory.compute(&hash, password).unwrap(), expected(&hash, password), "{cost}");
    }
}

#[test]
fn memory_is_kept_for_hashes_of_the_usual_cost_only() {
    let all = Arc::<AllMemory>::default();
    let mut memory = Memory::new(USUAL, Arc::clone(&all));
    let mut after = |cost| {
        memory.compute(&hash(cost), b"password").unwrap();
        all.held.load(Ordering::SeqCst)
    };
    assert_eq!((after(64), after(32), after(256), after(64)), (USUAL, USUAL, 0, USUAL));
    memory.release();
    assert_eq!((memory.is_empty(), all.held.load(Ordering::SeqCst)), (true, 0));
}

#[test]
fn memory_that_is_dropped_is_no_longer_counted() {
    let all = Arc::<AllMemory>::default();
    let mut memory = Memory::new(USUAL, Arc::clone(&all));
    memory.compute(&hash(64), b"password").unwrap();
    drop(memory);
    assert_eq!(all.held.load(Ordering::SeqCst), 0);
}
