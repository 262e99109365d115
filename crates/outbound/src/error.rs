//! What can go wrong before an answer is there: settings that make no client, servers that do not answer as they should.

/// What is wrong with a setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct ConfigError {
    /// The key, e.g. `client_secret` or `apple.team_id`.
    pub field: String,
    /// What is wrong and what would be right; never a secret.
    pub detail: String,
}

impl ConfigError {
    /// A key and what is wrong with it.
    pub fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), detail: detail.into() }
    }
}

/// There is no answer, or one that breaks the bounds. The text is for the log: it names the host, never the URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreachable(pub String);

/// Text from elsewhere made fit for a log line: printable, at most 200 characters.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}
