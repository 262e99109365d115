//! The documents that are written from the configuration structs: the example file and the JSON Schema.
//! `UPDATE=1 cargo nextest run -p userd --test config_documents` rewrites them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may stop at the first surprise, and reads UPDATE"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use userd::{
    config::{Config, Sources},
    wiring::checks,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The document in the repository, written anew first when `UPDATE` is set.
fn document(path: &str, wanted: &str) -> String {
    let path = root().join(path);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, wanted).unwrap();
    }
    fs::read_to_string(&path).unwrap_or_default()
}

const STALE: &str = "stale; run: UPDATE=1 cargo nextest run -p userd --test config_documents";

#[test]
fn the_example_file_says_what_the_code_says() {
    let wanted = Config::example();
    assert!(document("config.example.yaml", &wanted) == wanted, "config.example.yaml is {STALE}");
}

#[test]
fn the_schema_document_says_what_the_code_says() {
    let wanted = Config::schema();
    let found = document("docs/config.schema.json", &format!("{wanted:#}\n"));
    // The order of keys depends on features of other crates in the same build.
    assert!(serde_json::from_str::<Value>(&found).ok() == Some(wanted), "docs/config.schema.json is {STALE}");
}

fn load(yaml: &str) -> Config {
    try_load(yaml).unwrap()
}

fn try_load(yaml: &str) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.yaml");
    fs::write(&file, yaml).unwrap();
    let sources = Sources { file: Some(file), ..Sources::default() };
    checks::load(sources).map(|loaded| loaded.config).map_err(|errors| errors.to_string())
}

#[test]
fn the_example_file_is_the_defaults() {
    assert_eq!(load(&Config::example()).show().unwrap(), Config::development().show().unwrap());
}

/// The example with its commented-out provider and document made to count.
fn example_with_its_items() -> String {
    let lists = [("", "providers"), ("  ", "documents"), ("  ", "permissions"), ("  ", "declared")];
    lists.iter().fold(Config::example(), |example, (indent, list)| with_item(&example, indent, list))
}

/// A list with its commented-out item made to count; `indent` stands before each line of its section.
fn with_item(example: &str, indent: &str, list: &str) -> String {
    let (before, rest) = example.split_once(&format!("{indent}{list}: []\n")).unwrap();
    let mut text = format!("{before}{indent}{list}:\n");
    let mut inside = true;
    for line in rest.lines() {
        inside = inside && line.starts_with(&format!("{indent}#"));
        let item = line.strip_prefix(&format!("{indent}#   ")).filter(|_| inside);
        text.push_str(&item.map_or_else(|| line.to_owned(), |item| format!("{indent}  {item}")));
        text.push('\n');
    }
    text
}

#[test]
fn the_example_provider_is_well_formed_and_says_more_than_one_kind_takes() {
    let missing = try_load(&example_with_its_items()).unwrap_err();
    assert!(missing.contains("providers.0.client_secret_file: cannot be read: no such file"), "{missing}");
    let refusal = try_load(&example_with_its_items().replace("/run/secrets/corp", "")).unwrap_err();
    assert!(refusal.lines().all(|line| line.contains("means nothing to the kind oidc")), "{refusal}");
}

#[test]
fn every_key_of_the_schema_is_in_the_example_and_no_other() {
    let parsed: Value = serde_saphyr::from_str(&example_with_its_items()).unwrap();
    let (mut in_example, mut in_schema) = (BTreeSet::new(), BTreeSet::new());
    keys_of_value(&parsed, "", &mut in_example);
    keys_of_schema(&Config::schema(), "", &mut in_schema);
    assert_eq!(in_example, in_schema);
    assert!(in_schema.contains("tokens.access_ttl") && in_schema.contains("providers.*.endpoints.jwks"));
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn keys_of_value(value: &Value, path: &str, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                keys.insert(join(path, key));
                keys_of_value(value, &join(path, key), keys);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys_of_value(item, &join(path, "*"), keys)),
        _ => {}
    }
}

fn keys_of_schema(schema: &Value, path: &str, keys: &mut BTreeSet<String>) {
    if let Some(items) = schema.get("items") {
        keys_of_schema(items, &join(path, "*"), keys);
    }
    for (key, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        keys.insert(join(path, key));
        keys_of_schema(schema, &join(path, key), keys);
    }
}

/// ASVS V2.1.3
#[test]
fn every_key_is_described_and_bounded() {
    fn look(schema: &Value, path: &str) {
        let has = |schema: &Value, names: &[&str]| names.iter().all(|name| schema.get(name).is_some());
        for (key, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let path = join(path, key);
            assert!(has(schema, &["description"]), "{path} is not described");
            let bounded = match schema["type"].as_str() {
                Some("integer") => has(schema, &["minimum", "maximum"]),
                Some("string") if schema["format"] == "period" => has(schema, &["x-range"]),
                Some("string") => ["format", "enum", "maxLength"].iter().any(|bound| has(schema, &[bound])),
                Some("array") => has(schema, &["maxItems"]),
                Some("boolean" | "object") => true,
                // A text or a list of texts.
                None => has(schema, &["maxLength", "maxItems"]),
                _ => false,
            };
            assert!(bounded, "{path} has no bounds, or a type that nobody checks: {schema}");
            look(schema, &path);
            look(&schema["items"], &path);
        }
    }
    look(&Config::schema(), "");
}
