//! The life of signing keys, and two replicas that share them.

use std::{sync::Arc, time::Duration};

use userd_crypto::Algorithm;
use userd_model::{KeyState, Permission, Refusal, Subject};
use userd_services::{signing_keys::KeyView, testing::TestOptions};

use crate::{
    fixture::{DAY, Fixture, MINUTE, TestApp, at_once, refusal, with},
    personas::{PASSWORD, acting},
};

async fn keys(app: &TestApp) -> Vec<KeyView> {
    app.signing_keys.list(&app.operator_context()).await.unwrap()
}

async fn kid_of(app: &TestApp, state: KeyState) -> String {
    let all = keys(app).await;
    let mut found = all.iter().filter(|key| key.state == state);
    let kid = found.next().unwrap_or_else(|| panic!("no {state:?} key among {all:?}")).kid.clone();
    assert!(found.next().is_none(), "several {state:?} keys: {all:?}");
    kid
}

fn published(app: &TestApp) -> usize {
    let set: serde_json::Value = serde_json::from_slice(&app.deps.crypto.tokens.jwks()).unwrap();
    set["keys"].as_array().unwrap().len()
}

#[apply(case)]
async fn an_empty_database_gets_a_key_and_its_heir(fixture: Fixture) {
    let app = fixture.app().await;
    let (active, next) = (kid_of(&app, KeyState::Active).await, kid_of(&app, KeyState::Next).await);
    assert_ne!(active, next);
    assert_eq!((keys(&app).await.len(), published(&app)), (2, 2));
    let again = fixture.app().await;
    assert_eq!(kid_of(&again, KeyState::Active).await, active, "a second start makes no new ones");
    let stored = app.reading().signing_keys().find(&active).await.unwrap().unwrap();
    assert!(!stored.private_key.0.windows(2).all(|pair| pair == [0, 0]));
    assert!(!stored.public_jwk.to_string().contains("\"d\""), "the private half is sealed apart");
}

#[apply(case)]
async fn many_replicas_start_at_once_and_share_one_key(fixture: Fixture) {
    let first = fixture.app().await;
    let store = Arc::clone(&fixture.store);
    let kids = at_once(8, |n| {
        let fixture = Fixture { store: Arc::clone(&store) };
        async move {
            kid_of(
                &fixture.app_with(TestOptions { seed: n as u64 + 9, ..TestOptions::default() }).await,
                KeyState::Active,
            )
            .await
        }
    })
    .await;
    assert!(kids.iter().all(|kid| *kid == kids[0]));
    assert_eq!(keys(&first).await.len(), 2);
}

/// On an empty database: the secrets and keys of whoever was first are everybody's.
#[apply(case)]
async fn many_replicas_start_at_once_on_an_empty_database(fixture: Fixture) {
    let store = Arc::clone(&fixture.store);
    let apps = at_once(8, |n| {
        let fixture = Fixture { store: Arc::clone(&store) };
        async move { fixture.app_with(TestOptions { seed: n as u64 + 9, ..TestOptions::default() }).await }
    })
    .await;
    let ada = apps[0].member("ada").await;
    for app in &apps {
        assert!(app.who(&ada.tokens.access_token).await.is_ok());
        assert!(app.login("ada@example.org", PASSWORD).await.is_ok());
        assert_eq!(app.user_reader.show(ada.id).await.unwrap().email.as_deref(), Some("ada@example.org"));
    }
    assert_eq!(keys(&apps[0]).await.len(), 2);
}

/// F21: what was signed before a rotation stays good.
#[apply(case)]
async fn a_rotation_lets_the_heir_sign_and_old_tokens_stay_good(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let (old, next) = (kid_of(&app, KeyState::Active).await, kid_of(&app, KeyState::Next).await);
    app.signing_keys.rotate(&app.operator_context()).await.unwrap();
    assert_eq!(kid_of(&app, KeyState::Active).await, next);
    assert_eq!(kid_of(&app, KeyState::Retired).await, old);
    assert!(![old, next.clone()].contains(&kid_of(&app, KeyState::Next).await));
    let fresh = app.login("ada", PASSWORD).await.unwrap();
    assert_eq!(app.who(&fresh.tokens.access_token).await.unwrap().token.kid, next);
    assert!(app.who(&ada.tokens.access_token).await.is_ok());
    assert_eq!(published(&app), 3);
}

