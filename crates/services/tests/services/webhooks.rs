//! Webhooks: made, read, changed and removed, and the secrets that sign for them.

use std::sync::Arc;

use serde_json::json;
use userd_channels::webhook::{Allowed, WebhookOptions, WebhookSecret, WebhookSender};
use userd_model::{Permission, Refusal, Webhook, WebhookId};
use userd_services::{
    IdempotentRequest,
    testing::TestOptions,
    webhooks::{NewWebhook, WebhookChange, WebhookInput},
};
use userd_stand_ins::{
    Options,
    webhook_receiver::{self, Verdict, WebhookReceiver},
};

use crate::{
    fixture::{DAY, Fixture, MINUTE, TestApp, refusal, wrong_fields},
    personas::acting,
};

pub(crate) const SHOP: &str = "https://shop.example/hooks?token=s3cret";

pub(crate) fn input(url: &str, events: &[&str]) -> WebhookInput {
    let events = events.iter().map(|text| (*text).to_owned()).collect();
    WebhookInput { url: url.to_owned(), events, ..WebhookInput::default() }
}

pub(crate) async fn made(app: &TestApp, url: &str) -> NewWebhook {
    app.webhooks.create(&app.operator_context(), input(url, &["user.*"]), None).await.unwrap()
}

pub(crate) async fn stored(app: &TestApp, id: WebhookId) -> Webhook {
    app.reading().webhooks().find(id).await.unwrap().unwrap()
}

pub(crate) fn shown(made: &NewWebhook) -> String {
    made.secret.clone().unwrap()
}

/// What is told of a webhook, in order.
pub(crate) async fn told(app: &TestApp, id: WebhookId) -> Vec<(String, serde_json::Value)> {
    app.facts_of(id).await.into_iter().map(|fact| (fact.kind, fact.data)).collect()
}

/// A receiver that lives by the app's clock and checks signatures with this secret.
pub(crate) async fn receiver(app: &TestApp) -> WebhookReceiver {
    webhook_receiver::start(Options::with_clock(app.clock.clone())).await.unwrap()
}

fn verdicts(receiver: &WebhookReceiver) -> Vec<Verdict> {
    receiver.received().iter().map(|received| received.verdict).collect()
}

#[apply(case)]
async fn a_webhook_is_made_read_changed_and_removed(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = app.operator_context();
    let asked = WebhookInput {
        description: Some(" The shop ".to_owned()),
        ..input(SHOP, &["user.*", "client.created", "user.*"])
    };
    let made = app.webhooks.create(&ctx, asked, None).await.unwrap();
    let view = &made.webhook;
    assert_eq!((view.url.as_str(), view.description.as_deref()), (SHOP, Some("The shop")));
    assert_eq!(view.events, ["user.*", "client.created"], "each once");
    assert!(view.enabled && view.version == 1 && WebhookSecret::parse(&shown(&made)).is_some());
    assert!(app.webhooks.read(&ctx, view.id).await.unwrap() == *view);
    app.advance(MINUTE);
    let second = app.webhooks.create(&ctx, input("https://b.example/", &["*"]), None).await.unwrap();
    let listed: Vec<_> = app.webhooks.list(&ctx).await.unwrap().iter().map(|view| view.id).collect();
    assert_eq!(listed, [view.id, second.webhook.id], "oldest first");

    let change = WebhookChange { events: Some(vec!["*".to_owned()]), description: Some(None), ..Default::default() };
    let changed = app.webhooks.change(&ctx, view.id, change.clone(), Some(1)).await.unwrap();
    assert_eq!((changed.events[0].as_str(), changed.description, changed.version), ("*", None, 2));
    assert_eq!(changed.url, SHOP, "what is not said stays");
    assert_eq!(refusal(app.webhooks.change(&ctx, view.id, change, Some(1)).await), Refusal::VersionMismatch);

    app.webhooks.remove(&ctx, view.id).await.unwrap();
    assert_eq!(refusal(app.webhooks.read(&ctx, view.id).await), Refusal::NotFound);
    assert_eq!(refusal(app.webhooks.remove(&ctx, view.id).await), Refusal::NotFound);
    assert_eq!(refusal(app.webhooks.change(&ctx, view.id, WebhookChange::default(), None).await), Refusal::NotFound);
    assert_eq!(refusal(app.webhooks.rotate_secret(&ctx, view.id, None, None).await), Refusal::NotFound);
    assert_eq!(refusal(app.webhooks.test(&ctx, view.id).await), Refusal::NotFound);
    let told = told(&app, view.id).await;
    assert_eq!(told[0], ("webhook.created".to_owned(), json!({ "events": ["user.*", "client.created"] })));
    assert_eq!(told[1], ("webhook.changed".to_owned(), json!({ "events": ["*"], "enabled": true })));
    assert_eq!(told[2], ("webhook.removed".to_owned(), json!({})));
}

