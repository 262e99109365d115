//! Tables made, altered and dropped.

use ydb_emulator::StatusCode;

use crate::client::{Database, text};

const ITEMS: &str = "CREATE TABLE IF NOT EXISTS {items} (
        id Utf8 NOT NULL, n Int64 NOT NULL, kind Utf8, until Timestamp, PRIMARY KEY (id)
    ) WITH (
        AUTO_PARTITIONING_BY_SIZE = ENABLED, AUTO_PARTITIONING_BY_LOAD = ENABLED,
        AUTO_PARTITIONING_MIN_PARTITIONS_COUNT = 4, AUTO_PARTITIONING_MAX_PARTITIONS_COUNT = 16,
        KEY_BLOOM_FILTER = ENABLED, TTL = Interval(\"P1D\") ON until
    )";

#[tokio::test]
async fn if_not_exists_leaves_what_is_there() {
    let (_database, one) = Database::with(&[ITEMS, ITEMS]).await;
    assert!(one.alter(&ITEMS.replace("IF NOT EXISTS ", "")).await.is_err());
}

#[tokio::test]
async fn a_column_is_added_and_dropped() {
    let (_database, one) = Database::with(&[ITEMS]).await;
    one.run("INSERT INTO {items} (id, n) VALUES ('a', 1)", &[]).await.unwrap();
    one.alter("ALTER TABLE {items} ADD COLUMN extra Utf8").await.unwrap();
    let read = "SELECT extra, n FROM {items} WHERE id = 'a'";
    assert_eq!(one.run(read, &[]).await.unwrap().rows(), [["NULL", "1"]]);
    one.run("UPDATE {items} SET extra = 'x'u WHERE id = 'a'", &[]).await.unwrap();
    assert_eq!(one.run(read, &[]).await.unwrap().rows(), [["x", "1"]]);
    one.alter("ALTER TABLE {items} DROP COLUMN kind").await.unwrap();
    assert_eq!(one.run(read, &[]).await.unwrap().rows(), [["x", "1"]]);
    assert!(one.alter("ALTER TABLE {items} DROP COLUMN id").await.is_err());
}

#[tokio::test]
async fn an_index_is_built_over_the_rows_that_are_there() {
    let (_database, one) = Database::with(&[ITEMS]).await;
    one.run("INSERT INTO {items} (id, n, kind) VALUES ('a', 1, 'x'u), ('b', 2, 'y'u)", &[]).await.unwrap();
    one.alter("ALTER TABLE {items} ADD INDEX by_kind GLOBAL SYNC ON (kind)").await.unwrap();
    one.alter(
        "ALTER TABLE {items} ALTER INDEX by_kind SET (AUTO_PARTITIONING_BY_LOAD = ENABLED,
            AUTO_PARTITIONING_MIN_PARTITIONS_COUNT = 4)",
    )
    .await
    .unwrap();
    let read = "SELECT id FROM {items} VIEW by_kind WHERE kind = $k";
    assert_eq!(one.run(read, &[("k", text("y"))]).await.unwrap().rows(), [["b"]]);
    one.alter("ALTER TABLE {items} DROP INDEX by_kind").await.unwrap();
    assert!(one.run(read, &[("k", text("y"))]).await.is_err());
}

#[tokio::test]
async fn a_table_that_is_dropped_is_gone() {
    let (_database, one) = Database::with(&[ITEMS]).await;
    one.alter("DROP TABLE {items}").await.unwrap();
    let refused = one.run("SELECT n FROM {items} WHERE id = 'a'", &[]).await.err().unwrap();
    assert_eq!(refused.status, StatusCode::SchemeError);
    assert!(one.alter("DROP TABLE {items}").await.is_err());
    one.alter("DROP TABLE IF EXISTS {items}").await.unwrap();
}

#[tokio::test]
async fn settings_that_nobody_knows_are_refused() {
    let (_database, one) = Database::with(&[ITEMS]).await;
    assert!(one.alter("ALTER TABLE {items} SET (AUTO_SOMETHING = ENABLED)").await.is_err());
    assert!(one.alter("ALTER TABLE {items} SET (TTL = Interval(\"PT0S\") ON n)").await.is_err());
    one.alter("ALTER TABLE {items} SET (TTL = Interval(\"PT0S\") ON until)").await.unwrap();
    one.alter("ALTER TABLE {items} RESET (TTL)").await.unwrap();
}

#[tokio::test]
async fn defaults_fill_what_an_insert_leaves_out() {
    let defaults =
        "CREATE TABLE {rows} (id Utf8 NOT NULL, n Int64 NOT NULL DEFAULT 7, t Utf8 DEFAULT 'x'u, PRIMARY KEY (id))";
    let (_database, one) = Database::with(&[defaults]).await;
    one.run("INSERT INTO {rows} (id) VALUES ('a')", &[]).await.unwrap();
    assert_eq!(one.run("SELECT n, t FROM {rows} WHERE id = 'a'", &[]).await.unwrap().rows(), [["7", "x"]]);
}
