//! Requests decided by a button of the bot.

use serde_json::Value;
use userd_model::{RequestState, RequestedAction, RoleRules, Verdict, role::Approvers};
use userd_services::{
    Settings,
    access_requests::{AccessInput, DecisionInput, RequestView},
    testing::TestOptions,
};

use super::messenger::Messenger;
use crate::{
    deliveries::settle,
    fixture::Fixture,
    personas::{Member, acting},
    rights::support::{requestable, wanting},
};

/// Boris (7) and Carol (8) signed in through the messenger and may decide about `editor`; Ada may ask for it.
struct Chat {
    messenger: Messenger,
    ada: Member,
    boris: Member,
    carol: Member,
}

const BORIS: u64 = 7;
const CAROL: u64 = 8;

impl Chat {
    async fn open(fixture: &Fixture, rules: RoleRules) -> Self {
        Self::open_with(fixture, rules, |_| {}).await
    }

    async fn open_with(fixture: &Fixture, rules: RoleRules, change: impl FnOnce(&mut Settings)) -> Self {
        let messenger = Messenger::open_with(fixture, |settings| {
            settings.decide_in_chat = true;
            change(settings);
        })
        .await;
        let app = &messenger.app;
        app.register_permission("cms.write").await;
        let approvers = Approvers { roles: vec!["approver".into()], ..Approvers::default() };
        app.make_role("editor", &["cms.write"], RoleRules { approvers, ..rules }).await;
        let ada = app.member("ada").await;
        let mut approvers = Vec::new();
        for who in [BORIS, CAROL] {
            let signed_in = messenger.sign_in(who).await;
            let member = Member { id: signed_in.user.id, email: String::new(), tokens: signed_in.tokens };
            app.give_role(&member, "approver").await;
            approvers.push(member);
        }
        settle(app).await;
        messenger.told();
        let (Some(carol), Some(boris)) = (approvers.pop(), approvers.pop()) else { unreachable!() };
        Self { messenger, ada, boris, carol }
    }

    async fn ask(&self) -> RequestView {
        let asked = self.messenger.app.ask(&self.ada, wanting("editor")).await.unwrap();
        settle(&self.messenger.app).await;
        asked
    }

    /// What the buttons of the message to `who` carry: approve, decline.
    fn buttons(&self, who: u64) -> Option<(String, String)> {
        let told = self.messenger.told();
        told.iter().rev().filter(|(_, body)| body["chat_id"] == who).find_map(|(_, body)| buttons_of(body))
    }

    async fn state(&self, asked: &RequestView) -> (RequestState, usize) {
        let request = self.messenger.app.request(asked).await;
        (request.state, request.decisions.len())
    }
}

fn buttons_of(body: &Value) -> Option<(String, String)> {
    let row = body["reply_markup"]["inline_keyboard"][0].as_array()?;
    let data = |at: usize| row[at]["callback_data"].as_str().unwrap().to_owned();
    Some((data(0), data(1)))
}

fn in_chat() -> RoleRules {
    RoleRules { decide_in_chat: true, ..requestable() }
}

/// What the bot did: the notice on the button, and the message as it was edited.
fn answered(told: &[(String, Value)]) -> (String, String) {
    let text = |method: &str| {
        let call = told.iter().rfind(|(called, _)| called == method);
        call.map(|(_, body)| body["text"].as_str().unwrap().to_owned()).unwrap_or_default()
    };
    (text("answerCallbackQuery"), text("editMessageText"))
}

#[apply(case)]
async fn a_button_decides_for_whom_it_was_sent_to(fixture: Fixture) {
    let chat = Chat::open(&fixture, in_chat()).await;
    let asked = chat.ask().await;
    let (approve, _) = chat.buttons(BORIS).expect("buttons");
    assert!(approve.len() <= 64, "{approve}");
    chat.messenger.taps(BORIS, &approve).await;
    assert_eq!(chat.state(&asked).await, (RequestState::Approved, 1));
    let request = chat.messenger.app.request(&asked).await;
    assert_eq!((request.decisions[0].by, request.decisions[0].verdict), (Some(chat.boris.id), Verdict::Approve));
    let told = chat.messenger.told();
    let (notice, message) = answered(&told);
    assert_eq!(notice, "Done");
    assert!(message.contains("ada") && message.contains("Approved"), "{message}");
    let (_, edited) = told.iter().find(|(method, _)| method == "editMessageText").unwrap();
    assert_eq!(buttons_of(edited), None, "there is nothing left to press");
    // Pressed once more it changes nothing, and says so.
    chat.messenger.taps(BORIS, &approve.replace("approve", "decline")).await;
    assert_eq!(chat.state(&asked).await, (RequestState::Approved, 1));
    assert!(answered(&chat.messenger.told()).0.contains("changed"));
}