/// Whoever verifies tokens elsewhere, and whoever reads the audit log, learns what became of each key, and who did it.
#[apply(case)]
async fn what_becomes_of_a_key_is_told(fixture: Fixture) {
    let app = fixture.app().await;
    let told = async |kid: &str| {
        let facts = app.facts_of(Subject::signing_key(kid)).await;
        facts.into_iter().map(|fact| format!("{} by {}", fact.kind, fact.actor.kind)).collect::<Vec<_>>()
    };
    let (first, second) = (kid_of(&app, KeyState::Active).await, kid_of(&app, KeyState::Next).await);
    assert!(app.facts().await.is_empty(), "an installation begins with two");
    app.signing_keys.rotate(&app.operator_context()).await.unwrap();
    let third = kid_of(&app, KeyState::Next).await;
    assert_eq!(told(&first).await, ["signing_key.retired by operator"]);
    assert_eq!(told(&second).await, ["signing_key.activated by operator"]);
    assert_eq!(told(&third).await, ["signing_key.created by operator"]);
    assert_eq!(app.facts_of(Subject::signing_key(&third)).await[0].data, serde_json::json!({ "algorithm": "EdDSA" }));

    app.signing_keys.revoke(&app.operator_context(), &second).await.unwrap();
    assert_eq!(told(&second).await[1..], ["signing_key.revoked by operator"]);
    assert_eq!(told(&third).await[1..], ["signing_key.activated by operator"]);
    // Two hours later nothing lives that the first two have signed.
    app.advance(Duration::from_hours(2));
    app.signing_keys.tick().await.unwrap();
    for gone in [&first, &second] {
        assert_eq!(told(gone).await.last().unwrap(), "signing_key.removed by system");
    }
    app.event_log.tick().await.unwrap();
    let acts: Vec<_> = crate::audit::entries(&app).await.into_iter().map(|entry| entry.act).collect();
    assert_eq!(acts.iter().filter(|act| act.starts_with("signing_key.")).count(), 8, "{acts:?}");
}

/// F22: a compromised key: nothing it has signed is accepted any more.
#[apply(case)]
async fn a_revoked_key_counts_nowhere_at_once(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let (active, next) = (kid_of(&app, KeyState::Active).await, kid_of(&app, KeyState::Next).await);
    assert!(app.who(&ada.tokens.access_token).await.is_ok());
    app.signing_keys.revoke(&app.operator_context(), &active).await.unwrap();
    assert!(app.who(&ada.tokens.access_token).await.is_err());
    assert_eq!(kid_of(&app, KeyState::Active).await, next);
    assert_eq!(kid_of(&app, KeyState::Revoked).await, active);
    let again = app.refresh(&ada.tokens.refresh_token).await.unwrap();
    assert!(app.who(&again.tokens.access_token).await.is_ok(), "the session itself goes on");
    let heir = kid_of(&app, KeyState::Next).await;
    app.signing_keys.revoke(&app.operator_context(), &heir).await.unwrap();
    assert_ne!(kid_of(&app, KeyState::Next).await, heir);
    assert!(app.who(&again.tokens.access_token).await.is_ok());
    assert_eq!(refusal(app.signing_keys.revoke(&app.operator_context(), "nobody").await), Refusal::NotFound);
}

#[apply(case)]
async fn only_who_may_touches_keys(fixture: Fixture) {
    let app = fixture.app().await;
    let reader = app.service(&[Permission::SIGNING_KEYS_READ]).await.actor;
    let ada = app.member("ada").await;
    let member = app.actor(&ada).await;
    assert_eq!(app.signing_keys.list(&acting(&app, &reader)).await.unwrap().len(), 2);
    assert_eq!(refusal(app.signing_keys.list(&acting(&app, &member)).await), Refusal::Forbidden);
    let active = kid_of(&app, KeyState::Active).await;
    for actor in [&reader, &member] {
        assert_eq!(refusal(app.signing_keys.rotate(&acting(&app, actor)).await), Refusal::Forbidden);
        assert_eq!(refusal(app.signing_keys.revoke(&acting(&app, actor), &active).await), Refusal::Forbidden);
    }
}

/// ASVS V13.3.4
#[apply(case)]
async fn the_schedule_rotates_in_time_and_drops_the_retired_later(fixture: Fixture) {
    let app = fixture.app().await;
    let (old, next) = (kid_of(&app, KeyState::Active).await, kid_of(&app, KeyState::Next).await);
    app.advance(DAY * 30 - MINUTE);
    app.signing_keys.tick().await.unwrap();
    assert_eq!(kid_of(&app, KeyState::Active).await, old, "not yet");
    let ada = app.member("ada").await;
    app.advance(MINUTE);
    app.signing_keys.tick().await.unwrap();
    app.signing_keys.tick().await.unwrap();
    assert_eq!(kid_of(&app, KeyState::Active).await, next, "once");
    assert_eq!(kid_of(&app, KeyState::Retired).await, old);
    assert!(app.who(&ada.tokens.access_token).await.is_ok());
    app.advance(MINUTE * 71);
    app.signing_keys.tick().await.unwrap();
    assert!(keys(&app).await.iter().all(|key| key.kid != old), "its last token died an hour ago");
    assert_eq!((keys(&app).await.len(), published(&app)), (2, 2));
}

