//! What other services send to users: to some, to a role, to everybody.

use std::time::Duration;

use userd_model::{
    DeliveryState, EventKind, Permission, Refusal, Timestamp, User, UserId, UserStatus,
    message::{Audience, EachLanguage, MessageInput, MessageState, MessageText},
    preferences::MessageChannel,
};
use userd_services::{
    Context,
    limits::Rate,
    messages::{ChannelCounts, MessageView},
    notifications::Shown,
};

use crate::{
    fixture::{DAY, Fixture, MINUTE, TestApp, refusal, with, wrong_fields},
    personas::{acting, of},
};

/// A message that names its readers is not kept for as long as one to many: nobody's key erases it with them.
#[apply(case)]
async fn what_was_said_to_somebody_is_gone_after_64_days(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let operator = app.operator_context();
    let to_ada = app.messages.send(&operator, message(Audience::Users(vec![ada.id])), None).await.unwrap();
    let to_all = app.messages.send(&operator, message(Audience::All), None).await.unwrap();
    app.deliveries.tick().await.unwrap();
    for (days, is_there) in [(63, true), (2, false)] {
        app.advance(days * DAY);
        app.sweeper.tick().await.unwrap();
        assert_eq!(app.reading().messages().find(to_ada.id).await.unwrap().is_some(), is_there);
        assert!(app.reading().messages().find(to_all.id).await.unwrap().is_some());
    }
    assert_eq!(refusal(app.messages.read(&operator, to_ada.id).await), Refusal::NotFound);
}

pub(crate) fn message(to: Audience) -> MessageInput {
    MessageInput {
        to,
        category: "orders".to_owned(),
        title: MessageText::One("Your order".to_owned()),
        body: MessageText::One("It is on its way.".to_owned()),
        data: None,
        action_url: None,
        channels: None,
        not_before: None,
        expires_at: None,
    }
}

async fn sender(app: &TestApp) -> Context {
    acting(app, &app.service(&[Permission::NOTIFICATIONS_SEND]).await.actor)
}

/// Accounts as they would be after years; `change` makes each what it is.
async fn crowd(app: &TestApp, count: usize, change: fn(usize, &mut User)) -> Vec<UserId> {
    let one = app.member("seed").await;
    let seed = &app.reading().users().find(one.id).await.unwrap().unwrap();
    let users: Vec<User> = (0..count)
        .map(|place| {
            let mut id = *seed.id.0.as_bytes();
            id[8..].copy_from_slice(&(place as u64 + 1).to_be_bytes());
            let mut user = User { id: UserId(uuid::Uuid::from_bytes(id)), username: None, email: None, ..seed.clone() };
            // Many registered at the same moment: then their ids say who comes first.
            user.created_at = seed.created_at.minus(Duration::from_secs(1 + place as u64 / 100));
            user.data_key = None;
            change(place, &mut user);
            user
        })
        .collect();
    let all = &users;
    let inserted = app.deps.store.transact("crowd", |mut uow| async move {
        uow.defer_writes();
        for user in all {
            uow.users().insert(user).await?;
        }
        uow.commit(()).await
    });
    inserted.await.unwrap();
    users.into_iter().map(|user| user.id).collect()
}

async fn read(app: &TestApp, sent: &MessageView) -> MessageView {
    app.messages.read(&app.operator_context(), sent.id).await.unwrap()
}

fn inbox_of(view: &MessageView) -> ChannelCounts {
    view.channels.iter().find(|(channel, _)| *channel == MessageChannel::Inbox).unwrap().1
}

async fn titles(app: &TestApp, ctx: &Context) -> Vec<String> {
    let page = app.notifications.list(ctx, Shown::Inbox, None, 50).await.unwrap();
    page.items.into_iter().map(|item| item.content.title).collect()
}

