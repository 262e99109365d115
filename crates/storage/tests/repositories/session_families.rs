//! Round trips: sessions.

use userd_model::{Sealed, Session, SessionId, Timestamp, UserId};
use userd_storage::Store;

use crate::{
    samples::{self, id, moment, seconds},
    stores::{on_every_store, transact},
};

async fn insert(store: &Store, sessions: &[Session]) {
    transact!(store, uow => {
        for session in sessions {
            uow.sessions().insert(session).await?;
        }
    })
    .unwrap();
}

async fn find(store: &Store, id: SessionId) -> Option<Session> {
    store.reading().sessions().find(id).await.unwrap()
}

#[tokio::test]
async fn a_session_comes_back_as_stored_and_as_changed() {
    on_every_store(async |store| {
        for (before, after) in
            [(samples::session(id()), samples::new_session(id())), (samples::new_session(id()), samples::session(id()))]
        {
            assert_eq!(find(store, before.id).await, None);
            insert(store, std::slice::from_ref(&before)).await;
            assert_eq!(find(store, before.id).await.as_ref(), Some(&before));
            let changed = &Session { id: before.id, ..after };
            transact!(store, uow => uow.sessions().update(changed).await?).unwrap();
            // Whose it is, since when, and through which identity it began never changes.
            let expected = Session {
                user_id: before.user_id,
                created_at: before.created_at,
                identity_id: before.identity_id,
                ..changed.clone()
            };
            assert_eq!(find(store, before.id).await, Some(expected));
        }
    })
    .await;
}

#[tokio::test]
async fn rotating_writes_what_a_refresh_changes_and_nothing_else() {
    on_every_store(async |store| {
        let before = samples::new_session(id());
        insert(store, std::slice::from_ref(&before)).await;
        let mut refreshed = before.clone();
        refreshed.rotate(samples::hash().to_vec(), Sealed(vec![1, 2, 3]), 7, moment());
        refreshed.ip = Some("203.0.113.9".to_owned());
        let (name, later) = (Some("no".to_owned()), before.expires_at.plus(seconds(1)));
        let also_changed = &Session { device_name: name, expires_at: later, ..refreshed.clone() };
        transact!(store, uow => uow.sessions().rotate(also_changed).await?).unwrap();
        assert_eq!(find(store, before.id).await, Some(refreshed));
    })
    .await;
}

#[tokio::test]
async fn the_sessions_of_a_user_are_paged_oldest_first_without_those_of_others() {
    on_every_store(async |store| {
        let (user, start) = (id(), moment());
        let mut made: Vec<Session> = [3, 1, 1, 2]
            .map(|second| Session { created_at: start.plus(seconds(second)), ..samples::session(user) })
            .into();
        insert(store, &made).await;
        insert(store, &[Session { created_at: start.plus(seconds(1)), ..samples::session(id()) }]).await;
        made.sort_by_key(|session| (session.created_at, session.id));
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.reading().sessions().page_of_user(user, after, 3).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some((last.created_at, last.id));
            seen.extend(page);
        }
        assert_eq!(seen, made);
    })
    .await;
}

#[tokio::test]
async fn alive_are_neither_ended_nor_expired_sessions() {
    on_every_store(async |store| {
        let (user, now): (UserId, Timestamp) = (id(), moment());
        let open = |created: u64, expires_at| Session {
            created_at: now.minus(seconds(created)),
            expires_at,
            ..samples::new_session(user)
        };
        let alive = [open(9, now.plus(seconds(1))), open(8, Timestamp::from_micros(now.micros() + 1))];
        let expired = [open(7, now), open(6, now.minus(seconds(1)))];
        let ended = Session { ended_at: Some(now), ..open(5, now.plus(seconds(9))) };
        insert(store, &alive).await;
        insert(store, &expired).await;
        insert(store, &[ended]).await;
        assert_eq!(store.reading().sessions().alive_of_user(user, now).await.unwrap(), alive);
    })
    .await;
}

/// Dead sessions fill more than one page of the walk before the living one comes.
#[tokio::test]
async fn a_living_session_is_found_behind_hundreds_of_dead_ones() {
    on_every_store(async |store| {
        let (user, now): (UserId, Timestamp) = (id(), moment());
        let made: Vec<Session> = (0..502)
            .map(|second| Session {
                created_at: now.plus(seconds(second)),
                expires_at: now.plus(seconds(9000)),
                ended_at: (second < 501).then_some(now),
                ..samples::new_session(user)
            })
            .collect();
        insert(store, &made).await;
        assert_eq!(store.reading().sessions().alive_of_user(user, now).await.unwrap(), made[501..]);
    })
    .await;
}
