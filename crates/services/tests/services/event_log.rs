//! The event log: whatever happens to workers, clocks and commits, each shard has no gap and each subject its order.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use userd_model::{Event, EventKind, Fact, Random as _, Subject, UserId};
use userd_services::{event_log::EventLog, testing::TestOptions};
use userd_storage::{
    repositories::outbox::SHARDS,
    testing::{ManualClock, TestRandom},
};

use crate::{
    events::Consumer,
    fixture::{Fixture, MINUTE, TestApp},
    personas::{PASSWORD, of},
};

const SECOND: Duration = Duration::from_secs(1);

/// The whole log, and that no position is missing.
pub(crate) async fn log(app: &TestApp) -> Vec<Event> {
    let mut events = Vec::new();
    for shard in 0..SHARDS {
        let of_shard = app.reading().events().behind(shard, 0, 1_000_000).await.unwrap();
        assert!(of_shard.iter().map(|event| event.position).eq(1..=i64::try_from(of_shard.len()).unwrap()));
        events.extend(of_shard);
    }
    events
}

/// The numbers of each subject in the order of the log.
fn numbers(events: &[Event]) -> BTreeMap<Subject, Vec<i64>> {
    let mut numbers: BTreeMap<_, Vec<i64>> = BTreeMap::new();
    for event in events {
        numbers.entry(event.subject.clone()).or_default().push(event.number);
    }
    numbers
}

pub(crate) fn is_in_order(events: &[Event]) -> bool {
    numbers(events).values().all(|numbers| numbers.iter().copied().eq(1..=i64::try_from(numbers.len()).unwrap()))
}

/// Everything of the outbox goes into the log, once.
#[apply(case)]
async fn what_happened_is_in_the_log_once_and_the_outbox_is_empty(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.accounts.change_username(&of(&app, &ada), "countess", None).await.unwrap();
    let facts = app.facts_of(ada.id).await;
    assert_eq!(app.event_log.tick().await.unwrap(), 3);
    assert_eq!(app.event_log.tick().await.unwrap(), 0);
    let events = log(&app).await;
    assert_eq!(app.facts().await, []);
    assert!(events.iter().map(|event| event.id).eq(facts.iter().map(|fact| fact.id)));
    assert!(events.iter().map(|event| event.kind.as_str()).eq([
        "user.registered",
        "session.started",
        "user.username_changed"
    ]));
    app.login("countess", PASSWORD).await.unwrap();
    assert_eq!(app.event_log.tick().await.unwrap(), 1);
    let events = log(&app).await;
    assert_eq!(numbers(&events)[&ada.id.into()], [1, 2, 3, 4]);
}

fn fact(subject: &Subject, number: i64, app: &TestApp) -> Fact {
    app.fact(EventKind::UserChanged.as_str(), subject.clone(), number)
}

async fn push(app: &TestApp, facts: &[Fact]) {
    app.push(facts).await;
}

pub(crate) fn subject() -> Subject {
    UserId::from_random(TestRandom::default().id_bytes()).into()
}

#[apply(case)]
async fn a_fact_waits_for_the_one_before_and_nobody_waits_with_it(fixture: Fixture) {
    let app = fixture.app().await;
    let (late, other) = (subject(), subject());
    push(&app, &[fact(&late, 3, &app), fact(&late, 2, &app), fact(&other, 1, &app)]).await;
    assert_eq!(app.event_log.tick().await.unwrap(), 1);
    app.advance(SECOND);
    assert_eq!(app.event_log.tick().await.unwrap(), 0);
    push(&app, &[fact(&late, 1, &app)]).await;
    assert_eq!(app.event_log.tick().await.unwrap(), 3);
    assert!(is_in_order(&log(&app).await));
}

/// What the sweeper removed after a week, or somebody by hand, does not keep the rest of the subject back for ever.
#[apply(case)]
async fn a_fact_that_is_gone_is_not_waited_for_without_end(fixture: Fixture) {
    let app = fixture.app().await;
    let torn = subject();
    push(&app, &[fact(&torn, 4, &app), fact(&torn, 5, &app)]).await;
    assert_eq!(app.event_log.tick().await.unwrap(), 0);
    app.advance(MINUTE - SECOND);
    assert_eq!(app.event_log.tick().await.unwrap(), 0);
    app.advance(SECOND);
    assert_eq!(app.event_log.tick().await.unwrap(), 2);
    assert_eq!(numbers(&log(&app).await)[&torn], [4, 5]);
}

/// Numbering began at an upgrade: what is older has no number, and those who begin to listen are not told of it.
#[apply(case)]
async fn facts_from_before_the_numbers_are_dropped_and_not_waited_for(fixture: Fixture) {
    let app = fixture.app().await;
    let old = subject();
    push(&app, &[fact(&old, 0, &app), fact(&old, 0, &app), fact(&old, 1, &app)]).await;
    assert_eq!(app.event_log.tick().await.unwrap(), 1);
    assert_eq!((numbers(&log(&app).await)[&old].as_slice(), app.facts().await.len()), ([1].as_slice(), 0));
}

#[apply(case)]
async fn what_is_not_public_leaves_no_event_and_keeps_nothing_back(fixture: Fixture) {
    let app = fixture.app().await;
    let discreet = subject();
    push(
        &app,
        &[fact(&discreet, 1, &app), Fact { public: false, ..fact(&discreet, 2, &app) }, fact(&discreet, 3, &app)],
    )
    .await;
    assert_eq!(app.event_log.tick().await.unwrap(), 3);
    assert_eq!(numbers(&log(&app).await)[&discreet], [1, 3]);
}

