//! What one line of the log says, before it is text: `layer` gathers it, `pretty` and `json` write it.

use tracing::Level;

/// A value of a field.
pub(super) enum FieldValue {
    /// A number or a truth value, as JSON writes it.
    Bare(String),
    Text(String),
}

impl FieldValue {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Bare(text) | Self::Text(text) => text,
        }
    }
}

/// What a line says.
pub(super) struct Line<'a> {
    pub(super) time: jiff::Timestamp,
    pub(super) level: Level,
    pub(super) target: &'a str,
    pub(super) message: &'a str,
    /// Each name once.
    pub(super) fields: &'a [(&'static str, &'a FieldValue)],
}
