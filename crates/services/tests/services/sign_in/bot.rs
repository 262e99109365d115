//! Sign-in by a message to the bot.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use userd_channels::{
    HttpOptions, Secret,
    telegram::{BotApi, Content, Update},
};
use userd_model::{EventKind, Refusal};
use userd_providers::Kind;
use userd_services::{
    Context, Failure, RegistrationMode,
    bot::{BotUpdates, TelegramBot, UpdateHandler},
    invitations::NewInvitation,
    sign_in::{BotPoll, BotStart, Finished},
};

use super::{
    elsewhere::{Elsewhere, offering, person},
    messenger::{Messenger, SECRET, serve, signed_in, somebody, token},
};
use crate::{
    fixture::{Fixture, at_once, refusal},
    personas::{OTHER_PASSWORD, at, authenticated, home, password},
};

#[apply(case)]
async fn a_tap_on_the_right_code_signs_in(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    let start = messenger.start().await;
    let printed = format!("{start:?}");
    assert!(
        ![&start.secret, &start.attempt, &start.match_code].into_iter().any(|secret| printed.contains(secret.as_str()))
    );
    assert_eq!(start.link, format!("https://t.me/userd_test_bot?start={}", start.attempt));
    assert!(start.command.starts_with("/start ") && start.command.len() <= 7 + 64);
    assert!(matches!(messenger.poll(&start).await.unwrap(), BotPoll::Pending));
    messenger.writes(7, &start.command).await;
    let told = messenger.told();
    let (method, question) = &told[0];
    assert_eq!((method.as_str(), &question["chat_id"]), ("sendMessage", &json!(7)));
    assert!(question["text"].as_str().unwrap().contains("192.0.2.1, Browser/1"), "where the sign-in comes from");
    let rows = question["reply_markup"]["inline_keyboard"].as_array().unwrap();
    let labels: Vec<&str> = rows[0].as_array().unwrap().iter().map(|b| b["text"].as_str().unwrap()).collect();
    assert_eq!(labels.len(), 3);
    assert!(labels.contains(&start.match_code.as_str()));
    assert!(
        rows.iter().flat_map(|row| row.as_array().unwrap()).all(|b| b["callback_data"].as_str().unwrap().len() <= 64)
    );
    assert!(matches!(messenger.poll(&start).await.unwrap(), BotPoll::Pending));
    messenger.taps_code(7, &start, &start.match_code).await;
    assert_eq!(messenger.told()[0].0, "answerCallbackQuery");
    let answer = signed_in(messenger.poll(&start).await.unwrap());
    assert_eq!(answer.user.display_name.as_deref(), Some("Ada"));
    assert!(messenger.may_write(answer.user.id).await, "who writes to the bot may be written to");
    assert_eq!(refusal(messenger.poll(&start).await), Refusal::InvalidCode, "the tokens are handed out once");
    assert_eq!(messenger.sign_in(7).await.user.id, answer.user.id);
    messenger.telegram.is(person("telegram", "7"));
    assert_eq!(messenger.app.sign_in_through("telegram").await.user.id, answer.user.id, "every way in, one account");
}

/// A link sent to somebody else: the victim does not know the code, and one wrong tap ends it.
/// ASVS V6.6.3
#[apply(case)]
async fn a_wrong_code_ends_the_login(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    for wrong in ["no", "", "0", "100"] {
        let start = messenger.start().await;
        messenger.writes(7, &start.command).await;
        messenger.taps_code(7, &start, wrong).await;
        assert_eq!(refusal(messenger.poll(&start).await), Refusal::InvalidCode);
        messenger.taps_code(7, &start, &start.match_code).await;
        assert_eq!(refusal(messenger.poll(&start).await), Refusal::InvalidCode, "too late");
    }
    assert!(messenger.app.reading().users().page(None, 9).await.unwrap().is_empty());
}

