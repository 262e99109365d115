//! What root makes beside a service that is somebody else's belongs to that somebody.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, chown},
};

use crate::Folder;

const NOBODY: u32 = 65_534;

fn owner(folder: &Folder, name: &str) -> u32 {
    fs::metadata(folder.0.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}")).uid()
}

fn give(folder: &Folder, name: &str) {
    chown(folder.0.path().join(name), Some(NOBODY), Some(NOBODY)).unwrap();
}

#[test]
fn what_root_makes_in_the_folders_of_the_service_is_the_services() {
    // Nobody else makes files of root's.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let config = "log: { file: logs/userd.log }\naudit: { checkpoint_file: data/checkpoints }\n";
    let folder = Folder::new().with("config.yaml", config);
    for name in ["data", "logs"] {
        fs::create_dir(folder.0.path().join(name)).unwrap();
        give(&folder, name);
    }
    for line in [
        "migrate up",
        "users create --username anna",
        "users delete anna",
        "users purge anna --yes",
        "backup copy.db",
        "restore copy.db",
        "--set database.url=sqlite://data/more/deep/userd.db migrate up",
        "storage copy --from sqlite://data/userd.db --to sqlite://data/new.db",
        "users list",
    ] {
        let said = folder.userd(&format!("--config config.yaml {line}"));
        assert_eq!(said.code, 0, "{line}: {}", said.stderr);
    }
    let files = folder.files();
    for made in ["data/userd.purged.jsonl", "data/master.key", "data/new.db", "data/more/deep/userd.db"] {
        assert!(files.contains(&made.to_owned()), "{made}: {files:?}");
    }
    assert!(files.iter().any(|file| file.starts_with("logs/userd.log.")), "{files:?}");
    let theirs = files.iter().filter(|file| file.starts_with("data/") || file.starts_with("logs/"));
    for file in theirs.map(String::as_str).chain(["data/more", "data/more/deep"]) {
        assert_eq!(owner(&folder, file), NOBODY, "{file}");
    }
    assert_eq!(owner(&folder, "copy.db"), 0, "what the operator named stays the operator's");
}

/// A folder of root's in which others may write: the database says whose the service is. What has a second name elsewhere
/// is not given away.
#[test]
fn in_a_folder_of_roots_the_file_says_whose_it_is() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = Folder::new().with("secret", "of root's\n");
    assert_eq!(folder.userd("migrate up").code, 0);
    assert_eq!(owner(&folder, "data/userd.db"), 0, "nobody else is there");
    give(&folder, "data/userd.db");
    fs::hard_link(folder.0.path().join("secret"), folder.0.path().join("data/userd.db.link")).unwrap();
    for line in ["users create --username anna", "users delete anna", "users purge anna --yes", "backup copy.db"] {
        assert_eq!(folder.userd(line).code, 0, "{line}");
    }
    let said = folder.userd("restore copy.db");
    assert_eq!(said.code, 0, "{}", said.stderr);
    for (file, whose) in
        [("data/userd.db", NOBODY), ("data/userd.db.lock", NOBODY), ("data/userd.purged.jsonl", NOBODY), ("secret", 0)]
    {
        assert_eq!(owner(&folder, file), whose, "{file}");
    }
}
