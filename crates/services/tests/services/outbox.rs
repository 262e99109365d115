//! The outbox: every change leaves its facts, in the unit of work that made them true.

use std::collections::{BTreeMap, BTreeSet};

use userd_channels::ChannelFault;
use userd_model::{Actor, EventKind, Fact, FactActor, Subject, message::Audience};
use userd_services::{
    accounts::ProfileInput,
    clients::ClientChange,
    fact_drafts::{OpenedFact, open},
    webhooks::{WebhookChange, WebhookInput},
};

use crate::{
    fixture::{Fixture, TestApp},
    messages::message,
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
    app.refresh(&ada.tokens.refresh_token).await.unwrap();
    app.refresh(&second.refresh_token).await.unwrap();
    app.refresh(&ada.tokens.refresh_token).await.unwrap_err();
    app.login("countess", OTHER_PASSWORD).await.unwrap();
    app.users.block(&app.operator_context(), ada.id).await.unwrap();
    app.users.unblock(&app.operator_context(), ada.id).await.unwrap();
    let billing = app.clients.create(&app.operator_context(), "billing", &[], None).await.unwrap().client.id;
    app.clients.rotate_secret(&app.operator_context(), billing, None).await.unwrap();
    app.clients.change(&app.operator_context(), billing, ClientChange::default(), None).await.unwrap();
    app.clients.disable(&app.operator_context(), billing).await.unwrap();
    app.clients.enable(&app.operator_context(), billing, None).await.unwrap();
    let operator = app.operator_context();
    let events = vec!["*".to_owned()];
    let shop = WebhookInput { url: "https://shop.example/".to_owned(), events, ..WebhookInput::default() };
    let shop = app.webhooks.create(&operator, shop, None).await.unwrap().webhook.id;
    app.webhooks.change(&operator, shop, WebhookChange::default(), None).await.unwrap();
    app.webhooks.rotate_secret(&operator, shop, None, None).await.unwrap();
    app.webhooks.record(shop, Err(&ChannelFault::Gone("410".to_owned()))).await.unwrap();
    app.webhooks.remove(&operator, shop).await.unwrap();
    app.signing_keys.rotate(&operator).await.unwrap();
    app.messages.send(&operator, message(Audience::All), None).await.unwrap();
}

/// Whoever adds a kind of event adds the change that writes it here; the bot's is with the bot, those of second
/// factors are with them.
#[apply(case)]
async fn every_kind_of_event_is_written_once_by_its_change(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    live(&app).await;
    let mut seen = Vec::new();
    let mut ids = BTreeSet::new();
    for fact in app.facts().await {
        assert!(ids.insert(fact.id), "an id that comes twice");
        assert_eq!(fact.at, app.now());
        let data = fact.data.to_string();
        for personal in ["ada", "countess", "example.org", "192.0.2.1"] {
            assert!(!data.contains(personal), "{data} holds personal data");
        }
        seen.push(fact.kind);
    }
    seen.sort_unstable();
    let mut expected: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    // The others have their own tests: they need a mail, a bot, or the end of the account.
    let elsewhere = [
        "user.role_granted",
        "user.role_revoked",
        "user.permission_granted",
        "user.permission_revoked",
        "identity.bot_access_changed",
        "user.password_change_required",
        "user.password_reset_sent",
        "user.exported",
        "user.sign_in_limit_reached",
        "user.terms_accepted",
        "invitation.created",
        "invitation.revoked",
        "user.email_verified",
        "user.email_changed",
        "user.email_added",
        "user.email_removed",
        "user.deleted",
        "user.restored",
        "user.purged",
        "user.legal_hold_placed",
        "user.legal_hold_lifted",
        "webhook.resent",
        "stream.created",
        "stream.changed",
        "stream.removed",
        "session.assurance_raised",
        "signing_key.revoked",
        "signing_key.removed",
        "audit.checkpoint",
        "audit.log_opened",
        "audit.pruned",
    ];
    expected.retain(|word| !elsewhere.contains(word));
    let families = ["factor.", "role.", "permission.", "access_request."];
    expected.retain(|word| !families.iter().any(|family| word.starts_with(family)));
    // Registered and signed in again; the second session ended by the block.
    expected.push("session.started");
    expected.sort_unstable();
    assert_eq!(seen, expected);
}

