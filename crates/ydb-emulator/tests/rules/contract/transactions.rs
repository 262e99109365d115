//! Who sees what, and who may commit. After YDB's own tests of locks and of transactions.

use ydb_emulator::{StatusCode, issue};

use crate::client::{Database, Refused, Session, number, serializable, text};

const ITEMS: &str = "CREATE TABLE {items} (id Utf8 NOT NULL, n Int64 NOT NULL, note Utf8, PRIMARY KEY (id))";
const PAIRS: &str = "CREATE TABLE {pairs} (a Utf8 NOT NULL, b Utf8 NOT NULL, n Int64, PRIMARY KEY (a, b))";

const UPSERT: &str = "UPSERT INTO {items} (id, n) VALUES ($id, $n)";
const READ: &str = "SELECT n FROM {items} WHERE id = $id";

async fn put(session: &Session, id: &str, n: i64) {
    session.run(UPSERT, &[("id", text(id)), ("n", number(n))]).await.unwrap();
}

async fn read(session: &Session, id: &str) -> Vec<Vec<String>> {
    session.run(READ, &[("id", text(id))]).await.unwrap().rows()
}

#[track_caller]
fn is_aborted(refused: &Refused) {
    assert_eq!(refused.status, StatusCode::Aborted, "{refused:?}");
    assert!(refused.issues.contains(&issue::LOCKS_INVALIDATED), "{refused:?}");
}

#[tokio::test]
async fn a_transaction_reads_its_own_writes_and_nobody_else_does_before_the_commit() {
    let (database, one) = Database::with(&[ITEMS]).await;
    let other = database.session().await;
    let tx = one.first(UPSERT, &[("id", text("a")), ("n", number(1))]).await.unwrap().tx;
    assert_eq!(one.more(&tx, READ, &[("id", text("a"))]).await.unwrap().rows(), [["1"]]);
    assert!(read(&other, "a").await.is_empty());
    one.commit(&tx).await.unwrap();
    assert_eq!(read(&other, "a").await, [["1"]]);
}

#[tokio::test]
async fn all_reads_of_a_transaction_are_of_the_moment_of_its_first() {
    let (database, one) = Database::with(&[ITEMS]).await;
    let other = database.session().await;
    put(&other, "a", 1).await;
    put(&other, "b", 1).await;
    let tx = one.first(READ, &[("id", text("a"))]).await.unwrap().tx;
    put(&other, "b", 2).await;
    assert_eq!(one.more(&tx, READ, &[("id", text("b"))]).await.unwrap().rows(), [["1"]]);
    one.commit(&tx).await.unwrap();
}

#[tokio::test]
async fn a_row_that_was_read_and_then_written_by_another_refuses_the_commit() {
    let (database, one) = Database::with(&[ITEMS]).await;
    let other = database.session().await;
    put(&other, "a", 1).await;
    let tx = one.first(READ, &[("id", text("a"))]).await.unwrap().tx;
    put(&other, "a", 2).await;
    let written = one.more(&tx, UPSERT, &[("id", text("b")), ("n", number(9))]).await;
    let refused = match written {
        Ok(_) => one.commit(&tx).await.unwrap_err(),
        Err(refused) => refused,
    };
    is_aborted(&refused);
    assert!(refused.message.contains("items"), "{refused:?}");
    assert!(read(&other, "b").await.is_empty(), "nothing of it is there");
}

#[tokio::test]
async fn the_commit_with_the_last_statement_is_refused_as_well() {
    let (database, one) = Database::with(&[ITEMS]).await;
    let other = database.session().await;
    put(&other, "a", 1).await;
    let tx = one.first(READ, &[("id", text("a"))]).await.unwrap().tx;
    put(&other, "a", 2).await;
    is_aborted(&one.last(&tx, UPSERT, &[("id", text("a")), ("n", number(3))]).await.err().unwrap());
    assert_eq!(read(&other, "a").await, [["2"]]);
}

