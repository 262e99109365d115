//! What tests need: engines that misbehave on purpose, and databases that are gone afterwards. Public, because the
//! tests of other crates use it too; nothing in service does.

mod chance;
mod counting;
mod databases;
mod injector;
mod reruns;
mod tamper;

pub use chance::{ManualClock, TestRandom};
pub use counting::{Counted, Counting, Counts};
pub use databases::{
    Backend, TestDatabase, TestFolder, memory_store, postgres_url, schema_on, stepped_on, test_folder,
};
pub use injector::{Fault, Injector};
pub use reruns::{ConflictFirst, RunTwice};
pub use tamper::{Ending, Tamper, Tampered};

use crate::{Call, Rows, Statement, StoreError, UnitOfWork, Value};

/// Runs one statement on a unit of work. Only repositories may do that; tests of engines have tables of their own.
///
/// # Errors
/// What the engine says.
pub async fn run(uow: &mut UnitOfWork, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
    uow.run(statement, values).await
}

/// Runs statements together, as [`run`] does one.
///
/// # Errors
/// What the engine says.
pub async fn run_together(uow: &mut UnitOfWork, calls: &[Call<'_>]) -> Result<Vec<Rows>, StoreError> {
    uow.run_together(calls).await
}

/// Runs a write for each row, or defers them when the unit of work does.
///
/// # Errors
/// What the engine says.
pub async fn write_many(
    uow: &mut UnitOfWork,
    statement: &'static Statement,
    rows: Vec<Vec<Value>>,
) -> Result<(), StoreError> {
    uow.write_many(statement, rows).await
}
