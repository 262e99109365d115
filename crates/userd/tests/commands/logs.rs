//! The log file that commands share with a service.

use std::fs;

use super::Folder;

/// Whatever a name beside the log's begins with, it stays; and so does every file of the log, which a service may be writing.
#[test]
fn a_command_adds_lines_to_the_log_file_and_removes_nothing() {
    let config = "log: { file: v/userd, keep: 1 }\ndatabase: { url: 'sqlite://v/userd.db' }\n\
                  crypto: { master_key_file: v/userd.key }\nmail: { from: a@b.example }\n";
    let folder = Folder::new().with("config.yaml", config);
    for line in ["--config config.yaml migrate up", "--config config.yaml clients create billing"] {
        let said = folder.userd(line);
        assert_eq!(said.code, 0, "{line}: {}", said.stderr);
    }
    for day in 10..=22 {
        folder.write(&format!("v/userd.2020-11-{day}"), "of the service");
    }
    let before = folder.files();
    assert!(before.contains(&"v/userd.db".to_owned()) && before.contains(&"v/userd.key".to_owned()), "{before:?}");
    let lines = || fs::read_to_string(folder.0.path().join("v/userd")).unwrap().lines().count();
    let written = lines();
    for line in ["config check", "migrate status", "clients list", "doctor"] {
        let said = folder.userd(&format!("--config config.yaml {line}"));
        assert_eq!(said.code, 0, "{line}: {}{}", said.stdout, said.stderr);
        let after = folder.files();
        let gone: Vec<_> = before.iter().filter(|file| !after.contains(file)).collect();
        assert!(gone.is_empty(), "{line} removed {gone:?}");
    }
    assert!(lines() > written, "what commands warn of is there too");
}

/// With rotation the database would be moved aside for the link, without it lines would be written into it.
#[test]
fn the_log_is_not_the_database_or_the_master_key() {
    let folder = Folder::new();
    for (settings, name) in [
        ("log: { file: data/userd.db }\n", "database.url"),
        ("log: { file: ./data/master.key }\n", "crypto.master_key_file"),
    ] {
        folder.write("config.yaml", settings);
        let said = folder.userd("config check");
        assert_eq!(said.code, 2, "{settings}{}", said.stdout);
        assert!(said.stderr.contains(&format!("is the file of {name} too")), "{}", said.stderr);
    }
    assert_eq!(folder.files(), ["config.yaml"]);
}
