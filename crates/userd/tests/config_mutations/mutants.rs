//! Mutants of form: types, ranges, keys, lines, bytes. Those of meaning are in `meanings`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use userd::config::Config;

use crate::{
    CANARY,
    documents::{pointer_of, yaml},
    rng::Rng,
};

pub(crate) type Steps = Vec<String>;

/// What must come of a mutant.
pub(crate) enum Fate {
    /// Refused.
    Refused,
    /// Refused, and the key is named.
    RefusedAt(String),
    /// Accepted, and the key has this value.
    Has(String, Value),
    /// Either; if accepted, then with exactly the values that another YAML reader finds in it.
    AsWritten,
}

pub(crate) struct Mutant {
    pub(crate) what: &'static str,
    pub(crate) text: String,
    pub(crate) fate: Fate,
}

pub(crate) struct Bench {
    pub(crate) healthy: Value,
    schema: Value,
    pub(crate) dir: PathBuf,
    pub(crate) leaves: Vec<(Steps, Value)>,
    /// Keys with a range, and their schema.
    ranged: Vec<(Steps, Value)>,
    sections: Vec<Steps>,
}

impl Bench {
    pub(crate) fn new(dir: &Path, healthy: Value) -> Self {
        let (leaves, ranged, sections) = (Vec::new(), Vec::new(), Vec::new());
        let mut bench = Self { healthy, schema: Config::schema(), dir: dir.to_owned(), leaves, ranged, sections };
        bench.leaves = bench.all_leaves();
        let schemas = bench.leaves.iter().map(|(path, _)| (path.clone(), bench.schema_of(path).clone()));
        bench.ranged =
            schemas.filter(|(_, schema)| schema.get("x-range").or(schema.get("maximum")).is_some()).collect();
        bench.sections = bench.all_sections();
        bench
    }

    /// One of `items` whose key is in this configuration.
    pub(crate) fn one_of_ours<T: Clone>(&self, rng: &mut Rng, items: &[T], key: impl Fn(&T) -> &str) -> T {
        loop {
            let item = rng.one(items);
            if !key(&item).contains("providers") || self.healthy.get("providers").is_some() {
                return item;
            }
        }
    }

    pub(crate) fn mutant(&self, rng: &mut Rng) -> Mutant {
        match rng.below(20) {
            0 | 1 => self.other_type(rng),
            2 | 3 => self.outside_range(rng),
            4 => self.at_the_edge(rng),
            5 => self.unknown_key(rng),
            6 => self.key_given_twice(rng),
            7 => self.misspelt_key(rng),
            8 | 9 => self.truncated(rng),
            10 | 11 => self.flipped(rng),
            12 => self.lines_shuffled(rng),
            13 => self.bad_text(rng),
            14 => self.unreadable_file(rng),
            15 => self.twin(rng),
            16 => self.anchors(rng),
            17 => self.deep_or_huge(rng),
            18 => self.contradiction(rng),
            _ => self.untouched(rng),
        }
    }

    fn all_leaves(&self) -> Vec<(Steps, Value)> {
        fn walk(value: &Value, path: &mut Steps, leaves: &mut Vec<(Steps, Value)>) {
            let children: Vec<(String, &Value)> = match value {
                Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
                Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
                _ => return leaves.push((path.clone(), value.clone())),
            };
            for (key, value) in children {
                path.push(key);
                walk(value, path, leaves);
                path.pop();
            }
        }
        let mut leaves = Vec::new();
        walk(&self.healthy, &mut Vec::new(), &mut leaves);
        leaves
    }

    fn schema_of(&self, path: &[String]) -> &Value {
        path.iter().fold(&self.schema, |schema, step| match schema.get("items") {
            Some(items) => items,
            None => &schema["properties"][step],
        })
    }

