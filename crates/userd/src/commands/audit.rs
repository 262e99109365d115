//! `userd audit …`

use std::{fs, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use userd_model::EventId;
use userd_services::{
    Context, Services,
    audit::{AuditFilter, AuditView, Scope, Verified},
};

use super::{audit_formats, said, said_of};
use crate::{
    cli::{AuditChoice, AuditCommand},
    terminal::{Terminal, out, unwritten},
    wiring::{WiringError, part},
};

/// Entries read at once.
const PAGE: usize = 200;
/// How often `tail --follow` looks.
const LOOK: Duration = Duration::from_millis(500);

/// Verifies, proves, exports, or shows.
pub async fn audit(services: &Services, terminal: Terminal, command: AuditCommand) -> Result<(), WiringError> {
    let ctx = services.operator_context();
    match command {
        AuditCommand::Verify { checkpoints, newest } => {
            let mut kept = Vec::new();
            for path in checkpoints {
                let text = fs::read_to_string(&path)
                    .map_err(|error| WiringError::Config(format!("{}: {error}", path.display())))?;
                kept.extend(notes(&text));
            }
            verify(services, terminal, &ctx, &Scope { newest, kept }).await
        }
        AuditCommand::Prove { id, since } => prove(services, terminal, &ctx, id, since).await,
        AuditCommand::Export { what, after } => {
            write_all(services, &ctx, &what, after).await?;
            Ok(())
        }
        AuditCommand::Tail { what, lines, follow } => tail(services, &ctx, &what, lines, follow).await,
        AuditCommand::Key => {
            let key = services.audit.verifier(&ctx).await.map_err(|failure| said(&failure))?;
            let key = key.ok_or_else(|| {
                WiringError::Part(
                    "nothing has been logged yet: the log gets its name, and so its key, with its first entry"
                        .to_owned(),
                )
            })?;
            terminal.answer(&key, || key.clone());
            Ok(())
        }
    }
}

/// The notes in a file of checkpoints: each a text, an empty line, and signatures.
fn notes(text: &str) -> Vec<String> {
    let parts: Vec<&str> = text.trim().split("\n\n").map(str::trim).filter(|part| !part.is_empty()).collect();
    parts.chunks(2).map(|note| format!("{}\n", note.join("\n\n"))).collect()
}

async fn verify(services: &Services, terminal: Terminal, ctx: &Context, scope: &Scope) -> Result<(), WiringError> {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} entries ({per_sec}, {eta})") {
        bar.set_style(style);
    }
    let progress = |done: u64, size: u64| {
        bar.set_length(size);
        bar.set_position(done);
    };
    let found = services.audit.verify(ctx, scope, &progress).await.map_err(|failure| said(&failure));
    bar.finish_and_clear();
    let found = found?;
    terminal.answer(&found, || words(&found, scope.newest.is_some()));
    match found.fault {
        None => Ok(()),
        Some(fault) => Err(WiringError::Answered(format!("entry {}: {}", fault.position, fault.what))),
    }
}

/// `in_part`: the newest entries alone were to be compared.
fn words(found: &Verified, in_part: bool) -> String {
    let Some(origin) = &found.origin else { return "nothing has been logged yet.".to_owned() };
    let state = if found.intact { "is intact" } else { "was CHANGED" };
    let which = if in_part {
        format!("the newest {}", found.entries)
    } else {
        format!("those that are kept, {},", found.entries)
    };
    let mut lines = vec![format!(
        "{origin} {state}: {} entries, of which {which} were compared, and {} checkpoints.",
        found.size, found.checkpoints
    )];
    for opening in &found.openings {
        lines.push(format!(
            "At entry {} a backup of {} entries took the place of {}.",
            opening.position, opening.size, opening.previous
        ));
    }
    if found.cut_off > 0 {
        lines.push(format!("{} kept checkpoints are of what came after that backup, and is lost.", found.cut_off));
    }
    lines.extend(found.checkpoint.iter().map(|note| format!("\nThe last checkpoint:\n\n{}", note.trim_end())));
    lines.join("\n")
}

