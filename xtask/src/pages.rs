//! Generated pages: written by a chore, and held against what would be written now.

use std::{fmt::Write as _, fs};

use userd_storage::{
    engine::Dialect,
    repositories::{owned::OWNED, statement_texts},
    tables::{Expiry, Owner, TABLES, Table, schema::schema},
};

use userd_model::{
    EventKind,
    event::{Member, MemberType},
};

use userd_storage_ydb::yql::schema as yql;

use crate::tree::Tree;

/// A page and what it should say.
#[derive(Debug)]
pub struct Page {
    /// From the root of the repository.
    pub path: &'static str,
    /// The whole text.
    pub text: String,
    /// The chore that writes it.
    pub chore: &'static str,
}

/// The whole schema of each engine, and every statement, as the declarations of the tables make them.
///
/// # Errors
/// What cannot be said in YQL.
pub fn of_the_schema() -> Result<[Page; 5], String> {
    let page = |path, text| Page { path, text, chore: "schema" };
    Ok([
        page("crates/storage/schema/postgres.sql", schema(Dialect::Postgres)),
        page("crates/storage/schema/sqlite.sql", schema(Dialect::Sqlite)),
        page("crates/storage/schema/statements.sql", statement_texts()),
        page("crates/storage-ydb/schema/schema.yql", yql::schema()?),
        page("crates/storage-ydb/schema/statements.yql", yql::statements()),
    ])
}

/// What other services read about events: each type with its data, and a JSON Schema of them.
#[must_use]
pub fn of_the_events() -> Page {
    let mut text = EVENTS.to_owned();
    text.push_str("\n## Types\n\n| type | subject | when |\n|---|---|---|\n");
    for kind in EventKind::ALL {
        let _ = writeln!(
            text,
            "| [`{}`](#{}) | {} | {} |",
            kind.as_str(),
            anchor(*kind),
            kind.subject(),
            kind.about().trim()
        );
    }
    for kind in EventKind::ALL {
        let _ = write!(text, "\n### {}\n\n{} Its `data`:\n\n", kind.as_str(), kind.about().trim());
        for member in kind.members() {
            let sometimes = if member.required { "" } else { ", sometimes" };
            let _ = writeln!(text, "- `{}` ({}{sometimes}): {}.", member.name, word(member.holds), member.about);
        }
        if kind.members().is_empty() {
            text.push_str("- nothing: an empty object.\n");
        }
        let _ = write!(text, "\n```json\n{:#}\n```\n", data_schema(*kind));
    }
    Page { path: "docs/events.md", text, chore: "events" }
}

const EVENTS: &str = "# Events

Generated from `crates/model/src/event.rs` by `cargo xtask events`.

What happened, for other services: `GET /v1/events` with a token of a service account that has `events.read`. Each event is a
[CloudEvent 1.0](https://github.com/cloudevents/spec) in JSON: `id` to recognise it again, `type`, `subject` (the id of a user, a service
account or a webhook), `time`, `sequence` (grows within a subject; gaps are facts that are not for others) and `data`, ids and words without
personal data. Ask `GET /v1/users/{id}` for the rest.

- `after` is the `next` of the page before; without it the feed begins with the oldest event that is kept (90 days), with `after=now` with the
  next one. `wait` (seconds, to 25) holds an empty answer until there is something. `next` is always there.
- Each committed event comes exactly once per cursor, and those of a subject in their order. Among subjects there is no order but `time`, which
  is a clock's.
- 410 `cursor_expired` names the oldest event that is kept: read what you know anew, and go on from there or from `now`.
- New types and new members come without notice: ignore what you do not know.
";

fn anchor(kind: EventKind) -> String {
    kind.as_str().replace('.', "")
}

const fn word(holds: MemberType) -> &'static str {
    match holds {
        MemberType::Uuid => "an id",
        MemberType::Text => "a text",
        MemberType::Texts => "a list of texts",
        MemberType::Boolean => "true or false",
        MemberType::Number => "a whole number",
        MemberType::Object => "an object",
    }
}

/// JSON Schema (2020-12) of the data of a kind.
fn data_schema(kind: EventKind) -> serde_json::Value {
    let schema = |member: &Member| match member.holds {
        MemberType::Uuid => serde_json::json!({ "type": "string", "format": "uuid" }),
        MemberType::Text => serde_json::json!({ "type": "string" }),
        MemberType::Texts => serde_json::json!({ "type": "array", "items": { "type": "string" } }),
        MemberType::Boolean => serde_json::json!({ "type": "boolean" }),
        MemberType::Number => serde_json::json!({ "type": "integer", "minimum": 0 }),
        MemberType::Object => serde_json::json!({ "type": "object" }),
    };
    let members = kind.members();
    let properties: serde_json::Map<_, _> =
        members.iter().map(|member| (member.name.to_owned(), schema(member))).collect();
    let required: Vec<_> = members.iter().filter(|member| member.required).map(|member| member.name).collect();
    serde_json::json!({ "type": "object", "properties": properties, "required": required })
}