/// An administrator, or whoever is in their session, leads the events elsewhere. The audit log says from where to where,
/// and nothing else of the URLs.
#[apply(case)]
async fn a_webhook_that_is_led_elsewhere_is_told_with_both_hosts(fixture: Fixture) {
    let app = fixture.app().await;
    let id = made(&app, SHOP).await.webhook.id;
    let elsewhere = "https://collector.example:8443/hooks/secret-part?key=secret".to_owned();
    let change = WebhookChange { url: Some(elsewhere), ..WebhookChange::default() };
    let ctx = app.operator_context();
    app.webhooks.change(&ctx, id, change, None).await.unwrap();
    let told = told(&app, id).await;
    let wanted = json!({
        "events": ["user.*"], "enabled": true, "host": "collector.example:8443", "previous_host": "shop.example",
    });
    assert_eq!(told[1], ("webhook.changed".to_owned(), wanted));
}

#[apply(case)]
async fn whoever_may_not_manage_webhooks_does_not(fixture: Fixture) {
    let app = fixture.app().await;
    let id = made(&app, SHOP).await.webhook.id;
    let member = app.member("ada").await;
    let reader = app.service(&[Permission::WEBHOOKS_READ]).await.actor;
    let manager = app.service(&[Permission::WEBHOOKS_MANAGE]).await.actor;
    for actor in [app.actor(&member).await, reader.clone()] {
        let ctx = &acting(&app, &actor);
        assert_eq!(refusal(app.webhooks.create(ctx, input(SHOP, &["*"]), None).await), Refusal::Forbidden);
        assert_eq!(refusal(app.webhooks.change(ctx, id, WebhookChange::default(), None).await), Refusal::Forbidden);
        assert_eq!(refusal(app.webhooks.rotate_secret(ctx, id, None, None).await), Refusal::Forbidden);
        assert_eq!(refusal(app.webhooks.test(ctx, id).await), Refusal::Forbidden);
        assert_eq!(refusal(app.webhooks.remove(ctx, id).await), Refusal::Forbidden);
    }
    assert_eq!(app.webhooks.list(&acting(&app, &reader)).await.unwrap().len(), 1);
    for actor in [app.actor(&member).await, manager.clone()] {
        assert_eq!(refusal(app.webhooks.read(&acting(&app, &actor), id).await), Refusal::Forbidden);
    }
    app.webhooks.remove(&acting(&app, &manager), id).await.unwrap();
}

/// AC-120, AC-148: a webhook leads outside, by https, and with nothing in its URL that would be shown to others.
#[apply(case)]
async fn a_webhook_does_not_lead_inside_nor_by_plain_http_unless_that_is_allowed(fixture: Fixture) {
    let sender =
        |allowed| Some(Arc::new(WebhookSender::new(WebhookOptions { allowed, ..Default::default() }).unwrap()));
    let inside = Allowed { private_addresses: true, ..Allowed::default() };
    // Each app is another replica, so its ids are others.
    let cases = [
        (Allowed::default(), SHOP, true),
        (Allowed::default(), "http://shop.example/", false),
        (Allowed::default(), "https://user@shop.example/", false),
        (Allowed::default(), "https://user:word@shop.example/", false),
        (Allowed::default(), "https://127.0.0.1/", false),
        (Allowed::default(), "https://[::ffff:169.254.169.254]/", false),
        (Allowed::default(), "https://localhost/", false),
        (Allowed::default(), "https://shop.example/#part", false),
        (Allowed::default(), "ftp://shop.example/", false),
        (Allowed::default(), "shop.example", false),
        (inside, "https://10.0.0.1/", true),
        (inside, "http://10.0.0.1/", false),
        (Allowed { http: true, ..Allowed::default() }, "http://shop.example/", true),
        (Allowed { http: true, ..Allowed::default() }, "http://10.0.0.1/", false),
    ];
    for (seed, (allowed, url, taken)) in (1..).zip(cases) {
        let app = fixture.app_with(TestOptions { webhooks: sender(allowed), seed, ..TestOptions::default() }).await;
        let ctx = app.operator_context();
        let answer = app.webhooks.create(&ctx, input(url, &["*"]), None).await;
        if taken {
            let id = answer.unwrap_or_else(|why| panic!("{url}: {why}")).webhook.id;
            app.webhooks.remove(&ctx, id).await.unwrap();
        } else {
            assert_eq!(wrong_fields(answer), ["/url"], "{url}");
        }
    }
}

