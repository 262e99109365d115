//! Backups: made, verified, put in place.

use std::fs;

use super::Folder;

/// (fault 19)
#[test]
fn a_backup_makes_no_folders() {
    let folder = Folder::new();
    assert_eq!(folder.userd("migrate up").code, 0);
    let said = folder.userd("backup not/mounted/copy.db");
    assert_eq!(said.code, 2, "{}", said.stderr);
    let missing = folder.0.path().canonicalize().unwrap().join("not/mounted");
    assert!(said.stderr.contains(&format!("there is no folder {}", missing.display())), "{}", said.stderr);
    assert_eq!(folder.files(), ["data/userd.db"]);
}

/// The key is kept apart from the backup, wherever the words are read; what is there is not written over.
#[test]
fn a_backup_says_where_the_master_key_is_and_overwrites_nothing() {
    let folder = Folder::new();
    assert_eq!(folder.userd("migrate up").code, 0);
    let said = folder.userd("backup copy.db");
    assert_eq!(said.code, 0, "{}", said.stderr);
    let whole = |name: &str| folder.0.path().canonicalize().unwrap().join(name).display().to_string();
    for words in [whole("copy.db"), format!("keep {} too, apart from the backup", whole("data/master.key"))] {
        assert!(said.stdout.contains(&words), "{}", said.stdout);
    }
    let again = folder.userd("backup copy.db");
    assert_eq!(again.code, 2, "{}", again.stderr);
    assert!(again.stderr.contains(&format!("{} is there already", whole("copy.db"))), "{}", again.stderr);
}

/// A folder with a database that was used, and a backup of it from before the second client was made.
fn with_backup() -> Folder {
    let folder = Folder::new();
    for line in ["migrate up", "clients create first", "backup copy.db", "clients create second"] {
        assert_eq!(folder.userd(line).code, 0, "{line}");
    }
    folder
}

/// (fault 22) A backup is put in place, what was there is kept, and what was issued before is dead.
#[test]
fn a_backup_is_restored_in_place_of_the_database() {
    let folder = with_backup();
    let before = fs::read(folder.0.path().join("copy.db")).unwrap();
    let keys = folder.userd("--json keys list").stdout;
    let said = folder.userd("--json restore copy.db");
    assert_eq!(said.code, 0, "{}", said.stderr);
    let told: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((&told["sessions_kept"], &told["sessions"]), (&false.into(), &0.into()), "{told}");
    assert_eq!(told["revoked_keys"].as_array().unwrap().len(), 2, "{told}");
    assert!(told["issued_before"].is_string() && told["signing_key"].is_string(), "{told}");
    for kid in told["revoked_keys"].as_array().unwrap() {
        assert!(keys.contains(kid.as_str().unwrap()), "{kid}");
    }
    let listed = folder.userd("clients list").stdout;
    assert!(listed.contains("first") && !listed.contains("second"), "{listed}");
    assert_eq!(fs::read(folder.0.path().join("copy.db")).unwrap(), before, "the backup is as it was");
    let kept = told["kept"].as_str().unwrap();
    let old = folder.userd(&format!("--set database.url=sqlite://{kept} clients list")).stdout;
    assert!(old.contains("second"), "{old}");
    let again = folder.userd("restore --in-place --keep-sessions");
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stdout.contains("Sessions of the backup go on"), "{}", again.stdout);
    let left: Vec<_> = folder.files().into_iter().filter(|file| !file.contains("before-restore")).collect();
    assert_eq!(left, ["copy.db", "data/master.key", "data/userd.db", "data/userd.db.lock"]);
}

/// A restore, or a verification, that is killed leaves a whole copy of the database; the next one removes it.
#[test]
fn what_a_killed_command_left_is_removed_and_stands_in_no_way() {
    let folder = with_backup();
    let left = |file: &str| format!("{file}.userd-copy-{:032x}", 1);
    for file in ["copy.db", "data/userd.db"] {
        folder.write(&format!("{}/held", left(file)), "");
        folder.write(&format!("{}/restored.db", left(file)), "everybody's secrets");
    }
    for (line, file) in [("backup --verify copy.db", "copy.db"), ("restore copy.db", "data/userd.db")] {
        let said = folder.userd(line);
        assert_eq!(said.code, 0, "{line}: {}", said.stderr);
        assert!(said.stderr.contains(&format!("{} was left behind", left(file))), "{line}: {}", said.stderr);
        assert!(!folder.0.path().join(left(file)).exists(), "{line}");
    }
}

