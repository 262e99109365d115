//! The revocation view: two replicas that hear of each other through the database only, and the feed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use userd_cache::{Cache, CacheOptions, LONGEST_LIFE, Memory, Message};
use userd_model::{Permission, Revocation, RevocationId, Revoked, Timestamp, TokenId};
use userd_services::{revocations::Consequence, testing::TestOptions};
use userd_storage::{
    Statement, StoreError,
    testing::{Tamper, Tampered},
};

use crate::{
    fixture::{Fixture, MINUTE, TestApp, with},
    personas::{PASSWORD, at, home, of, of_id},
};

/// Records an entry as a transaction of another replica does that commits late.
async fn record(app: &TestApp, what: Revoked, at: Timestamp) {
    let entry = &Revocation {
        id: RevocationId::mint(app.deps.random.as_ref()),
        what,
        recorded_at: at,
        expires_at: at.plus(Duration::from_secs(720)),
    };
    let put = app.deps.store.transact("late", |mut uow| async move {
        uow.revocations().insert(entry).await?;
        uow.commit(()).await
    });
    put.await.unwrap();
}

/// ASVS V7.4.1, V8.3.2
#[apply(case)]
async fn the_other_replica_learns_of_everything_by_polling(fixture: Fixture) {
    let (here, there) = fixture.two_apps().await;
    let (ada, grace, hedy) = (here.member("ada").await, here.member("grace").await, here.member("hedy").await);
    let service = here.service(&[Permission::USERS_READ]).await;
    let tokens = [&ada, &grace, &hedy].map(|member| member.tokens.access_token.clone());
    for token in tokens.iter().chain([&service.token]) {
        assert!(there.who(token).await.is_ok(), "a token of one replica is good at the other");
    }
    here.sessions.end(&of_id(&here, ada.id), ada.id, ada.tokens.session_id).await.unwrap();
    here.users.block(&here.operator_context(), grace.id).await.unwrap();
    here.access_tokens.revoke(&at(&here, home()), &tokens[2]).await.unwrap();
    here.clients.disable(&here.operator_context(), service.id).await.unwrap();
    there.follow_revocations().await.unwrap();
    for token in tokens.iter().chain([&service.token]) {
        assert!(there.who(token).await.is_err());
    }
    let fresh = there.login("hedy", PASSWORD).await.unwrap();
    assert!(here.who(&fresh.tokens.access_token).await.is_ok());
}

#[apply(case)]
async fn a_changed_user_is_shown_anew_at_the_other_replica(fixture: Fixture) {
    let (here, there) = fixture.two_apps().await;
    let ada = here.member("ada").await;
    assert_eq!(there.user_reader.show(ada.id).await.unwrap().username.as_deref(), Some("ada"));
    here.accounts.change_username(&of(&here, &ada), "countess", None).await.unwrap();
    there.follow_revocations().await.unwrap();
    assert_eq!(there.user_reader.show(ada.id).await.unwrap().username.as_deref(), Some("countess"));
}

/// With a shared cache the message comes at once; the poll is only the net below.
#[apply(case)]
async fn a_shared_cache_brings_the_news_without_a_poll(fixture: Fixture) {
    let clock = Arc::clone(&fixture.app().await.clock);
    let random: Arc<dyn userd_model::Random> = Arc::new(userd_storage::testing::TestRandom::default());
    let cache: Arc<dyn Cache> = Arc::new(Memory::new(&CacheOptions::new(clock.clone(), random)));
    let sharing = |seed| TestOptions {
        cache: Some(Arc::clone(&cache)),
        clock: Some(Arc::clone(&clock)),
        seed,
        ..TestOptions::default()
    };
    let (here, there) = (fixture.app_with(sharing(5)).await, fixture.app_with(sharing(6)).await);
    let ada = here.member("ada").await;
    let mut news = cache.subscribe();
    here.sessions.end(&of_id(&here, ada.id), ada.id, ada.tokens.session_id).await.unwrap();
    let Some(Message::Payload(bytes)) = news.next().await else { panic!("no message") };
    assert!(there.who(&ada.tokens.access_token).await.is_ok());
    there.revocations.receive(&bytes);
    assert!(there.who(&ada.tokens.access_token).await.is_err());
    assert!(there.revocations.receive(b"nonsense").is_empty());
    assert!(there.revocations.receive(&bytes).is_empty(), "a repeated message has no effect");
}