#[apply(case)]
async fn a_message_to_users_is_in_their_inboxes_and_counted(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let nobody = UserId(uuid::Uuid::from_u128(7));
    let russian =
        userd_services::accounts::ProfileInput { locale: Some(Some("ru-RU".to_owned())), ..Default::default() };
    app.accounts.change_profile(&of(&app, &ada), russian, None).await.unwrap();
    let data = serde_json::json!({ "order": 17 }).as_object().cloned();
    let sent = app
        .messages
        .send(
            &sender(&app).await,
            MessageInput {
                title: MessageText::Each(EachLanguage {
                    ru: "Ваш заказ".to_owned(), en: "Your order".to_owned()
                }),
                data: data.clone(),
                action_url: Some("https://shop.example/orders/17".to_owned()),
                ..message(Audience::Users(vec![ada.id, nobody, grace.id, ada.id]))
            },
            None,
        )
        .await
        .unwrap();
    assert_eq!((sent.recipients, sent.state), (Some(3), MessageState::Expanded), "each once");
    assert_eq!(inbox_of(&sent).pending, 3);
    app.deliveries.tick().await.unwrap();
    assert_eq!(titles(&app, &of(&app, &ada)).await, ["Ваш заказ"]);
    let page = app.notifications.list(&of(&app, &grace), Shown::Inbox, None, 50).await.unwrap();
    let [item] = &page.items[..] else { panic!("one notification") };
    assert_eq!((item.category.as_str(), item.content.title.as_str()), ("orders", "Your order"));
    assert_eq!(item.content.body, "It is on its way.");
    assert_eq!(item.content.data, serde_json::Value::from(data.unwrap()));
    assert_eq!(item.content.action_url.as_deref(), Some("https://shop.example/orders/17"));
    let counts = inbox_of(&read(&app, &sent).await);
    assert_eq!((counts.pending, counts.delivered, counts.dead), (0, 2, 1), "an id of nobody is a dead letter");
    let dead = app.deliveries.list(&app.operator_context(), DeliveryState::Dead, None, 9).await.unwrap().items;
    assert_eq!((dead.len(), dead[0].user_id), (1, Some(nobody)));
    // Trying again is counted too.
    app.deliveries.retry(&app.operator_context(), dead[0].id).await.unwrap();
    assert_eq!((inbox_of(&read(&app, &sent).await).pending, inbox_of(&read(&app, &sent).await).dead), (1, 0));
    app.deliveries.give_up(&app.operator_context(), dead[0].id).await.unwrap();
    let counts = inbox_of(&read(&app, &sent).await);
    assert_eq!((counts.pending, counts.delivered, counts.dead, counts.dropped), (0, 2, 0, 1));
}

#[apply(case)]
async fn only_who_may_sends_and_sees_what_became_of_it(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let to = || message(Audience::Users(vec![ada.id]));
    let sent = app.messages.send(&sender(&app).await, to(), None).await.unwrap();
    let another = acting(&app, &app.service(&[Permission::USERS_READ]).await.actor);
    for ctx in [of(&app, &ada), another] {
        assert_eq!(refusal(app.messages.send(&ctx, to(), None).await), Refusal::Forbidden);
        assert_eq!(refusal(app.messages.read(&ctx, sent.id).await), Refusal::Forbidden);
    }
    let unknown = userd_model::MessageId(uuid::Uuid::from_u128(7));
    assert_eq!(refusal(app.messages.read(&sender(&app).await, unknown).await), Refusal::NotFound);
    let wrong = app.messages.send(&sender(&app).await, message(Audience::Role("no.such".to_owned())), None).await;
    assert_eq!(wrong_fields(wrong), ["/to/role"]);
    for url in ["javascript:alert(1)", "https://a:b@shop.example/", "shop.example", "data:text/html,x", "https://"] {
        let wrong = MessageInput { action_url: Some(url.to_owned()), ..to() };
        assert_eq!(wrong_fields(app.messages.send(&sender(&app).await, wrong, None).await), ["/action_url"], "{url}");
    }
}

/// A repeat after a lost answer sends nothing twice.
#[apply(case)]
async fn a_repeated_request_sends_once(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let ctx = sender(&app).await;
    let key = |body: &[u8]| app.idempotency.request("POST /v1/notifications x", "one", body);
    let to = || message(Audience::Users(vec![ada.id]));
    let first = app.messages.send(&ctx, to(), Some(&key(b"a"))).await.unwrap();
    app.deliveries.tick().await.unwrap();
    let again = app.messages.send(&ctx, to(), Some(&key(b"a"))).await.unwrap();
    assert_eq!((again.id, again.recipients), (first.id, first.recipients));
    assert_eq!(refusal(app.messages.send(&ctx, to(), Some(&key(b"b"))).await), Refusal::IdempotencyMismatch);
    app.deliveries.tick().await.unwrap();
    assert_eq!(titles(&app, &of(&app, &ada)).await.len(), 1);
}