/// What is kept of whom, how long, and how it is erased: from the declarations of the tables.
///
/// # Errors
/// A declaration that cannot be read, or says nothing about its table.
pub fn of_the_retention(tree: &Tree) -> Result<Page, String> {
    let mut text = RETENTION.to_owned();
    for table in TABLES {
        let path = format!("crates/storage/src/tables/{}.rs", table.name);
        let declaration = tree.read(&path).map_err(|error| format!("{path}: {error}"))?;
        let about: Vec<&str> = declaration.lines().filter_map(|line| line.strip_prefix("/// ")).collect();
        if about.is_empty() {
            return Err(format!("{path}: say above the declaration what the table holds"));
        }
        let (whose, erased) = erasure(table)?;
        let _ = writeln!(text, "| `{}` | {} | {whose} | {} | {erased} |", table.name, about.join(" "), kept(table));
    }
    Ok(Page { path: "docs/data-retention.md", text, chore: "retention" })
}

const RETENTION: &str = "# What is kept, how long, and how it is erased

Generated from `crates/storage/src/tables` by `cargo xtask retention`.

Every table of the database. How long is set by `retention.*`, `accounts.restore_window`, `tokens.refresh_ttl` and the lives of links and codes; the
sweeper removes what is over. An account is erased when its window has closed or by `POST /v1/users/{id}/purge`: first its wrapped data key, so
that whatever was sealed under it can be read nowhere any more, in rows that end by time neither; then its rows. Messages on their way are sealed
by the installation's vault and end by their time. What is sealed, and how:
`docs/security/cryptography.md`. Copies outside the database (backups, logs, the ledger of erased accounts): `docs/accounts.md`.

| table | holds | whose | how long | how it is erased |
|---|---|---|---|---|
";

/// Tables whose rows say whose they are and are not found by it: what an erasure leaves of them, and for how long.
const OUTLIVE_THE_ACCOUNT: &[(&str, &str)] = &[
    ("outbox", "by its time; what is personal is sealed under the account's data key"),
    ("fact_numbers", "stays: an id and a number, so that none comes twice"),
    ("appended_numbers", "stays: an id and a number"),
    ("events", "by its time; ids and words, no personal data"),
    ("stream_signals", "by its time; ids and words, no personal data"),
    ("access_request_escalations", "when its moment comes: two ids"),
    ("request_messages", "by its time; ids, and the number of a message in a chat"),
    (
        "deliveries",
        "by its time: what it says is sealed by the installation's vault, not under the account's data key, and can be read until then \
         (`retention.deliveries`, `retention.dead_letters` behind its end)",
    ),
    (
        "mails",
        "by its time: sealed by the installation's vault, not under the account's data key, and can be read until then \
         (`retention.development_mails`)",
    ),
];

/// Whose the rows are, and how they go when their owner does.
///
/// # Errors
/// A table of which that is not known.
fn erasure(table: &Table) -> Result<(String, &'static str), String> {
    let outlives = |name: &str| OUTLIVE_THE_ACCOUNT.iter().find(|(table, _)| *table == name).map(|(_, what)| *what);
    Ok(match table.owner {
        Owner::User { column } => {
            let erased = match table.name {
                "users" => "with the account, after its data key",
                "claims" => "with the account; usernames, imports and the first administrator's stay as keyed hashes",
                _ if OWNED.iter().any(|owned| owned.table.name == table.name) => "with the account",
                other => outlives(other)
                    .ok_or_else(|| format!("{other}: say in xtask/src/pages.rs what an erasure leaves of it"))?,
            };
            (format!("a user's (`{column}`)"), erased)
        }
        Owner::SomeUser => ("somebody's; no column says whose".to_owned(), "by its time"),
        Owner::Client { column } => (format!("a service account's (`{column}`)"), "stays; nothing personal"),
        Owner::System if table.name == "audit_entries" => {
            ("the installation's".to_owned(), "stays; what is personal is sealed under the account's data key")
        }
        Owner::System => ("the installation's".to_owned(), "nothing personal"),
    })
}

/// How long rows stay.
fn kept(table: &Table) -> String {
    match table.expiry {
        Expiry::Never => "as long as what they belong to".to_owned(),
        Expiry::At { column, kept } | Expiry::InShards { column, kept, .. } if kept.is_zero() => {
            format!("until `{column}`")
        }
        Expiry::At { column, kept } | Expiry::InShards { column, kept, .. } => {
            format!("until `{column}`, and {} hours longer", kept.as_secs().div_ceil(3600))
        }
        Expiry::Done { by } => format!("until {by} is done with them"),
    }
}

/// Writes every page.
///
/// # Errors
/// The first that cannot be written.
pub fn write(tree: &Tree, pages: &[Page]) -> Result<String, String> {
    for page in pages {
        fs::write(tree.root().join(page.path), &page.text).map_err(|error| format!("{}: {error}", page.path))?;
    }
    Ok(listed("written", pages))
}

/// Compares every page with what it should say.
///
/// # Errors
/// Every page that is missing or old, with the chore that mends it.
pub fn check(tree: &Tree, pages: &[Page]) -> Result<String, String> {
    let old = |page: &&Page| tree.read(page.path).ok().as_deref() != Some(&page.text);
    let advice = |page: &Page| format!("{} is not current: run `cargo xtask {}`", page.path, page.chore);
    let old: Vec<_> = pages.iter().filter(old).map(advice).collect();
    if old.is_empty() { Ok(listed("current", pages)) } else { Err(old.join("\n")) }
}

fn listed(word: &str, pages: &[Page]) -> String {
    pages.iter().map(|page| format!("{}: {word}", page.path)).collect::<Vec<_>>().join("\n")
}
