//! What holds for every command there is: none makes a database by the way, and each answers scripts in JSON.

use std::collections::BTreeSet;

use clap::CommandFactory as _;
use userd::cli::Args;

use crate::Folder;

/// Every command that needs a database and may not make one.
const COMMANDS: &[&str] = &[
    "users create-admin --email a@b.example --password-stdin",
    "users create --email a@b.example",
    "users list",
    "users show a@b.example",
    "users block a@b.example",
    "users unblock a@b.example",
    "users delete a@b.example",
    "users restore a@b.example",
    "users purge a@b.example --yes",
    "users export a@b.example",
    "users send-password-reset a@b.example",
    "users require-password-change a@b.example",
    "users reset-factors a@b.example",
    "users set-password a@b.example --password-stdin",
    "import csv people.csv",
    "invitations create",
    "invitations list",
    "invitations revoke 0197f9c2-0000-7000-8000-000000000000",
    "keys list",
    "keys rotate",
    "keys revoke some",
    "keys rewrap",
    "clients create billing",
    "clients set-audiences billing userd",
    "clients list",
    "clients disable 0197f9c2-0000-7000-8000-000000000000",
    "clients enable 0197f9c2-0000-7000-8000-000000000000",
    "clients rotate-secret 0197f9c2-0000-7000-8000-000000000000",
    "roles list",
    "roles plan",
    "roles apply",
    "roles export",
    "roles grant 0197f9c2-0000-7000-8000-000000000000 editor",
    "roles revoke 0197f9c2-0000-7000-8000-000000000000 editor",
    "notifications send --all --title Hello --body Look",
    "notifications show 0197f9c2-0000-7000-8000-000000000000",
    "deliveries list",
    "deliveries show 0197f9c2-0000-7000-8000-000000000000",
    "deliveries retry 0197f9c2-0000-7000-8000-000000000000",
    "deliveries resend 0197f9c2-0000-7000-8000-000000000000",
    "deliveries drop 0197f9c2-0000-7000-8000-000000000000",
    "mail list",
    "mail show 0197f9c2-0000-7000-8000-000000000000",
    "mail open 0197f9c2-0000-7000-8000-000000000000 --print-path",
    "webhooks create https://shop.example/ --event *",
    "webhooks list",
    "webhooks remove 0197f9c2-0000-7000-8000-000000000000",
    "webhooks test 0197f9c2-0000-7000-8000-000000000000",
    "webhooks resend 0197f9c2-0000-7000-8000-000000000000 --from 2026-01-01T00:00:00Z",
    "webhooks rotate-secret 0197f9c2-0000-7000-8000-000000000000",
    "streams list",
    "streams show 0197f9c2-0000-7000-8000-000000000000",
    "streams pause 0197f9c2-0000-7000-8000-000000000000",
    "streams resume 0197f9c2-0000-7000-8000-000000000000",
    "streams delete 0197f9c2-0000-7000-8000-000000000000",
    "audit verify",
    "audit prove --since 1",
    "audit export",
    "audit tail",
    "audit key",
    "backup copy.db",
    "restore --in-place",
    "migrate status",
];

/// Those that make one, and those that need none.
const OTHERS: &[&str] = &[
    "serve",
    "migrate",
    "migrate up",
    "storage copy",
    "doctor",
    "doctor telegram",
    "health",
    "telegram set-webhook",
    "config check",
    "config show",
    "config schema",
    "config example",
    "templates list",
    "templates check",
    "templates preview",
    "openapi",
    "version",
    "completions",
];

/// What the program can be told to do, to the last word.
fn all(command: &clap::Command, before: &str) -> Vec<String> {
    let below = command.get_subcommands().flat_map(|below| all(below, &format!("{before} {}", below.get_name())));
    let itself = (!command.is_subcommand_required_set()).then(|| before.trim_start().to_owned());
    itself.into_iter().chain(below).filter(|line| !line.is_empty()).collect()
}

/// The command of each of these lines.
fn commands_of<'a>(lines: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let known = all(&Args::command(), "");
    let is_of = |line: &str, command: &str| line == command || line.starts_with(&format!("{command} "));
    let command_of =
        |line: &str| known.iter().filter(|command| is_of(line, command)).max_by_key(|command| command.len());
    lines.into_iter().map(|line| command_of(line).unwrap_or_else(|| panic!("{line} is no command")).clone()).collect()
}

#[track_caller]
fn must_be_all(lines: &[&[&str]]) {
    let named = commands_of(lines.iter().copied().flatten().copied());
    let missing: Vec<_> = all(&Args::command(), "").into_iter().filter(|command| !named.contains(command)).collect();
    assert!(missing.is_empty(), "tried by no line: {missing:?}");
}

/// Only the service and `migrate up` make a database: any other command names the file it looked for, whole, and says
/// what comes first (fault 19).
#[test]
fn a_command_makes_no_database_and_names_the_one_that_is_missing() {
    must_be_all(&[COMMANDS, OTHERS]);
    for (line, key, file) in COMMANDS.iter().map(|line| (*line, "database.url", "data/userd.db")).chain([
        ("doctor", "is not there yet", "data/userd.db"),
        ("--set database.url=sqlite://elsewhere/it.db users list", "database.url", "elsewhere/it.db"),
        ("storage copy --from sqlite://data/mistyped.db --to sqlite://new.db", "--from", "data/mistyped.db"),
    ]) {
        let folder = Folder::new();
        let said = folder.userd(line);
        let words = format!("{}{}", said.stdout, said.stderr);
        assert_eq!(said.code, 2, "{line}: {words}");
        let whole = folder.0.path().canonicalize().unwrap().join(file);
        assert!(words.contains(whole.to_str().unwrap()) && words.contains(key), "{line}: {words}");
        if line != "doctor" {
            assert!(words.contains("run one of them first"), "{line}: {words}");
        }
        assert_eq!(folder.files(), Vec::<String>::new(), "{line}");
    }
}

