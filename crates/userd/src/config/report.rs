//! What is wrong with a configuration, told so that it can be put right: where, which key, what would be right.
//! Values never appear here: a message that quotes its input is a message that leaks a password.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A line of the configuration file, counted from 1.
    File {
        /// The file as it was named.
        path: Arc<Path>,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// An environment variable.
    Variable(Arc<str>),
    /// A command-line flag.
    Flag(Arc<str>),
    /// The defaults of the program.
    Default,
}

impl Origin {
    /// Later sources win over earlier ones.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File { .. } => 1,
            Self::Variable(_) => 2,
            Self::Flag(_) => 3,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Where it stands.
    pub origin: Origin,
    /// The key's path, such as `tokens.access_ttl` or `providers.0.id`; empty when the whole file is meant.
    pub key: String,
    /// What is wrong and what would be right. Never a value.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.origin, self.key.as_str()) {
            (Origin::Default, "") => f.write_str(&self.message),
            (Origin::Default, key) => write!(f, "{key}: {}", self.message),
            (origin, "") => write!(f, "{origin}: {}", self.message),
            (origin, key) => write!(f, "{origin}: {key}: {}", self.message),
        }
    }
}

/// Everything that is wrong, in the order in which it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// More than this many findings help nobody.
const MOST_FINDINGS: usize = 50;

/// Collects what is wrong, so that one run tells everything.
#[derive(Default)]
pub(crate) struct Findings {
    errors: Vec<ConfigError>,
    /// Keys that named a file with a secret, with that file.
    pub(crate) secret_files: Vec<(String, PathBuf)>,
}

impl Findings {
    pub(crate) fn add(&mut self, origin: &Origin, key: &str, message: impl Into<String>) {
        if self.errors.len() < MOST_FINDINGS {
            self.errors.push(ConfigError { origin: origin.clone(), key: key.to_owned(), message: message.into() });
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// Whether `key`, or something inside it or around it, has already been found wrong.
    pub(crate) fn concern(&self, key: &str) -> bool {
        self.errors.iter().any(|error| within(&error.key, key) || within(key, &error.key))
    }

    pub(crate) fn into_errors(self) -> ConfigErrors {
        ConfigErrors(self.errors)
    }
}

fn within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The file itself cannot be read or is no YAML: nothing else can be said about it.
pub(crate) fn only(origin: Origin, message: impl Into<String>) -> ConfigErrors {
    ConfigErrors(vec![ConfigError { origin, key: String::new(), message: message.into() }])
}
