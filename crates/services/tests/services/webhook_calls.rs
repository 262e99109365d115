//! Calls of webhooks: tried, what they hold, whom an event concerns, and what follows from how they went.

use serde_json::json;
use userd_channels::ChannelFault;
use userd_model::{ClientId, Event, EventId, EventKind, Refusal, Timestamp, WebhookId};
use userd_services::{
    cloud_event::CloudEvent,
    testing::TestOptions,
    webhooks::{TEST_TYPE, WebhookChange, matching},
};
use userd_stand_ins::webhook_receiver::Verdict;

use crate::{
    fixture::{DAY, Fixture, MINUTE, refusal},
    webhooks::{SHOP, input, made, receiver, shown, stored, told},
};

pub(crate) fn event(at: Timestamp) -> Event {
    Event {
        shard: 3,
        position: 9,
        id: EventId(uuid::Uuid::from_u128(7)),
        kind: EventKind::ClientCreated.as_str().to_owned(),
        subject: ClientId(uuid::Uuid::from_u128(8)).into(),
        number: 4,
        at,
        expires_at: at.plus(DAY),
        data: json!({ "permissions": ["users.read"] }),
    }
}

fn later() -> ChannelFault {
    ChannelFault::Later { after: None, reason: "shop.example answered 500".to_owned() }
}

#[apply(case)]
async fn a_test_reaches_the_receiver_and_says_what_it_answered(fixture: Fixture) {
    let app = fixture.app().await;
    let (ctx, receiver) = (app.operator_context(), receiver(&app).await);
    let made = made(&app, &receiver.url()).await;
    receiver.turn(|knobs| knobs.secret = shown(&made));
    let test = app.webhooks.test(&ctx, made.webhook.id).await.unwrap();
    assert_eq!((test.delivered, test.outcome, test.detail), (true, "taken", None));
    let received = receiver.received().pop().unwrap();
    assert_eq!(received.verdict, Verdict::Genuine);
    let body: serde_json::Value = serde_json::from_str(&received.body).unwrap();
    assert_eq!((&body["type"], &body["subject"]), (&json!(TEST_TYPE), &json!(made.webhook.id)));
    assert_eq!(body["id"], received.id);
    for (status, outcome) in
        [(410, "gone"), (503, "unavailable"), (429, "throttled"), (404, "refused"), (302, "refused")]
    {
        receiver.turn(|knobs| knobs.status = status);
        let test = app.webhooks.test(&ctx, made.webhook.id).await.unwrap();
        assert_eq!((test.delivered, test.outcome), (false, outcome), "{status}");
        assert!(test.detail.unwrap().contains(&status.to_string()));
    }
    let webhook = stored(&app, made.webhook.id).await;
    assert!(webhook.is_enabled() && webhook.failing_since.is_none(), "a test has no consequences");
}

#[apply(case)]
async fn tests_are_limited(fixture: Fixture) {
    let mut options = TestOptions::default();
    options.settings.limits.enabled = true;
    let app = fixture.app_with(options).await;
    let ctx = app.operator_context();
    let id = made(&app, "http://127.0.0.1:1/").await.webhook.id;
    for _ in 0..20 {
        assert_eq!(app.webhooks.test(&ctx, id).await.unwrap().outcome, "unavailable");
    }
    assert!(matches!(refusal(app.webhooks.test(&ctx, id).await), Refusal::TooManyAttempts(_)));
}

#[apply(case)]
async fn a_call_holds_the_event_as_the_feed_shows_it(fixture: Fixture) {
    let app = fixture.app().await;
    let id = made(&app, SHOP).await.webhook.id;
    let event = event(app.now());
    let call = app.webhooks.call_for(id, &event, app.now()).await.unwrap().unwrap();
    assert_eq!((call.url.as_str(), call.id.clone(), call.at), (SHOP, event.id.to_string(), app.now()));
    assert_eq!(call.secrets.len(), 1);
    let shown = serde_json::to_value(CloudEvent::of(event.clone(), app.issuer())).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&call.body).unwrap(), shown);
    assert_eq!(shown["sequence"], "00000000000000000004");
    assert!(!format!("{call:?}").contains("s3cret"));
    let gone = WebhookId(uuid::Uuid::nil());
    assert!(app.webhooks.call_for(gone, &event, app.now()).await.unwrap().is_none());
}

