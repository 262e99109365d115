//! Environment variables and flags, laid over the tree of the file. The schema says which keys there are and whether a
//! value is text, a number or a list; a text is taken letter by letter.

use std::{ffi::OsString, sync::Arc};

use serde_json::Value as Schema;
use zeroize::Zeroizing;

use super::{
    connections::holds_password,
    report::{Findings, Origin},
    schema, shape,
    sources::Flag,
    tree::{Entry, Node, Value, join},
    yaml,
};

const PREFIX: &str = "USERD__";

/// `USERD__HTTP__LISTEN=…`, `USERD__PROVIDERS__0__CLIENT_SECRET=…`.
pub(super) fn variables(root: &mut Node, all: Vec<(OsString, OsString)>, findings: &mut Findings) {
    let mut ours = Vec::new();
    for (name, value) in all {
        let Some(name) = name.to_str().map(str::to_owned) else {
            continue;
        };
        let Some(path) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let origin = Origin::Variable(name.as_str().into());
        let Ok(value) = value.into_string().map(Zeroizing::new) else {
            findings.add(&origin, "", "not UTF-8");
            continue;
        };
        let steps: Vec<String> = path.split("__").map(str::to_ascii_lowercase).collect();
        if schema::at(&steps).is_none()
            && let Some(right) = meant(path)
        {
            findings.add(&origin, &steps.join("."), format!("no such key; did you mean {right}?"));
            continue;
        }
        ours.push((steps, origin, value));
    }
    // Items of a list come in their order, and a whole list before its items.
    ours.sort_by_cached_key(|(steps, ..)| {
        steps.iter().map(|step| (step.parse::<usize>().ok(), step.clone())).collect::<Vec<_>>()
    });
    for (steps, origin, value) in ours {
        lay(root, &steps, &value, &origin, findings);
    }
}

/// Variables such as `USERD_HTTP_LISTEN`, which nothing reads, and what was probably meant.
pub(super) fn misspelt(all: &[(OsString, OsString)]) -> Vec<String> {
    let names = all.iter().filter_map(|(name, _)| name.to_str());
    let told = |name: &str| {
        let rest = name.strip_prefix("USERD_").filter(|rest| !rest.starts_with('_'))?;
        Some(format!("environment variable {name} is not read; did you mean {}?", meant(rest)?))
    };
    names.filter_map(told).collect()
}

/// The variable that was probably meant by what stands behind `USERD_`, with whatever many underscores between its words.
fn meant(rest: &str) -> Option<String> {
    let words: Vec<_> = rest.split('_').filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect();
    let path = known(schema::schema(), &words)?;
    Some(format!("{PREFIX}{}", path.join("__").to_ascii_uppercase()))
}

/// The steps to a key whose words these are, with any number of them in one step.
fn known(schema: &Schema, words: &[String]) -> Option<Vec<String>> {
    if words.is_empty() {
        return (schema::kind(schema) != "object").then(Vec::new);
    }
    (1..=words.len()).find_map(|length| {
        let (first, rest) = words.split_at_checked(length)?;
        let step = first.join("_");
        let mut steps = known(schema::step(schema, &step)?, rest)?;
        steps.insert(0, step);
        Some(steps)
    })
}

/// `--set http.listen=…` and its shorthands. Secrets are refused: a command line is seen by everybody on the machine.
pub(super) fn flags(root: &mut Node, flags: Vec<Flag>, findings: &mut Findings) {
    for Flag { name, key, value } in flags {
        let origin = Origin::Flag(name.into());
        let value = Zeroizing::new(value);
        let steps: Vec<String> = key.split('.').map(str::to_owned).collect();
        let what = if schema::at(&steps).is_some_and(|schema| schema.get("writeOnly").is_some()) {
            "a secret"
        } else if holds_password(&value) {
            "a URL with a password"
        } else {
            lay(root, &steps, &value, &origin, findings);
            continue;
        };
        let elsewhere = if has_file_key(steps) {
            "its _file key or the environment"
        } else {
            "the environment or the configuration file"
        };
        let why = format!("{what} is not given on the command line, where everybody can read it; use {elsewhere}");
        findings.add(&origin, &key, why);
    }
}