#[apply(case)]
async fn the_facts_of_a_subject_are_numbered_without_gaps_in_the_order_in_which_they_came_true(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    live(&app).await;
    let mut last: BTreeMap<Subject, i64> = BTreeMap::new();
    for fact in app.facts().await {
        let last = last.entry(fact.subject).or_default();
        *last = fact.number.max(*last);
    }
    assert_eq!(last.len(), 7, "one account, service, webhook, notification, and three signing keys: {last:?}");
    for (subject, last) in last {
        let facts = app.facts_of(subject.clone()).await;
        assert!(facts.iter().map(|fact| fact.number).eq(1..=last), "{subject:?}");
        let kept = app.reading().fact_numbers().find_with_keys(&[subject], &[]).await.unwrap();
        assert_eq!(kept.0, [last]);
    }
    let ada = app.login("countess", OTHER_PASSWORD).await.unwrap();
    let facts = app.facts_of(ada.user.id).await;
    let words: Vec<&str> = facts.iter().map(|fact| fact.kind.as_str()).collect();
    assert_eq!(words[..2], ["user.registered", "session.started"]);
    assert_eq!(words.last(), Some(&"session.started"));
}

/// What is refused leaves no fact and takes no number.
#[apply(case)]
async fn a_change_that_is_refused_gives_its_number_back(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.accounts.change_username(&of(&app, &ada), "countess", Some(99)).await.unwrap_err();
    app.login("ada", "a wrong password").await.unwrap_err();
    let before = app.facts_of(ada.id).await;
    assert_eq!(before.len(), 2, "a wrong password is no fact");
    app.accounts.change_username(&of(&app, &ada), "countess", None).await.unwrap();
    assert_eq!(app.facts_of(ada.id).await.last().unwrap().number, 3);
}

#[apply(case)]
async fn concurrent_changes_of_one_subject_take_different_numbers(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let logins: Vec<_> = (0..4).map(|_| app.login("ada", PASSWORD)).collect();
    let signed_in = futures_util::future::join_all(logins).await;
    let count = signed_in.into_iter().filter(Result::is_ok).count();
    let facts = app.facts_of(ada.id).await;
    assert!(facts.iter().map(|fact| fact.number).eq(1..=i64::try_from(count + 2).unwrap()));
}

#[apply(case)]
async fn a_fact_tells_who_acted_and_whatever_is_personal_only_to_whoever_holds_the_key(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.accounts
        .change_username(&of(&app, &ada).in_request("request-7").from_origin(home()), "countess", None)
        .await
        .unwrap();
    app.users.block(&app.operator_context(), ada.id).await.unwrap();
    let facts = app.facts_of(ada.id).await;
    let [registered, started, renamed, ..] = facts.as_slice() else { panic!("{facts:?}") };
    let by = FactActor::from(ada.id);
    assert_eq!((&registered.actor, &started.actor, &renamed.actor), (&by, &by, &by));
    assert_eq!(facts.last().unwrap().actor, FactActor::from(&Actor::Operator));
    assert_eq!(renamed.request_id.as_deref(), Some("request-7"));
    for fact in &facts {
        let stored = format!("{fact:?}");
        assert!(!stored.contains("countess") && !stored.contains("192.0.2.1"), "{stored}");
    }
    let opened = open(&app.deps, renamed).await.unwrap();
    assert_eq!(opened.personal, Some(serde_json::json!({ "before": "ada", "after": "countess" })));
    assert_eq!(opened.origin.unwrap().ip, home().ip);
    let moved = Fact { id: started.id, ..renamed.clone() };
    open(&app.deps, &moved).await.expect_err("a sealed part opens only in its own row");
}

#[apply(case)]
async fn what_is_personal_in_a_fact_is_gone_with_the_key(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.accounts.change_username(&of(&app, &ada).from_origin(home()), "countess", None).await.unwrap();
    let erase = app.deps.store.transact("erase", |mut uow| async move {
        let mut user = uow.users().find(ada.id).await?.unwrap();
        user.data_key = None;
        uow.users().update(&user).await?;
        uow.commit(()).await
    });
    erase.await.unwrap();
    let renamed = app.facts_of(ada.id).await.pop().unwrap();
    assert!(renamed.personal.is_some());
    assert_eq!(open(&app.deps, &renamed).await.unwrap(), OpenedFact::default());
}
