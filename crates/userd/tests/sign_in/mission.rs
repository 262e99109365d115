//! What userd is for, as one story: an account of a provider, a token, a profile, a notification, a request for a right, two
//! administrators who decide where they are, services that verify offline, an end by itself, and a log that proves it all.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use userd_model::Timestamp;
use userd_stand_ins::{Options, yandex};

use crate::{
    fixture::Fixture,
    providers,
    support::{Caller, Engine, TestApp, Tokens, caller::send, script::Script, until},
    telegram_network::{FakeNetwork, open_with},
};

const SOON: Duration = Duration::from_secs(10);
/// How long the second grant lasts, from when it is asked for.
const A_WHILE: Duration = Duration::from_secs(15);
const NOTHING: [&str; 0] = [];

/// Somebody's account beside what they hold in their hands.
struct Person {
    visitor: Caller,
    tokens: Tokens,
}

impl Person {
    fn acts(&self) -> Caller {
        self.visitor.with(&self.tokens)
    }

    async fn refreshes(&mut self) {
        self.tokens = Tokens::of(&self.visitor.refresh(&self.tokens.refresh).await.expect(200));
    }

    /// What a service reads in the token, in the order of the alphabet.
    fn permissions(&self) -> Vec<String> {
        let claims = self.tokens.access.split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        let words = claims["permissions"].as_array().into_iter().flatten();
        let mut words: Vec<_> = words.map(|word| word.as_str().unwrap().to_owned()).collect();
        words.sort_unstable();
        words
    }

    async fn is_told(&self, what: &str) -> Value {
        let mut found = Value::Null;
        until(what, SOON, async || {
            let inbox = self.acts().get("/v1/me/notifications").await.expect(200);
            let named = |item: &&Value| item["title"].as_str().unwrap().contains(what);
            found = inbox["items"].as_array().unwrap().iter().find(named).cloned().unwrap_or_default();
            !found.is_null()
        })
        .await;
        found
    }

    /// Asks to be an editor. Where the request is.
    async fn asks(&self) -> (Value, String) {
        let ask = json!({ "kind": "role", "name": "editor", "action": "grant", "reason": "I write the news" });
        let asked = self.acts().post("/v1/me/access-requests", ask).await.expect(201);
        let path = format!("/v1/access-requests/{}", asked["id"].as_str().unwrap());
        (asked, path)
    }
}

/// A service that follows `/v1/revocations` and asks nobody else.
async fn offline_verifier(fixture: &Fixture) -> Option<Script> {
    let made = fixture.app.ask(&["clients", "create", "cms", "--permission", "revocations.read"]).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (id, secret) = (text(&made["client"]["id"]), text(&made["client_secret"]));
    Script::start("offline_verifier.py", &[&fixture.base, &fixture.base, "userd", &id, &secret])
}

/// The second administrator presses the first button under the newest message that has one.
async fn approves_in_the_chat(network: &FakeNetwork, person: &str, seen: usize) {
    let with_buttons = || {
        let mut written = network.bot.messages(person).into_iter().skip(seen);
        written.rfind(|message| message.by_bot && !message.buttons.is_empty())
    };
    until("the administrator is told in the chat", SOON, async || with_buttons().is_some()).await;
    let message = with_buttons().unwrap();
    assert!(message.text.contains("Anna"), "{message:?}");
    network.pressed(person, &message.buttons[0][0].1).await;
}

