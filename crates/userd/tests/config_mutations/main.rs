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

mod documents;
mod meanings;
mod mutants;
mod rng;

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use serde_json::Value;
use userd::{
    config::{ConfigErrors, Loaded, Sources},
    wiring::checks,
};

use crate::{
    documents::healthy,
    mutants::{Bench, Fate, Mutant},
    rng::Rng,
};

const MUTANTS: usize = 10_000;
const SHARES: usize = 4;
/// Part of every secret of the unspoiled configuration.
const CANARY: &str = "c4n4ry";

/// A share of the mutants, so that the shares run side by side.
fn no_spoiled_configuration_starts_with_a_wrong_value(share: u64) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.yaml");
    let mut without_providers = healthy();
    without_providers.as_object_mut().unwrap().remove("providers");
    // A provider is built to be checked, which takes long without optimisation; a few mutants have some.
    let benches = [Bench::new(dir.path(), healthy()), Bench::new(dir.path(), without_providers)];
    let mut rng = Rng(0x7573_6572_6421 + share);
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    for number in 0..MUTANTS / SHARES {
        let Mutant { what, text, fate } = benches[usize::from(number % 25 > 0)].mutant(&mut rng);
        fs::write(&file, &text).unwrap();
        let begun = Instant::now();
        let outcome = checks::load(Sources { file: Some(file.clone()), ..Sources::default() });
        slowest = slowest.max(begun.elapsed());
        *tally.entry(what).or_default() += 1;
        judge(fate, outcome, &text, &format!("mutant {number} of share {share} ({what})"));
    }
    assert!(tally.len() >= 17, "some mutation never happened: {tally:?}");
    assert!(slowest < Duration::from_secs(1), "the slowest took {slowest:?}");
}

/// F19: spoiled configurations, a quarter of ten thousand.
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
        // A list of one where a text is enough is shown as the text.
        (Value::Array(read), Value::String(_)) if read.len() == 1 => agree(&read[0], shown, path, around),
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

fn find<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.pointer(&format!("/{}", key.replace('.', "/")))
}
