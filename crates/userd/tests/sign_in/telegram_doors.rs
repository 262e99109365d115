//! Telegram's doors end to end, beside its sign-in host and its Bot API: OpenID Connect, the widget's page, the bot.
//! Payloads that others sign are in `telegram_payloads`.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use userd_stand_ins::{
    Options, bot_api,
    bot_api::{BotApi, Message},
    telegram,
    telegram::{NonceEcho, Telegram, WidgetAnswer},
};

use crate::{
    browser::{Browser, Page},
    providers::{self, WEBHOOK_SECRET},
    stage::{Stage, as_person},
    support::{Answer, Engine, House, PASSWORD, Tokens, until},
};

struct Town {
    stage: Stage,
    telegram: Telegram,
    bot: BotApi,
}

async fn open(house: &House, doors: Value) -> Town {
    let bot = bot_api::start(Options::default()).await.unwrap();
    let telegram = telegram::start_beside(&bot, Options::default()).await.unwrap();
    let mut entry = providers::telegram(&telegram);
    entry["telegram"] = doors;
    let file = json!({ "providers": [entry], "telegram": providers::bot(&bot.base_url) });
    let stage = Stage::open_with(&Stage::address(house), file).await;
    let set = stage.house.run(&["telegram", "set-webhook"]).await;
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    Town { stage, telegram, bot }
}

/// A sign-in through the bot, as the browser sees it.
struct BotAttempt {
    attempt: String,
    secret: String,
    match_code: String,
}

impl Town {
    async fn start_bot(&self) -> BotAttempt {
        let begun = self.stage.visitor().poke("/v1/auth/telegram/bot/start").await.expect(200);
        let text = |name: &str| begun[name].as_str().unwrap().to_owned();
        assert_eq!(begun["link"], format!("https://t.me/{}?start={}", telegram::BOT_USERNAME, text("attempt")));
        BotAttempt { attempt: text("attempt"), secret: text("secret"), match_code: text("match_code") }
    }

    async fn poll(&self, attempt: &BotAttempt) -> Answer {
        let body = json!({ "attempt": attempt.attempt, "secret": attempt.secret });
        self.stage.visitor().post("/v1/auth/telegram/bot/poll", body).await
    }

    /// The person opens the link; the bot's question.
    async fn asked(&self, person: &str, attempt: &BotAttempt) -> Message {
        let seen = self.bot.messages(person).iter().filter(|message| message.by_bot).count();
        self.bot.press_start(person, Some(&attempt.attempt)).unwrap();
        self.answered(person, seen).await
    }

    async fn answered(&self, person: &str, seen: usize) -> Message {
        let messages = tokio::time::timeout(Duration::from_secs(10), self.bot.bot_messages_after(person, seen)).await;
        messages.unwrap_or_else(|_| panic!("the bot says nothing to {person}")).pop().unwrap()
    }

    /// Waits until the bot has answered a press.
    async fn pressed(&self, person: &str, button: &str) -> String {
        let update = self.bot.press(person, button).unwrap_or_else(|| panic!("there is no button {button}"));
        self.noticed(update).await
    }

    async fn noticed(&self, update: i64) -> String {
        until("the bot answers a press", Duration::from_secs(10), async || {
            self.bot.chats().notice_of(update).is_some()
        })
        .await;
        self.bot.chats().notice_of(update).unwrap()
    }

    /// Waits until an update was delivered and taken: one behind it is answered.
    async fn settled(&self, person: &str) {
        let seen = self.bot.messages(person).iter().filter(|message| message.by_bot).count();
        self.bot.press_start(person, None).unwrap();
        self.answered(person, seen).await;
    }

