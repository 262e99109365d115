//! Sweeping: what has expired goes, in portions; what has not stays. The samples expire after 2030, and the sweep
//! here pretends to be in 1971, so that it meets only rows made for it.

use std::time::Duration;

use userd_model::{EventKind, Fact, Revocation, Session, Timestamp, UserId};
use userd_storage::{
    Store,
    repositories::{
        expiring::{EXPIRING, Expiring},
        idempotency_keys::IdempotencyRecord,
        one_time_tokens::OneTimeToken,
        outbox::{SHARDS, shard_of},
    },
    tables::{IDEMPOTENCY_KEYS, ONE_TIME_TOKENS, OUTBOX, REPLAY_GUARD, REVOCATIONS, SESSIONS, Table},
};

use crate::{
    samples::{self, id, seconds},
    stores::{on_every_store, transact},
};

const NOW: Timestamp = Timestamp::from_seconds(40_000_000);

/// Sessions tell of devices for so long after their end.
const SESSIONS_KEPT: Duration = Duration::from_secs(90 * 24 * 3600);

/// Two expired, one that expires now, and one that is good for another moment.
fn ends() -> [Timestamp; 4] {
    [NOW.minus(seconds(2)), NOW.minus(seconds(1)), NOW, Timestamp::from_micros(NOW.micros() + 1)]
}

fn expiring(table: &Table) -> &'static Expiring {
    EXPIRING.iter().find(|expiring| expiring.table.name == table.name).unwrap()
}

async fn remove_expired(store: &Store, table: &Table, now: Timestamp, limit: u32) -> usize {
    let expiring = expiring(table);
    transact!(store, uow => expiring.remove(&mut uow, now, limit).await?).unwrap()
}

/// Sweeps in portions of two until nothing is left to sweep.
async fn sweep(store: &Store, table: &Table, now: Timestamp) -> Vec<usize> {
    let mut portions = Vec::new();
    loop {
        portions.push(remove_expired(store, table, now, 2).await);
        if portions.ends_with(&[0]) {
            return portions;
        }
    }
}

/// ASVS V14.2.7
#[tokio::test]
async fn expired_sessions_are_swept_and_others_stay() {
    on_every_store(async |store| {
        let user: UserId = id();
        let made = &ends().map(|expires_at| Session { expires_at, ..samples::new_session(user) });
        transact!(store, uow => for session in made { uow.sessions().insert(session).await?; }).unwrap();
        assert_eq!(sweep(store, &SESSIONS, NOW.plus(SESSIONS_KEPT)).await, [2, 1, 0]);
        let left = store.reading().sessions().page_of_user(user, None, 9).await.unwrap();
        assert_eq!(left, made[3..]);
        forget_session(store, &made[3]).await;
    })
    .await;
}

async fn forget_session(store: &Store, session: &Session) {
    remove_expired(store, &SESSIONS, session.expires_at.plus(SESSIONS_KEPT), 9).await;
}

#[tokio::test]
async fn expired_secrets_are_swept_and_others_stay() {
    on_every_store(async |store| {
        let made = &ends().map(|expires_at| OneTimeToken { expires_at, ..samples::secret(None, "code") });
        transact!(store, uow => for secret in made { uow.one_time_tokens().insert(secret).await?; }).unwrap();
        assert_eq!(sweep(store, &ONE_TIME_TOKENS, NOW).await, [2, 1, 0]);
        for (secret, stays) in made.iter().zip([false, false, false, true]) {
            let found =
                store.reading().one_time_tokens().find(&secret.hash, "code", Timestamp::from_micros(0)).await.unwrap();
            assert_eq!(found.is_some(), stays);
        }
        let last = &made[3];
        transact!(store, uow => uow.one_time_tokens().take(&last.hash, "code", NOW).await?).unwrap();
    })
    .await;
}