    pub(crate) fn with(&self, path: &[String], value: Value) -> String {
        let mut root = self.healthy.clone();
        let pointer = format!("/{}", path.join("/"));
        if let Some(place) = root.pointer_mut(&pointer) {
            *place = value;
        } else {
            let (key, parent) = path.split_last().unwrap();
            let parent = root.pointer_mut(&pointer_of(parent)).unwrap();
            parent.as_object_mut().unwrap().insert(key.clone(), value);
        }
        yaml(&root, 0)
    }

    fn other_type(&self, rng: &mut Rng) -> Mutant {
        let (path, _) = rng.one(&self.leaves);
        let schema = self.schema_of(&path);
        let mut replacements = match schema["type"].as_str().unwrap_or("text or list") {
            "integer" => vec![
                json!("many"),
                json!("12"),
                json!(true),
                json!(1.5),
                json!(-1),
                json!([]),
                json!({}),
                Value::Null,
                json!(""),
            ],
            "boolean" => {
                vec![json!("true"), json!("yes"), json!(0), json!(1), json!([true]), json!({}), Value::Null, json!("")]
            }
            "text or list" => vec![json!([""]), json!([["a"]]), json!({ "a": 1 }), json!([]), json!({}), Value::Null],
            _ => vec![json!(["a"]), json!({ "a": 1 }), json!([]), json!({}), Value::Null],
        };
        // `key:` with nothing behind it leaves a key at its default where nothing may be given.
        replacements.retain(|value| !value.is_null() || schema.get("x-may-be-empty").is_none());
        let text = self.with(&path, rng.one(&replacements));
        Mutant { what: "other type", text, fate: Fate::RefusedAt(path.join(".")) }
    }

    fn outside_range(&self, rng: &mut Rng) -> Mutant {
        let (path, schema) = rng.one(&self.ranged);
        let value = match (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
            (Some(least), Some(most)) => {
                let wrong = [json!(least - 1), json!(most + 1), json!(u64::MAX), json!(i64::MIN), json!("0x7fffffff")];
                rng.one(&wrong)
            }
            _ => json!(rng.one(&[
                "4000d",
                "99999999999999999999d",
                "18446744073709551615d",
                "-1s",
                "5",
                "5 m",
                "m",
                "1m1h",
                "1.5h",
                "1s1s"
            ])),
        };
        Mutant { what: "outside its range", text: self.with(&path, value), fate: Fate::RefusedAt(path.join(".")) }
    }

    fn at_the_edge(&self, rng: &mut Rng) -> Mutant {
        let (path, schema) = rng.one(&self.ranged);
        let upper = rng.below(2);
        let value = match schema.get("x-range") {
            Some(range) => range[upper].clone(),
            None => schema[["minimum", "maximum"][upper]].clone(),
        };
        let mut root = self.healthy.clone();
        *root.pointer_mut(&pointer_of(&path)).unwrap() = value.clone();
        // Other keys give way, so that only the edge is tried.
        let key = path.join(".");
        if !matches!(
            key.as_str(),
            "tokens.access_ttl"
                | "tokens.refresh_ttl"
                | "sessions.max_lifetime"
                | "tokens.publish_before"
                | "tokens.rotation_period"
        ) {
            return Mutant { what: "at the edge", text: yaml(&root, 0), fate: Fate::Has(key, value) };
        }
        root["tokens"]["access_ttl"] = json!("30s");
        root["tokens"]["publish_before"] = json!("1m");
        *root.pointer_mut(&pointer_of(&path)).unwrap() = value.clone();
        let contradicts = key == "tokens.publish_before" && upper == 1;
        let fate = if contradicts { Fate::RefusedAt(key) } else { Fate::Has(key, value) };
        Mutant { what: "at the edge", text: yaml(&root, 0), fate }
    }

    fn all_sections(&self) -> Vec<Steps> {
        let mut sections: Vec<Steps> = vec![Vec::new()];
        for (path, _) in &self.leaves {
            for end in 1..path.len() {
                let section = path[..end].to_vec();
                if !sections.contains(&section) && self.healthy.pointer(&pointer_of(&section)).unwrap().is_object() {
                    sections.push(section);
                }
            }
        }
        sections
    }