/// (fault 22) Where no database is yet, the backup becomes it.
#[test]
fn a_backup_is_restored_where_there_is_no_database() {
    let folder = with_backup();
    fs::remove_file(folder.0.path().join("data/userd.db")).unwrap();
    let said = folder.userd("--json restore copy.db");
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stdout.contains("\"kept\": null"), "{}", said.stdout);
    assert!(folder.userd("clients list").stdout.contains("first"));
}

/// (fault 22) What is refused changes nothing.
#[test]
fn a_restore_that_is_refused_changes_nothing() {
    let folder = with_backup();
    let path = |name: &str| folder.0.path().join(name);
    fs::write(path("text.db"), "no database at all, but long enough to be looked at").unwrap();
    fs::write(path("empty.db"), "").unwrap();
    let mut torn = fs::read(path("copy.db")).unwrap();
    let (from, to) = (torn.len() / 3, torn.len() / 3 * 2);
    torn[from..to].fill(0xa5);
    fs::write(path("torn.db"), torn).unwrap();
    let other = with_backup();
    fs::copy(other.0.path().join("copy.db"), path("other.db")).unwrap();
    let (files, database) = (folder.files(), folder.userd("clients list").stdout);
    let nowhere = path("").canonicalize().unwrap().join("nowhere.db");
    let nowhere = format!("there is no file {}; a backup is expected there", nowhere.display());
    for (line, code, words) in [
        ("restore nowhere.db", 2, nowhere.as_str()),
        ("restore data/userd.db", 2, "is in place already"),
        ("restore text.db", 1, "text.db: "),
        ("restore empty.db", 1, "holds nothing of userd"),
        ("restore torn.db", 1, "torn.db: "),
        ("restore other.db", 1, "sealed with another master key"),
        ("restore", 2, "<PATH>"),
        ("restore copy.db --in-place", 2, "cannot be used with"),
        ("backup --verify text.db", 1, "text.db: "),
        ("backup --verify empty.db", 1, "holds nothing of userd"),
        ("backup --verify torn.db", 1, "torn.db: "),
        ("backup --verify other.db", 1, "sealed with another master key"),
        ("backup --verify nowhere.db", 2, nowhere.as_str()),
        ("backup --verify not/mounted/copy.db", 2, "/not/mounted/copy.db; a backup is expected there"),
        ("backup --verify data", 2, "/data; a backup is expected there"),
        ("--set database.url=postgres://u@127.0.0.1:1/d restore copy.db", 2, "userd restore --in-place"),
    ] {
        let said = folder.userd(line);
        assert_eq!(said.code, code, "{line}: {}", said.stderr);
        assert!(said.stderr.contains(words), "{line}: {}", said.stderr);
        assert!(!said.stderr.contains("put a backup in its place"), "no advice here: {line}: {}", said.stderr);
        assert!(!said.stderr.contains("puts a backup in its place"), "no advice here: {line}: {}", said.stderr);
    }
    let mut left = folder.files();
    left.retain(|file| file != "data/userd.db.lock");
    assert_eq!(left, files);
    assert_eq!(folder.userd("clients list").stdout, database);
    // With the other's key it opens, and is refused as another installation's.
    fs::copy(other.0.path().join("data/master.key"), path("data/master.key")).unwrap();
    let said = folder.userd("restore other.db");
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stderr.contains("is of installation"), "{}", said.stderr);
}

/// (fault 22) A backup says whether it could be restored, before it must be.
#[test]
fn a_backup_is_verified_and_stays_as_it_was() {
    let folder = with_backup();
    let before = fs::read(folder.0.path().join("copy.db")).unwrap();
    let said = folder.userd("--json backup --verify copy.db");
    assert_eq!(said.code, 0, "{}", said.stderr);
    let told: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(told["bytes"].as_u64().unwrap(), before.len() as u64);
    assert_eq!((&told["steps_missing"], told["installation"].as_str().unwrap().len()), (&0.into(), 32), "{told}");
    assert_eq!(fs::read(folder.0.path().join("copy.db")).unwrap(), before);
    assert!(folder.userd("backup --verify copy.db").stdout.contains("The master key opens it."));
    let left: Vec<_> = folder.files();
    assert_eq!(left, ["copy.db", "data/master.key", "data/userd.db"], "nothing is left beside it");
}
