//! The tree held against the JSON Schema: unknown keys, kinds, ranges, formats, all of them at once. What is wrong is
//! reported and taken out. The schema is derived from the structs; nothing about single keys is written here.

use std::path::Path;

use serde_json::Value as Schema;

use super::{
    files::{cannot_read, open},
    formats::format_of,
    report::Findings,
    schema::{kind, may_be_empty, may_be_list, one_of, step},
    text::Text,
    tree::{Node, Value, join},
    values::{Period, whole},
    yaml::printable,
};

/// Whether the node fits. What does not fit has been reported; its parent takes it out.
pub(super) fn check(node: &mut Node, schema: &Schema, path: &str, findings: &mut Findings) -> bool {
    if may_be_empty(schema) && node.is_nothing() {
        return true;
    }
    match kind(schema) {
        "object" => section(node, schema, path, findings),
        "array" => list(node, schema, path, findings),
        _ if may_be_list(schema) && matches!(node.value, Value::List(_)) => list(node, schema, path, findings),
        _ => match scalar(node, schema) {
            Ok(()) => true,
            Err(why) => {
                findings.add(&node.origin, path, why);
                false
            }
        },
    }
}

/// Says that there is no such key and which one may have been meant.
pub(super) fn unknown(schema: &Schema, key: &str) -> String {
    let Some(keys) = schema.get("properties").and_then(Schema::as_object) else {
        return "no such key: nothing is inside this one".to_owned();
    };
    let closest = keys.keys().map(|known| (strsim::damerau_levenshtein(known, key), known)).min();
    match closest {
        Some((distance, known)) if distance <= 1 + known.len() / 4 => format!("no such key; did you mean {known}?"),
        _ => format!("no such key; there are {}", keys.keys().map(String::as_str).collect::<Vec<_>>().join(", ")),
    }
}

fn section(node: &mut Node, schema: &Schema, path: &str, findings: &mut Findings) -> bool {
    if node.is_nothing() {
        node.value = Value::Map(Vec::new());
    }
    let kind = node.kind();
    let Value::Map(entries) = &mut node.value else {
        findings.add(&node.origin, path, format!("expected a section of keys, found {kind}"));
        return false;
    };
    entries.retain_mut(|entry| match step(schema, &entry.key) {
        Some(schema) => check(&mut entry.node, schema, &join(path, &entry.key), findings),
        None => {
            findings.add(&entry.at, &join(path, printable(&entry.key)), unknown(schema, &entry.key));
            false
        }
    });
    let required = schema.get("required").and_then(Schema::as_array).into_iter().flatten().filter_map(Schema::as_str);
    let mut whole = true;
    for key in required.filter(|key| !entries.iter().any(|entry| entry.key == **key)) {
        whole = false;
        let full = join(path, key);
        if !findings.concern(&full) {
            findings.add(&node.origin, &full, "missing");
        }
    }
    whole
}

fn list(node: &mut Node, schema: &Schema, path: &str, findings: &mut Findings) -> bool {
    if node.is_nothing() {
        node.value = Value::List(Vec::new());
    }
    let kind = node.kind();
    let Value::List(items) = &mut node.value else {
        findings.add(&node.origin, path, format!("expected a list, found {kind}"));
        return false;
    };
    let most = schema.get("maxItems").and_then(Schema::as_u64).unwrap_or(u64::MAX);
    if items.len() as u64 > most {
        findings.add(&node.origin, path, format!("at most {most} items"));
        return false;
    }
    if schema.get("minItems").and_then(Schema::as_u64).is_some_and(|least| (items.len() as u64) < least) {
        findings.add(&node.origin, path, "at least one item");
        return false;
    }
    let Some(schema) = schema.get("items") else {
        return true;
    };
    let mut at = 0;
    items.retain_mut(|item| {
        at += 1;
        check(item, schema, &join(path, &(at - 1).to_string()), findings)
    });
    true
}

