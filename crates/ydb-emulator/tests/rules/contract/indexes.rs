//! What is read through an index is locked there, and what an index promises.

use ydb_emulator::StatusCode;

use crate::client::{Database, number, text};

const ITEMS: &str = "CREATE TABLE {items} (id Utf8 NOT NULL, owner Utf8, n Int64 NOT NULL, note Utf8,
    INDEX by_owner GLOBAL SYNC ON (owner) COVER (n), PRIMARY KEY (id))";

const INSERT: &str = "INSERT INTO {items} (id, owner, n) VALUES ($id, $owner, $n)";
const COVERED: &str = "SELECT id, n FROM {items} VIEW by_owner WHERE owner = $owner";
const MARK: &str = "INSERT INTO {items} (id, n) VALUES ('mark', 0)";

#[tokio::test]
async fn an_empty_stretch_of_an_index_is_locked_too() {
    let (database, one) = Database::with(&[ITEMS]).await;
    let other = database.session().await;
    let found = one.first(COVERED, &[("owner", text("o"))]).await.unwrap();
    assert!(found.rows().is_empty());
    other.run(INSERT, &[("id", text("a")), ("owner", text("o")), ("n", number(1))]).await.unwrap();
    assert_eq!(one.last(&found.tx, MARK, &[]).await.err().unwrap().status, StatusCode::Aborted);
}

#[tokio::test]
async fn rows_that_come_into_another_stretch_do_not_matter() {
    let (database, one) = Database::with(&[ITEMS]).await;
    let other = database.session().await;
    let tx = one.first(COVERED, &[("owner", text("o"))]).await.unwrap().tx;
    other.run(INSERT, &[("id", text("a")), ("owner", text("p")), ("n", number(1))]).await.unwrap();
    one.last(&tx, MARK, &[]).await.unwrap();
}

#[tokio::test]
async fn a_row_that_leaves_a_stretch_or_changes_in_it_breaks_it() {
    for change in ["owner = 'p'u", "n = 2"] {
        let (database, one) = Database::with(&[ITEMS]).await;
        let other = database.session().await;
        other.run(INSERT, &[("id", text("a")), ("owner", text("o")), ("n", number(1))]).await.unwrap();
        let tx = one.first(COVERED, &[("owner", text("o"))]).await.unwrap().tx;
        other.run(&format!("UPDATE {{items}} SET {change} WHERE id = 'a'"), &[]).await.unwrap();
        assert_eq!(one.last(&tx, MARK, &[]).await.err().unwrap().status, StatusCode::Aborted, "{change}");
    }
}

#[tokio::test]
async fn an_index_that_has_every_wanted_column_is_read_alone() {
    let (database, one) = Database::with(&[ITEMS]).await;
    let other = database.session().await;
    other.run(INSERT, &[("id", text("a")), ("owner", text("o")), ("n", number(1))]).await.unwrap();
    let change = "UPDATE {items} SET note = 'x'u WHERE id = 'a'";
    let tx = one.first(COVERED, &[("owner", text("o"))]).await.unwrap().tx;
    other.run(change, &[]).await.unwrap();
    one.last(&tx, MARK, &[]).await.unwrap();
    let with_row = "SELECT id, note FROM {items} VIEW by_owner WHERE owner = $owner";
    let tx = one.first(with_row, &[("owner", text("o"))]).await.unwrap().tx;
    other.run(&change.replace('x', "y"), &[]).await.unwrap();
    let refused = one.last(&tx, "UPSERT INTO {items} (id, n) VALUES ('mark', 1)", &[]).await.err().unwrap();
    assert_eq!(refused.status, StatusCode::Aborted);
}

#[tokio::test]
async fn a_unique_index_has_one_row_for_a_value_and_any_number_for_null() {
    let table = "CREATE TABLE {users} (id Utf8 NOT NULL, mail Utf8, INDEX one_mail GLOBAL UNIQUE SYNC ON (mail), PRIMARY KEY (id))";
    let (_database, one) = Database::with(&[table]).await;
    one.run("INSERT INTO {users} (id, mail) VALUES ('a', 'm'u), ('b', NULL), ('c', NULL)", &[]).await.unwrap();
    let refused = one.run("INSERT INTO {users} (id, mail) VALUES ('d', 'm'u)", &[]).await.err().unwrap();
    assert_eq!(refused.status, StatusCode::PreconditionFailed);
    one.run("UPSERT INTO {users} (id, mail) VALUES ('a', 'm'u)", &[]).await.unwrap();
    one.run("DELETE FROM {users} WHERE id = 'a'; INSERT INTO {users} (id, mail) VALUES ('d', 'm'u)", &[])
        .await
        .unwrap();
    let twins = "INSERT INTO {users} (id, mail) VALUES ('e', 'n'u), ('f', 'n'u)";
    assert_eq!(one.run(twins, &[]).await.err().unwrap().status, StatusCode::PreconditionFailed);
}
