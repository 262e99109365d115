//! The JSON Schema of the configuration, derived from the structs and brought into one plain form, in which every key has
//! one type and a bound. What an `Option` makes of a schema, and what the structs of other rooms leave open, is settled
//! here; nothing about single keys is.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as Schema};

use super::Config;

/// Longer than any text that nobody bounded.
const LONGEST_TEXT: u64 = 2_048;
/// More than any list that nobody bounded.
const MOST_ITEMS: u64 = 256;

/// The schema of the whole configuration.
pub(super) fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        let mut schema = settings.into_generator().into_root_schema_for::<Config>();
        schema.insert("title".to_owned(), "Configuration of userd".into());
        let mut schema = schema.to_value();
        settle(&mut schema);
        schema
    });
    &SCHEMA
}

/// The schema of the key or item `step` inside `schema`.
pub(super) fn step<'a>(schema: &'a Schema, step: &str) -> Option<&'a Schema> {
    if let Some(items) = schema.get("items") {
        return step.parse::<usize>().ok().map(|_| items);
    }
    let known = schema.get("properties").and_then(|keys| keys.get(step));
    known.or_else(|| schema.get("additionalProperties").filter(|any| any.is_object()))
}

/// The schema at a path.
pub(super) fn at(steps: &[String]) -> Option<&'static Schema> {
    steps.iter().try_fold(schema(), |schema, next| step(schema, next))
}

/// `object`, `array`, `string`, `integer` or `boolean`.
pub(super) fn kind(schema: &Schema) -> &str {
    let kind = schema.get("type").and_then(|kind| kind.get(0).unwrap_or(kind).as_str());
    kind.unwrap_or("string")
}

/// Whether a list may be given, also where a text is enough.
pub(super) fn may_be_list(schema: &Schema) -> bool {
    schema.get("items").is_some()
}

/// Whether nothing may be given: an empty text, `null`, or no value at all.
pub(super) fn may_be_empty(schema: &Schema) -> bool {
    schema.get("x-may-be-empty").is_some()
}

/// The words that a text must be one of.
pub(super) fn one_of(schema: &Schema) -> Option<Vec<&str>> {
    schema.get("enum").and_then(Schema::as_array).map(|words| words.iter().filter_map(Schema::as_str).collect())
}

fn settle(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    without_null(object);
    words_in_one_list(object);
    if object.get("default").is_some_and(Schema::is_null) {
        object.remove("default");
    }
    match object.get("type").and_then(Schema::as_str) {
        // A section's default is the defaults of its keys; said once.
        Some("object") => {
            object.remove("default");
        }
        Some("array") => {
            object.entry("maxItems").or_insert(MOST_ITEMS.into());
        }
        Some("string") if object.contains_key("writeOnly") => {
            object.entry("format").or_insert("secret".into());
        }
        Some("string") if !["format", "enum"].iter().any(|bound| object.contains_key(*bound)) => {
            object.entry("maxLength").or_insert(LONGEST_TEXT.into());
        }
        _ => {}
    }
    for inner in ["items", "additionalProperties"] {
        object.get_mut(inner).into_iter().for_each(settle);
    }
    if let Some(keys) = object.get_mut("properties").and_then(Schema::as_object_mut) {
        keys.values_mut().for_each(settle);
        files(keys);
    }
}

/// `Option<T>`: the schema of `T`, which may be empty.
fn without_null(object: &mut Map<String, Schema>) {
    let is_null = |schema: &Schema| schema.get("type").and_then(Schema::as_str) == Some("null");
    if let Some(Schema::Array(ways)) = object.get("anyOf").cloned()
        && ways.iter().any(is_null)
        && let Some(Schema::Object(inner)) = ways.into_iter().find(|way| !is_null(way))
    {
        object.remove("anyOf");
        for (name, value) in inner {
            // What the key says about itself counts more than what its type says.
            object.entry(name).or_insert(value);
        }
        object.insert("x-may-be-empty".to_owned(), true.into());
    }
    if let Some(Schema::Array(types)) = object.get("type").cloned()
        && types.iter().any(|name| name.as_str() == Some("null"))
    {
        let real = types.into_iter().find(|name| name.as_str() != Some("null"));
        object.insert("type".to_owned(), real.unwrap_or_else(|| "string".into()));
        object.insert("x-may-be-empty".to_owned(), true.into());
    }
    if let Some(Schema::Array(words)) = object.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
}

/// An enum with a doc line per word: the words, and the doc lines in the description.
fn words_in_one_list(object: &mut Map<String, Schema>) {
    let Some(Schema::Array(ways)) = object.get("oneOf").cloned() else { return };
    let (mut words, mut meanings) = (Vec::new(), Vec::new());
    for way in ways {
        if let Some(Schema::Array(several)) = way.get("enum") {
            words.extend(several.iter().cloned());
        }
        let Some(word) = way.get("const") else { continue };
        if let (Some(word), Some(meaning)) = (word.as_str(), way.get("description").and_then(Schema::as_str)) {
            meanings.push(format!("`{word}`: {}", meaning.replace('\n', " ")));
        }
        words.push(word.clone());
    }
    object.remove("oneOf");
    object.insert("type".to_owned(), "string".into());
    object.insert("enum".to_owned(), Schema::Array(words));
    if !meanings.is_empty() {
        let said = object.get("description").and_then(Schema::as_str).unwrap_or_default();
        let described = format!("{said}\n{}", meanings.join(" "));
        object.insert("description".to_owned(), described.into());
    }
}

/// A key that ends in `_file` names a file that must be there, unless a key of its own takes the content.
fn files(keys: &mut Map<String, Schema>) {
    let names: Vec<String> = keys.keys().cloned().collect();
    for (name, schema) in keys.iter_mut() {
        let Some(plain) = name.strip_suffix("_file") else { continue };
        let Some(object) = schema.as_object_mut().filter(|schema| !schema.contains_key("format")) else { continue };
        let format = if names.iter().any(|name| name == plain) { "path" } else { "readable-file" };
        object.insert("format".to_owned(), format.into());
        object.remove("maxLength");
    }
}
