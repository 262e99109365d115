//! `userd doctor`.

use std::fs;

use userd_storage::{
    Engine as _,
    engines::{SqliteEngine, SqliteLocation, SqliteOptions},
};

use crate::{Folder, Said};

#[test]
fn the_doctor_makes_nothing_in_an_empty_folder() {
    let folder = Folder::new();
    let said = folder.userd("doctor");
    assert_eq!(said.code, 2, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("data/userd.db is not there yet: the first start makes it"), "{}", said.stdout);
    assert!(said.stdout.contains("data/master.key is not there yet: it will be made by"), "{}", said.stdout);
    assert_eq!(folder.files(), Vec::<String>::new());
}

#[test]
fn the_doctor_says_which_steps_are_missing_and_applies_none() {
    let folder = Folder::new().with("data/userd.db", "");
    for _ in 0..2 {
        let said = folder.userd("doctor");
        assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
        assert!(said.stdout.contains("steps of its schema are missing: run `userd migrate up`"), "{}", said.stdout);
    }
    assert_eq!(folder.files(), ["data/userd.db"]);
}

#[test]
fn the_doctor_makes_no_keys_in_a_database_without_any() {
    let folder = Folder::new();
    assert_eq!(folder.userd("migrate up").code, 0);
    let said = folder.userd("doctor");
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("its schema is up to date"), "{}", said.stdout);
    assert!(said.stdout.contains("data/master.key is not there yet"), "{}", said.stdout);
    assert!(said.stdout.contains("none is active yet: the next start makes one"), "{}", said.stdout);
    assert_eq!(folder.files(), ["data/userd.db"]);
}

#[test]
fn the_doctor_looks_at_everything_and_a_lost_master_key_is_never_replaced() {
    let providers = "providers:\n  - { id: ya, kind: yandex, client_id: a, client_secret: hunter2 }\n  \
                     - { id: git, kind: github, client_id: b, client_secret: hunter2, enabled: false }\n";
    let folder = Folder::new().with("config.yaml", providers);
    assert_eq!(folder.userd("migrate up").code, 0);
    assert_eq!(folder.userd("users list").code, 0);
    let files = folder.files();
    assert_eq!(files, ["config.yaml", "data/master.key", "data/userd.db"]);
    let well = folder.userd("doctor");
    assert_eq!(well.code, 0, "{}{}", well.stdout, well.stderr);
    for part in [
        "its schema is up to date",
        "of them; ",
        "in process; ",
        "there is none yet: `userd users create-admin --email me@example.org`",
        "register there is http://127.0.0.1:8080/v1/auth/ya/callback",
        "provider git   enabled is false",
    ] {
        assert!(well.stdout.contains(part), "{part}\n{}", well.stdout);
    }
    assert_eq!(folder.files(), files);

    let copied = folder.userd("storage copy --from sqlite://data/userd.db --to sqlite://new.db");
    assert_eq!(copied.code, 0, "{}", copied.stderr);
    fs::remove_file(folder.0.path().join("data/master.key")).unwrap();
    let lost = folder.userd("doctor");
    assert_eq!(lost.code, 1, "{}", lost.stdout);
    assert!(lost.stdout.contains("the database was sealed with it: put it back"), "{}", lost.stdout);
    assert_ne!(folder.userd("users list").code, 0);
    assert!(!folder.files().contains(&"data/master.key".to_owned()));
}

