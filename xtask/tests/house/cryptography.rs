//! What is compiled into the program, as far as security rests on it: cryptographic crates are in the inventory, no
//! pattern is made of input, sums are checked.

use std::{collections::BTreeSet, process::Command};

use crate::{
    outside::shipped as shipped_rooms,
    rules::{quoted, table},
    source::{CRATES, code, identifiers, none, production, tree},
};

/// The crates compiled into the program.
fn shipped() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--package", "userd", "--target", "x86_64-unknown-linux-gnu"])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(tree().root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let names: BTreeSet<_> = lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert!(names.len() > 100, "cargo tree says less than it should: {}", names.len());
    names
}

/// Parts of names that cryptography goes by.
const CRYPTOGRAPHIC: &[&str] = &[
    "aead",
    "aes",
    "argon",
    "aws-lc",
    "bcrypt",
    "blake",
    "chacha",
    "cipher",
    "cmov",
    "const-oid",
    "crypt",
    "crypto",
    "ctutils",
    "curve25519",
    "digest",
    "dsa",
    "ecdh",
    "ed25519",
    "elliptic",
    "getrandom",
    "ghash",
    "hkdf",
    "hmac",
    "jsonwebtoken",
    "keccak",
    "md-5",
    "md5",
    "ml-kem",
    "openssl",
    "p256",
    "p384",
    "pbkdf",
    "pkcs",
    "poly1305",
    "rand",
    "ring",
    "rsa",
    "rustls",
    "scrypt",
    "sec1",
    "sha1",
    "sha2",
    "sha3",
    "signature",
    "spki",
    "subtle",
    "x509",
    "zeroize",
];

/// Names that hold such a part by chance, or are macros of a crate that is listed.
const NOT: &[&str] = &["spring", "string", "stringprep", "zeroize_derive", "der_derive", "rustversion"];

/// ASVS V11.1.2, V11.1.3, V11.1.4
#[test]
fn every_cryptographic_crate_is_in_the_inventory() {
    let inventory = tree().read("docs/security/cryptography.md").unwrap();
    let is_cryptographic = |name: &&String| {
        !name.starts_with("userd")
            && !NOT.contains(&name.as_str())
            && CRYPTOGRAPHIC.iter().any(|part| {
                name.split(['-', '_']).any(|word| word.starts_with(part)) || name.contains(part) && part.len() > 4
            })
    };
    let shipped = shipped();
    let found: Vec<_> = shipped.iter().filter(is_cryptographic).collect();
    assert!(found.len() > 15, "the search finds nothing any more: {found:?}");
    none(
        "add it to docs/security/cryptography.md, with what it is for",
        found.into_iter().filter(|name| !inventory.contains(&format!("`{name}`"))).cloned().collect(),
    );
    let crates = inventory.split("## Crates").nth(1).unwrap().split("\n## ").next().unwrap();
    let named = crates.split('`').skip(1).step_by(2);
    none(
        "named in docs/security/cryptography.md and not compiled into the program",
        named.filter(|name| !shipped.contains(*name)).map(str::to_owned).collect(),
    );
    assert!(inventory.contains("## After quantum computers"));
}

/// Patterns would have to be written down, and matched in time that grows with the text alone.
/// ASVS V1.2.9, V1.3.12
#[test]
fn no_pattern_is_made_of_input() {
    let backtracking = ["fancy-regex", "onig", "pcre2", "regress"];
    none(
        "a pattern engine that can be made to backtrack",
        shipped().into_iter().filter(|name| backtracking.contains(&name.as_str())).collect(),
    );
    let mut made = Vec::new();
    for name in CRATES {
        for source in production(name) {
            let lines =
                code(&source).into_iter().filter(|(_, line)| line.contains("Regex") || line.contains("regex::"));
            made.extend(lines.map(|(number, line)| format!("{}:{number}: {line}", source.path)));
        }
    }
    none("match by hand, as parsers here do", made);
}

/// A sum that overflows ends its request instead of going round; release builds included.
/// ASVS V1.4.2
#[test]
fn shipped_programs_check_their_arithmetic() {
    let manifest: toml::Table = tree().read("Cargo.toml").unwrap().parse().unwrap();
    assert_eq!(manifest["profile"]["release"]["overflow-checks"].as_bool(), Some(true));
    let dist = &manifest["profile"]["dist"];
    assert_eq!(dist["inherits"].as_str(), Some("release"));
    assert!(dist.get("overflow-checks").is_none_or(|checks| checks.as_bool() == Some(true)));
}

/// Beginnings of the names by which algorithms are asked for.
const ALGORITHMS: &[&str] = &[
    "AES_",
    "CHACHA20_",
    "ECDSA_",
    "ED25519",
    "HMAC_",
    "PBKDF2_",
    "RSA_",
    "Rsa2",
    "Rsa3",
    "Rsa4",
    "SHA1",
    "SHA2",
    "SHA3",
    "SHA5",
];