#[tokio::test]
async fn expired_answers_are_swept_and_others_stay() {
    on_every_store(async |store| {
        let made = &ends().map(|expires_at| IdempotencyRecord { expires_at, ..samples::answer() });
        transact!(store, uow => for answer in made { uow.idempotency_keys().insert(answer).await?; }).unwrap();
        assert_eq!(sweep(store, &IDEMPOTENCY_KEYS, NOW).await, [2, 1, 0]);
        for (answer, stays) in made.iter().zip([false, false, false, true]) {
            let long_ago = Timestamp::from_micros(0);
            let found = store.reading().idempotency_keys().find(&answer.key_hash, long_ago).await.unwrap();
            assert_eq!(found.is_some(), stays);
        }
        let end = made[3].expires_at;
        remove_expired(store, &IDEMPOTENCY_KEYS, end, 9).await;
    })
    .await;
}

#[tokio::test]
async fn what_was_used_once_is_forgotten_after_its_end_and_not_before() {
    on_every_store(async |store| {
        let made = &ends().map(|expires_at| (samples::hash(), expires_at));
        transact!(store, uow => for (hash, end) in made { uow.replay_guard().consume_once(hash, "state", *end).await?; })
            .unwrap();
        assert_eq!(sweep(store, &REPLAY_GUARD, NOW).await, [2, 1, 0]);
        for ((hash, end), again) in made.iter().zip([true, true, true, false]) {
            let used = transact!(store, uow => uow.replay_guard().consume_once(hash, "state", *end).await?).unwrap();
            assert_eq!(used, again);
        }
        let last = ends()[3];
        remove_expired(store, &REPLAY_GUARD, last, 9).await;
    })
    .await;
}

#[tokio::test]
async fn revocations_are_forgotten_when_every_token_they_touch_is_dead() {
    on_every_store(async |store| {
        let recorded_at = samples::moment();
        let made: Vec<Revocation> = samples::revocations(recorded_at)
            .into_iter()
            .zip(ends())
            .map(|(revocation, expires_at)| Revocation { expires_at, ..revocation })
            .collect();
        let made = &made;
        transact!(store, uow => for revocation in made { uow.revocations().insert(revocation).await?; }).unwrap();
        assert_eq!(sweep(store, &REVOCATIONS, NOW).await, [2, 1, 0]);
        let left = store.reading().revocations().after(recorded_at, 4).await.unwrap();
        assert!(left.contains(&made[3]) && !left.iter().any(|revocation| made[..3].contains(revocation)));
        let last = ends()[3];
        remove_expired(store, &REVOCATIONS, last, 9).await;
    })
    .await;
}

/// How long facts wait for whoever passes them on.
const EVENTS_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// A fact of each moment in each shard, so that a portion ends in the middle of one shard and begins another.
fn facts() -> Vec<Fact> {
    let in_shard = |shard, at| loop {
        let fact = samples::fact(EventKind::ALL[0], at);
        if shard_of(&fact.subject) == shard {
            return fact;
        }
    };
    (0..SHARDS).flat_map(|shard| ends().map(|at| in_shard(shard, at))).collect()
}

/// (fault 36)
#[tokio::test]
async fn facts_that_nobody_came_for_are_swept_from_every_shard_after_a_week() {
    on_every_store(async |store| {
        let made = &facts();
        transact!(store, uow => uow.outbox().push_many(made).await?).unwrap();
        assert_eq!(sweep(store, &OUTBOX, NOW.plus(EVENTS_KEPT).minus(Duration::from_micros(2_000_001))).await, [0]);
        let portions = sweep(store, &OUTBOX, NOW.plus(EVENTS_KEPT)).await;
        assert_eq!(portions.iter().sum::<usize>(), 3 * usize::try_from(SHARDS).unwrap(), "{portions:?}");
        assert!(portions.iter().rev().skip(2).all(|portion| *portion == 2), "portions are filled: {portions:?}");
        for shard in 0..SHARDS {
            let left = store.reading().outbox().page(shard, None, 1000).await.unwrap();
            let stays = |fact: &&Fact| shard_of(&fact.subject) == shard && fact.at > NOW;
            assert!(made.iter().filter(stays).all(|fact| left.contains(fact)));
            assert!(!left.iter().any(|fact| fact.at <= NOW));
        }
        let last = ends()[3].plus(EVENTS_KEPT);
        remove_expired(store, &OUTBOX, last, 100).await;
    })
    .await;
}
