//! From what happened to whom it concerns: the inbox exactly once, the other ways until they have taken it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use userd_channels::{Channel, ChannelFault, email::Email};
use userd_model::{Delivery, DeliveryChannel, DeliveryState, Refusal, RoleRules, Timestamp, User, UserId};
use userd_services::{
    Context, RequestOrigin,
    not_me::ThrownOut,
    notifications::{NotificationView, Shown},
    sessions::Login,
    testing::{TestOptions, channels},
};

use crate::{
    fixture::{Fixture, MINUTE, TestApp, refusal},
    personas::{Member, PASSWORD, at, elsewhere, home, login_with, of, password, started},
};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A relay that answers as told, and then takes everything. What asks to prove an address is another matter: taken, and
/// not counted.
#[derive(Default)]
pub(crate) struct ScriptedRelay {
    pub(crate) answers: Mutex<VecDeque<ChannelFault>>,
    pub(crate) taken: Mutex<Vec<Email>>,
}

#[async_trait::async_trait]
impl Channel for ScriptedRelay {
    type Message = Email;
    type Receipt = ();

    async fn send(&self, email: &Email) -> Result<(), ChannelFault> {
        if email.subject.contains("is your code") {
            return Ok(());
        }
        match self.answers.lock().unwrap().pop_front() {
            Some(fault) => Err(fault),
            None => {
                self.taken.lock().unwrap().push(email.clone());
                Ok(())
            }
        }
    }
}

pub(crate) fn later(reason: &str) -> ChannelFault {
    ChannelFault::Later { after: None, reason: reason.to_owned() }
}

async fn app_with_relay(fixture: &Fixture, answers: Vec<ChannelFault>) -> (TestApp, Arc<ScriptedRelay>) {
    let relay = Arc::new(ScriptedRelay { answers: Mutex::new(answers.into()), ..ScriptedRelay::default() });
    let ways = userd_services::deliveries::Channels { email: Some(Arc::clone(&relay) as _), ..channels() };
    (fixture.app_with(TestOptions { channels: ways, ..TestOptions::default() }).await, relay)
}

/// Passes on what happened, and carries out what that asks for.
pub(crate) async fn settle(app: &TestApp) {
    app.event_log.tick().await.unwrap();
    app.deliveries.tick().await.unwrap();
}

async fn inbox(app: &TestApp, ctx: &Context) -> Vec<NotificationView> {
    app.notifications.list(ctx, Shown::Inbox, None, 50).await.unwrap().items
}

/// What no route does yet.
pub(crate) async fn change_user(app: &TestApp, id: UserId, change: fn(&mut User)) {
    let changed = app.deps.store.transact("change_user", |mut uow| async move {
        let mut user = uow.users().find(id).await?.unwrap();
        change(&mut user);
        uow.users().update(&user).await?;
        uow.commit(()).await
    });
    changed.await.unwrap();
}

/// Somebody new, who has got the mail that every new account gets.
async fn newcomer(app: &TestApp) -> Member {
    let ada = app.member("ada").await;
    settle(app).await;
    app.advance(Duration::from_millis(1));
    ada
}

/// Somebody with a proven address, who then changed the username: a security notice.
async fn with_notice(app: &TestApp) -> (Member, Context) {
    let ada = newcomer(app).await;
    change_user(app, ada.id, |user| user.email_verified = true).await;
    let ctx = of(app, &ada);
    app.accounts.change_username(&ctx, "countess", None).await.unwrap();
    (ada, ctx)
}

pub(crate) async fn in_state(app: &TestApp, state: DeliveryState) -> Vec<Delivery> {
    let mut found = app.reading().deliveries().in_state(state, None, 100).await.unwrap();
    // Without the mail to the newcomer.
    found.retain(|delivery| delivery.created_at > Timestamp::from_seconds(1_767_225_600));
    found
}

