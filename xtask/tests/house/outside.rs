//! What leaves the process: whom it calls, which files it writes, where its lines go. Each place in the code stands here
//! beside a row of docs/operations.md, so that none is added that an operator is not told of. Deliberately absent: what is
//! sent and written there.

use std::collections::BTreeSet;

use xtask::tree::Source;

use crate::source::{CRATES, code, none, offenders, production, tree};

/// A file of the code, and the row of the documentation that tells of it.
type Told = (&'static str, &'static str);

/// What makes a connection, or starts a program.
const CALLS: &[&str] = &[
    "HttpClient::new(",
    "AsyncSmtpTransport::",
    "config.connect(",
    "Client::open(",
    "ClientBuilder::new_from_connection_string(",
    "TcpStream::connect",
    "UdpSocket::",
    "UnixStream::",
    "lookup_host(",
    "Command::new(",
];

const CALLED: &[Told] = &[
    ("crates/cache/src/redis/connection.rs", "Redis"),
    ("crates/channels/src/email/relay.rs", "mail relay"),
    ("crates/channels/src/telegram/bot_api.rs", "Telegram Bot API"),
    ("crates/channels/src/webhook/sender.rs", "receivers of webhooks and shared signals"),
    ("crates/channels/src/witness.rs", "`audit.witness_url`"),
    ("crates/outbound/src/private_address.rs", "the system's name service"),
    ("crates/providers/src/builder.rs", "sign-in providers"),
    ("crates/storage-ydb/src/engine/connect.rs", "database"),
    ("crates/storage/src/engines/postgres/connect.rs", "database"),
    ("crates/userd/src/commands/health.rs", "itself, by `userd health`"),
    ("crates/userd/src/traces/sending.rs", "`log.otlp.endpoint`"),
    ("crates/userd/src/viewer.rs", "the desktop, by `userd mail open` and `userd templates`"),
    ("crates/userd/src/wiring/master_key.rs", "`crypto.master_key_command`"),
];

/// What makes, changes or moves a file.
const WRITES: &[&str] = &[
    "OpenOptions::new()",
    "File::create(",
    "fs::write(",
    "fs::copy(",
    "fs::rename(",
    "fs::create_dir",
    "DirBuilder::new()",
    "open_with_flags(",
    "File::create_new(",
    "symlink(",
];

const WRITTEN: &[Told] = &[
    ("crates/storage/src/engines/sqlite/backup.rs", "a backup"),
    ("crates/storage/src/engines/sqlite/connection.rs", "the embedded database, its log and its lock"),
    ("crates/storage/src/engines/sqlite/folders.rs", "the embedded database, its log and its lock"),
    ("crates/storage/src/engines/sqlite/service_lock.rs", "the embedded database, its log and its lock"),
    ("crates/userd/src/commands/import.rs", "rows that an import refused"),
    ("crates/userd/src/commands/restore.rs", "the embedded database, its log and its lock"),
    ("crates/userd/src/commands/scratch.rs", "the embedded database, its log and its lock"),
    ("crates/userd/src/logging/file.rs", "the log"),
    ("crates/userd/src/viewer.rs", "a page to look at"),
    ("crates/userd/src/wiring/ledger.rs", "the ledger of erased accounts"),
    ("crates/userd/src/wiring/master_key.rs", "the master key"),
];

/// Crates of other people's servers and of tests: nothing of them is shipped.
const OF_TESTS: &[&str] = &["stand-ins", "test-support", "ydb-emulator"];

pub(crate) fn shipped() -> Vec<&'static str> {
    CRATES.iter().copied().filter(|name| !OF_TESTS.contains(name)).collect()
}

/// The files of what is shipped that have one of these in their code.
pub(crate) fn files_with(tokens: &[&str]) -> BTreeSet<String> {
    let uses = |source: &Source| code(source).iter().any(|(_, line)| tokens.iter().any(|token| line.contains(token)));
    shipped().into_iter().flat_map(production).filter(uses).map(|source| source.path).collect()
}

fn section(heading: &str) -> String {
    let page = tree().read("docs/operations.md").unwrap();
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap().to_owned()
}

