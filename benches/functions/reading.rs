//! What is read and parsed: the configuration at a start, names and addresses at a sign-in.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on stops")]

use divan::Bencher;
use userd::{
    config::{Config, Sources},
    wiring::checks,
};
use userd_model::{Email, Login, Username};

fn main() {
    divan::main();
}

/// The whole example file: every key, checked against the schema and the rules.
#[divan::bench]
fn configuration(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    std::fs::write(&file, Config::example()).unwrap();
    let sources = || Sources { file: Some(file.clone()), default_file: None, variables: Vec::new(), flags: Vec::new() };
    bencher.with_inputs(sources).bench_values(|sources| checks::load(sources).unwrap());
}

#[divan::bench(args = ["somebody.with.a.name@mail.example", "кто-то@почта.рф", "someone@почта.рф"])]
fn email(text: &str) -> bool {
    Email::parse(divan::black_box(text)).is_ok()
}

#[divan::bench(args = ["somebody_42", "Аркадий"])]
fn username(text: &str) -> bool {
    Username::parse(divan::black_box(text)).is_ok()
}

#[divan::bench]
fn login() -> Login {
    Login::parse(divan::black_box("somebody.with.a.name@mail.example"))
}
