//! The arrows between crates: userd → {http, pages} → web → services → {storage, crypto, providers, channels, templates, cache} → model, services → passkeys, and
//! {crypto, providers, channels} → jose, {providers, channels} → outbound, {web, jose} → strict-json. All others are
//! errors.

use std::collections::BTreeSet;

use crate::source::{CRATES, none, tree};

/// What a crate may depend on, by folder name.
fn allowed(name: &str) -> &'static [&'static str] {
    match name {
        "model" | "strict-json" | "outbound" | "passkeys" => &[],
        "jose" => &["strict-json"],
        "storage" | "cache" | "templates" => &["model"],
        "crypto" => &["jose", "model"],
        "providers" | "channels" => &["outbound", "jose", "model"],
        "services" => &["storage", "crypto", "providers", "channels", "templates", "cache", "passkeys", "model"],
        // Web maps what services refuse to problems, and asks them whose a token is.
        "web" => &["services", "model", "strict-json"],
        "http" => &["web", "services", "model"],
        // Pages and the API do not know each other: both stand on web.
        "pages" => &["web", "services", "model"],
        // The wiring knows every room.
        "userd" => &[
            "http",
            "pages",
            "web",
            "services",
            "storage",
            "storage-ydb",
            "crypto",
            "providers",
            "channels",
            "outbound",
            "templates",
            "cache",
            "passkeys",
            "model",
        ],
        // Stand-ins are other people's servers; they share the signatures with us, nothing else.
        "stand-ins" => &["jose", "model"],
        "storage-ydb" => &["storage", "model"],
        // The tests of the binary; of our own code it knows the test databases.
        "test-support" => &["storage"],
        // Other people's server as well: it shares nothing with us.
        "ydb-emulator" => &[],
        other => panic!("crates/{other} is new: name its arrows here and in docs/architecture.md"),
    }
}

/// Optional ones, in features that tests alone ask for: what is shipped has none of them
/// (`dependencies.rs`, the builds with YDB and without).
const OF_TESTS: [(&str, &str); 3] =
    [("services", "storage-ydb"), ("services", "ydb-emulator"), ("test-support", "ydb-emulator")];

fn dependencies(name: &str) -> BTreeSet<String> {
    let manifest: toml::Table = tree().read(&format!("crates/{name}/Cargo.toml")).unwrap().parse().unwrap();
    let own = |key: &String| key.strip_prefix("userd-").or((key == "ydb-emulator").then_some(key)).map(str::to_owned);
    let is_of_tests = |(key, how): &(&String, &toml::Value)| {
        let optional = how.get("optional").and_then(toml::Value::as_bool) == Some(true);
        optional && own(key).is_some_and(|other| OF_TESTS.contains(&(name, other.as_str())))
    };
    let all = manifest["dependencies"].as_table().unwrap().iter();
    all.filter(|dependency| !is_of_tests(dependency)).filter_map(|(key, _)| own(key)).collect()
}

#[test]
fn every_crate_is_known_here() {
    let mut found: Vec<_> = std::fs::read_dir(tree().root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, CRATES, "name the crate in xtask/tests/house/source.rs");
}

#[test]
fn crates_depend_only_along_the_arrows() {
    let mut wrong = Vec::new();
    for name in CRATES {
        for other in dependencies(name) {
            if !allowed(name).contains(&other.as_str()) {
                wrong.push(format!("crates/{name}/Cargo.toml: {name} → {other}"));
            }
        }
    }
    none("an arrow that docs/architecture.md does not have", wrong);
}

#[test]
fn nothing_that_is_shipped_depends_on_stand_ins_or_chores() {
    let of_tests = ["stand-ins", "test-support", "ydb-emulator"];
    let depends = |name: &&&str| of_tests.iter().any(|other| dependencies(name).contains(*other));
    none("these belong to tests", CRATES.iter().filter(depends).map(|name| (*name).to_owned()).collect());
}

#[test]
fn the_lowest_rooms_stand_alone() {
    for name in ["strict-json", "model", "outbound", "passkeys"] {
        assert!(dependencies(name).is_empty(), "{name}");
    }
}
