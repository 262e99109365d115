//! Rows past their time go some time later, by the emulator's clock.

use std::time::Duration;

use ydb_emulator::{Act, Fault, Options, Phase, StatusCode};

use crate::client::{Database, count};

const DAY: u64 = 86_400_000_000;

async fn ids(database: &Database) -> Vec<Vec<String>> {
    let session = database.session().await;
    session.run("SELECT id FROM {items} ORDER BY id", &[]).await.unwrap().rows()
}

#[tokio::test]
async fn a_row_past_its_time_is_there_until_the_next_sweep() {
    let database = Database::start(Options { now: Some(20_000 * DAY), ..Options::default() }).await;
    let one = database.session().await;
    one.alter(
        "CREATE TABLE {items} (id Utf8 NOT NULL, until Timestamp, PRIMARY KEY (id))
            WITH (TTL = Interval(\"PT1H\") ON until)",
    )
    .await
    .unwrap();
    let insert = "INSERT INTO {items} (id, until) VALUES ('a', CurrentUtcTimestamp()), ('b', NULL)";
    one.run(insert, &[]).await.unwrap();
    database.emulator().advance(Duration::from_secs(3_599));
    assert_eq!(database.emulator().sweep(), 0);
    database.emulator().advance(Duration::from_secs(2));
    assert_eq!(ids(&database).await, [["a"], ["b"]], "nobody has swept");
    database.emulator().advance(Duration::from_secs(3_600));
    assert_eq!(ids(&database).await, [["b"]], "an hour later somebody has");
}

#[tokio::test]
async fn a_session_has_one_query_at_a_time() {
    let database = Database::new().await;
    let one = database.session().await;
    database.emulator().faults().add(Fault::new(Phase::Statement, Act::Delay(Duration::from_millis(300))));
    let text = "SELECT $n AS n";
    let given = [("n", count(1))];
    let (first, second) = tokio::join!(one.run(text, &given), one.run(text, &given));
    let refused = [first.err(), second.err()].into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].status, StatusCode::SessionBusy);
    one.run(text, &given).await.unwrap();
}
