//! Ten thousand spoiled configurations from a fixed seed. Each mutant knows whether it must be refused or which value it
//! must have; none may panic, take long, or have a secret in what is said about it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may stop at the first surprise, and this one measures how long a refusal takes"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use userd::config::{Config, ConfigErrors, Loaded, Sources};

const MUTANTS: usize = 10_000;
const SHARES: usize = 4;
/// Part of every secret of the unspoiled configuration.
const CANARY: &str = "c4n4ry";

/// The unspoiled configuration: every kind of value at least once, every secret a canary.
fn healthy() -> Value {
    json!({
        "http": { "listen": "127.0.0.1:8080", "public_url": "https://id.example.org", "trusted_proxies": ["10.0.0.0/8"],
                  "cors_origins": ["https://app.example.org"], "drain_delay": "5s", "request_timeout": "30s",
                  "max_connections": 20000, "body_limit_kib": 64 },
        "database": { "url": "postgres://userd:c4n4ry-db@db.example/userd", "pool_size": 16, "acquire_timeout": "2s",
                      "idle_timeout": "10m", "statement_cache": true },
        "cache": { "url": "rediss://:c4n4ry-redis@cache.example:6379/0", "timeout": "50ms", "key_prefix": "u:",
                   "memory_mib": 64, "limit_cells": 100000 },
        "crypto": { "master_key_command": ["vault", "c4n4ry-argument"] },
        "tokens": { "issuer": "https://id.example.org", "audience": "userd", "access_ttl": "10m", "refresh_ttl": "30d",
                    "algorithm": "ES256", "rotation_period": "30d", "publish_before": "1h", "verified_cache_entries": 1000 },
        "passwords": { "min_length": 12, "argon2": { "memory_kib": 19456, "iterations": 2, "parallelism": 1 },
                       "workers": 2, "queue": 64, "queue_timeout": "10s", "pepper": "c4n4ry-pepper", "context_words": ["acme"] },
        "sessions": { "max_per_user": 100, "max_lifetime": "365d" },
        "rate_limits": { "enabled": true, "password_per_account": "20 then one per 15m" },
        "registration": { "mode": "approval", "email_confirmation": "required" },
        "accounts": { "restore_window": "30d" },
        "sign_in": { "return_to": ["https://app.example.org/in", "org.example.app:/in"] },
        "mail": { "url": "smtps://u:c4n4ry-mail@mail.example:465", "from": "Id <no-reply@example.org>" },
        "telegram": { "bot_token": "1:c4n4ry-bot", "bot_username": "example_bot", "api_base_url": "https://api.telegram.org",
                      "proxy": "socks5h://u:c4n4ry-proxy@proxy.example:1080", "webhook_secret": "c4n4ry-hook" },
        "providers": [
            { "id": "ya", "kind": "yandex", "client_id": "a", "client_secret": "c4n4ry-ya", "trust_email": true },
            { "id": "corp", "kind": "oidc", "client_id": "b", "client_secret": "c4n4ry-corp", "issuer": "https://corp.example",
              "scopes": ["openid", "email"], "allowed_domains": ["example.org"], "require_nonce": false,
              "endpoints": { "token": "https://corp.example/token" }, "token_auth": "post" }
        ],
        "log": { "format": "json", "level": "info,userd_storage=debug", "rotation": "hourly", "keep": 7, "buffer_lines": 4096 }
    })
}

/// What must come of a mutant.
enum Fate {
    /// Refused.
    Refused,
    /// Refused, and the key is named.
    RefusedAt(String),
    /// Accepted, and the key has this value.
    Has(String, Value),
    /// Either; if accepted, then with exactly the values that another YAML reader finds in it.
    AsWritten,
}

struct Mutant {
    what: &'static str,
    text: String,
    fate: Fate,
}

/// xorshift64*: the same mutants in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() >> 33).unwrap() % end
    }

    fn one<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }
}

type Steps = Vec<String>;

