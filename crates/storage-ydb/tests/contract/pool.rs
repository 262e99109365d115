//! Sessions and round trips: some are open before anybody asks, never more than was said, and a read costs one answer.

use std::sync::Arc;

use futures_util::future::join_all;
use userd_storage::{Store, testing::TestRandom};
use userd_storage_ydb::{YdbEngine, YdbOptions};

use crate::fixture::{FaultMode, Fixture, get, url};

/// Another process at the fixture's database.
fn another(fixture: &Fixture, warm: usize, most: usize) -> Store {
    let options = YdbOptions { warm_sessions: warm, max_sessions: most, ..YdbOptions::at(&url(&fixture.emulator)) };
    Store::new(Arc::new(YdbEngine::new(options).unwrap()), Arc::new(TestRandom::default()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_open_before_the_first_statement_and_never_more_than_was_said() {
    let fixture = Fixture::set(FaultMode::Plain).await;
    fixture.put("a", 1).await.unwrap();
    fixture.emulator.reset_counters();
    let store = another(&fixture, 3, 4);
    store.health().await.unwrap();
    assert_eq!(fixture.emulator.counters().sessions, 3, "warmed");
    let read = join_all((0..64).map(|_| get(&store, "a"))).await;
    assert!(read.iter().all(|n| *n == Some(1)), "whoever waits for a session gets one");
    let sessions = fixture.emulator.counters().sessions;
    assert!((3..=4).contains(&sessions), "{sessions}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_outside_of_a_unit_of_work_is_one_snapshot_and_one_answer() {
    let fixture = Fixture::set(FaultMode::Plain).await;
    fixture.put("a", 1).await.unwrap();
    fixture.emulator.reset_counters();
    assert_eq!(fixture.get("a").await, Some(1));
    let counts = fixture.emulator.counters();
    assert_eq!((counts.round_trips(), counts.rpc("Query/ExecuteQuery")), (1, 1), "{counts:?}");
    assert_eq!((counts.committed, counts.aborted, counts.rolled_back), (1, 0, 0), "{counts:?}");
}
