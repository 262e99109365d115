//! docs/security/components.md held against what is built: what deserves suspicion is kept where the page says, native code and
//! versions before a release are named, and so is each place that does something dangerous.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use semver::Version;

use crate::{
    outside::{files_with, shipped},
    rules::{quoted, table},
    source::{none, tree},
};

const PAGE: &str = "docs/security/components.md";

/// What is dangerous by itself, by the names of the page, and how it is written.
const DANGEROUS: &[(&str, &[&str])] = &[
    ("programs are started", &["Command::new("]),
    ("markup is passed on as it is", &["PreEscaped("]),
    ("a transport without TLS is made", &["builder_dangerous("]),
    ("a header is written as it was encoded", &["dangerous_new_pre_encoded("]),
    ("templates are compiled", &["Environment::empty(", "Environment::new("]),
    ("YAML is read and written", &["serde_saphyr::"]),
    ("tables of others are read", &["csv::", "maxminddb::"]),
    ("hashes that are too weak are computed", &["HMAC_SHA1", "Md5::"]),
];

/// Which of the crates that are shipped name each component among their dependencies.
fn users() -> BTreeMap<String, BTreeSet<String>> {
    let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for name in shipped() {
        let manifest: toml::Table = tree().read(&format!("crates/{name}/Cargo.toml")).unwrap().parse().unwrap();
        for used in manifest["dependencies"].as_table().unwrap().keys() {
            users.entry(used.clone()).or_default().insert(name.to_owned());
        }
    }
    users
}

/// ASVS V15.1.4, V15.2.5
#[test]
fn what_deserves_suspicion_is_used_where_the_page_says_and_nowhere_else() {
    let (rows, users) = (table(PAGE, "Kept in one place"), users());
    assert!(rows.len() > 10, "the table is no longer read");
    let mut wrong = Vec::new();
    for row in &rows {
        let told = quoted(&row[2]);
        for component in quoted(&row[0]) {
            let found = users.get(&component).cloned().unwrap_or_default();
            if found != told {
                wrong.push(format!("{component}: {found:?}, the page says {told:?}"));
            }
        }
    }
    none("docs/security/components.md names other users of it", wrong);
}

/// ASVS V15.1.4
#[test]
fn native_code_and_versions_before_a_release_are_told() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--package", "userd", "--target", "x86_64-unknown-linux-gnu"])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(tree().root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let suspicious = |line: &str| {
        let (name, rest) = line.split_once(" v")?;
        let version: Version = rest.split(' ').next()?.parse().ok()?;
        (name.ends_with("-sys") || !version.pre.is_empty()).then(|| name.to_owned())
    };
    let found: BTreeSet<_> = lines.lines().filter_map(suspicious).collect();
    assert!(found.contains("libsqlite3-sys"), "what is compiled is no longer read: {found:?}");
    let told: BTreeSet<_> =
        table(PAGE, "Native code, and what is not released yet").iter().flat_map(|row| quoted(&row[0])).collect();
    assert_eq!(told, found);
}

/// ASVS V15.1.5
#[test]
fn each_place_that_does_something_dangerous_is_told() {
    let rows = table(PAGE, "What is dangerous by itself");
    let told: Vec<_> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(told, DANGEROUS.iter().map(|(what, _)| *what).collect::<Vec<_>>());
    for (row, (what, tokens)) in rows.iter().zip(DANGEROUS) {
        assert_eq!(quoted(&row[1]), files_with(tokens), "{what}");
    }
}

/// Within what time a component is replaced, and that no exception lasts for ever.
/// ASVS V15.1.1
#[test]
fn time_frames_are_told_and_exceptions_end() {
    let rows = table(PAGE, "Time frames");
    let days = |row: &Vec<String>| row[1].split(' ').next().and_then(|days| days.parse::<u32>().ok());
    let frames: Vec<_> = rows.iter().filter_map(days).collect();
    assert_eq!((rows.len(), frames.len()), (5, 4), "a number of days for each: {rows:?}");
    assert!(frames.is_sorted() && frames[0] <= 3, "{frames:?}");
    let deny: toml::Table = tree().read("deny.toml").unwrap().parse().unwrap();
    let advisories = deny["advisories"].as_table().unwrap();
    assert_eq!(advisories["yanked"].as_str(), Some("deny"));
    let ends = |entry: &&toml::Value| {
        let reason = entry.get("reason").and_then(toml::Value::as_str).unwrap_or_default();
        let until = reason.split("until ").nth(1).unwrap_or_default();
        until.get(..10).is_some_and(|date| date.split('-').filter_map(|part| part.parse::<u16>().ok()).count() == 3)
    };
    let ignored = advisories.get("ignore").and_then(toml::Value::as_array).into_iter().flatten();
    none(
        "an exception in deny.toml whose reason does not say `until YYYY-MM-DD`",
        ignored.filter(|entry| !ends(entry)).map(ToString::to_string).collect(),
    );
}
