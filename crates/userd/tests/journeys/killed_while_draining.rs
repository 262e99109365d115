//! `kill -9` while notifications are on their way: whoever is to be told is told once.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::support::{Caller, Engine, TestApp, rounds, until};

const PATIENCE: Duration = Duration::from_secs(120);

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

on_each_engine! {
    /// F12: nothing is lost and nothing comes twice, whenever the process dies; whoever takes the lease over goes on.
    async fn a_process_killed_while_notifications_drain_tells_everybody_once(app: TestApp) {
        // Whoever shares a database waits half a minute for the leases of the dead.
        let (kills, messages) = if app.engine() == Engine::Sqlite { (20, 120) } else { (2, 30) };
        let kills = rounds("USERD_TEST_DRAIN_KILLS", kills);
        let (crowd, messages) = (rounds("USERD_TEST_DRAIN_MEMBERS", 6), rounds("USERD_TEST_DRAIN_MESSAGES", messages));
        let mut replica = app.open().await;
        let admin = replica.admin(&app).await;
        let mut members = Vec::new();
        for _ in 0..crowd {
            members.push(replica.member().await.0);
        }
        let expected: BTreeSet<String> = (0..messages).map(|number| format!("news {number}")).collect();
        for title in &expected {
            let message = json!({ "to": { "all": true }, "category": "message", "title": title, "body": "Read it." });
            admin.post("/v1/notifications", message).await.expect(202);
        }
        let mut before = 0;
        for _ in 0..kills {
            let first = members[0].at(&replica.url);
            until("some progress", PATIENCE, async || {
                let count = told(&first).await.len();
                count > before || count == messages
            })
            .await;
            replica.kill().await;
            replica = app.open().await;
            before = told(&members[0].at(&replica.url)).await.len();
        }
        for member in &members {
            let member = member.at(&replica.url);
            until("every message", PATIENCE, async || told(&member).await.len() >= messages).await;
        }
        // Nothing is left that could still bring a second copy.
        let admin = admin.at(&replica.url);
        until("an empty queue", PATIENCE, async || {
            admin.get("/v1/deliveries?status=pending").await.expect(200)["items"].as_array().unwrap().is_empty()
        })
        .await;
        for member in &members {
            let titles = told(&member.at(&replica.url)).await;
            assert_eq!(titles.len(), messages, "once each: {titles:?}");
            assert_eq!(titles.into_iter().collect::<BTreeSet<_>>(), expected);
        }
    }
}