/// A share of the mutants, so that the shares run side by side.
fn no_spoiled_configuration_starts_with_a_wrong_value(share: u64) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.yaml");
    let mut without_providers = healthy();
    without_providers.as_object_mut().unwrap().remove("providers");
    // A provider is built to be checked, which takes long without optimisation; a few mutants have some.
    let benches = [Bench::new(dir.path(), healthy()), Bench::new(dir.path(), without_providers)];
    let mut dice = Dice(0x7573_6572_6421 + share);
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    for number in 0..MUTANTS / SHARES {
        let Mutant { what, text, fate } = benches[usize::from(number % 25 > 0)].mutant(&mut dice);
        fs::write(&file, &text).unwrap();
        let begun = Instant::now();
        let outcome = Config::load(Sources { file: Some(file.clone()), ..Sources::default() });
        slowest = slowest.max(begun.elapsed());
        *tally.entry(what).or_default() += 1;
        judge(fate, outcome, &text, &format!("mutant {number} of share {share} ({what})"));
    }
    assert!(tally.len() >= 17, "some mutation never happened: {tally:?}");
    assert!(slowest < Duration::from_secs(1), "the slowest took {slowest:?}");
}

#[test]
fn no_spoiled_configuration_starts_with_a_wrong_value_first_share() {
    no_spoiled_configuration_starts_with_a_wrong_value(1);
}

#[test]
fn no_spoiled_configuration_starts_with_a_wrong_value_second_share() {
    no_spoiled_configuration_starts_with_a_wrong_value(2);
}

#[test]
fn no_spoiled_configuration_starts_with_a_wrong_value_third_share() {
    no_spoiled_configuration_starts_with_a_wrong_value(3);
}

#[test]
fn no_spoiled_configuration_starts_with_a_wrong_value_fourth_share() {
    no_spoiled_configuration_starts_with_a_wrong_value(4);
}

fn judge(fate: Fate, outcome: Result<Loaded, ConfigErrors>, text: &str, name: &str) {
    let config = match outcome {
        Ok(loaded) => loaded.config,
        Err(errors) => {
            let said = format!("{errors} {errors:?}");
            assert!(!said.contains(CANARY), "{name}: a secret is echoed\n{text}\n{said}");
            match fate {
                Fate::Refused | Fate::AsWritten => {}
                Fate::RefusedAt(key) => assert!(said.contains(&key), "{name}: {key} is not named\n{text}\n{said}"),
                Fate::Has(key, _) => panic!("{name}: refused, {key} is lawful\n{text}\n{said}"),
            }
            return;
        }
    };
    let shown = serde_json::to_value(&config).unwrap();
    match fate {
        Fate::Refused | Fate::RefusedAt(_) => panic!("{name}: accepted\n{text}\n{shown:#}"),
        Fate::Has(key, value) => assert_eq!(find(&shown, &key), Some(&value), "{name}: {key}\n{text}"),
        Fate::AsWritten => {
            let read: Value = serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
            agree(&read, &shown, "", &|| format!("{name}:\n{text}"));
        }
    }
}

/// Everything that the other reader found must be in the configuration, as it stands there.
fn agree(read: &Value, shown: &Value, path: &str, around: &dyn Fn() -> String) {
    match (read, shown) {
        (Value::Object(read), _) => {
            for (key, read) in read {
                let here = format!("{path}.{key}");
                let shown = shown.get(key).unwrap_or_else(|| panic!("{here} is not there\n{}", around()));
                agree(read, shown, &here, around);
            }
        }
        (Value::Array(read), Value::Array(shown)) => {
            assert_eq!(read.len(), shown.len(), "{path}\n{}", around());
            read.iter().zip(shown).for_each(|(read, shown)| agree(read, shown, path, around));
        }
        // `audience: 5` is the text "5" here; an empty section is one with defaults.
        (Value::Number(_) | Value::Bool(_) | Value::Null, Value::String(_) | Value::Object(_) | Value::Array(_)) => {}
        (Value::String(_), Value::String(text)) if text.contains("********") || text == "[hidden]" => {}
        (Value::String(read), Value::String(shown)) => {
            let same = read == shown || same_length_of_time(read, shown) || same_address(read, shown);
            assert!(same, "{path}: {read} became {shown}\n{}", around());
        }
        _ => assert_eq!(read, shown, "{path}\n{}", around()),
    }
}

fn same_length_of_time(read: &str, shown: &str) -> bool {
    let period = |text: &str| text.rsplit(' ').next().and_then(|text| text.parse::<userd::config::Period>().ok());
    period(read).is_some_and(|read| period(shown) == Some(read))
}

