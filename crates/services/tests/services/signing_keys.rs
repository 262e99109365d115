//! The life of signing keys, and two replicas that share them.

use std::{sync::Arc, time::Duration};

use userd_crypto::Algorithm;
use userd_model::{KeyState, Permission, Refusal};
use userd_services::{signing_keys::KeyView, testing::TestOptions};

use crate::{
    personas::{PASSWORD, acting},
    stage::{DAY, House, MINUTE, Stage, at_once, refusal, with},
};

async fn keys(house: &House) -> Vec<KeyView> {
    house.signing_keys.list(&house.operator_context()).await.unwrap()
}

async fn kid_of(house: &House, state: KeyState) -> String {
    let all = keys(house).await;
    let mut found = all.iter().filter(|key| key.state == state);
    let kid = found.next().unwrap_or_else(|| panic!("no {state:?} key among {all:?}")).kid.clone();
    assert!(found.next().is_none(), "several {state:?} keys: {all:?}");
    kid
}

fn published(house: &House) -> usize {
    let set: serde_json::Value = serde_json::from_slice(&house.deps.crypto.tokens.jwks()).unwrap();
    set["keys"].as_array().unwrap().len()
}

#[apply(case)]
pub(crate) async fn an_empty_database_gets_a_key_and_its_heir(stage: Stage) {
    let house = stage.house().await;
    let (active, next) = (kid_of(&house, KeyState::Active).await, kid_of(&house, KeyState::Next).await);
    assert_ne!(active, next);
    assert_eq!((keys(&house).await.len(), published(&house)), (2, 2));
    let again = stage.house().await;
    assert_eq!(kid_of(&again, KeyState::Active).await, active, "a second start makes no new ones");
    let stored = house.reading().signing_keys().find(&active).await.unwrap().unwrap();
    assert!(!stored.private_key.0.windows(2).all(|pair| pair == [0, 0]));
    assert!(!stored.public_jwk.to_string().contains("\"d\""), "the private half is sealed apart");
}

