//! deny.toml held against what is built, offline: licences, banned crates, duplicates. `cargo deny` reads the same file
//! and knows advisories as well; this needs no tool.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use semver::{Version, VersionReq};

use crate::source::{none, tree};

struct Package {
    name: String,
    version: Version,
    licence: String,
}

/// What is compiled into anything here, tests included, on the targets of deny.toml.
fn built() -> Vec<Package> {
    built_without(&[])
}

/// The same without the crates that deny.toml takes out, each a thing that must be asked for.
fn built_by_default() -> Vec<Package> {
    built_without(&strings(&deny()["graph"]["exclude"]))
}

fn built_without(left_out: &[String]) -> Vec<Package> {
    let mut lines = BTreeSet::new();
    for target in strings(&deny()["graph"]["targets"]) {
        let output = Command::new(env!("CARGO"))
            .args(["tree", "--offline", "--locked", "--workspace", "--target", &target])
            .args(["--edges", "normal,build,dev", "--prefix", "none", "--format", "{p}|{l}"])
            .args(left_out.iter().flat_map(|name| ["--exclude", name.as_str()]))
            .current_dir(tree().root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        lines.extend(
            String::from_utf8(output.stdout).unwrap().lines().map(|line| line.trim_end_matches(" (*)").to_owned()),
        );
    }
    let packages: Vec<_> = lines.iter().filter(|line| !line.is_empty()).map(|line| package(line)).collect();
    assert!(packages.len() > 100, "cargo tree says less than it should: {}", packages.len());
    packages
}

/// `serde v1.0.229 (proc-macro)|MIT OR Apache-2.0`
fn package(line: &str) -> Package {
    let (package, licence) = line.split_once('|').unwrap();
    let mut words = package.split(' ');
    let (name, version) = (words.next().unwrap(), words.next().unwrap());
    Package {
        name: name.to_owned(),
        version: version.trim_start_matches('v').parse().unwrap(),
        licence: licence.to_owned(),
    }
}

fn deny() -> toml::Table {
    tree().read("deny.toml").unwrap().parse().unwrap()
}

fn strings(value: &toml::Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// An entry of `deny` or `skip`: `name`, `name:<requirement` or `name@version`. Banned crates may come in below its wrappers.
struct Entry {
    name: String,
    versions: VersionReq,
    wrappers: Vec<String>,
}

impl Entry {
    fn covers(&self, package: &Package) -> bool {
        self.name == package.name && self.versions.matches(&package.version)
    }
}

fn entries(list: &str) -> Vec<Entry> {
    let deny = deny();
    let entry = |value: &toml::Value| {
        let spec = value["crate"].as_str().unwrap();
        assert!(value["reason"].as_str().is_some_and(|reason| reason.len() > 5), "deny.toml: {spec} has no reason");
        let (name, versions) = match (spec.split_once(':'), spec.split_once('@')) {
            (Some((name, requirement)), _) => (name, requirement.to_owned()),
            (_, Some((name, version))) => (name, format!("={version}")),
            _ => (spec, "*".to_owned()),
        };
        let wrappers = value.get("wrappers").map(strings).unwrap_or_default();
        Entry { name: name.to_owned(), versions: versions.parse().unwrap(), wrappers }
    };
    deny["bans"][list].as_array().unwrap().iter().map(entry).collect()
}

/// An SPDX expression: `OR` needs one side, `AND` both; `/` is the old `OR`.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = expression.replace('/', " OR ");
    let mut depth = 0_i32;
    let mut parts = vec![String::new()];
    let mut operators = Vec::new();
    for word in expression.replace('(', " ( ").replace(')', " ) ").split_whitespace() {
        depth += i32::from(word == "(") - i32::from(word == ")");
        match word {
            "AND" | "OR" if depth == 0 => {
                operators.push(word.to_owned());
                parts.push(String::new());
            }
            _ => {
                let part = parts.last_mut().unwrap();
                part.push_str(if part.is_empty() { "" } else { " " });
                part.push_str(word);
            }
        }
    }
    if operators.is_empty() {
        let inner = parts[0].strip_prefix("( ").and_then(|part| part.strip_suffix(" )"));
        return inner.map_or_else(|| allowed.contains(&parts[0]), |inner| is_allowed(inner, allowed));
    }
    // AND binds closer: one of the OR groups must be allowed in every part.
    let mut group = is_allowed(&parts[0], allowed);
    let mut any = false;
    for (operator, part) in operators.iter().zip(&parts[1..]) {
        let this = is_allowed(part, allowed);
        if operator == "AND" {
            group &= this;
        } else {
            any |= group;
            group = this;
        }
    }
    any | group
}

#[test]
fn licence_expressions_are_read_as_written() {
    let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
    for good in [
        "MIT",
        "GPL-3.0 OR MIT",
        "Unlicense/MIT",
        "ISC AND (MIT OR GPL-3.0)",
        "Apache-2.0 WITH LLVM-exception OR X",
        "(MIT)",
    ] {
        assert!(is_allowed(good, &allowed), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR X) AND GPL-3.0", "X OR MIT AND GPL-3.0", ""] {
        assert!(!is_allowed(bad, &allowed), "{bad}");
    }
}

#[test]
fn every_licence_is_allowed() {
    let allowed: BTreeSet<_> = strings(&deny()["licenses"]["allow"]).into_iter().collect();
    let wrong = built().into_iter().filter(|package| !is_allowed(&package.licence, &allowed));
    none(
        "a licence that deny.toml does not allow",
        wrong.map(|package| format!("{} {}: {}", package.name, package.version, package.licence)).collect(),
    );
}

/// Which packages of the lock file name each package.
fn users() -> BTreeMap<String, BTreeSet<String>> {
    let lock: toml::Table = tree().read("Cargo.lock").unwrap().parse().unwrap();
    let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock["package"].as_array().unwrap() {
        let user = package["name"].as_str().unwrap();
        for used in package.get("dependencies").map(strings).unwrap_or_default() {
            users.entry(used.split(' ').next().unwrap().to_owned()).or_default().insert(user.to_owned());
        }
    }
    users
}

/// ASVS V11.2.1, V11.4.1
#[test]
fn no_banned_crate_is_built() {
    let (banned, users) = (entries("deny"), users());
    let is_let_in = |entry: &Entry| {
        !entry.wrappers.is_empty()
            && users.get(&entry.name).is_some_and(|of| of.iter().all(|user| entry.wrappers.contains(user)))
    };
    let is_banned = |package: &Package| banned.iter().any(|entry| entry.covers(package) && !is_let_in(entry));
    let found = built_by_default().into_iter().filter(is_banned);
    none("a crate that deny.toml bans", found.map(|package| format!("{} {}", package.name, package.version)).collect());
}

/// ASVS V13.4.2, V15.2.3
#[test]
fn what_is_shipped_is_built_without_the_testing_modules() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--package", "userd", "--target", "x86_64-unknown-linux-gnu"])
        .args(["--edges", "normal,build", "--prefix", "none", "--format", "{p} features={f}"])
        .current_dir(tree().root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(lines.contains("userd-storage "), "{lines}");
    let features = |line: &str| line.rsplit("features=").next().unwrap().replace("(*)", "");
    let with = lines.lines().filter(|line| features(line).split(',').any(|feature| feature.trim() == "testing"));
    none("compiled into the binary with its feature `testing`", with.map(str::to_owned).collect());
}

#[test]
fn every_duplicate_has_a_reason() {
    let skipped = entries("skip");
    let packages = built_by_default();
    let mut versions: BTreeMap<&str, BTreeSet<&Version>> = BTreeMap::new();
    for package in packages.iter().filter(|package| !skipped.iter().any(|entry| entry.covers(package))) {
        versions.entry(&package.name).or_default().insert(&package.version);
    }
    let doubled = versions.into_iter().filter(|(_, versions)| versions.len() > 1);
    none(
        "built in several versions, without a line under `skip` in deny.toml",
        doubled.map(|(name, versions)| format!("{name} {versions:?}")).collect(),
    );
    let idle = skipped.iter().filter(|entry| !packages.iter().any(|package| entry.covers(package)));
    none("skipped in deny.toml, but no longer built", idle.map(|entry| entry.name.clone()).collect());
}

/// ASVS V15.1.2, V15.2.4
#[test]
fn every_crate_comes_from_the_one_registry() {
    let lock: toml::Table = tree().read("Cargo.lock").unwrap().parse().unwrap();
    let allowed: Vec<_> =
        strings(&deny()["sources"]["allow-registry"]).iter().map(|url| format!("registry+{url}")).collect();
    let mut wrong = Vec::new();
    for package in lock["package"].as_array().unwrap() {
        let Some(source) = package.get("source").and_then(toml::Value::as_str) else { continue };
        if !allowed.iter().any(|url| url == source) || package.get("checksum").is_none() {
            wrong.push(format!("{} from {source}", package["name"]));
        }
    }
    none("a source that deny.toml does not allow, or no checksum", wrong);
}

/// The client library of YDB is in builds that ask for it; the usual one does not grow by one crate.
#[test]
fn the_default_build_has_nothing_of_ydb() {
    let found = compiled(&[], &["userd-storage-ydb ", "ydb ", "ydb-grpc ", "tonic ", "ring "]);
    none("in the build that nobody asked more of", found);
}

/// Traces over OTLP likewise, and what they bring stays small: beside OpenTelemetry's own crates the messages' reader.
#[test]
fn the_default_build_has_nothing_of_otlp() {
    let brought = ["opentelemetry", "prost ", "prost-derive ", "futures-executor ", "anyhow ", "itertools "];
    none("in the build that nobody asked more of", compiled(&[], &brought));
    let with_otlp = ["--features", "otlp"];
    assert_eq!(compiled(&with_otlp, &["opentelemetry-otlp "]).len(), 1);
    none("in a build with OTLP", compiled(&with_otlp, &["tonic ", "ring ", "userd-test-support ", "userd-stand-ins "]));
    let (default, whole) = (compiled(&[], &[""]).len(), compiled(&with_otlp, &[""]).len());
    assert!(whole - default <= 12, "{default} crates, with OTLP {whole}");
}

#[test]
fn the_build_with_ydb_has_nothing_of_the_tests() {
    let with_ydb = ["--features", "ydb"];
    assert_eq!(compiled(&with_ydb, &["userd-storage-ydb "]).len(), 1);
    none("in a build with YDB", compiled(&with_ydb, &["ydb-emulator ", "userd-test-support ", "userd-stand-ins "]));
}

/// Packages of a build of the program whose names begin with one of these.
fn compiled(features: &[&str], wanted: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--package", "userd", "--edges", "normal,build", "--prefix", "none"])
        .args(features)
        .current_dir(tree().root())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().count() > 100, "cargo tree says less than it should");
    let lines = text.lines().map(|line| line.trim_end_matches(" (*)"));
    let found: BTreeSet<_> = lines.filter(|line| wanted.iter().any(|name| line.starts_with(name))).collect();
    found.into_iter().map(str::to_owned).collect()
}
