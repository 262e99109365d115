//! `userd mail …`: the development mailbox.

use userd_services::Services;

use super::said;
use crate::{
    cli::MailCommand,
    terminal::{Terminal, table},
    wiring::WiringError,
};

/// Lists or shows mails.
pub async fn mail(services: &Services, terminal: Terminal, command: MailCommand) -> Result<(), WiringError> {
    let (ctx, deliveries) = (services.operator_context(), &services.deliveries);
    match command {
        MailCommand::List { limit } => {
            let mails = deliveries.mails(&ctx, limit).await.map_err(|failure| said(&failure))?;
            terminal.answer(&mails, || {
                if mails.is_empty() {
                    return "the mailbox is empty.".to_owned();
                }
                let row = |mail: &userd_services::deliveries::MailView| {
                    vec![mail.id.to_string(), mail.created_at.to_string(), mail.to.clone(), mail.subject.clone()]
                };
                table(&["ID", "CREATED", "TO", "SUBJECT"], &mails.iter().map(row).collect::<Vec<_>>())
            });
        }
        MailCommand::Show { id } => {
            let wrong = || WiringError::Config(format!("there is no mail {id}; `userd mail list` shows them"));
            let found = deliveries.find_mail(&ctx, id.parse().map_err(|_| wrong())?).await;
            let mail = found.map_err(|failure| said(&failure))?.ok_or_else(wrong)?;
            terminal.answer(&mail, || {
                format!(
                    "To: {}\nSubject: {}\nDate: {}\n\n{}",
                    mail.to,
                    mail.subject,
                    mail.created_at,
                    mail.text.trim_end()
                )
            });
        }
    }
    Ok(())
}
