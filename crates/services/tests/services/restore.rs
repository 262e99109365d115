//! After a backup was restored: what was issued before ends (fault 22).

use std::time::Duration;

use userd_model::{EventKind, KeyState, Refusal, Revoked};

use crate::{
    fixture::{Fixture, refusal},
    personas::{PASSWORD, of_id},
};

/// (fault 22) Tokens, keys and sessions of before are dead, verifiers are told, and life goes on.
/// F43: a restored backup brings nothing back that was ended since.
#[apply(case)]
async fn everything_issued_before_a_restore_is_dead(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let phone = app.login("ada", PASSWORD).await.unwrap().tokens;
    for tokens in [&ada.tokens, &grace.tokens, &phone] {
        app.who(&tokens.access_token).await.unwrap();
    }
    let old = app.deps.crypto.tokens.active_kid().unwrap();
    app.advance(Duration::from_secs(1));
    let operator = app.operator_context();
    let ended = app.end_the_past(&operator, false, &[], &|_| {}).await.unwrap();
    assert_eq!((ended.sessions, ended.issued_before), (3, app.now()));
    assert!(ended.revoked_keys.contains(&old) && ended.revoked_keys.len() == 2, "the next key too");
    for tokens in [&ada.tokens, &grace.tokens, &phone] {
        assert!(app.is_out(tokens).await);
    }
    assert_eq!(app.count_of(ada.id, EventKind::SessionEnded).await, 2);
    let feed = app.revocations.feed(&operator, None, 100).await.unwrap().entries;
    let all = |entry: &userd_model::Revocation| entry.what == Revoked::All { issued_before: app.now() };
    assert!(feed.iter().any(all), "{feed:?}");
    let keys = app.signing_keys.list(&operator).await.unwrap();
    let count = |state| keys.iter().filter(|key| key.state == state).count();
    assert_eq!((count(KeyState::Active), count(KeyState::Next), count(KeyState::Revoked)), (1, 1, 2));
    assert_eq!(ended.signing_key, app.deps.crypto.tokens.active_kid());
    let again = app.login("ada", PASSWORD).await.unwrap();
    assert!(app.who(&again.tokens.access_token).await.is_ok());
    assert_eq!(app.end_the_past(&operator, false, &[], &|_| {}).await.unwrap().sessions, 1, "it can be repeated");
}

/// (fault 22) Sessions can be kept; their access tokens are dead all the same. Only the operator does either.
#[apply(case)]
async fn sessions_of_a_restored_backup_can_be_kept(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.advance(Duration::from_secs(1));
    assert_eq!(refusal(app.end_the_past(&of_id(&app, ada.id), true, &[], &|_| {}).await), Refusal::Forbidden);
    assert!(app.who(&ada.tokens.access_token).await.is_ok());
    let ended = app.end_the_past(&app.operator_context(), true, &[], &|_| {}).await.unwrap();
    assert_eq!(ended.sessions, 0);
    assert!(app.who(&ada.tokens.access_token).await.is_err());
    let next = app.refresh(&ada.tokens.refresh_token).await.unwrap();
    assert!(app.who(&next.tokens.access_token).await.is_ok());
}

/// (fault 22) `issued_before` alone, without the keys, ends what was issued before it: verifiers elsewhere have no other
/// word for tokens of keys that they know.
#[apply(case)]
async fn tokens_of_before_are_dead_by_the_feed_alone(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.advance(Duration::from_secs(1));
    let (system, issued_before) = (app.changes.system_context(), app.now());
    let told = app.changes.run(&system, "all", |mut change| async move {
        change.revoke(Revoked::All { issued_before });
        change.commit(()).await
    });
    told.await.unwrap();
    assert!(app.who(&ada.tokens.access_token).await.is_err());
    let next = app.refresh(&ada.tokens.refresh_token).await.unwrap();
    assert!(app.who(&next.tokens.access_token).await.is_ok());
}
