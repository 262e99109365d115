//! `userd templates …`: what messages say, shown and tried without sending any.

use std::path::Path;

use userd_templates::{Kind, Reader, Templates};

use crate::{
    cli::{MessageForm, TemplatesCommand},
    terminal::Terminal,
    viewer,
    wiring::WiringError,
};

/// Lists, tries or shows templates.
///
/// # Errors
/// A template that is wrong, or a name that no message has.
pub fn templates(command: &TemplatesCommand, terminal: Terminal) -> Result<(), WiringError> {
    match command {
        TemplatesCommand::List => list(terminal),
        TemplatesCommand::Check { folder } => {
            load(Some(folder))?;
            let told = || format!("every template of {} can be used.", folder.display());
            terminal.answer(&serde_json::json!({ "lawful": true }), told);
        }
        TemplatesCommand::Preview { name, locale, form, folder, open, print_path } => {
            let known = || Kind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
            let kind = Kind::ALL.iter().copied().find(|kind| kind.as_str() == name);
            let kind = kind.ok_or_else(|| WiringError::Config(format!("no message is called {name}: {}", known())))?;
            let reader = Reader::of(Some(locale), None);
            let rendered = load(folder.as_deref())?.render(kind, &kind.sample(reader.language), &reader);
            let message = rendered.map_err(|fault| WiringError::Config(fault.to_string()))?;
            if *open {
                return viewer::show(terminal, &message.html, *print_path);
            }
            let shown = match form {
                MessageForm::Text => &message.text,
                MessageForm::Html => &message.html,
                MessageForm::Telegram => &message.telegram,
            };
            terminal.answer(&serde_json::json!({ "name": name, "message": shown }), || shown.to_string());
        }
    }
    Ok(())
}

fn load(folder: Option<&Path>) -> Result<Templates, WiringError> {
    Templates::with(folder)
        .map_err(|faults| WiringError::Config(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

fn list(terminal: Terminal) {
    let rows: Vec<_> = Kind::ALL
        .iter()
        .map(|kind| {
            serde_json::json!({
                "name": kind.as_str(),
                "category": kind.category().as_str(),
                "values": kind.values(),
                "optional_values": kind.optional(),
            })
        })
        .collect();
    terminal.answer(&rows, || {
        let line = |kind: &Kind| {
            let optional = kind.optional().iter().map(|name| format!("[{name}]"));
            let values: Vec<_> = kind.values().iter().map(|name| (*name).to_owned()).chain(optional).collect();
            format!("{:<18} {:<15} {}", kind.as_str(), kind.category().as_str(), values.join(" "))
        };
        Kind::ALL.iter().map(line).collect::<Vec<_>>().join("\n")
    });
}
