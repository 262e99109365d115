//! `kill -9` while notifications are on their way: whoever is to be told is told once in their inbox, and another service
//! at least once, with what it needs to know a copy by.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::{Value, json};
use userd_stand_ins::{
    Options,
    webhook_receiver::{self, WebhookReceiver},
};

use crate::support::{Caller, Engine, TestApp, rounds, until};

const PATIENCE: Duration = Duration::from_secs(120);
/// Webhooks, each called for every message.
const WEBHOOKS: usize = 4;
/// What one process has under way at once: as much may have been sent, and not noted, when it dies.
const IN_FLIGHT: usize = 64;

/// The messages in somebody's inbox, as often as they are there.
async fn told(member: &Caller) -> Vec<String> {
    let mut titles = Vec::new();
    let mut path = "/v1/me/notifications?limit=100".to_owned();
    loop {
        let page = member.get(&path).await.expect(200);
        let items = page["items"].as_array().unwrap().iter();
        titles.extend(items.map(|item| item["title"].as_str().unwrap().to_owned()));
        let Value::String(cursor) = &page["next_cursor"] else { break };
        path = format!("/v1/me/notifications?limit=100&cursor={cursor}");
    }
    titles.retain(|title| title.starts_with("news "));
    titles
}

/// How much is in somebody's inbox: a look that costs a row.
async fn unread(member: &Caller) -> usize {
    let counts = member.get("/v1/me/notifications/unread-count").await.expect(200);
    usize::try_from(counts["unread"].as_u64().unwrap()).unwrap()
}

/// How often each webhook was called for each event.
fn copies(receiver: &WebhookReceiver) -> BTreeMap<(String, String), usize> {
    let mut copies = BTreeMap::new();
    for call in receiver.received() {
        *copies.entry((call.path, call.id)).or_default() += 1;
    }
    copies
}

on_each_engine! {
    /// F12: nothing is lost and nothing comes twice into an inbox, whenever the process dies; whoever takes the lease over
    /// goes on. What was on its way outside comes again, with the id that it had, and no more than was in flight.
    async fn a_process_killed_while_notifications_drain_tells_everybody_once(app: TestApp) {
        // Whoever shares a database waits half a minute for the leases of the dead.
        let (kills, messages) = if app.engine() == Engine::Sqlite { (20, 120) } else { (2, 30) };
        let kills = rounds("USERD_TEST_DRAIN_KILLS", kills);
        let (crowd, messages) = (rounds("USERD_TEST_DRAIN_MEMBERS", 6), rounds("USERD_TEST_DRAIN_MESSAGES", messages));
        // By hand it may be hours; nobody signs in again meanwhile.
        let app = app
            .with("tokens.access_ttl", "1d")
            .with("webhooks.allow_http", "true")
            .with("webhooks.allow_private_addresses", "true");
        // It lives in the process of the test, and so through every kill.
        let receiver = webhook_receiver::start(Options::default()).await.unwrap();
        let mut replica = app.open().await;
        let admin = replica.admin(&app).await;
        for number in 0..WEBHOOKS {
            let webhook = json!({ "url": format!("{}/{number}", receiver.url()), "events": ["notification.sent"] });
            admin.post("/v1/webhooks", webhook).await.expect(201);
        }
        let mut members = Vec::new();
        for _ in 0..crowd {
            members.push(replica.member().await.0);
        }
        let expected: BTreeSet<String> = (0..messages).map(|number| format!("news {number}")).collect();
        for title in &expected {
            let message = json!({ "to": { "all": true }, "category": "message", "title": title, "body": "Read it." });
            admin.post("/v1/notifications", message).await.expect(202);
        }
        // The kills are spread over the whole: one inbox stands for all, and the receiver counts for itself.
        let whole = messages * (crowd + WEBHOOKS);
        let patience = PATIENCE + Duration::from_millis(20) * u32::try_from(whole).unwrap();
        for kill in 0..kills {
            let first = members[0].at(&replica.url);
            until("some progress", patience, async || {
                unread(&first).await * crowd + receiver.count() >= whole * kill / kills
            })
            .await;
            replica.kill().await;
            replica = app.open().await;
        }
        for member in &members {
            let member = member.at(&replica.url);
            until("every message", patience, async || {
                unread(&member).await >= messages && told(&member).await.len() >= messages
            })
            .await;
        }
        // Nothing is left that could still bring a further copy.
        let admin = admin.at(&replica.url);
        until("an empty queue", patience, async || {
            admin.get("/v1/deliveries?status=pending").await.expect(200)["items"].as_array().unwrap().is_empty()
        })
        .await;
        for member in &members {
            let titles = told(&member.at(&replica.url)).await;
            assert_eq!(titles.len(), messages, "once each: {titles:?}");
            assert_eq!(titles.into_iter().collect::<BTreeSet<_>>(), expected);
        }
        let copies = copies(&receiver);
        assert_eq!(copies.len(), messages * WEBHOOKS, "each event at each webhook, under one id");
        let twice = receiver.count() - copies.len();
        println!("{kills} kills, {whole} notifications, {twice} further copies");
        assert!(twice <= kills * IN_FLIGHT, "{twice} further copies after {kills} kills");
    }
}
