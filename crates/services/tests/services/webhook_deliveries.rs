//! Webhooks: what happened reaches them, is sent once more, and ends.

use std::sync::Arc;

use serde_json::json;
use userd_model::{DeliveryState, Permission, Refusal};
use userd_services::{
    deliveries::{ResendRange, Resent},
    notifications::Shown,
    webhooks::WebhookChange,
};
use userd_stand_ins::webhook_receiver::Verdict;

use crate::{
    fixture::{DAY, Fixture, MINUTE, refusal, wrong_fields},
    personas::{Member, acting, of},
    webhooks::{input, made, receiver, shown, stored, told},
};

/// What happened reaches whoever asked for it, once, signed, as the feed shows it; and a receiver that is away gets it later.
#[apply(case)]
async fn an_event_is_delivered_to_every_webhook_that_wants_it_and_a_dead_one_delays_nobody(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = app.operator_context();
    let (healthy, dead) = (receiver(&app).await, receiver(&app).await);
    dead.turn(|knobs| knobs.status = 503);
    let first = made(&app, &healthy.url()).await;
    healthy.turn(|knobs| knobs.secret = shown(&first));
    let second = app.webhooks.create(&ctx, input(&dead.url(), &["user.registered"]), None).await.unwrap();
    let other = app.webhooks.create(&ctx, input(&healthy.url(), &["client.*"]), None).await.unwrap();
    let ada = app.member("ada").await;
    app.event_log.tick().await.unwrap();
    app.deliveries.tick().await.unwrap();
    let received = healthy.received();
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!(received[0].verdict, Verdict::Genuine);
    let body: serde_json::Value = serde_json::from_str(&received[0].body).unwrap();
    assert_eq!(
        (body["type"].as_str(), body["subject"].as_str()),
        (Some("user.registered"), Some(&*ada.id.to_string()))
    );
    assert_eq!(body["id"], received[0].id);
    assert_eq!(body["sequence"], "00000000000000000001");
    assert_eq!(dead.received().len(), 1);
    assert!(stored(&app, second.webhook.id).await.failing_since.is_some());
    assert_eq!(stored(&app, other.webhook.id).await.failing_since, None);

    // It is back.
    dead.turn(|knobs| knobs.status = 200);
    app.advance(MINUTE);
    app.deliveries.tick().await.unwrap();
    assert_eq!(dead.received().len(), 2);
    assert_eq!(dead.received()[0].id, dead.received()[1].id, "the same event");
    assert_eq!(stored(&app, second.webhook.id).await.failing_since, None);
    app.advance(DAY);
    app.deliveries.tick().await.unwrap();
    assert_eq!((healthy.received().len(), dead.received().len()), (1, 2), "and then no more");
}

/// A receiver that lost what it had is sent it again, under the same ids; and what happened while it was switched off, which
/// it never had. Asking twice sends nothing twice.
#[apply(case)]
async fn what_happened_in_a_range_of_time_is_sent_once_more_under_the_same_ids(fixture: Fixture) {
    let app = fixture.app().await;
    let (ctx, shop) = (app.operator_context(), receiver(&app).await);
    let id = made(&app, &shop.url()).await.webhook.id;
    let switch = async |enabled| {
        let change = WebhookChange { enabled: Some(enabled), ..Default::default() };
        app.webhooks.change(&ctx, id, change, None).await.unwrap();
    };
    let settle = async || {
        app.event_log.tick().await.unwrap();
        app.deliveries.tick().await.unwrap();
    };
    let ids = || shop.received().iter().map(|one| one.id.clone()).collect::<Vec<_>>();
    app.member("before").await;
    settle().await;
    app.advance(DAY);
    let from = app.now();
    app.member("ada").await;
    settle().await;
    switch(false).await;
    app.member("bob").await;
    settle().await;
    let to = app.now();
    app.advance(DAY);
    switch(true).await;
    app.member("after").await;
    settle().await;
    let first = ids();
    assert_eq!(first.len(), 3, "bob came while it was off");

    let range = ResendRange { from, to: Some(to), after: None };
    for _ in 0..2 {
        let resent = app.deliveries.resend_events(&ctx, id, &range).await.unwrap();
        assert_eq!(resent, Resent { scheduled: 2, next: None });
    }
    let resent = json!({ "events": 2, "from": from.to_string(), "to": to.to_string() });
    assert_eq!(told(&app, id).await.last().unwrap(), &("webhook.resent".to_owned(), resent));
    settle().await;
    let again = ids()[3..].to_vec();
    assert_eq!(again.len(), 2, "asked for twice, and each sent once");
    assert!(again.contains(&first[1]), "ada's event has the id that it had");
    assert!(!again.contains(&first[0]) && !again.contains(&first[2]), "neither before nor after");

    let all = ResendRange { from: from.minus(DAY), to: None, after: None };
    assert_eq!(app.deliveries.resend_events(&ctx, id, &all).await.unwrap().scheduled, 4);
    let none = ResendRange { from, to: Some(from.minus(MINUTE)), after: None };
    assert_eq!(wrong_fields(app.deliveries.resend_events(&ctx, id, &none).await), ["/to"]);
    switch(false).await;
    assert_eq!(wrong_fields(app.deliveries.resend_events(&ctx, id, &range).await), ["/id"]);
    let reader = app.service(&[Permission::WEBHOOKS_READ]).await.actor;
    let asked = app.deliveries.resend_events(&acting(&app, &reader), id, &range).await;
    assert_eq!(refusal(asked), Refusal::Forbidden);
}

