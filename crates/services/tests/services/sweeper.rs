//! The sweeper: removes what has expired, nothing else, and one replica at a time.

use std::time::Duration;

use userd_services::{
    Settings,
    testing::{TestOptions, settings},
};
use userd_storage::repositories::one_time_tokens::OneTimeToken;

use crate::{
    fixture::{DAY, Fixture, MINUTE, TestApp},
    personas::{PASSWORD, at, home, registration, started},
};

async fn put_short_lived(app: &TestApp, n: u8, life: Duration) {
    let (now, hash) = (app.now(), &[n; 32]);
    let until = now.plus(life);
    let secret = &OneTimeToken {
        hash: vec![n; 32],
        purpose: "test".into(),
        owner: None,
        payload: vec![],
        created_at: now,
        expires_at: until,
    };
    let put = app.deps.store.transact("put", |mut uow| async move {
        uow.one_time_tokens().insert(secret).await?;
        uow.replay_guard().consume_once(hash, "test", until).await?;
        uow.commit(()).await
    });
    put.await.unwrap();
}

#[apply(case)]
async fn what_has_expired_goes_and_nothing_else(fixture: Fixture) {
    let app = fixture.app().await;
    let once = app.idempotency.request("register", "key", b"body");
    let ada = app
        .accounts
        .register(&at(&app, home()), registration(Some("ada@example.org"), None), Some(&once))
        .await
        .map(started)
        .unwrap();
    put_short_lived(&app, 1, MINUTE).await;
    put_short_lived(&app, 2, DAY * 400).await;
    app.users.sign_out(&app.operator_context(), ada.user.id).await.unwrap();
    assert_eq!(app.sweeper.tick().await.unwrap(), 0, "nothing has expired yet");
    app.advance(MINUTE);
    assert_eq!(app.sweeper.tick().await.unwrap(), 2, "a secret and a mark");
    app.advance(DAY);
    assert_eq!(app.sweeper.tick().await.unwrap(), 3, "two revocations and an answer");
    app.advance(DAY * 60);
    app.login("ada@example.org", PASSWORD).await.unwrap();
    app.sweeper.tick().await.unwrap();
    let old = app.reading().sessions().find(ada.tokens.session_id).await.unwrap();
    assert_eq!(old, None, "a session goes long after it could last be used");
    assert_eq!(app.devices_of(ada.user.id).await.len(), 1);
    assert!(app.reading().one_time_tokens().find(&[2; 32], "test", app.now()).await.unwrap().is_some());
    let events = app.events_of(ada.user.id).await;
    assert_eq!(events, ["session.started"], "what was told two months ago has been waiting for too long");
}

#[apply(case)]
async fn a_backlog_is_worked_off(fixture: Fixture) {
    let app = fixture.app().await;
    let (now, until) = (app.now(), app.now().plus(MINUTE));
    let put = app.deps.store.transact("put", |mut uow| async move {
        for n in 0..450_u32 {
            uow.replay_guard().consume_once(&n.to_be_bytes(), "test", until).await?;
        }
        uow.commit(()).await
    });
    put.await.unwrap();
    assert!(now < until);
    app.advance(MINUTE);
    assert_eq!(app.sweeper.tick().await.unwrap(), 450);
}

#[apply(case)]
async fn one_replica_sweeps_at_a_time(fixture: Fixture) {
    let (here, there) = fixture.two_apps().await;
    put_short_lived(&here, 1, MINUTE).await;
    assert_eq!(here.sweeper.tick().await.unwrap(), 0);
    here.advance(MINUTE);
    assert_eq!(there.sweeper.tick().await.unwrap(), 0, "the other one has the lease");
    assert!(!there.sweeper.lead("sweeper", there.now(), MINUTE).await.unwrap());
    assert!(there.sweeper.lead("another job", there.now(), MINUTE).await.unwrap());
    here.advance(MINUTE);
    assert_eq!(there.sweeper.tick().await.unwrap(), 2, "the holder is gone: two minutes later another one goes on");
    assert_eq!(here.sweeper.tick().await.unwrap(), 0);
}

/// (fault 36)
#[apply(case)]
async fn the_outbox_has_a_bound_while_nobody_delivers(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let first = app.events_of(ada.id).await;
    assert!(!first.is_empty());
    app.advance(DAY * 7 - MINUTE);
    app.login("ada", PASSWORD).await.unwrap();
    app.sweeper.tick().await.unwrap();
    assert_eq!(app.events_of(ada.id).await.len(), first.len() + 1, "within a week nothing is lost");
    app.advance(MINUTE);
    app.sweeper.tick().await.unwrap();
    assert_eq!(app.events_of(ada.id).await, ["session.started"], "what is younger stays");
}

/// A process that was killed has given nothing back, and nobody but the next one can have its leases.
#[apply(case)]
async fn whoever_serves_alone_goes_on_at_once_after_a_kill(fixture: Fixture) {
    let alone = || TestOptions { settings: Settings { serves_alone: true, ..settings() }, ..TestOptions::default() };
    let killed = fixture.app_with(alone()).await;
    killed.deliveries.tick().await.unwrap();
    killed.event_log.tick().await.unwrap();
    assert!(killed.sweeper.lead("sweeper", killed.now(), MINUTE * 2).await.unwrap());
    let ada = killed.member("ada").await;

    let next = fixture.app_with(TestOptions { seed: 2, ..alone() }).await;
    assert!(next.sweeper.lead("sweeper", next.now(), MINUTE * 2).await.unwrap());
    assert!(!next.events_of(ada.id).await.is_empty(), "what happened waits in the outbox");
    next.event_log.tick().await.unwrap();
    assert_eq!(next.events_of(ada.id).await, [""; 0]);
    next.deliveries.tick().await.unwrap();
    let oldest = next.reading().deliveries().oldest_pending().await.unwrap();
    assert!(oldest.is_none(), "nothing waits: {oldest:?}");
}

/// (fault 23)
/// F11, F44: forty days ahead, and back.
#[apply(case)]
async fn a_clock_that_jumped_forward_and_back_stops_neither_sweeper_nor_keys(fixture: Fixture) {
    let (here, there) = fixture.two_apps().await;
    put_short_lived(&here, 1, MINUTE).await;
    let (now, later) = (here.now(), here.now().plus(DAY));
    for name in ["sweeper", "signing_keys"] {
        assert!(there.sweeper.lead(name, later, MINUTE * 2).await.unwrap());
        assert!(here.sweeper.lead(name, now, MINUTE * 2).await.unwrap(), "{name} waits for a whole day");
    }
    here.advance(MINUTE);
    assert_eq!(here.sweeper.tick().await.unwrap(), 2);
}

/// (fault 23)
#[apply(case)]
async fn leases_are_given_back_at_the_stop_by_their_holder_only(fixture: Fixture) {
    let (here, there) = fixture.two_apps().await;
    for name in ["sweeper", "signing_keys"] {
        assert!(here.sweeper.lead(name, here.now(), MINUTE * 2).await.unwrap());
    }
    there.give_leases_back().await.unwrap();
    assert!(!there.sweeper.lead("sweeper", there.now(), MINUTE * 2).await.unwrap(), "it was not there's to give");
    here.give_leases_back().await.unwrap();
    for name in ["sweeper", "signing_keys"] {
        assert!(there.sweeper.lead(name, there.now(), MINUTE * 2).await.unwrap(), "{name} is not free");
    }
}
