//! Which ways a message takes: what its reader has chosen, when it is quiet, and what is there at all.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use userd_channels::{Channel, ChannelFault, telegram::ChatMessage};
use userd_model::{
    DeliveryChannel, DeliveryState, MessageId, Timestamp,
    message::Audience,
    preferences::{Category, ChannelChoice, MessageChannel, PreferencesInput},
};
use userd_providers::Kind;
use userd_services::{
    accounts::ProfileInput, deliveries::Channels, links::Confirmation, messages::ChannelCounts, notifications::Shown,
    testing::TestOptions,
};

use crate::{
    deliveries::{ScriptedRelay, change_user, in_state, later, settle},
    fixture::{Fixture, MINUTE, TestApp},
    messages::message,
    personas::{Member, at, home, of},
    sign_in::elsewhere::{Elsewhere, offering, person},
};

/// A bot that answers as told, and then takes everything.
#[derive(Default)]
struct ScriptedBot {
    answers: Mutex<VecDeque<ChannelFault>>,
    taken: Mutex<Vec<ChatMessage>>,
}

#[async_trait::async_trait]
impl Channel for ScriptedBot {
    type Message = ChatMessage;
    type Receipt = i64;

    async fn send(&self, message: &ChatMessage) -> Result<i64, ChannelFault> {
        if let Some(fault) = self.answers.lock().unwrap().pop_front() {
            return Err(fault);
        }
        self.taken.lock().unwrap().push(message.clone());
        Ok(1)
    }
}

/// Somebody with a proven address and a chat with the bot.
struct Ways {
    app: TestApp,
    relay: Arc<ScriptedRelay>,
    bot: Arc<ScriptedBot>,
    ada: Member,
}

impl Ways {
    async fn open(fixture: &Fixture) -> Self {
        let (relay, bot) = (Arc::new(ScriptedRelay::default()), Arc::new(ScriptedBot::default()));
        let telegram = Elsewhere::new("telegram", |facts| facts.kind = Kind::Telegram);
        let options: TestOptions = offering(&[&telegram]);
        let channels = Channels {
            email: Some(Arc::clone(&relay) as _),
            telegram: Some(Arc::clone(&bot) as _),
            ..options.channels
        };
        let app = fixture.app_with(TestOptions { channels, ..options }).await;
        let ada = app.member("ada").await;
        change_user(&app, ada.id, |user| user.email_verified = true).await;
        telegram.is(userd_providers::Profile { bot_access: Some(true), ..person("telegram", "7") });
        app.link(&ada, "telegram").await;
        settle(&app).await;
        relay.taken.lock().unwrap().clear();
        bot.taken.lock().unwrap().clear();
        Self { app, relay, bot, ada }
    }

    async fn chooses(&self, category: &str, choice: ChannelChoice, quiet: Option<(&str, &str)>) {
        let quiet_hours = quiet.map(|(from, to)| (from.to_owned(), to.to_owned()));
        let input = PreferencesInput { categories: [(category.to_owned(), choice)].into(), quiet_hours };
        self.app.preferences.replace(&of(&self.app, &self.ada), &input, None).await.unwrap();
    }

    async fn lives_in(&self, zone: &str) {
        let profile = ProfileInput { time_zone: Some(Some(zone.to_owned())), ..Default::default() };
        self.app.accounts.change_profile(&of(&self.app, &self.ada), profile, None).await.unwrap();
    }

    async fn send(&self) -> MessageId {
        let operator = self.app.operator_context();
        let sent = self.app.messages.send(&operator, message(Audience::Users(vec![self.ada.id])), None).await;
        let id = sent.unwrap().id;
        self.app.deliveries.tick().await.unwrap();
        id
    }

    async fn counts(&self, id: MessageId, channel: MessageChannel) -> ChannelCounts {
        let view = self.app.messages.read(&self.app.operator_context(), id).await.unwrap();
        view.channels.into_iter().find(|(of, _)| *of == channel).unwrap().1
    }

    async fn in_inbox(&self) -> usize {
        let page = self.app.notifications.list(&of(&self.app, &self.ada), Shown::Inbox, None, 50).await.unwrap();
        page.items.iter().filter(|item| item.category == "orders").count()
    }

    fn mails(&self) -> usize {
        self.relay.taken.lock().unwrap().len()
    }

    fn chats(&self) -> usize {
        self.bot.taken.lock().unwrap().len()
    }

    fn it_is(&self, moment: &str) {
        self.app.advance(moment.parse::<Timestamp>().unwrap().since(self.app.now()));
    }
}

