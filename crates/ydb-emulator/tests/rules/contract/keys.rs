//! INSERT, UPDATE and DELETE, row by row and many at once.

use ydb_emulator::{StatusCode, issue};

use crate::client::{Database, list, number, record, simple, text};
use ydb_grpc::ydb_proto::r#type::PrimitiveTypeId;

const ITEMS: &str = "CREATE TABLE {items} (id Utf8 NOT NULL, n Int64 NOT NULL, owner Utf8,
    INDEX by_owner GLOBAL SYNC ON (owner, n), PRIMARY KEY (id))";

const ALL: &str = "SELECT id, n, owner FROM {items} ORDER BY id";

#[tokio::test]
async fn insert_refuses_a_key_that_exists() {
    let (_database, one) = Database::with(&[ITEMS]).await;
    let insert = "INSERT INTO {items} (id, n) VALUES ($id, $n)";
    one.run(insert, &[("id", text("a")), ("n", number(1))]).await.unwrap();
    let refused = one.run(insert, &[("id", text("a")), ("n", number(2))]).await.err().unwrap();
    assert_eq!(refused.status, StatusCode::PreconditionFailed);
    assert!(refused.issues.contains(&issue::CONSTRAINT_VIOLATION), "{refused:?}");
    assert_eq!(one.run(ALL, &[]).await.unwrap().rows(), [["a", "1", "NULL"]]);
}

#[tokio::test]
async fn one_text_with_a_refused_insert_writes_nothing() {
    let (_database, one) = Database::with(&[ITEMS]).await;
    one.run("INSERT INTO {items} (id, n) VALUES ('a', 1)", &[]).await.unwrap();
    let both = "UPSERT INTO {items} (id, n) VALUES ('b', 1); INSERT INTO {items} (id, n) VALUES ('a', 2)";
    assert_eq!(one.run(both, &[]).await.err().unwrap().status, StatusCode::PreconditionFailed);
    assert_eq!(one.run(ALL, &[]).await.unwrap().rows().len(), 1);
}

#[tokio::test]
async fn lists_of_structs_are_written_as_tables() {
    let (_database, one) = Database::with(&[ITEMS]).await;
    let row = |id: &str, n: i64| record(&[("id", text(id)), ("n", number(n))]);
    let rows = list(row("", 0).r#type.unwrap(), vec![row("a", 1), row("b", 2)]);
    let insert = "DECLARE $rows AS List<Struct<id:Utf8,n:Int64>>; INSERT INTO {items} SELECT * FROM AS_TABLE($rows)";
    one.run(insert, &[("rows", rows.clone())]).await.unwrap();
    assert_eq!(one.run(ALL, &[]).await.unwrap().rows(), [["a", "1", "NULL"], ["b", "2", "NULL"]]);
    assert_eq!(one.run(insert, &[("rows", rows)]).await.err().unwrap().status, StatusCode::PreconditionFailed);
    let none = list(row("", 0).r#type.unwrap(), vec![]);
    one.run(insert, &[("rows", none)]).await.unwrap();
    let changed = list(row("", 0).r#type.unwrap(), vec![row("b", 5), row("c", 6)]);
    one.run("UPDATE {items} ON SELECT * FROM AS_TABLE($rows)", &[("rows", changed)]).await.unwrap();
    assert_eq!(one.run(ALL, &[]).await.unwrap().rows(), [["a", "1", "NULL"], ["b", "5", "NULL"]], "no row is made");
    let key = |id: &str| record(&[("id", text(id))]);
    let gone = list(key("").r#type.unwrap(), vec![key("a"), key("x")]);
    one.run("DELETE FROM {items} ON SELECT * FROM AS_TABLE($rows)", &[("rows", gone)]).await.unwrap();
    assert_eq!(one.run(ALL, &[]).await.unwrap().rows(), [["b", "5", "NULL"]]);
}

#[tokio::test]
async fn update_and_delete_go_by_the_key_and_compute() {
    let (_database, one) = Database::with(&[ITEMS]).await;
    one.run("INSERT INTO {items} (id, n) VALUES ('a', 1), ('b', 2)", &[]).await.unwrap();
    let update = "UPDATE {items} SET n = n + $by, owner = 'o'u WHERE id = $id AND n = 1";
    one.run(update, &[("by", number(10)), ("id", text("a"))]).await.unwrap();
    one.run(update, &[("by", number(10)), ("id", text("b"))]).await.unwrap();
    one.run(update, &[("by", number(10)), ("id", text("none"))]).await.unwrap();
    assert_eq!(one.run(ALL, &[]).await.unwrap().rows(), [["a", "11", "o"], ["b", "2", "NULL"]]);
    one.run("DELETE FROM {items} WHERE id = $id", &[("id", text("a"))]).await.unwrap();
    assert_eq!(one.run(ALL, &[]).await.unwrap().rows(), [["b", "2", "NULL"]]);
}

#[tokio::test]
async fn an_index_follows_its_rows() {
    let (_database, one) = Database::with(&[ITEMS]).await;
    let by_owner = "SELECT id FROM {items} VIEW by_owner WHERE owner = $o ORDER BY owner, n, id";
    let by_owner = &by_owner.replace("SELECT id", "SELECT id, n, owner");
    one.run("INSERT INTO {items} (id, n, owner) VALUES ('a', 2, 'o'u), ('b', 1, 'o'u), ('c', 1, 'p'u)", &[])
        .await
        .unwrap();
    let ids = |done: crate::client::Done| done.rows().into_iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    assert_eq!(ids(one.run(by_owner, &[("o", text("o"))]).await.unwrap()), ["b", "a"]);
    one.run("UPDATE {items} SET owner = 'p'u WHERE id = 'a'", &[]).await.unwrap();
    assert_eq!(ids(one.run(by_owner, &[("o", text("o"))]).await.unwrap()), ["b"]);
    assert_eq!(ids(one.run(by_owner, &[("o", text("p"))]).await.unwrap()), ["c", "a"]);
    one.run("DELETE FROM {items} WHERE id = 'c'", &[]).await.unwrap();
    assert_eq!(ids(one.run(by_owner, &[("o", text("p"))]).await.unwrap()), ["a"]);
    let found = one.first("UPSERT INTO {items} (id, n, owner) VALUES ('d', 9, 'p'u)", &[]).await.unwrap();
    assert_eq!(ids(one.more(&found.tx, by_owner, &[("o", text("p"))]).await.unwrap()), ["a", "d"], "its own write");
    one.roll_back(&found.tx).await.unwrap();
    let gone = "DELETE FROM {items} ON SELECT id FROM {items} VIEW by_owner WHERE owner = $o";
    one.run(gone, &[("o", text("p"))]).await.unwrap();
    assert_eq!(ids(one.run(ALL, &[]).await.unwrap()), ["b"]);
}

#[tokio::test]
async fn keys_in_a_list_are_points() {
    let (_database, one) = Database::with(&[ITEMS]).await;
    one.run("INSERT INTO {items} (id, n) VALUES ('a', 1), ('b', 2), ('c', 3)", &[]).await.unwrap();
    let keys = list(simple(PrimitiveTypeId::Utf8), vec![text("c"), text("a"), text("x")]);
    let found = one.run("SELECT id FROM {items} WHERE id IN $keys ORDER BY id", &[("keys", keys)]).await.unwrap();
    assert_eq!(found.rows(), [["a"], ["c"]]);
}
