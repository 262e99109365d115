//! Sign-in through Telegram's bot: the link, the question in the chat, the code that the browser shows; and updates that
//! somebody made up.

use serde_json::{Value, json};
use tokio::task::JoinSet;
use userd_stand_ins::{bot_api::Message, telegram};

use crate::{
    providers::WEBHOOK_SECRET,
    support::{Engine, TestApp},
    telegram_network::{BotLogin, open},
};

/// The press of a button as an update: by whom, on what.
fn press(id: i64, number: u64, data: &str) -> Value {
    json!({ "update_id": id, "callback_query": {
        "id": id.to_string(), "from": { "id": number, "is_bot": false, "first_name": "X" }, "data": data, "chat_instance": "1",
        "message": { "message_id": 1, "date": 1, "chat": { "id": number, "type": "private" } },
    } })
}

fn labels(question: &Message) -> Vec<String> {
    question.buttons[0].iter().map(|(label, _)| label.clone()).collect()
}

on_each_engine! {
    /// The right code signs in once, a wrong one or "not me" ends the login, and only the person who
    /// opened the link may answer.
    async fn the_bot_signs_in_who_taps_the_code_that_the_browser_shows(app: TestApp) {
        let network = open(&app, json!({})).await;
        let attempt = network.start_bot().await;
        assert_eq!(network.poll(&attempt).await.expect(202)["status"], "pending");
        let question = network.asked("ivan", &attempt).await;
        assert!(question.protected && question.text.contains("127.0.0.1"), "{question:?}");
        // What the browser calls itself is text, not markup.
        let named = network.fixture.visitor().request(reqwest::Method::POST, "/v1/auth/telegram/bot/start");
        let named =
            named.header("user-agent", "<a href='https://evil.test'>Press here</a> & more").send().await.unwrap();
        let named: Value = named.json().await.unwrap();
        let text = |name: &str| named[name].as_str().unwrap().to_owned();
        let hostile = BotLogin { attempt: text("attempt"), secret: text("secret"), match_code: text("match_code") };
        let asked = network.asked("zoe", &hostile).await;
        assert!(!asked.text.contains("<a href") && asked.text.contains("&lt;a href"), "{asked:?}");

        let codes = labels(&question);
        assert!(codes.len() == 3 && codes.contains(&attempt.match_code), "{codes:?}");
        assert_eq!(network.poll(&attempt).await.status, 202, "opening the link alone signs nobody in");

        // Somebody else opens the same link, and somebody else's press carries the right code.
        network.bot.press_start("maria", Some(&attempt.attempt)).unwrap();
        let told = network.answered("maria", 0).await;
        assert!(told.buttons.is_empty(), "{told:?}");
        let maria = network.bot.person("maria").unwrap().number;
        let right = format!("{}:{}", attempt.attempt, attempt.match_code);
        network.bot.deliver(json!({ "callback_query": press(0, maria, &right)["callback_query"] }));
        network.settled("maria").await;
        assert_eq!(network.poll(&attempt).await.status, 202);
        // Neither the secret of another attempt nor none reads the answer.
        let other = network.start_bot().await;
        let stolen =
            BotLogin { secret: other.secret.clone(), attempt: attempt.attempt.clone(), match_code: String::new() };
        network.poll(&stolen).await.refused(422, "invalid_code");

        network.pressed("ivan", &attempt.match_code).await;
        let mut racing = JoinSet::new();
        for _ in 0..64 {
            let (visitor, body) =
                (network.fixture.visitor(), json!({ "attempt": attempt.attempt, "secret": attempt.secret }));
            racing.spawn(async move { visitor.post("/v1/auth/telegram/bot/poll", body).await.status });
        }
        let statuses = racing.join_all().await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 422 | 503)), "{statuses:?}");

        // A wrong tap, and a way out, each end the attempt for good.
        for wrong in ["another code", "not me"] {
            let attempt = network.start_bot().await;
            let question = network.asked("ivan", &attempt).await;
            let button = match wrong {
                "not me" => question.buttons[1][0].0.clone(),
                _ => labels(&question).into_iter().find(|label| *label != attempt.match_code).unwrap(),
            };
            network.pressed("ivan", &button).await;
            network.poll(&attempt).await.refused(422, "invalid_code");
            // The right one comes too late.
            network.pressed("ivan", &attempt.match_code).await;
            network.poll(&attempt).await.refused(422, "invalid_code");
        }
        assert_eq!(network.fixture.users().await, 1);
    }

    /// AC-069: updates that somebody makes up, from groups, from bots, forwarded, and twice.
    async fn a_forged_update_moves_nothing(app: TestApp) {
        let network = open(&app, json!({})).await;
        let attempt = network.start_bot().await;
        network.asked("ivan", &attempt).await;
        let ivan = network.bot.person("ivan").unwrap().number;
        let right = format!("{}:{}", attempt.attempt, attempt.match_code);
        let forged = press(900_001, ivan, &right).to_string();
        let long = "x".repeat(300);
        let upper = WEBHOOK_SECRET.to_uppercase();
        for secret in [
            None,
            Some(""),
            Some("wrong"),
            Some(&WEBHOOK_SECRET[1..]),
            Some(upper.as_str()),
            Some(long.as_str()),
            Some(telegram::BOT_TOKEN),
        ] {
            assert_eq!(network.forge(secret, &forged).await, 401, "{secret:?}");
        }
        assert_eq!(network.poll(&attempt).await.status, 202, "nothing has moved");
        for nonsense in
            ["", "[]", "{}", "{\"update_id\":1", "{\"update_id\":\"1\"}", "{\"update_id\":1,\"update_id\":2}"]
        {
            assert_eq!(network.forge(Some(WEBHOOK_SECRET), nonsense).await, 400, "{nonsense}");
        }

        // Genuine deliveries of what is no press of this person in a private chat.
        let mut group = press(900_002, ivan, &right);
        group["callback_query"]["message"]["chat"] = json!({ "id": -5, "type": "group" });
        let mut by_bot = press(900_003, ivan, &right);
        by_bot["callback_query"]["from"]["is_bot"] = true.into();
        let other = network.start_bot().await;
        let text = format!("/start {}", other.attempt);
        let message = |extra: Value| {
            let mut message = json!({ "message_id": 5, "date": 1, "text": text, "chat": { "id": ivan, "type": "private" },
                "from": { "id": ivan, "is_bot": false, "first_name": "X" } });
            message.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            message
        };
        let forwarded =
            json!({ "update_id": 900_004, "message": message(json!({ "forward_origin": { "type": "user" } })) });
        let edited = json!({ "update_id": 900_005, "edited_message": message(json!({})) });
        let channel = json!({ "update_id": 900_006, "channel_post": message(json!({})) });
        let seen = network.bot.messages("ivan").len();
        for update in [group, by_bot, forwarded, edited, channel] {
            assert_eq!(network.forge(Some(WEBHOOK_SECRET), &update.to_string()).await, 200, "{update}");
        }
        assert_eq!(network.bot.messages("ivan").len(), seen);
        assert_eq!(network.poll(&attempt).await.status, 202);
        assert_eq!(network.poll(&other).await.status, 202);

        // The same delivery twice counts once: the second does not spoil what the first did.
        let first = press(900_007, ivan, &right).to_string();
        assert_eq!(network.forge(Some(WEBHOOK_SECRET), &first).await, 200);
        assert_eq!(network.forge(Some(WEBHOOK_SECRET), &first).await, 200);
        network.poll(&attempt).await.expect(200);
        network.poll(&attempt).await.refused(422, "invalid_code");
    }
}
