//! A file that nobody writes to: named, and waited for no longer than somebody would who writes.

use std::{fs, path::PathBuf, process::Command, thread};

use crate::Folder;

fn pipe(folder: &Folder, name: &str) -> PathBuf {
    let path = folder.0.path().join(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

#[test]
fn a_pipe_that_nobody_writes_to_holds_no_check_and_no_command() {
    let folder = Folder::new();
    assert_eq!(folder.userd("migrate up").code, 0);
    pipe(&folder, "pipe");
    for (yaml, line, words) in [
        ("mail: { url_file: pipe }", "config check", "mail.url_file: cannot be read: it is a pipe, and nobody wrote"),
        ("database: { url_file: pipe }", "config check", "database.url_file: cannot be read: it is a pipe"),
        ("database: { ca_file: pipe }", "config check", "database.ca_file: cannot be read: it is a pipe or a device"),
        (
            "http: { tls: { certificate_file: pipe, key_file: pipe } }",
            "config check",
            "http.tls.key_file: cannot be read: it is a pipe or a device",
        ),
        (
            "providers: [{ id: ya, kind: yandex, client_id: a, client_secret_file: pipe }]",
            "config check",
            "providers.0.client_secret_file: cannot be read: it is a pipe",
        ),
        (
            "providers: [{ id: ya, kind: yandex, client_id: a, client_secret: b, ca_file: pipe }]",
            "config check",
            "providers.0.ca_file: cannot be read: it is a pipe or a device",
        ),
        ("crypto: { previous_master_key_files: [pipe] }", "config check", "cannot be read: it is a pipe or a device"),
        ("crypto: { master_key_file: pipe }", "users list", "the master key file pipe cannot be used: timed out"),
    ] {
        folder.write("config.yaml", yaml);
        let said = folder.userd(&format!("--config config.yaml {line}"));
        assert_ne!(said.code, 0, "{yaml}");
        assert!(said.stderr.contains(words), "{yaml}: {}", said.stderr);
    }
}

#[test]
fn a_secret_is_read_from_a_pipe_that_somebody_writes_to() {
    let folder = Folder::new().with("config.yaml", "mail: { url_file: pipe, from: a@b.example }\n");
    let path = pipe(&folder, "pipe");
    let writer = thread::spawn(move || fs::write(path, "smtps://u:hunter2@mail.example\n").unwrap());
    let said = folder.userd("--config config.yaml config check");
    assert_eq!(said.code, 0, "{}", said.stderr);
    writer.join().unwrap();
}
