//! No statement reads a whole table or sorts: the server would do it, and be slow.

use ydb_emulator::issue;

use crate::client::{Database, Session, text};

const EVENTS: &str = "CREATE TABLE {events} (tenant Utf8 NOT NULL, at Int64 NOT NULL, id Utf8 NOT NULL, owner Utf8,
    INDEX by_owner GLOBAL SYNC ON (owner, at), PRIMARY KEY (tenant, at, id))";

async fn is_refused(session: &Session, text: &str) {
    let refused = session.run(text, &[]).await.err().unwrap_or_else(|| panic!("it ran: {text}"));
    assert!(refused.issues.contains(&issue::FULL_SCAN), "{text}: {refused:?}");
}

#[tokio::test]
async fn whoever_names_no_key_is_refused() {
    let (database, one) = Database::with(&[EVENTS]).await;
    for text in [
        "SELECT id FROM {events}",
        "SELECT COUNT(*) FROM {events}",
        "SELECT id FROM {events} WHERE id = 'a'u",
        "SELECT id FROM {events} WHERE owner = 'o'u",
        "SELECT id FROM {events} WHERE tenant = 't'u OR tenant = 'u'u",
        "SELECT id FROM {events} VIEW by_owner WHERE at = 1",
        "UPDATE {events} SET owner = 'p'u WHERE owner = 'o'u",
        "DELETE FROM {events} WHERE owner = 'o'u",
        "DELETE FROM {events}",
        "SELECT a.id AS a, b.id AS b FROM {events} AS a JOIN {events} AS b ON b.id = a.id WHERE a.tenant = 't'u",
    ] {
        is_refused(&one, text).await;
    }
    assert_eq!(database.emulator().counters().full_scans_refused, 10);
}

#[tokio::test]
async fn whoever_wants_another_order_than_the_keys_is_refused() {
    let (_database, one) = Database::with(&[EVENTS]).await;
    for text in [
        "SELECT id, owner FROM {events} WHERE tenant = 't'u ORDER BY owner",
        "SELECT at, id FROM {events} WHERE tenant = 't'u ORDER BY id",
        "SELECT at, id FROM {events} WHERE tenant = 't'u ORDER BY at DESC, id",
        "SELECT at, id FROM {events} VIEW by_owner WHERE owner = 'o'u ORDER BY id",
    ] {
        is_refused(&one, text).await;
    }
    let unseen = one.run("SELECT id FROM {events} WHERE tenant = 't'u ORDER BY at", &[]).await.err().unwrap();
    assert!(unseen.message.contains("ORDER BY"), "{unseen:?}");
}

#[tokio::test]
async fn a_small_table_may_be_listed_along_its_key_and_that_is_counted() {
    let (database, one) = Database::with(&[EVENTS]).await;
    one.run("SELECT tenant, at, id FROM {events} ORDER BY tenant, at, id", &[]).await.unwrap();
    one.run("SELECT tenant FROM {events} WHERE tenant > $t ORDER BY tenant", &[("t", text(""))]).await.unwrap();
    let counted = database.emulator().counters().whole_table_reads;
    assert_eq!(counted.into_iter().collect::<Vec<_>>(), [("/local/events".to_owned(), 1)]);
}