#[apply(case)]
async fn an_event_concerns_the_webhooks_that_are_on_and_want_its_type(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = app.operator_context();
    let create = async |events: &[&str]| app.webhooks.create(&ctx, input(SHOP, events), None).await.unwrap().webhook.id;
    let (all, users, one) = (create(&["*"]).await, create(&["user.*"]).await, create(&["client.created"]).await);
    let off = create(&["*"]).await;
    let change = WebhookChange { enabled: Some(false), ..Default::default() };
    let view = app.webhooks.change(&ctx, off, change, None).await.unwrap();
    assert_eq!((view.enabled, view.disabled_reason), (false, Some("by_request")));
    assert_eq!(told(&app, off).await[1].1, json!({ "events": ["*"], "enabled": false }));
    let webhooks = app.reading().webhooks().all().await.unwrap();
    for (kind, expected) in
        [("user.blocked", vec![all, users]), ("client.created", vec![all, one]), ("client.disabled", vec![all])]
    {
        let mut found: Vec<_> = matching(&webhooks, kind).map(|webhook| webhook.id).collect();
        let mut expected = expected;
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{kind}");
    }
    assert!(app.webhooks.call_for(off, &event(app.now()), app.now()).await.unwrap().is_none());
}

#[apply(case)]
async fn a_receiver_that_wants_no_more_is_switched_off_at_once_and_can_be_switched_on(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = app.operator_context();
    let id = made(&app, SHOP).await.webhook.id;
    let gone = ChannelFault::Gone("shop.example answered 410".to_owned());
    app.webhooks.record(id, Err(&gone)).await.unwrap();
    app.webhooks.record(id, Err(&gone)).await.unwrap();
    let view = app.webhooks.read(&ctx, id).await.unwrap();
    assert_eq!((view.disabled_at, view.disabled_reason), (Some(app.now()), Some("gone")));
    let told = told(&app, id).await;
    assert_eq!(told[1..], [("webhook.disabled".to_owned(), json!({ "reason": "gone" }))], "told once");
    assert_eq!(
        refusal(app.webhooks.change(&ctx, id, WebhookChange::default(), Some(1)).await),
        Refusal::VersionMismatch
    );
    let on = WebhookChange { enabled: Some(true), ..Default::default() };
    let view = app.webhooks.change(&ctx, id, on, Some(view.version)).await.unwrap();
    assert!(view.enabled && view.disabled_reason.is_none());
}

#[apply(case)]
async fn five_days_of_failures_alone_switch_a_webhook_off(fixture: Fixture) {
    let app = fixture.app().await;
    let id = made(&app, SHOP).await.webhook.id;
    for _ in 0..2 {
        app.webhooks.record(id, Err(&later())).await.unwrap();
    }
    let since = stored(&app, id).await.failing_since;
    assert_eq!(since, Some(app.now()));
    app.advance(4 * DAY);
    app.webhooks.record(id, Err(&later())).await.unwrap();
    app.webhooks.record(id, Ok(())).await.unwrap();
    assert_eq!(stored(&app, id).await.failing_since, None, "one success");
    for harmless in [ChannelFault::Wait(MINUTE), ChannelFault::OurFault("no secret".to_owned())] {
        app.webhooks.record(id, Err(&harmless)).await.unwrap();
        assert_eq!(stored(&app, id).await.failing_since, None, "{harmless:?} is not the receiver's");
    }
    app.webhooks.record(id, Err(&later())).await.unwrap();
    app.advance(5 * DAY - MINUTE);
    app.webhooks.record(id, Err(&later())).await.unwrap();
    assert!(stored(&app, id).await.is_enabled());
    assert_eq!(stored(&app, id).await.version, 1, "whoever is changing it is not disturbed");
    app.advance(MINUTE);
    app.webhooks.record(id, Err(&later())).await.unwrap();
    assert!(!stored(&app, id).await.is_enabled());
    let told = told(&app, id).await;
    assert_eq!(told[1..], [("webhook.disabled".to_owned(), json!({ "reason": "failing" }))]);
    assert!(app.webhooks.call_for(id, &event(app.now()), app.now()).await.unwrap().is_none());
    app.webhooks.record(id, Ok(())).await.unwrap();
    assert!(!stored(&app, id).await.is_enabled(), "a late answer switches nothing on");
    app.webhooks.record(WebhookId(uuid::Uuid::nil()), Err(&later())).await.unwrap();
}

/// A webhook that is led elsewhere is not blamed for the place before.
#[apply(case)]
async fn another_url_begins_anew(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = app.operator_context();
    let id = made(&app, SHOP).await.webhook.id;
    app.webhooks.record(id, Err(&later())).await.unwrap();
    let change = WebhookChange { url: Some("https://b.example/".to_owned()), ..Default::default() };
    let view = app.webhooks.change(&ctx, id, change, None).await.unwrap();
    assert_eq!((view.url.as_str(), view.failing_since), ("https://b.example/", None));
}