/// Where a file was damaged does not matter: the doctor says that it is, which file it is and what comes next, and leaves
/// it as it is; other commands do not work on in it (fault 26).
#[test]
fn the_doctor_finds_a_damaged_database_and_says_what_to_do() {
    let folder = Folder::new();
    assert_eq!(folder.userd("migrate up").code, 0);
    assert_eq!(folder.userd("users list").code, 0);
    let path = folder.0.path().join("data/userd.db");
    let whole = fs::read(&path).unwrap();
    let page = 4096;
    let damaged = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at..at + page].fill(0xA5);
        bytes
    };
    let middle = whole.len() / page / 2 * page;
    for (how, bytes) in [
        ("first page", damaged(0)),
        ("second page", damaged(page)),
        ("a page in the middle", damaged(middle)),
        ("last page", damaged(whole.len() - page)),
        ("torn off", whole[..middle].to_vec()),
        ("another file", b"not a database at all, but long enough to be looked at\n".repeat(400)),
    ] {
        fs::write(&path, &bytes).unwrap();
        let said = folder.userd("doctor");
        assert_eq!(said.code, 1, "{how}: {}{}", said.stdout, said.stderr);
        let line = said.stdout.lines().find(|line| line.starts_with("WRONG") && line.contains(" database "));
        let line = line.unwrap_or_else(|| panic!("{how}: {}", said.stdout));
        for word in ["data/userd.db", "damaged", "`userd restore`"] {
            assert!(line.contains(word), "{how}: {line}");
        }
        assert!(serde_json::from_str::<serde_json::Value>(&folder.userd("doctor --json").stdout).is_ok(), "{how}");
        assert_eq!(fs::read(&path).unwrap(), bytes, "{how}: left as it is");
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(folder.userd("doctor").code, 0, "and whole again");
}

/// A folder whose service was started once, and what then becomes of its database.
async fn after(sql: &'static str) -> Folder {
    let folder = Folder::new();
    for line in ["migrate up", "users create --username anna"] {
        assert_eq!(folder.userd(line).code, 0, "{line}");
    }
    let file = SqliteLocation::File(folder.0.path().join("data/userd.db"));
    let engine = SqliteEngine::open(&SqliteOptions::at(file)).unwrap();
    engine.run_schema(sql).await.unwrap();
    engine.close().await;
    folder
}

#[track_caller]
fn wrong(said: &Said, part: &str, words: &str) {
    assert_eq!(said.code, 1, "{}{}", said.stdout, said.stderr);
    let is_it = |line: &&str| line.starts_with("WRONG") && line.contains(&format!(" {part} "));
    let line = said.stdout.lines().find(is_it).unwrap_or_else(|| panic!("nothing of {part}: {}", said.stdout));
    assert!(line.contains(words), "{line}");
}

/// What `/readyz` says 503 of, and the tables that it does not look at.
#[tokio::test]
async fn the_doctor_reads_every_table_and_writes_a_row() {
    for (sql, words) in [
        ("DROP TABLE invitations", "the table invitations cannot be read"),
        (
            "CREATE TRIGGER full BEFORE INSERT ON leases BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
            "the service answers 503",
        ),
    ] {
        let folder = after(sql).await;
        wrong(&folder.userd("doctor"), "rows", words);
    }
}

#[tokio::test]
async fn the_doctor_finds_a_clock_behind_what_was_written() {
    let folder = after("UPDATE schema_migrations SET applied_at = 4102444800000000 WHERE number = 1").await;
    wrong(&folder.userd("doctor"), "clock", "the database was written at 2100-01-01");
}

#[tokio::test]
async fn the_doctor_finds_a_ledger_that_takes_no_lines_and_a_relay_that_does_not_answer() {
    let folder = after("DELETE FROM leases").await;
    let well = folder.userd("doctor");
    assert_eq!(well.code, 0, "{}{}", well.stdout, well.stderr);
    for key in ["accounts.purge_ledger", "audit.checkpoint_file"] {
        for (file, words) in [("nowhere/lines", "No such file or directory"), ("data", "it is no file")] {
            let said = folder.userd(&format!("--set {key}={file} doctor"));
            wrong(&said, "ledger", key);
            wrong(&said, "ledger", words);
        }
    }
    folder.write("config.yaml", "mail: { url: 'smtp://127.0.0.1:1', from: a@b.example }\n");
    wrong(&folder.userd("--config config.yaml doctor"), "mail", "cannot take the message now");
    assert!(!folder.files().iter().any(|file| file.ends_with("lines")), "{:?}", folder.files());
}
