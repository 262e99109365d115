//! The thread that makes batches durable, so that no async worker ever waits for a disk.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
        mpsc::Receiver,
    },
    thread,
};

use tokio::sync::Mutex;

use super::writer::Writer;
use crate::StoreError;

/// How often the committer goes to the end of the queue for those who came meanwhile: they take microseconds, a write
/// to the disk takes longer. The number of places bounds a batch anyway; this bounds the wait of its first member when
/// others keep coming and roll back.
const ROUNDS: u32 = 64;

/// SQLite needs little; the default of 2 MiB is address space only, but this says what is enough.
const STACK: usize = 512 * 1024;

/// Starts the thread. It ends when the engine and all its transactions are gone: they hold the other end of `woken`.
pub(super) fn start(
    woken: Receiver<()>,
    writer: Weak<Mutex<Writer>>,
    waiting: Arc<AtomicUsize>,
) -> Result<(), StoreError> {
    thread::Builder::new()
        .name("userd-sqlite-commit".to_owned())
        .stack_size(STACK)
        .spawn(move || run(&woken, &writer, &waiting))
        .map(drop)
        .map_err(|_| StoreError::Unavailable("sqlite: no thread to commit with".to_owned()))
}

fn run(woken: &Receiver<()>, writer: &Weak<Mutex<Writer>>, waiting: &AtomicUsize) {
    let mut members = Vec::new();
    while woken.recv().is_ok() {
        let Some(writer) = writer.upgrade() else { return };
        let mut turn = writer.blocking_lock();
        for _ in 0..ROUNDS {
            if waiting.load(Ordering::Relaxed) == 0 {
                break;
            }
            drop(turn);
            turn = writer.blocking_lock();
        }
        let verdict = turn.commit_batch(&mut members);
        // The next unit of work may start while these hear their answer.
        drop(turn);
        metrics::histogram!("userd_sqlite_batch_size").record(u32::try_from(members.len()).unwrap_or(u32::MAX));
        members.drain(..).for_each(|member| member.answer(verdict));
    }
}
