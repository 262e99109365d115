//! The feed as a verifier elsewhere follows it: nothing is missed, nobody is kept busy, and a place of another feed is
//! told from one of this.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::{pending, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use userd_model::{Permission, Refusal, Revocation, RevocationId, Revoked, SessionId, Timestamp, UserId};
use userd_services::{
    revocations::{FeedPage, FeedPlace},
    testing::TestOptions,
};
use userd_storage::testing::TestRandom;

use crate::{
    fixture::{Fixture, MINUTE, TestApp, refusal},
    personas::{of, of_id},
};

const SECOND: Duration = Duration::from_secs(1);

/// A verifier that does as the API document says.
#[derive(Default)]
struct Verifier {
    place: Option<FeedPlace>,
    heard: BTreeMap<RevocationId, usize>,
    requests: usize,
}

impl Verifier {
    /// Asks until there is no more; how many entries came.
    async fn poll(&mut self, app: &TestApp, limit: u32) -> usize {
        let mut came = 0;
        loop {
            let page = app.revocations.feed(&app.operator_context(), self.place.clone(), limit).await.unwrap();
            assert!(page.entries.len() <= limit as usize);
            came += page.entries.len();
            let has_more = page.has_more;
            self.take(page);
            if !has_more {
                return came;
            }
        }
    }

    fn take(&mut self, page: FeedPage) {
        self.requests += 1;
        self.place = page.next;
        page.entries.iter().for_each(|entry| *self.heard.entry(entry.id).or_default() += 1);
    }
}

fn session(app: &TestApp) -> Revoked {
    let random = app.deps.random.as_ref();
    Revoked::Session { session_id: SessionId::mint(random), user_id: UserId::mint(random) }
}

/// Writes an entry as a transaction of another replica does, whatever its time.
async fn record(app: &TestApp, what: Revoked, at: Timestamp) -> RevocationId {
    let id = RevocationId::mint(app.deps.random.as_ref());
    let entry = &Revocation { id, what, recorded_at: at, expires_at: at.plus(SECOND * 720) };
    let put = app.deps.store.transact("late", |mut uow| async move {
        uow.revocations().insert(entry).await?;
        uow.commit(()).await
    });
    put.await.unwrap();
    id
}

/// The cursor used to move with the clock, so that "go on until it stays the same" was a loop of 15 s after every
/// revocation. (fault 2)
#[apply(case)]
async fn polling_after_a_revocation_is_one_request_a_poll_and_one_delivery(fixture: Fixture) {
    let app = fixture.app().await;
    let mut verifier = Verifier::default();
    assert_eq!(verifier.poll(&app, 50).await, 0);
    assert_eq!(verifier.place, None);
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    app.sessions.end(&of_id(&app, ada.id), ada.id, ada.tokens.session_id).await.unwrap();
    assert_eq!(verifier.poll(&app, 50).await, 1);
    let after_the_first = verifier.place.clone();
    for _ in 0..40 {
        app.advance(Duration::from_millis(500));
        assert_eq!(verifier.poll(&app, 50).await, 0);
        assert_eq!(verifier.place, after_the_first, "only entries move the place");
    }
    app.sessions.end(&of_id(&app, grace.id), grace.id, grace.tokens.session_id).await.unwrap();
    assert_eq!(verifier.poll(&app, 50).await, 1);
    assert_ne!(verifier.place, after_the_first);
    assert_eq!(verifier.requests, 43, "one for each poll");
    assert!(verifier.heard.values().all(|times| *times == 1));
}

/// What only this service acts on moves nobody's place, unless there is very much of it. (fault 2)
#[apply(case)]
async fn a_changed_profile_moves_no_place(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let mut verifier = Verifier::default();
    record(&app, session(&app), app.now()).await;
    verifier.poll(&app, 50).await;
    let place = verifier.place.clone();
    app.accounts.change_username(&of(&app, &ada), "countess", None).await.unwrap();
    app.signing_keys.rotate(&app.operator_context()).await.unwrap();
    assert_eq!(verifier.poll(&app, 50).await, 0);
    assert_eq!(verifier.place, place);
}

