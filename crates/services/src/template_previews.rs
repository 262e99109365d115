//! What messages say, filled with sample values: nothing is sent and nobody's data are shown.

use std::sync::Arc;

use userd_model::{Act, Refusal};
use userd_storage::Failure;
use userd_templates::{Kind, Reader, Templates};

use crate::{Context, user_reader::internal};

/// Shows templates.
pub struct TemplatePreviews {
    pub(crate) templates: Arc<Templates>,
}

/// A template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemplateView {
    /// Its name, as files and commands say it.
    pub name: &'static str,
    /// What it is about.
    pub category: &'static str,
}

/// A message as it would reach somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplatePreview {
    /// The subject of a mail.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// A whole HTML document.
    pub html: String,
    /// HTML as Telegram reads it.
    pub telegram: String,
}

impl TemplatePreviews {
    /// Every template.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn list(&self, ctx: &Context) -> Result<Vec<TemplateView>, Refusal> {
        ctx.may(&Act::ReadSystem)?;
        let view = |kind: &Kind| TemplateView { name: kind.as_str(), category: kind.category().as_str() };
        Ok(Kind::ALL.iter().map(view).collect())
    }

    /// One of them, in the language of this locale.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; a template that cannot be filled.
    pub fn preview(&self, ctx: &Context, name: &str, locale: &str) -> Result<TemplatePreview, Failure> {
        ctx.may(&Act::ReadSystem)?;
        let kind = Kind::ALL.iter().copied().find(|kind| kind.as_str() == name).ok_or(Refusal::NotFound)?;
        let reader = Reader::of(Some(locale), None);
        let rendered = self.templates.render(kind, &kind.sample(reader.language), &reader).map_err(internal)?;
        let (subject, text) = (rendered.subject, rendered.text);
        Ok(TemplatePreview { subject, text, html: rendered.html, telegram: rendered.telegram })
    }
}