/// A file that somebody touched, and another program's database, are no database of ours either (fault 19).
#[test]
fn a_command_makes_no_schema_in_a_database_that_is_not_ours() {
    for line in COMMANDS.iter().filter(|line| !line.starts_with("backup") && !line.starts_with("migrate")) {
        let folder = Folder::new().with("data/userd.db", "");
        let said = folder.userd(line);
        assert_eq!(said.code, 2, "{line}: {}", said.stderr);
        let whole = folder.0.path().canonicalize().unwrap().join("data/userd.db");
        let expected = format!("{}: this database holds nothing of userd", whole.display());
        assert!(said.stderr.contains(&expected), "{line}: {}", said.stderr);
        assert_eq!(folder.files(), ["data/userd.db"], "{line}");
    }
}

/// What a script reads is JSON and nothing else, also where what was asked about is not well (fault 34).
#[test]
fn with_json_the_standard_output_is_json() {
    /// Files by nature: YAML, a script of a shell, a line for each entry. And the service, which writes its log.
    const NOT_JSON: &[&str] = &["config example", "completions", "audit export", "audit tail", "serve"];
    const LINES: &[&str] = &[
        "migrate",
        "migrate up",
        "migrate status",
        "config check",
        "config show",
        "config schema",
        "openapi",
        "version",
        "health",
        "templates list",
        "templates check .",
        "templates preview new_device",
        "clients create billing",
        "clients list",
        "clients set-audiences billing userd",
        "clients rotate-secret billing",
        "clients disable billing",
        "clients enable billing",
        "clients disable nobody",
        "webhooks list",
        "users create-admin --username root --password-stdin",
        "users create --username anna --role admin",
        "users create --username Anna",
        "users list --query AN --role admin",
        "users show anna",
        "users block anna --reason test --until 2999-01-01T00:00:00Z",
        "users unblock anna",
        "users send-password-reset anna",
        "users require-password-change anna",
        "users reset-factors anna",
        "users set-password anna --password-stdin",
        "users export anna",
        "users delete anna",
        "users restore anna",
        "users delete anna",
        "users purge anna --yes",
        "users list",
        "users show nobody",
        "import csv nobody.csv",
        "invitations create",
        "invitations list",
        "invitations revoke 0197f9c2-0000-7000-8000-000000000000",
        "roles list",
        "roles plan",
        "roles apply",
        "roles export",
        "roles grant 0197f9c2-0000-7000-8000-000000000000 admin",
        "roles revoke 0197f9c2-0000-7000-8000-000000000000 admin",
        "notifications send --all --title Hello --body Look",
        "notifications show 0197f9c2-0000-7000-8000-000000000000",
        "deliveries list",
        "deliveries show 0197f9c2-0000-7000-8000-000000000000",
        "deliveries retry 0197f9c2-0000-7000-8000-000000000000",
        "deliveries resend 0197f9c2-0000-7000-8000-000000000000",
        "deliveries drop 0197f9c2-0000-7000-8000-000000000000",
        "mail list",
        "mail show 0197f9c2-0000-7000-8000-000000000000",
        "mail open 0197f9c2-0000-7000-8000-000000000000",
        "streams list",
        "streams show 0197f9c2-0000-7000-8000-000000000000",
        "streams pause 0197f9c2-0000-7000-8000-000000000000",
        "streams resume 0197f9c2-0000-7000-8000-000000000000",
        "streams delete 0197f9c2-0000-7000-8000-000000000000",
        "telegram set-webhook",
        "doctor telegram",
        "doctor",
        "keys list",
        "keys rotate",
        "keys revoke nothing",
        "keys rewrap",
        "audit verify",
        "audit prove --since 1",
        "audit prove nothing",
        "audit key",
        "backup copy.db",
        "backup --verify copy.db",
        "storage copy --from sqlite://data/userd.db --to sqlite://new.db",
        "restore --in-place",
    ];
    let folder = Folder::new();
    let answer = |line: &str| {
        let said = folder.userd(&format!("--json {line}"));
        let answer = serde_json::from_str::<serde_json::Value>(&said.stdout);
        answer.unwrap_or_else(|error| panic!("{line}: {error}: {}{}", said.stdout, said.stderr))
    };
    for line in LINES {
        answer(line);
    }
    let inside = "--set webhooks.allow_private_addresses=true --set webhooks.allow_http=true";
    let made = answer(&format!("{inside} webhooks create http://127.0.0.1:1/ --event *"));
    let id = made["id"].as_str().unwrap();
    assert_eq!(answer(&format!("webhooks test {id}"))["delivered"], false, "the one answer says it");
    let resend = format!("webhooks resend {id} --from 2026-01-01T00:00:00Z");
    let of_webhook = [resend, format!("webhooks rotate-secret {id}"), format!("webhooks remove {id}")];
    for line in &of_webhook {
        answer(line);
    }
    let others: Vec<&str> = of_webhook.iter().map(String::as_str).collect();
    must_be_all(&[LINES, NOT_JSON, &others, &["webhooks create", "webhooks test"]]);
}