/// The first cells of the section's table.
fn rows(heading: &str) -> BTreeSet<String> {
    let section = section(heading);
    let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    cells.skip(1).map(str::to_owned).collect()
}

/// The code, the list and the documentation say the same.
fn held(what: &str, tokens: &[&str], told: &[Told], heading: &str) {
    let named: BTreeSet<String> = told.iter().map(|(file, _)| (*file).to_owned()).collect();
    let found = files_with(tokens);
    none(&format!("{what}: say here which row of docs/operations.md tells of it"), difference(&found, &named));
    none(&format!("{what} no more"), difference(&named, &found));
    let of_code: BTreeSet<String> = told.iter().map(|(_, row)| (*row).to_owned()).collect();
    let of_page = rows(heading);
    none(&format!("no row of `{heading}` in docs/operations.md"), difference(&of_code, &of_page));
    none(&format!("in `{heading}` of docs/operations.md, and nowhere in the code"), difference(&of_page, &of_code));
}

fn difference(of: &BTreeSet<String>, without: &BTreeSet<String>) -> Vec<String> {
    of.difference(without).cloned().collect()
}

/// Whom a firewall has to let it reach. HTTP is spoken by the one client that guards addresses.
/// ASVS V13.2.4, V13.2.5
#[test]
fn whoever_is_called_is_in_the_documentation() {
    held("makes connections or starts a program", CALLS, CALLED, "What it talks to");
    let others: Vec<_> = shipped().into_iter().filter(|name| *name != "outbound").collect();
    none("calls beside crates/outbound", offenders(&others, &["reqwest::", "hyper_util::client::", "hyper::client::"]));
}

/// Every file is named by the operator or by us: what answers requests writes none, and nothing that is written is run.
/// ASVS V5.3.1, V5.3.2, V13.2.5
#[test]
fn whatever_is_written_is_in_the_documentation_and_no_request_names_a_file() {
    held("writes files", WRITES, WRITTEN, "What it writes");
    let answering = ["http", "web", "pages", "services", "model"];
    let mut touched = offenders(
        &answering,
        &[
            "std::fs",
            "tokio::fs",
            "fs::read",
            "fs::read_to_string",
            "fs::read_dir",
            "fs::write",
            "fs::File",
            "File::open",
        ],
    );
    // How much memory and how many files this process has, for the metrics.
    touched.retain(|line| !line.starts_with("crates/web/src/process_metrics.rs:"));
    none("what answers requests opens files", touched);
    let runs = files_with(&["Command::new("]);
    assert_eq!(
        runs.iter().map(String::as_str).collect::<Vec<_>>(),
        ["crates/userd/src/viewer.rs", "crates/userd/src/wiring/master_key.rs"]
    );
}

/// Lines go where the configuration says, and nowhere beside it.
/// ASVS V16.2.3
#[test]
fn the_log_goes_to_the_places_that_are_told_and_to_no_other() {
    let written = files_with(&["io::stdout()", "io::stderr()", "print!(", "println!(", "syslog("]);
    // Answers of commands, whether somebody sits at a terminal, and entries of the audit log as lines on the output.
    let others = [
        "crates/userd/src/commands/audit_formats.rs",
        "crates/userd/src/run.rs",
        "crates/userd/src/terminal.rs",
        "crates/userd/src/viewer.rs",
    ];
    let of_the_log: Vec<_> = written.iter().filter(|path| !others.contains(&path.as_str())).collect();
    assert_eq!(of_the_log, ["crates/userd/src/logging/mod.rs"]);
    let listening = files_with(&["set_global_default(", "dispatch.try_init()", "tracing_appender::"]);
    let elsewhere = listening.into_iter().filter(|path| !path.starts_with("crates/userd/src/logging/"));
    none("takes lines of the log", elsewhere.collect());
    let told = section("Logs");
    for place in ["standard output", "standard error", "`log.file`", "`log.otlp.endpoint`"] {
        assert!(told.contains(place), "`Logs` in docs/operations.md does not name {place}");
    }
}
