//! The bot with a Mini App of `examples/telegram-bot`, beside the service and a Bot API of our own: aiogram asks for its
//! updates there. Deliberately absent: the app's page, whose calls the test makes; Telegram's script is not at hand.

use std::{path::PathBuf, process::Stdio, time::Duration};

use serde_json::json;
use tokio::process::Command;
use userd_stand_ins::{Options, bot_api, telegram};

use crate::{
    clients::python,
    fixture::Fixture,
    providers,
    support::{Caller, Engine, TestApp, servers::free_port, until},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_bot_answers_and_whoever_opens_its_mini_app_is_signed_in_and_told_of_the_order() {
    let Some(python) = python() else { return };
    let bot = bot_api::start(Options::default()).await.unwrap();
    let telegram = telegram::start_beside(&bot, Options::default()).await.unwrap();
    let shop = format!("http://127.0.0.1:{}", free_port());
    // As its README has it.
    let file = json!({
        "providers": [providers::telegram(&telegram)],
        "telegram": providers::bot(&bot.base_url),
        "http": { "cors_origins": [shop] },
    });
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let fixture = Fixture::open_with(&Fixture::address(&app), file).await;
    let permissions = ["--permission", "revocations.read", "--permission", "notifications.send"];
    let made = fixture.app.ask(&[&["clients", "create", "shop"], &permissions[..]].concat()).await;
    let examples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/telegram-bot");
    let clients = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../clients/python/src");
    let _running = Command::new(python)
        .arg(examples.join("bot.py"))
        .env("PYTHONPATH", clients)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("USERD", &fixture.base)
        .env("USERD_CLIENT_ID", made["client"]["id"].as_str().unwrap())
        .env("USERD_CLIENT_SECRET", made["client_secret"].as_str().unwrap())
        .env("BOT_TOKEN", telegram::BOT_TOKEN)
        .env("BOT_API", &bot.base_url)
        .env("APP_URL", "https://shop.example.org/")
        .env("PORT", shop.rsplit_once(':').unwrap().1)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();

    bot.press_start("ivan", None).unwrap();
    let waited = tokio::time::timeout(Duration::from_secs(60), bot.bot_messages_after("ivan", 0)).await;
    let greeting = waited.expect("the bot does not answer").remove(0);
    assert_eq!(greeting.text, "Open the shop:");
    assert_eq!(greeting.buttons, [[("Orders".to_owned(), "https://shop.example.org/".to_owned())]]);

    // What the app's page does.
    let page = Caller::new(&shop);
    assert_eq!(page.get("/").await.status, 200);
    assert_eq!(page.get("/settings.json").await.expect(200)["userd"], fixture.base.as_str());
    assert_eq!(page.get("/orders").await.status, 401);
    let body = json!({ "init_data": telegram.init_data("ivan").unwrap() });
    let sign_in = fixture.visitor().request(reqwest::Method::POST, "/v1/auth/telegram/mini-app");
    let signed_in = sign_in.header("origin", &shop).json(&body).send().await.unwrap();
    assert_eq!(signed_in.headers()["access-control-allow-origin"], shop.as_str());
    let tokens: serde_json::Value = signed_in.json().await.unwrap();
    let ivan = page.bearing(tokens["access_token"].as_str().unwrap());
    assert_eq!(ivan.get("/orders").await.expect(200), json!([]));
    assert_eq!(ivan.post("/orders", json!({ "what": "tea" })).await.expect(201), json!(["tea"]));

    // userd tells it in the bot's chat.
    until("the order is told in the chat", Duration::from_secs(20), async || {
        bot.messages("ivan").iter().any(|message| message.by_bot && message.text.contains("tea"))
    })
    .await;
}