#[apply(case)]
async fn nobody_else_answers_for_the_person_asked(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    let start = messenger.start().await;
    messenger.taps_code(7, &start, &start.match_code).await;
    assert!(matches!(messenger.poll(&start).await.unwrap(), BotPoll::Pending), "nobody was asked yet");
    messenger.writes(7, &start.command).await;
    messenger.writes(8, &start.command).await;
    messenger.taps_code(8, &start, &start.match_code).await;
    messenger.taps_code(8, &start, "no").await;
    assert!(matches!(messenger.poll(&start).await.unwrap(), BotPoll::Pending));
    messenger.writes(7, &start.command).await;
    messenger.taps_code(7, &start, &start.match_code).await;
    messenger.taps_code(8, &start, "no").await;
    let answer = signed_in(messenger.poll(&start).await.unwrap());
    let who = messenger.app.who(&answer.tokens.access_token).await.unwrap();
    assert_eq!(
        messenger
            .app
            .sign_in
            .identities(&authenticated(&messenger.app, &who), who.user().unwrap().0)
            .await
            .unwrap()
            .len(),
        1
    );
}

/// AC-083: the tokens of a login go to the browser that began it.
/// ASVS V6.6.2
#[apply(case)]
async fn another_browser_cannot_poll(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    let (start, other) = (messenger.start().await, messenger.start().await);
    messenger.writes(7, &start.command).await;
    messenger.taps_code(7, &start, &start.match_code).await;
    for secret in ["", "nonsense", other.secret.as_str(), start.attempt.as_str()] {
        let poll = messenger.app.sign_in.poll_bot(&at(&messenger.app, home()), &start.attempt, secret).await;
        assert_eq!(refusal(poll), Refusal::InvalidCode);
    }
    let unknown = messenger.app.sign_in.poll_bot(&at(&messenger.app, home()), &other.secret, &other.secret).await;
    assert_eq!(refusal(unknown), Refusal::InvalidCode);
    signed_in(messenger.poll(&start).await.unwrap());
}

