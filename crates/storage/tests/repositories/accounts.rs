//! Round trips: accounts and what belongs to them.

use userd_model::{
    ClientId, Identity, Timestamp, User, UserId, UserStatus, Username, Webhook, preferences::Preferences,
};
use userd_storage::{
    Duplicate, Failure, Store, StoreError, repositories::claims::StoredClaim,
    repositories::password_credentials::PasswordCredential,
};

use crate::{
    samples::{self, id, moment, seconds, word},
    stores::{on_every_store, transact},
};

/// The table whose key was there already.
pub(crate) fn duplicate<T: std::fmt::Debug>(answer: Result<T, Failure>) -> &'static str {
    match answer {
        Err(Failure::Store(StoreError::Duplicate(Duplicate::Key(table)))) => table,
        other => panic!("not a duplicate: {other:?}"),
    }
}

async fn find(store: &Store, id: UserId) -> Option<User> {
    store.reading().users().find(id).await.unwrap()
}

#[tokio::test]
async fn a_user_comes_back_as_stored() {
    on_every_store(async |store| {
        for user in &[samples::user(), samples::bare_user()] {
            assert_eq!(find(store, user.id).await, None);
            transact!(store, uow => uow.users().insert(user).await?).unwrap();
            assert_eq!(find(store, user.id).await.as_ref(), Some(user));
        }
    })
    .await;
}

#[tokio::test]
async fn a_changed_user_comes_back_changed_but_keeps_when_it_was_made() {
    on_every_store(async |store| {
        for (before, after) in &[(samples::user(), samples::bare_user()), (samples::bare_user(), samples::user())] {
            let after = &User { id: before.id, created_at: moment(), ..after.clone() };
            transact!(store, uow => uow.users().insert(before).await?).unwrap();
            transact!(store, uow => uow.users().update(after).await?).unwrap();
            let expected = User { created_at: before.created_at, ..after.clone() };
            assert_eq!(find(store, before.id).await, Some(expected));
        }
    })
    .await;
}

#[tokio::test]
async fn recording_a_sign_in_changes_nothing_else() {
    on_every_store(async |store| {
        let (user, at) = (&samples::user(), moment());
        transact!(store, uow => uow.users().insert(user).await?).unwrap();
        transact!(store, uow => uow.users().record_sign_in(user.id, at).await?).unwrap();
        assert_eq!(find(store, user.id).await, Some(User { last_sign_in_at: Some(at), ..user.clone() }));
    })
    .await;
}

