//! The embedded engine's files: who may read them, how they are closed and copied.

use std::sync::Arc;

use userd_storage::{
    Engine, Failure, StoreError,
    engines::{
        SqliteEngine, SqliteLocation, SqliteOptions,
        sqlite::{ServiceLock, ServiceLockError},
    },
    statements,
    testing::{run, test_folder},
};

use crate::{
    fixture::{get, put, store, tables},
    sqlite::{file_store, options},
};

statements! {
    BIG = "things.big": "INSERT INTO things (id, bytes) VALUES ($1, $2)" (Uuid, Bytes) -> ();
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_file_and_its_log() {
    use std::os::unix::fs::PermissionsExt;
    let folder = test_folder().unwrap();
    let options = options(&folder);
    let store = file_store(&options).await;
    put(&store, "a", 1).await.unwrap();
    let SqliteLocation::File(path) = options.location else { panic!() };
    for file in [path.clone(), path.with_extension("db-wal"), path.with_extension("db-shm")] {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
    assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn closing_writes_the_log_back_and_refuses_work() {
    let folder = test_folder().unwrap();
    let options = options(&folder);
    let store = file_store(&options).await;
    put(&store, "a", 1).await.unwrap();
    assert_eq!(get(&store, "a").await, Some(1));
    store.engine().close().await;
    let SqliteLocation::File(path) = &options.location else { panic!() };
    assert!(!path.with_extension("db-wal").exists());
    let late = put(&store, "b", 1).await;
    assert!(matches!(late, Err(Failure::Store(StoreError::Unavailable(_)))), "{late:?}");
    assert_eq!(get(&file_store(&options).await, "a").await, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_one_moment_of_a_database_in_service() {
    let folder = test_folder().unwrap();
    let options = options(&folder);
    let engine = Arc::new(SqliteEngine::open(&options).unwrap());
    tables(&*engine).await;
    let store = store(Arc::clone(&engine) as Arc<dyn Engine>);
    put(&store, "before", 1).await.unwrap();
    for n in 0..50_u128 {
        store
            .transact("fill", |mut uow| async move {
                run(&mut uow, &BIG, &[uuid::Uuid::from_u128(n).into(), vec![7; 200_000].into()]).await?;
                uow.commit(()).await
            })
            .await
            .unwrap();
    }
    let target = folder.path().join("copy.db");
    let (tell, told) = std::sync::mpsc::channel();
    let writing = tokio::spawn({
        let store = store.clone();
        async move {
            for n in 0..50 {
                put(&store, &format!("during {n}"), n).await.unwrap();
            }
        }
    });
    let report = engine.backup(target.clone(), move |progress| tell.send(progress).unwrap()).await.unwrap();
    writing.await.unwrap();
    let last = told.iter().last().unwrap();
    assert_eq!((last.done, last.total), (report.pages, report.pages));
    assert_eq!(report.bytes, report.pages * 4096);
    let again = engine.backup(target.clone(), |_| ()).await;
    assert!(matches!(again, Err(StoreError::Unavailable(_))), "an existing file is never overwritten");
    let copy = file_store(&SqliteOptions::at(SqliteLocation::File(target))).await;
    assert_eq!(get(&copy, "before").await, Some(1));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_corrupt() {
    let folder = test_folder().unwrap();
    let path = folder.path().join("userd.db");
    std::fs::write(&path, "not a database, but long enough to look at ".repeat(100)).unwrap();
    let refused = SqliteEngine::open(&SqliteOptions::at(SqliteLocation::File(path))).err();
    assert!(matches!(refused, Some(StoreError::Corrupt(_))), "{refused:?}");
}

#[test]
fn a_location_is_read_from_its_url() {
    let file = |path: &str| Some(SqliteLocation::File(path.into()));
    assert_eq!(SqliteLocation::parse("sqlite::memory:"), Some(SqliteLocation::Memory));
    assert_eq!(SqliteLocation::parse("sqlite:data/userd.db"), file("data/userd.db"));
    assert_eq!(SqliteLocation::parse("sqlite:///var/lib/userd.db"), file("/var/lib/userd.db"));
    assert_eq!(SqliteLocation::parse("sqlite:"), None);
    assert_eq!(SqliteLocation::parse("postgres://h/d"), None);
}

/// (fault 24)
#[test]
fn a_second_service_on_one_file_is_refused_whatever_path_it_was_given() {
    let folder = test_folder().unwrap();
    let path = folder.path().join("data").join("userd.db");
    let first = ServiceLock::take(&path).unwrap();
    let other = folder.path().join("data").join("..").join("data").join("userd.db");
    let mut paths = vec![path.clone(), other];
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let link = folder.path().join("link.db");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        paths.push(link);
        let mode = std::fs::metadata(path.with_extension("db.lock")).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
    }
    for again in &paths {
        let refused = ServiceLock::take(again).unwrap_err();
        assert!(refused.to_string().contains(&std::process::id().to_string()), "{refused}");
        let ServiceLockError::Held { database, process } = refused else { panic!("{refused}") };
        assert_eq!((database, process), (std::fs::canonicalize(&path).unwrap(), Some(std::process::id())));
    }
    ServiceLock::take(&folder.path().join("other.db")).expect("another file is another database");
    drop(first);
    ServiceLock::take(&path).expect("what is left behind holds nobody");
}
