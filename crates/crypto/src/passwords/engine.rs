//! A thread that hashes while nobody else wants its processor. It touches nothing but what it was handed: no allocator,
//! and no lock but those of its worker's two channels. Whoever waited for it to let go of one would wait until processors
//! are free, so only its own worker ever could.

use std::{
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
    time::Duration,
};

use argon2::Argon2;
use zeroize::Zeroizing;

use super::{PasswordError, arena::Memory, phc::Argon2id};

/// One worker's engine; its thread ends when this is dropped and the last hash is done.
pub(super) struct Engine {
    tasks: SyncSender<Task>,
    done: Receiver<Task>,
}

/// A hash to compute, with everything it takes.
pub(super) struct Task {
    context: Argon2<'static>,
    password: Zeroizing<Vec<u8>>,
    salt: Vec<u8>,
    pub(super) memory: Memory,
    pub(super) output: Zeroizing<Vec<u8>>,
    pub(super) result: argon2::Result<()>,
}

impl Engine {
    pub(super) fn start() -> Result<Self, PasswordError> {
        let (tasks, given) = mpsc::sync_channel::<Task>(1);
        let (finished, done) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("userd-argon2".to_owned());
        let body = move || {
            give_way();
            while let Ok(task) = given.recv() {
                if finished.send(task.run()).is_err() {
                    return;
                }
            }
        };
        thread.spawn(body).map_err(|_| PasswordError::Failed)?;
        Ok(Self { tasks, done })
    }

    /// Hands over one task; the one before is done.
    pub(super) fn give(&self, task: Task) {
        // An engine that is no more is never done, and so the worker hashes.
        let _ = self.tasks.try_send(task);
    }

    pub(super) fn done_within(&self, span: Duration) -> Option<Task> {
        self.done.recv_timeout(span).ok()
    }

    /// An engine that does nothing: what it was given, and how to say that it is done.
    #[cfg(test)]
    pub(super) fn stalled() -> (Self, Receiver<Task>, SyncSender<Task>) {
        let (tasks, given) = mpsc::sync_channel(1);
        let (finished, done) = mpsc::sync_channel(1);
        (Self { tasks, done }, given, finished)
    }
}

impl Task {
    pub(super) fn new(context: Argon2<'static>, hash: &Argon2id, password: &[u8], memory: Memory) -> Self {
        Self {
            context,
            password: Zeroizing::new(password.to_vec()),
            salt: hash.salt.clone(),
            memory,
            output: Zeroizing::new(vec![0; hash.output.len()]),
            result: Ok(()),
        }
    }

    /// How many blocks are written.
    pub(super) fn effort(&self) -> u32 {
        let params = self.context.params();
        params.m_cost().saturating_mul(params.t_cost())
    }

    pub(super) fn run(mut self) -> Self {
        let needed = self.context.params().block_count();
        self.result = match self.memory.blocks().get_mut(..needed) {
            Some(memory) => {
                self.context.hash_password_into_with_memory(&self.password, &self.salt, &mut self.output, memory)
            }
            None => Err(argon2::Error::MemoryTooLittle),
        };
        self
    }
}

/// This thread runs when no other wants to: who wakes takes its processor at once (`SCHED_IDLE`, sched(7)). There is no
/// way back without privileges. Only on Linux, where a policy belongs to a thread. Not being allowed to is no failure.
fn give_way() {
    #[cfg(target_os = "linux")]
    {
        use thread_priority::{
            NormalThreadSchedulePolicy::Idle, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
            thread_native_id,
        };
        let idle = ThreadSchedulePolicy::Normal(Idle);
        if set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle).is_err() {
            super::pool::lower_priority();
        }
    }
}
