//! Which schema steps have been applied. Only the migration runner asks.

use userd_model::Timestamp;

use crate::{
    Row, StoreError, UnitOfWork,
    tables::{List, Shape, position, statements_of},
};

/// Applied schema steps.
pub struct SchemaMigrations<'a>(pub(super) &'a mut UnitOfWork);

/// One applied step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedMigration {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// Of the text that was run.
    pub checksum: Vec<u8>,
    /// When.
    pub applied_at: Timestamp,
}

statements_of! { SCHEMA_MIGRATIONS:
    EVERY = "schema_migrations.every": Shape::List(List::by_key().unlimited());
    FIND = "schema_migrations.find": Shape::Find;
    INSERT = "schema_migrations.insert": Shape::Insert;
    UPDATE_CHECKSUM = "schema_migrations.update_checksum": Shape::Update(&["checksum"]);
}

impl SchemaMigrations<'_> {
    /// Every applied step, by number.
    pub async fn all(&mut self) -> Result<Vec<AppliedMigration>, StoreError> {
        self.0.many(&EVERY, &[], applied).await
    }

    /// An applied step.
    pub async fn find(&mut self, number: i64) -> Result<Option<AppliedMigration>, StoreError> {
        self.0.one(&FIND, &[number.into()], applied).await
    }

    /// Records steps.
    ///
    /// # Errors
    /// `Duplicate(Key("schema_migrations"))` when one is recorded already.
    pub async fn insert(&mut self, migrations: &[AppliedMigration]) -> Result<(), StoreError> {
        let values = |migration: &AppliedMigration| {
            vec![
                migration.number.into(),
                migration.name.as_str().into(),
                migration.checksum.clone().into(),
                migration.applied_at.into(),
            ]
        };
        self.0.write_many(&INSERT, migrations.iter().map(values).collect()).await
    }

    /// Replaces the checksum of a step whose text is as it was.
    pub async fn update_checksum(&mut self, number: i64, checksum: &[u8]) -> Result<(), StoreError> {
        self.0.write(&UPDATE_CHECKSUM, &[checksum.into(), number.into()]).await
    }
}

fn applied(row: &mut Row) -> Result<AppliedMigration, StoreError> {
    Ok(AppliedMigration {
        number: row.i64(position!(SCHEMA_MIGRATIONS.number))?,
        name: row.text(position!(SCHEMA_MIGRATIONS.name))?,
        checksum: row.bytes(position!(SCHEMA_MIGRATIONS.checksum))?,
        applied_at: row.timestamp(position!(SCHEMA_MIGRATIONS.applied_at))?,
    })
}
