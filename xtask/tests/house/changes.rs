//! A change is made in one way: `crates/services/src/change.rs` opens the unit of work, writes the events and revocations,
//! and does what must follow the commit. Where the raw form is written, the second half can be forgotten.

use crate::source::{code, none, production};

/// The one place of the raw form.
const HOME: &str = "crates/services/src/change.rs";

/// What a use case must not do itself.
const RAW: &[&str] =
    &[".transact(", ".store.transact(", "Event {", ".announce(", "revocations().insert(", "outbox().push("];

/// Where the raw form stands all the same: the file, and why. One that no longer does fails the test until it is taken out.
const EXCEPTIONS: &[(&str, &str)] = &[(
    "crates/services/src/start.rs",
    "the very first start makes the system secrets: no service exists yet, and nobody is to be told",
)];

#[test]
fn a_change_is_made_in_one_way() {
    let mut raw = Vec::new();
    let mut idle: Vec<_> = EXCEPTIONS.iter().map(|(path, _)| *path).collect();
    for source in production("services").iter().filter(|source| source.path != HOME) {
        let text = code(source).into_iter().map(|(_, line)| line).collect::<Vec<_>>().join("\n");
        let found: Vec<_> = RAW.iter().filter(|raw| writes(&text, raw)).collect();
        let before = idle.len();
        idle.retain(|path| *path != source.path || found.is_empty());
        if !found.is_empty() && idle.len() == before {
            raw.push(format!("{}: {found:?}", source.path));
        }
    }
    none("only crates/services/src/change.rs may: a use case asks its `Change`", raw);
    none(
        "makes its changes in the one way now: take it out of EXCEPTIONS",
        idle.into_iter().map(str::to_owned).collect(),
    );
}

/// Whether `raw` is written, over line ends too; `Event {` as a literal, not as the end of another name, of a signature
/// (`-> Event {`) or of an `impl`.
fn writes(text: &str, raw: &str) -> bool {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.replace(" .", ".").replace("( ", "(");
    text.match_indices(raw).any(|(at, _)| {
        let before = text[..at].trim_end_matches(' ');
        let is_name = raw.starts_with(char::is_alphabetic);
        let continues = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let declares = ["->", "impl", "for", "struct"].iter().any(|word| before.ends_with(word));
        !is_name || !(continues || declares)
    })
}

#[test]
fn the_raw_form_is_seen_over_line_ends_and_a_signature_is_none() {
    assert!(writes("let it = store\n    .transact(\n    |u|", ".transact("));
    assert!(writes("uow.revocations()\n  .insert(&entry)", "revocations().insert("));
    assert!(writes("let event = Event {\n id", "Event {"));
    assert!(!writes("fn ended() -> Event {\n f()", "Event {"));
    assert!(!writes("KeyEvent { a }", "Event {"));
    assert!(!writes("impl Event {\n", "Event {"));
}
