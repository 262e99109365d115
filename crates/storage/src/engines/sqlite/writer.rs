//! The writing connection and the batch that is open on it. Deliberately absent: waiting for one's turn (the engine's
//! mutex) and the moment to commit (the committer's).

use std::{
    sync::{Arc, mpsc::SyncSender},
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{
    identity::Identity,
    query::{self, CommitFault, Verdict},
};
use crate::StoreError;

/// How long to wait between two tries for a write lock that another process holds.
const LOCK_WAIT: Duration = Duration::from_millis(2);

/// A unit of work that waits for the batch to become durable, and its place among the bounded number of them.
pub(super) struct Member {
    answer: oneshot::Sender<Verdict>,
    _place: OwnedSemaphorePermit,
}

impl Member {
    pub(super) fn answer(self, verdict: Verdict) {
        // Nobody listens when the caller has gone; the commit stands all the same.
        let _gone = self.answer.send(verdict);
    }
}

/// The writing connection. Invariant: a batch is open exactly when the connection is inside a transaction, and no
/// batch is open without members unless a unit of work holds the writer.
pub(super) struct Writer {
    connection: Option<Connection>,
    identity: Arc<Identity>,
    batch: Vec<Member>,
    wake: SyncSender<()>,
}

impl Writer {
    pub(super) fn new(connection: Connection, identity: Arc<Identity>, wake: SyncSender<()>) -> Self {
        Self { connection: Some(connection), identity, batch: Vec::new(), wake }
    }

    pub(super) fn connection(&self) -> Result<&Connection, StoreError> {
        self.connection.as_ref().ok_or_else(super::closed)
    }

    /// Opens a batch unless one is open. Waits without blocking while another process writes; the caller bounds it.
    pub(super) async fn open_batch(&mut self) -> Result<(), StoreError> {
        loop {
            match self.try_open_batch() {
                Err(StoreError::Conflict) => tokio::time::sleep(LOCK_WAIT).await,
                other => return other,
            }
        }
    }

    fn try_open_batch(&self) -> Result<(), StoreError> {
        let connection = self.connection()?;
        if !connection.is_autocommit() {
            return Ok(());
        }
        self.identity.check()?;
        query::control(connection, "BEGIN IMMEDIATE")
    }

    pub(super) fn open_savepoint(&mut self) -> Result<(), StoreError> {
        let opened = query::control(self.connection()?, "SAVEPOINT work");
        if opened.is_err() {
            self.end_empty_batch();
        }
        opened
    }

    /// Keeps the savepoint's work in the batch; the answer comes when the batch is durable.
    pub(super) fn join(&mut self, place: OwnedSemaphorePermit) -> Result<oneshot::Receiver<Verdict>, StoreError> {
        query::control(self.connection()?, "RELEASE work")?;
        let (answer, verdict) = oneshot::channel();
        self.batch.push(Member { answer, _place: place });
        Ok(verdict)
    }

    /// Wakes the committer for the first member; it has been woken already for the others.
    pub(super) fn wake_committer(&mut self) {
        if self.batch.len() == 1
            && matches!(self.wake.try_send(()), Err(std::sync::mpsc::TrySendError::Disconnected(())))
        {
            self.finish_batch();
        }
    }

    /// Undoes the savepoint and, when nobody else is in the batch, gives the write lock back at once.
    pub(super) fn roll_back(&mut self) {
        let Some(connection) = &self.connection else { return };
        if connection.is_autocommit() {
            // A full disk or an I/O error has ended the whole transaction, the earlier members' work with it.
            return self.fail_batch();
        }
        let undone =
            query::control(connection, "ROLLBACK TO work").and_then(|()| query::control(connection, "RELEASE work"));
        if undone.is_err() {
            self.abandon_batch();
        } else {
            self.end_empty_batch();
        }
    }

    /// After a failed statement: whether SQLite has rolled the whole batch back by itself.
    pub(super) fn lost_batch(&mut self) -> bool {
        let lost = self.connection.as_ref().is_none_or(Connection::is_autocommit);
        if lost {
            self.fail_batch();
        }
        lost
    }

    /// Commits the batch (nothing to do when none is open) and moves its members, not yet answered, to `members`.
    pub(super) fn commit_batch(&mut self, members: &mut Vec<Member>) -> Verdict {
        std::mem::swap(&mut self.batch, members);
        let Some(connection) = self.connection.as_ref().filter(|connection| !connection.is_autocommit()) else {
            return if members.is_empty() { Ok(()) } else { Err(CommitFault::Unavailable) };
        };
        let is_there = self.identity.check().map_err(|_| CommitFault::Unavailable);
        is_there.and_then(|()| query::commit(connection)).inspect_err(|_| {
            if !connection.is_autocommit() {
                let _ended = query::control(connection, "ROLLBACK");
            }
        })
    }

    /// Commits and answers at once, on this thread.
    pub(super) fn finish_batch(&mut self) {
        let mut members = Vec::new();
        let verdict = self.commit_batch(&mut members);
        members.into_iter().for_each(|member| member.answer(verdict));
    }

    /// One schema statement in the transaction that is open, then its COMMIT.
    pub(super) fn run_schema(&mut self, sql: &str) -> Result<(), StoreError> {
        let connection = self.connection()?;
        let done = query::schema(connection, sql)
            .and_then(|()| self.identity.check())
            .and_then(|()| query::commit(connection).map_err(StoreError::from));
        if !connection.is_autocommit() {
            let _ended = query::control(connection, "ROLLBACK");
        }
        done
    }

    pub(super) fn close(&mut self) {
        self.connection = None;
    }

    fn end_empty_batch(&mut self) {
        if let Some(connection) = self.connection.as_ref().filter(|_| self.batch.is_empty())
            && !connection.is_autocommit()
            && query::control(connection, "ROLLBACK").is_err()
        {
            tracing::error!("sqlite: an empty transaction could not be ended");
        }
    }

    fn abandon_batch(&mut self) {
        if let Some(connection) = self.connection.as_ref().filter(|connection| !connection.is_autocommit()) {
            let _ended = query::control(connection, "ROLLBACK");
        }
        self.fail_batch();
    }

    fn fail_batch(&mut self) {
        self.batch.drain(..).for_each(|member| member.answer(Err(CommitFault::Unavailable)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails by panicking")]
    use std::sync::{Arc, mpsc};

    use tokio::sync::Semaphore;

    use super::{super::SqliteLocation, *};

    /// A batch of three whose COMMIT the database refuses: a deferred constraint is broken.
    async fn refused_batch() -> (Writer, Vec<oneshot::Receiver<Verdict>>) {
        let connection = Connection::open_in_memory().unwrap();
        let tables = "PRAGMA foreign_keys=ON; CREATE TABLE a (id INTEGER PRIMARY KEY);
            CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a DEFERRABLE INITIALLY DEFERRED);";
        connection.execute_batch(tables).unwrap();
        let (wake, _committer_is_dead) = mpsc::sync_channel(1);
        let (mut writer, places) = (
            Writer::new(connection, Arc::new(Identity::of(&SqliteLocation::Memory)), wake),
            Arc::new(Semaphore::new(3)),
        );
        let mut verdicts = Vec::new();
        for n in 0..3 {
            writer.open_batch().await.unwrap();
            writer.open_savepoint().unwrap();
            let insert = format!("INSERT INTO b (id, a) VALUES ({n}, 404)");
            writer.connection().unwrap().execute_batch(&insert).unwrap();
            verdicts.push(writer.join(Arc::clone(&places).try_acquire_owned().unwrap()).unwrap());
        }
        (writer, verdicts)
    }

    fn rows(writer: &Writer) -> i64 {
        writer.connection().unwrap().query_row("SELECT count(*) FROM b", (), |row| row.get(0)).unwrap()
    }

    #[tokio::test]
    async fn a_batch_that_cannot_be_committed_fails_for_each_of_its_members() {
        let (mut writer, verdicts) = refused_batch().await;
        writer.finish_batch();
        for verdict in verdicts {
            assert!(matches!(verdict.await.unwrap(), Err(CommitFault::Unavailable)));
        }
        assert_eq!(rows(&writer), 0);
        assert!(writer.connection().unwrap().is_autocommit(), "nothing lingers");
        writer.open_batch().await.unwrap();
    }

    #[tokio::test]
    async fn without_a_committer_a_batch_is_finished_by_its_first_member() {
        let connection = Connection::open_in_memory().unwrap();
        let (wake, committer) = mpsc::sync_channel(1);
        drop(committer);
        let mut writer = Writer::new(connection, Arc::new(Identity::of(&SqliteLocation::Memory)), wake);
        writer.open_batch().await.unwrap();
        writer.open_savepoint().unwrap();
        let verdict = writer.join(Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap()).unwrap();
        writer.wake_committer();
        assert!(matches!(verdict.await.unwrap(), Ok(())));
    }
}