/// Never in the request: a role of very many would hold it up, and a transaction as large as the role.
#[apply(case)]
async fn a_role_is_expanded_in_steps_by_the_worker(fixture: Fixture) {
    let app = fixture.app().await;
    let editors = crowd(&app, 700, |place, user| {
        user.roles = if place % 2 == 0 { vec!["editor".to_owned()] } else { Vec::new() };
        if place % 100 == 0 {
            user.status = UserStatus::Blocked;
        }
    })
    .await;
    app.users.write_missing_terms().await.unwrap();
    let sent = send_to_editors(&app).await;
    assert_eq!((sent.recipients, sent.state), (None, MessageState::Pending));
    let waiting = app.reading().deliveries().in_state(DeliveryState::Pending, None, 9).await.unwrap();
    assert!(waiting.iter().all(|delivery| delivery.message_id.is_none()));
    app.deliveries.tick().await.unwrap();
    let done = read(&app, &sent).await;
    assert_eq!(
        (done.recipients, done.state),
        (Some(343), MessageState::Expanded),
        "350 editors, of whom 7 are blocked"
    );
    assert_eq!(inbox_of(&done).delivered, 343);
    let told = app.reading().deliveries().in_state(DeliveryState::Delivered, None, 1_000).await.unwrap();
    let mut told: Vec<_> =
        told.into_iter().filter(|one| one.message_id.is_some()).filter_map(|delivery| delivery.user_id).collect();
    told.sort_unstable();
    let mut expected: Vec<_> =
        editors.iter().enumerate().filter(|(place, _)| place % 2 == 0 && place % 100 != 0).map(|(_, id)| *id).collect();
    expected.sort_unstable();
    assert_eq!(told, expected, "each once");
    assert_eq!(app.facts_of(sent.id).await.len(), 1);
    assert_eq!(app.facts_of(sent.id).await[0].kind, EventKind::NotificationSent.as_str());
}

/// Whoever holds a role is found by it, so ten of three thousand cost what ten of thirty do.
#[tokio::test]
async fn a_role_of_few_costs_no_more_among_many() {
    let mut costs = Vec::new();
    for others in [20, 3_000] {
        let (app, counting) = crate::audit_cost::counted().await;
        crowd(&app, 10 + others, |place, user| {
            user.roles = if place < 10 { vec!["editor".to_owned()] } else { Vec::new() };
        })
        .await;
        app.users.write_missing_terms().await.unwrap();
        let sent = send_to_editors(&app).await;
        counting.take();
        app.deliveries.tick().await.unwrap();
        let asked = counting.take();
        assert_eq!(read(&app, &sent).await.recipients, Some(10));
        assert_eq!(asked.reads.get("users.page"), None, "no look at everybody");
        costs.push((asked.reads.get("user_terms.behind").copied(), asked.units["expand_notification"].statements));
    }
    assert_eq!(costs[0].0, Some(1));
    assert_eq!(costs[0], costs[1]);
}

/// As long as the words of older accounts are being written, everybody is looked at; and a message goes on as it began.
#[apply(case)]
async fn a_role_is_found_without_the_index_until_that_is_whole(fixture: Fixture) {
    let app = fixture.app().await;
    crowd(&app, 400, |place, user| {
        user.roles = if place % 4 == 0 { vec!["editor".to_owned()] } else { Vec::new() };
    })
    .await;
    let sent = send_to_editors(&app).await;
    app.deliveries.tick().await.unwrap();
    assert_eq!(read(&app, &sent).await.recipients, Some(100));
}

async fn send_to_editors(app: &TestApp) -> MessageView {
    let role = &userd_model::Role { name: "editor".to_owned(), ..userd_model::Role::default() };
    let now = app.now();
    let made = app.deps.store.transact("role", |mut uow| async move {
        uow.roles().upsert(role, now).await?;
        uow.commit(()).await
    });
    made.await.unwrap();
    app.messages.send(&sender(app).await, message(Audience::Role("editor".to_owned())), None).await.unwrap()
}