/// AC-148: what was allowed once, or was put into the table, is looked at once more when it is called.
#[apply(case)]
async fn a_webhook_that_leads_inside_is_not_called_once_that_is_forbidden(fixture: Fixture) {
    let app = fixture.app().await;
    let receiver = receiver(&app).await;
    let id = made(&app, &receiver.url()).await.webhook.id;
    let strict = Some(Arc::new(WebhookSender::new(WebhookOptions::default()).unwrap()));
    let (clock, seed) = (Some(Arc::clone(&app.clock)), 2);
    let app = fixture.app_with(TestOptions { webhooks: strict, clock, seed, ..TestOptions::default() }).await;
    let test = app.webhooks.test(&app.operator_context(), id).await.unwrap();
    assert_eq!((test.delivered, test.outcome), (false, "refused"));
    assert!(receiver.requests().is_empty());
}

#[apply(case)]
async fn everything_that_is_wrong_is_told_at_once_and_nothing_is_kept(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = app.operator_context();
    let asked = WebhookInput { description: Some("\u{202e}".to_owned()), ..input("shop", &["user.*", "no.such"]) };
    assert_eq!(wrong_fields(app.webhooks.create(&ctx, asked, None).await), ["/url", "/events/1", "/description"]);
    assert_eq!(wrong_fields(app.webhooks.create(&ctx, input(SHOP, &[]), None).await), ["/events"]);
    assert!(app.webhooks.list(&ctx).await.unwrap().is_empty());
    let id = made(&app, SHOP).await.webhook.id;
    for (change, pointer) in [
        (WebhookChange { url: Some("http://[".to_owned()), ..Default::default() }, "/url"),
        (WebhookChange { events: Some(vec!["user".to_owned()]), ..Default::default() }, "/events/0"),
        (WebhookChange { description: Some(Some(" ".to_owned())), ..Default::default() }, "/description"),
    ] {
        assert_eq!(wrong_fields(app.webhooks.change(&ctx, id, change, None).await), [pointer]);
    }
    assert_eq!(stored(&app, id).await.version, 1);
}

#[tokio::test]
async fn there_are_at_most_two_hundred_webhooks() {
    let store = Arc::new(userd_storage::testing::memory_store().await.unwrap());
    let app = userd_services::testing::test_app(store, TestOptions::default()).await.unwrap().services;
    let ctx = app.operator_context();
    for _ in 0..200 {
        app.webhooks.create(&ctx, input(SHOP, &["*"]), None).await.unwrap();
    }
    assert_eq!(wrong_fields(app.webhooks.create(&ctx, input(SHOP, &["*"]), None).await), ["/url"]);
    let first = app.webhooks.list(&ctx).await.unwrap()[0].id;
    app.webhooks.remove(&ctx, first).await.unwrap();
    app.webhooks.create(&ctx, input(SHOP, &["*"]), None).await.unwrap();
}

