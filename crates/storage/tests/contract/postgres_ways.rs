//! The way to PostgreSQL: what is swallowed by the network, and what is refused however long one waits.

use std::{sync::Arc, time::Duration};

use userd_storage::{
    Failure, Store, StoreError,
    engines::PostgresOptions,
    testing::{TestDatabase, run},
};

use crate::{
    fixture::{READ_COUNTER, get, put},
    postgres::{ACCESS, database, store_with, through_proxy},
};

/// Units of work and reads at the same time, so that there are connections of both kinds.
async fn open_connections(store: &Store, count: usize) {
    let mut open = Vec::new();
    for _ in 0..count {
        let mut transaction = store.engine().begin(ACCESS).await.unwrap();
        transaction.run(READ_COUNTER, &["a".into()]).await.unwrap();
        open.push(transaction);
    }
    for _ in 0..4 {
        get(store, "a").await;
    }
    for transaction in open {
        transaction.commit().await.unwrap();
    }
}

/// Often enough for every connection to have its turn.
async fn work_goes_on(store: &Store) {
    for number in 0..12 {
        let name = format!("after-{number}");
        put(store, &name, number).await.unwrap();
        assert_eq!(get(store, &name).await, Some(number));
    }
}

/// The network swallows what is sent, as when a firewall forgets the lines or a machine loses its power: of all idle
/// connections only the first to be used costs its deadline, whichever kind it is of (fault 26).
/// F46: partial network loss.
#[tokio::test]
async fn swallowed_connections_cost_one_deadline_and_not_one_each() {
    for reads_first in [true, false] {
        let Some((_database, mut options)) = database().await else { return };
        options.statement_timeout = Duration::from_millis(700);
        options.max_connections = 4;
        let (proxy, through) = through_proxy(options).await;
        let store = store_with(&through);
        put(&store, "a", 1).await.unwrap();
        open_connections(&store, 4).await;
        assert_eq!(proxy.swallow_all(), 6, "four and two");
        let first = match reads_first {
            true => run(&mut store.reading(), READ_COUNTER, &["a".into()]).await.map(|_| ()).map_err(Failure::Store),
            false => put(&store, "never", 2).await,
        };
        assert!(matches!(first, Err(Failure::Store(StoreError::Unavailable(_)))), "{first:?}");
        work_goes_on(&store).await;
        open_connections(&store, 4).await;
    }
}

/// The same when it is not the deadline that ends the wait, but whoever asked (fault 26).
#[tokio::test]
async fn swallowed_connections_are_known_when_a_caller_gives_up_waiting() {
    let Some((_database, mut options)) = database().await else { return };
    options.statement_timeout = Duration::from_secs(60);
    let (proxy, through) = through_proxy(options).await;
    let store = store_with(&through);
    put(&store, "a", 1).await.unwrap();
    open_connections(&store, 4).await;
    proxy.swallow_all();
    let given_up = tokio::time::timeout(Duration::from_millis(1_200), put(&store, "never", 2)).await;
    assert!(given_up.is_err());
    work_goes_on(&store).await;
}

/// Readers who share a connection that is swallowed do not wait one after the other (fault 26).
#[tokio::test]
async fn a_reader_who_came_late_to_a_swallowed_connection_does_not_wait_as_long_again() {
    let Some((_database, mut options)) = database().await else { return };
    options.statement_timeout = Duration::from_secs(2);
    options.read_connections = 1;
    let (proxy, through) = through_proxy(options).await;
    let store = Arc::new(store_with(&through));
    put(&store, "a", 1).await.unwrap();
    get(&store, "a").await;
    proxy.swallow_all();
    let first = tokio::spawn({
        let store = Arc::clone(&store);
        async move { run(&mut store.reading(), READ_COUNTER, &["a".into()]).await.map(|_| ()) }
    });
    let began = std::time::Instant::now();
    // Somebody asks while the first one's time is not over yet: nobody knows of the hole.
    while began.elapsed() < Duration::from_millis(1_000) {
        tokio::task::yield_now().await;
    }
    assert_eq!(get(&store, "a").await, Some(1), "asked again on a new connection");
    assert!(matches!(first.await.unwrap(), Err(StoreError::Unavailable(_))));
}

/// (fault 26)
#[tokio::test]
async fn a_database_in_another_encoding_is_refused_with_what_to_do() {
    let Some(database) = TestDatabase::create_latin1().await.unwrap() else { return };
    let store = store_with(&PostgresOptions::at(database.url().unwrap()));
    let refused = store.health().await;
    assert!(
        matches!(&refused, Err(StoreError::Unusable(why)) if why.contains("LATIN1") && why.contains("ENCODING 'UTF8'")),
        "{refused:?}"
    );
}

/// What waiting does not mend is told apart from a server that is away (fault 26).
#[tokio::test]
async fn a_database_that_does_not_exist_and_a_wrong_password_are_not_waited_for() {
    let Some((_database, options)) = database().await else { return };
    let mut nowhere = url::Url::parse(&options.url).unwrap();
    nowhere.set_path("/nobody_made_this");
    let refused = store_with(&PostgresOptions { url: nowhere.to_string(), ..options.clone() }).health().await;
    assert!(matches!(&refused, Err(StoreError::Unusable(why)) if why.contains("CREATE DATABASE")), "{refused:?}");
    let mut nobody = url::Url::parse(&options.url).unwrap();
    nobody.set_username("nobody_made_this_role").unwrap();
    let refused = store_with(&PostgresOptions { url: nobody.to_string(), ..options }).health().await;
    assert!(matches!(&refused, Err(StoreError::Unusable(why)) if why.contains("database.url")), "{refused:?}");
}
