//! What the repositories offer to those who count round trips: batches, reads side by side, writes with the commit.

use std::sync::Arc;

use userd_model::{EventKind, Fact, Revocation, RevocationId, Revoked, Session, Timestamp, User};
use userd_storage::{
    Duplicate, Failure, Store, StoreError, UnitOfWork,
    repositories::expiring::EXPIRING,
    testing::{Backend, Counting, Counts, TestDatabase, TestRandom, schema_on},
};

use crate::{
    samples::{self, seconds},
    stores::{on_every_store, transact},
};

/// Before every sample: whatever has not ended is alive.
const LONG_AGO: Timestamp = Timestamp::from_micros(0);

/// A store in memory that counts.
async fn counting() -> (Store, Arc<Counting>) {
    let database = TestDatabase::create(Backend::Memory).await.unwrap().unwrap();
    let engine = database.engine().unwrap();
    schema_on(Arc::clone(&engine)).await.unwrap();
    let (engine, counting) = Counting::over(engine);
    (Store::new(engine, Arc::new(TestRandom::default())), counting)
}

fn of_case(counting: &Counting) -> Counts {
    counting.take().units["case"]
}

/// A user with a password and `count` living sessions.
async fn person(store: &Store, count: usize) -> (User, Vec<Session>) {
    let user = samples::bare_user();
    let sessions: Vec<Session> = (0..count).map(|_| samples::new_session(user.id)).collect();
    let (adding, with) = (&user, &sessions);
    transact!(store, uow => {
        uow.users().insert(adding).await?;
        uow.password_credentials().upsert(&samples::password(adding.id)).await?;
        for session in with {
            uow.sessions().insert(session).await?;
        }
    })
    .unwrap();
    (user, sessions)
}

fn ended(session: &Session) -> (Revocation, Fact) {
    let what = Revoked::Session { session_id: session.id, user_id: session.user_id };
    let at = session.created_at;
    let entry =
        Revocation { id: RevocationId(samples::id()), what, recorded_at: at, expires_at: at.plus(seconds(600)) };
    (entry, samples::fact(EventKind::SessionEnded, at))
}

/// Ends sessions as blocking an account does.
async fn end_all(uow: &mut UnitOfWork, sessions: &[Session]) -> Result<(), Failure> {
    let over: Vec<Session> =
        sessions.iter().map(|session| Session { ended_at: Some(session.created_at), ..session.clone() }).collect();
    let (entries, facts): (Vec<Revocation>, Vec<Fact>) = over.iter().map(ended).unzip();
    uow.sessions().update_many(&over).await?;
    uow.revocations().insert_many(&entries).await?;
    Ok(uow.outbox().push_many(&facts).await?)
}

#[tokio::test]
async fn ending_a_hundred_sessions_takes_as_many_round_trips_as_ending_one() {
    let (store, counting) = counting().await;
    let mut seen = Vec::new();
    for count in [1, 100] {
        let (_, sessions) = &person(&store, count).await;
        counting.take();
        transact!(store, uow => end_all(&mut uow, sessions).await?).unwrap();
        seen.push(of_case(&counting));
    }
    assert_eq!(seen[1].statements, 300);
    assert_eq!(seen.iter().map(|counts| counts.round_trips()).collect::<Vec<_>>(), [4, 4]);
}

#[tokio::test]
async fn ending_them_with_the_commit_takes_one_round_trip_besides_the_reads() {
    let (store, counting) = counting().await;
    let (user, _) = &person(&store, 100).await;
    counting.take();
    transact!(store, uow => {
        let user = uow.users().find(user.id).await?.unwrap();
        let alive = uow.sessions().for_sign_in(user.id, LONG_AGO).await?.alive;
        assert_eq!(alive.len(), 100);
        uow.defer_writes();
        uow.users().update(&user).await?;
        end_all(&mut uow, &alive).await?;
    })
    .unwrap();
    let counts = of_case(&counting);
    // The user, the sessions, and by which words the user is found.
    assert_eq!((counts.statements, counts.round_trips()), (306, 4));
    let left = store.reading().sessions().alive_of_user(user.id, LONG_AGO).await.unwrap();
    assert_eq!(left, []);
}

#[tokio::test]
async fn a_refresh_can_do_with_two_round_trips() {
    let (store, counting) = counting().await;
    let (user, sessions) = &person(&store, 1).await;
    counting.take();
    transact!(store, uow => {
        let (session, found) = uow.sessions().find_with_user(sessions[0].id).await?.unwrap();
        assert_eq!(found.id, user.id);
        uow.defer_writes();
        uow.sessions().rotate(&session).await?;
    })
    .unwrap();
    assert_eq!(of_case(&counting).round_trips(), 2);
}

#[tokio::test]
async fn a_login_can_do_with_three_round_trips() {
    let (store, counting) = counting().await;
    let (user, _) = &person(&store, 3).await;
    let (new, fact) = &(samples::new_session(user.id), samples::fact(EventKind::SessionStarted, user.created_at));
    counting.take();
    transact!(store, uow => {
        let (found, password) = uow.users().find_with_password(user.id).await?;
        assert!(found.is_some() && password.is_some());
        let alive = uow.sessions().for_sign_in(user.id, LONG_AGO).await?.alive;
        assert_eq!(alive.len(), 3);
        uow.defer_writes();
        uow.users().record_sign_in(user.id, user.created_at).await?;
        uow.sessions().insert(new).await?;
        uow.outbox().push(fact).await?;
    })
    .unwrap();
    let counts = of_case(&counting);
    assert_eq!((counts.statements, counts.round_trips()), (8, 3));
}