/// Transactions of several replicas commit out of turn, in a different order in each run; limits are small and large.
/// (fault 2)
#[apply(case)]
async fn every_entry_that_commits_late_is_handed_out(fixture: Fixture) {
    let app = fixture.app().await;
    let random = TestRandom::default();
    let random_below = |below: u64| {
        let mut bytes = [0; 8];
        userd_model::Random::fill(&random, &mut bytes);
        u64::from_be_bytes(bytes) % below
    };
    let mut verifiers: Vec<_> = [1, 2, 7, 200].map(|limit| (limit, Verifier::default())).into();
    let mut written = BTreeSet::new();
    for _ in 0..40 {
        for _ in 0..random_below(8) {
            let late = Duration::from_millis(random_below(14_000));
            written.insert(record(&app, session(&app), app.now().minus(late)).await);
        }
        let changed = Revoked::Changed { user_id: UserId::mint(app.deps.random.as_ref()), version: 1 };
        record(&app, changed, app.now()).await;
        for (limit, verifier) in &mut verifiers {
            if random_below(3) > 0 {
                verifier.poll(&app, *limit).await;
            }
        }
        app.advance(Duration::from_millis(random_below(3_000)));
    }
    for (limit, verifier) in &mut verifiers {
        verifier.poll(&app, *limit).await;
        let heard: BTreeSet<_> = verifier.heard.keys().copied().collect();
        assert_eq!(heard, written, "limit {limit}");
        let place = verifier.place.clone();
        assert_eq!((verifier.poll(&app, *limit).await, &verifier.place), (0, &place), "limit {limit}");
    }
}

/// A crowd that is signed out at once fills the overlap with more than a place names one by one. (fault 2)
#[apply(case)]
async fn an_entry_behind_a_crowd_is_handed_out(fixture: Fixture) {
    let app = fixture.app().await;
    let began = app.now();
    let mut verifier = Verifier::default();
    for n in 0..130 {
        record(&app, session(&app), began.plus(Duration::from_millis(n))).await;
    }
    app.advance(SECOND);
    assert_eq!(verifier.poll(&app, 9).await, 130);
    assert_eq!(verifier.poll(&app, 9).await, 0);
    for (late, at_most) in [(began.plus(Duration::from_micros(119_500)), 11), (began, 132), (began.minus(SECOND), 134)]
    {
        let id = record(&app, session(&app), late).await;
        let came = verifier.poll(&app, 9).await;
        assert!((1..=at_most).contains(&came), "{came} of {at_most}");
        assert_eq!(verifier.heard.get(&id), Some(&1));
        assert_eq!(verifier.poll(&app, 9).await, 0, "and then it is quiet");
    }
}

/// Waiting looks first and then holds: `held` counts how often it had nothing. (fault 2)
#[apply(case)]
async fn waiting_neither_loops_nor_misses(fixture: Fixture) {
    let app = fixture.app().await;
    let held = AtomicUsize::new(0);
    let hold = || async {
        held.fetch_add(1, Ordering::SeqCst);
    };
    let context = app.operator_context();
    let feed = &app.revocations;
    let ada = app.member("ada").await;
    // Nothing ever: it holds, and there is no place yet.
    let page = feed.feed_or_wait(&context, None, 50, hold()).await.unwrap();
    assert!((page.entries.is_empty(), page.next.is_none(), held.load(Ordering::SeqCst)) == (true, true, 1));
    // Something: at once, also where there is no time to wait.
    app.sessions.end(&of_id(&app, ada.id), ada.id, ada.tokens.session_id).await.unwrap();
    let page = feed.feed_or_wait(&context, None, 50, ready(())).await.unwrap();
    assert_eq!(page.entries.len(), 1);
    // Right after it: it holds again, time and again.
    let place = page.next;
    for n in 2..12 {
        let page = feed.feed_or_wait(&context, place.clone(), 50, hold()).await.unwrap();
        assert_eq!((page.entries.len(), &page.next, held.load(Ordering::SeqCst)), (0, &place, n));
        app.advance(SECOND);
    }
    // What happens meanwhile ends it, here and at another replica, late or not, without the database being asked over
    // and over.
    let services = app.shared();
    let waiting = |place: Option<FeedPlace>| {
        let services = Arc::clone(&services);
        tokio::spawn(async move {
            services.revocations.feed_or_wait(&services.operator_context(), place, 50, pending()).await
        })
    };
    let (first, second) = (waiting(place.clone()), waiting(place.clone()));
    let grace = app.member("grace").await;
    app.sessions.end(&of_id(&app, grace.id), grace.id, grace.tokens.session_id).await.unwrap();
    for waiting in [first, second] {
        let page = tokio::time::timeout(MINUTE, waiting).await.unwrap().unwrap().unwrap();
        assert_eq!(page.entries.len(), 1);
    }
    let elsewhere = waiting(feed.feed(&context, place, 50).await.unwrap().next);
    let late = record(&app, session(&app), app.now().minus(SECOND)).await;
    app.follow_revocations().await.unwrap();
    let page = tokio::time::timeout(MINUTE, elsewhere).await.unwrap().unwrap().unwrap();
    assert_eq!(page.entries.first().map(|entry| entry.id), Some(late));
}