#[apply(case)]
async fn a_category_is_muted_on_one_channel_or_on_all(fixture: Fixture) {
    let ways = Ways::open(&fixture).await;
    let id = ways.send().await;
    assert_eq!((ways.in_inbox().await, ways.mails(), ways.chats()), (1, 1, 1), "by every way that is there");
    for channel in MessageChannel::ALL {
        assert_eq!(ways.counts(id, channel).await, ChannelCounts { delivered: 1, ..Default::default() });
    }
    ways.chooses("orders", ChannelChoice { email: false, ..Default::default() }, None).await;
    let id = ways.send().await;
    assert_eq!((ways.in_inbox().await, ways.mails(), ways.chats()), (2, 1, 2));
    assert_eq!(ways.counts(id, MessageChannel::Email).await, ChannelCounts { muted: 1, ..Default::default() });
    let none = ChannelChoice { inbox: false, email: false, telegram: false };
    ways.chooses("orders", none, None).await;
    let id = ways.send().await;
    assert_eq!((ways.in_inbox().await, ways.mails(), ways.chats()), (2, 1, 2));
    assert_eq!(ways.counts(id, MessageChannel::Inbox).await, ChannelCounts { muted: 1, ..Default::default() });
    ways.chooses("news", none, None).await;
    ways.send().await;
    assert_eq!((ways.in_inbox().await, ways.mails(), ways.chats()), (3, 2, 3), "another category is muted");
}

/// What is sent is decided when it is sent: not when it was asked for.
#[apply(case)]
async fn a_category_that_is_muted_while_a_mail_waits_is_not_sent(fixture: Fixture) {
    let ways = Ways::open(&fixture).await;
    ways.relay.answers.lock().unwrap().push_back(later("away"));
    let id = ways.send().await;
    ways.chooses("orders", ChannelChoice { email: false, ..Default::default() }, None).await;
    ways.app.advance(MINUTE);
    ways.app.deliveries.tick().await.unwrap();
    assert_eq!((ways.mails(), ways.chats()), (0, 1));
    assert_eq!(ways.counts(id, MessageChannel::Email).await, ChannelCounts { muted: 1, ..Default::default() });
}

/// By the clock on the wall: the night of 29 March has an hour less in Berlin, that of 25 October one more.
#[apply(case)]
async fn quiet_hours_end_by_the_clock_on_the_wall_also_when_it_is_changed(fixture: Fixture) {
    let ways = Ways::open(&fixture).await;
    ways.lives_in("Europe/Berlin").await;
    ways.chooses("news", ChannelChoice::default(), Some(("22:00", "08:00"))).await;
    for (turn, (evening, before, morning)) in [
        ("2026-03-28T22:30:00Z", "2026-03-29T05:59:59Z", "2026-03-29T06:00:00Z"),
        ("2026-10-24T21:30:00Z", "2026-10-25T06:59:59Z", "2026-10-25T07:00:00Z"),
    ]
    .into_iter()
    .enumerate()
    {
        ways.it_is(evening);
        ways.send().await;
        assert_eq!((ways.in_inbox().await, ways.mails(), ways.chats()), (1, turn, turn), "the inbox does not ring");
        ways.it_is(before);
        ways.app.deliveries.tick().await.unwrap();
        assert_eq!((ways.mails(), ways.chats()), (turn, turn));
        ways.it_is(morning);
        ways.app.deliveries.tick().await.unwrap();
        assert_eq!((ways.mails(), ways.chats()), (turn + 1, turn + 1));
        ways.app.notifications.expire().await.unwrap();
        for item in ways.app.notifications.list(&of(&ways.app, &ways.ada), Shown::Inbox, None, 50).await.unwrap().items
        {
            ways.app.notifications.remove(&of(&ways.app, &ways.ada), item.id).await.unwrap();
        }
    }
}

/// A relay that was away until the evening does not ring at night.
#[apply(case)]
async fn a_mail_that_is_tried_again_waits_for_the_end_of_quiet_hours_too(fixture: Fixture) {
    let ways = Ways::open(&fixture).await;
    ways.chooses("news", ChannelChoice::default(), Some(("22:00", "08:00"))).await;
    ways.it_is("2026-03-10T21:59:58Z");
    ways.relay.answers.lock().unwrap().push_back(later("away"));
    ways.send().await;
    ways.it_is("2026-03-10T22:01:00Z");
    ways.app.deliveries.tick().await.unwrap();
    assert_eq!((ways.mails(), ways.chats()), (0, 1));
    let waiting = in_state(&ways.app, DeliveryState::Pending).await;
    assert_eq!((waiting[0].attempts, waiting[0].due_at), (1, "2026-03-11T08:00:00Z".parse().unwrap()));
    // A notice of what happens to the account does ring.
    ways.app.accounts.change_username(&of(&ways.app, &ways.ada), "countess", None).await.unwrap();
    settle(&ways.app).await;
    assert_eq!(ways.mails(), 1);
    ways.it_is("2026-03-11T08:00:00Z");
    ways.app.deliveries.tick().await.unwrap();
    assert_eq!(ways.mails(), 2);
}

