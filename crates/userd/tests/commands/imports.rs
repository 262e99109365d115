//! `userd import`: who is rejected, and what is refused.

use std::fs;

use crate::Folder;

/// An import that brings nobody over is no success, and a file that cannot be written is named.
#[test]
fn an_import_that_rejects_every_row_fails_and_says_so() {
    let folder =
        Folder::new().with("people.csv", "email\nnobody\n").with("more.csv", "email\nanna@example.org\nnobody\n");
    assert_eq!(folder.userd("migrate up").code, 0);
    let unwritten = folder.userd("import csv people.csv --rejected /nodir/x");
    assert_eq!(unwritten.code, 1, "{}", unwritten.stdout);
    assert!(unwritten.stderr.contains("--rejected: /nodir/x cannot be written: "), "{}", unwritten.stderr);
    let none = folder.userd("--json import csv people.csv");
    assert_eq!(none.code, 1, "{}", none.stderr);
    let report: serde_json::Value = serde_json::from_str(&none.stdout).unwrap();
    assert_eq!((&report["rows"], &report["rejected"]), (&1.into(), &1.into()), "{report}");
    assert!(none.stderr.contains("every row was rejected"), "{}", none.stderr);
    assert_eq!(folder.userd("import csv more.csv").code, 0, "somebody came");
    // What is read is not written over, by whatever name.
    let read = || fs::read_to_string(folder.0.path().join("people.csv")).unwrap();
    let same = folder.userd("import csv people.csv --rejected ./data/../people.csv");
    assert_eq!((same.code, read().as_str()), (2, "email\nnobody\n"), "{}", same.stderr);
    assert!(same.stderr.contains("is a file that is read"), "{}", same.stderr);
}

/// Two people of one id, or one column under two heads: which of them is meant nobody can tell.
#[test]
fn an_import_takes_nobody_for_somebody_else() {
    let folder = Folder::new()
        .with("people.csv", "id,email\n1,anna@example.org\n1,boris@example.org\n2,clara@example.org\n")
        .with("heads.csv", "id,email,email\n3,dora@example.org,emma@example.org\n");
    assert_eq!(folder.userd("migrate up").code, 0);
    for (already_here, imported) in [(0, 2), (2, 0)] {
        let said = folder.userd("--json import csv people.csv");
        assert_eq!(said.code, 0, "{}", said.stderr);
        let report: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
        let counts = [&report["imported"], &report["already_here"], &report["rejected"]];
        assert_eq!(counts, [imported, already_here, 1], "{report}");
        let rejected = folder.files().into_iter().find(|file| file.contains("rejected")).unwrap();
        let why = fs::read_to_string(folder.0.path().join(rejected)).unwrap();
        assert!(why.contains("id: 1 is that of an earlier row") && why.contains("\"row\":2"), "{why}");
    }
    let said = folder.userd("import csv heads.csv --rejected why.jsonl");
    assert_eq!(said.code, 1, "{}", said.stdout);
    let why = fs::read_to_string(folder.0.path().join("why.jsonl")).unwrap();
    assert!(why.contains("the column `email` stands twice"), "{why}");
    assert!(!folder.userd("users list").stdout.contains("dora"));
}