    fn unknown_key(&self, rng: &mut Rng) -> Mutant {
        let mut path = rng.one(&self.sections);
        let name = format!("{}_{}", rng.one(&["key", "use", "x", "password", "ttl"]), rng.below(1000));
        path.push(name);
        let value =
            rng.one(&[json!(1), json!("c4n4ry"), json!({ "c4n4ry": "c4n4ry" }), Value::Null, json!([])]).clone();
        Mutant { what: "unknown key", text: self.with(&path, value), fate: Fate::RefusedAt(path.join(".")) }
    }

    fn misspelt_key(&self, rng: &mut Rng) -> Mutant {
        let (path, value) = rng.one(&self.leaves);
        let Some(at) = path.iter().rposition(|step| step.parse::<usize>().is_err()) else { unreachable!() };
        let key = &path[at];
        let place = 1 + rng.below(key.len() - 1);
        let wrong = match rng.below(4) {
            0 => format!("{}{}", &key[..place], &key[place + 1..]),
            1 => format!("{}q{}", &key[..place], &key[place..]),
            2 => key.to_ascii_uppercase(),
            _ => key.replace('_', "-") + " ",
        };
        let mut root = self.healthy.clone();
        let parent = root.pointer_mut(&pointer_of(&path[..at])).unwrap().as_object_mut().unwrap();
        parent.remove(key);
        let legal =
            self.schema_of(&path[..at])["properties"].get(wrong.trim_end()).is_some() && wrong == wrong.trim_end();
        if legal || wrong.trim_end() == key {
            return self.unknown_key(rng);
        }
        parent.insert(wrong, if at + 1 == path.len() { value } else { json!([]) });
        Mutant { what: "misspelt key", text: yaml(&root, 0), fate: Fate::Refused }
    }

    fn key_given_twice(&self, rng: &mut Rng) -> Mutant {
        let text = yaml(&self.healthy, 0);
        let lines: Vec<&str> = text.lines().collect();
        let scalars: Vec<usize> = (0..lines.len())
            .filter(|at| !lines[*at].ends_with(':') && !lines[*at].trim_start().starts_with('-'))
            .collect();
        let at = rng.one(&scalars);
        let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
        let copy = lines[at].clone();
        lines.insert(at + 1, copy);
        Mutant { what: "key given twice", text: lines.join("\n"), fate: Fate::Refused }
    }

    fn truncated(&self, rng: &mut Rng) -> Mutant {
        let text = yaml(&self.healthy, 0);
        let end = rng.below(text.len());
        Mutant { what: "truncated", text: text[..end].to_owned(), fate: Fate::AsWritten }
    }

    fn flipped(&self, rng: &mut Rng) -> Mutant {
        let mut bytes = yaml(&self.healthy, 0).into_bytes();
        for _ in 0..=rng.below(3) {
            let at = rng.below(bytes.len());
            let byte = rng.one(b" \t\n:#-'\"{}[],&*!|>%@`?0a9.~\\");
            match rng.below(3) {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => {
                    bytes.remove(at);
                }
            }
        }
        // Without the canary, because a flip inside a secret makes another secret, and outside makes a key of one.
        let text = String::from_utf8(bytes).unwrap().replace(CANARY, "secret");
        Mutant { what: "bytes flipped", text, fate: Fate::AsWritten }
    }

    fn lines_shuffled(&self, rng: &mut Rng) -> Mutant {
        let text = yaml(&self.healthy, 0);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let at = rng.below(lines.len());
        match rng.below(3) {
            0 => {
                lines.remove(at);
            }
            1 => lines[at] = format!("  {}", lines[at]),
            _ => {
                let other = rng.below(lines.len());
                lines.swap(at, other);
            }
        }
        Mutant { what: "lines moved", text: lines.join("\n"), fate: Fate::AsWritten }
    }
}
