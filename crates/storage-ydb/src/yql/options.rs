//! How tables and indexes spread: what YDB does not choose well by itself. Without a word it splits by size alone.

use std::time::Duration;

use userd_storage::tables::{Expiry, Table};

/// Tables that every sign-in, refresh or message writes: they begin with several partitions, so that the first hours
/// are not served by one.
const HOT: &[&str] = &[
    "appended_numbers",
    "claims",
    "deliveries",
    "fact_numbers",
    "identities",
    "idempotency_keys",
    "notifications",
    "inboxes",
    "one_time_tokens",
    "outbox",
    "password_credentials",
    "replay_guard",
    "sessions",
    "user_terms",
    "users",
];

/// Tables that are asked for keys that are mostly not there.
const ASKED_IN_VAIN: &[&str] = &["claims", "idempotency_keys", "replay_guard"];

/// Partitions that a hot table begins with, and the most that one is split into.
const FIRST: u32 = 4;
const MOST: u32 = 256;

/// Whether the table is one that is written all the time.
#[must_use]
pub fn is_hot(name: &str) -> bool {
    HOT.contains(&name)
}

/// What stands in `WITH (…)` of a table.
pub(super) fn of_table(name: &str, declared: Option<&Table>) -> String {
    let mut options = partitioning(is_hot(name));
    if ASKED_IN_VAIN.contains(&name) {
        options.push("KEY_BLOOM_FILTER = ENABLED".to_owned());
    }
    if let Some(Expiry::At { column, kept }) = declared.map(|table| table.expiry) {
        options.push(format!("TTL = Interval(\"{}\") ON {column}", period(kept)));
    }
    options.join(", ")
}

/// What an index is set to: it does not inherit from its table.
pub(super) fn of_index(table: &str) -> String {
    let mut options = partitioning(is_hot(table));
    options.retain(|option| !option.starts_with("AUTO_PARTITIONING_BY_SIZE"));
    options.join(", ")
}

fn partitioning(hot: bool) -> Vec<String> {
    let first = if hot { FIRST } else { 1 };
    vec![
        "AUTO_PARTITIONING_BY_SIZE = ENABLED".to_owned(),
        "AUTO_PARTITIONING_BY_LOAD = ENABLED".to_owned(),
        format!("AUTO_PARTITIONING_MIN_PARTITIONS_COUNT = {first}"),
        format!("AUTO_PARTITIONING_MAX_PARTITIONS_COUNT = {MOST}"),
    ]
}

/// ISO 8601.
fn period(span: Duration) -> String {
    match span.as_secs() {
        days if days > 0 && days % 86_400 == 0 => format!("P{}D", days / 86_400),
        seconds => format!("PT{seconds}S"),
    }
}
