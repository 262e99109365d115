//! What may happen once: single use, secrets that are taken, answers that are saved, leases that one owner holds.

use userd_model::{Sealed, Timestamp, UserId};
use userd_storage::repositories::{idempotency_keys::IdempotencyRecord, one_time_tokens::OneTimeToken};
use uuid::Uuid;

use crate::{
    accounts::duplicate,
    samples::{self, id, moment, seconds, word},
    stores::{on_every_store, transact},
};

#[tokio::test]
async fn what_has_been_used_once_is_used_for_good() {
    on_every_store(async |store| {
        let (hash, until) = (samples::hash(), moment());
        let first = transact!(store, uow => uow.replay_guard().consume_once(&hash, "state", until).await?);
        assert!(first.unwrap());
        for purpose in ["state", "nonce"] {
            let again = transact!(store, uow => uow.replay_guard().consume_once(&hash, purpose, until).await?);
            assert!(!again.unwrap());
        }
    })
    .await;
}

#[tokio::test]
async fn using_twice_in_one_unit_of_work_succeeds_once() {
    on_every_store(async |store| {
        let (hash, until) = (samples::hash(), moment());
        let both = transact!(store, uow => {
            let first = uow.replay_guard().consume_once(&hash, "state", until).await?;
            (first, uow.replay_guard().consume_once(&hash, "state", until).await?)
        });
        assert_eq!(both.unwrap(), (true, false));
    })
    .await;
}

/// F17: every secret of one use, raced for.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_uses_at_once_have_one_winner() {
    on_every_store(async |store| {
        let (hash, until) = (samples::hash(), moment());
        let race = (0..64).map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let hash = &hash;
                transact!(store, uow => uow.replay_guard().consume_once(hash, "state", until).await?)
            })
        });
        let mut winners = 0;
        for racer in race.collect::<Vec<_>>() {
            winners += u32::from(racer.await.unwrap().unwrap());
        }
        assert_eq!(winners, 1);
    })
    .await;
}