/// Whatever is asked for has at least 128 bits of security, but for the keys that providers choose.
#[test]
fn every_algorithm_that_is_asked_for_is_told_with_its_level() {
    let mut asked = BTreeSet::new();
    for source in shipped_rooms().iter().flat_map(|name| production(name)) {
        let code: Vec<_> = code(&source).into_iter().map(|(_, line)| line).collect();
        let names = identifiers(&code.join("\n")).into_iter();
        asked.extend(names.filter(|name| ALGORITHMS.iter().any(|begin| name.starts_with(begin))));
    }
    let mut told = BTreeSet::new();
    let mut low = Vec::new();
    for row in table("docs/security/cryptography.md", "Levels") {
        let bits: u32 = row[1].parse().unwrap();
        let names = quoted(&row[0]);
        low.extend(names.iter().filter(|_| bits < 128).cloned());
        told.extend(names);
    }
    assert_eq!(asked, told);
    assert_eq!(low, ["RSA_PKCS1_2048_8192_SHA256"]);
}

/// Where a hash is compared plainly all the same: the file, what is written there, and why.
const PLAINLY: &[(&str, &str, &str)] = &[
    ("crates/crypto/src/passwords/mod.rs", "hash.pepper_id.as_deref() != pepper", "names of peppers"),
    ("crates/services/src/factors/step_up.rs", "stored.hash != proven.hash", "both are stored"),
    ("crates/services/src/sessions/login.rs", "credential.hash != proven.hash", "both are stored"),
    ("crates/services/src/accounts/password.rs", "stored.hash != *proven", "both are stored"),
    ("crates/services/src/accounts/username.rs", "held.hash == claim.hash", "keyed hashes of names, both of ours"),
    ("crates/services/src/accounts/username.rs", "kept.hash == given_up.hash", "keyed hashes of names, both of ours"),
];

/// Parts of names that secrets and what is made of them go by.
const SECRET: &[&str] =
    &["hash", "secret", "token", "tag", "mac", "digest", "password", "verifier", "signature", "pepper"];

/// Whoever measures how long a comparison takes learns nothing of what was stored.
/// ASVS V11.2.4
#[test]
fn what_is_secret_is_compared_in_constant_time() {
    let is_secret = |operand: &str| {
        let name = operand.rsplit(['.', ':']).next().unwrap_or_default().trim_end_matches("()");
        SECRET.iter().any(|part| name.split('_').any(|word| word == *part))
    };
    let end = |c: char| !(c.is_alphanumeric() || "_.:()*&".contains(c));
    let plain = |line: &str| {
        line.match_indices(" == ").chain(line.match_indices(" != ")).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + 4..]);
            let (left, right) = (before.rsplit(end).next().unwrap(), after.split(end).next().unwrap());
            is_secret(left.trim_end_matches(".as_deref()")) || is_secret(right.trim_matches(['(', ')', '*', '&']))
        })
    };
    let mut idle: BTreeSet<_> = PLAINLY.iter().map(|(path, text, _)| (*path, *text)).collect();
    let mut wrong = Vec::new();
    let crates = ["crypto", "jose", "services", "providers", "channels", "web", "http", "pages"];
    for source in crates.iter().flat_map(|name| production(name)) {
        for (number, line) in code(&source).into_iter().filter(|(_, line)| plain(line)) {
            let known = PLAINLY.iter().find(|(path, text, _)| *path == source.path && line.contains(text));
            match known {
                Some((path, text, _)) => {
                    idle.remove(&(*path, *text));
                }
                None => wrong.push(format!("{}:{number}: {}", source.path, line.trim())),
            }
        }
    }
    none("compare it by constant_time_eq", wrong);
    none(
        "no longer there: take it out of PLAINLY",
        idle.iter().map(|(path, text)| format!("{path}: {text}")).collect(),
    );
}

/// The image holds the program and an empty folder: no source, no history, no shell.
/// ASVS V13.4.1
#[test]
fn the_image_holds_the_program_alone() {
    let dockerfile = tree().read("Dockerfile").unwrap();
    let last = dockerfile.rsplit("\nFROM ").next().unwrap();
    assert!(last.starts_with("gcr.io/distroless/"), "{last}");
    let added: Vec<_> = last.lines().filter(|line| line.starts_with("COPY") || line.starts_with("ADD")).collect();
    assert!(!added.is_empty());
    none(
        "copied into the image from elsewhere than the build's output",
        added
            .iter()
            .filter(|line| !line.contains("--from=build") || !line.contains(" /out/"))
            .map(|l| (*l).to_owned())
            .collect(),
    );
}