/// To the proven address, else by the messenger, else to the inbox alone.
#[apply(case)]
async fn a_security_notice_that_no_mail_reaches_goes_by_the_messenger(fixture: Fixture) {
    let ways = Ways::open(&fixture).await;
    let happens = async |name: &str| {
        ways.app.advance(Duration::from_millis(1));
        ways.app.accounts.change_username(&of(&ways.app, &ways.ada), name, None).await.unwrap();
        settle(&ways.app).await;
    };
    happens("countess").await;
    assert_eq!((ways.mails(), ways.chats()), (1, 0), "the mail is enough");
    ways.relay.answers.lock().unwrap().push_back(ChannelFault::Undeliverable("550 no such mailbox".to_owned()));
    happens("countess2").await;
    assert_eq!((ways.mails(), ways.chats()), (1, 1), "the mailbox is gone");
    // Tried again by an operator and refused again, it does not come twice.
    let dead = in_state(&ways.app, DeliveryState::Dead).await;
    assert_eq!((dead.len(), dead[0].channel), (1, DeliveryChannel::Email));
    ways.relay.answers.lock().unwrap().push_back(ChannelFault::Undeliverable("550 no such mailbox".to_owned()));
    ways.app.deliveries.retry(&ways.app.operator_context(), dead[0].id).await.unwrap();
    ways.app.deliveries.tick().await.unwrap();
    assert_eq!(ways.chats(), 1);
    change_user(&ways.app, ways.ada.id, |user| user.email_verified = false).await;
    happens("countess3").await;
    assert_eq!((ways.mails(), ways.chats()), (1, 2), "no proven address");
    ways.bot.answers.lock().unwrap().push_back(ChannelFault::Gone("blocked by the user".to_owned()));
    happens("countess4").await;
    happens("countess5").await;
    assert_eq!((ways.mails(), ways.chats()), (1, 2), "the inbox alone");
    let page = ways.app.notifications.list(&of(&ways.app, &ways.ada), Shown::Inbox, None, 50).await.unwrap();
    let told = page.items.iter().filter(|item| item.content.data["event"] == "user.username_changed").count();
    assert_eq!(told, 5);
}

/// A mailbox that says "later" for three days was not reached either.
#[apply(case)]
async fn a_security_notice_whose_mail_ran_out_of_time_goes_by_the_messenger(fixture: Fixture) {
    let ways = Ways::open(&fixture).await;
    ways.relay.answers.lock().unwrap().push_back(ChannelFault::Deferred("452 mailbox full".to_owned()));
    ways.app.advance(Duration::from_millis(1));
    ways.app.accounts.change_username(&of(&ways.app, &ways.ada), "countess", None).await.unwrap();
    settle(&ways.app).await;
    assert_eq!((ways.mails(), ways.chats()), (0, 0), "the mail is tried again");
    ways.app.advance(Duration::from_secs(73 * 3600));
    settle(&ways.app).await;
    assert_eq!(in_state(&ways.app, DeliveryState::Expired).await.len(), 1);
    assert_eq!((ways.mails(), ways.chats()), (0, 1));
}

/// Whoever mutes their mailbox for a message is not written to by a way that its sender did not choose.
#[apply(case)]
async fn a_message_goes_by_the_channels_that_its_sender_chose(fixture: Fixture) {
    let ways = Ways::open(&fixture).await;
    let only = |words: &[&str]| {
        let channels = Some(words.iter().map(|word| (*word).to_owned()).collect());
        userd_model::message::MessageInput { channels, ..message(Audience::Users(vec![ways.ada.id])) }
    };
    ways.app.messages.send(&ways.app.operator_context(), only(&["email"]), None).await.unwrap();
    ways.app.deliveries.tick().await.unwrap();
    assert_eq!((ways.in_inbox().await, ways.mails(), ways.chats()), (0, 1, 0));
    ways.relay.answers.lock().unwrap().push_back(ChannelFault::Undeliverable("550".to_owned()));
    ways.app.messages.send(&ways.app.operator_context(), only(&["email", "inbox"]), None).await.unwrap();
    ways.app.deliveries.tick().await.unwrap();
    assert_eq!((ways.in_inbox().await, ways.mails(), ways.chats()), (1, 1, 0));
}

/// RFC 8058: with the mail comes the link that mutes its category, where it may be muted.
#[apply(case)]
async fn a_mail_of_a_category_that_may_be_muted_carries_the_link_that_mutes_it(fixture: Fixture) {
    let ways = Ways::open(&fixture).await;
    ways.send().await;
    let mail = ways.relay.taken.lock().unwrap()[0].clone();
    let link = mail.unsubscribe.expect("a link");
    assert!(mail.text.ends_with(&format!("{link}\n")) && mail.html.contains(&format!("<a href=\"{link}\">")));
    let token = link.path_segments().unwrap().next_back().unwrap().to_owned();
    ways.app.links.follow(&at(&ways.app, home()), &token, Confirmation::OneClick).await.unwrap();
    ways.send().await;
    assert_eq!((ways.in_inbox().await, ways.mails(), ways.chats()), (2, 1, 2));
    ways.app.accounts.change_username(&of(&ways.app, &ways.ada), "countess", None).await.unwrap();
    settle(&ways.app).await;
    let notice = ways.relay.taken.lock().unwrap()[1].clone();
    assert_eq!(notice.unsubscribe, None, "{} cannot be muted", Category::Security.as_str());
    assert!(!notice.text.contains("Stop mails"), "{}", notice.text);
}