#[apply(case)]
async fn what_happened_to_an_account_is_in_its_inbox_and_in_a_mail(fixture: Fixture) {
    let (app, relay) = app_with_relay(&fixture, Vec::new()).await;
    let (_, ctx) = with_notice(&app).await;
    settle(&app).await;
    let items = inbox(&app, &ctx).await;
    assert_eq!(items.len(), 1, "nothing about the registration itself: {items:?}");
    assert_eq!((items[0].category.as_str(), items[0].read_at), ("security", None));
    assert_eq!(items[0].content.data["event"], "user.username_changed");
    assert!(items[0].content.body.contains("countess"), "{}", items[0].content.body);
    let taken = relay.taken.lock().unwrap().clone();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].to.as_str(), "ada@example.org");
    assert_eq!(taken[0].subject, items[0].content.title);
    assert_eq!(in_state(&app, DeliveryState::Pending).await, []);
    assert_eq!(in_state(&app, DeliveryState::Delivered).await.len(), 2);
    settle(&app).await;
    assert_eq!((inbox(&app, &ctx).await.len(), relay.taken.lock().unwrap().len()), (1, 1), "once");
}

#[apply(case)]
async fn an_address_that_nobody_proved_gets_no_mail(fixture: Fixture) {
    let (app, relay) = app_with_relay(&fixture, Vec::new()).await;
    let ada = app.member("ada").await;
    let ctx = of(&app, &ada);
    app.accounts.change_username(&ctx, "countess", None).await.unwrap();
    settle(&app).await;
    assert_eq!((inbox(&app, &ctx).await.len(), relay.taken.lock().unwrap().len()), (1, 0));
}

#[apply(case)]
async fn the_message_speaks_the_language_of_its_reader(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let ctx = of(&app, &ada);
    let russian =
        userd_services::accounts::ProfileInput { locale: Some(Some("ru-RU".to_owned())), ..Default::default() };
    app.accounts.change_profile(&ctx, russian, None).await.unwrap();
    app.accounts.change_username(&ctx, "countess", None).await.unwrap();
    settle(&app).await;
    let title = &inbox(&app, &ctx).await[0].content.title;
    assert!(title.chars().any(|letter| ('а'..='я').contains(&letter)), "{title}");
}

/// The mail is tried again, later and later, and keeps its id.
#[apply(case)]
async fn a_relay_that_is_away_gets_the_mail_when_it_is_back(fixture: Fixture) {
    let (app, relay) = app_with_relay(&fixture, vec![later("451 try again"), later("no connection")]).await;
    with_notice(&app).await;
    settle(&app).await;
    let [waiting] = &in_state(&app, DeliveryState::Pending).await[..] else { panic!("one mail waits") };
    assert_eq!((waiting.attempts, waiting.last_error.as_deref()), (1, Some("451 try again")));
    assert!(waiting.due_at > app.now());
    app.advance(MINUTE);
    settle(&app).await;
    assert_eq!(in_state(&app, DeliveryState::Pending).await[0].attempts, 2);
    app.advance(MINUTE);
    settle(&app).await;
    assert_eq!(in_state(&app, DeliveryState::Pending).await, []);
    let taken = relay.taken.lock().unwrap();
    assert_eq!((taken.len(), taken[0].id), (1, waiting.id.0));
}

#[apply(case)]
async fn a_mail_that_is_never_taken_is_a_dead_letter_with_its_reason_at_once(fixture: Fixture) {
    let refused = ChannelFault::Undeliverable("550 no such mailbox".to_owned());
    let (app, relay) = app_with_relay(&fixture, vec![refused]).await;
    let (_, ctx) = with_notice(&app).await;
    settle(&app).await;
    let operator = app.operator_context();
    let dead = app.deliveries.list(&operator, DeliveryState::Dead, None, 50).await.unwrap().items;
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].channel, dead[0].last_error.as_deref()), (DeliveryChannel::Email, Some("550 no such mailbox")));
    assert_eq!(refusal(app.deliveries.list(&ctx, DeliveryState::Dead, None, 50).await), Refusal::Forbidden);
    assert_eq!(refusal(app.deliveries.retry(&ctx, dead[0].id).await), Refusal::Forbidden);
    // Its owner has mended the mailbox.
    app.deliveries.retry(&operator, dead[0].id).await.unwrap();
    app.deliveries.tick().await.unwrap();
    assert_eq!(relay.taken.lock().unwrap().len(), 1);
    let found = app.deliveries.find(&operator, dead[0].id).await.unwrap();
    assert_eq!(found.state, DeliveryState::Delivered);
    app.deliveries.retry(&operator, found.id).await.unwrap();
    app.deliveries.tick().await.unwrap();
    assert_eq!(relay.taken.lock().unwrap().len(), 1, "what has arrived is not sent again");
}

