//! How often what happened: counted from facts, once each, in the hour in which they were made.

use userd_model::{EventKind, Refusal, Timestamp};
use userd_services::{Failure, overview::Frequency};

use crate::{
    fixture::{DAY, Fixture, MINUTE, TestApp},
    personas::{PASSWORD, of},
};

async fn sign_ins_and_registrations(app: &TestApp) -> (Frequency, Frequency) {
    let found = app.overview.frequencies(&app.operator_context()).await.unwrap();
    (found.sign_ins, found.registrations)
}

fn sum(frequency: &Frequency) -> (u64, u64) {
    (frequency.hours.iter().sum(), frequency.days.iter().sum())
}

#[apply(case)]
async fn what_happened_is_counted_once_in_its_hour_and_forgotten_after_a_month(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.member("bob").await;
    let facts = app.facts().await;
    let made = |kind: EventKind| facts.iter().filter(|fact| fact.kind == kind.as_str()).count() as u64;
    let began = made(EventKind::SessionStarted);
    let (sign_ins, registrations) = sign_ins_and_registrations(&app).await;
    assert_eq!((sum(&sign_ins), sum(&registrations)), ((0, 0), (0, 0)), "what waits is not counted yet");
    while app.event_log.tick().await.unwrap() > 0 {}
    app.event_log.tick().await.unwrap();
    let (sign_ins, registrations) = sign_ins_and_registrations(&app).await;
    assert_eq!((sign_ins.hours[23], registrations.hours[23], registrations.days[29]), (began, 2, 2));
    app.advance(MINUTE * 60);
    app.login("ada@example.org", PASSWORD).await.unwrap();
    app.event_log.tick().await.unwrap();
    let (sign_ins, registrations) = sign_ins_and_registrations(&app).await;
    assert_eq!((sign_ins.hours[22], sign_ins.hours[23], sum(&sign_ins)), (began, 1, (began + 1, began + 1)));
    assert_eq!((registrations.hours[22], registrations.hours[23]), (2, 0));
    app.advance(DAY);
    let (sign_ins, _) = sign_ins_and_registrations(&app).await;
    assert_eq!((sum(&sign_ins), sign_ins.days[28]), ((0, began + 1), began + 1));
    let refused = app.overview.frequencies(&of(&app, &ada)).await;
    assert!(matches!(refused, Err(Failure::Refused(Refusal::Forbidden))));
    app.advance(DAY * 32);
    app.sweeper.tick().await.unwrap();
    let kept = app.reading().hourly_counts().since(Timestamp::from_seconds(0), 1_000).await.unwrap();
    assert_eq!(kept, [], "nothing is kept that nobody shows");
}

/// A worker that was stopped and wakes counts nothing that another one has counted.
#[apply(case)]
async fn what_two_workers_pass_on_is_counted_once(fixture: Fixture) {
    let (frozen, other) = fixture.two_apps().await;
    frozen.event_log.tick().await.unwrap();
    frozen.member("ada").await;
    frozen.advance(MINUTE);
    while other.event_log.tick().await.unwrap() > 0 {}
    assert_eq!(frozen.event_log.append_with_old_leases().await.unwrap(), 0);
    let (_, registrations) = sign_ins_and_registrations(&frozen).await;
    assert_eq!(sum(&registrations), (1, 1));
}

#[apply(case)]
async fn how_long_facts_wait_is_told(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = app.operator_context();
    assert_eq!(app.overview.queues(&ctx).await.unwrap().facts, None);
    app.member("ada").await;
    app.advance(MINUTE);
    let queues = app.overview.queues(&ctx).await.unwrap();
    assert!(queues.facts.is_some_and(|age| age >= MINUTE) && !queues.has_dead, "{queues:?}");
    while app.event_log.tick().await.unwrap() > 0 {}
    assert_eq!(app.overview.queues(&ctx).await.unwrap().facts, None);
}