#[apply(case)]
async fn url_and_secrets_are_sealed_and_open_only_where_they_were_written(fixture: Fixture) {
    let app = fixture.app().await;
    let (one, two) = (made(&app, SHOP).await, made(&app, "https://b.example/").await);
    let (id, other) = (one.webhook.id, stored(&app, two.webhook.id).await);
    app.webhooks.rotate_secret(&app.operator_context(), id, None, None).await.unwrap();
    let webhook = stored(&app, id).await;
    for sealed in [&webhook.url, &webhook.secret, webhook.previous_secret.as_ref().unwrap()] {
        let text = String::from_utf8_lossy(&sealed.0).into_owned();
        assert!(!text.contains("shop") && !text.contains("s3cret") && !text.contains("whsec_"));
    }
    assert!(!format!("{webhook:?}").contains("Sealed"));
    let swaps: [fn(&mut Webhook, &Webhook); 3] = [
        |webhook, other| webhook.url = other.url.clone(),
        |webhook, other| webhook.secret = other.secret.clone(),
        |webhook, _| webhook.previous_secret = Some(webhook.secret.clone()),
    ];
    for swap in swaps {
        let (mut swapped, other) = (webhook.clone(), &other);
        swap(&mut swapped, other);
        let swapped = &swapped;
        app.deps
            .store
            .transact("swap", |mut uow| async move {
                uow.webhooks().update(swapped).await?;
                uow.commit(()).await
            })
            .await
            .unwrap();
        assert!(app.webhooks.call_for(id, &crate::webhook_calls::event(app.now()), app.now()).await.is_err());
    }
}

/// The secret is shown to whoever makes the webhook, to repeats of that request for ten minutes, and to nobody else.
#[apply(case)]
async fn a_secret_is_shown_when_it_is_made_and_to_repeats_for_ten_minutes(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = app.operator_context();
    let named = |body: &str| -> IdempotentRequest { app.idempotency.request("webhooks", "key", body.as_bytes()) };
    let create = async |named: IdempotentRequest| app.webhooks.create(&ctx, input(SHOP, &["*"]), Some(&named)).await;
    let first = create(named("a")).await.unwrap();
    assert_eq!(create(named("a")).await.unwrap().secret, first.secret);
    assert_eq!(refusal(create(named("b")).await), Refusal::IdempotencyMismatch);
    let view = serde_json::to_string(&app.webhooks.list(&ctx).await.unwrap()).unwrap();
    assert!(!view.contains("whsec_"));
    app.advance(11 * MINUTE);
    assert_eq!(refusal(create(named("a")).await), Refusal::SecretAlreadyShown);
    assert_eq!(app.webhooks.list(&ctx).await.unwrap().len(), 1);

    let again = app.idempotency.request("webhooks", "another key", b"a");
    let second = app.webhooks.create(&ctx, input(SHOP, &["*"]), Some(&again)).await.unwrap();
    app.webhooks.rotate_secret(&ctx, second.webhook.id, None, None).await.unwrap();
    assert_eq!(refusal(create(again).await), Refusal::SecretAlreadyShown, "it is not the secret any more");
}

#[apply(case)]
async fn the_old_secret_signs_beside_the_new_one_for_a_day(fixture: Fixture) {
    let app = fixture.app().await;
    let (ctx, receiver) = (app.operator_context(), receiver(&app).await);
    let first = made(&app, &receiver.url()).await;
    let id = first.webhook.id;
    let second = app.webhooks.rotate_secret(&ctx, id, None, None).await.unwrap();
    assert_ne!(second.secret, first.secret);
    assert_eq!(second.webhook.previous_secret_until, Some(app.now().plus(DAY)));
    let judge = async |secret: &str| {
        receiver.turn(|knobs| secret.clone_into(&mut knobs.secret));
        app.webhooks.test(&ctx, id).await.unwrap();
        verdicts(&receiver).pop().unwrap()
    };
    assert_eq!(judge(&shown(&first)).await, Verdict::Genuine);
    assert_eq!(judge(&shown(&second)).await, Verdict::Genuine);
    app.advance(DAY);
    assert_eq!(judge(&shown(&first)).await, Verdict::Forged);
    assert_eq!(judge(&shown(&second)).await, Verdict::Genuine);
    assert_eq!(app.webhooks.read(&ctx, id).await.unwrap().previous_secret_until, None);
    assert_eq!(told(&app, id).await[1], ("webhook.secret_rotated".to_owned(), json!({})));
}

