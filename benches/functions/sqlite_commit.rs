//! Durable units of work on SQLite: many clients and one fsync, against one fsync each. Divan shows the time of a whole
//! round in which every client commits once, and the rate of commits.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on stops")]

use std::sync::Arc;

use divan::{Bencher, counter::ItemsCount};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use userd_benches::{Dice, now};
use userd_model::{EventId, EventKind, Fact, FactActor, UserId};
use userd_storage::{
    Store,
    engines::{SqliteEngine, SqliteLocation, SqliteOptions},
    testing::schema_on,
};

const CLIENTS: [usize; 4] = [1, 16, 64, 256];

fn main() {
    divan::main();
}

#[divan::bench(args = CLIENTS, sample_count = 40, sample_size = 5)]
fn group_commit(bencher: Bencher<'_, '_>, clients: usize) {
    round(bencher, clients, SqliteOptions::at);
}

#[divan::bench(args = CLIENTS, sample_count = 20, sample_size = 1)]
fn one_fsync_each(bencher: Bencher<'_, '_>, clients: usize) {
    round(bencher, clients, |location| SqliteOptions { batch: 1, ..SqliteOptions::at(location) });
}

/// The baseline of both: rusqlite in one thread, no engine at all.
#[divan::bench(sample_count = 40, sample_size = 5)]
fn plain_rusqlite(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&folder, SqliteOptions::at));
    let database = rusqlite::Connection::open(folder.path().join("userd.db")).unwrap();
    database.execute_batch("PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000").unwrap();
    let insert = "INSERT INTO outbox (shard, created_at, id, kind, user_id, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        let fact = fact();
        let (id, user) = (fact.id.0.into_bytes(), UserId::mint(&Dice).0.into_bytes());
        database.prepare_cached("BEGIN IMMEDIATE").unwrap().execute(()).unwrap();
        let values = (i64::from(id[0]) % 16, fact.at.micros(), id, fact.kind.as_str(), user, "{}");
        database.prepare_cached(insert).unwrap().execute(values).unwrap();
        database.prepare_cached("COMMIT").unwrap().execute(()).unwrap();
    });
}

fn round(bencher: Bencher<'_, '_>, clients: usize, options: impl Fn(SqliteLocation) -> SqliteOptions) {
    let folder = tempfile::tempdir().unwrap();
    let (runtime, store) = open(&folder, options);
    bencher.counter(ItemsCount::new(clients)).bench_local(|| {
        runtime.block_on(async {
            let tasks: Vec<_> = (0..clients).map(|_| tokio::spawn(commit(Arc::clone(&store)))).collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
    });
}

fn open(folder: &TempDir, options: impl Fn(SqliteLocation) -> SqliteOptions) -> (Runtime, Arc<Store>) {
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let engine = SqliteEngine::open(&options(SqliteLocation::File(folder.path().join("userd.db")))).unwrap();
    let store = runtime.block_on(schema_on(Arc::new(engine))).unwrap();
    (runtime, Arc::new(store))
}

async fn commit(store: Arc<Store>) {
    let fact = &fact();
    let done = store.transact("bench", |mut uow| async move {
        uow.outbox().push(fact).await?;
        uow.commit(()).await
    });
    done.await.unwrap();
}

fn fact() -> Fact {
    Fact {
        id: EventId::mint(&Dice),
        kind: EventKind::SessionStarted.as_str().to_owned(),
        public: true,
        subject: UserId::mint(&Dice).into(),
        number: 1,
        actor: FactActor::unknown(),
        request_id: None,
        origin: None,
        personal: None,
        at: now(),
        data: serde_json::json!({}),
    }
}