/// Everybody who was there when it was sent, and nobody twice, although the worker changes between two steps.
#[apply(case)]
async fn everybody_is_told_once_by_workers_that_change(fixture: Fixture) {
    let (first, second) = fixture.two_apps().await;
    crowd(&first, 900, |_, _| {}).await;
    let sent = first.messages.send(&sender(&first).await, message(Audience::All), None).await.unwrap();
    first.advance(MINUTE);
    let late = first.member("late").await;
    let (one, two) = (first.shared(), second.shared());
    let (one, two) =
        tokio::join!(async move { one.deliveries.tick().await }, async move { two.deliveries.tick().await });
    one.unwrap();
    two.unwrap();
    first.advance(MINUTE);
    second.deliveries.tick().await.unwrap();
    first.deliveries.tick().await.unwrap();
    let done = read(&first, &sent).await;
    assert_eq!((done.recipients, inbox_of(&done).delivered), (Some(901), 901), "the crowd and its seed");
    assert_eq!(titles(&first, &of(&first, &late)).await, [] as [&str; 0], "who came later is not of the audience");
}

#[apply(case)]
async fn a_message_waits_for_its_time_and_ends_with_it(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let ctx = sender(&app).await;
    let at = |span: Duration| Some(app.now().plus(span));
    let users = || message(Audience::Users(vec![ada.id]));
    let scheduled = MessageInput { not_before: at(2 * MINUTE), expires_at: at(DAY), ..users() };
    let to_all = MessageInput { to: Audience::All, ..scheduled.clone() };
    let (one, all) =
        (app.messages.send(&ctx, scheduled, None).await.unwrap(), app.messages.send(&ctx, to_all, None).await.unwrap());
    app.deliveries.tick().await.unwrap();
    assert_eq!(titles(&app, &of(&app, &ada)).await.len(), 0);
    assert_eq!((read(&app, &one).await.recipients, read(&app, &all).await.recipients), (Some(1), None));
    app.advance(2 * MINUTE);
    app.deliveries.tick().await.unwrap();
    assert_eq!(titles(&app, &of(&app, &ada)).await.len(), 2);
    app.advance(DAY);
    app.notifications.expire().await.unwrap();
    assert_eq!(titles(&app, &of(&app, &ada)).await.len(), 0, "the inbox shows it no longer");
    // Nobody was there to send it in its time.
    let short = |to| MessageInput { expires_at: at(MINUTE), ..message(to) };
    let one = app.messages.send(&ctx, short(Audience::Users(vec![ada.id])), None).await.unwrap();
    let all = app.messages.send(&ctx, short(Audience::All), None).await.unwrap();
    app.advance(2 * MINUTE);
    app.deliveries.tick().await.unwrap();
    assert_eq!(inbox_of(&read(&app, &one).await).expired, 1);
    assert_eq!(read(&app, &all).await.state, MessageState::Expired);
    assert_eq!(titles(&app, &of(&app, &ada)).await.len(), 0);
}

#[apply(case)]
async fn sending_is_limited_and_sending_to_everybody_more(fixture: Fixture) {
    let app = fixture
        .app_with(with(|settings| {
            settings.limits.enabled = true;
            settings.limits.notification_per_sender = Rate { burst: 3, period: DAY };
            settings.limits.broadcast_per_sender = Rate { burst: 1, period: DAY };
        }))
        .await;
    let ada = app.member("ada").await;
    let (one, other) = (sender(&app).await, sender(&app).await);
    app.messages.send(&one, message(Audience::All), None).await.unwrap();
    let limited = |answer| matches!(refusal(answer), Refusal::TooManyAttempts(_));
    assert!(limited(app.messages.send(&one, message(Audience::All), None).await));
    app.messages.send(&one, message(Audience::Users(vec![ada.id])), None).await.unwrap();
    assert!(limited(app.messages.send(&one, message(Audience::Users(vec![ada.id])), None).await));
    app.messages.send(&other, message(Audience::All), None).await.unwrap();
}

/// What is wrong is refused before anything is counted.
#[apply(case)]
async fn a_message_that_is_wrong_costs_nothing(fixture: Fixture) {
    let app = fixture
        .app_with(with(|settings| {
            settings.limits.enabled = true;
            settings.limits.notification_per_sender = Rate { burst: 1, period: DAY };
        }))
        .await;
    let ctx = sender(&app).await;
    let past = Timestamp::from_seconds(1);
    let wrong = MessageInput { expires_at: Some(past), category: "security".to_owned(), ..message(Audience::All) };
    for _ in 0..3 {
        let refused = app.messages.send(&ctx, wrong.clone(), None).await;
        assert_eq!(wrong_fields(refused), ["/category", "/expires_at"]);
    }
    app.messages.send(&ctx, message(Audience::All), None).await.unwrap();
}