async fn prove(
    services: &Services,
    terminal: Terminal,
    ctx: &Context,
    id: Option<String>,
    since: Option<u64>,
) -> Result<(), WiringError> {
    if let Some(since) = since {
        let proof = services.audit.prove_consistency(ctx, since).await.map_err(|failure| said(&failure))?;
        terminal.answer(&proof, || format!("{}\n\n{}", proof.hashes.join("\n"), proof.checkpoint.trim_end()));
        return Ok(());
    }
    let id = id.unwrap_or_default();
    let id: EventId =
        id.parse().map_err(|_| WiringError::Config(format!("{id} is no id; `userd audit tail` shows them")))?;
    let proof = services.audit.prove(ctx, id).await;
    let proof = proof.map_err(|failure| said_of(&failure, &format!("entry {id}"), "audit tail"))?;
    terminal.answer(&proof, || proof.proof.trim_end().to_owned());
    Ok(())
}

/// Writes what is behind a position. Answers the last one that was looked at.
async fn write_all(
    services: &Services,
    ctx: &Context,
    what: &AuditChoice,
    mut after: Option<i64>,
) -> Result<Option<i64>, WiringError> {
    let filter = filter(what, true);
    loop {
        let page = services.audit.list(ctx, &filter, after, PAGE).await.map_err(|failure| said(&failure))?;
        write(services, what, &page.items)?;
        // With the oldest first there is always a place to go on; the end is where it stays.
        if page.next == after || page.next.is_none() || unwritten().is_some() {
            return Ok(after);
        }
        after = page.next;
    }
}

async fn tail(
    services: &Services,
    ctx: &Context,
    what: &AuditChoice,
    lines: u32,
    follow: bool,
) -> Result<(), WiringError> {
    let (newest, mut items) = (filter(what, false), Vec::new());
    let mut before = None;
    while items.len() < lines as usize {
        let missing = lines as usize - items.len();
        let page = services.audit.list(ctx, &newest, before, missing).await.map_err(|failure| said(&failure))?;
        items.extend(page.items);
        match page.next {
            Some(next) => before = Some(next),
            None => break,
        }
    }
    items.reverse();
    write(services, what, &items)?;
    let mut last = items.last().map(|item| item.position);
    if last.is_none() {
        let page = services.audit.list(ctx, &newest, None, 1).await.map_err(|failure| said(&failure))?;
        last = page.items.first().map(|item| item.position);
    }
    if !follow {
        return Ok(());
    }
    // Until nobody reads on.
    while unwritten().is_none() {
        tokio::time::sleep(LOOK).await;
        last = write_all(services, ctx, what, last).await?;
    }
    Ok(())
}

fn filter(what: &AuditChoice, oldest_first: bool) -> AuditFilter {
    let AuditChoice { actor, subject, act, .. } = what.clone();
    AuditFilter { actor, subject, act, oldest_first }
}

fn write(services: &Services, what: &AuditChoice, items: &[AuditView]) -> Result<(), WiringError> {
    let site = services.deps.settings.site();
    for item in items {
        out(&audit_formats::line(item, what.format, &site).map_err(part)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_was_compared_is_not_called_all_that_is_kept() {
        let found = Verified {
            intact: true,
            fault: None,
            origin: Some("log".to_owned()),
            size: 31,
            entries: 15,
            checkpoints: 2,
            cut_off: 0,
            openings: Vec::new(),
            checkpoint: None,
            verifier: None,
        };
        assert_eq!(
            words(&found, true),
            "log is intact: 31 entries, of which the newest 15 were compared, and 2 checkpoints."
        );
        assert!(words(&found, false).contains("of which those that are kept, 15, were compared"));
    }

    #[test]
    fn a_file_of_checkpoints_is_taken_apart_and_a_single_note_is_one() {
        let note = |n: u8| format!("log\n{n}\nAAAA\n\n\u{2014} log BBBB\n\u{2014} witness CCCC\n");
        assert_eq!(notes(&format!("{}\n{}\n", note(1), note(2))), [note(1), note(2)]);
        assert_eq!(notes(&note(3)), [note(3)]);
        assert_eq!(notes("\n"), Vec::<String>::new());
    }
}
