//! The delivery of updates to the webhook: one after the other, again until it answers 2xx, never along a redirect.

use std::{sync::Arc, time::Duration};

use super::chats::Chats;

/// The longest wait before an update is tried again. Telegram waits longer; tests do not.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Delivers until it is aborted.
pub(super) async fn deliver(chats: Arc<Chats>) {
    let Ok(client) = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(10))
        .no_proxy()
        .build()
    else {
        return;
    };
    let mut changes = chats.changes();
    let mut wait = Duration::from_millis(20);
    loop {
        let webhook = chats.webhook();
        let next = if webhook.url.is_empty() { None } else { chats.oldest() };
        let Some(update) = next else {
            if changes.changed().await.is_err() {
                return;
            }
            continue;
        };
        let mut call = client.post(&webhook.url).header("content-type", "application/json").body(update.to_string());
        if let Some(secret) = &webhook.secret {
            call = call.header("x-telegram-bot-api-secret-token", secret);
        }
        let failed = match call.send().await {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("Wrong response from the webhook: {}", answer.status())),
            Err(_) => Some("Connection refused".to_owned()),
        };
        if failed.is_none() {
            chats.taken();
            wait = Duration::from_millis(20);
        } else {
            chats.set_webhook(|webhook| webhook.last_error = failed);
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}