fn scalar(node: &Node, schema: &Schema) -> Result<(), String> {
    let Value::Scalar { text, plain } = &node.value else {
        return Err(format!("expected {}, found {}", wanted(schema), node.kind()));
    };
    match kind(schema) {
        "boolean" if *plain && matches!(text.as_str(), "true" | "false") => Ok(()),
        "integer" if *plain && whole(text).is_some_and(|number| in_range(number, schema)) => Ok(()),
        "boolean" | "integer" => Err(format!("expected {}", wanted(schema))),
        _ if node.is_nothing() => Err(format!("expected {}, found nothing", wanted(schema))),
        _ => a_text(text, schema),
    }
}

fn in_range(number: u64, schema: &Schema) -> bool {
    let bound = |name| schema.get(name).and_then(Schema::as_u64);
    bound("minimum").is_none_or(|least| number >= least) && bound("maximum").is_none_or(|most| number <= most)
}

/// What would be right, in words.
fn wanted(schema: &Schema) -> String {
    let bound = |name: &str| schema.get(name).and_then(Schema::as_u64);
    match kind(schema) {
        "boolean" => "true or false".to_owned(),
        "integer" => match (bound("minimum"), bound("maximum")) {
            (Some(least), Some(most)) => format!("a whole number from {least} to {most}"),
            _ => "a whole number".to_owned(),
        },
        _ => match (one_of(schema), format_of(schema)) {
            (Some(words), _) => format!("one of {}", words.join(", ")),
            (None, Some(format)) => format.expected.to_owned(),
            (None, None) => "text".to_owned(),
        },
    }
}

fn a_text(text: &str, schema: &Schema) -> Result<(), String> {
    if text.is_empty() && may_be_empty(schema) {
        return Ok(());
    }
    if let Some(words) = one_of(schema) {
        return if words.contains(&text) { Ok(()) } else { Err(format!("expected {}", wanted(schema))) };
    }
    if schema.get("writeOnly").is_none() && text.chars().any(char::is_control) {
        return Err("no line breaks, tabs or control characters here".to_owned());
    }
    let (least, most) = (length(schema, "minLength").unwrap_or(0), length(schema, "maxLength").unwrap_or(65_536));
    if !(least..=most).contains(&text.chars().count()) {
        return Err(format!("expected {least} to {most} characters"));
    }
    let Some(format) = format_of(schema) else {
        return Ok(());
    };
    (format.parse)(text).map_err(|why| match why {
        "" => format!("expected {}", format.expected),
        why => format!("expected {}; {why}", format.expected),
    })?;
    within_range(text, schema)?;
    if format.readable { must_exist(Path::new(text)) } else { Ok(()) }
}

fn length(schema: &Schema, name: &str) -> Option<usize> {
    schema.get(name).and_then(Schema::as_u64).and_then(|length| length.try_into().ok())
}

/// `x-range`: the shortest and the longest lawful period.
fn within_range(text: &str, schema: &Schema) -> Result<(), String> {
    let Some([least, most]) = schema.get("x-range").and_then(Schema::as_array).map(Vec::as_slice) else {
        return Ok(());
    };
    let period = |bound: &Schema| bound.as_str().and_then(|text| Period::parse_text(text).ok());
    match (period(least), Period::parse_text(text), period(most)) {
        (Some(least), Ok(given), Some(most)) if (least..=most).contains(&given) => Ok(()),
        (Some(least), _, Some(most)) => Err(format!("expected a length of time from {least} to {most}")),
        _ => Err("the range of this key is not a range; this is a bug".to_owned()),
    }
}

fn must_exist(path: &Path) -> Result<(), String> {
    let file = open(path).map_err(|error| cannot_read(error.kind()))?;
    match file.metadata() {
        Ok(about) if about.is_dir() => Err("cannot be read: it is a directory".to_owned()),
        Ok(about) if about.is_file() => Ok(()),
        // It is read more than once, and by rooms that would wait for whoever writes to it.
        Ok(_) => Err("cannot be read: it is a pipe or a device, and must be a file".to_owned()),
        Err(error) => Err(cannot_read(error.kind())),
    }
}