#[tokio::test]
async fn changing_a_user_that_is_not_there_makes_none() {
    on_every_store(async |store| {
        let user = &samples::user();
        transact!(store, uow => uow.users().update(user).await?).unwrap();
        assert_eq!(find(store, user.id).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_unit_of_work_reads_what_it_wrote_and_forgets_it_on_refusal() {
    on_every_store(async |store| {
        let user = &samples::user();
        let refused: Result<(), Failure> = store
            .transact("case", |mut uow| async move {
                uow.users().insert(user).await?;
                assert_eq!(uow.users().find(user.id).await?.as_ref(), Some(user));
                Err(userd_model::Refusal::UsernameTaken.into())
            })
            .await;
        assert!(matches!(refused, Err(Failure::Refused(_))));
        assert_eq!(find(store, user.id).await, None);
    })
    .await;
}

#[tokio::test]
async fn users_are_paged_by_creation_and_those_of_one_moment_by_id() {
    on_every_store(async |store| {
        let start = moment();
        let mut made: Vec<User> = [0, 1, 1, 1, 2]
            .map(|second| User { created_at: start.plus(seconds(second)), ..samples::bare_user() })
            .into();
        for user in &made {
            transact!(store, uow => uow.users().insert(user).await?).unwrap();
        }
        made.sort_by_key(|user| (user.created_at, user.id));
        let mut after = Some((Timestamp::from_micros(start.micros() - 1), UserId(uuid::Uuid::max())));
        let mut seen: Vec<User> = Vec::new();
        while seen.len() < made.len() {
            let page = store.reading().users().page(after, 2).await.unwrap();
            assert!(!page.is_empty() && page.len() <= 2);
            after = page.last().map(|user| (user.created_at, user.id));
            seen.extend(page.into_iter().filter(|user| made.contains(user)));
        }
        assert_eq!(seen, made);
        let first = store.reading().users().page(None, 1).await.unwrap();
        assert_eq!(first.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_webhook_comes_back_as_it_was_changes_and_goes() {
    on_every_store(async |store| {
        for webhook in [&samples::webhook(), &samples::bare_webhook()] {
            transact!(store, uow => uow.webhooks().insert(webhook).await?).unwrap();
            assert_eq!(duplicate(transact!(store, uow => uow.webhooks().insert(webhook).await?)), "webhooks");
            assert!(store.reading().webhooks().find(webhook.id).await.unwrap().as_ref() == Some(webhook));
            let (id, created_by, created_at) = (webhook.id, webhook.created_by, webhook.created_at);
            for other in [samples::bare_webhook(), samples::webhook()] {
                let changed = &Webhook { id, created_by, created_at, ..other };
                transact!(store, uow => uow.webhooks().update(changed).await?).unwrap();
                assert!(store.reading().webhooks().find(id).await.unwrap().as_ref() == Some(changed));
                assert!(store.reading().webhooks().all().await.unwrap().contains(changed));
            }
            transact!(store, uow => uow.webhooks().remove(id).await?).unwrap();
            assert!(store.reading().webhooks().find(id).await.unwrap().is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn a_taken_id_is_a_duplicate_that_names_the_table() {
    on_every_store(async |store| {
        let user = &samples::user();
        transact!(store, uow => uow.users().insert(user).await?).unwrap();
        assert_eq!(duplicate(transact!(store, uow => uow.users().insert(user).await?)), "users");
        let identity = &samples::identity(user.id);
        transact!(store, uow => uow.identities().insert(identity).await?).unwrap();
        assert_eq!(duplicate(transact!(store, uow => uow.identities().insert(identity).await?)), "identities");
        let client = &samples::client();
        transact!(store, uow => uow.clients().insert(client).await?).unwrap();
        assert_eq!(duplicate(transact!(store, uow => uow.clients().insert(client).await?)), "clients");
        let session = &samples::session(user.id);
        transact!(store, uow => uow.sessions().insert(session).await?).unwrap();
        assert_eq!(duplicate(transact!(store, uow => uow.sessions().insert(session).await?)), "sessions");
    })
    .await;
}

#[tokio::test]
async fn a_claimed_value_is_taken_until_it_is_given_free() {
    on_every_store(async |store| {
        let (owner, other): (UserId, UserId) = (id(), id());
        let claim = &samples::claim(owner, "email");
        let rival = &userd_storage::repositories::claims::Claim { owner: other, ..claim.clone() };
        assert_eq!(store.reading().claims().find(&claim.hash).await.unwrap(), None);
        transact!(store, uow => uow.claims().insert(claim).await?).unwrap();
        assert_eq!(duplicate(transact!(store, uow => uow.claims().insert(rival).await?)), "claims");
        let found = store.reading().claims().find(&claim.hash).await.unwrap().unwrap();
        assert_eq!((found.owner, found.kind.as_str(), found.created_at), (owner, "email", claim.created_at));
        transact!(store, uow => uow.claims().remove(&claim.hash).await?).unwrap();
        transact!(store, uow => uow.claims().insert(rival).await?).unwrap();
        assert_eq!(store.reading().claims().find(&claim.hash).await.unwrap().unwrap().owner, other);
    })
    .await;
}

#[tokio::test]
async fn the_claims_of_an_owner_are_all_there_by_kind() {
    on_every_store(async |store| {
        let owner: UserId = id();
        let claims = &["username", "email", "phone", "identity"].map(|kind| samples::claim(owner, kind));
        let strangers = &samples::claim(id(), "email");
        transact!(store, uow => {
            for claim in claims {
                uow.claims().insert(claim).await?;
            }
            uow.claims().insert(strangers).await?;
        })
        .unwrap();
        let kinds = |claims: Vec<StoredClaim>| claims.into_iter().map(|claim| claim.kind).collect::<Vec<_>>();
        let found = store.reading().claims().of_owner(owner).await.unwrap();
        assert_eq!(kinds(found), ["email", "identity", "phone", "username"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_claims_of_one_value_have_one_winner() {
    on_every_store(async |store| {
        let hash = samples::hash().to_vec();
        let race = (0..64).map(|_| {
            let (store, hash) = (store.clone(), hash.clone());
            tokio::spawn(async move {
                let claim = &userd_storage::repositories::claims::Claim { hash, ..samples::claim(id(), "email") };
                transact!(store, uow => uow.claims().insert(claim).await?).map(|()| claim.owner)
            })
        });
        let mut winners = Vec::new();
        for racer in race.collect::<Vec<_>>() {
            match racer.await.unwrap() {
                Ok(owner) => winners.push(owner),
                lost => assert_eq!(duplicate(lost), "claims"),
            }
        }
        let found = store.reading().claims().find(&hash).await.unwrap().unwrap();
        assert_eq!(winners, [found.owner]);
    })
    .await;
}

#[tokio::test]
async fn a_password_is_set_replaced_and_removed() {
    on_every_store(async |store| {
        let user: UserId = id();
        let first = &samples::password(user);
        let second = &PasswordCredential { hash: word(), changed_at: moment(), must_change: false, user_id: user };
        for credential in [first, second] {
            transact!(store, uow => uow.password_credentials().upsert(credential).await?).unwrap();
            let found = store.reading().password_credentials().find(user).await.unwrap();
            assert!(found.as_ref() == Some(credential));
        }
        transact!(store, uow => uow.password_credentials().remove(user).await?).unwrap();
        assert!(store.reading().password_credentials().find(user).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn preferences_are_nothing_then_chosen_then_replaced() {
    on_every_store(async |store| {
        let user: UserId = id();
        assert_eq!(store.reading().notification_preferences().of_user(user).await.unwrap(), Preferences::default());
        let first = samples::preferences();
        for chosen in [
            &first,
            &Preferences { version: 2, ..Preferences::default() },
            &Preferences { version: 3, ..first.clone() },
        ] {
            let now = moment();
            transact!(store, uow => uow.notification_preferences().write(user, chosen, now).await?).unwrap();
            assert_eq!(&store.reading().notification_preferences().of_user(user).await.unwrap(), chosen);
        }
    })
    .await;
}

#[tokio::test]
async fn identities_come_back_in_order_change_and_go() {
    on_every_store(async |store| {
        let user: UserId = id();
        let (older, newer) = (&samples::identity(user), &samples::identity(user));
        let newer = &Identity { created_at: older.created_at.plus(seconds(1)), ..newer.clone() };
        let changed = &Identity {
            profile: None,
            tokens: Some(newer.subject.clone()),
            bot_access: true,
            last_used_at: moment(),
            ..older.clone()
        };
        transact!(store, uow => {
            uow.identities().insert(newer).await?;
            uow.identities().insert(older).await?;
        })
        .unwrap();
        assert_eq!(store.reading().identities().of_user(user).await.unwrap(), [older.clone(), newer.clone()]);
        transact!(store, uow => uow.identities().update(changed).await?).unwrap();
        assert_eq!(store.reading().identities().find(older.id).await.unwrap().as_ref(), Some(changed));
        transact!(store, uow => uow.identities().remove(older.id).await?).unwrap();
        assert_eq!(store.reading().identities().of_user(user).await.unwrap(), std::slice::from_ref(newer));
    })
    .await;
}

#[tokio::test]
async fn factors_come_back_in_order_change_and_go() {
    on_every_store(async |store| {
        let user: UserId = id();
        let (older, newer) = (&samples::factor(user), &samples::factor(user));
        let newer = &userd_model::Factor {
            kind: userd_model::FactorKind::Passkey,
            name: None,
            last_used_at: None,
            created_at: older.created_at.plus(seconds(1)),
            ..newer.clone()
        };
        let changed = &userd_model::Factor { name: None, counter: 58_000_001, ..older.clone() };
        transact!(store, uow => {
            uow.factors().insert(newer).await?;
            uow.factors().insert(older).await?;
        })
        .unwrap();
        assert_eq!(store.reading().factors().of_user(user).await.unwrap(), [older.clone(), newer.clone()]);
        let before = store.reading().sessions().for_sign_in(user, moment()).await.unwrap();
        assert_eq!(before.factors, [older.clone(), newer.clone()]);
        transact!(store, uow => uow.factors().update(changed).await?).unwrap();
        assert_eq!(store.reading().factors().find(older.id).await.unwrap().as_ref(), Some(changed));
        transact!(store, uow => uow.factors().remove(older.id).await?).unwrap();
        assert_eq!(store.reading().factors().of_user(user).await.unwrap(), std::slice::from_ref(newer));
    })
    .await;
}

#[tokio::test]
async fn a_recovery_code_is_its_users_and_works_once_and_a_new_set_takes_the_place_of_the_old_one() {
    on_every_store(async |store| {
        let (user, other): (UserId, UserId) = (id(), id());
        let codes = &(0..3).map(|_| samples::recovery_code(user)).collect::<Vec<_>>();
        let first = &codes[0].hash;
        transact!(store, uow => uow.recovery_codes().replace(user, codes).await?).unwrap();
        assert_eq!(store.reading().recovery_codes().of_user(user).await.unwrap().len(), 3);
        assert!(!transact!(store, uow => uow.recovery_codes().take(other, first).await?).unwrap());
        assert!(transact!(store, uow => uow.recovery_codes().take(user, first).await?).unwrap());
        assert!(!transact!(store, uow => uow.recovery_codes().take(user, first).await?).unwrap());
        let fresh = &[samples::recovery_code(user)];
        transact!(store, uow => uow.recovery_codes().replace(user, fresh).await?).unwrap();
        assert_eq!(store.reading().recovery_codes().of_user(user).await.unwrap(), *fresh);
    })
    .await;
}

#[tokio::test]
async fn clients_come_back_as_stored_changed_and_paged() {
    on_every_store(async |store| {
        let mut made = vec![samples::client(), samples::client(), samples::client()];
        let start = made[0].created_at;
        made[1].created_at = start;
        made[2].created_at = start.plus(seconds(1));
        made[2].created_by = None;
        for client in &made {
            transact!(store, uow => uow.clients().insert(client).await?).unwrap();
        }
        made[0].name = word();
        made[0].permissions = Vec::new();
        made[0].disabled_at = Some(moment());
        let changed = &made[0].clone();
        transact!(store, uow => uow.clients().update(changed).await?).unwrap();
        assert_eq!(store.reading().clients().find(changed.id).await.unwrap().as_ref(), Some(changed));
        made.sort_by_key(|client| (client.created_at, client.id));
        let before = (Timestamp::from_micros(start.micros() - 1), ClientId(id()));
        assert_eq!(store.reading().clients().page(Some(before), 3).await.unwrap(), made);
        let after = (made[0].created_at, made[0].id);
        assert_eq!(store.reading().clients().page(Some(after), 1).await.unwrap(), made[1..2]);
        assert_eq!(store.reading().clients().page(None, 1).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_stored_word_that_this_release_does_not_know_is_corrupt_and_named() {
    on_every_store(async |store| {
        let user = &User { status: UserStatus::Active, username: Some(Username::stored(word())), ..samples::user() };
        transact!(store, uow => uow.users().insert(user).await?).unwrap();
        transact!(store, uow => crate::every_statement::set_status(&mut uow, user, "frozen").await?).unwrap();
        match store.reading().users().find(user.id).await {
            Err(StoreError::Corrupt(what)) => assert_eq!(what, "users.by_id: unknown user status"),
            other => panic!("{other:?}"),
        }
    })
    .await;
}

#[tokio::test]
async fn a_stream_its_signals_and_keys_come_back_as_they_were() {
    on_every_store(async |store| {
        let (stream, user) = (&samples::stream(), samples::user().id);
        let bare = &userd_model::Stream {
            description: None,
            push: None,
            reason: None,
            verified_at: None,
            failing_since: None,
            ..stream.clone()
        };
        transact!(store, uow => uow.streams().insert(stream).await?).unwrap();
        assert_eq!(duplicate(transact!(store, uow => uow.streams().insert(stream).await?)), "streams");
        for changed in [stream, bare] {
            transact!(store, uow => uow.streams().update(changed).await?).unwrap();
            assert_eq!(store.reading().streams().find(stream.id).await.unwrap().as_ref(), Some(changed));
            assert!(store.reading().streams().all().await.unwrap().contains(changed));
        }
        let [first, second] = &[1, 2].map(|number| samples::queued_signal(stream.id, user, number));
        transact!(store, uow => uow.stream_signals().write_many(&[second.clone(), first.clone()]).await?).unwrap();
        let waiting = store.reading().stream_signals().of_stream(stream.id, 5).await.unwrap();
        assert_eq!(waiting, [first.clone(), second.clone()], "in the order of the queue");
        let again = &userd_model::QueuedSignal { number: 3, user_id: None, ..first.clone() };
        transact!(store, uow => {
            uow.stream_signals().write_many(std::slice::from_ref(again)).await?;
            uow.stream_signals().remove_many(&[second.id]).await?;
        })
        .unwrap();
        assert_eq!(store.reading().stream_signals().find(stream.id, first.id).await.unwrap().as_ref(), Some(again));
        assert_eq!(store.reading().stream_signals().of_stream(stream.id, 5).await.unwrap().len(), 1);
        let key = &samples::stream_key();
        transact!(store, uow => uow.stream_keys().insert(key).await?).unwrap();
        assert!(store.reading().stream_keys().all().await.unwrap().contains(key));
        transact!(store, uow => {
            uow.stream_keys().remove(&key.kid).await?;
            uow.streams().remove(stream.id).await?;
        })
        .unwrap();
        assert!(!store.reading().stream_keys().all().await.unwrap().contains(key));
        assert!(store.reading().streams().find(stream.id).await.unwrap().is_none());
    })
    .await;
}
