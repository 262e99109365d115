//! Keys that say the same thing in two ways. A secret may be given itself or as a file (`client_secret`,
//! `client_secret_file`): both in one source is an error, a later source wins over an earlier one, and the file's
//! content takes the secret's place, so that nobody behind the configuration knows the difference.

use std::path::{Path, PathBuf};

use serde_json::Value as Schema;

use super::{
    files::secret_in,
    report::{Findings, Origin},
    tree::{Entry, Node, Value, join},
};

/// Three ways to give one thing; the file is read by whoever needs the key, because it may have to be made first.
const MASTER_KEY: [&str; 3] = ["master_key", "master_key_file", "master_key_command"];

pub(super) fn settle(node: &mut Node, schema: &Schema, path: &str, findings: &mut Findings) {
    match &mut node.value {
        Value::Map(entries) => {
            let Some(keys) = schema.get("properties").and_then(Schema::as_object) else {
                return;
            };
            for entry in entries.iter_mut() {
                if let Some(schema) = keys.get(&entry.key) {
                    settle(&mut entry.node, schema, &join(path, &entry.key), findings);
                }
            }
            if keys.contains_key("master_key") {
                leave_one(entries, &MASTER_KEY, path, findings);
            }
            for (key, schema) in keys {
                let Some(plain) = key.strip_suffix("_file").filter(|plain| keys.contains_key(*plain)) else {
                    continue;
                };
                if schema.get("x-read-later").is_none() {
                    leave_one(entries, &[plain, key], path, findings);
                    take_content(entries, plain, key, path, findings);
                }
            }
        }
        Value::List(items) => {
            let Some(schema) = schema.get("items") else {
                return;
            };
            for (at, item) in items.iter_mut().enumerate() {
                settle(item, schema, &join(path, &at.to_string()), findings);
            }
        }
        Value::Scalar { .. } => {}
    }
}

/// Of several ways to say one thing, the one from the latest source stays.
fn leave_one(entries: &mut Vec<Entry>, rivals: &[&str], path: &str, findings: &mut Findings) {
    let given = |entry: &Entry| rivals.contains(&entry.key.as_str()) && !is_empty(&entry.node);
    let Some(latest) = entries.iter().filter(|entry| given(entry)).map(|entry| entry.node.origin.rank()).max() else {
        return;
    };
    entries.retain(|entry| !given(entry) || entry.node.origin.rank() == latest);
    let left: Vec<(String, Origin)> =
        entries.iter().filter(|entry| given(entry)).map(|entry| (entry.key.clone(), entry.at.clone())).collect();
    if let [(first, _), (second, at), ..] = left.as_slice() {
        findings.add(at, &join(path, second), format!("{first} says the same; keep one of them"));
    }
}

fn take_content(entries: &mut Vec<Entry>, plain: &str, file: &str, path: &str, findings: &mut Findings) {
    let Some(entry) = entries.iter().find(|entry| entry.key == file && !is_empty(&entry.node)) else {
        return;
    };
    let Value::Scalar { text, .. } = &entry.node.value else {
        return;
    };
    let (at, origin) = (entry.at.clone(), entry.node.origin.clone());
    match secret_in(Path::new(text.as_str())) {
        Ok(secret) => {
            findings.secret_files.push((join(path, file), PathBuf::from(text.as_str())));
            entries.retain(|entry| entry.key != plain && entry.key != file);
            entries.push(Entry { key: plain.to_owned(), at, node: Node::quoted(secret, origin) });
        }
        Err(why) => findings.add(&origin, &join(path, file), why),
    }
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Scalar { text, .. } => text.is_empty() || node.is_nothing(),
        Value::List(items) => items.is_empty(),
        Value::Map(_) => false,
    }
}
