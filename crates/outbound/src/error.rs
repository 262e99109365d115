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
pub enum Unreachable {
    /// Not reached, broken off, late or too long. Another time it may be.
    #[error("{0}")]
    Failed(String),
    /// Not where we go: a private address, no https, or elsewhere by a redirect.
    #[error("{0}")]
    Refused(String),
}

impl Unreachable {
    /// What happened, for the log.
    #[must_use]
    pub fn why(self) -> String {
        match self {
            Self::Failed(why) | Self::Refused(why) => why,
        }
    }
}

/// What the guard says where it stands: inside the connector, from which an error's causes lead out.
#[derive(Debug, thiserror::Error)]
#[error("{0} leads to a private address")]
pub(crate) struct PrivateAddress(pub(crate) String);

/// Text from elsewhere made fit for a log line: printable, at most 200 characters.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}
