//! What may be typed after `userd`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use std::fs;

use clap::{CommandFactory as _, Parser as _};
use userd::{
    cli::{Args, Command, DoctorCommand, KeysCommand, MigrateCommand, StorageCommand, UsersCommand},
    config::{Config, DatabaseKind, Sources},
    wiring::checks,
};

fn typed(line: &str) -> Args {
    Args::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn refused(line: &str) -> String {
    Args::try_parse_from(line.split(' ')).map(|args| panic!("{line}: {args:?}")).unwrap_err().to_string()
}

#[test]
fn the_arguments_are_consistent() {
    Args::command().debug_assert();
}

#[test]
fn nothing_said_means_serve() {
    assert!(typed("userd").command.is_none());
    assert!(matches!(typed("userd serve").command, Some(Command::Serve)));
    assert!(matches!(typed("userd migrate").command, Some(Command::Migrate { command: None })));
    assert!(matches!(
        typed("userd doctor telegram").command,
        Some(Command::Doctor { command: Some(DoctorCommand::Telegram) })
    ));
}

#[test]
fn every_command_of_the_contract_is_there() {
    for line in [
        "migrate status",
        "migrate up",
        "config check",
        "config show",
        "config schema",
        "config example",
        "users create-admin --email a@b.example",
        "users list",
        "users show x",
        "users block x",
        "users unblock x",
        "users set-password x",
        "invitations create --email a@b.example --role admin",
        "invitations list",
        "invitations revoke 6f9619ff-8b86-4011-b42d-00c04fc964ff",
        "users require-password-change x",
        "keys list",
        "keys rotate",
        "keys revoke k",
        "keys revoke -78yddjjgxmaLRLX52Xf1jKfJF3QYFfrCfr3w-3SkUk",
        "keys rewrap",
        "clients create c",
        "clients list",
        "clients disable i",
        "clients enable i",
        "clients rotate-secret i",
        "webhooks create https://shop.example/ --event user.* --description d --signature v1a",
        "webhooks list",
        "webhooks remove 0197f9c2-0000-7000-8000-000000000000",
        "webhooks test 0197f9c2-0000-7000-8000-000000000000",
        "webhooks rotate-secret 0197f9c2-0000-7000-8000-000000000000",
        "webhooks resend 0197f9c2-0000-7000-8000-000000000000 --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z",
        "deliveries resend i",
        "mail open i --print-path",
        "notifications send --role editor --title t --title-ru t --body b --body-ru b --channel email",
        "notifications show 0197f9c2-0000-7000-8000-000000000000",
        "templates preview new_device --locale ru --open --print-path",
        "audit verify --checkpoint f --newest 10",
        "audit prove 0197f9c2-0000-7000-8000-000000000000",
        "audit prove --since 10",
        "audit export --format cef --after 10 --actor operator --subject x --act user.blocked",
        "audit tail -n 5 --follow --format syslog",
        "audit key",
        "templates list",
        "templates check d",
        "templates preview new_device --locale ru --form html --folder d",
        "openapi",
        "doctor",
        "version",
        "backup f",
        "storage copy --from sqlite://a --to postgres://b/c --resume",
        "completions bash",
        "telegram set-webhook",
    ] {
        typed(&format!("userd {line}"));
    }
    assert!(
        matches!(typed("userd keys revoke abc").command, Some(Command::Keys(KeysCommand::Revoke { kid })) if kid == "abc")
    );
    assert!(matches!(
        typed("userd migrate status").command,
        Some(Command::Migrate { command: Some(MigrateCommand::Status) })
    ));
}

#[test]
fn wrong_usage_has_its_own_exit_code() {
    for line in [
        "userd serv",
        "userd --nope",
        "userd users",
        "userd users create-admin",
        "userd --set novalue",
        "userd users list --limit 0",
    ] {
        let error = Args::try_parse_from(line.split(' ')).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
    }
    assert_eq!(Args::try_parse_from(["userd", "--help"]).unwrap_err().exit_code(), 0);
}

/// What a text advises can be typed as it stands there.
#[test]
fn either_name_is_enough_for_an_account_and_texts_advise_the_whole_command() {
    for what in ["create-admin", "create"] {
        for login in ["--email a@b.example", "--username a", "--email a@b.example --username a"] {
            typed(&format!("userd users {what} {login}"));
        }
        let said = refused(&format!("userd users {what}"));
        assert!(said.contains("<--email <EMAIL>|--username <USERNAME>>"), "{said}");
    }
    for (page, text) in [
        ("README.md", include_str!("../../../README.md")),
        ("README.ru.md", include_str!("../../../README.ru.md")),
        ("docs/operations.md", include_str!("../../../docs/operations.md")),
        ("docs/problems.md", include_str!("../../../docs/problems.md")),
        ("serve.rs", include_str!("../src/serve.rs")),
        ("serving.rs", include_str!("../src/commands/serving.rs")),
    ] {
        let advised: Vec<_> = text.split("`userd users create-admin").skip(1).collect();
        assert!(!advised.is_empty(), "{page}");
        for rest in advised {
            let arguments = rest.split('`').next().unwrap();
            typed(&format!("userd users create-admin{arguments}"));
        }
    }
}

#[test]
fn a_password_cannot_be_an_argument() {
    for line in ["userd users create-admin --email a@b.example --password x", "userd users set-password a x"] {
        assert!(refused(line).contains("unexpected argument"), "{line}");
    }
    let Some(Command::Users(UsersCommand::SetPassword { password_stdin, .. })) =
        typed("userd users set-password a --password-stdin").command
    else {
        panic!("another command");
    };
    assert!(password_stdin);
}

fn load(args: &Args, variables: &[(&str, &str)]) -> Config {
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let sources = Sources { default_file: None, ..args.sources(variables) };
    checks::load(sources).map_err(|errors| errors.to_string()).unwrap().config
}

#[test]
fn flags_reach_the_configuration_before_or_behind_the_command() {
    for line in [
        "userd --listen 127.0.0.1:0 --set tokens.access_ttl=5m --set log.keep=3 --log-level warn",
        "userd serve --listen 127.0.0.1:0 --set tokens.access_ttl=5m --set log.keep=3 --log-level warn",
    ] {
        let config = load(&typed(line), &[("USERD__HTTP__LISTEN", "127.0.0.1:9"), ("PATH", "/bin")]);
        assert_eq!(config.http.listen.port(), 0, "{line}");
        assert_eq!((config.tokens.access_ttl.as_secs(), config.log.keep), (300, 3), "{line}");
        assert_eq!(config.log.level.to_string(), "warn", "{line}");
    }
}

#[test]
fn a_wrong_flag_is_named() {
    let errors = checks::load(typed("userd --listen nowhere").sources([])).unwrap_err().to_string();
    assert!(errors.starts_with("flag --listen: http.listen: expected an IP address and a port"), "{errors}");
}

#[test]
fn a_copy_takes_its_databases_from_flags_or_files_and_never_says_them() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("url");
    fs::write(&file, "postgres://u:hunter2@db.example/userd\n").unwrap();
    let copy = |line: &str| match typed(line).command {
        Some(Command::Storage(StorageCommand::Copy(copy))) => copy,
        other => panic!("{other:?}"),
    };
    let given = copy(&format!("userd storage copy --from sqlite://a.db --to-file {}", file.display()));
    let (from, to) = given.databases().unwrap();
    assert_eq!((from.kind(), to.kind()), (DatabaseKind::Sqlite("a.db"), DatabaseKind::Postgres));
    let wrong = copy("userd storage copy --from mysql://u:hunter2@h/d --to sqlite://b.db");
    let said = format!("{} {wrong:?}", wrong.databases().unwrap_err());
    assert!(said.starts_with("--from: expected sqlite://path") && !said.contains("hunter2"), "{said}");
    for (line, flag) in [
        ("userd storage copy --from sqlite://a.db --to postgres://u:hunter2@h/d", "--to"),
        ("userd storage copy --from postgres://h/d?password=hunter2 --to sqlite://b.db", "--from"),
    ] {
        let said = copy(line).databases().unwrap_err();
        let expected = format!("{flag}: a URL with a password is not given on the command line");
        assert!(said.starts_with(&expected) && said.ends_with(&format!("use {flag}-file")), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    assert!(copy("userd storage copy --from sqlite://a:b@c.db --to postgres://u@h/d").databases().is_ok());
    refused("userd storage copy --from sqlite://a.db");
    refused("userd storage copy --from sqlite://a.db --from-file f --to sqlite://b.db");
}

#[test]
fn what_was_typed_is_shown_without_the_values_that_were_set() {
    let args = typed("userd --set database.url=postgres://u:hunter2@h/d");
    let shown = format!("{args:?}");
    assert!(shown.contains("database.url") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn completions_know_the_commands() {
    let text = String::from_utf8(Args::completions(clap_complete::Shell::Bash)).unwrap();
    assert!(text.contains("create-admin") && text.contains("--password-stdin"));
}
