//! What only PostgreSQL can show: lines that break, servers that go, poolers in between.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use userd_storage::{
    Access, Call, Failure, Store, StoreError, UnitOfWork,
    engines::{PostgresEngine, PostgresOptions},
    statements,
    testing::{Backend, TestDatabase, run, write_many},
};

use crate::{
    fixture::{INSERT_COUNTER, READ_COUNTER, SET_COUNTER, get, put, store, tables},
    proxy::{Cut, Proxy},
};

statements! {
    SLEEP = "server.sleep": "SELECT CAST(pg_sleep(30) AS TEXT)" () -> (Text);
    KILL_OTHERS = "server.kill": "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()" () -> (I64);
    SET_MOMENT = "things.set_moment": "UPDATE things SET moment = $1 WHERE id = $2" (Timestamp, Uuid) -> ();
    BACKEND = "server.backend": "SELECT CAST(pg_backend_pid() AS BIGINT)" () -> (I64);
    PREPARED = "server.prepared": "SELECT count(*) FROM pg_prepared_statements" () -> (I64);
}

pub(crate) const ACCESS: Access = Access { name: "by hand", attempt: 0 };

pub(crate) async fn database() -> Option<(TestDatabase, PostgresOptions)> {
    let database = TestDatabase::create(Backend::Postgres).await.unwrap()?;
    tables(&*database.engine().unwrap()).await;
    let options = PostgresOptions::at(database.url().unwrap());
    Some((database, options))
}

pub(crate) fn store_with(options: &PostgresOptions) -> Store {
    store(Arc::new(PostgresEngine::new(options).unwrap()))
}

/// The options with a proxy in between.
pub(crate) async fn through_proxy(mut options: PostgresOptions) -> (Proxy, PostgresOptions) {
    let url = url::Url::parse(&options.url).unwrap();
    let proxy = Proxy::to(format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432))).await;
    let mut through = url;
    through.set_host(Some("127.0.0.1")).unwrap();
    through.set_port(Some(proxy.port)).unwrap();
    options.url = through.to_string();
    (proxy, options)
}

/// Reads, then writes twice with the commit.
async fn read_and_put_with_the_commit(mut uow: UnitOfWork, name: &'static str) -> Result<(), Failure> {
    run(&mut uow, READ_COUNTER, &[name.into()]).await?;
    uow.defer_writes();
    write_many(&mut uow, INSERT_COUNTER, vec![vec![name.into(), 0_i64.into()]]).await?;
    write_many(&mut uow, SET_COUNTER, vec![vec![name.into(), 1_i64.into()]]).await?;
    uow.commit(()).await
}

async fn lose_the_commit_behind_the_last_writes(cut: Cut, kept: Option<i64>) {
    let Some((_database, options)) = database().await else { return };
    let direct = store_with(&options);
    let (proxy, options) = through_proxy(options).await;
    let store = store_with(&options);
    store.transact("warm", |uow| read_and_put_with_the_commit(uow, "warm")).await.unwrap();
    proxy.cut(cut);
    let lost = store.transact("lost", |uow| read_and_put_with_the_commit(uow, "a")).await;
    assert!(matches!(lost, Err(Failure::Store(StoreError::OutcomeUnknown(_)))), "{lost:?}");
    assert_eq!(get(&direct, "a").await, kept);
}

#[tokio::test]
async fn last_writes_whose_commit_never_arrived_are_unknown() {
    lose_the_commit_behind_the_last_writes(Cut::BeforeCommit, None).await;
}

#[tokio::test]
async fn last_writes_whose_answer_was_lost_are_unknown() {
    lose_the_commit_behind_the_last_writes(Cut::AfterCommit, Some(1)).await;
}

/// One round trip: whoever waited for an answer before sending the commit would wait for ever.
#[tokio::test]
async fn the_last_writes_and_the_commit_are_sent_before_any_answer() {
    let Some((_database, options)) = database().await else { return };
    let (proxy, options) = through_proxy(options).await;
    let store = store_with(&PostgresOptions { max_connections: 1, ..options });
    store.transact("prepare", |uow| read_and_put_with_the_commit(uow, "a")).await.unwrap();
    let mut transaction = store.engine().begin(ACCESS).await.unwrap();
    transaction.run(READ_COUNTER, &["b".into()]).await.unwrap();
    proxy.hold_answers_until_a_commit();
    let (row, set) = (["b".into(), 1_i64.into()], ["b".into(), 2_i64.into()]);
    let mut writes = vec![Call { statement: INSERT_COUNTER, values: &row }];
    writes.resize(100, Call { statement: SET_COUNTER, values: &set });
    transaction.commit_after(&writes).await.unwrap();
    assert_eq!(get(&store, "b").await, Some(2));
}

