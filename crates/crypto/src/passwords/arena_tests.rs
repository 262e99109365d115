//! Engines that stall, in the tests' hands.

use super::{super::phc::Cost, *};

const USUAL: usize = 64;

fn hash(memory_kib: u32) -> Argon2id {
    let cost = Cost::new(memory_kib, 1, 1).unwrap();
    Argon2id { cost, pepper_id: None, salt: b"0123456789abcdef".to_vec(), output: vec![0; 32] }
}

/// What the library computes by itself.
fn expected(hash: &Argon2id, password: &[u8]) -> Vec<u8> {
    let mut output = vec![0; 32];
    hash.context().unwrap().hash_password_into(password, &hash.salt, &mut output).unwrap();
    output
}

fn held(arena: &Arena) -> usize {
    arena.memory.held.load(Ordering::SeqCst)
}

#[test]
fn an_engine_hashes_and_gives_the_memory_back() {
    let mut arena = Arena::new(USUAL, Engine::start().unwrap(), Arc::default());
    assert!(arena.is_empty());
    for password in [&b"first"[..], b"second"] {
        let hash = hash(64);
        assert_eq!(*arena.compute(&hash, password).unwrap(), expected(&hash, password));
        assert!(!arena.away);
        assert_eq!(held(&arena), USUAL);
    }
    let dearer = hash(256);
    assert_eq!(*arena.compute(&dearer, b"third").unwrap(), expected(&dearer, b"third"));
    assert_eq!(held(&arena), 0, "more than usual is not kept");
    arena.compute(&hash(64), b"fourth").unwrap();
    arena.release();
    assert!(arena.is_empty());
    assert_eq!(held(&arena), 0);
}

#[test]
fn a_hash_whose_engine_gets_no_processor_is_computed_all_the_same() {
    let (engine, given, finished) = Engine::stalled();
    let mut arena = Arena::new(USUAL, engine, Arc::default());
    let hash = hash(64);
    assert_eq!(*arena.compute(&hash, b"first").unwrap(), expected(&hash, b"first"));
    assert_eq!(held(&arena), 2 * USUAL, "the engine's and the worker's own");

    // While the engine is busy nobody waits for it.
    assert_eq!(*arena.compute(&hash, b"second").unwrap(), expected(&hash, b"second"));
    let task = given.try_recv().unwrap();
    assert!(given.try_recv().is_err(), "the second was not given to it");
    arena.release();
    assert_eq!((arena.is_empty(), held(&arena)), (false, USUAL), "what the engine has stays");

    // What it finishes late is nobody's answer; from then on it works again.
    finished.send(task.run()).unwrap();
    arena.release();
    assert_eq!((arena.is_empty(), held(&arena)), (true, 0));
    let engine = std::thread::spawn(move || finished.send(given.recv().unwrap().run()).unwrap());
    assert_eq!(*arena.compute(&hash, b"third").unwrap(), expected(&hash, b"third"));
    engine.join().unwrap();
}

#[test]
fn an_engine_that_is_no_more_stops_nothing() {
    let (engine, ..) = Engine::stalled();
    let mut arena = Arena::new(USUAL, engine, Arc::default());
    let hash = hash(64);
    for password in [&b"first"[..], b"second"] {
        assert_eq!(*arena.compute(&hash, password).unwrap(), expected(&hash, password));
    }
}

#[test]
fn a_dear_hash_has_more_time() {
    let patience = |kib| {
        let hash = hash(kib);
        let memory = Memory { blocks: Vec::new(), held: Arc::default() };
        PATIENCE_PER_BLOCK * Task::new(hash.context().unwrap(), &hash, b"", memory).effort()
    };
    assert!(patience(19_456) < PATIENCE);
    assert_eq!(patience(1_048_576).as_secs(), 2);
}

/// As the system tells the policies of this process's threads: 5 is `SCHED_IDLE`.
#[cfg(target_os = "linux")]
#[test]
fn an_engine_runs_only_when_nobody_else_wants_to() {
    let mut arena = Arena::new(USUAL, Engine::start().unwrap(), Arc::default());
    arena.compute(&hash(64), b"so that it has begun").unwrap();
    let policies: Vec<String> = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("stat")).ok())
        .filter(|stat| stat.contains("(userd-argon2)"))
        // proc(5): the policy is field 41; the third follows the name.
        .map(|stat| stat.rsplit(") ").next().unwrap().split(' ').nth(41 - 3).unwrap().to_owned())
        .collect();
    assert!(policies.contains(&"5".to_owned()), "{policies:?}");
}
