//! A configuration as a tree in which every node knows where it came from. Meaning is deliberately absent: a scalar
//! stays the text that was written until `shape` and `read` know which type its key wants, so that `0123` stays a
//! password and `no` stays a country.

use zeroize::Zeroizing;

use super::report::Origin;

/// A value and where it was written.
pub(crate) struct Node {
    pub(crate) origin: Origin,
    pub(crate) value: Value,
}

pub(crate) enum Value {
    Scalar {
        text: Zeroizing<String>,
        /// Written without quotes: may be a number, a truth value or nothing at all.
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

pub(crate) struct Entry {
    pub(crate) key: String,
    /// Where the key itself stands.
    pub(crate) at: Origin,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn map(origin: Origin) -> Self {
        Self { origin, value: Value::Map(Vec::new()) }
    }

    /// A plain scalar: what an environment variable or a flag holds.
    pub(crate) fn plain(text: &str, origin: Origin) -> Self {
        Self { origin, value: Value::Scalar { text: Zeroizing::new(text.to_owned()), plain: true } }
    }

    /// Text that is nothing but text: what a secret file holds.
    pub(crate) fn quoted(text: Zeroizing<String>, origin: Origin) -> Self {
        Self { origin, value: Value::Scalar { text, plain: false } }
    }

    /// `key:` with nothing behind it, `~` or `null`.
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// What this is, for messages; never what it says.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Map(_) => "a section",
            Value::List(_) => "a list",
            Value::Scalar { .. } if self.is_nothing() => "nothing",
            Value::Scalar { text, plain: true } if matches!(text.as_str(), "true" | "false") => "true or false",
            Value::Scalar { text, plain: true } if text.parse::<f64>().is_ok() => "a number",
            Value::Scalar { .. } => "text",
        }
    }

    /// The node under one step of a path: a key of a section or an index of a list.
    pub(crate) fn child(&self, step: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == step).map(|entry| &entry.node),
            Value::List(items) => items.get(step.parse::<usize>().ok()?),
            Value::Scalar { .. } => None,
        }
    }

    /// The origin of the nearest node that exists on the way to `path`, for messages about absent keys too.
    pub(crate) fn nearest_origin(&self, path: &str) -> Origin {
        let mut here = self;
        for step in path.split('.') {
            match here.child(step) {
                Some(next) => here = next,
                None => break,
            }
        }
        here.origin.clone()
    }
}

/// `parent.step`, or the step alone at the top.
pub(crate) fn join(parent: &str, step: &str) -> String {
    if parent.is_empty() { step.to_owned() } else { format!("{parent}.{step}") }
}
