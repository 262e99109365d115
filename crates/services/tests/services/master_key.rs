//! The master key: rotated without downtime, and useless when it is another one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use userd_crypto::MasterKeys;
use userd_services::testing::TestOptions;

use crate::{
    fixture::{Fixture, TestApp},
    personas::PASSWORD,
};

async fn with_master(
    fixture: &Fixture,
    before: &TestApp,
    master: MasterKeys,
    seed: u64,
) -> Result<TestApp, userd_services::Failure> {
    let clock = Some(Arc::clone(&before.clock));
    fixture.try_app(TestOptions { clock, seed, master, ..TestOptions::default() }).await
}

#[apply(case)]
async fn everything_is_wrapped_anew_and_the_old_key_can_go(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    for name in ["grace", "hedy", "joan"] {
        app.member(name).await;
    }
    let successor = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    let (old, new) = ([7; 32], [8; 32]);
    let told = with_master(&fixture, &app, MasterKeys::new(old, vec![new]), 5).await.unwrap();
    let both = with_master(&fixture, &app, MasterKeys::new(new, vec![old]), 2).await.unwrap();
    assert!(with_master(&fixture, &app, MasterKeys::new(new, Vec::new()), 3).await.is_err(), "not wrapped anew yet");
    let seen = AtomicU64::new(0);
    let wrapped =
        both.signing_keys.rewrap(&both.operator_context(), &|count| seen.store(count, Ordering::SeqCst)).await.unwrap();
    assert_eq!((wrapped, seen.load(Ordering::SeqCst)), (3 + 2 + 4, 9), "three secrets, two keys, four people");
    assert_eq!(both.signing_keys.rewrap(&both.operator_context(), &|_| {}).await.unwrap(), 0, "nothing is left to do");

    let later = with_master(&fixture, &app, MasterKeys::new(new, Vec::new()), 4).await.unwrap();
    assert!(later.who(&ada.tokens.access_token).await.is_ok());
    assert_eq!(later.user_reader.show(ada.id).await.unwrap().email.as_deref(), Some("ada@example.org"));
    let replayed = later.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    assert_eq!(replayed.refresh_token, successor.refresh_token, "a lost answer is still given again");
    assert!(later.login("grace", PASSWORD).await.is_ok());
    assert!(told.login("grace", PASSWORD).await.is_ok(), "replicas that were told the new key first go on throughout");
}

/// What was remembered under the old key would not open any more once that key is gone (fault 27).
#[apply(case)]
async fn users_remembered_from_before_a_rewrap_are_shown_after_it(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let (old, new) = ([7; 32], [8; 32]);
    // One cache for all, as with Redis; it outlives the processes.
    let cache = Arc::clone(&app.deps.cache);
    let shared = |master: MasterKeys, seed| {
        let (clock, cache) = (Some(Arc::clone(&app.clock)), Some(Arc::clone(&cache)));
        fixture.try_app(TestOptions { clock, seed, master, cache, ..TestOptions::default() })
    };
    let both = shared(MasterKeys::new(new, vec![old]), 2).await.unwrap();
    for user in [ada.id, grace.id] {
        both.user_reader.show(user).await.unwrap();
    }
    both.signing_keys.rewrap(&both.operator_context(), &|_| {}).await.unwrap();
    let later = shared(MasterKeys::new(new, Vec::new()), 3).await.unwrap();
    for user in [ada.id, grace.id] {
        assert!(later.user_reader.show(user).await.unwrap().email.is_some());
    }
}

/// A load that began before the rewrap may end after it and be remembered (fault 27).
#[apply(case)]
async fn a_user_remembered_under_a_key_that_is_gone_is_read_anew(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let cache = Arc::clone(&app.deps.cache);
    app.user_reader.show(ada.id).await.unwrap();
    let both = with_master(&fixture, &app, MasterKeys::new([8; 32], vec![[7; 32]]), 2).await.unwrap();
    both.signing_keys.rewrap(&both.operator_context(), &|_| {}).await.unwrap();
    let (clock, master) = (Some(Arc::clone(&app.clock)), MasterKeys::new([8; 32], Vec::new()));
    let options = TestOptions { clock, seed: 3, master, cache: Some(cache), ..TestOptions::default() };
    let later = fixture.try_app(options).await.unwrap();
    for _ in 0..2 {
        assert_eq!(later.user_reader.show(ada.id).await.unwrap().email.as_deref(), Some("ada@example.org"));
    }
}

/// AC-085: state sealed by us cannot be made by anybody else: another master key opens nothing.
#[apply(case)]
async fn another_master_key_does_not_start(fixture: Fixture) {
    let app = fixture.app().await;
    app.member("ada").await;
    app.advance(Duration::from_secs(1));
    let foreign = with_master(&fixture, &app, MasterKeys::new([9; 32], Vec::new()), 2).await;
    let Err(userd_services::Failure::Internal(told)) = foreign else { panic!("it started") };
    assert!(told.contains("another master key") && told.contains("previous_master_key_files"), "{told}");
}

#[apply(case)]
async fn an_erased_user_is_no_obstacle(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let erase = app.deps.store.transact("erase", |mut uow| async move {
        let mut user = uow.users().find(ada.id).await?.unwrap();
        user.data_key = None;
        uow.users().update(&user).await?;
        uow.commit(()).await
    });
    erase.await.unwrap();
    let both = with_master(&fixture, &app, MasterKeys::new([8; 32], vec![[7; 32]]), 2).await.unwrap();
    both.signing_keys.rewrap(&both.operator_context(), &|_| {}).await.unwrap();
    assert_eq!(both.user_reader.show(ada.id).await.unwrap().email, None, "nothing of an erased user can be opened");
    assert!(both.user_reader.show(grace.id).await.unwrap().email.is_some());
}
