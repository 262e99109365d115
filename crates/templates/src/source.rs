//! A template as it is written: YAML, a subject and blocks.

use serde::Deserialize;
use userd_model::texts::Language;

use crate::{Kind, tag};

/// What is wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {why}")]
pub struct TemplateFault {
    /// The file's name.
    pub file: String,
    /// What is wrong.
    pub why: String,
}

impl TemplateFault {
    pub(crate) fn new(file: impl Into<String>, why: impl Into<String>) -> Self {
        Self { file: file.into(), why: why.into() }
    }
}

/// A message before its values are filled in. Every text is a `MiniJinja` template of its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    /// The subject of a mail, the title in the inbox.
    pub(crate) subject: String,
    pub(crate) blocks: Vec<Block>,
}

/// A part of a message.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Block {
    /// A paragraph.
    Text(String),
    /// A paragraph in small print.
    Note(String),
    /// Names and values, one below the other; what has no value is left out.
    Facts(Vec<(String, String)>),
    /// A link that is shown as a button.
    Button {
        /// Its words.
        label: String,
        /// Where it leads.
        url: String,
    },
    /// A code to be typed, in large figures.
    Code(String),
}

/// The languages of a file's name: `new_device.ru.yaml`.
pub(crate) fn named(file: &str) -> Option<(Kind, Language)> {
    let (kind, language) = file.strip_suffix(".yaml")?.split_once('.')?;
    let language = Language::ALL.into_iter().find(|known| tag(*known) == language)?;
    Some((*Kind::ALL.iter().find(|known| known.as_str() == kind)?, language))
}

pub(crate) fn built_in(kind: Kind, language: Language) -> Result<Source, TemplateFault> {
    parse(&kind.file(language), kind.text(language))
}

pub(crate) fn parse(file: &str, text: &str) -> Result<Source, TemplateFault> {
    let source: Source =
        serde_saphyr::from_str(text).map_err(|error| TemplateFault::new(file, first_line(&error.to_string())))?;
    if source.blocks.is_empty() {
        return Err(TemplateFault::new(file, "has no blocks"));
    }
    Ok(source)
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
