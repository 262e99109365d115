//! `userd mail …`: the development mailbox.

use userd_services::{Services, deliveries::MailView};

use super::said;
use crate::{
    cli::MailCommand,
    terminal::{Terminal, table},
    viewer,
    wiring::WiringError,
};

/// Lists, shows or opens mails.
pub async fn mail(services: &Services, terminal: Terminal, command: MailCommand) -> Result<(), WiringError> {
    let (ctx, deliveries) = (services.operator_context(), &services.deliveries);
    match command {
        MailCommand::List { limit } => {
            let mails = deliveries.mails(&ctx, limit).await.map_err(|failure| said(&failure))?;
            terminal.answer(&mails, || {
                if mails.is_empty() {
                    return "the mailbox is empty.".to_owned();
                }
                let row = |mail: &MailView| {
                    vec![mail.id.to_string(), mail.created_at.to_string(), mail.to.clone(), mail.subject.clone()]
                };
                table(&["ID", "CREATED", "TO", "SUBJECT"], &mails.iter().map(row).collect::<Vec<_>>())
            });
        }
        MailCommand::Open { id, print_path } => viewer::show(terminal, &find(services, &id).await?.html, print_path)?,
        MailCommand::Show { id } => {
            let mail = find(services, &id).await?;
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

async fn find(services: &Services, id: &str) -> Result<MailView, WiringError> {
    let list = "`userd mail list` shows them";
    let no_id = |_| WiringError::Config(format!("{id} is no id; {list}"));
    let found = services.deliveries.find_mail(&services.operator_context(), id.parse().map_err(no_id)?).await;
    let none = || WiringError::Part(format!("there is no mail {id}; {list}"));
    found.map_err(|failure| said(&failure))?.ok_or_else(none)
}