#[apply(case)]
pub(crate) async fn many_replicas_start_at_once_and_share_one_key(stage: Stage) {
    let first = stage.house().await;
    let store = Arc::clone(&stage.store);
    let kids = at_once(8, |n| {
        let stage = Stage { store: Arc::clone(&store) };
        async move {
            kid_of(
                &stage.house_with(TestOptions { seed: n as u64 + 9, ..TestOptions::default() }).await,
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
pub(crate) async fn many_replicas_start_at_once_on_an_empty_database(stage: Stage) {
    let store = Arc::clone(&stage.store);
    let houses = at_once(8, |n| {
        let stage = Stage { store: Arc::clone(&store) };
        async move { stage.house_with(TestOptions { seed: n as u64 + 9, ..TestOptions::default() }).await }
    })
    .await;
    let ada = houses[0].member("ada").await;
    for house in &houses {
        assert!(house.who(&ada.tokens.access_token).await.is_ok());
        assert!(house.login("ada@example.org", PASSWORD).await.is_ok());
        assert_eq!(house.user_reader.show(ada.id).await.unwrap().email.as_deref(), Some("ada@example.org"));
    }
    assert_eq!(keys(&houses[0]).await.len(), 2);
}

#[apply(case)]
pub(crate) async fn a_rotation_lets_the_heir_sign_and_old_tokens_stay_good(stage: Stage) {
    let house = stage.house().await;
    let ada = house.member("ada").await;
    let (old, next) = (kid_of(&house, KeyState::Active).await, kid_of(&house, KeyState::Next).await);
    house.signing_keys.rotate(&house.operator_context()).await.unwrap();
    assert_eq!(kid_of(&house, KeyState::Active).await, next);
    assert_eq!(kid_of(&house, KeyState::Retired).await, old);
    assert!(![old, next.clone()].contains(&kid_of(&house, KeyState::Next).await));
    let fresh = house.login("ada", PASSWORD).await.unwrap();
    assert_eq!(house.who(&fresh.tokens.access_token).await.unwrap().token.kid, next);
    assert!(house.who(&ada.tokens.access_token).await.is_ok());
    assert_eq!(published(&house), 3);
}

/// F22: a compromised key: nothing it has signed is accepted any more.
#[apply(case)]
pub(crate) async fn a_revoked_key_counts_nowhere_at_once(stage: Stage) {
    let house = stage.house().await;
    let ada = house.member("ada").await;
    let (active, next) = (kid_of(&house, KeyState::Active).await, kid_of(&house, KeyState::Next).await);
    assert!(house.who(&ada.tokens.access_token).await.is_ok());
    house.signing_keys.revoke(&house.operator_context(), &active).await.unwrap();
    assert!(house.who(&ada.tokens.access_token).await.is_err());
    assert_eq!(kid_of(&house, KeyState::Active).await, next);
    assert_eq!(kid_of(&house, KeyState::Revoked).await, active);
    let again = house.refresh(&ada.tokens.refresh_token).await.unwrap();
    assert!(house.who(&again.tokens.access_token).await.is_ok(), "the session itself goes on");
    let heir = kid_of(&house, KeyState::Next).await;
    house.signing_keys.revoke(&house.operator_context(), &heir).await.unwrap();
    assert_ne!(kid_of(&house, KeyState::Next).await, heir);
    assert!(house.who(&again.tokens.access_token).await.is_ok());
    assert_eq!(refusal(house.signing_keys.revoke(&house.operator_context(), "nobody").await), Refusal::NotFound);
}

#[apply(case)]
pub(crate) async fn only_who_may_touches_keys(stage: Stage) {
    let house = stage.house().await;
    let reader = house.service(&[Permission::SIGNING_KEYS_READ]).await.actor;
    let ada = house.member("ada").await;
    let member = house.actor(&ada).await;
    assert_eq!(house.signing_keys.list(&acting(&house, &reader)).await.unwrap().len(), 2);
    assert_eq!(refusal(house.signing_keys.list(&acting(&house, &member)).await), Refusal::Forbidden);
    let active = kid_of(&house, KeyState::Active).await;
    for actor in [&reader, &member] {
        assert_eq!(refusal(house.signing_keys.rotate(&acting(&house, actor)).await), Refusal::Forbidden);
        assert_eq!(refusal(house.signing_keys.revoke(&acting(&house, actor), &active).await), Refusal::Forbidden);
    }
}

#[apply(case)]
pub(crate) async fn the_schedule_rotates_in_time_and_drops_the_retired_later(stage: Stage) {
    let house = stage.house().await;
    let (old, next) = (kid_of(&house, KeyState::Active).await, kid_of(&house, KeyState::Next).await);
    house.advance(DAY * 30 - MINUTE);
    house.signing_keys.tick().await.unwrap();
    assert_eq!(kid_of(&house, KeyState::Active).await, old, "not yet");
    let ada = house.member("ada").await;
    house.advance(MINUTE);
    house.signing_keys.tick().await.unwrap();
    house.signing_keys.tick().await.unwrap();
    assert_eq!(kid_of(&house, KeyState::Active).await, next, "once");
    assert_eq!(kid_of(&house, KeyState::Retired).await, old);
    assert!(house.who(&ada.tokens.access_token).await.is_ok());
    house.advance(MINUTE * 71);
    house.signing_keys.tick().await.unwrap();
    assert!(keys(&house).await.iter().all(|key| key.kid != old), "its last token died an hour ago");
    assert_eq!((keys(&house).await.len(), published(&house)), (2, 2));
}

#[apply(case)]
pub(crate) async fn a_key_is_published_before_it_signs_also_when_the_algorithm_changes(stage: Stage) {
    let house = stage.house().await;
    let ada = house.member("ada").await;
    let changed = with(|settings| settings.algorithm = Algorithm::ES256);
    let clock = Some(Arc::clone(&house.clock));
    let house = stage.house_with(TestOptions { clock, seed: 2, ..changed }).await;
    house.signing_keys.tick().await.unwrap();
    let algorithm_of = |keys: Vec<KeyView>, state| keys.into_iter().find(|key| key.state == state).unwrap().algorithm;
    assert_eq!(algorithm_of(keys(&house).await, KeyState::Active), "EdDSA");
    assert_eq!(algorithm_of(keys(&house).await, KeyState::Next), "ES256");
    house.advance(Duration::from_secs(3599));
    house.signing_keys.tick().await.unwrap();
    assert_eq!(algorithm_of(keys(&house).await, KeyState::Active), "EdDSA", "verifiers do not know the new one yet");
    house.advance(Duration::from_secs(1));
    let old = house.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    house.signing_keys.tick().await.unwrap();
    assert_eq!(algorithm_of(keys(&house).await, KeyState::Active), "ES256");
    let fresh = house.login("ada", PASSWORD).await.unwrap().tokens;
    for token in [&old.access_token, &fresh.access_token] {
        assert!(house.who(token).await.is_ok());
    }
}

#[apply(case)]
pub(crate) async fn a_schedule_and_a_hand_that_rotate_at_once_rotate_once(stage: Stage) {
    let house = stage.house().await;
    house.advance(DAY * 31);
    let services = house.shared();
    at_once(6, |_| {
        let services = Arc::clone(&services);
        async move { services.signing_keys.tick().await.unwrap() }
    })
    .await;
    assert_eq!(keys(&house).await.iter().filter(|key| key.state == KeyState::Retired).count(), 1);
    kid_of(&house, KeyState::Active).await;
    kid_of(&house, KeyState::Next).await;
}

/// F22: a key is revoked at one replica; the other one hears of it by its poll.
#[apply(case)]
pub(crate) async fn a_change_of_keys_reaches_the_other_replica(stage: Stage) {
    let (here, there) = stage.two_houses().await;
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