#[tokio::test]
async fn an_empty_stretch_that_was_read_is_locked_too() {
    let (database, one) = Database::with(&[PAIRS]).await;
    let other = database.session().await;
    let list = "SELECT b FROM {pairs} WHERE a = $a ORDER BY b";
    let write = "UPSERT INTO {pairs} (a, b, n) VALUES ($a, $b, 1)";
    let found = one.first(list, &[("a", text("x"))]).await.unwrap();
    assert!(found.rows().is_empty());
    other.run(write, &[("a", text("x")), ("b", text("2"))]).await.unwrap();
    is_aborted(&one.last(&found.tx, write, &[("a", text("x")), ("b", text("1"))]).await.err().unwrap());
}

#[tokio::test]
async fn a_stretch_that_was_overwritten_before_it_was_read_is_broken_at_once() {
    let (database, one) = Database::with(&[PAIRS]).await;
    let other = database.session().await;
    let list = "SELECT b FROM {pairs} WHERE a = $a ORDER BY b";
    let write = "UPSERT INTO {pairs} (a, b, n) VALUES ($a, $b, 1)";
    let tx = one.first(list, &[("a", text("w"))]).await.unwrap().tx;
    other.run(write, &[("a", text("x")), ("b", text("2"))]).await.unwrap();
    let both = format!("{list}; {write}");
    is_aborted(&one.last(&tx, &both, &[("a", text("x")), ("b", text("1"))]).await.err().unwrap());
}

#[tokio::test]
async fn other_keys_do_not_matter() {
    let (database, one) = Database::with(&[ITEMS]).await;
    let other = database.session().await;
    let tx = one.first(READ, &[("id", text("a"))]).await.unwrap().tx;
    put(&other, "b", 2).await;
    one.last(&tx, UPSERT, &[("id", text("a")), ("n", number(1))]).await.unwrap();
}

#[tokio::test]
async fn two_blind_upserts_both_commit_and_the_last_one_stays() {
    let (database, one) = Database::with(&[ITEMS]).await;
    let other = database.session().await;
    let first = one.first(UPSERT, &[("id", text("a")), ("n", number(1))]).await.unwrap().tx;
    let second = other.first(UPSERT, &[("id", text("a")), ("n", number(2))]).await.unwrap().tx;
    other.commit(&second).await.unwrap();
    one.commit(&first).await.unwrap();
    assert_eq!(read(&one, "a").await, [["1"]]);
}

#[tokio::test]
async fn an_upsert_leaves_the_cells_that_it_does_not_name() {
    let (_database, one) = Database::with(&[ITEMS]).await;
    one.run("UPSERT INTO {items} (id, n, note) VALUES ('a', 1, 'kept'u)", &[]).await.unwrap();
    put(&one, "a", 2).await;
    let whole = "SELECT n, note FROM {items} WHERE id = $id";
    assert_eq!(one.run(whole, &[("id", text("a"))]).await.unwrap().rows(), [["2", "kept"]]);
    one.run("REPLACE INTO {items} (id, n) VALUES ('a', 3)", &[]).await.unwrap();
    assert_eq!(one.run(whole, &[("id", text("a"))]).await.unwrap().rows(), [["3", "NULL"]]);
}

#[tokio::test]
async fn write_skew_is_refused() {
    let (database, one) = Database::with(&[ITEMS]).await;
    let other = database.session().await;
    put(&one, "a", 1).await;
    put(&one, "b", 1).await;
    let first = one.first(READ, &[("id", text("b"))]).await.unwrap().tx;
    let second = other.first(READ, &[("id", text("a"))]).await.unwrap().tx;
    one.last(&first, UPSERT, &[("id", text("a")), ("n", number(0))]).await.unwrap();
    is_aborted(&other.last(&second, UPSERT, &[("id", text("b")), ("n", number(0))]).await.err().unwrap());
}

#[tokio::test]
async fn a_transaction_that_only_read_commits_although_others_wrote() {
    let (database, one) = Database::with(&[ITEMS]).await;
    let other = database.session().await;
    put(&other, "a", 1).await;
    let tx = one.first(READ, &[("id", text("a"))]).await.unwrap().tx;
    put(&other, "a", 2).await;
    one.commit(&tx).await.unwrap();
}