/// A relay that refuses us is the operator's matter: the message is as good as before.
#[apply(case)]
async fn credentials_that_are_not_accepted_cost_no_attempt_and_the_mail_goes_when_they_are_mended(fixture: Fixture) {
    let wrong = (0..3).map(|_| ChannelFault::OurFault("535 wrong credentials".to_owned())).collect();
    let (app, relay) = app_with_relay(&fixture, wrong).await;
    with_notice(&app).await;
    for _ in 0..3 {
        settle(&app).await;
        assert_eq!(in_state(&app, DeliveryState::Pending).await[0].attempts, 0);
        app.advance(HOUR);
    }
    settle(&app).await;
    assert_eq!(relay.taken.lock().unwrap().len(), 1);
}

#[apply(case)]
async fn a_message_that_is_too_old_is_not_sent_any_more(fixture: Fixture) {
    let (app, relay) = app_with_relay(&fixture, vec![later("away")]).await;
    with_notice(&app).await;
    settle(&app).await;
    app.advance(DAY * 4);
    settle(&app).await;
    assert_eq!((in_state(&app, DeliveryState::Expired).await.len(), relay.taken.lock().unwrap().len()), (1, 0));
}

/// Somebody's mailbox is full, or greylists us: mail for others goes on, a reset link included.
#[apply(case)]
async fn a_mailbox_that_takes_nothing_yet_keeps_no_mail_from_others(fixture: Fixture) {
    let busy = (0..5).map(|_| ChannelFault::Deferred("450 greylisted".to_owned())).collect();
    let (app, relay) = app_with_relay(&fixture, busy).await;
    with_notice(&app).await;
    for attempt in 1..=5 {
        settle(&app).await;
        assert_eq!(in_state(&app, DeliveryState::Pending).await[0].attempts, attempt);
        if attempt < 5 {
            app.advance(HOUR);
        }
    }
    assert!(relay.taken.lock().unwrap().is_empty());
    let bob = app.member("bob").await;
    change_user(&app, bob.id, |user| user.email_verified = true).await;
    app.accounts.change_username(&of(&app, &bob), "king", None).await.unwrap();
    settle(&app).await;
    let to: Vec<_> = relay.taken.lock().unwrap().iter().map(|mail| mail.to.as_str().to_owned()).collect();
    assert_eq!(to, ["bob@example.org"], "at once");
    app.advance(HOUR);
    settle(&app).await;
    assert_eq!(relay.taken.lock().unwrap().len(), 2);
}

#[apply(case)]
async fn a_message_that_is_given_up_is_not_sent(fixture: Fixture) {
    let (app, relay) = app_with_relay(&fixture, vec![later("away")]).await;
    with_notice(&app).await;
    settle(&app).await;
    let id = in_state(&app, DeliveryState::Pending).await[0].id;
    app.deliveries.give_up(&app.operator_context(), id).await.unwrap();
    app.advance(HOUR);
    settle(&app).await;
    assert_eq!((in_state(&app, DeliveryState::Dropped).await.len(), relay.taken.lock().unwrap().len()), (1, 0));
}

/// AC-146
/// F53 and F12: whoever lost the lease places nothing, and the inbox shows each once.
#[apply(case)]
async fn a_worker_that_was_frozen_places_nothing_twice(fixture: Fixture) {
    let (frozen, other) = fixture.two_apps().await;
    let (ada, ctx) = with_notice(&frozen).await;
    frozen.event_log.tick().await.unwrap();
    frozen.event_log.give_back().await.unwrap();
    frozen.deliveries.tick().await.unwrap();
    frozen.advance(MINUTE);
    let later = of(&other, &ada);
    other.accounts.change_username(&later, "countess2", None).await.unwrap();
    settle(&other).await;
    frozen.deliveries.tick().await.unwrap();
    assert_eq!(inbox(&other, &ctx).await.len(), 2);
    assert_eq!(other.notifications.counts(&ctx).await.unwrap().unread, 2);
}