/// What one approver says, or an administrator in the API, is shown to the others: who decided, how many are missing, and what
/// came of it; with nothing to press in the end. (12.3)
#[apply(case)]
async fn every_message_about_a_request_shows_what_became_of_it(fixture: Fixture) {
    let chat = Chat::open(&fixture, RoleRules { quorum: 2, ..in_chat() }).await;
    let app = &chat.messenger.app;
    let asked = chat.ask().await;
    let (approve, _) = chat.buttons(BORIS).expect("buttons");
    chat.messenger.told();
    chat.messenger.taps(BORIS, &approve).await;
    settle(app).await;
    let told = chat.messenger.told();
    assert_eq!(edited(&told, BORIS).len(), 1, "his own, by his button: {told:?}");
    let shown = edited(&told, CAROL);
    let [first] = shown.as_slice() else { panic!("{told:?}") };
    let text = first["text"].as_str().unwrap();
    assert!(text.contains("✅") && text.contains("missing: 1"), "{text}");
    let (_, decline) = buttons_of(first).expect("buttons for the request as it is");
    let carol = acting(app, &app.actor(&chat.carol).await);
    app.access_requests.decide(&carol, asked.request.id, Verdict::Approve, &DecisionInput::default()).await.unwrap();
    settle(app).await;
    let told = chat.messenger.told();
    for who in [BORIS, CAROL] {
        let shown = edited(&told, who);
        let [last] = shown.as_slice() else { panic!("{who}: {told:?}") };
        assert!(last["text"].as_str().unwrap().contains("Approved"), "{last}");
        assert_eq!(buttons_of(last), None, "{who}: there is nothing left to press");
    }
    chat.messenger.taps(CAROL, &decline).await;
    assert_eq!(chat.state(&asked).await, (RequestState::Approved, 2));
    // One that is taken back, and one that was while the message was on its way.
    for is_late in [false, true] {
        let ada = acting(app, &app.actor(&chat.ada).await);
        let removal = AccessInput { action: RequestedAction::Revoke, ..wanting("editor") };
        let asked = app.ask(&chat.ada, removal).await.unwrap();
        if !is_late {
            settle(app).await;
        }
        chat.messenger.told();
        app.access_requests.withdraw(&ada, asked.request.id).await.unwrap();
        settle(app).await;
        let told = chat.messenger.told();
        for who in [BORIS, CAROL] {
            let shown = edited(&told, who);
            let last = shown.last().unwrap_or_else(|| panic!("{who}: {told:?}"));
            assert_eq!(buttons_of(last), None, "{who} {is_late}: {last}");
        }
    }
}

/// What the messages of somebody were replaced by.
fn edited(told: &[(String, Value)], who: u64) -> Vec<Value> {
    let edits = told.iter().filter(|(method, body)| method == "editMessageText" && body["chat_id"] == who);
    edits.map(|(_, body)| body.clone()).collect()
}

/// AC-150
#[apply(case)]
async fn approve_in_chat_by_another_account_twice_or_after_the_state_changed_is_refused(fixture: Fixture) {
    let chat = Chat::open(&fixture, RoleRules { quorum: 2, decline_quorum: 2, ..in_chat() }).await;
    let asked = chat.ask().await;
    let (approve, decline) = chat.buttons(BORIS).expect("buttons");
    // Somebody to whom the message was passed on: no account here, and one that may not decide.
    for stranger in [99, 9] {
        if stranger == 9 {
            chat.messenger.sign_in(9).await;
        }
        chat.messenger.told();
        chat.messenger.taps(stranger, &approve).await;
        let (notice, message) = answered(&chat.messenger.told());
        assert!(notice.contains("cannot decide") && message.is_empty(), "{notice}: {message}");
    }
    assert_eq!(chat.state(&asked).await, (RequestState::Open, 0));
    chat.messenger.taps(BORIS, &approve).await;
    assert_eq!(chat.state(&asked).await, (RequestState::Open, 1));
    assert!(answered(&chat.messenger.told()).1.contains("missing: 1"));
    // The button that Boris saw is about a state that is gone; so is the one that Carol has from before.
    for who in [BORIS, CAROL] {
        for button in [&approve, &decline] {
            chat.messenger.taps(who, button).await;
            assert_eq!(chat.state(&asked).await, (RequestState::Open, 1));
            assert!(answered(&chat.messenger.told()).0.contains("changed"));
        }
    }
    chat.messenger.taps(CAROL, &decline).await;
    let (fresh, _) = chat.buttons(CAROL).expect("the message has new buttons");
    chat.messenger.taps(CAROL, &fresh).await;
    assert_eq!(chat.state(&asked).await, (RequestState::Approved, 2));
    // Rubbish is for nobody.
    for data in [
        "request:approve",
        "request:approve:x:1",
        "request:grant:00:1",
        "request:approve:00000000000000000000000000000000:1:2",
    ] {
        chat.messenger.taps(BORIS, data).await;
    }
    assert_eq!(chat.state(&asked).await, (RequestState::Approved, 2));
}

