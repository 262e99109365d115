//! The outbox: every change leaves its event, in the unit of work that made it.

use std::collections::BTreeSet;

use userd_model::EventKind;
use userd_services::accounts::ProfileInput;
use userd_storage::repositories::outbox::SHARDS;

use crate::{
    fixture::{Fixture, TestApp},
    personas::{OTHER_PASSWORD, PASSWORD, authenticated, home, of, of_session, password},
    sign_in::app_with_acme,
};

/// One life of one account.
async fn live(app: &TestApp) {
    let ada = app.member("ada").await;
    app.accounts.change_profile(&of(app, &ada), ProfileInput::default(), None).await.unwrap();
    app.accounts.change_username(&of(app, &ada), "countess", None).await.unwrap();
    let (old, new) = (password(PASSWORD), password(OTHER_PASSWORD));
    app.accounts.change_password(&of_session(app, ada.id, ada.tokens.session_id, home()), &old, &new).await.unwrap();
    app.link(&ada, "acme").await;
    let who = app.who(&ada.tokens.access_token).await.unwrap();
    let identity = app.sign_in.identities(&authenticated(app, &who), who.user().unwrap().0).await.unwrap()[0].id;
    app.sign_in.unlink(&authenticated(app, &who), identity).await.unwrap();
    let second = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    app.refresh(&second.refresh_token).await.unwrap();
    app.refresh(&ada.tokens.refresh_token).await.unwrap_err();
    app.login("countess", OTHER_PASSWORD).await.unwrap();
    app.users.block(&app.operator_context(), ada.id).await.unwrap();
    app.users.unblock(&app.operator_context(), ada.id).await.unwrap();
}

/// Whoever adds a kind of event adds the change that writes it here; the bot's is with the bot.
#[apply(case)]
async fn every_kind_of_event_is_written_once_by_its_change(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    live(&app).await;
    let mut seen = Vec::new();
    let mut ids = BTreeSet::new();
    for shard in 0..SHARDS {
        for event in app.reading().outbox().page(shard, None, 1000).await.unwrap() {
            assert!(ids.insert(event.id), "an id that comes twice");
            assert_eq!(event.at, app.now());
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