/// A rotation is made once however often it is asked for; and one that is made again because its answer was lost takes nothing
/// from a receiver that has the secret of before.
#[apply(case)]
async fn a_repeated_rotation_leaves_the_deployed_secret_signing(fixture: Fixture) {
    let app = fixture.app().await;
    let (ctx, receiver) = (app.operator_context(), receiver(&app).await);
    let first = made(&app, &receiver.url()).await;
    let id = first.webhook.id;
    let rotate = async |key: &str| {
        let once = app.idempotency.request("rotate", key, b"null");
        app.webhooks.rotate_secret(&ctx, id, None, Some(&once)).await
    };
    let second = rotate("one").await.unwrap();
    assert_eq!(rotate("one").await.unwrap().secret, second.secret, "a repeat");
    let third = rotate("two").await.unwrap();
    assert_eq!(refusal(rotate("one").await), Refusal::SecretAlreadyShown, "it is not the secret any more");
    let judge = async |secret: &str| {
        receiver.turn(|knobs| secret.clone_into(&mut knobs.secret));
        app.webhooks.test(&ctx, id).await.unwrap();
        verdicts(&receiver).pop().unwrap()
    };
    for secret in [&first, &second, &third] {
        assert_eq!(judge(&shown(secret)).await, Verdict::Genuine);
    }
    for turn in 0..2 {
        app.webhooks.rotate_secret(&ctx, id, None, None).await.unwrap();
        assert_eq!(judge(&shown(&first)).await, Verdict::Genuine, "{turn}");
    }
    app.webhooks.rotate_secret(&ctx, id, None, None).await.unwrap();
    assert_eq!(judge(&shown(&first)).await, Verdict::Forged, "four beside the present one");
    assert_eq!(judge(&shown(&second)).await, Verdict::Genuine);
    app.advance(DAY);
    assert_eq!(judge(&shown(&second)).await, Verdict::Forged);
}

/// Signatures by Ed25519, for a receiver that must not be able to sign: it is told the public key, whenever it asks, and
/// nobody is told the private one. One kind takes the place of the other as one secret does of another.
#[apply(case)]
async fn a_webhook_is_signed_by_a_key_where_that_is_chosen(fixture: Fixture) {
    let app = fixture.app().await;
    let (ctx, receiver) = (app.operator_context(), receiver(&app).await);
    let asked =
        |signature: &str| WebhookInput { signature: Some(signature.to_owned()), ..input(&receiver.url(), &["user.*"]) };
    assert_eq!(wrong_fields(app.webhooks.create(&ctx, asked("v2"), None).await), ["/signature"]);
    let once = app.idempotency.request("webhooks", "key", b"v1a");
    let made = app.webhooks.create(&ctx, asked("v1a"), Some(&once)).await.unwrap();
    let id = made.webhook.id;
    assert!(app.webhooks.create(&ctx, asked("v1a"), Some(&once)).await.unwrap().webhook == made.webhook, "a repeat");
    assert_eq!((made.webhook.signature, &made.secret), ("v1a", &None));
    let first = made.webhook.public_key.clone().unwrap();
    let judge = async |known: &str| {
        receiver.turn(|knobs| known.clone_into(&mut knobs.secret));
        app.webhooks.test(&ctx, id).await.unwrap();
        verdicts(&receiver).pop().unwrap()
    };
    assert_eq!(judge(&first).await, Verdict::Genuine);

    let second = app.webhooks.rotate_secret(&ctx, id, None, None).await.unwrap();
    let key = second.webhook.public_key.clone().unwrap();
    assert_ne!(key, first);
    assert_eq!((&second.secret, &second.webhook.previous_public_key), (&None, &Some(first.clone())));
    assert_eq!((judge(&first).await, judge(&key).await), (Verdict::Genuine, Verdict::Genuine), "both sign");
    app.advance(DAY);
    assert_eq!((judge(&first).await, judge(&key).await), (Verdict::Forged, Verdict::Genuine));

    assert_eq!(wrong_fields(app.webhooks.rotate_secret(&ctx, id, Some("none"), None).await), ["/signature"]);
    let third = app.webhooks.rotate_secret(&ctx, id, Some("v1"), None).await.unwrap();
    assert_eq!((third.webhook.signature, &third.webhook.public_key), ("v1", &None));
    assert_eq!(third.webhook.previous_public_key.as_ref(), Some(&key), "while the receiver changes over");
    assert_eq!((judge(&key).await, judge(&shown(&third)).await), (Verdict::Genuine, Verdict::Genuine));
    app.advance(DAY);
    assert_eq!((judge(&key).await, judge(&shown(&third)).await), (Verdict::Forged, Verdict::Genuine));
    let view = app.webhooks.read(&ctx, id).await.unwrap();
    assert_eq!((view.previous_public_key, view.previous_secret_until), (None, None));
    assert!(!serde_json::to_string(&[&made, &second]).unwrap().contains("whsk_"));
}