/// Whether the message of whoever holds a second factor leads to the page of the request: after they have pressed a button, and
/// once others have decided.
async fn is_led(fixture: &Fixture, url: &str, has_pages: bool) -> bool {
    let change = |settings: &mut Settings| {
        settings.sign_in.public_url = url.to_owned();
        settings.has_pages = has_pages;
    };
    let chat = Chat::open_with(fixture, RoleRules { quorum: 2, ..in_chat() }, change).await;
    let app = &chat.messenger.app;
    app.phone_of(&chat.boris).await;
    let asked = chat.ask().await;
    let (approve, _) = chat.buttons(BORIS).expect("buttons");
    chat.messenger.taps(BORIS, &approve).await;
    assert_eq!(chat.state(&asked).await, (RequestState::Open, 0));
    let told = chat.messenger.told();
    assert!(answered(&told).0.contains("second factor"), "{told:?}");
    let carol = acting(app, &app.actor(&chat.carol).await);
    app.access_requests.decide(&carol, asked.request.id, Verdict::Approve, &DecisionInput::default()).await.unwrap();
    settle(app).await;
    let later = chat.messenger.told();
    assert!(edited(&later, BORIS)[0]["text"].as_str().unwrap().contains("missing: 1"), "{later:?}");
    let page = format!("{url}/admin/requests/{}", asked.request.id);
    let leads = |told: &[(String, Value)]| {
        let shown = edited(told, BORIS);
        let [one] = shown.as_slice() else { panic!("{told:?}") };
        let button = &one["reply_markup"]["inline_keyboard"][0][0];
        assert_eq!(button["callback_data"], Value::Null, "nothing that a chat would have to decide: {one}");
        button["url"] == page.as_str()
    };
    assert_eq!(leads(&told), leads(&later));
    leads(&told)
}

/// (12.3)
#[apply(case)]
async fn a_message_leads_whoever_holds_a_second_factor_to_the_page(fixture: Fixture) {
    assert!(is_led(&fixture, "https://id.example.org", true).await);
}

#[apply(case)]
async fn where_there_are_no_pages_no_message_leads_to_one(fixture: Fixture) {
    assert!(!is_led(&fixture, "https://id.example.org", false).await);
}

/// The messenger would refuse the whole message.
#[apply(case)]
async fn no_message_leads_to_an_address_of_this_machine(fixture: Fixture) {
    assert!(!is_led(&fixture, "http://127.0.0.1:8080", true).await);
}

/// What was said by who may decide no more is not shown, and no more counted. (12.2)
#[apply(case)]
async fn a_message_shows_only_what_counts(fixture: Fixture) {
    let chat = Chat::open(&fixture, RoleRules { quorum: 3, ..in_chat() }).await;
    let app = &chat.messenger.app;
    for name in ["dora", "emil"] {
        let member = app.member(name).await;
        app.give_role(&member, "approver").await;
    }
    let asked = chat.ask().await;
    let (approve, _) = chat.buttons(BORIS).expect("buttons");
    chat.messenger.taps(BORIS, &approve).await;
    settle(app).await;
    let (approve, _) = chat.buttons(CAROL).expect("buttons for the request as it is");
    app.users.block(&app.operator_context(), chat.boris.id).await.unwrap();
    chat.messenger.taps(CAROL, &approve).await;
    assert_eq!(chat.state(&asked).await, (RequestState::Open, 1));
    assert!(answered(&chat.messenger.told()).1.contains("missing: 2"));
}

/// Off by default, for the service and for each role; and a second factor cannot be shown in a chat.
#[apply(case)]
async fn what_is_not_decided_in_chats_has_no_buttons_and_takes_none(fixture: Fixture) {
    let chat = Chat::open(&fixture, requestable()).await;
    let asked = chat.ask().await;
    assert_eq!(chat.buttons(BORIS), None, "the role does not allow it");
    let pressed = format!("request:approve:{}:1", asked.request.id.0.simple());
    chat.messenger.taps(BORIS, &pressed).await;
    assert_eq!(chat.state(&asked).await, (RequestState::Open, 0));
    assert!(!TestOptions::default().settings.decide_in_chat);

    let app = &chat.messenger.app;
    let rules = RoleRules {
        approvers: Approvers { users: vec![chat.boris.id, chat.carol.id], ..Approvers::default() },
        ..in_chat()
    };
    app.make_role("reviewer", &[], rules).await;
    app.phone_of(&chat.boris).await;
    let asked = app.ask(&chat.ada, wanting("reviewer")).await.unwrap();
    settle(app).await;
    let (approve, _) = chat.buttons(BORIS).expect("buttons");
    chat.messenger.taps(BORIS, &approve).await;
    assert_eq!(chat.state(&asked).await, (RequestState::Open, 0));
    assert!(answered(&chat.messenger.told()).0.contains("second factor"));
    let carol = acting(app, &app.actor(&chat.carol).await);
    app.access_requests.decide(&carol, asked.request.id, Verdict::Decline, &DecisionInput::default()).await.unwrap();
    assert_eq!(chat.state(&asked).await, (RequestState::Declined, 1));
}
