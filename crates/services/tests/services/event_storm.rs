//! Three replicas tell, the leases of the event log go from one to the next, and consumers follow: all at the same
//! time, on PostgreSQL, with clocks that differ by a second, while every unit of work conflicts before it is kept.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, task::JoinSet};
use userd_model::{Event, EventKind, Subject, Timestamp};
use userd_services::{Failure, event_log::EventLog, testing::TestOptions};
use userd_storage::{StoreError, testing::ManualClock};

use crate::{
    event_log::{is_in_order, log, subject},
    events::Consumer,
    fixture::{Fixture, TestApp, rounds},
};

const REPLICAS: i64 = 3;
/// Of each replica.
const WRITERS: usize = 4;
/// A prime, so that the facts of one change are about different subjects.
const SUBJECTS: usize = 41;
/// Facts of one change.
const TOGETHER: usize = 5;
const CONSUMERS: usize = 2;
/// How often the leases change hands at least: writers wait for it.
const HANDS: usize = 6;
/// Longer than leases live, also by the clock that is furthest behind.
const PAUSE: Duration = Duration::from_secs(35);

/// A replica, and who passes its facts on.
struct Replica {
    app: TestApp,
    log: Arc<EventLog>,
}

async fn replica(fixture: &Fixture, number: i64, in_order: bool) -> Arc<Replica> {
    let clock = Some(Arc::new(ManualClock::at(Timestamp::from_seconds(1_767_225_600 + number))));
    let seed = u64::try_from(number).unwrap();
    let app = fixture.app_with(TestOptions { seed, clock, ..TestOptions::default() }).await;
    let log = if in_order { Arc::clone(&app.event_log) } else { Arc::new(EventLog::without_order(&app)) };
    Arc::new(Replica { app, log })
}

/// What the engine gives up after many conflicts has not happened, and is tried again.
fn unless_given_up<T>(answer: Result<T, Failure>) -> Option<T> {
    match answer {
        Ok(value) => Some(value),
        Err(Failure::Store(StoreError::Unavailable(_))) => None,
        Err(other) => panic!("{other:?}"),
    }
}

async fn write(
    replica: Arc<Replica>,
    subjects: Arc<Vec<Subject>>,
    (changes, first): (usize, usize),
    mut hands: watch::Receiver<usize>,
) {
    for change in 0..changes {
        hands.wait_for(|hands| *hands >= change * HANDS / changes).await.unwrap();
        let told = (0..TOGETHER).map(|nth| subjects[(first * 3 + change * 7 + nth * 11) % SUBJECTS].clone());
        let (told, context) = (told.collect::<Vec<_>>(), replica.app.context());
        let tell = async || {
            let answer = replica.app.changes.run(&context, "storm", |mut change| {
                let told = told.clone();
                async move {
                    for subject in told {
                        change.event(EventKind::UserChanged, subject, serde_json::json!({}));
                    }
                    change.commit(()).await
                }
            });
            unless_given_up(answer.await)
        };
        while tell().await.is_none() {}
    }
}

/// Passes everything on until all `is_written`; behind each round the next replica has the leases: they are given back,
/// or their holder is stopped until they have ended, and then goes on as if nothing had happened.
async fn pass_on(replicas: &[Arc<Replica>], is_written: &AtomicBool, told: &watch::Sender<usize>) {
    let mut late = 0;
    for hands in 0.. {
        told.send_replace(hands);
        let all = is_written.load(Ordering::SeqCst);
        late += usize::from(all);
        assert!(late < 1_000, "facts are left that nobody passes on");
        let holder = &replicas[hands % replicas.len()];
        let passed_on = unless_given_up(holder.log.tick().await);
        if all && passed_on == Some(0) && holder.app.facts().await.is_empty() {
            break;
        }
        if hands.is_multiple_of(2) {
            unless_given_up(holder.log.give_back().await);
            continue;
        }
        replicas.iter().for_each(|replica| replica.app.advance(PAUSE));
        // It has every lease once it has done a round; then the one that was stopped has none.
        if unless_given_up(replicas[(hands + 1) % replicas.len()].log.tick().await).is_some() {
            let late = unless_given_up(holder.log.append_with_old_leases().await);
            assert_eq!(late.unwrap_or(0), 0, "who has no lease passed something on");
        }
    }
}

async fn follow(replicas: Vec<Arc<Replica>>, first: usize, is_over: Arc<AtomicBool>) -> Vec<Event> {
    let mut consumer = Consumer::default();
    for round in first.. {
        // Read before it is asked, or the last events would be missed.
        let last = is_over.load(Ordering::SeqCst);
        consumer.read(&replicas[round % replicas.len()].app, 1 + round * 37 % 200).await;
        if last {
            break;
        }
    }
    consumer.heard
}

/// What each consumer heard.
async fn storm(fixture: &Fixture, total: usize, in_order: bool) -> Vec<Vec<Event>> {
    let mut replicas = Vec::new();
    for number in 1..=REPLICAS {
        replicas.push(replica(fixture, number, in_order).await);
    }
    let subjects = Arc::new((0..SUBJECTS).map(|_| subject()).collect::<Vec<_>>());
    let hands = watch::Sender::new(0);
    let (mut writers, changes) = (JoinSet::new(), total / TOGETHER / (replicas.len() * WRITERS));
    let total = changes * TOGETHER * replicas.len() * WRITERS;
    for (first, replica) in replicas.iter().flat_map(|replica| [replica; WRITERS]).enumerate() {
        writers.spawn(write(Arc::clone(replica), Arc::clone(&subjects), (changes, first), hands.subscribe()));
    }
    let (is_over, mut consumers) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
    for first in 0..CONSUMERS {
        consumers.spawn(follow(replicas.clone(), first, Arc::clone(&is_over)));
    }
    let is_written = AtomicBool::new(false);
    tokio::join!(pass_on(&replicas, &is_written, &hands), async {
        writers.join_all().await;
        is_written.store(true, Ordering::SeqCst);
    });
    is_over.store(true, Ordering::SeqCst);
    let heard = consumers.join_all().await;
    let whole = log(&replicas[0].app).await;
    assert_eq!(whole.len(), total, "what was committed is in the log");
    for events in &heard {
        let ids: HashSet<_> = events.iter().map(|event| event.id).collect();
        assert_eq!((events.len(), ids.len()), (total, total), "each event came, and came once");
    }
    heard
}

tests! {
    [on_postgres: Postgres ConflictFirst]
    /// `USERD_TEST_EVENTS` asks for more.
    async fn consumers_of_three_writing_replicas_hear_everything_once_and_in_order(fixture: Fixture) {
        let heard = storm(&fixture, rounds("USERD_TEST_EVENTS", 1_200), true).await;
        assert!(heard.iter().all(|events| is_in_order(events)));
    }
}

tests! {
    [on_postgres: Postgres ConflictFirst]
    /// The check of the check.
    async fn without_the_rule_of_order_a_consumer_of_the_storm_notices(fixture: Fixture) {
        let heard = storm(&fixture, 720, false).await;
        assert!(!heard.iter().any(|events| is_in_order(events)), "the storm would not notice");
    }
}