fn same_address(read: &str, shown: &str) -> bool {
    let url = |text: &str| url::Url::parse(text).ok();
    let address = |text: &str| text.parse::<std::net::SocketAddr>().ok();
    let network = |text: &str| text.parse::<userd::config::Cidr>().ok();
    url(read).is_some_and(|read| url(shown) == Some(read))
        || address(read).is_some_and(|read| address(shown) == Some(read))
        || network(read).is_some_and(|read| network(shown) == Some(read))
}

struct Bench {
    healthy: Value,
    schema: Value,
    dir: PathBuf,
    leaves: Vec<(Steps, Value)>,
    /// Keys with a range, and their schema.
    ranged: Vec<(Steps, Value)>,
    sections: Vec<Steps>,
}

impl Bench {
    fn new(dir: &Path, healthy: Value) -> Self {
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
    fn one_of_ours<T: Clone>(&self, dice: &mut Dice, items: &[T], key: impl Fn(&T) -> &str) -> T {
        loop {
            let item = dice.one(items);
            if !key(&item).contains("providers") || self.healthy.get("providers").is_some() {
                return item;
            }
        }
    }

    fn mutant(&self, dice: &mut Dice) -> Mutant {
        match dice.below(20) {
            0 | 1 => self.other_type(dice),
            2 | 3 => self.outside_range(dice),
            4 => self.at_the_edge(dice),
            5 => self.unknown_key(dice),
            6 => self.key_given_twice(dice),
            7 => self.misspelt_key(dice),
            8 | 9 => self.truncated(dice),
            10 | 11 => self.flipped(dice),
            12 => self.lines_shuffled(dice),
            13 => self.bad_text(dice),
            14 => self.unreadable_file(dice),
            15 => self.twin(dice),
            16 => self.anchors(dice),
            17 => self.deep_or_huge(dice),
            18 => self.contradiction(dice),
            _ => self.untouched(dice),
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

    fn with(&self, path: &[String], value: Value) -> String {
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

    fn other_type(&self, dice: &mut Dice) -> Mutant {
        let (path, _) = dice.one(&self.leaves);
        let schema = self.schema_of(&path);
        let mut replacements = match schema["type"].as_str().unwrap() {
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
            _ => vec![json!(["a"]), json!({ "a": 1 }), json!([]), json!({}), Value::Null],
        };
        // `key:` with nothing behind it leaves a key at its default where nothing may be given.
        replacements.retain(|value| !value.is_null() || schema.get("x-may-be-empty").is_none());
        let text = self.with(&path, dice.one(&replacements));
        Mutant { what: "other type", text, fate: Fate::RefusedAt(path.join(".")) }
    }

    fn outside_range(&self, dice: &mut Dice) -> Mutant {
        let (path, schema) = dice.one(&self.ranged);
        let value = match (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
            (Some(least), Some(most)) => {
                let wrong = [json!(least - 1), json!(most + 1), json!(u64::MAX), json!(i64::MIN), json!("0x7fffffff")];
                dice.one(&wrong)
            }
            _ => json!(dice.one(&[
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

    fn at_the_edge(&self, dice: &mut Dice) -> Mutant {
        let (path, schema) = dice.one(&self.ranged);
        let upper = dice.below(2);
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

    fn unknown_key(&self, dice: &mut Dice) -> Mutant {
        let mut path = dice.one(&self.sections);
        let name = format!("{}_{}", dice.one(&["key", "use", "x", "password", "ttl"]), dice.below(1000));
        path.push(name);
        let value =
            dice.one(&[json!(1), json!("c4n4ry"), json!({ "c4n4ry": "c4n4ry" }), Value::Null, json!([])]).clone();
        Mutant { what: "unknown key", text: self.with(&path, value), fate: Fate::RefusedAt(path.join(".")) }
    }

    fn misspelt_key(&self, dice: &mut Dice) -> Mutant {
        let (path, value) = dice.one(&self.leaves);
        let Some(at) = path.iter().rposition(|step| step.parse::<usize>().is_err()) else { unreachable!() };
        let key = &path[at];
        let place = 1 + dice.below(key.len() - 1);
        let wrong = match dice.below(4) {
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
            return self.unknown_key(dice);
        }
        parent.insert(wrong, if at + 1 == path.len() { value } else { json!([]) });
        Mutant { what: "misspelt key", text: yaml(&root, 0), fate: Fate::Refused }
    }

    fn key_given_twice(&self, dice: &mut Dice) -> Mutant {
        let text = yaml(&self.healthy, 0);
        let lines: Vec<&str> = text.lines().collect();
        let scalars: Vec<usize> = (0..lines.len())
            .filter(|at| !lines[*at].ends_with(':') && !lines[*at].trim_start().starts_with('-'))
            .collect();
        let at = dice.one(&scalars);
        let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
        let copy = lines[at].clone();
        lines.insert(at + 1, copy);
        Mutant { what: "key given twice", text: lines.join("\n"), fate: Fate::Refused }
    }

    fn truncated(&self, dice: &mut Dice) -> Mutant {
        let text = yaml(&self.healthy, 0);
        let end = dice.below(text.len());
        Mutant { what: "truncated", text: text[..end].to_owned(), fate: Fate::AsWritten }
    }

    fn flipped(&self, dice: &mut Dice) -> Mutant {
        let mut bytes = yaml(&self.healthy, 0).into_bytes();
        for _ in 0..=dice.below(3) {
            let at = dice.below(bytes.len());
            let byte = dice.one(b" \t\n:#-'\"{}[],&*!|>%@`?0a9.~\\");
            match dice.below(3) {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => {
                    bytes.remove(at);
                }
            }
        }
        // Without the canary, because a flip inside a secret makes another secret, and outside makes a key of one.
        let text = String::from_utf8(bytes).unwrap().replace(CANARY, "s");
        Mutant { what: "bytes flipped", text, fate: Fate::AsWritten }
    }

    fn lines_shuffled(&self, dice: &mut Dice) -> Mutant {
        let text = yaml(&self.healthy, 0);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let at = dice.below(lines.len());
        match dice.below(3) {
            0 => {
                lines.remove(at);
            }
            1 => lines[at] = format!("  {}", lines[at]),
            _ => {
                let other = dice.below(lines.len());
                lines.swap(at, other);
            }
        }
        Mutant { what: "lines moved", text: lines.join("\n"), fate: Fate::AsWritten }
    }

    fn bad_text(&self, dice: &mut Dice) -> Mutant {
        let wrong: &[(&str, &[&str])] = &[
            (
                "http.listen",
                &["8080", "localhost:8080", ":8080", "127.0.0.1", "127.0.0.1:65536", "300.0.0.1:1", "127.0.0.1:8080 "],
            ),
            (
                "http.public_url",
                &[
                    "id.example.org",
                    "ftp://id.example.org",
                    "https://id.example.org/path",
                    "https://id.example.org?x=1",
                    "https://u:c4n4ry@id.example.org",
                    "https:id.example.org",
                    "https://",
                    "https://id.example.org/#",
                    " https://id.example.org",
                ],
            ),
            ("http.trusted_proxies.0", &["10.0.0.0/33", "10.0.0.1/8", "example.org", "", "10.0.0.0/8,11.0.0.0/8", "*"]),
            (
                "http.cors_origins.0",
                &["*", "null", "https://*.example.org", "https://app.example.org/x", "app.example.org"],
            ),
            (
                "database.url",
                &[
                    "",
                    "mysql://db.example/c4n4ry",
                    "postgres:/db",
                    "postgres://",
                    "sqlite://",
                    "sqlite:///",
                    "sqlite:memory:",
                    "grpc:///local",
                    "file:db",
                    "postgres://u:c4n4ry@db.example",
                ],
            ),
            ("cache.url", &["", "redis://", "memory://x", "memcached://host", "redis//host", "redis+cluster://"]),
            (
                "tokens.issuer",
                &[
                    "http://id.example.org",
                    "https://id.example.org/#a",
                    "https://u:c4n4ry@id.example.org",
                    "id",
                    "https://id.example.org/?a=b",
                ],
            ),
            ("tokens.algorithm", &["eddsa", "none", "HS256", "", "ES512", "EdDSA,ES256"]),
            ("registration.mode", &["Open", "true", "", "anyone"]),
            (
                "rate_limits.password_per_account",
                &[
                    "20",
                    "20/15m",
                    "0 then one per 15m",
                    "20 then one per 2d",
                    "20 then one per 0s",
                    "x then one per 1m",
                    "1000001 then one per 1m",
                ],
            ),
            ("mail.url", &["mail.example", "http://mail.example", "smtp://", "smtp:/mail.example"]),
            (
                "mail.from",
                &[
                    "nobody",
                    "a@",
                    "@b",
                    "a b@c.example",
                    "a@b.example\nBcc: c@d.example",
                    "<a@b.example>",
                    "a@b@c.example",
                ],
            ),
            ("telegram.api_base_url", &["http://api.telegram.org", "api.telegram.org", ""]),
            ("telegram.bot_username", &["@example_bot", "a b", "x"]),
            ("telegram.proxy", &["proxy.example:1080", "socks4://proxy.example", "ftp://proxy.example"]),
            ("telegram.bot_token", &[" ", "\t"]),
            (
                "providers.0.id",
                &["", "Ya", "a.b", "a/b", "..", "ё", "corp", "email", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
            ),
            ("providers.0.kind", &["Yandex", "saml", "", "facebook"]),
            ("providers.0.client_id", &[""]),
            ("providers.1.issuer", &["", "http://corp.example", "corp.example", "https://corp.example/#x"]),
            ("providers.1.allowed_domains.0", &["example", "@example.org", "*.example.org", "-a.example", "a..b"]),
            ("providers.1.endpoints.token", &["http://corp.example/token", "/token", "javascript:alert(1)"]),
            (
                "sign_in.return_to.0",
                &[
                    "",
                    "http://app.example.org",
                    "javascript:alert(1)",
                    "app:/x",
                    "https://app.example.org/x?y=1",
                    "//app.example.org",
                    "https://u@app.example.org/",
                ],
            ),
            ("log.level", &["", "loud", "INFO2", "userd=", "=info", "info,,debug", "a b=info"]),
            ("log.format", &["text", "JSON", ""]),
            ("cache.key_prefix", &[""]),
            ("tokens.audience", &["", "a\u{0}b", "a\nb"]),
        ];
        let (key, values) = self.one_of_ours(dice, wrong, |(key, _)| key);
        let path: Steps = key.split('.').map(str::to_owned).collect();
        let value = json!(dice.one(values));
        let end = if path[0] == "providers" {
            1
        } else {
            path.iter().rposition(|step| step.parse::<usize>().is_err()).unwrap() + 1
        };
        let named = path[..end].join(".");
        Mutant { what: "text that is no such thing", text: self.with(&path, value), fate: Fate::RefusedAt(named) }
    }

    fn unreadable_file(&self, dice: &mut Dice) -> Mutant {
        let empty = self.dir.join("empty");
        fs::write(&empty, "\n").unwrap();
        let binary = self.dir.join("binary");
        fs::write(&binary, [0xff, 0xfe, 0x80]).unwrap();
        let absent = self.dir.join("absent");
        let inputs = ["database.ca_file", "http.tls.certificate_file", "providers.1.ca_file", "cache.ca_file"];
        let secrets = [
            ("telegram.bot_token_file", "/telegram/bot_token"),
            ("providers.0.client_secret_file", "/providers/0/client_secret"),
        ];
        let as_text = |path: &Path| json!(path.to_str().unwrap());
        if dice.below(2) == 0 {
            let path: Steps = self.one_of_ours(dice, &inputs, |key| key).split('.').map(str::to_owned).collect();
            let mut root = self.healthy.clone();
            root["http"]["tls"] = json!({});
            let (key, parent) = path.split_last().unwrap();
            root.pointer_mut(&pointer_of(parent)).unwrap()[key] = as_text(dice.one(&[&absent, &self.dir]));
            return Mutant { what: "unreadable file", text: yaml(&root, 0), fate: Fate::RefusedAt(path.join(".")) };
        }
        let (key, plain) = self.one_of_ours(dice, &secrets, |(key, _)| key);
        let mut root = self.healthy.clone();
        let (parent, name) = plain.rsplit_once('/').unwrap();
        let parent = root.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        parent.remove(name);
        parent.insert(format!("{name}_file"), as_text(dice.one(&[&empty, &binary, &absent, &self.dir])));
        Mutant { what: "unreadable secret", text: yaml(&root, 0), fate: Fate::RefusedAt((*key).to_owned()) }
    }

    fn twin(&self, dice: &mut Dice) -> Mutant {
        let keys = [
            "telegram.bot_token_file",
            "providers.0.client_secret_file",
            "database.url_file",
            "mail.url_file",
            "passwords.pepper_file",
            "cache.url_file",
        ];
        let path = self.one_of_ours(dice, &keys, |key| key);
        let path: Steps = path.split('.').map(str::to_owned).collect();
        let file = self.dir.join("twin");
        fs::write(&file, "c4n4ry-twin").unwrap();
        let text = self.with(&path, json!(file.to_str().unwrap()));
        Mutant { what: "both twins", text, fate: Fate::RefusedAt(path.join(".")) }
    }

    fn anchors(&self, dice: &mut Dice) -> Mutant {
        let text = match dice.below(4) {
            0 => {
                let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
                for pair in b"abcdefghij".windows(2) {
                    let (from, to) = (char::from(pair[0]), char::from(pair[1]));
                    bomb.push_str(&format!("{to}: &{to} [{}]\n", vec![format!("*{from}"); 9].join(", ")));
                }
                bomb
            }
            1 => format!("{}extra: &loop [*loop]\n", yaml(&self.healthy, 0)),
            2 => yaml(&self.healthy, 0).replace("audience: \"userd\"", "audience: &c4n4ry userd"),
            _ => yaml(&self.healthy, 0).replace(
                "\"c4n4ry-pepper\"",
                dice.one(&["*c4n4ry", "!c4n4ry x", "&c4n4ry x", "@c4n4ry", "`c4n4ry", "%c4n4ry\n%"]),
            ),
        };
        Mutant { what: "anchors and tags", text, fate: Fate::Refused }
    }

    fn deep_or_huge(&self, dice: &mut Dice) -> Mutant {
        let text = match dice.below(4) {
            0 => "[".repeat(20 + dice.below(50_000)),
            1 => format!("{}: 1", "{a".repeat(30 + dice.below(1_000))),
            2 => (0..30 + dice.below(100)).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect(),
            _ => format!("log: {{}}\n{}", "- - - - -\n".repeat(100 + dice.below(1_000))),
        };
        Mutant { what: "deep", text, fate: Fate::Refused }
    }

    fn contradiction(&self, dice: &mut Dice) -> Mutant {
        let wrong = [
            ("tokens.access_ttl", json!("1d")),
            ("mail.from", json!("")),
            ("tokens.rotation_period", json!("1h")),
            ("providers.0.token_auth", json!("private_key_jwt")),
            ("providers.0.kind", json!("ok")),
            ("providers.0.kind", json!("apple")),
            ("providers.0.kind", json!("oauth2")),
            ("providers.0.kind", json!("oidc")),
            ("crypto.master_key", json!("c4n4ry")),
            ("crypto.master_key_file", json!("data/master.key")),
        ];
        let (key, value) = self.one_of_ours(dice, &wrong, |(key, _)| key);
        let path: Steps = key.split('.').map(str::to_owned).collect();
        let mut root = self.healthy.clone();
        root["tokens"]["refresh_ttl"] = json!("2h");
        let (key, parent) = path.split_last().unwrap();
        root.pointer_mut(&pointer_of(parent)).unwrap()[key] = value.clone();
        Mutant { what: "contradiction", text: yaml(&root, 0), fate: Fate::RefusedAt(path[0].clone()) }
    }

    fn untouched(&self, dice: &mut Dice) -> Mutant {
        let shown: Vec<_> = self.leaves.iter().filter(|(_, value)| !value.to_string().contains(CANARY)).collect();
        let (path, value) = dice.one(&shown);
        Mutant { what: "untouched", text: yaml(&self.healthy, 0), fate: Fate::Has(path.join("."), value.clone()) }
    }
}

fn pointer_of(path: &[String]) -> String {
    path.iter().map(|step| format!("/{step}")).collect()
}

fn find<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.pointer(&format!("/{}", key.replace('.', "/")))
}

/// Block YAML with quoted text, one key per line.
fn yaml(value: &Value, depth: usize) -> String {
    let pad = "  ".repeat(depth);
    let child = |key: String, value: &Value| match value {
        Value::Object(map) if !map.is_empty() => format!("{pad}{key}\n{}", yaml(value, depth + 1)),
        Value::Array(items) if !items.is_empty() => format!("{pad}{key}\n{}", yaml(value, depth + 1)),
        scalar => format!("{pad}{key} {scalar}\n"),
    };
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| child(format!("{}:", key_text(key)), value)).collect(),
        Value::Array(items) => items.iter().map(|value| child("-".to_owned(), value)).collect(),
        scalar => format!("{pad}{scalar}\n"),
    }
}

fn key_text(key: &str) -> String {
    if key.ends_with(' ') { format!("{key:?}") } else { key.to_owned() }
}