#[apply(case)]
async fn sixty_four_polls_hand_the_tokens_out_once(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    let start = messenger.start().await;
    messenger.writes(7, &start.command).await;
    messenger.taps_code(7, &start, &start.match_code).await;
    let services = messenger.app.shared();
    let answers = at_once(64, |_| {
        let (services, start) = (Arc::clone(&services), start.clone());
        async move { services.sign_in.poll_bot(&at(&services, home()), &start.attempt, &start.secret).await }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.into_iter().all(|answer| refusal(answer) == Refusal::InvalidCode));
}

#[apply(case)]
async fn a_login_with_the_bot_lives_five_minutes(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    let start = messenger.start().await;
    assert_eq!(start.expires_in, 300);
    messenger.writes(7, &start.command).await;
    messenger.app.advance(Duration::from_secs(300));
    messenger.told();
    messenger.taps_code(7, &start, &start.match_code).await;
    assert_eq!(refusal(messenger.poll(&start).await), Refusal::InvalidCode);
    messenger.writes(7, &start.command).await;
    let told = messenger.told();
    assert!(told.last().unwrap().1["reply_markup"].is_null(), "nothing is left to tap: {told:?}");
}

/// AC-007: a confirmed login is a way in, and dies with the others.
#[apply(case)]
async fn a_confirmed_login_ends_with_a_new_password(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    let ada = messenger.sign_in(7).await.user.id;
    let start = messenger.start().await;
    messenger.writes(7, &start.command).await;
    messenger.taps_code(7, &start, &start.match_code).await;
    messenger
        .app
        .accounts
        .set_password(&messenger.app.operator_context(), ada, &password(OTHER_PASSWORD))
        .await
        .unwrap();
    assert_eq!(refusal(messenger.poll(&start).await), Refusal::InvalidCode);
}

/// AC-069: a forged update is posted to the webhook.
#[apply(case)]
async fn an_update_without_the_secret_is_refused(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    let start = messenger.start().await;
    let chat = json!({ "id": 7, "type": "private" });
    let message = json!({ "message_id": 1, "date": 1, "chat": chat, "from": somebody(7), "text": start.command });
    let update = json!({ "update_id": 1, "message": message }).to_string();
    for secret in [None, Some(&b""[..]), Some(b"webhook-secret-2"), Some(b"webhook-secret-"), Some(b"WEBHOOK-SECRET-1")]
    {
        let answer = messenger.app.bot.take_webhook(&at(&messenger.app, home()), secret, update.as_bytes()).await;
        assert_eq!(refusal(answer), Refusal::NotSignedIn);
    }
    assert!(messenger.told().is_empty());
    for nonsense in ["", "[]", "{}", "{\"update_id\":\"1\"}", "\u{0}"] {
        let answer = messenger
            .app
            .bot
            .take_webhook(&at(&messenger.app, home()), Some(SECRET.as_bytes()), nonsense.as_bytes())
            .await;
        assert!(matches!(refusal(answer), Refusal::Malformed(_)), "{nonsense:?}");
    }
    messenger
        .app
        .bot
        .take_webhook(&at(&messenger.app, home()), Some(SECRET.as_bytes()), update.as_bytes())
        .await
        .unwrap();
    assert_eq!(messenger.told().len(), 1);
}

#[apply(case)]
async fn a_repeated_update_is_taken_once(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    let start = messenger.start().await;
    let chat = json!({ "id": 7, "type": "private" });
    let message = json!({ "message_id": 1, "date": 1, "chat": chat, "from": somebody(7), "text": start.command });
    let update = json!({ "update_id": 5, "message": message }).to_string();
    for _ in 0..3 {
        messenger
            .app
            .bot
            .take_webhook(&at(&messenger.app, home()), Some(SECRET.as_bytes()), update.as_bytes())
            .await
            .unwrap();
    }
    assert_eq!(messenger.told().len(), 1);
}

/// The tap on the right code is delivered eight times at once: one account, one session.
#[apply(case)]
async fn an_update_that_comes_at_once_several_times_does_nothing_twice(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    let start = messenger.start().await;
    messenger.writes(7, &start.command).await;
    let message = json!({ "message_id": 1, "date": 1, "chat": { "id": 7, "type": "private" } });
    let data = format!("{}:{}", start.attempt, start.match_code);
    let query = json!({ "id": "q1", "from": somebody(7), "message": message, "data": data });
    let update = json!({ "update_id": 9, "callback_query": query }).to_string();
    for _ in 0..8 {
        messenger
            .app
            .bot
            .take_webhook(&at(&messenger.app, home()), Some(SECRET.as_bytes()), update.as_bytes())
            .await
            .unwrap();
    }
    let user = signed_in(messenger.poll(&start).await.unwrap()).user.id;
    assert_eq!(messenger.app.reading().users().page(None, 9).await.unwrap().len(), 1);
    assert_eq!(messenger.app.reading().identities().of_user(user).await.unwrap().len(), 1);
    assert_eq!(messenger.app.devices_of(user).await.len(), 1);
}

#[apply(case)]
async fn access_of_the_bot_is_recorded_and_withdrawn(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    messenger.changes_access(9, "member").await;
    messenger.writes(9, "/start").await;
    let ada = messenger.sign_in(7).await.user.id;
    let app = &messenger.app;
    for (status, may_write) in [("kicked", false), ("kicked", false), ("member", true), ("left", false)] {
        messenger.changes_access(7, status).await;
        assert_eq!(messenger.may_write(ada).await, may_write, "{status}");
    }
    assert_eq!(app.count_of(ada, EventKind::BotAccessChanged).await, 3, "a repeated status is no change");
    messenger.writes(7, "/start").await;
    assert!(messenger.may_write(ada).await, "who writes again may be written to again");
    messenger.changes_access(9, "kicked").await;
    assert!(messenger.may_write(ada).await, "what others do changes nothing");
}

/// Of two accounts of one person there, the one that shut the bot out is the one that is recorded.
#[apply(case)]
async fn each_linked_account_has_its_own_bot_access(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    let app = &messenger.app;
    let ada = app.member("ada").await;
    for id in ["7", "8"] {
        messenger.telegram.is(userd_providers::Profile { bot_access: Some(true), ..person("telegram", id) });
        assert!(matches!(app.link(&ada, "telegram").await, Finished::Linked { .. }));
        app.advance(Duration::from_secs(1));
    }
    messenger.changes_access(8, "kicked").await;
    let identities = app.reading().identities().of_user(ada.id).await.unwrap();
    assert_eq!(identities.iter().map(|identity| identity.bot_access).collect::<Vec<_>>(), [true, false]);
}

#[apply(case)]
async fn other_words_and_unknown_links_do_no_harm(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    let unknown = format!("/start {}", "A".repeat(43));
    for text in ["/start", "/start x", unknown.as_str(), "hello", "/start a b"] {
        messenger.writes(7, text).await;
    }
    for data in ["", "x", ":", "a:b", &format!("{}:no", "A".repeat(43))] {
        messenger.taps(7, data).await;
    }
    messenger.update(json!({ "poll": {} })).await.unwrap();
    assert!(messenger.app.reading().users().page(None, 9).await.unwrap().is_empty());
}

/// What the bot said last, and to whom.
fn said(messenger: &Messenger) -> (String, String) {
    let (method, body) = messenger.told().pop().expect("an answer");
    assert_eq!(method, "sendMessage");
    (body["chat_id"].to_string().trim_matches('"').to_owned(), body["text"].as_str().unwrap().to_owned())
}

#[apply(case)]
async fn stop_ends_messages_until_the_next_start(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    let ada = messenger.sign_in(7).await.user.id;
    messenger.told();
    for (text, may_write, answer) in [
        ("/help", true, "/stop"),
        ("/stop", false, "no more messages"),
        ("/stop", false, "no more messages"),
        ("/help", false, "/start"),
        ("/start", true, "127.0.0.1:8080"),
        ("/stop@userd_test_bot", false, "no more messages"),
        ("/start@userd_test_bot", true, "Hello"),
    ] {
        messenger.writes(7, text).await;
        assert_eq!(messenger.may_write(ada).await, may_write, "{text}");
        let (chat, told) = said(&messenger);
        assert!(chat == "7" && told.contains(answer), "{text}: {told}");
    }
    for text in ["/stop@another_bot", "/stop it", "stop", "/STOP", "please /stop", "/help@x"] {
        messenger.writes(7, text).await;
        assert!(messenger.may_write(ada).await && messenger.told().is_empty(), "{text}");
    }
    messenger.writes(8, "/stop").await;
    assert!(messenger.may_write(ada).await, "what others say changes nothing");
    assert_eq!(messenger.app.count_of(ada, EventKind::BotAccessChanged).await, 4);
}

#[apply(case)]
async fn a_stopped_bot_still_signs_in_and_speaks_the_language_of_the_person(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    let ada = messenger.sign_in(7).await.user.id;
    messenger.writes(7, "/stop").await;
    assert_eq!(messenger.sign_in(7).await.user.id, ada);
    messenger.told();
    let mut from = somebody(7);
    from["language_code"] = json!("ru-RU");
    let chat = json!({ "id": 7, "type": "private" });
    let message = json!({ "message_id": 1, "date": 1, "chat": chat, "from": from, "text": "/stop" });
    messenger.update(json!({ "message": message })).await.unwrap();
    assert!(said(&messenger).1.contains("Больше не буду"));
    assert!(!messenger.may_write(ada).await);
}

/// Takes texts only, and remembers them.
#[derive(Default)]
struct Texts(Mutex<Vec<String>>);

#[async_trait::async_trait]
impl UpdateHandler for Texts {
    async fn handle(&self, _: &Context, _: &TelegramBot, update: &Content) -> Result<bool, Failure> {
        let Content::Text { text, .. } = update else { return Ok(false) };
        self.0.lock().unwrap().push(text.clone());
        Ok(true)
    }
}

#[apply(case)]
async fn an_update_goes_to_the_first_handler_that_takes_it(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    let (first, second) = (Arc::new(Texts::default()), Arc::new(Texts::default()));
    let handlers: Vec<Arc<dyn UpdateHandler>> =
        vec![first.clone(), second.clone(), Arc::new(messenger.app.sign_in.clone())];
    let api = BotApi::new(&serve(Arc::clone(&messenger.calls)).await, &token(), HttpOptions::default()).unwrap();
    let bot = TelegramBot { api, username: "userd_test_bot".to_owned(), webhook_secret: Secret::new(SECRET) };
    let updates =
        BotUpdates::new(messenger.app.deps.clone(), messenger.app.changes.clone(), Some(Arc::new(bot)), handlers);
    for (id, text) in [(1, "hello"), (1, "hello"), (2, "/start")] {
        let chat = json!({ "id": 7, "type": "private" });
        let message = json!({ "message_id": 1, "date": 1, "chat": chat, "from": somebody(7), "text": text });
        let update = json!({ "update_id": id, "message": message }).to_string();
        updates.take(&at(&messenger.app, home()), Update::parse(update.as_bytes()).unwrap()).await.unwrap();
    }
    assert_eq!(*first.0.lock().unwrap(), ["hello"], "taken once, however often it comes");
    assert!(second.0.lock().unwrap().is_empty());
    assert_eq!(messenger.told().len(), 1, "what nobody took before is sign-in's: it answers the start");
}

#[apply(case)]
async fn without_a_bot_there_is_no_such_way_in(fixture: Fixture) {
    let telegram = Elsewhere::new("telegram", |facts| facts.kind = Kind::Telegram);
    let app = fixture.app_with(offering(&[&telegram])).await;
    assert_eq!(refusal(app.sign_in.start_bot(&at(&app, home()), None).await), Refusal::NoSuchProvider);
    let update = app.bot.take_webhook(&at(&app, home()), Some(b""), b"{}").await;
    assert_eq!(refusal(update), Refusal::NoSuchProvider);
}

/// Invited to the bot: it is looked at when the sign-in begins, and used up by the tap that makes the account.
#[apply(case)]
async fn a_sign_in_through_the_bot_takes_the_invitation_that_it_began_with(fixture: Fixture) {
    let messenger = Messenger::open_with(&fixture, |settings| settings.registration = RegistrationMode::Invite).await;
    let come = async |who: u64, start: &BotStart| {
        messenger.writes(who, &start.command).await;
        messenger.taps_code(who, start, &start.match_code).await;
        messenger.poll(start).await
    };
    let uninvited = messenger.start().await;
    let closed = Refusal::ProviderRefused("sign_up_closed");
    for _ in 0..2 {
        assert_eq!(refusal(come(7, &uninvited).await), closed, "nobody comes in uninvited, and the browser is told");
    }
    assert_eq!(refusal(messenger.start_with(Some("udl_none")).await), Refusal::InvitationGone);
    let operator = messenger.app.operator_context();
    let invitation = messenger.app.invitations.create(&operator, &NewInvitation::default(), None).await.unwrap();
    let token = invitation.token.as_deref();
    let (start, late) = (messenger.start_with(token).await.unwrap(), messenger.start_with(token).await.unwrap());
    let user = signed_in(come(7, &start).await.unwrap()).user.id;
    assert!(messenger.app.facts_of(user).await[0].data["invitation_id"].is_string());
    assert_eq!(refusal(come(8, &late).await), Refusal::InvitationGone, "one account came of it");
    assert_eq!(messenger.app.reading().users().page(None, 9).await.unwrap().len(), 1);
    assert_eq!(messenger.sign_in(7).await.user.id, user, "whoever has an account needs none");
}

/// Whoever tapped the right code and is not let in does not wait for the end: the browser that began is told why, and nobody else.
#[apply(case)]
async fn the_browser_is_told_why_somebody_is_not_let_in(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    let user = messenger.sign_in(7).await.user.id;
    let operator = messenger.app.operator_context();
    messenger.app.users.block(&operator, user).await.unwrap();
    let start = messenger.start().await;
    messenger.writes(7, &start.command).await;
    assert!(matches!(messenger.poll(&start).await.unwrap(), BotPoll::Pending));
    messenger.told();
    messenger.taps_code(7, &start, &start.match_code).await;
    let told = messenger.told();
    assert!(told[0].1["text"].as_str().unwrap().contains("not let in"), "{told:?}");
    let stranger = messenger.app.sign_in.poll_bot(&at(&messenger.app, home()), &start.attempt, "nonsense").await;
    assert_eq!(refusal(stranger), Refusal::InvalidCode);
    for _ in 0..2 {
        assert_eq!(refusal(messenger.poll(&start).await), Refusal::Blocked, "also where the first answer was lost");
    }
    // The login is over: what would be lawful later needs another one.
    messenger.app.users.unblock(&operator, user).await.unwrap();
    messenger.taps_code(7, &start, &start.match_code).await;
    assert_eq!(refusal(messenger.poll(&start).await), Refusal::Blocked);
    messenger.app.advance(Duration::from_secs(300));
    assert_eq!(refusal(messenger.poll(&start).await), Refusal::InvalidCode);
    assert_eq!(messenger.sign_in(7).await.user.id, user);
}
