//! One unit of work on SQLite: a savepoint of the open batch, holding the writer until it ends.

use async_trait::async_trait;
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit};

use super::{query, writer::Writer};
use crate::{Rows, Statement, StoreError, Transaction, Value};

/// See the module. Both parts are there until the end; dropping it before rolls back, inline, in microseconds.
pub(super) struct SqliteTransaction {
    held: Option<(OwnedMutexGuard<Writer>, OwnedSemaphorePermit)>,
}

impl SqliteTransaction {
    pub(super) fn new(writer: OwnedMutexGuard<Writer>, place: OwnedSemaphorePermit) -> Self {
        Self { held: Some((writer, place)) }
    }
}

#[async_trait]
impl Transaction for SqliteTransaction {
    async fn run(&mut self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        let Some((writer, _)) = &mut self.held else { return Err(lost()) };
        let answer = query::run(writer.connection()?, statement, values);
        if answer.is_err() && writer.lost_batch() {
            // Outside of the lost transaction every further statement would commit by itself.
            self.held = None;
        }
        answer
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let (mut writer, place) = self.held.take().ok_or_else(lost)?;
        let verdict = match writer.join(place) {
            Ok(verdict) => verdict,
            Err(error) => {
                writer.roll_back();
                return Err(error);
            }
        };
        writer.wake_committer();
        drop(writer);
        match verdict.await {
            Ok(verdict) => verdict.map_err(StoreError::from),
            Err(_) => Err(StoreError::OutcomeUnknown("sqlite: the committer is gone".to_owned())),
        }
    }
}

impl Drop for SqliteTransaction {
    fn drop(&mut self) {
        if let Some((writer, _)) = &mut self.held {
            writer.roll_back();
        }
    }
}

fn lost() -> StoreError {
    StoreError::Unavailable("sqlite: the transaction was rolled back by an earlier fault".to_owned())
}