#[apply(case)]
async fn an_entry_that_commits_late_is_found(fixture: Fixture) {
    let (here, there) = fixture.two_apps().await;
    let (ada, grace) = (here.member("ada").await, here.member("grace").await);
    let began = here.now();
    here.advance(Duration::from_secs(10));
    here.sessions.end(&of_id(&here, grace.id), grace.id, grace.tokens.session_id).await.unwrap();
    there.follow_revocations().await.unwrap();
    let what = Revoked::Session { session_id: ada.tokens.session_id, user_id: ada.id };
    record(&here, what, began).await;
    there.follow_revocations().await.unwrap();
    assert!(there.who(&ada.tokens.access_token).await.is_err());
}

/// What a replica has done or heard itself says nothing about what it has missed before.
#[apply(case)]
async fn own_entries_hide_nobody_elses(fixture: Fixture) {
    let (here, there) = fixture.two_apps().await;
    let (ada, grace) = (here.member("ada").await, here.member("grace").await);
    here.sessions.end(&of_id(&here, ada.id), ada.id, ada.tokens.session_id).await.unwrap();
    here.advance(MINUTE);
    there.sessions.end(&of_id(&there, grace.id), grace.id, grace.tokens.session_id).await.unwrap();
    there.follow_revocations().await.unwrap();
    assert!(there.who(&ada.tokens.access_token).await.is_err(), "from a minute before the first poll");
}

/// F11: a replica whose clock is ahead writes into the future; those who poll still see what comes after.
#[apply(case)]
async fn a_clock_that_is_ahead_hides_nothing(fixture: Fixture) {
    let (here, there) = fixture.two_apps().await;
    let ada = here.member("ada").await;
    let elsewhere = Revoked::Session { session_id: userd_model::SessionId(uuid::Uuid::nil()), user_id: ada.id };
    record(&here, elsewhere, here.now().plus(MINUTE)).await;
    there.follow_revocations().await.unwrap();
    here.advance(Duration::from_secs(1));
    here.sessions.end(&of_id(&here, ada.id), ada.id, ada.tokens.session_id).await.unwrap();
    there.follow_revocations().await.unwrap();
    assert!(there.who(&ada.tokens.access_token).await.is_err());
}

#[apply(case)]
async fn a_replica_that_starts_later_knows_what_was_revoked_before(fixture: Fixture) {
    let here = fixture.app().await;
    let ada = here.member("ada").await;
    here.sessions.end(&of_id(&here, ada.id), ada.id, ada.tokens.session_id).await.unwrap();
    here.advance(MINUTE * 9);
    let clock = Some(Arc::clone(&here.clock));
    let late = fixture.app_with(TestOptions { clock, seed: 2, ..TestOptions::default() }).await;
    late.follow_revocations().await.unwrap();
    assert!(late.who(&ada.tokens.access_token).await.is_err());
}

/// A replica that starts finds in Redis what was remembered before: longer than the shortest tokens live.
#[apply(case)]
async fn a_replica_that_starts_later_shows_nobody_as_they_were(fixture: Fixture) {
    let here = fixture.app_with(with(|settings| settings.access_ttl = Duration::from_secs(30))).await;
    let ada = here.member("ada").await;
    here.accounts.change_username(&of(&here, &ada), "countess", None).await.unwrap();
    here.advance(LONGEST_LIFE);
    here.sweeper.tick().await.unwrap();
    let clock = Some(Arc::clone(&here.clock));
    let short = with(|settings| settings.access_ttl = Duration::from_secs(30));
    let late = fixture.app_with(TestOptions { clock, seed: 2, ..short }).await;
    let mut heard = Vec::new();
    late.revocations.poll(&mut heard).await.unwrap();
    assert!(
        heard.iter().any(|one| matches!(one, Consequence::ForgetUser { user, .. } if *user == ada.id)),
        "{heard:?}"
    );
}

