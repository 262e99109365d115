//! docs/security/properties.md: what the configuration decides about safety, with its defaults: limits, lifetimes, waits,
//! connections, secrets. Taken from the schema of the configuration, so that no number stands in two places.

use std::fmt::Write;

use serde_json::Value;

use crate::tree::Tree;

/// A key of the configuration.
struct Key {
    path: String,
    format: String,
    default: String,
    description: String,
}

/// A table of the page: which keys, and what is said about them.
struct Section {
    title: &'static str,
    text: &'static str,
    takes: fn(&Key) -> bool,
}

const SECTIONS: &[Section] = &[
    Section {
        title: "Limits on attempts and sizes",
        text: "An attempt is counted before it is looked at and given back when it was right, so a storm gets no more than the \
               burst. Of random secrets (service accounts, links, invitations, codes of a sign-in) only wrong ones are counted, \
               and a right one passes whatever its neighbours have shown. A lock is a delay; a device that has signed in to an account before has a count of its own, so nobody locks \
               an owner out. The dear work is hashing passwords: it has a fixed number of threads, a bounded queue, and gives way \
               to every other route. Beyond these, a body has at most 64 KiB (of permission checks 512), an address 8 KiB, a list 200 items.",
        takes: |key| key.format == "rate" || is_one_of(&key.path, &LIMITS),
    },
    Section {
        title: "Lifetimes of sessions, tokens and keys",
        text: "A session that is not refreshed for `tokens.refresh_ttl` has ended (inactivity), and none outlives \
               `sessions.max_lifetime` (absolute). NIST SP 800-63B asks for 30 days at AAL1, and 12 hours with 30 minutes of \
               inactivity at AAL2: where that is wanted, set the two keys so. Sensitive changes ask for a sign-in of the last five \
               minutes whatever the session's age.",
        takes: |key| key.format == "period" && (key.path.starts_with("tokens.") || is_one_of(&key.path, &LIFETIMES)),
    },
    Section {
        title: "Waits, and what happens at their end",
        text: "Every call to something else has a bound. The database: a unit of work is tried again after a conflict, at most \
               twelve times within five seconds, with a random wait; then 503. The cache: this process goes on with its own memory, \
               and asks again after a pause. A provider: the sign-in ends with `provider_unavailable`; it is not tried again, \
               because codes work once. A request that takes too long is answered 503.",
        takes: |key| key.format == "period" && !key.path.starts_with("tokens.") && !is_one_of(&key.path, &LIFETIMES),
    },
    Section {
        title: "Connections at the same time",
        text: "At its limit the listener leaves further connections in the system's queue, a pool makes callers wait for \
               `database.acquire_timeout` and then answers 503, the hashing queue answers 503 at once.",
        takes: |key| is_one_of(&key.path, &CONNECTIONS),
    },
    Section {
        title: "What the service talks to",
        text: "Nothing else is called. Providers (`providers`) add the addresses of their kind or of their discovery document; those \
               that a document names are never private ones.",
        takes: |key| key.format.ends_with("url") || key.format == "web-origin" || key.format == "socket-address",
    },
    Section {
        title: "Secrets, and how they are replaced",
        text: "Each may come from a file. The master key: `userd keys rewrap` with `crypto.previous_master_key_files`, once a year \
               and when somebody leaves who knew it. Signing keys: by themselves, every `tokens.rotation_period`, or \
               `userd keys rotate` and `revoke`. Secrets of services: `POST /v1/clients/{id}/rotate-secret`. Secrets at providers \
               and of the bot: there, then here. The pepper: stays.",
        takes: |key| key.format == "secret",
    },
];

const LIMITS: [&str; 4] = ["passwords.workers", "passwords.queue", "sessions.max_per_user", "rate_limits.enabled"];
const LIFETIMES: [&str; 2] = ["sessions.max_lifetime", "accounts.restore_window"];
const CONNECTIONS: [&str; 3] = ["http.max_connections", "database.pool_size", "passwords.queue"];

fn is_one_of(path: &str, names: &[&str]) -> bool {
    names.contains(&path)
}

/// The page.
///
/// # Errors
/// A schema that cannot be read.
pub(super) fn page(tree: &Tree, generated: &str) -> Result<String, String> {
    let keys = keys(tree)?;
    let mut page = format!(
        "# Security properties of the configuration\n\n{generated}\n\nWhat decides about safety, with what counts when nothing is \
         said. `docs/operations.md` tells how to set it.\n"
    );
    for section in SECTIONS {
        let _ = write!(page, "\n## {}\n\n{}\n\n| key | default | |\n|---|---|---|\n", section.title, section.text);
        for key in keys.iter().filter(|key| (section.takes)(key)) {
            let _ = writeln!(page, "| `{}` | {} | {} |", key.path, key.default, super::cell(&key.description));
        }
    }
    Ok(page)
}

/// The keys of these formats that stand in no table.
///
/// # Errors
/// A schema that cannot be read.
pub fn forgotten(tree: &Tree) -> Result<Vec<String>, String> {
    let of_interest =
        |key: &&Key| ["rate", "period", "secret"].contains(&key.format.as_str()) || key.format.ends_with("url");
    let keys = keys(tree)?;
    let forgotten = keys.iter().filter(of_interest).filter(|key| !SECTIONS.iter().any(|section| (section.takes)(key)));
    Ok(forgotten.map(|key| key.path.clone()).collect())
}

fn keys(tree: &Tree) -> Result<Vec<Key>, String> {
    const SCHEMA: &str = "docs/config.schema.json";
    let schema: Value = serde_json::from_str(&tree.read(SCHEMA)?).map_err(|error| format!("{SCHEMA}: {error}"))?;
    let mut keys = Vec::new();
    collect(&schema, "", &mut keys);
    Ok(keys)
}

fn collect(schema: &Value, path: &str, keys: &mut Vec<Key>) {
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if member["properties"].is_object() {
            collect(member, &path, keys);
            continue;
        }
        let text = |name: &str| member[name].as_str().unwrap_or_default().to_owned();
        let default = match &member["default"] {
            Value::String(text) if text.is_empty() => "none".to_owned(),
            Value::String(text) => format!("`{text}`"),
            Value::Null => String::new(),
            other => format!("`{other}`"),
        };
        let format = if text("format").is_empty() { text("type") } else { text("format") };
        keys.push(Key { path, format, default, description: text("description") });
    }
}