/// A verifier that follows the text: `ver` below `before` is dead. (fault 2)
#[apply(case)]
async fn a_new_secret_names_the_tokens_that_die_and_spares_its_own(fixture: Fixture) {
    let app = fixture.app().await;
    let service = app.service(&[Permission::USERS_READ]).await;
    let ver = async |token: &str| app.who(token).await.unwrap().token.claims.ver;
    let mut versions = vec![ver(&service.token).await];
    for _ in 0..3 {
        let rotated = app.clients.rotate_secret(&app.operator_context(), service.id, None).await.unwrap();
        let token = app.client_token(service.id, &rotated.client_secret).await.unwrap().access_token;
        versions.push(ver(&token).await);
        let page = app.revocations.feed(&app.operator_context(), None, 50).await.unwrap();
        let bounds = page.entries.iter().filter_map(|entry| match entry.what {
            Revoked::Client { client_id, before } if client_id == service.id => Some(before),
            _ => None,
        });
        let lowest = bounds.max().unwrap();
        let accepted: Vec<_> = versions.iter().map(|version| *version >= lowest).collect();
        let (newest, old) = accepted.split_last().unwrap();
        assert!(*newest && old.iter().all(|accepted| !accepted), "{versions:?}, {lowest}");
    }
}

/// After a restore, the entry that a cursor stands behind is missing. (fault 2)
#[apply(case)]
async fn a_place_in_a_feed_that_is_gone_is_told_so(fixture: Fixture) {
    let app = fixture.app().await;
    let context = app.operator_context();
    let elsewhere = Fixture { store: Arc::new(userd_storage::testing::memory_store().await.unwrap()) };
    let elsewhere = elsewhere.app_with(TestOptions { seed: 9, ..TestOptions::default() }).await;
    record(&elsewhere, session(&elsewhere), app.now()).await;
    let lost = elsewhere.revocations.feed(&elsewhere.operator_context(), None, 50).await.unwrap().next;
    record(&app, session(&app), app.now()).await;
    assert_eq!(refusal(app.revocations.feed(&context, lost.clone(), 50).await), Refusal::CursorExpired);
    assert_eq!(refusal(app.revocations.feed_or_wait(&context, lost, 50, pending()).await), Refusal::CursorExpired);
    assert_eq!(app.revocations.feed(&context, None, 50).await.unwrap().entries.len(), 1);
}

/// Entries that ran out are swept, and a place behind one stays good: what went with it is dead by itself. (fault 2)
#[apply(case)]
async fn a_place_outlives_the_entry_that_it_stands_behind(fixture: Fixture) {
    let app = fixture.app().await;
    let mut verifier = Verifier::default();
    record(&app, session(&app), app.now()).await;
    verifier.poll(&app, 50).await;
    let place = verifier.place.clone();
    for _ in 0..30 {
        app.advance(MINUTE);
        app.sweeper.tick().await.unwrap();
        assert_eq!(verifier.poll(&app, 50).await, 0);
        assert_eq!(verifier.place, place);
    }
    record(&app, session(&app), app.now()).await;
    assert_eq!(verifier.poll(&app, 50).await, 1);
}
