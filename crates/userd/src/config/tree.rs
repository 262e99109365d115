//! A configuration as a tree in which every node knows where it came from. Meaning is deliberately absent: a scalar
//! stays the text that was written until `shape` and `read` know which type its key wants, so that `0123` stays a
//! password and `no` stays a country.

use std::collections::BTreeMap;

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

impl Node {
    /// The path of the innermost node that was written there.
    pub(crate) fn path_of(&self, origin: &Origin) -> Option<String> {
        let inner = match &self.value {
            Value::Map(entries) => {
                entries.iter().find_map(|entry| Some(join(&entry.key, &entry.node.path_of(origin)?)))
            }
            Value::List(items) => {
                items.iter().enumerate().find_map(|(at, item)| Some(join(&at.to_string(), &item.path_of(origin)?)))
            }
            Value::Scalar { .. } => None,
        };
        inner.or_else(|| (self.origin == *origin).then(String::new))
    }

    /// Removes the node at a path; false when there is none.
    pub(crate) fn take_out(&mut self, path: &str) -> bool {
        let (step, rest) = path.split_once('.').map_or((path, None), |(step, rest)| (step, Some(rest)));
        match (&mut self.value, rest) {
            (Value::Map(entries), None) => {
                let before = entries.len();
                entries.retain(|entry| entry.key != step);
                entries.len() < before
            }
            (Value::Map(entries), Some(rest)) => {
                entries.iter_mut().find(|entry| entry.key == step).is_some_and(|entry| entry.node.take_out(rest))
            }
            (Value::List(items), rest) => {
                let Some(at) = step.parse::<usize>().ok().filter(|at| *at < items.len()) else { return false };
                match rest {
                    Some(rest) => items.get_mut(at).is_some_and(|item| item.take_out(rest)),
                    None => {
                        items.remove(at);
                        true
                    }
                }
            }
            (Value::Scalar { .. }, _) => false,
        }
    }
}

/// Where each key was given.
#[derive(Clone, Debug, Default)]
pub struct Origins(BTreeMap<String, Origin>);

impl Origins {
    pub(crate) fn of(root: &Node) -> Self {
        fn walk(node: &Node, path: &str, found: &mut BTreeMap<String, Origin>) {
            found.insert(path.to_owned(), node.origin.clone());
            match &node.value {
                Value::Map(entries) => {
                    entries.iter().for_each(|entry| walk(&entry.node, &join(path, &entry.key), found))
                }
                Value::List(items) => {
                    items.iter().enumerate().for_each(|(at, item)| walk(item, &join(path, &at.to_string()), found));
                }
                Value::Scalar { .. } => {}
            }
        }
        let mut found = BTreeMap::new();
        walk(root, "", &mut found);
        Self(found)
    }

    /// Where `key` (`providers.0.issuer`) was given; when it was not, where the nearest section around it was.
    #[must_use]
    pub fn find(&self, key: &str) -> Origin {
        let mut key = key;
        loop {
            if let Some(origin) = self.0.get(key) {
                return origin.clone();
            }
            match key.rsplit_once('.') {
                Some((around, _)) => key = around,
                None => return self.0.get("").cloned().unwrap_or(Origin::Default),
            }
        }
    }
}

/// `parent.step`, or the step alone at the top.
pub(crate) fn join(parent: &str, step: &str) -> String {
    if parent.is_empty() || step.is_empty() { format!("{parent}{step}") } else { format!("{parent}.{step}") }
}