/// F53: the holder is stopped for longer than its leases live, another replica goes on, and then it wakes.
#[apply(case)]
async fn a_worker_that_was_frozen_appends_nothing_with_its_old_epoch(fixture: Fixture) {
    let (frozen, other) = fixture.two_apps().await;
    assert_eq!(frozen.event_log.tick().await.unwrap(), 0, "it has every shard now");
    let made = subject();
    push(&frozen, &[fact(&made, 1, &frozen)]).await;
    assert_eq!(other.event_log.tick().await.unwrap(), 0, "the shards are somebody else's");
    frozen.advance(SECOND * 31);
    assert_eq!(other.event_log.tick().await.unwrap(), 1);
    push(&frozen, &[fact(&made, 2, &frozen)]).await;
    // What it does first when it wakes: it still believes in its leases.
    assert_eq!(frozen.event_log.append_with_old_leases().await.unwrap(), 0);
    assert_eq!(frozen.event_log.tick().await.unwrap(), 0);
    assert_eq!(other.event_log.tick().await.unwrap(), 1);
    assert!(is_in_order(&log(&frozen).await));
    other.event_log.give_back().await.unwrap();
    push(&frozen, &[fact(&made, 3, &frozen)]).await;
    frozen.advance(SECOND * 10);
    assert_eq!(frozen.event_log.tick().await.unwrap(), 1, "given back, the shards are free at once");
}

#[apply(case)]
async fn a_clock_that_goes_back_makes_no_event_expire_before_an_older_one(fixture: Fixture) {
    let (ahead, behind) =
        (fixture.app().await, fixture.app_with(TestOptions { seed: 2, ..TestOptions::default() }).await);
    ahead.advance(MINUTE);
    let made = subject();
    push(&ahead, &[fact(&made, 1, &ahead)]).await;
    ahead.event_log.tick().await.unwrap();
    ahead.event_log.give_back().await.unwrap();
    push(&behind, &[fact(&made, 2, &behind)]).await;
    behind.event_log.tick().await.unwrap();
    let events = log(&behind).await;
    assert_eq!(events.len(), 2);
    assert!(events[0].expires_at <= events[1].expires_at);
}

/// How many times the replicas tell something.
const STORM: usize = 300;

/// Three replicas with skewed clocks make facts about a few subjects and pass them on; leases change hands meanwhile.
async fn storm(fixture: &Fixture, in_order: bool) -> Vec<Event> {
    let mut replicas = Vec::new();
    for seed in 1..=3_u64 {
        let clock = Arc::new(ManualClock::at(userd_model::Timestamp::from_seconds(
            1_767_225_600 + i64::try_from(seed).unwrap(),
        )));
        let app = fixture.app_with(TestOptions { seed, clock: Some(clock), ..TestOptions::default() }).await;
        let log = if in_order { None } else { Some(EventLog::without_order(&app)) };
        replicas.push((app, log));
    }
    let mut consumer = Consumer::default();
    let subjects: Vec<Subject> = (0..7).map(|_| subject()).collect();
    for step in 0..STORM {
        let round = replicas.iter().enumerate().map(|(place, (app, _))| {
            let subject = subjects[(step * 5 + place * 3) % subjects.len()].clone();
            let context = app.context();
            async move {
                let told = app.changes.run(&context, "storm", |mut change| {
                    let subject = subject.clone();
                    async move {
                        change.event(EventKind::UserChanged, subject, serde_json::json!({}));
                        change.commit(()).await
                    }
                });
                // Conflicts without end are refusals of the engine; what was refused has no number.
                drop(told.await);
            }
        });
        futures_util::future::join_all(round).await;
        // Facts gather for a while, so that those of different clocks stand beside each other.
        if step % 11 == 10 {
            let (app, log) = &replicas[step % 3];
            log.as_ref().unwrap_or(&app.event_log).tick().await.unwrap();
        }
        if step % 7 == 6 {
            consumer.read(&replicas[step % 3].0, 1 + step % 50).await;
        }
        if step % 44 == 43 {
            let (app, log) = &replicas[step / 44 % 3];
            log.as_ref().unwrap_or(&app.event_log).give_back().await.unwrap();
        }
    }
    for (app, log) in &replicas {
        let worker = log.as_ref().unwrap_or(&app.event_log);
        worker.tick().await.unwrap();
        worker.give_back().await.unwrap();
    }
    let (last, log_of_last) = &replicas[0];
    last.advance(MINUTE);
    log_of_last.as_ref().unwrap_or(&last.event_log).tick().await.unwrap();
    assert_eq!(last.facts().await, [], "everything is passed on");
    consumer.read(last, 200).await;
    let log = log(last).await;
    let ids = |events: &[Event]| events.iter().map(|event| event.id.0).collect::<BTreeSet<_>>();
    assert_eq!(ids(&consumer.heard), ids(&log), "the consumer missed some");
    assert_eq!(consumer.heard.len(), log.len(), "some came twice");
    consumer.heard
}

#[apply(case)]
async fn three_replicas_with_skewed_clocks_leave_every_subject_in_order(fixture: Fixture) {
    let events = storm(&fixture, true).await;
    assert!(events.len() >= STORM, "{}", events.len());
    assert!(is_in_order(&events));
}

/// The check of the check.
#[apply(case)]
async fn without_the_rule_of_order_the_same_storm_is_noticed(fixture: Fixture) {
    let events = storm(&fixture, false).await;
    assert!(events.len() >= STORM);
    assert!(!is_in_order(&events), "the storm would not notice");
}