/// Whether the file that a value is in can be given instead of it.
fn has_file_key(mut steps: Vec<String>) -> bool {
    if let Some(last) = steps.last_mut() {
        last.push_str("_file");
    }
    schema::at(&steps).is_some()
}

fn lay(root: &mut Node, steps: &[String], text: &str, origin: &Origin, findings: &mut Findings) {
    let mut here = root;
    let mut schema = schema::schema();
    let mut path = String::new();
    for step in steps {
        let Some(next) = schema::step(schema, step) else {
            findings.add(origin, &join(&path, yaml::printable(step)), shape::unknown(schema, step));
            return;
        };
        path = join(&path, step);
        let Some(node) = open(here, step, next, origin) else {
            // The file has something else in the place of a section or list and is told so by `shape`; or an index skips.
            if schema.get("items").is_some() {
                findings.add(origin, &path, "items of a list are numbered from 0, without a gap");
            }
            return;
        };
        here = node;
        schema = next;
    }
    let value = match schema::kind(schema) {
        "object" => {
            findings.add(origin, &path, "a section cannot be given as one value; set its keys one by one");
            return;
        }
        "array" => match list(text, &path, schema, origin, findings) {
            Some(list) => list,
            None => return,
        },
        // As of every list; a text with a comma in it stands in the file.
        "string" if schema::may_be_list(schema) && (text.trim_start().starts_with('[') || text.contains(',')) => {
            match list(text, &path, schema, origin, findings) {
                Some(list) => list,
                None => return,
            }
        }
        "string" => Node::quoted(Zeroizing::new(text.to_owned()), origin.clone()),
        _ => Node::plain(text, origin.clone()),
    };
    *here = value;
}

/// The child named `step`, made when it is not there.
fn open<'a>(here: &'a mut Node, step: &str, schema: &Schema, origin: &Origin) -> Option<&'a mut Node> {
    let fresh = || Node {
        origin: origin.clone(),
        value: if schema::may_be_list(schema) { Value::List(Vec::new()) } else { Value::Map(Vec::new()) },
    };
    if here.is_nothing() {
        here.value = if step.parse::<usize>().is_ok() { Value::List(Vec::new()) } else { Value::Map(Vec::new()) };
    }
    match &mut here.value {
        Value::Map(entries) => {
            let at = entries.iter().position(|entry| entry.key == step).unwrap_or(entries.len());
            if at == entries.len() {
                entries.push(Entry { key: step.to_owned(), at: origin.clone(), node: fresh() });
            }
            entries.get_mut(at).map(|entry| &mut entry.node)
        }
        Value::List(items) => {
            let at: usize = step.parse().ok()?;
            if at == items.len() {
                items.push(fresh());
            }
            items.get_mut(at)
        }
        Value::Scalar { .. } => None,
    }
}

/// A list from one value: YAML or JSON in brackets, or words between commas.
fn list(text: &str, path: &str, schema: &Schema, origin: &Origin, findings: &mut Findings) -> Option<Node> {
    let text = text.trim();
    if text.starts_with('[') {
        let everywhere: Arc<Origin> = Arc::new(origin.clone());
        return yaml::compose(text, path, &|_, _| (*everywhere).clone(), findings);
    }
    let of_sections = schema.get("items").is_some_and(|items| schema::kind(items) == "object");
    if of_sections && !text.is_empty() {
        findings.add(origin, path, "expected a list in YAML or JSON: [{…}, {…}]");
        return None;
    }
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let items = words.map(|word| Node::quoted(Zeroizing::new(word.to_owned()), origin.clone())).collect();
    Some(Node { origin: origin.clone(), value: Value::List(items) })
}