#[tokio::test]
async fn a_finished_transaction_is_not_found() {
    let (_database, one) = Database::with(&[ITEMS]).await;
    let tx = one.begin(serializable()).await.unwrap();
    one.more(&tx, UPSERT, &[("id", text("a")), ("n", number(1))]).await.unwrap();
    one.commit(&tx).await.unwrap();
    let refused = one.commit(&tx).await.unwrap_err();
    assert_eq!(refused.status, StatusCode::NotFound);
    assert!(refused.issues.contains(&issue::TRANSACTION_NOT_FOUND));
    assert_eq!(one.more(&tx, READ, &[("id", text("a"))]).await.err().unwrap().status, StatusCode::NotFound);
}

#[tokio::test]
async fn a_rolled_back_transaction_leaves_nothing() {
    let (_database, one) = Database::with(&[ITEMS]).await;
    let tx = one.first(UPSERT, &[("id", text("a")), ("n", number(1))]).await.unwrap().tx;
    one.roll_back(&tx).await.unwrap();
    assert!(read(&one, "a").await.is_empty());
    assert_eq!(one.commit(&tx).await.unwrap_err().status, StatusCode::NotFound);
}

#[tokio::test]
async fn a_failed_statement_ends_its_transaction() {
    let (_database, one) = Database::with(&[ITEMS]).await;
    put(&one, "a", 1).await;
    let tx = one.begin(serializable()).await.unwrap();
    let insert = "INSERT INTO {items} (id, n) VALUES ('a', 2)";
    assert_eq!(one.more(&tx, insert, &[]).await.err().unwrap().status, StatusCode::PreconditionFailed);
    let refused = one.more(&tx, UPSERT, &[("id", text("b")), ("n", number(1))]).await.err().unwrap();
    assert_eq!(refused.status, StatusCode::NotFound);
}

#[tokio::test]
async fn a_snapshot_sees_one_moment_and_may_not_write() {
    let (database, one) = Database::with(&[ITEMS]).await;
    let other = database.session().await;
    put(&other, "a", 1).await;
    let mode = ydb_grpc::ydb_proto::query::transaction_settings::TxMode::SnapshotReadOnly(
        ydb_grpc::ydb_proto::query::SnapshotModeSettings {},
    );
    let tx = one.begin(mode).await.unwrap();
    assert_eq!(one.more(&tx, READ, &[("id", text("a"))]).await.unwrap().rows(), [["1"]]);
    put(&other, "a", 2).await;
    assert_eq!(one.more(&tx, READ, &[("id", text("a"))]).await.unwrap().rows(), [["1"]]);
    one.commit(&tx).await.unwrap();
    let refused = one.snapshot(UPSERT, &[("id", text("a")), ("n", number(3))]).await.err().unwrap();
    assert_eq!(refused.status, StatusCode::GenericError);
    assert!(refused.issues.contains(&issue::BAD_OPERATION));
}

#[tokio::test]
async fn tables_are_not_made_inside_a_transaction() {
    let (_database, one) = Database::with(&[]).await;
    let tx = one.begin(serializable()).await.unwrap();
    assert!(one.more(&tx, ITEMS, &[]).await.is_err());
    assert!(one.run(ITEMS, &[]).await.is_err());
    one.alter(ITEMS).await.unwrap();
}

#[tokio::test]
async fn many_who_count_up_one_row_count_right_when_they_try_again() {
    let (database, one) = Database::with(&[ITEMS]).await;
    put(&one, "a", 0).await;
    let database = std::sync::Arc::new(database);
    let counting = (0..8).map(|_| {
        let database = std::sync::Arc::clone(&database);
        tokio::spawn(async move {
            let session = database.session().await;
            for _ in 0..5 {
                loop {
                    let found = session.first(READ, &[("id", text("a"))]).await.unwrap();
                    let n: i64 = found.rows()[0][0].parse().unwrap();
                    match session.last(&found.tx, UPSERT, &[("id", text("a")), ("n", number(n + 1))]).await {
                        Ok(_) => break,
                        Err(refused) => is_aborted(&refused),
                    }
                }
            }
        })
    });
    for counter in counting.collect::<Vec<_>>() {
        counter.await.unwrap();
    }
    assert_eq!(read(&one, "a").await, [["40"]]);
}
