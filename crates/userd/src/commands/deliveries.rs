//! `userd deliveries …`

use serde_json::json;
use userd_model::{DeliveryId, DeliveryState};
use userd_services::{Failure, Services, deliveries::DeliveryView};

use super::{said, said_of};
use crate::{
    cli::DeliveriesCommand,
    terminal::{Terminal, table},
    wiring::WiringError,
};

/// Lists, shows, retries, sends once more or gives up.
pub async fn deliveries(
    services: &Services,
    terminal: Terminal,
    command: DeliveriesCommand,
) -> Result<(), WiringError> {
    let (ctx, deliveries) = (services.operator_context(), &services.deliveries);
    match command {
        DeliveriesCommand::List { status, limit } => {
            let wrong =
                || WiringError::Config(format!("{status}: expected pending, delivered, dead, expired or dropped"));
            let state = DeliveryState::parse(&status).ok_or_else(wrong)?;
            let page = deliveries.list(&ctx, state, None, limit as usize).await.map_err(|failure| said(&failure))?;
            let items: Vec<_> = page.items.iter().map(json).collect();
            terminal.answer(&items, || {
                if items.is_empty() {
                    return format!("no message is {status}.");
                }
                let more = if page.next.is_some() { "\n\nThere are more: --limit shows up to 1000." } else { "" };
                table(
                    &["ID", "CHANNEL", "CREATED", "TRIED", "LAST ERROR"],
                    &page.items.iter().map(row).collect::<Vec<_>>(),
                ) + more
            });
        }
        DeliveriesCommand::Show { id } => {
            let found = deliveries.find(&ctx, parse(&id)?).await.map_err(|failure| said_of_one(&failure, &id))?;
            show(terminal, &found);
        }
        DeliveriesCommand::Retry { id } => {
            let retried = deliveries.retry(&ctx, parse(&id)?).await.map_err(|failure| said_of_one(&failure, &id))?;
            show(terminal, &retried);
        }
        DeliveriesCommand::Resend { id } => {
            let resent = deliveries.resend(&ctx, parse(&id)?).await.map_err(|failure| said_of_one(&failure, &id))?;
            show(terminal, &resent);
        }
        DeliveriesCommand::Drop { id } => {
            let dropped = deliveries.give_up(&ctx, parse(&id)?).await.map_err(|failure| said_of_one(&failure, &id))?;
            show(terminal, &dropped);
        }
    }
    Ok(())
}

fn parse(id: &str) -> Result<DeliveryId, WiringError> {
    id.parse().map_err(|_| WiringError::Config(format!("{id} is no id; `userd deliveries list` shows them")))
}

fn said_of_one(failure: &Failure, id: &str) -> WiringError {
    said_of(failure, &format!("message {id}"), "deliveries list")
}

fn show(terminal: Terminal, delivery: &DeliveryView) {
    terminal.answer(&json(delivery), || {
        let due = delivery.due_at.map(|at| format!(", due {at}")).unwrap_or_default();
        let error = delivery.last_error.as_deref().unwrap_or("none");
        format!(
            "{} by {} is {}{due}\ntried {} times; last error: {error}",
            delivery.id,
            delivery.channel.as_str(),
            delivery.state.as_str(),
            delivery.attempts
        )
    });
}

fn row(delivery: &DeliveryView) -> Vec<String> {
    vec![
        delivery.id.to_string(),
        delivery.channel.as_str().to_owned(),
        delivery.created_at.to_string(),
        delivery.attempts.to_string(),
        delivery.last_error.clone().unwrap_or_default(),
    ]
}

fn json(delivery: &DeliveryView) -> serde_json::Value {
    json!({
        "id": delivery.id,
        "channel": delivery.channel.as_str(),
        "status": delivery.state.as_str(),
        "user_id": delivery.user_id,
        "webhook_id": delivery.webhook_id,
        "attempts": delivery.attempts,
        "last_error": delivery.last_error,
        "created_at": delivery.created_at,
        "due_at": delivery.due_at,
        "finished_at": delivery.finished_at,
    })
}
