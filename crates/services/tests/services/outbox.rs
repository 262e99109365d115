//! The outbox: every change leaves its event, in the unit of work that made it.

use std::collections::BTreeSet;

use userd_model::EventKind;
use userd_services::accounts::ProfileInput;
use userd_storage::repositories::outbox::SHARDS;

use crate::{
    personas::{OTHER_PASSWORD, PASSWORD, authenticated, home, of, of_session, password},
    sign_in::house_with_acme,
    stage::{House, Stage},
};

/// One life of one account.
async fn live(house: &House) {
    let ada = house.member("ada").await;
    house.accounts.change_profile(&of(&house, &ada), ProfileInput::default(), None).await.unwrap();
    house.accounts.change_username(&of(&house, &ada), "countess", None).await.unwrap();
    let (old, new) = (password(PASSWORD), password(OTHER_PASSWORD));
    house
        .accounts
        .change_password(&of_session(&house, ada.id, ada.tokens.session_id, home()), &old, &new)
        .await
        .unwrap();
    house.link(&ada, "acme").await;
    let who = house.who(&ada.tokens.access_token).await.unwrap();
    let identity = house.sign_in.identities(&authenticated(&house, &who), who.user().unwrap().0).await.unwrap()[0].id;
    house.sign_in.unlink(&authenticated(&house, &who), identity).await.unwrap();
    let second = house.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    house.refresh(&second.refresh_token).await.unwrap();
    house.refresh(&ada.tokens.refresh_token).await.unwrap_err();
    house.login("countess", OTHER_PASSWORD).await.unwrap();
    house.users.block(&house.operator_context(), ada.id).await.unwrap();
    house.users.unblock(&house.operator_context(), ada.id).await.unwrap();
}

/// Whoever adds a kind of event adds the change that writes it here; the bot's is with the bot.
#[apply(case)]
pub(crate) async fn every_kind_of_event_is_written_once_by_its_change(stage: Stage) {
    let (house, _) = house_with_acme(&stage).await;
    live(&house).await;
    let mut seen = Vec::new();
    let mut ids = BTreeSet::new();
    for shard in 0..SHARDS {
        for event in house.reading().outbox().page(shard, None, 1000).await.unwrap() {
            assert!(ids.insert(event.id), "an id that comes twice");
            assert_eq!(event.at, house.now());
            let data = event.data.to_string();
            for personal in ["ada", "countess", "example.org", "192.0.2.1"] {
                assert!(!data.contains(personal), "{data} holds personal data");
            }
            seen.push(event.kind.as_str());
        }
    }
    seen.sort_unstable();
    let mut expected: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    expected.retain(|word| !["user.role_granted", "identity.bot_access_changed"].contains(word));
    // Registered and signed in again; the second session ended by the block.
    expected.push("session.started");
    expected.sort_unstable();
    assert_eq!(seen, expected);
}