/// The rest of the batch has been sent by then; without care the commit behind it would make it last.
#[tokio::test]
async fn a_value_that_cannot_be_sent_keeps_the_commit_back() {
    let Some((_database, options)) = database().await else { return };
    let store = store_with(&PostgresOptions { max_connections: 1, ..options });
    put(&store, "a", 1).await.unwrap();
    let refused = store
        .transact("too early", |mut uow| async move {
            run(&mut uow, READ_COUNTER, &["a".into()]).await?;
            uow.defer_writes();
            write_many(&mut uow, SET_COUNTER, vec![vec!["a".into(), 2_i64.into()]]).await?;
            let moment = userd_model::Timestamp::from_micros(i64::MIN);
            write_many(&mut uow, &SET_MOMENT, vec![vec![moment.into(), uuid::Uuid::nil().into()]]).await?;
            write_many(&mut uow, SET_COUNTER, vec![vec!["a".into(), 3_i64.into()]]).await?;
            uow.commit(()).await
        })
        .await;
    assert!(matches!(refused, Err(Failure::Store(StoreError::Corrupt(_)))), "{refused:?}");
    assert_eq!(get(&store, "a").await, Some(1));
    put(&store, "b", 1).await.unwrap();
}

#[tokio::test]
async fn write_skew_found_behind_the_last_writes_is_a_conflict() {
    let Some((_database, options)) = database().await else { return };
    let store = store_with(&options);
    put(&store, "ann", 1).await.unwrap();
    put(&store, "ben", 1).await.unwrap();
    let mut first = store.engine().begin(ACCESS).await.unwrap();
    let mut second = store.engine().begin(ACCESS).await.unwrap();
    first.run(READ_COUNTER, &["ben".into()]).await.unwrap();
    second.run(READ_COUNTER, &["ann".into()]).await.unwrap();
    let (ann, ben) = (["ann".into(), 0_i64.into()], ["ben".into(), 0_i64.into()]);
    first.commit_after(&[Call { statement: SET_COUNTER, values: &ann }]).await.unwrap();
    let lost = second.commit_after(&[Call { statement: SET_COUNTER, values: &ben }]).await;
    assert!(matches!(lost, Err(StoreError::Conflict)), "{lost:?}");
    assert_eq!((get(&store, "ann").await, get(&store, "ben").await), (Some(0), Some(1)));
}

async fn lose_the_commit(cut: Cut, kept: Option<i64>) {
    let Some((_database, options)) = database().await else { return };
    let direct = store_with(&options);
    let (proxy, options) = through_proxy(options).await;
    let store = store_with(&options);
    put(&store, "warm", 0).await.unwrap();
    proxy.cut(cut);
    let tries = AtomicU32::new(0);
    let lost = store
        .transact("lost", |mut uow| {
            tries.fetch_add(1, Ordering::SeqCst);
            async move {
                run(&mut uow, INSERT_COUNTER, &["a".into(), 1_i64.into()]).await?;
                uow.commit(()).await
            }
        })
        .await;
    assert!(matches!(lost, Err(Failure::Store(StoreError::OutcomeUnknown(_)))), "{lost:?}");
    assert_eq!(tries.load(Ordering::SeqCst), 1, "never re-run silently");
    assert_eq!(get(&direct, "a").await, kept);
    put(&store, "b", 1).await.unwrap();
}

