//! `userd notifications …`: what is sent to users.

use serde_json::json;
use userd_model::{
    Refusal, UserId,
    message::{Audience, EachLanguage, MessageInput, MessageText},
};
use userd_services::{Failure, Services, messages::MessageView};

use super::said;
use crate::{
    cli::{NotificationsCommand, SendArgs},
    terminal::{Terminal, table},
    wiring::WiringError,
};

/// Sends, or shows what became of it.
pub async fn notifications(
    services: &Services,
    terminal: Terminal,
    command: NotificationsCommand,
) -> Result<(), WiringError> {
    let ctx = services.operator_context();
    let view = match command {
        NotificationsCommand::Send(args) => {
            services.messages.send(&ctx, input(*args)?, None).await.map_err(|failure| said(&failure))?
        }
        NotificationsCommand::Show { id } => match services.messages.read(&ctx, id).await {
            Err(Failure::Refused(Refusal::NotFound)) => {
                let what = format!("there is no notification {id}; `userd notifications send` says the id of each");
                return Err(WiringError::Part(what));
            }
            read => read.map_err(|failure| said(&failure))?,
        },
    };
    show(terminal, &view);
    Ok(())
}

fn input(args: SendArgs) -> Result<MessageInput, WiringError> {
    let SendArgs { users, role, all: _, category, title, title_ru, body, body_ru, .. } = args;
    let text = |en: String, ru: Option<String>| match ru {
        Some(ru) => MessageText::Each(EachLanguage { ru, en }),
        None => MessageText::One(en),
    };
    let time = |text: Option<String>| {
        let parse = |text: String| {
            text.parse().map_err(|_| WiringError::Config(format!("{text} is no time such as 2026-12-31T09:00:00Z")))
        };
        text.map(parse).transpose()
    };
    Ok(MessageInput {
        to: match role {
            Some(role) => Audience::Role(role),
            None if users.is_empty() => Audience::All,
            None => Audience::Users(users.into_iter().collect::<Vec<UserId>>()),
        },
        category,
        title: text(title, title_ru),
        body: text(body, body_ru),
        data: None,
        action_url: args.action_url,
        channels: Some(args.channels).filter(|channels| !channels.is_empty()),
        not_before: time(args.not_before)?,
        expires_at: time(args.expires_at)?,
    })
}

fn show(terminal: Terminal, view: &MessageView) {
    let counts = |(channel, counts): &(
        userd_model::preferences::MessageChannel,
        userd_services::messages::ChannelCounts,
    )| {
        let json = json!({
            "pending": counts.pending, "delivered": counts.delivered, "muted": counts.muted,
            "unreachable": counts.unreachable, "dead": counts.dead, "expired": counts.expired, "dropped": counts.dropped,
        });
        (channel.as_str().to_owned(), json)
    };
    let json = json!({
        "id": view.id,
        "category": view.category,
        "to": view.audience,
        "role": view.role,
        "status": view.state.as_str(),
        "recipients": view.recipients,
        "counts": view.channels.iter().map(counts).collect::<serde_json::Map<_, _>>(),
        "created_at": view.created_at,
        "not_before": view.not_before,
        "expires_at": view.expires_at,
    });
    terminal.answer(&json, || {
        let recipients = view.recipients.map_or("not known yet".to_owned(), |count| count.to_string());
        let row = |(channel, counts): &(
            userd_model::preferences::MessageChannel,
            userd_services::messages::ChannelCounts,
        )| {
            let numbers = [
                counts.pending,
                counts.delivered,
                counts.muted,
                counts.unreachable,
                counts.dead,
                counts.expired,
                counts.dropped,
            ];
            [channel.as_str().to_owned()].into_iter().chain(numbers.map(|number| number.to_string())).collect()
        };
        format!("{} is {}; recipients: {recipients}\n\n", view.id, view.state.as_str())
            + &table(
                &["CHANNEL", "PENDING", "DELIVERED", "MUTED", "UNREACHABLE", "DEAD", "EXPIRED", "DROPPED"],
                &view.channels.iter().map(row).collect::<Vec<_>>(),
            )
    });
}