/// Fails the second page of a poll, once.
#[derive(Default)]
struct SecondPage(AtomicU32);

impl Tamper for SecondPage {
    fn read(&self, statement: &'static Statement) -> Result<(), StoreError> {
        let is_page = statement.name == "revocations.next_page";
        if is_page && self.0.fetch_add(1, Ordering::SeqCst) == 1 {
            return Err(StoreError::Unavailable("as told".to_owned()));
        }
        Ok(())
    }
}

/// An entry is heard once. What it asks for is done also where the next page cannot be read.
#[apply(fault_case)]
async fn a_poll_that_breaks_off_does_what_it_has_heard(fixture: Fixture) {
    let engine = Tampered::over(Arc::clone(fixture.store.engine()), Arc::new(SecondPage::default()));
    let app = Fixture::over(engine).app().await;
    let ada = app.member("ada").await;
    assert_eq!(app.user_reader.show(ada.id).await.unwrap().display_name, None);
    app.rewrite(ada.id, |user| {
        user.display_name = Some("Ada".to_owned());
        user.touch(user.updated_at);
    })
    .await;
    let (user_id, now) = (ada.id, app.now());
    let version = app.reading().users().find(user_id).await.unwrap().unwrap().version;
    record(&app, Revoked::Changed { user_id, version }, now).await;
    let later = now.plus(Duration::from_secs(1));
    let others: Vec<Revocation> = (0..1_000)
        .map(|_| Revocation {
            id: RevocationId::mint(app.deps.random.as_ref()),
            what: Revoked::Token { token_id: TokenId::mint(app.deps.random.as_ref()) },
            recorded_at: later,
            expires_at: later.plus(MINUTE),
        })
        .collect();
    let others = &others;
    let put = app.deps.store.transact("others", |mut uow| async move {
        uow.revocations().insert_many(others).await?;
        uow.commit(()).await
    });
    put.await.unwrap();
    assert!(app.follow_revocations().await.is_err(), "the second page");
    assert_eq!(app.user_reader.show(ada.id).await.unwrap().display_name.as_deref(), Some("Ada"));
    app.follow_revocations().await.unwrap();
}

/// A full page is followed by the next one, and entries end with the tokens they can touch.
#[apply(case)]
async fn entries_are_paged_and_forgotten(fixture: Fixture) {
    let app = fixture.app_with(with(|settings| settings.sessions_per_user = 1000)).await;
    let ada = app.member("ada").await;
    let (now, mut all) = (app.now(), Vec::new());
    for n in 0..7_i64 {
        let what =
            Revoked::Session { session_id: userd_model::SessionId(uuid::Uuid::from_u128(n as u128)), user_id: ada.id };
        record(&app, what, now.plus(Duration::from_micros(n as u64 / 3))).await;
    }
    let mut after = None;
    loop {
        let page = app.revocations.feed(&app.operator_context(), after, 2).await.unwrap();
        let has_more = page.has_more;
        after = page.next;
        all.extend(page.entries);
        if !has_more {
            break;
        }
    }
    assert_eq!(all.len(), 7);
    assert!(all.is_sorted_by_key(|entry| (entry.recorded_at, entry.id)));
    app.sessions.end(&of_id(&app, ada.id), ada.id, ada.tokens.session_id).await.unwrap();
    let entry = app.revocations.feed(&app.operator_context(), None, 10).await.unwrap().entries.pop().unwrap();
    assert_eq!(entry.expires_at.since(entry.recorded_at), Duration::from_secs(720), "a token's life and a margin");
    app.advance(Duration::from_secs(721));
    app.follow_revocations().await.unwrap();
    app.sweeper.tick().await.unwrap();
    assert!(app.revocations.feed(&app.operator_context(), None, 10).await.unwrap().entries.is_empty());
}