#[tokio::test]
async fn a_commit_that_never_arrived_is_unknown() {
    lose_the_commit(Cut::BeforeCommit, None).await;
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_unknown() {
    lose_the_commit(Cut::AfterCommit, Some(1)).await;
}

#[tokio::test]
async fn write_skew_ends_in_a_conflict_for_one() {
    let Some((_database, options)) = database().await else { return };
    let store = store_with(&options);
    put(&store, "ann", 1).await.unwrap();
    put(&store, "ben", 1).await.unwrap();
    let mut first = store.engine().begin(ACCESS).await.unwrap();
    let mut second = store.engine().begin(ACCESS).await.unwrap();
    first.run(READ_COUNTER, &["ben".into()]).await.unwrap();
    second.run(READ_COUNTER, &["ann".into()]).await.unwrap();
    first.run(SET_COUNTER, &["ann".into(), 0_i64.into()]).await.unwrap();
    second.run(SET_COUNTER, &["ben".into(), 0_i64.into()]).await.unwrap();
    first.commit().await.unwrap();
    assert!(matches!(second.commit().await, Err(StoreError::Conflict)));
}

#[tokio::test]
async fn connections_that_died_while_idle_are_not_noticed() {
    let Some((_database, options)) = database().await else { return };
    let (proxy, through) = through_proxy(options).await;
    let store = store_with(&through);
    put(&store, "a", 1).await.unwrap();
    assert_eq!(get(&store, "a").await, Some(1));
    proxy.cut_all();
    put(&store, "b", 2).await.unwrap();
    assert_eq!(get(&store, "b").await, Some(2));
}

#[tokio::test]
async fn sessions_ended_by_the_server_are_not_noticed() {
    let Some((_database, options)) = database().await else { return };
    let (store, killer) = (store_with(&options), store_with(&options));
    put(&store, "a", 1).await.unwrap();
    assert_eq!(get(&store, "a").await, Some(1));
    run(&mut killer.reading(), &KILL_OTHERS, &[]).await.unwrap();
    put(&store, "b", 2).await.unwrap();
    assert_eq!(get(&store, "b").await, Some(2));
}

/// F33: the line to the database is cut and mended.
#[tokio::test]
async fn a_server_that_is_away_is_unavailable_and_found_again() {
    let Some((_database, options)) = database().await else { return };
    let (proxy, mut through) = through_proxy(options).await;
    through.acquire_timeout = Duration::from_secs(1);
    let store = store_with(&through);
    put(&store, "a", 1).await.unwrap();
    proxy.refuse(true);
    proxy.cut_all();
    let away = put(&store, "b", 1).await;
    assert!(matches!(away, Err(Failure::Store(StoreError::Unavailable(_)))), "{away:?}");
    let away = run(&mut store.reading(), READ_COUNTER, &["a".into()]).await;
    assert!(matches!(away, Err(StoreError::Unavailable(_))), "{away:?}");
    assert!(store.health().await.is_err());
    proxy.refuse(false);
    put(&store, "b", 2).await.unwrap();
    assert_eq!(get(&store, "b").await, Some(2));
    store.health().await.unwrap();
}

#[tokio::test]
async fn a_connection_lost_before_the_commit_is_unavailable() {
    let Some((_database, options)) = database().await else { return };
    let (proxy, through) = through_proxy(options).await;
    let store = store_with(&through);
    let mut transaction = store.engine().begin(ACCESS).await.unwrap();
    transaction.run(INSERT_COUNTER, &["a".into(), 1_i64.into()]).await.unwrap();
    proxy.cut_all();
    let lost = transaction.run(SET_COUNTER, &["a".into(), 2_i64.into()]).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    drop(transaction);
    assert_eq!(get(&store, "a").await, None);
}

/// F30: every connection is busy.
#[tokio::test]
async fn no_connection_in_time_is_unavailable() {
    let Some((_database, mut options)) = database().await else { return };
    options.max_connections = 1;
    options.acquire_timeout = Duration::from_millis(100);
    let store = store_with(&options);
    let held = store.engine().begin(ACCESS).await.unwrap();
    let second = store.engine().begin(ACCESS).await.err();
    assert!(matches!(second, Some(StoreError::Unavailable(_))), "{second:?}");
    drop(held);
    put(&store, "a", 1).await.unwrap();
}

#[tokio::test]
async fn a_dropped_transaction_leaves_its_connection_clean() {
    let Some((_database, mut options)) = database().await else { return };
    options.max_connections = 1;
    let store = store_with(&options);
    for _ in 0..10 {
        let mut transaction = store.engine().begin(ACCESS).await.unwrap();
        transaction.run(INSERT_COUNTER, &["a".into(), 1_i64.into()]).await.unwrap();
        drop(transaction);
    }
    assert_eq!(get(&store, "a").await, None);
    put(&store, "a", 1).await.unwrap();
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_given_up() {
    let Some((_database, mut options)) = database().await else { return };
    options.statement_timeout = Duration::from_millis(200);
    options.max_connections = 1;
    let store = store_with(&options);
    let mut transaction = store.engine().begin(ACCESS).await.unwrap();
    let late = transaction.run(&SLEEP, &[]).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    drop(transaction);
    let late = run(&mut store.reading(), &SLEEP, &[]).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    put(&store, "a", 1).await.unwrap();
    assert_eq!(get(&store, "a").await, Some(1));
}

/// Whoever goes away in the middle leaves an answer under way and a transaction open: the next user of the connection would
/// wait for the one and work inside of the other.
#[tokio::test]
async fn a_connection_that_was_left_in_the_middle_is_not_used_again() {
    let Some((_database, options)) = database().await else { return };
    let statement_timeout = Duration::from_secs(5);
    let store = store_with(&PostgresOptions { max_connections: 1, statement_timeout, ..options });
    let mut transaction = store.engine().begin(ACCESS).await.unwrap();
    transaction.run(INSERT_COUNTER, &["left".into(), 1_i64.into()]).await.unwrap();
    let left = tokio::time::timeout(Duration::from_millis(50), transaction.run(&SLEEP, &[])).await;
    assert!(left.is_err(), "{left:?}");
    drop(transaction);
    put(&store, "a", 1).await.unwrap();
    assert_eq!((get(&store, "a").await, get(&store, "left").await), (Some(1), None));
}

/// A pooler in transaction mode gives the next transaction another server session, where nothing is prepared.
/// F50: what a pooler in transaction mode needs.
#[tokio::test]
async fn nothing_is_prepared_where_statements_are_not_to_be() {
    let Some((_database, options)) = database().await else { return };
    for statement_cache in [true, false] {
        let store = store_with(&PostgresOptions { statement_cache, max_connections: 1, ..options.clone() });
        let mut transaction = store.engine().begin(ACCESS).await.unwrap();
        transaction.run(READ_COUNTER, &["a".into()]).await.unwrap();
        let prepared = transaction.run(&PREPARED, &[]).await.unwrap()[0].i64(0).unwrap();
        assert_eq!(prepared > 0, statement_cache, "{prepared}");
    }
}

/// ASVS V12.2.1
#[tokio::test]
async fn a_server_without_tls_is_refused_where_tls_is_required() {
    let Some((_database, mut options)) = database().await else { return };
    options.url = format!("{}{}sslmode=require", options.url, if options.url.contains('?') { '&' } else { '?' });
    let refused = put(&store_with(&options), "a", 1).await;
    assert!(matches!(refused, Err(Failure::Store(StoreError::Unavailable(_)))), "{refused:?}");
}

#[tokio::test]
async fn a_closed_engine_refuses_work() {
    let Some((_database, options)) = database().await else { return };
    let store = store_with(&options);
    put(&store, "a", 1).await.unwrap();
    store.engine().close().await;
    let late = put(&store, "b", 1).await;
    assert!(matches!(late, Err(Failure::Store(StoreError::Unavailable(_)))), "{late:?}");
}

#[tokio::test]
async fn closing_waits_for_the_unit_of_work_under_way() {
    let Some((_database, options)) = database().await else { return };
    let store = store_with(&options);
    let mut transaction = store.engine().begin(ACCESS).await.unwrap();
    transaction.run(INSERT_COUNTER, &["a".into(), 1_i64.into()]).await.unwrap();
    let engine = Arc::clone(store.engine());
    let closing = tokio::spawn(async move { engine.close().await });
    while !matches!(store.engine().begin(ACCESS).await.err(), Some(StoreError::Unavailable(_))) {
        tokio::task::yield_now().await;
    }
    assert!(!closing.is_finished());
    transaction.commit().await.unwrap();
    closing.await.unwrap();
    assert_eq!(get(&store_with(&options), "a").await, Some(1));
}

#[tokio::test]
async fn a_connection_that_was_idle_for_too_long_is_not_used_again() {
    let Some((_database, options)) = database().await else { return };
    for (idle_life, same) in [(Duration::from_secs(600), true), (Duration::ZERO, false)] {
        let store = store_with(&PostgresOptions { idle_life, max_connections: 1, ..options.clone() });
        let mut pids = Vec::new();
        for _ in 0..2 {
            let mut transaction = store.engine().begin(ACCESS).await.unwrap();
            pids.push(transaction.run(&BACKEND, &[]).await.unwrap()[0].i64(0).unwrap());
            transaction.commit().await.unwrap();
        }
        assert_eq!(pids[0] == pids[1], same, "{idle_life:?}");
    }
}
