//! `userd webhooks …`

use userd_model::WebhookId;
use userd_services::{
    Services,
    webhooks::{NewWebhook, WebhookInput},
};

use super::said;
use crate::{
    terminal::{Terminal, table},
    wiring::WiringError,
};

/// `webhooks create`: the secret is shown this once.
pub async fn create(services: &Services, terminal: Terminal, input: WebhookInput) -> Result<(), WiringError> {
    let made = services.webhooks.create(&services.operator_context(), input, None).await;
    show_secret(terminal, &made.map_err(|failure| said(&failure))?);
    Ok(())
}

/// `webhooks rotate-secret`: the old secret signs too for 24 hours.
pub async fn rotate_secret(services: &Services, terminal: Terminal, id: WebhookId) -> Result<(), WiringError> {
    let made = services.webhooks.rotate_secret(&services.operator_context(), id).await;
    show_secret(terminal, &made.map_err(|failure| said(&failure))?);
    Ok(())
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
    services.webhooks.remove(&services.operator_context(), id).await.map_err(|failure| said(&failure))?;
    terminal.answer(&serde_json::json!({ "id": id, "removed": true }), || format!("{id} is removed."));
    Ok(())
}

/// `webhooks test`: an error where the receiver did not take it, for scripts.
pub async fn test(services: &Services, terminal: Terminal, id: WebhookId) -> Result<(), WiringError> {
    let test = services.webhooks.test(&services.operator_context(), id).await.map_err(|failure| said(&failure))?;
    terminal.answer(&test, || match &test.detail {
        None => "The receiver took the event.".to_owned(),
        Some(detail) => format!("{}: {detail}", test.outcome),
    });
    if test.delivered { Ok(()) } else { Err(WiringError::Part("the receiver did not take the event".to_owned())) }
}

fn show_secret(terminal: Terminal, made: &NewWebhook) {
    terminal.answer(made, || {
        format!(
            "webhook id  {}\nsecret      {}\n\nThe secret is shown this once: keep it where the receiver reads it.",
            made.webhook.id, made.secret
        )
    });
}
