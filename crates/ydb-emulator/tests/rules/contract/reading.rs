//! Lists, pages and joins.

use crate::client::{Database, Session, count, number, text};

const EVENTS: &str =
    "CREATE TABLE {events} (tenant Utf8 NOT NULL, at Int64 NOT NULL, id Utf8 NOT NULL, owner Utf8 NOT NULL,
    INDEX by_owner GLOBAL SYNC ON (owner, at), PRIMARY KEY (tenant, at, id))";
const PEOPLE: &str = "CREATE TABLE {people} (id Utf8 NOT NULL, name Utf8, PRIMARY KEY (id))";

async fn filled() -> (Database, Session) {
    let (database, one) = Database::with(&[EVENTS, PEOPLE]).await;
    let insert = "INSERT INTO {events} (tenant, at, id, owner) VALUES ($tenant, $at, $id, 'o'u)";
    for (tenant, at, id) in [("t", 1, "a"), ("t", 2, "b"), ("t", 2, "c"), ("t", 3, "d"), ("u", 1, "e")] {
        let given = [("tenant", text(tenant)), ("at", number(at)), ("id", text(id))];
        one.run(insert, &given).await.unwrap();
    }
    one.run("INSERT INTO {people} (id, name) VALUES ('o', 'Olga'u)", &[]).await.unwrap();
    (database, one)
}

fn ids(done: &crate::client::Done) -> String {
    done.rows().iter().map(|row| row.last().unwrap().as_str()).collect()
}

#[tokio::test]
async fn pages_go_on_behind_the_last_row() {
    let (_database, one) = filled().await;
    let page = "SELECT tenant, at, id FROM {events} WHERE tenant = $t AND (at, id) > ($at, $id)
        ORDER BY tenant, at, id LIMIT $n";
    let given = |at, id: &str, n| [("t", text("t")), ("at", number(at)), ("id", text(id)), ("n", count(n))];
    assert_eq!(ids(&one.run(page, &given(0, "", 2)).await.unwrap()), "ab");
    assert_eq!(ids(&one.run(page, &given(2, "b", 2)).await.unwrap()), "cd");
    assert_eq!(ids(&one.run(page, &given(3, "d", 2)).await.unwrap()), "");
    let back = "SELECT tenant, at, id FROM {events} WHERE tenant = $t AND (at, id) < ($at, $id)
        ORDER BY tenant DESC, at DESC, id DESC LIMIT $n";
    assert_eq!(ids(&one.run(back, &given(2, "c", 2)).await.unwrap()), "ba");
    let whole = "SELECT at, id FROM {events} WHERE (tenant, at, id) > ($t, $at, $id) AND tenant = $t
        ORDER BY at, id LIMIT $n";
    assert_eq!(ids(&one.run(whole, &given(1, "a", 9)).await.unwrap()), "bcd");
}

#[tokio::test]
async fn a_stretch_has_ends() {
    let (_database, one) = filled().await;
    for (condition, expected) in [
        ("at >= 2", "bcd"),
        ("at > 2", "d"),
        ("at < 2", "a"),
        ("at <= 2", "abc"),
        ("at > 1 AND at < 3", "bc"),
        ("2 < at", "d"),
        ("at = 2 AND id > 'b'u", "c"),
    ] {
        let list = format!("SELECT at, id FROM {{events}} WHERE tenant = 't'u AND {condition} ORDER BY at, id");
        assert_eq!(ids(&one.run(&list, &[]).await.unwrap()), expected, "{condition}");
    }
}

#[tokio::test]
async fn a_join_looks_up_by_the_key() {
    let (_database, one) = filled().await;
    let joined = "SELECT e.id AS e_id, p.name AS p_name FROM {events} AS e JOIN {people} AS p ON p.id = e.owner
        WHERE e.tenant = $t AND e.at = 1";
    assert_eq!(one.run(joined, &[("t", text("t"))]).await.unwrap().rows(), [["a", "Olga"]]);
    one.run("DELETE FROM {people} WHERE id = 'o'", &[]).await.unwrap();
    assert!(one.run(joined, &[("t", text("t"))]).await.unwrap().rows().is_empty());
    let outer = joined.replace("JOIN", "LEFT JOIN");
    assert_eq!(one.run(&outer, &[("t", text("t"))]).await.unwrap().rows(), [["a", "NULL"]]);
}

#[tokio::test]
async fn an_index_is_read_by_its_name_in_its_order() {
    let (_database, one) = filled().await;
    let list = "SELECT at, id FROM {events} VIEW by_owner WHERE owner = $o AND at >= 2 ORDER BY at DESC LIMIT $n";
    let found = one.run(list, &[("o", text("o")), ("n", count(1))]).await.unwrap();
    assert_eq!(ids(&found), "d");
}

#[tokio::test]
async fn several_selects_give_several_results() {
    let (_database, one) = filled().await;
    let both = "SELECT 1 AS one; SELECT COUNT(*) AS n FROM {events} WHERE tenant = 't'u";
    let done = one.run(both, &[]).await.unwrap();
    assert_eq!(done.sets.len(), 2);
    assert_eq!(done.rows(), [["1"]]);
}

#[tokio::test]
async fn a_long_result_is_whole_although_it_comes_in_parts() {
    let (_database, one) = Database::with(&[PEOPLE]).await;
    for hundred in 0..13 {
        let values: Vec<_> = (0..100).map(|n| format!("('{:04}')", hundred * 100 + n)).collect();
        one.run(&format!("UPSERT INTO {{people}} (id) VALUES {}", values.join(",")), &[]).await.unwrap();
    }
    let done = one.run("SELECT id FROM {people} ORDER BY id", &[]).await.unwrap();
    assert_eq!(done.rows().len(), 1_300);
}
