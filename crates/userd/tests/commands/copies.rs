//! Copies from database to database that were not finished, and databases that are none.

use std::sync::Arc;

use userd::wiring::outside::OsRandom;
use userd_storage::{
    Store,
    engines::{SqliteEngine, SqliteLocation, SqliteOptions},
    repositories::{leases::Copying, system_secrets::INSTALLATION},
};
use uuid::Uuid;

use super::Folder;

const COPY: &str = "storage copy --from sqlite://data/userd.db --to sqlite://other.db";

fn in_other(line: &str) -> String {
    format!("--set database.url=sqlite://other.db {line}")
}

fn open(folder: &Folder, name: &str) -> Store {
    let file = SqliteLocation::File(folder.0.path().join(name));
    Store::new(Arc::new(SqliteEngine::open(&SqliteOptions::at(file)).unwrap()), Arc::new(OsRandom))
}

/// A copy of the installation in `of` into other.db, as it stands when it is killed.
async fn half_copied(folder: &Folder, of: &str) {
    let source = open(folder, of);
    let id = source.reading().system_secrets().find(INSTALLATION).await.unwrap().unwrap();
    source.engine().close().await;
    let copying = Copying { source: Uuid::from_slice(&id.0).unwrap(), is_finished: false };
    assert_eq!(folder.userd(&in_other("migrate up")).code, 0);
    let target = open(folder, "other.db");
    let marked: Result<(), userd_storage::Failure> = target
        .transact("test", |mut uow| async move {
            uow.leases().mark_copying(copying).await?;
            uow.commit(()).await
        })
        .await;
    marked.unwrap();
    target.engine().close().await;
}

#[test]
fn a_resumed_copy_leaves_the_database_of_somebody_else_alone() {
    let folder = Folder::new();
    for line in ["migrate up", "users create --username anna", "users create --username boris"] {
        assert_eq!(folder.userd(line).code, 0, "{line}");
    }
    for line in ["migrate up", "users create --username carla"] {
        assert_eq!(folder.userd(&in_other(line)).code, 0, "{line}");
    }
    let before = folder.userd(&in_other("--json users list")).stdout;
    for line in [COPY.to_owned(), format!("{COPY} --resume")] {
        let said = folder.userd(&line);
        assert_eq!(said.code, 2, "{line}: {}", said.stderr);
        assert!(said.stderr.contains("the target is not empty: "), "{line}: {}", said.stderr);
        assert_eq!(folder.userd(&in_other("--json users list")).stdout, before, "{line}");
    }
    assert_eq!(folder.userd(&in_other("doctor")).code, 0);
}

#[tokio::test]
async fn a_half_copied_database_is_refused_until_the_copy_has_gone_on() {
    let folder = Folder::new();
    for line in ["migrate up", "users create --username anna"] {
        assert_eq!(folder.userd(line).code, 0, "{line}");
    }
    half_copied(&folder, "data/userd.db").await;
    for (line, code) in [
        ("--set http.listen=127.0.0.1:0 serve", 2),
        ("users list", 2),
        ("users create --username carla", 2),
        ("keys rotate", 2),
        ("migrate up", 2),
        ("backup copy.db", 2),
        ("restore --in-place", 2),
        ("doctor", 1),
        ("storage copy --from sqlite://other.db --to sqlite://third.db", 2),
    ] {
        let said = folder.userd(&in_other(line));
        assert_eq!(said.code, code, "{line}: {}{}", said.stdout, said.stderr);
        let told = [said.stdout, said.stderr].concat();
        assert!(told.contains("storage copy` into this database has not come to its end"), "{line}: {told}");
    }
    assert!(!folder.files().contains(&"third.db".to_owned()));
    assert_eq!(folder.userd(COPY).code, 0, "nothing came over yet: it begins anew");
    let listed = folder.userd(&in_other("users list"));
    assert!(listed.code == 0 && listed.stdout.contains("anna"), "{}{}", listed.stdout, listed.stderr);
    let again = folder.userd(&format!("{COPY} --resume"));
    assert_eq!(again.code, 2, "it was finished: {}", again.stderr);
}

#[tokio::test]
async fn an_unfinished_copy_goes_on_from_its_own_source_alone() {
    let folder = Folder::new();
    for database in ["data/userd.db", "foreign.db"] {
        for line in ["migrate up", "users create --username anna"] {
            let said = folder.userd(&format!("--set database.url=sqlite://{database} {line}"));
            assert_eq!(said.code, 0, "{line}: {}", said.stderr);
        }
    }
    half_copied(&folder, "data/userd.db").await;
    for resume in ["", " --resume"] {
        let said = folder.userd(&format!("storage copy --from sqlite://foreign.db --to sqlite://other.db{resume}"));
        assert_eq!(said.code, 2, "{}", said.stderr);
        assert!(said.stderr.contains("an unfinished copy of another installation"), "{}", said.stderr);
    }
    let said = folder.userd(&format!("{COPY} --resume"));
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(folder.userd(&in_other("users list")).code, 0);
}
