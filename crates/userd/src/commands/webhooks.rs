//! `userd webhooks …`

use userd_model::{Refusal, Timestamp, WebhookId};
use userd_services::{
    Failure, Services,
    deliveries::ResendRange,
    webhooks::{NewWebhook, WebhookInput},
};

use super::{said, said_of};
use crate::{
    terminal::{Terminal, table},
    wiring::WiringError,
};

/// `webhooks create`: the secret is shown this once.
pub async fn create(services: &Services, terminal: Terminal, input: WebhookInput) -> Result<(), WiringError> {
    let made = services.webhooks.create(&services.operator_context(), input, None).await;
    show_secret(terminal, &made.map_err(|failure| said(&failure))?)
}

/// `webhooks rotate-secret`: the old secret signs too for 24 hours.
pub async fn rotate_secret(
    services: &Services,
    terminal: Terminal,
    id: WebhookId,
    signature: Option<&str>,
) -> Result<(), WiringError> {
    let made = services.webhooks.rotate_secret(&services.operator_context(), id, signature, None).await;
    show_secret(terminal, &made.map_err(|failure| said_of_one(&failure, id))?)
}

/// `webhooks list`.
pub async fn list(services: &Services, terminal: Terminal) -> Result<(), WiringError> {
    let webhooks = services.webhooks.list(&services.operator_context()).await.map_err(|failure| said(&failure))?;
    terminal.answer(&webhooks, || {
        let row = |webhook: &userd_services::webhooks::WebhookView| {
            let state = match (webhook.disabled_reason, webhook.failing_since) {
                (Some(reason), _) => format!("off ({reason})"),
                (None, Some(since)) => format!("failing since {since}"),
                (None, None) => "on".to_owned(),
            };
            vec![webhook.id.to_string(), state, webhook.events.join(","), webhook.url.clone()]
        };
        table(&["WEBHOOK ID", "STATE", "EVENTS", "URL"], &webhooks.iter().map(row).collect::<Vec<_>>())
    });
    Ok(())
}

/// `webhooks remove`.
pub async fn remove(services: &Services, terminal: Terminal, id: WebhookId) -> Result<(), WiringError> {
    let removed = services.webhooks.remove(&services.operator_context(), id).await;
    removed.map_err(|failure| said_of_one(&failure, id))?;
    terminal.answer(&serde_json::json!({ "id": id, "removed": true }), || format!("{id} is removed."));
    Ok(())
}

/// `webhooks test`: an error where the receiver did not take it, for scripts.
pub async fn test(services: &Services, terminal: Terminal, id: WebhookId) -> Result<(), WiringError> {
    let test = services.webhooks.test(&services.operator_context(), id).await;
    let test = test.map_err(|failure| said_of_one(&failure, id))?;
    terminal.answer(&test, || match &test.detail {
        None => "The receiver took the event.".to_owned(),
        Some(detail) => format!("{}: {detail}", test.outcome),
    });
    if test.delivered { Ok(()) } else { Err(WiringError::Answered("the receiver did not take the event".to_owned())) }
}

/// `webhooks resend`: request after request, until the range is through. The service that runs sends it.
pub async fn resend(
    services: &Services,
    terminal: Terminal,
    id: WebhookId,
    (from, to): (&str, Option<&str>),
) -> Result<(), WiringError> {
    let time = |text: &str| -> Result<Timestamp, WiringError> {
        text.parse().map_err(|_| WiringError::Config(format!("{text} is no time such as 2026-12-31T09:00:00Z")))
    };
    let context = services.operator_context();
    // Fixed before the first request: what happens meanwhile is told anyway.
    let to = to.map_or(Ok(context.now), time)?;
    let (mut range, mut all) = (ResendRange { from: time(from)?, to: Some(to), after: None }, 0);
    loop {
        let resent = match services.deliveries.resend_events(&context, id, &range).await {
            Err(Failure::Refused(Refusal::TooManyAttempts(wait))) => {
                tokio::time::sleep(wait).await;
                continue;
            }
            resent => resent.map_err(|failure| said_of_one(&failure, id))?,
        };
        all += resent.scheduled;
        range.after = resent.next;
        if range.after.is_none() {
            break;
        }
    }
    terminal.answer(&serde_json::json!({ "id": id, "scheduled": all }), || format!("{all} events are on their way."));
    Ok(())
}

fn said_of_one(failure: &Failure, id: WebhookId) -> WiringError {
    said_of(failure, &format!("webhook {id}"), "webhooks list")
}

fn show_secret(terminal: Terminal, made: &NewWebhook) -> Result<(), WiringError> {
    let id = made.webhook.id;
    let Some(secret) = &made.secret else {
        let key = made.webhook.public_key.as_deref().unwrap_or_default();
        terminal.answer(made, || format!("webhook id  {id}\npublic key  {key}"));
        return Ok(());
    };
    let words = || {
        format!(
            "webhook id  {id}\nsecret      {secret}\n\nThe secret is shown this once: keep it where the receiver reads it."
        )
    };
    let again = format!("`userd webhooks rotate-secret {id}` makes another");
    terminal.answer_secret(made, words, &again).map_err(WiringError::Answered)
}
