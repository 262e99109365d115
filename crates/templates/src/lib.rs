//! The templates room: what messages say, in each language, and how they look as plain text, as HTML and in Telegram.
//! One source for all forms: a message is a list of blocks, and its structure is read before any value is filled in, so
//! that no value can add to it.
//!
//! Deliberately absent: who gets what and when, sending, storage.

mod filters;
mod forms;
mod kind;
mod source;
mod value;

use std::{collections::BTreeMap, path::Path};

use minijinja::Environment;
use userd_model::texts::Language;

use self::{
    forms::Form,
    source::{Block, Source},
};
pub use self::{
    forms::Rendered,
    kind::{Category, Kind},
    source::TemplateFault,
    value::{Reader, Value, Values},
};

/// Every message in every language.
pub struct Templates {
    sources: BTreeMap<(Kind, &'static str), Source>,
    layout: String,
    environment: Environment<'static>,
}

/// The HTML around every message.
const LAYOUT: &str = include_str!("../messages/layout.html");

impl Templates {
    /// The built-in ones, as they are: that each can be filled in is what the tests show.
    ///
    /// # Errors
    /// None, as the tests show.
    pub fn built_in() -> Result<Self, Vec<TemplateFault>> {
        let (templates, faults) = Self::read();
        if faults.is_empty() { Ok(templates) } else { Err(faults) }
    }

    /// The built-in ones and, in their place, those of a folder: `new_device.ru.yaml`, `layout.html`. Each is tried with
    /// sample values then, so that a mistake is found at the start and not when somebody's account is in danger.
    ///
    /// # Errors
    /// Everything that is wrong, with file and place.
    pub fn with(folder: Option<&Path>) -> Result<Self, Vec<TemplateFault>> {
        let Some(folder) = folder else { return Self::built_in() };
        let (mut templates, mut faults) = Self::read();
        templates.replace(folder, &mut faults);
        templates.try_all(&mut faults);
        if faults.is_empty() { Ok(templates) } else { Err(faults) }
    }

    /// The built-in ones, and what is wrong with them.
    fn read() -> (Self, Vec<TemplateFault>) {
        let mut faults = Vec::new();
        let mut templates =
            Self { sources: BTreeMap::new(), layout: LAYOUT.to_owned(), environment: filters::environment() };
        for kind in Kind::ALL {
            for language in Language::ALL {
                match source::built_in(*kind, language) {
                    Ok(source) => drop(templates.sources.insert((*kind, tag(language)), source)),
                    Err(fault) => faults.push(fault),
                }
            }
        }
        (templates, faults)
    }

    /// The message for a reader.
    ///
    /// # Errors
    /// A template that names a value that the message does not have. Those of a folder are tried with sample values at the
    /// start, the built-in ones in the tests.
    pub fn render(&self, kind: Kind, values: &Values, reader: &Reader) -> Result<Rendered, TemplateFault> {
        let missing = || TemplateFault::new(kind.file(reader.language), "there is no such template");
        let source = self.sources.get(&(kind, tag(reader.language))).ok_or_else(missing)?;
        Form { environment: &self.environment, layout: &self.layout, kind, values, reader }.render(source)
    }

    fn replace(&mut self, folder: &Path, faults: &mut Vec<TemplateFault>) {
        let files = match std::fs::read_dir(folder) {
            Ok(files) => files,
            Err(error) => {
                let why = format!("the folder cannot be read: {}", error.kind());
                return faults.push(TemplateFault::new(folder.display().to_string(), why));
            }
        };
        for file in files.flatten() {
            let (path, name) = (file.path(), file.file_name().to_string_lossy().into_owned());
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) => {
                    faults.push(TemplateFault::new(name, format!("cannot be read: {}", error.kind())));
                    continue;
                }
            };
            if name == "layout.html" {
                self.layout = text;
                continue;
            }
            match source::named(&name).map(|(kind, language)| (kind, language, source::parse(&name, &text))) {
                Some((kind, language, Ok(source))) => drop(self.sources.insert((kind, tag(language)), source)),
                Some((_, _, Err(fault))) => faults.push(fault),
                None => faults.push(TemplateFault::new(
                    name,
                    "is no message of this release: see `userd templates list` for their names",
                )),
            }
        }
    }

    fn try_all(&self, faults: &mut Vec<TemplateFault>) {
        for (kind, language) in Kind::ALL.iter().flat_map(|kind| Language::ALL.map(|language| (*kind, language))) {
            let reader = Reader { language, ..Reader::default() };
            // With every value, and with those only that are always there.
            for values in [kind.sample(language), kind.sample(language).without_optional(kind)] {
                if let Err(fault) = self.render(kind, &values, &reader)
                    && !faults.contains(&fault)
                {
                    faults.push(fault);
                }
            }
        }
    }
}

/// A language as files and documents name it.
#[must_use]
pub const fn tag(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::Russian => "ru",
    }
}