    async fn forge(&self, secret: Option<&str>, body: &str) -> u16 {
        let request = self.stage.visitor().request(reqwest::Method::POST, "/v1/telegram/webhook");
        let request = request.header("content-type", "application/json").body(body.to_owned());
        let request = match secret {
            Some(secret) => request.header("X-Telegram-Bot-Api-Secret-Token", secret),
            None => request,
        };
        request.send().await.unwrap().status().as_u16()
    }
}

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
    async fn every_door_of_telegram_leads_to_one_user(house: House) {
        let town = open(&house, json!({})).await;
        let (stage, telegram) = (&town.stage, &town.telegram);
        let ivan = stage.sign_in("telegram", "ivan").await;
        let visitor = stage.visitor();
        let widget = json!(telegram.widget_fields("ivan").unwrap());
        let by_widget = visitor.post("/v1/auth/telegram/widget", widget).await.expect(200);
        let init_data = json!({ "init_data": telegram.init_data("ivan").unwrap() });
        let by_app = visitor.post("/v1/auth/telegram/mini-app", init_data).await.expect(200);
        let id_token = json!({ "id_token": telegram.id_token("ivan", None).unwrap() });
        let by_token = visitor.post("/v1/auth/telegram/token", id_token.clone()).await.expect(200);
        let again = visitor.post("/v1/auth/telegram/token", id_token).await;
        assert_eq!(again.refused(401, "provider_refused")["reason"], "replayed");
        let attempt = town.start_bot().await;
        town.asked("ivan", &attempt).await;
        town.pressed("ivan", &attempt.match_code).await;
        let by_bot = town.poll(&attempt).await.expect(200);
        for tokens in [by_widget, by_app, by_token, by_bot] {
            assert_eq!(Tokens::of(&tokens).user_id(), ivan.user_id());
        }
        assert_eq!((stage.users().await, stage.identities(&ivan).await.len()), (1, 1));

        // Whether the nonce comes back is contested: none will do, another will not.
        telegram.turn(|knobs| knobs.nonce = NonceEcho::Absent);
        assert_eq!(stage.sign_in("telegram", "ivan").await.user_id(), ivan.user_id());
        telegram.turn(|knobs| knobs.nonce = NonceEcho::Wrong);
        assert_eq!(stage.sign_in_with(&mut Browser::new(), "telegram", "ivan").await.error(), "nonce_mismatch");
        telegram.turn(|knobs| (knobs.nonce, knobs.other_audience) = (NonceEcho::Present, true));
        assert_eq!(stage.sign_in_with(&mut Browser::new(), "telegram", "ivan").await.error(), "audience_mismatch");
        telegram.turn(|knobs| (knobs.other_audience, knobs.no_numeric_id) = (false, true));
        assert_eq!(stage.sign_in_with(&mut Browser::new(), "telegram", "maria").await.error(), "telegram_id_missing");
        assert_eq!(stage.users().await, 1);
    }

    /// What was unlinked opens nothing any more, by whichever name Telegram calls the person.
    async fn an_unlinked_telegram_opens_nothing(house: House) {
        let town = open(&house, json!({})).await;
        let stage = &town.stage;
        let keeper = stage.visitor().register("keeper@example.net", PASSWORD).await;
        let caller = stage.visitor().with(&keeper);
        // Linked by OpenID Connect, which tells an opaque name beside the number; used by the widget, which does not.
        let mut browser = Browser::new();
        let page = stage.begin_link(&mut browser, &caller, "telegram").await;
        assert_eq!(browser.go(&as_person(page, "ivan")).await.param("linked").as_deref(), Some("telegram"));
        let widget = json!(town.telegram.widget_fields("ivan").unwrap());
        let by_widget = stage.visitor().post("/v1/auth/telegram/widget", widget).await.expect(200);
        assert_eq!(Tokens::of(&by_widget).user_id(), keeper.user_id());
        let linked = stage.identities(&keeper).await;
        caller.delete(&format!("/v1/me/identities/{}", linked[0]["id"].as_str().unwrap())).await.expect(204);
        assert_ne!(stage.sign_in("telegram", "ivan").await.user_id(), keeper.user_id());
    }

    /// The bot's door: the right code signs in once, a wrong one or "not me" ends the attempt, and only the person who
    /// opened the link may answer.
    async fn the_bot_signs_in_who_taps_the_code_that_the_browser_shows(house: House) {
        let town = open(&house, json!({})).await;
        let attempt = town.start_bot().await;
        assert_eq!(town.poll(&attempt).await.expect(202)["status"], "pending");
        let question = town.asked("ivan", &attempt).await;
        assert!(question.protected && question.text.contains("127.0.0.1"), "{question:?}");
        let codes = labels(&question);
        assert!(codes.len() == 3 && codes.contains(&attempt.match_code), "{codes:?}");
        assert_eq!(town.poll(&attempt).await.status, 202, "opening the link alone signs nobody in");

        // Somebody else opens the same link, and somebody else's press carries the right code.
        town.bot.press_start("maria", Some(&attempt.attempt)).unwrap();
        let told = town.answered("maria", 0).await;
        assert!(told.buttons.is_empty(), "{told:?}");
        let maria = town.bot.person("maria").unwrap().number;
        let right = format!("{}:{}", attempt.attempt, attempt.match_code);
        town.bot.deliver(json!({ "callback_query": press(0, maria, &right)["callback_query"] }));
        town.settled("maria").await;
        assert_eq!(town.poll(&attempt).await.status, 202);
        // Neither the secret of another attempt nor none reads the answer.
        let other = town.start_bot().await;
        let stolen =
            BotAttempt { secret: other.secret.clone(), attempt: attempt.attempt.clone(), match_code: String::new() };
        town.poll(&stolen).await.refused(422, "invalid_code");

        town.pressed("ivan", &attempt.match_code).await;
        let mut racing = JoinSet::new();
        for _ in 0..64 {
            let (visitor, body) =
                (town.stage.visitor(), json!({ "attempt": attempt.attempt, "secret": attempt.secret }));
            racing.spawn(async move { visitor.post("/v1/auth/telegram/bot/poll", body).await.status });
        }
        let statuses = racing.join_all().await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 422 | 503)), "{statuses:?}");

        // A wrong tap, and a way out, each end the attempt for good.
        for wrong in ["another code", "not me"] {
            let attempt = town.start_bot().await;
            let question = town.asked("ivan", &attempt).await;
            let button = match wrong {
                "not me" => question.buttons[1][0].0.clone(),
                _ => labels(&question).into_iter().find(|label| *label != attempt.match_code).unwrap(),
            };
            town.pressed("ivan", &button).await;
            town.poll(&attempt).await.refused(422, "invalid_code");
            // The right one comes too late.
            town.pressed("ivan", &attempt.match_code).await;
            town.poll(&attempt).await.refused(422, "invalid_code");
        }
        assert_eq!(town.stage.users().await, 1);
    }

    /// AC-069: updates that somebody makes up, from groups, from bots, forwarded, and twice.
    async fn a_forged_update_moves_nothing(house: House) {
        let town = open(&house, json!({})).await;
        let attempt = town.start_bot().await;
        town.asked("ivan", &attempt).await;
        let ivan = town.bot.person("ivan").unwrap().number;
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
            assert_eq!(town.forge(secret, &forged).await, 401, "{secret:?}");
        }
        assert_eq!(town.poll(&attempt).await.status, 202, "nothing has moved");
        for nonsense in
            ["", "[]", "{}", "{\"update_id\":1", "{\"update_id\":\"1\"}", "{\"update_id\":1,\"update_id\":2}"]
        {
            assert_eq!(town.forge(Some(WEBHOOK_SECRET), nonsense).await, 400, "{nonsense}");
        }

        // Genuine deliveries of what is no press of this person in a private chat.
        let mut group = press(900_002, ivan, &right);
        group["callback_query"]["message"]["chat"] = json!({ "id": -5, "type": "group" });
        let mut by_bot = press(900_003, ivan, &right);
        by_bot["callback_query"]["from"]["is_bot"] = true.into();
        let other = town.start_bot().await;
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
        let seen = town.bot.messages("ivan").len();
        for update in [group, by_bot, forwarded, edited, channel] {
            assert_eq!(town.forge(Some(WEBHOOK_SECRET), &update.to_string()).await, 200, "{update}");
        }
        assert_eq!(town.bot.messages("ivan").len(), seen);
        assert_eq!(town.poll(&attempt).await.status, 202);
        assert_eq!(town.poll(&other).await.status, 202);

        // The same delivery twice counts once: the second does not spoil what the first did.
        let first = press(900_007, ivan, &right).to_string();
        assert_eq!(town.forge(Some(WEBHOOK_SECRET), &first).await, 200);
        assert_eq!(town.forge(Some(WEBHOOK_SECRET), &first).await, 200);
        town.poll(&attempt).await.expect(200);
        town.poll(&attempt).await.refused(422, "invalid_code");
    }

    /// AC-052: the widget's answer comes with our state to the browser that began, in the query or in the fragment,
    /// which our page reads; in another browser, without the state, or a second time it is refused.
    async fn the_widgets_page_is_bound_to_the_browser(house: House) {
        let town = open(&house, json!({ "start": "widget" })).await;
        let stage = &town.stage;
        town.telegram.turn(|knobs| knobs.widget = WidgetAnswer::Query);
        let mut browser = Browser::new();
        let back = answered(stage, &mut browser, "ivan").await;
        let reason = |page: &Page| page.param("error").unwrap();
        assert_eq!(
            reason(&Browser::new().go(&answered(stage, &mut Browser::new(), "zoe").await).await),
            "browser_mismatch"
        );
        let without_state: String = {
            let url = url::Url::parse(&back).unwrap();
            let mut bare = url.clone();
            let pairs: Vec<_> = url.query_pairs().into_owned().filter(|(name, _)| name != "state").collect();
            bare.query_pairs_mut().clear().extend_pairs(pairs);
            bare.into()
        };
        assert_eq!(reason(&browser.another_tab().go(&without_state).await), "state_missing");
        stage.exchange(&browser.another_tab().go(&back).await, None).await;
        assert_eq!(reason(&browser.another_tab().go(&back).await), "state_unknown");

        // In the fragment, as the full page answers: no server sees it, so our page posts it.
        town.telegram.turn(|knobs| knobs.widget = WidgetAnswer::Fragment);
        let mut browser = Browser::new();
        let back = answered(stage, &mut browser, "maria").await;
        let page = browser.go(&back).await;
        assert_eq!(page.status, 200, "{}", page.url);
        assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"), "{:?}", page.headers);
        assert!(page.headers["content-security-policy"].to_str().unwrap().contains("script-src 'self'"));
        assert!(!page.text.contains("<script>"), "no script in the page itself");
        let result =
            url::Url::parse(&back).unwrap().fragment().unwrap().strip_prefix("tgAuthResult=").unwrap().to_owned();
        let state = page.param("state").unwrap();
        let callback = page.url.as_str().split('?').next().unwrap().to_owned();
        let fields = [("state", state.as_str()), ("tgAuthResult", result.as_str())];
        let landed = Browser::new().post(&callback, &fields).await;
        assert_eq!(landed.location().unwrap().query(), Some("error=browser_mismatch"));

        let mut browser = Browser::new();
        let back = answered(stage, &mut browser, "oleg").await;
        let page = browser.go(&back).await;
        let result =
            url::Url::parse(&back).unwrap().fragment().unwrap().strip_prefix("tgAuthResult=").unwrap().to_owned();
        let state = page.param("state").unwrap();
        let landed = browser.post(&callback, &[("state", &state), ("tgAuthResult", &result)]).await;
        let landed = browser.follow(landed).await;
        let oleg = stage.exchange(&landed, None).await;
        assert_eq!(stage.me(&oleg).await["display_name"], "Oleg Example");
        assert_eq!(stage.users().await, 2, "ivan and oleg");
        // Who declined comes back with `false`; the page says so.
        let mut browser = Browser::new();
        let start = stage.begin(&mut browser, "telegram", None).await;
        let page = browser.go(&as_person(start, "deny")).await;
        assert_eq!(page.status, 200);
        let state = page.param("state").unwrap();
        let landed = browser.post(&callback, &[("state", &state), ("error", "access_denied")]).await;
        assert_eq!(browser.follow(landed).await.error(), "access_denied");
    }
}

/// The callback's address with what Telegram's page answered, not opened yet.
async fn answered(stage: &Stage, browser: &mut Browser, person: &str) -> String {
    let page = stage.begin(browser, "telegram", None).await;
    browser.get(&as_person(page, person)).await.location().unwrap().into()
}