/// Without a relay the operator reads the mails.
#[apply(case)]
async fn without_a_relay_mails_lie_in_the_development_mailbox(fixture: Fixture) {
    let app = fixture.app().await;
    let (_, ctx) = with_notice(&app).await;
    settle(&app).await;
    let mails = app.deliveries.mails(&app.operator_context(), 50).await.unwrap();
    assert_eq!(mails.len(), 2, "with the one that asks a newcomer to prove the address");
    assert_eq!(mails[0].to, "ada@example.org");
    assert!(mails[0].html.contains("<html") && mails[0].text.contains("countess"));
    let found = app.deliveries.find_mail(&app.operator_context(), mails[0].id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&mails[0]));
    assert_eq!(refusal(app.deliveries.mails(&ctx, 50).await), Refusal::Forbidden);
    app.advance(DAY * 8);
    assert_eq!(app.deliveries.mails(&app.operator_context(), 50).await.unwrap(), []);
}

/// ASVS V6.3.5
#[apply(case)]
async fn a_sign_in_from_a_known_device_is_no_news_and_one_from_another_is(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let ctx = of(&app, &ada);
    app.login("ada", PASSWORD).await.unwrap();
    settle(&app).await;
    assert_eq!(inbox(&app, &ctx).await, [], "the device of the registration");
    app.sessions.login(&at(&app, elsewhere(1)), login_with("ada", PASSWORD)).await.unwrap();
    settle(&app).await;
    let items = inbox(&app, &ctx).await;
    assert_eq!(items.len(), 1);
    let body = &items[0].content.body;
    assert!(body.contains("198.51.100.1"), "{body}");
    assert!(body.contains("curl") && !body.contains("curl/8"), "called as the list of devices calls it: {body}");
    app.sessions.login(&at(&app, elsewhere(1)), login_with("ada", PASSWORD)).await.unwrap();
    settle(&app).await;
    assert_eq!(inbox(&app, &ctx).await.len(), 1, "once per device");
}

/// Signing out makes nobody a stranger, nor do another address of the same network and, with a device token, another place.
/// ASVS V6.3.5
#[apply(case)]
async fn a_device_is_known_for_ninety_days_whatever_was_signed_out_meanwhile(fixture: Fixture) {
    let (app, relay) = app_with_relay(&fixture, Vec::new()).await;
    let ada = newcomer(&app).await;
    change_user(&app, ada.id, |user| user.email_verified = true).await;
    let ctx = of(&app, &ada);
    let news = async |origin: RequestOrigin, device_token: Option<String>| {
        let before = inbox(&app, &ctx).await.len();
        let login = Login { device_token, ..login_with("ada", PASSWORD) };
        app.advance(MINUTE);
        let tokens = app.sessions.login(&at(&app, origin), login).await.map(started).unwrap().tokens;
        settle(&app).await;
        (inbox(&app, &ctx).await.len() - before, tokens)
    };
    let at_ip = |ip: &str| RequestOrigin { ip: Some(ip.to_owned()), ..elsewhere(1) };
    app.sessions.end(&ctx, ada.id, ada.tokens.session_id).await.unwrap();
    let (new, phone) = news(elsewhere(1), None).await;
    assert_eq!(new, 1);
    assert_eq!(news(home(), None).await.0, 0, "the laptop that signed out before the phone came");
    app.sessions.end(&ctx, ada.id, phone.session_id).await.unwrap();
    assert_eq!(news(home(), None).await.0, 0);
    assert_eq!(news(elsewhere(1), None).await.0, 0, "and the phone that signed out since");
    assert_eq!(news(elsewhere(2), phone.device_token.clone()).await.0, 0, "it shows that it is the phone");
    for (ip, new) in [("2001:db8:1:2::1", 1), ("2001:db8:1:2:ffff::7", 0), ("2001:db8:1:3::1", 1)] {
        assert_eq!(news(at_ip(ip), None).await.0, new, "{ip}");
    }
    app.advance(91 * DAY);
    assert_eq!(news(elsewhere(1), None).await.0, 1, "after ninety days");
    assert_eq!(news(elsewhere(1), None).await.0, 0, "once");
    // "This was not me": whoever it was is a stranger again, with their device token too.
    let text = relay.taken.lock().unwrap().last().unwrap().text.clone();
    let token = text.split("/l/").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    assert_eq!(app.not_me.confirm(&at(&app, home()), &token).await.unwrap(), ThrownOut::ResetMailed);
    app.accounts.set_password(&app.operator_context(), ada.id, &password(PASSWORD)).await.unwrap();
    settle(&app).await;
    assert_eq!(news(elsewhere(1), phone.device_token).await.0, 1);
}

