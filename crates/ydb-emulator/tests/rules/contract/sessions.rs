//! Sessions: where they live and how long.

use ydb_emulator::StatusCode;
use ydb_grpc::ydb_proto::query::DeleteSessionRequest;

use crate::client::{Database, serializable};

#[tokio::test]
async fn a_session_that_nobody_knows_is_bad() {
    let (_database, mut one) = Database::with(&[]).await;
    one.id = "ydb://session/3?node_id=1&id=none".to_owned();
    assert_eq!(one.run("SELECT 1", &[]).await.err().unwrap().status, StatusCode::BadSession);
    assert_eq!(one.begin(serializable()).await.err().unwrap().status, StatusCode::BadSession);
}

#[tokio::test]
async fn a_deleted_session_is_bad_and_its_transaction_gone() {
    let table = "CREATE TABLE {items} (id Utf8 NOT NULL, PRIMARY KEY (id))";
    let (database, one) = Database::with(&[table]).await;
    one.first("UPSERT INTO {items} (id) VALUES ('a')", &[]).await.unwrap();
    let delete = DeleteSessionRequest { session_id: one.id.clone() };
    let answer = one.calls.clone().delete_session(delete).await.unwrap().into_inner();
    assert_eq!(answer.status, StatusCode::Success as i32);
    assert_eq!(one.run("SELECT 1", &[]).await.err().unwrap().status, StatusCode::BadSession);
    let other = database.session().await;
    assert!(other.run("SELECT id FROM {items} WHERE id = 'a'", &[]).await.unwrap().rows().is_empty());
}

#[tokio::test]
async fn a_session_ends_with_its_attach_stream() {
    let (database, one) = Database::with(&[]).await;
    let (calls, id) = (one.calls.clone(), one.id.clone());
    drop(one);
    let mut other = database.session().await;
    other.calls = calls;
    other.id = id;
    for _ in 0..500 {
        match other.run("SELECT 1", &[]).await {
            Err(refused) => return assert_eq!(refused.status, StatusCode::BadSession),
            Ok(_) => tokio::task::yield_now().await,
        }
    }
    panic!("the session is still there");
}

#[tokio::test]
async fn a_session_may_have_several_transactions_that_do_not_see_each_other() {
    let table = "CREATE TABLE {items} (id Utf8 NOT NULL, PRIMARY KEY (id))";
    let (_database, one) = Database::with(&[table]).await;
    let first = one.first("UPSERT INTO {items} (id) VALUES ('a')", &[]).await.unwrap().tx;
    let read = "SELECT id FROM {items} WHERE id = 'a'";
    assert!(one.run(read, &[]).await.unwrap().rows().is_empty());
    one.commit(&first).await.unwrap();
    assert_eq!(one.run(read, &[]).await.unwrap().rows(), [["a"]]);
}