#[apply(case)]
async fn a_key_is_published_before_it_signs_also_when_the_algorithm_changes(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let changed = with(|settings| settings.algorithm = Algorithm::ES256);
    let clock = Some(Arc::clone(&app.clock));
    let app = fixture.app_with(TestOptions { clock, seed: 2, ..changed }).await;
    app.signing_keys.tick().await.unwrap();
    let algorithm_of = |keys: Vec<KeyView>, state| keys.into_iter().find(|key| key.state == state).unwrap().algorithm;
    assert_eq!(algorithm_of(keys(&app).await, KeyState::Active), "EdDSA");
    assert_eq!(algorithm_of(keys(&app).await, KeyState::Next), "ES256");
    app.advance(Duration::from_secs(3599));
    app.signing_keys.tick().await.unwrap();
    assert_eq!(algorithm_of(keys(&app).await, KeyState::Active), "EdDSA", "verifiers do not know the new one yet");
    app.advance(Duration::from_secs(1));
    let old = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    app.signing_keys.tick().await.unwrap();
    assert_eq!(algorithm_of(keys(&app).await, KeyState::Active), "ES256");
    let fresh = app.login("ada", PASSWORD).await.unwrap().tokens;
    for token in [&old.access_token, &fresh.access_token] {
        assert!(app.who(token).await.is_ok());
    }
}

/// The heir made before the change is of no use: the start replaces it, says when the new one takes over, and one rotation
/// is enough (fault 27).
#[apply(case)]
async fn a_changed_algorithm_takes_one_rotation_and_the_start_says_when(fixture: Fixture) {
    let app = fixture.app().await;
    assert_eq!(app.signing_keys.algorithm_change().await.unwrap(), None);
    for (seed, algorithm) in [(2, Algorithm::RS256), (3, Algorithm::ES256), (4, Algorithm::EdDSA)] {
        let before = keys(&app).await.into_iter().find(|key| key.state == KeyState::Active).unwrap();
        let changed = with(|settings| settings.algorithm = algorithm);
        let clock = Some(Arc::clone(&app.clock));
        let app = fixture.app_with(TestOptions { clock, seed, ..changed }).await;
        let change = app.signing_keys.algorithm_change().await.unwrap().unwrap();
        assert_eq!((change.signs_with.as_str(), change.changes_to.as_str()), (&*before.algorithm, algorithm.as_str()));
        assert_eq!(change.at, app.deps.now().plus(Duration::from_secs(3600)));
        assert!(change.to_string().contains("`userd keys rotate` does it now"), "{change}");
        let next = kid_of(&app, KeyState::Next).await;
        app.signing_keys.rotate(&app.operator_context()).await.unwrap();
        let active = keys(&app).await.into_iter().find(|key| key.state == KeyState::Active).unwrap();
        assert_eq!((active.kid.as_str(), active.algorithm.as_str()), (next.as_str(), algorithm.as_str()));
        assert_eq!(app.signing_keys.algorithm_change().await.unwrap(), None);
    }
}

#[apply(case)]
async fn a_schedule_and_a_hand_that_rotate_at_once_rotate_once(fixture: Fixture) {
    let app = fixture.app().await;
    app.advance(DAY * 31);
    let services = app.shared();
    at_once(6, |_| {
        let services = Arc::clone(&services);
        async move { services.signing_keys.tick().await.unwrap() }
    })
    .await;
    assert_eq!(keys(&app).await.iter().filter(|key| key.state == KeyState::Retired).count(), 1);
    kid_of(&app, KeyState::Active).await;
    kid_of(&app, KeyState::Next).await;
}

/// F22: a key is revoked at one replica; the other one hears of it by its poll.
#[apply(case)]
async fn a_change_of_keys_reaches_the_other_replica(fixture: Fixture) {
    let (here, there) = fixture.two_apps().await;
    let ada = here.member("ada").await;
    assert!(there.who(&ada.tokens.access_token).await.is_ok());
    let active = kid_of(&here, KeyState::Active).await;
    there.follow_revocations().await.unwrap();
    here.signing_keys.revoke(&here.operator_context(), &active).await.unwrap();
    there.follow_revocations().await.unwrap();
    assert!(there.who(&ada.tokens.access_token).await.is_err());
    assert_eq!(there.deps.crypto.tokens.active_kid(), here.deps.crypto.tokens.active_kid());
    here.signing_keys.rotate(&here.operator_context()).await.unwrap();
    there.follow_revocations().await.unwrap();
    assert_eq!(there.deps.crypto.tokens.active_kid(), here.deps.crypto.tokens.active_kid());
}
