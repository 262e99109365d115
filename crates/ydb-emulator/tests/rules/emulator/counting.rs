//! Counters, and how writes spread over keys.

use ydb_emulator::Split;

use crate::client::{Database, number, text};

const TABLE: &str =
    "CREATE TABLE {items} (id Utf8 NOT NULL, at Int64 NOT NULL, INDEX by_at GLOBAL SYNC ON (at), PRIMARY KEY (id))";

#[tokio::test]
async fn calls_statements_and_transactions_are_counted() {
    let database = Database::new().await;
    let one = database.session().await;
    one.alter(TABLE).await.unwrap();
    database.emulator().reset_counters();
    let tx = one.first("SELECT id FROM {items} WHERE id = 'a'", &[]).await.unwrap().tx;
    one.more(&tx, "UPSERT INTO {items} (id, at) VALUES ('a', 1)", &[]).await.unwrap();
    one.commit(&tx).await.unwrap();
    let tx = one.first("SELECT id FROM {items} VIEW by_at WHERE at = 1", &[]).await.unwrap().tx;
    one.roll_back(&tx).await.unwrap();
    let counts = database.emulator().counters();
    assert_eq!((counts.round_trips(), counts.rpc("Query/ExecuteQuery")), (5, 3));
    assert_eq!((counts.committed, counts.rolled_back, counts.aborted), (1, 1, 0));
    let kinds: Vec<_> = counts.statements.keys().map(String::as_str).collect();
    assert_eq!(kinds, ["SELECT", "SELECT VIEW", "UPSERT"]);
    assert_eq!(database.emulator().open_sessions(), 1);
}

#[tokio::test]
async fn an_index_by_time_is_hot_and_keys_that_are_hashes_are_not() {
    let database = Database::new().await;
    let one = database.session().await;
    one.alter(TABLE).await.unwrap();
    for at in 0_i64..1_200 {
        let id = format!("{:016x}", at.unsigned_abs().wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let given = [("id", text(&id)), ("at", number(at))];
        one.run("INSERT INTO {items} (id, at) VALUES ($id, $at)", &given).await.unwrap();
    }
    let spread = database.emulator().spread(Split { partitions: 4, window: 300 });
    let of = |index: Option<&str>| spread.iter().find(|spread| spread.index.as_deref() == index).unwrap();
    let (table, index) = (of(None), of(Some("by_at")));
    assert_eq!((table.writes, table.locks, table.key.join(",")), (1_200, 1_200, "id".to_owned()));
    assert!(table.hottest_writes.unwrap() < 1.5 && table.hottest_locks.unwrap() < 1.5, "{table:?}");
    assert_eq!(index.hottest_writes, Some(4.0), "all in the last of four partitions");
    assert_eq!(index.key, ["at", "id"]);
    let row = "| `items` | `by_at` | at, id | 1200 | 0 | 4.00 | – | 1 |";
    assert!(ydb_emulator::markdown(&spread).contains(row), "{}", ydb_emulator::markdown(&spread));
}
