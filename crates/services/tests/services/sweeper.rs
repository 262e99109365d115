//! The sweeper: removes what has expired, nothing else, and one replica at a time.

use std::time::Duration;

use userd_storage::repositories::one_time_tokens::OneTimeToken;

use crate::{
    personas::{PASSWORD, at, home, registration, started},
    stage::{DAY, House, MINUTE, Stage},
};

async fn put_short_lived(house: &House, n: u8, life: Duration) {
    let (now, hash) = (house.now(), &[n; 32]);
    let until = now.plus(life);
    let secret = &OneTimeToken {
        hash: vec![n; 32],
        purpose: "test".into(),
        owner: None,
        payload: vec![],
        created_at: now,
        expires_at: until,
    };
    let put = house.deps.store.transact("put", |mut uow| async move {
        uow.one_time_tokens().insert(secret).await?;
        uow.replay_guard().consume_once(hash, "test", until).await?;
        uow.commit(()).await
    });
    put.await.unwrap();
}

#[apply(case)]
pub(crate) async fn what_has_expired_goes_and_nothing_else(stage: Stage) {
    let house = stage.house().await;
    let once = house.idempotency.request("register", "key", b"body");
    let ada = house
        .accounts
        .register(&at(&house, home()), registration(Some("ada@example.org"), None), Some(&once))
        .await
        .map(started)
        .unwrap();
    put_short_lived(&house, 1, MINUTE).await;
    put_short_lived(&house, 2, DAY * 400).await;
    house.users.sign_out(&house.operator_context(), ada.user.id).await.unwrap();
    assert_eq!(house.sweeper.tick().await.unwrap(), 0, "nothing has expired yet");
    house.advance(MINUTE);
    assert_eq!(house.sweeper.tick().await.unwrap(), 2, "a secret and a mark");
    house.advance(DAY);
    assert_eq!(house.sweeper.tick().await.unwrap(), 3, "two revocations and an answer");
    house.advance(DAY * 60);
    house.login("ada@example.org", PASSWORD).await.unwrap();
    house.sweeper.tick().await.unwrap();
    let old = house.reading().sessions().find(ada.tokens.session_id).await.unwrap();
    assert_eq!(old, None, "a session goes long after it could last be used");
    assert_eq!(house.devices_of(ada.user.id).await.len(), 1);
    assert!(house.reading().one_time_tokens().find(&[2; 32], "test", house.now()).await.unwrap().is_some());
    let events = house.events_of(ada.user.id).await;
    assert_eq!(events.len(), 4, "the outbox is not the sweeper's: {events:?}");
}

#[apply(case)]
pub(crate) async fn a_backlog_is_worked_off(stage: Stage) {
    let house = stage.house().await;
    let (now, until) = (house.now(), house.now().plus(MINUTE));
    let put = house.deps.store.transact("put", |mut uow| async move {
        for n in 0..450_u32 {
            uow.replay_guard().consume_once(&n.to_be_bytes(), "test", until).await?;
        }
        uow.commit(()).await
    });
    put.await.unwrap();
    assert!(now < until);
    house.advance(MINUTE);
    assert_eq!(house.sweeper.tick().await.unwrap(), 450);
}

#[apply(case)]
pub(crate) async fn one_replica_sweeps_at_a_time(stage: Stage) {
    let (here, there) = stage.two_houses().await;
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
