//! The database that was opened, and no other one: a file that goes, another server behind the same address.

use std::{path::Path, sync::Arc};

use userd_model::Sealed;
use userd_storage::{
    Failure, Store, StoreError,
    engines::{PostgresEngine, PostgresOptions, SqliteEngine, SqliteLocation},
    repositories::system_secrets::INSTALLATION,
    testing::{Backend, ManualClock, TestDatabase, schema_on, test_folder},
};

use crate::{
    fixture::{get, put},
    sqlite::{file_store, options},
};

fn is_refused(outcome: &Result<(), Failure>) -> bool {
    matches!(outcome, Err(Failure::Store(StoreError::Unusable(_) | StoreError::Unavailable(_))))
}

fn with_end(path: &Path, end: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// F42: what is written to a file that has gone is lost, so nothing is; put back, it is served again (fault 20).
#[cfg(unix)]
#[tokio::test]
async fn a_file_that_was_removed_or_replaced_takes_no_writes() {
    for (case, ends) in [("all", &["", "-wal", "-shm"][..]), ("the log", &["-wal"]), ("the file", &[""])] {
        for replaced in [false, true] {
            let folder = test_folder().unwrap();
            let options = options(&folder);
            let store = file_store(&options).await;
            let SqliteLocation::File(path) = &options.location else { panic!() };
            put(&store, "before", 1).await.unwrap();
            for end in ends {
                let file = with_end(path, end);
                std::fs::rename(&file, with_end(&file, ".away")).unwrap();
                if replaced {
                    std::fs::write(&file, "").unwrap();
                }
            }
            for n in 0..3 {
                let written = put(&store, &format!("lost {n}"), 1).await;
                assert!(is_refused(&written), "{case}, replaced: {replaced}: {written:?}");
            }
            let health = store.health().await;
            assert!(matches!(&health, Err(StoreError::Unusable(what)) if what.contains("userd.db")), "{health:?}");
            for end in ends {
                let file = with_end(path, end);
                std::fs::rename(with_end(&file, ".away"), &file).unwrap();
            }
            store.health().await.unwrap();
            put(&store, "after", 1).await.unwrap();
            assert_eq!(get(&store, "lost 0").await, None);
            store.engine().close().await;
            let again = file_store(&options).await;
            assert_eq!((get(&again, "before").await, get(&again, "after").await), (Some(1), Some(1)));
        }
    }
}

/// A reader that is opened later must not read another file of the same name (fault 20).
#[cfg(unix)]
#[tokio::test]
async fn a_file_that_was_replaced_is_not_read() {
    let folder = test_folder().unwrap();
    let options = options(&folder);
    let store = file_store(&options).await;
    put(&store, "a", 1).await.unwrap();
    let SqliteLocation::File(path) = &options.location else { panic!() };
    for end in ["", "-wal", "-shm"] {
        std::fs::rename(with_end(path, end), with_end(path, &format!("{end}.away"))).unwrap();
    }
    let other = SqliteEngine::open(&options).unwrap();
    crate::fixture::tables(&other).await;
    let read = store.engine().read(crate::fixture::READ_COUNTER, &["a".into()]).await;
    assert!(matches!(read, Err(StoreError::Unusable(_))), "{read:?}");
}

/// An installation's database under a name of its own.
async fn installation(id: u8) -> Option<(TestDatabase, Store)> {
    let database = TestDatabase::create(Backend::Postgres).await.unwrap()?;
    let store = schema_on(database.engine().unwrap()).await.unwrap();
    store
        .transact("name", |mut uow| async move {
            let now = userd_model::Clock::now(&ManualClock::default());
            uow.system_secrets().insert(INSTALLATION, &Sealed(vec![id; 16]), now).await?;
            uow.commit(()).await
        })
        .await
        .unwrap();
    Some((database, store))
}

/// The name of a database in its URL.
fn name(database: &TestDatabase) -> String {
    url::Url::parse(&database.url().unwrap()).unwrap().path().trim_start_matches('/').to_owned()
}

/// F41: the same address leads to another installation, or to an empty database: its connections are not used, neither to
/// write nor to read, and health says so (fault 20).
#[tokio::test]
async fn another_database_behind_the_same_address_is_not_used() {
    let Some((ours, store)) = installation(1).await else { return };
    store.engine().close().await;
    let (theirs, their_store) = installation(2).await.unwrap();
    their_store.engine().close().await;
    let empty = TestDatabase::create(Backend::Postgres).await.unwrap().unwrap();
    // Whoever renames may not be connected to what is renamed.
    let apart = TestDatabase::create(Backend::Postgres).await.unwrap().unwrap();
    let server = apart.engine().unwrap();
    let (kept, foreign) = (name(&ours), [name(&theirs), name(&empty)]);
    let url = ours.url().unwrap();
    for statement_cache in [true, false] {
        let options = PostgresOptions { statement_cache, ..PostgresOptions::at(url.clone()) };
        let store = Store::new(
            Arc::new(PostgresEngine::new(&options).unwrap()),
            Arc::new(userd_storage::testing::TestRandom::default()),
        );
        store.pin_installation().await.unwrap();
        store.health().await.unwrap();
        for other in &foreign {
            swap(&*server, &kept, other).await;
            let health = store.health().await;
            assert!(matches!(health, Err(StoreError::Unusable(_) | StoreError::NoSchema(_))), "{other}: {health:?}");
            let written = store
                .transact("write", |mut uow| async move {
                    uow.leases().probe("test", uuid::Uuid::nil()).await?;
                    uow.commit(()).await
                })
                .await;
            assert!(written.is_err(), "{other}");
            assert!(store.reading().system_secrets().all().await.is_err(), "{other}");
            swap(&*server, &kept, other).await;
            store.health().await.unwrap();
            assert!(store.reading().leases().find("test").await.unwrap().is_none());
        }
        store.engine().close().await;
    }
}

/// Ends all connections to two databases and changes their names.
async fn swap(server: &dyn userd_storage::Engine, one: &str, other: &str) {
    for (from, to) in [(one, "swapped"), (other, one), ("swapped", other)] {
        let to = if to == "swapped" { format!("{one}_away") } else { to.to_owned() };
        let from = if from == "swapped" { format!("{one}_away") } else { from.to_owned() };
        // A connection may come between; then it is ended too.
        for attempt in 0.. {
            let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{from}'");
            server.run_schema(&end).await.unwrap();
            match server.run_schema(&format!("ALTER DATABASE {from} RENAME TO {to}")).await {
                Ok(()) => break,
                Err(error) => assert!(attempt < 50, "{error}"),
            }
        }
    }
}