#[tokio::test]
async fn a_secret_is_found_many_times_and_taken_once() {
    on_every_store(async |store| {
        for secret in &[samples::secret(Some(id()), "reset"), samples::secret(None, "reset")] {
            let (hash, now) = (&secret.hash, secret.created_at);
            transact!(store, uow => uow.one_time_tokens().insert(secret).await?).unwrap();
            assert_eq!(
                duplicate(transact!(store, uow => uow.one_time_tokens().insert(secret).await?)),
                "one_time_tokens"
            );
            for _ in 0..2 {
                let found = store.reading().one_time_tokens().find(hash, "reset", now).await.unwrap();
                assert!(found.as_ref() == Some(secret));
            }
            let taken = transact!(store, uow => uow.one_time_tokens().take(hash, "reset", now).await?).unwrap();
            assert!(taken.as_ref() == Some(secret));
            assert!(transact!(store, uow => uow.one_time_tokens().take(hash, "reset", now).await?).unwrap().is_none());
            assert!(store.reading().one_time_tokens().find(hash, "reset", now).await.unwrap().is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn a_secret_is_good_only_for_its_purpose_and_until_it_expires() {
    on_every_store(async |store| {
        let secret = &samples::secret(Some(id()), "reset");
        let (hash, now, end) = (&secret.hash, secret.created_at, secret.expires_at);
        transact!(store, uow => uow.one_time_tokens().insert(secret).await?).unwrap();
        for (purpose, at) in [("verify", now), ("reset", end), ("reset", end.plus(seconds(1)))] {
            assert!(store.reading().one_time_tokens().find(hash, purpose, at).await.unwrap().is_none());
            assert!(transact!(store, uow => uow.one_time_tokens().take(hash, purpose, at).await?).unwrap().is_none());
        }
        let last = Timestamp::from_micros(end.micros() - 1);
        assert!(transact!(store, uow => uow.one_time_tokens().take(hash, "reset", last).await?).unwrap().is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_takers_of_one_secret_have_one_winner() {
    on_every_store(async |store| {
        let secret = &samples::secret(None, "code");
        let (now, hash): (_, [u8; 32]) = (secret.created_at, secret.hash.as_slice().try_into().unwrap());
        transact!(store, uow => uow.one_time_tokens().insert(secret).await?).unwrap();
        let race = (0..64).map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let hash = &hash;
                transact!(store, uow => uow.one_time_tokens().take(hash, "code", now).await?)
            })
        });
        let mut winners = 0;
        for racer in race.collect::<Vec<_>>() {
            winners += u32::from(racer.await.unwrap().unwrap().is_some());
        }
        assert_eq!(winners, 1);
    })
    .await;
}

#[tokio::test]
async fn the_secrets_of_a_user_are_listed_changed_and_removed_together() {
    on_every_store(async |store| {
        let owner: UserId = id();
        let [first, second] = &["a", "b"].map(|purpose| samples::secret(Some(owner), purpose));
        let now = first.created_at.min(second.created_at);
        let strangers = &samples::secret(Some(id()), "a");
        transact!(store, uow => {
            for secret in [second, strangers, first] {
                uow.one_time_tokens().insert(secret).await?;
            }
            uow.one_time_tokens().update_payload(&first.hash, b"changed").await?;
        })
        .unwrap();
        let changed = OneTimeToken { payload: b"changed".to_vec(), ..first.clone() };
        assert!(store.reading().one_time_tokens().of_owner(owner, now).await.unwrap() == [changed, second.clone()]);
        let late = first.expires_at.max(second.expires_at);
        assert!(store.reading().one_time_tokens().of_owner(owner, late).await.unwrap().is_empty());
        transact!(store, uow => uow.one_time_tokens().remove_of_owner(owner).await?).unwrap();
        assert!(store.reading().one_time_tokens().of_owner(owner, now).await.unwrap().is_empty());
        let others = strangers.owner.unwrap();
        assert_eq!(store.reading().one_time_tokens().of_owner(others, strangers.created_at).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_saved_answer_stands_until_it_expires_and_can_then_be_replaced_before_the_sweep() {
    on_every_store(async |store| {
        let answer = &samples::answer();
        let (key, end) = (&answer.key_hash, answer.expires_at);
        assert_eq!(store.reading().idempotency_keys().find(key, answer.created_at).await.unwrap(), None);
        transact!(store, uow => uow.idempotency_keys().insert(answer).await?).unwrap();
        let found = store.reading().idempotency_keys().find(key, answer.created_at).await.unwrap();
        assert_eq!(found.as_ref(), Some(answer));
        let again = transact!(store, uow => uow.idempotency_keys().insert(answer).await?);
        assert_eq!(duplicate(again), "idempotency_keys");
        assert_eq!(store.reading().idempotency_keys().find(key, end).await.unwrap(), None);
        let later = &IdempotencyRecord {
            created_at: end,
            expires_at: end.plus(seconds(9)),
            answer: Sealed(vec![1]),
            ..answer.clone()
        };
        transact!(store, uow => uow.idempotency_keys().insert(later).await?).unwrap();
        assert_eq!(store.reading().idempotency_keys().find(key, end).await.unwrap().as_ref(), Some(later));
    })
    .await;
}

#[tokio::test]
async fn a_lease_has_one_owner_until_it_expires_or_is_released() {
    on_every_store(async |store| {
        let (name, now, ttl) = (&word(), moment(), seconds(10));
        let [one, two]: [Uuid; 2] = [id(), id()];
        let acquire =
            async |owner, at| transact!(store, uow => uow.leases().acquire(name, owner, at, ttl).await?).unwrap();
        assert_eq!(acquire(one, now).await, Some(1));
        assert_eq!(acquire(two, now.plus(seconds(9))).await, None);
        assert_eq!(acquire(one, now.plus(seconds(9))).await, Some(1), "prolonging keeps the epoch");
        assert_eq!(acquire(two, now.plus(seconds(18))).await, None, "it was prolonged");
        assert_eq!(acquire(two, now.plus(seconds(19))).await, Some(2), "expired, so stolen");
        assert_eq!(acquire(one, now.plus(seconds(20))).await, None);
        transact!(store, uow => uow.leases().release(name, one).await?).unwrap();
        assert_eq!(acquire(one, now.plus(seconds(20))).await, None, "only the owner releases");
        transact!(store, uow => uow.leases().release(name, two).await?).unwrap();
        assert_eq!(acquire(two, now.plus(seconds(20))).await, Some(3), "a released lease is taken anew");
        let held = store.reading().leases().find(name).await.unwrap().unwrap();
        assert_eq!((held.owner, held.epoch, held.expires_at), (two, 3, now.plus(seconds(30))));
    })
    .await;
}

/// The row that a look at the health writes is there, is nobody's, and keeps nobody out.
#[tokio::test]
async fn a_probe_is_written_and_holds_nothing() {
    on_every_store(async |store| {
        let (name, now) = (&word(), moment());
        let [one, two]: [Uuid; 2] = [id(), id()];
        for owner in [one, two] {
            transact!(store, uow => uow.leases().probe(name, owner).await?).unwrap();
            let written = store.reading().leases().find(name).await.unwrap().unwrap();
            assert_eq!((written.owner, written.epoch, written.expires_at), (owner, 0, Timestamp::from_micros(0)));
        }
        let taken = transact!(store, uow => uow.leases().acquire(name, one, now, seconds(10)).await?);
        assert_eq!(taken.unwrap(), Some(1));
    })
    .await;
}

/// (fault 23)
/// F44: a lease of the far future.
#[tokio::test]
async fn a_lease_from_a_clock_that_had_jumped_forward_is_free() {
    on_every_store(async |store| {
        let (now, ttl) = (moment(), seconds(10));
        let [one, two]: [Uuid; 2] = [id(), id()];
        for (jump, free) in [(3600, true), (86_400 * 3650, true), (11, true), (10, false), (1, false)] {
            let name = &word();
            let acquire =
                async |owner, at| transact!(store, uow => uow.leases().acquire(name, owner, at, ttl).await?).unwrap();
            assert_eq!(acquire(one, now.plus(seconds(jump))).await, Some(1));
            assert_eq!(acquire(two, now).await, free.then_some(2), "{jump} s ahead");
            let again = if free { None } else { Some(1) };
            assert_eq!(acquire(one, now.plus(seconds(1))).await, again, "{jump} s ahead");
        }
        let name = &word();
        let acquire =
            async |owner, at| transact!(store, uow => uow.leases().acquire(name, owner, at, ttl).await?).unwrap();
        assert_eq!(acquire(one, now.plus(seconds(3600))).await, Some(1));
        assert_eq!(acquire(one, now).await, Some(2), "its own owner's too, and as a new one");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_replicas_get_one_lease() {
    on_every_store(async |store| {
        let (name, now) = (word(), moment());
        let race = (0..64).map(|_| {
            let (store, name) = (store.clone(), name.clone());
            tokio::spawn(async move {
                let (name, owner) = (&name, id());
                transact!(store, uow => uow.leases().acquire(name, owner, now, seconds(60)).await?)
            })
        });
        let mut epochs = Vec::new();
        for racer in race.collect::<Vec<_>>() {
            epochs.extend(racer.await.unwrap().unwrap());
        }
        assert_eq!(epochs, [1]);
    })
    .await;
}