/// As many as there are: a request looks at a thousand and says where to go on.
#[tokio::test]
async fn a_long_range_is_sent_in_steps_that_miss_nothing() {
    let store = Arc::new(userd_storage::testing::memory_store().await.unwrap());
    let fixture = Fixture { store };
    let app = fixture.app().await;
    let ctx = app.operator_context();
    let id = made(&app, "http://127.0.0.1:1/").await.webhook.id;
    let subjects: Vec<_> = (0..1_500_u128).map(|n| userd_model::UserId(uuid::Uuid::from_u128(n << 64 | n))).collect();
    let facts: Vec<_> = subjects.iter().map(|user| app.fact("user.changed", *user, 1)).collect();
    app.push(&facts).await;
    app.event_log.tick().await.unwrap();
    let (mut range, mut steps) = (ResendRange { from: app.now(), to: None, after: None }, Vec::new());
    loop {
        let resent = app.deliveries.resend_events(&ctx, id, &range).await.unwrap();
        steps.push(resent.scheduled);
        range.after = resent.next;
        if range.after.is_none() {
            break;
        }
    }
    assert!(steps.len() > 1 && steps.iter().all(|step| *step < 1_200), "{steps:?}");
    assert_eq!(steps.iter().sum::<usize>(), 1_500, "{steps:?}");
    let waiting = app.reading().deliveries().in_state(DeliveryState::Pending, None, 5_000).await.unwrap();
    let to_shop = waiting.iter().filter(|delivery| delivery.webhook_id == Some(id)).count();
    assert_eq!(to_shop, 1_500, "each once, beside what was asked for when it happened");
}

/// One that arrived is sent again; what went to a person is not.
#[apply(case)]
async fn one_delivery_that_arrived_is_sent_once_more(fixture: Fixture) {
    let app = fixture.app().await;
    let (ctx, shop) = (app.operator_context(), receiver(&app).await);
    made(&app, &shop.url()).await;
    let ada = app.member("ada").await;
    app.accounts.change_username(&of(&app, &ada), "countess", None).await.unwrap();
    app.event_log.tick().await.unwrap();
    app.deliveries.tick().await.unwrap();
    let delivered = app.deliveries.list(&ctx, DeliveryState::Delivered, None, 50).await.unwrap().items;
    let to_shop = delivered.iter().find(|one| one.webhook_id.is_some()).unwrap().id;
    let to_person = delivered.iter().find(|one| one.user_id.is_some()).unwrap().id;
    let before = shop.received().len();
    for _ in 0..2 {
        assert_eq!(app.deliveries.resend(&ctx, to_shop).await.unwrap().state, DeliveryState::Pending);
    }
    app.deliveries.tick().await.unwrap();
    let received = shop.received();
    assert_eq!(received.len(), before + 1, "asked for twice, and sent once");
    assert!(received[..before].iter().any(|one| one.id == received[before].id), "the same id");
    assert_eq!(app.deliveries.find(&ctx, to_shop).await.unwrap().state, DeliveryState::Delivered);
    assert_eq!(wrong_fields(app.deliveries.resend(&ctx, to_person).await), ["/id"]);
    let unknown = userd_model::DeliveryId::from_random([9; 16]);
    assert_eq!(refusal(app.deliveries.resend(&ctx, unknown).await), Refusal::NotFound);
    let reader = app.service(&[Permission::DELIVERIES_READ]).await.actor;
    assert_eq!(refusal(app.deliveries.resend(&acting(&app, &reader), to_shop).await), Refusal::Forbidden);
}

/// 410 switches a webhook off; what still waits for it is a dead letter.
#[apply(case)]
async fn a_receiver_that_wants_no_more_gets_no_more(fixture: Fixture) {
    let app = fixture.app().await;
    let gone = receiver(&app).await;
    gone.turn(|knobs| knobs.status = 410);
    let webhook = made(&app, &gone.url()).await.webhook.id;
    app.member("ada").await;
    app.event_log.tick().await.unwrap();
    app.deliveries.tick().await.unwrap();
    assert!(!stored(&app, webhook).await.is_enabled());
    app.member("eve").await;
    app.event_log.tick().await.unwrap();
    app.deliveries.tick().await.unwrap();
    assert_eq!(gone.received().len(), 1);
    let dead = app.deliveries.list(&app.operator_context(), userd_model::DeliveryState::Dead, None, 50).await.unwrap();
    assert_eq!((dead.items.len(), dead.items[0].webhook_id), (1, Some(webhook)));
}

/// Whoever runs the service learns that a receiver gets nothing any more, and why.
#[apply(case)]
async fn administrators_are_told_of_a_webhook_that_is_switched_off(fixture: Fixture) {
    let app = fixture.app().await;
    let (root, ada) = (app.admin().await, app.member("ada").await);
    let receiver = receiver(&app).await;
    let settle = async || {
        app.event_log.tick().await.unwrap();
        app.deliveries.tick().await.unwrap();
    };
    settle().await;
    made(&app, &receiver.url()).await;
    receiver.turn(|knobs| knobs.status = 410);
    app.accounts.change_username(&of(&app, &ada), "countess", None).await.unwrap();
    settle().await;
    settle().await;
    let of_administrators = async |member: &Member| {
        let page = app.notifications.list(&of(&app, member), Shown::Inbox, None, 50).await.unwrap();
        page.items.into_iter().filter(|item| item.category == "administration").collect::<Vec<_>>()
    };
    let told = of_administrators(&root).await;
    assert_eq!(told.len(), 1);
    let content = &told[0].content;
    assert!(content.title.contains("switched off") && content.body.contains("wants no more"), "{}", content.body);
    assert_eq!(of_administrators(&ada).await.len(), 0);
}