#[tokio::test]
async fn a_registration_can_do_with_four_round_trips() {
    let (store, counting) = counting().await;
    let (user, new) = &(samples::bare_user(), samples::new_session(samples::id()));
    let claims = &["email", "username", "username_skeleton"].map(|kind| samples::claim(user.id, kind));
    let facts = &[EventKind::UserRegistered, EventKind::SessionStarted].map(|kind| samples::fact(kind, LONG_AGO));
    transact!(store, uow => {
        assert_eq!(uow.claims().find_many(claims).await?, [None, None, None]);
        uow.claims().insert_many(claims).await?;
        uow.sessions().for_sign_in(user.id, LONG_AGO).await?;
        uow.defer_writes();
        uow.users().insert(user).await?;
        uow.password_credentials().upsert(&samples::password(user.id)).await?;
        uow.sessions().insert(new).await?;
        uow.outbox().push_many(facts).await?;
    })
    .unwrap();
    let counts = of_case(&counting);
    assert_eq!((counts.statements, counts.round_trips()), (14, 4));
}

#[tokio::test]
async fn claims_are_found_and_made_together() {
    on_every_store(async |store| {
        let owner = samples::id();
        let claims = &["email", "username"].map(|kind| samples::claim(owner, kind));
        let absent = samples::claim(owner, "email");
        transact!(store, uow => uow.claims().insert_many(claims).await?).unwrap();
        let asked = [claims[1].clone(), absent, claims[0].clone()];
        let found = store.reading().claims().find_many(&asked).await.unwrap();
        let kinds: Vec<Option<&str>> = found.iter().map(|claim| Some(claim.as_ref()?.kind.as_str())).collect();
        assert_eq!(kinds, [Some("username"), None, Some("email")]);
        let again = &[samples::claim(owner, "email"), claims[1].clone()];
        let taken = transact!(store, uow => uow.claims().insert_many(again).await?);
        assert!(matches!(taken, Err(Failure::Store(StoreError::Duplicate(Duplicate::Key("claims"))))), "{taken:?}");
        assert_eq!(store.reading().claims().find(&again[0].hash).await.unwrap(), None);
    })
    .await;
}

/// Whether a value is free must be known at once: the re-run after a lost race finds it taken.
#[tokio::test]
async fn claims_and_replay_guards_are_never_deferred() {
    let (store, counting) = counting().await;
    let (claim, hash) = &(samples::claim(samples::id(), "email"), samples::hash());
    counting.take();
    transact!(store, uow => {
        uow.defer_writes();
        uow.claims().insert(claim).await?;
        assert!(uow.replay_guard().consume_once(hash, "state", claim.created_at).await?);
    })
    .unwrap();
    let counts = of_case(&counting);
    assert_eq!((counts.statements, counts.requests), (3, 3));
    let again = transact!(store, uow => {
        uow.defer_writes();
        let taken = uow.claims().insert(claim).await;
        assert!(taken.is_err(), "told at once");
    });
    assert!(again.is_err());
}

#[tokio::test]
async fn sweeping_takes_as_many_round_trips_for_many_as_for_one() {
    let (store, counting) = counting().await;
    let (_, sessions) = &person(&store, 50).await;
    counting.take();
    let last = sessions.iter().map(|session| session.expires_at).max().unwrap();
    let table = EXPIRING.iter().find(|expiring| expiring.table.name == "sessions").unwrap();
    let long_after = &last.plus(std::time::Duration::from_secs(100 * 24 * 3600));
    let swept = transact!(store, uow => table.remove(&mut uow, *long_after, 500).await?).unwrap();
    assert_eq!((swept, of_case(&counting).round_trips()), (50, 3));
}

#[tokio::test]
async fn what_is_found_together_is_what_is_found_one_by_one() {
    on_every_store(async |store| {
        let user = &samples::user();
        let (session, password) = &(samples::session(user.id), samples::password(user.id));
        transact!(store, uow => {
            uow.users().insert(user).await?;
            uow.password_credentials().upsert(password).await?;
            uow.sessions().insert(session).await?;
        })
        .unwrap();
        let together = transact!(store, uow => uow.sessions().find_with_user(session.id).await?).unwrap();
        assert_eq!(together, Some((session.clone(), user.clone())));
        let both = store.reading().users().find_with_password(user.id).await.unwrap();
        assert_eq!(both, (Some(user.clone()), Some(password.clone())));
        let nobody = samples::id();
        assert_eq!(store.reading().users().find_with_password(nobody).await.unwrap(), (None, None));
        transact!(store, uow => uow.sessions().remove_many(&[session.id]).await?).unwrap();
        assert_eq!(store.reading().sessions().find_with_user(session.id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn batches_of_the_repositories_store_what_single_calls_store() {
    on_every_store(async |store| {
        let user = &samples::bare_user();
        let sessions: &Vec<Session> = &(0..5).map(|_| samples::new_session(user.id)).collect();
        transact!(store, uow => for session in sessions { uow.sessions().insert(session).await?; }).unwrap();
        transact!(store, uow => {
            uow.defer_writes();
            end_all(&mut uow, sessions).await?;
        })
        .unwrap();
        for session in sessions {
            let found = store.reading().sessions().find(session.id).await.unwrap();
            assert_eq!(found, Some(Session { ended_at: Some(session.created_at), ..session.clone() }));
        }
        let ids: &Vec<_> = &sessions.iter().map(|session| session.id).collect();
        transact!(store, uow => uow.sessions().remove_many(ids).await?).unwrap();
        assert_eq!(store.reading().sessions().page_of_user(user.id, None, 9).await.unwrap(), []);
    })
    .await;
}
