//! What only the embedded engine can show: group commit, one file and several processes, backups.

use std::{path::Path, sync::Arc, time::Duration};

use userd_storage::{
    Access, Engine, Failure, Store, StoreError,
    engines::{SqliteEngine, SqliteLocation, SqliteOptions},
    statements,
    testing::{TestFolder, run, test_folder},
};

use crate::fixture::{INSERT_COUNTER, get, put, store, tables};

statements! {
    BIG = "things.big": "INSERT INTO things (id, bytes) VALUES ($1, $2)" (Uuid, Bytes) -> ();
    ALL_OF_IT = "counters.count": "SELECT count(*) FROM counters" () -> (I64);
}

const ACCESS: Access = Access { name: "by hand", attempt: 0 };

pub(crate) fn options(folder: &TestFolder) -> SqliteOptions {
    SqliteOptions::at(SqliteLocation::File(folder.path().join("new/folder/userd.db")))
}

pub(crate) async fn file_store(options: &SqliteOptions) -> Store {
    let engine = SqliteEngine::open(options).unwrap();
    tables(&engine).await;
    store(Arc::new(engine))
}

/// Every spawned task has run until it waits: there is one thread, and it takes turns.
async fn let_all_wait() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// How many transactions the log holds: frames that carry the size of the database (file format, section 4.1).
fn commits_in_log(database: &Path) -> usize {
    let log = std::fs::read(database.with_extension("db-wal")).unwrap();
    let salt = &log[16..24];
    let page = u32::from_be_bytes(log[8..12].try_into().unwrap()) as usize;
    let current = log[32..].chunks(24 + page).take_while(|frame| frame.len() > 24 && &frame[8..16] == salt);
    current.filter(|frame| frame[4..8] != [0; 4]).count()
}

#[tokio::test]
async fn units_of_work_that_wait_together_share_one_commit() {
    let folder = test_folder().unwrap();
    let options = options(&folder);
    let SqliteLocation::File(path) = options.location.clone() else { panic!() };
    let store = file_store(&options).await;
    let before = commits_in_log(&path);
    let held = store.engine().begin(ACCESS).await.unwrap();
    let waiting: Vec<_> = (0..64)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { put(&store, &format!("row {n}"), n).await })
        })
        .collect();
    let_all_wait().await;
    held.commit().await.unwrap();
    for task in waiting {
        task.await.unwrap().unwrap();
    }
    let commits = commits_in_log(&path) - before;
    assert!(commits <= 3, "64 units of work took {commits} commits");
    let second = SqliteEngine::open(&options).unwrap();
    let mut rows = second.read(&ALL_OF_IT, &[]).await.unwrap();
    assert_eq!(rows[0].i64(0).unwrap(), 64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_told_done_is_seen_by_another_process_at_once() {
    let folder = test_folder().unwrap();
    let options = options(&folder);
    let (store, other) = (file_store(&options).await, file_store(&options).await);
    let tasks: Vec<_> = (0..32)
        .map(|n| {
            let (store, other) = (store.clone(), other.clone());
            tokio::spawn(async move {
                let name = format!("row {n}");
                put(&store, &name, n).await.unwrap();
                assert_eq!(get(&other, &name).await, Some(n));
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn a_full_disk_fails_the_whole_batch_and_nothing_else() {
    let folder = test_folder().unwrap();
    let store = file_store(&options(&folder)).await;
    store.engine().run_schema("PRAGMA max_page_count=64").await.unwrap();
    let mut held = store.engine().begin(ACCESS).await.unwrap();
    held.run(INSERT_COUNTER, &["held".into(), 1_i64.into()]).await.unwrap();
    let small = tokio::spawn({
        let store = store.clone();
        async move { put(&store, "small", 1).await }
    });
    let_all_wait().await;
    let big = tokio::spawn({
        let store = store.clone();
        async move {
            store
                .transact("big", |mut uow| async move {
                    run(&mut uow, &BIG, &[uuid::Uuid::nil().into(), vec![7; 1 << 20].into()]).await?;
                    uow.commit(()).await
                })
                .await
        }
    });
    let_all_wait().await;
    let held = held.commit().await;
    let (small, big) = (small.await.unwrap(), big.await.unwrap());
    assert!(matches!(held, Err(StoreError::Unavailable(_))), "{held:?}");
    assert!(matches!(small, Err(Failure::Store(StoreError::Unavailable(_)))), "{small:?}");
    assert!(matches!(big, Err(Failure::Store(StoreError::Unavailable(_)))), "{big:?}");
    assert_eq!((get(&store, "held").await, get(&store, "small").await), (None, None));
    put(&store, "after", 1).await.unwrap();
    assert_eq!(get(&store, "after").await, Some(1));
}

#[tokio::test]
async fn a_place_in_the_queue_has_a_deadline() {
    let folder = test_folder().unwrap();
    let mut options = options(&folder);
    options.acquire_timeout = Duration::from_millis(100);
    let (store, other) = (file_store(&options).await, file_store(&options).await);
    let held = store.engine().begin(ACCESS).await.unwrap();
    for waiting in [&store, &other] {
        let late = put(waiting, "late", 1).await;
        assert!(matches!(late, Err(Failure::Store(StoreError::Unavailable(_)))), "{late:?}");
    }
    assert!(store.health().await.is_err());
    drop(held);
    put(&other, "a", 1).await.unwrap();
    put(&store, "b", 1).await.unwrap();
    store.health().await.unwrap();
}

#[tokio::test]
async fn a_transaction_without_work_does_not_keep_other_processes_out() {
    let folder = test_folder().unwrap();
    let mut options = options(&folder);
    options.acquire_timeout = Duration::from_millis(500);
    let (store, other) = (file_store(&options).await, file_store(&options).await);
    for n in 0..5 {
        drop(store.engine().begin(ACCESS).await.unwrap());
        put(&other, &format!("{n}"), 1).await.unwrap();
        store.engine().begin(ACCESS).await.unwrap().commit().await.unwrap();
        put(&other, &format!("{n} again"), 1).await.unwrap();
    }
}