on_each_engine! {
    /// The mission's story, whole. (12)
    async fn the_story_of_a_right_from_sign_up_to_its_proof(app: TestApp) {
        let at = yandex::start(Options::default()).await.unwrap();
        let network = open_with(&app, json!({}), |file| {
            file["providers"].as_array_mut().unwrap().push(providers::yandex(&at));
            file["telegram"]["decide_in_chat"] = true.into();
        })
        .await;
        let (fixture, visitor) = (&network.fixture, network.fixture.visitor());
        let admin = fixture.replica.admin(&fixture.app).await;
        // Another administrator, who is reached in Telegram.
        let maria = fixture.sign_in("telegram", "maria").await;
        fixture.app.ask(&["roles", "grant", maria.user_id(), "admin"]).await;

        // Sign up through a provider, get a token, change the profile, read a notification.
        let mut anna = Person { visitor: visitor.clone(), tokens: fixture.sign_in("yandex", "ivan").await };
        let id = anna.tokens.user_id().to_owned();
        let renamed = anna.acts().request(Method::PATCH, "/v1/me").json(&json!({ "display_name": "Anna", "locale": "en" }));
        send(renamed).await.unwrap().expect(200);
        let news = json!({ "to": { "user_ids": [id] }, "category": "message", "title": "Welcome", "body": "Read it." });
        admin.post("/v1/notifications", news).await.expect(202);
        let welcome = anna.is_told("Welcome").await;
        let read = format!("/v1/me/notifications/{}/read", welcome["id"].as_str().unwrap());
        assert!(anna.acts().poke(&read).await.status < 300);
        assert!(anna.is_told("Welcome").await["read_at"].is_string());

        // Send a request: two administrators have to approve, one in the API and one by the button in the chat.
        let permission = json!({ "name": "cms.articles.write", "description": "Write articles" });
        admin.post("/v1/permissions", permission).await.expect(201);
        let role = json!({ "name": "editor", "permissions": ["cms.articles.write", "users.read"], "requestable": true,
            "approvers": { "roles": ["admin"] }, "quorum": 2, "decide_in_chat": true });
        admin.post("/v1/roles", role).await.expect(201);
        let seen = network.bot.messages("maria").len();
        let (_, path) = anna.asks().await;
        approves_in_the_chat(&network, "maria", seen).await;
        let waits = admin.get(&path).await.expect(200);
        assert_eq!((&waits["state"], waits["decisions"].as_array().unwrap().len()), (&json!("open"), 1), "{waits}");
        let done = admin.post(&format!("{path}/approve"), json!({ "comment": "welcome" })).await.expect(200);
        assert_eq!(done["state"], "approved");
        until("the chat shows the outcome", SOON, async || {
            let shown = network.bot.messages("maria").into_iter().skip(seen);
            let mut about = shown.filter(|message| message.by_bot && message.text.contains("Anna"));
            about.any(|message| message.buttons.is_empty())
        })
        .await;
        anna.is_told("approved").await;

        // The token of before is good, and has no right to it; the next one has; a check answers the new state with either.
        let Some(mut offline) = offline_verifier(fixture).await else { return };
        let check = json!({ "subject": id, "permission": "cms.articles.write" });
        let checked = async || admin.post("/v1/permissions/check", check.clone()).await.expect(200)["reason"].clone();
        assert_eq!(checked().await, "granted");
        assert_eq!(anna.permissions(), NOTHING);
        anna.acts().get("/v1/users").await.refused(403, "forbidden");
        anna.refreshes().await;
        assert_eq!(checked().await, "granted");
        assert_eq!(anna.permissions(), ["cms.articles.write", "users.read"]);
        anna.acts().get("/v1/users").await.expect(200);
        assert_eq!(offline.ask(&anna.tokens.access).await["good"], true);

        // After the revocation the token is refused within a second, also where nobody asks userd about it.
        let path_of_role = format!("/v1/users/{id}/roles/editor");
        send(admin.request(Method::DELETE, &path_of_role)).await.unwrap().expect(204);
        let refused = async |offline: &mut Script, tokens: &Tokens| {
            offline.ask(&tokens.access).await["refused"].is_string()
        };
        until("refused offline", Duration::from_secs(1), async || refused(&mut offline, &anna.tokens).await).await;
        assert_eq!(checked().await, "not_granted");
        anna.refreshes().await;
        assert_eq!(anna.permissions(), NOTHING);

        // Asked for once more, and given for some seconds: it ends by itself, with every token that says it.
        let seen = network.bot.messages("maria").len();
        let (asked, path) = anna.asks().await;
        approves_in_the_chat(&network, "maria", seen).await;
        let now: Timestamp = asked["created_at"].as_str().unwrap().parse().unwrap();
        let end = json!({ "expires_at": now.plus(A_WHILE).to_string() });
        assert_eq!(admin.post(&format!("{path}/approve"), end).await.expect(200)["state"], "approved");
        anna.refreshes().await;
        assert_eq!(checked().await, "granted");
        assert_eq!(anna.permissions(), ["cms.articles.write", "users.read"]);
        assert_eq!(offline.ask(&anna.tokens.access).await["good"], true);
        until("the grant ends", A_WHILE * 2, async || checked().await == "not_granted").await;
        until("its token ends", SOON, async || refused(&mut offline, &anna.tokens).await).await;
        anna.refreshes().await;
        assert_eq!(anna.permissions(), NOTHING);

        // All of it is in the audit log, with who did it, and the log is whole.
        let log = format!("/v1/users/{id}/audit-events?limit=200");
        let mut told = Vec::new();
        until("the log tells the end of it", SOON, async || {
            let page = admin.get(&log).await.expect(200);
            told = page["items"].as_array().unwrap().clone();
            told.iter().filter(|entry| entry["act"] == "access_request.closed").count() == 2
        })
        .await;
        let acts = |act: &str| told.iter().filter(|entry| entry["act"] == act).collect::<Vec<_>>();
        for (act, count) in [
            ("user.registered", 1), ("identity.linked", 1), ("session.started", 1), ("user.changed", 1),
            ("access_request.opened", 2), ("access_request.voted", 4), ("user.role_granted", 2),
        ] {
            assert_eq!(acts(act).len(), count, "{act}: {told:?}");
        }
        assert!(acts("access_request.voted").iter().any(|vote| vote["actor"]["id"] == maria.user_id()), "{told:?}");
        for given in acts("user.role_granted") {
            assert_eq!((&given["data"]["source"], &given["after"]["reason"]), (&json!("request"), &json!("I write the news")));
        }
        assert_eq!(acts("user.role_revoked").last().unwrap()["data"]["reason"], "revoked");
        let verified = fixture.app.ask(&["audit", "verify"]).await;
        assert_eq!((&verified["intact"], &verified["entries"]), (&json!(true), &verified["size"]), "{verified}");
    }
}