/// Whoever holds a role that they did not ask for can say that somebody else is in their account.
#[apply(case)]
async fn the_notice_of_a_role_has_the_button_that_ends_every_session(fixture: Fixture) {
    let (app, relay) = app_with_relay(&fixture, Vec::new()).await;
    let ada = newcomer(&app).await;
    change_user(&app, ada.id, |user| user.email_verified = true).await;
    app.make_role("writer", &[], RoleRules::default()).await;
    app.give_role(&ada, "writer").await;
    settle(&app).await;
    let mail = relay.taken.lock().unwrap().pop().unwrap();
    assert!(mail.subject.contains("role"), "{}", mail.subject);
    let token = mail.text.split("/l/").nth(1).expect("a link").split_whitespace().next().unwrap().to_owned();
    app.not_me.confirm(&at(&app, home()), &token).await.unwrap();
    assert!(app.is_out(&ada.tokens).await);
}

/// Who has been erased is told nothing, and holds nothing up.
#[apply(case)]
async fn nobody_is_told_who_is_not_there(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.accounts.change_username(&of(&app, &ada), "countess", None).await.unwrap();
    app.event_log.tick().await.unwrap();
    change_user(&app, ada.id, |user| user.data_key = None).await;
    app.deliveries.tick().await.unwrap();
    assert_eq!(in_state(&app, DeliveryState::Pending).await, []);
}

/// How long things are kept is the operator's matter.
#[apply(case)]
async fn things_are_kept_as_long_as_the_settings_say(fixture: Fixture) {
    let refused = ChannelFault::Undeliverable("550 no such mailbox".to_owned());
    let relay = Arc::new(ScriptedRelay { answers: Mutex::new(vec![refused].into()), ..ScriptedRelay::default() });
    let mut options = crate::fixture::with(|settings| {
        settings.retention.inbox = 2 * DAY;
        settings.retention.deliveries = DAY;
        settings.retention.dead_letters = 3 * DAY;
        settings.retention.events = 4 * DAY;
    });
    options.channels.email = Some(Arc::clone(&relay) as _);
    let app = fixture.app_with(options).await;
    let (_, ctx) = with_notice(&app).await;
    settle(&app).await;
    let now = app.now();
    let kept = async |state| in_state(&app, state).await.iter().map(|one| one.remove_at.since(now)).collect::<Vec<_>>();
    assert_eq!(kept(DeliveryState::Delivered).await, [DAY]);
    assert_eq!(kept(DeliveryState::Dead).await, [3 * DAY]);
    let heads = app.reading().event_heads().all().await.unwrap();
    assert!(!heads.is_empty() && heads.iter().all(|head| head.expires_at == now.plus(4 * DAY)));
    app.advance(2 * DAY - MINUTE);
    app.notifications.expire().await.unwrap();
    assert_eq!(inbox(&app, &ctx).await.len(), 1);
    app.advance(MINUTE);
    app.notifications.expire().await.unwrap();
    assert_eq!(inbox(&app, &ctx).await.len(), 0);
}

#[apply(case)]
async fn the_development_mailbox_keeps_as_many_mails_as_the_settings_say(fixture: Fixture) {
    let app = fixture.app_with(crate::fixture::with(|settings| settings.retention.mails_count = 2)).await;
    let (_, ctx) = with_notice(&app).await;
    for place in 0..4 {
        app.advance(MINUTE);
        app.accounts.change_username(&ctx, &format!("countess-{place}"), None).await.unwrap();
        settle(&app).await;
    }
    assert_eq!(app.deliveries.mails(&app.operator_context(), 50).await.unwrap().len(), 2);
}
