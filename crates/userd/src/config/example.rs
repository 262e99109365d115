//! The example file: every key with its meaning, its range and its default, written from the schema so that it cannot
//! go stale.

use serde_json::Value as Schema;

use super::{
    Config, Origin, RegistrationConfig, RolesConfig,
    report::Findings,
    schema::{kind, may_be_empty, one_of, step},
    tree::{Entry, Node, Value},
    yaml,
};

const WIDTH: usize = 116;

const HEAD: &str = "\
# Every key of userd with its default. Copy what you change to config.yaml; what is left out keeps its default.
#
# Sources, later ones win: this file (--config, else $USERD_CONFIG, else ./config.yaml), the environment, flags.
# Environment: USERD__HTTP__LISTEN=0.0.0.0:8080, USERD__PROVIDERS__0__CLIENT_SECRET=... Flags: --set http.listen=...
# Every secret `x` can be given as a file instead: `x_file`. Not both.
# Lengths of time: 500ms, 30s, 10m, 1h30m, 30d. Empty text (\"\") means none. Relative paths: from the working directory.
# `userd config check` says what is wrong, `userd config show` what counts.
";

/// The example for the whole schema. The structs give the order of keys, the schema what they mean.
pub(super) fn render(schema: &Schema) -> String {
    let mut text = HEAD.to_owned();
    for Entry { key, node, .. } in entries(&in_order()) {
        if let Some(schema) = step(schema, key) {
            text.push('\n');
            write_entry(&mut text, "", key, node, schema);
        }
    }
    text
}

/// The defaults, one document, one role and one provider, in the order in which the structs name their keys.
fn in_order() -> Node {
    let sample = serde_json::json!({
        "id": "corp", "kind": "oidc", "display_name": "Example", "client_id": "userd",
        "client_secret_file": "/run/secrets/corp", "issuer": "https://id.example.org",
        "apple": { "team_id": "ABCDE12345" }, "telegram": {}, "mapping": {},
    });
    let document = serde_json::json!({
        "id": "terms", "version": "2026-11", "url": "https://example.org/terms", "required": true,
    });
    let documents = serde_json::from_value(document).into_iter().collect();
    let registration = RegistrationConfig { documents, ..RegistrationConfig::default() };
    let providers = serde_json::from_value(sample).into_iter().collect();
    let permission = serde_json::json!({ "name": "cms.write", "description": "Write articles" });
    let role = serde_json::json!({ "name": "editor", "description": "Writes the news", "requestable": true });
    let permissions = serde_json::from_value(permission).into_iter().collect();
    let declared = serde_json::from_value(role).into_iter().collect();
    let roles = RolesConfig { permissions, declared, ..RolesConfig::default() };
    let config = Config { providers, registration, roles, ..Config::default() };
    let yaml = config.show().unwrap_or_default();
    yaml::compose(&yaml, "", &|_, _| Origin::Default, &mut Findings::default())
        .unwrap_or_else(|| Node::map(Origin::Default))
}

fn entries(node: &Node) -> &[Entry] {
    match &node.value {
        Value::Map(entries) => entries,
        _ => &[],
    }
}

/// `indent` goes before every line; for commented-out entries it begins with `#`.
fn write_entry(text: &mut String, indent: &str, key: &str, node: &Node, schema: &Schema) {
    comment(text, indent, schema);
    match &node.value {
        Value::Map(entries) => {
            line(text, indent, &format!("{key}:"));
            write_entries(text, &format!("{indent}  "), entries, schema);
        }
        Value::List(items) => {
            line(text, indent, &format!("{key}: []"));
            if let (Some(item), Some(schema)) = (items.first(), schema.get("items")) {
                let mut lines = String::new();
                write_entries(&mut lines, "", entries(item), schema);
                line(text, indent, "# One item, with every key:");
                line(text, indent, "#   -");
                lines.lines().for_each(|row| line(text, indent, &format!("#     {row}")));
            }
        }
        Value::Scalar { text: value, .. } => {
            let nothing = node.is_nothing() && may_be_empty(schema);
            let value = match kind(schema) {
                "string" if nothing => "\"\"".to_owned(),
                "string" => quoted_if_needed(value),
                "array" => "[]".to_owned(),
                _ => value.to_string(),
            };
            line(text, indent, &format!("{key}: {value}"));
        }
    }
}

fn write_entries(text: &mut String, indent: &str, entries: &[Entry], schema: &Schema) {
    for Entry { key, node, .. } in entries {
        if let Some(schema) = step(schema, key) {
            write_entry(text, indent, key, node, schema);
        }
    }
}

fn comment(text: &mut String, indent: &str, schema: &Schema) {
    let description = schema.get("description").and_then(Schema::as_str).unwrap_or_default();
    let range = range(schema).map(|range| format!("[{range}]"));
    let mut row = String::new();
    for word in description.split_whitespace().chain(range.as_deref()) {
        if !row.is_empty() && indent.len() + row.len() + word.len() + 2 > WIDTH {
            line(text, indent, &format!("#{row}"));
            row.clear();
        }
        row.push(' ');
        row.push_str(word);
    }
    line(text, indent, &format!("#{row}"));
}

fn range(schema: &Schema) -> Option<String> {
    if let Some([least, most]) = schema.get("x-range").and_then(Schema::as_array).map(Vec::as_slice) {
        return Some(format!("{} to {}", least.as_str()?, most.as_str()?));
    }
    if let Some(words) = one_of(schema) {
        return Some(words.join(" | "));
    }
    match kind(schema) {
        "integer" => Some(format!("{} to {}", schema.get("minimum")?, schema.get("maximum")?)),
        _ => None,
    }
}

fn quoted_if_needed(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || " _./-".contains(c);
    let safe =
        text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(word) && text.parse::<f64>().is_err();
    if safe { text.to_owned() } else { format!("{text:?}") }
}

fn line(text: &mut String, indent: &str, content: &str) {
    text.push_str(indent);
    text.push_str(content);
    text.push('\n');
}
