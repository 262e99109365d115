//! What one worker hashes with: memory, and an engine. Fresh memory costs up to half of a hash in page faults, so it is
//! kept between hashes and given back when there is nothing to do.
//!
//! The engine takes what other threads leave of the processors. When that is too little, the worker stops waiting,
//! hashes itself in memory of its own, and goes on so until the engine is done. Decision 0011.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use argon2::Block;
use zeroize::Zeroizing;

use super::{
    PasswordError,
    engine::{Engine, Task},
    phc::Argon2id,
};

/// How long an engine has for a hash: a burst of requests is over sooner.
const PATIENCE: Duration = Duration::from_millis(500);
/// At least this for each block in each pass, some times what it takes. Not more: a worker that waits for a starving
/// engine signs nobody in, and an imported hash may be dear.
const PATIENCE_PER_BLOCK: Duration = Duration::from_micros(2);

pub(super) struct Arena {
    memory: Memory,
    usual: usize,
    engine: Engine,
    /// Whether the engine has not given back what it got last.
    away: bool,
}

/// Blocks of 1 KiB, counted while they live.
pub(super) struct Memory {
    blocks: Vec<Block>,
    /// All workers' together.
    held: Arc<AtomicUsize>,
}

impl Arena {
    /// Empty; the first hash allocates `usual` blocks.
    pub(super) const fn new(usual: usize, engine: Engine, held: Arc<AtomicUsize>) -> Self {
        Self { memory: Memory { blocks: Vec::new(), held }, usual, engine, away: false }
    }

    /// The argon2id output for a password with the salt, cost and length of `hash`. A dearer hash than usual grows
    /// the memory for itself alone.
    pub(super) fn compute(&mut self, hash: &Argon2id, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        self.collect();
        let done = match self.entrust(hash, password)? {
            Some(done) => done,
            None => self.task(hash, password)?.run(),
        };
        if done.memory.blocks.len() <= self.usual {
            self.memory = done.memory;
        }
        done.result.map(|()| done.output).map_err(|_| PasswordError::Failed)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.memory.blocks.is_empty() && !self.away
    }

    pub(super) fn release(&mut self) {
        self.collect();
        self.memory.resize(0);
    }

    /// Lets the engine hash. `None` when it is still busy, or not done in time: then it keeps what it was given.
    fn entrust(&mut self, hash: &Argon2id, password: &[u8]) -> Result<Option<Task>, PasswordError> {
        if self.away {
            return Ok(None);
        }
        let task = self.task(hash, password)?;
        let patience = PATIENCE.max(PATIENCE_PER_BLOCK.saturating_mul(task.effort()));
        self.engine.give(task);
        let done = self.engine.done_within(patience);
        self.away = done.is_none();
        if self.away {
            metrics::counter!("userd_argon2_starved_total").increment(1);
        }
        Ok(done)
    }

    /// Takes back what the engine has finished after all.
    fn collect(&mut self) {
        if self.away {
            self.away = self.engine.done_within(Duration::ZERO).is_none();
        }
    }

    fn task(&mut self, hash: &Argon2id, password: &[u8]) -> Result<Task, PasswordError> {
        let context = hash.context()?;
        self.memory.resize(context.params().block_count().max(self.usual));
        let empty = Memory { blocks: Vec::new(), held: Arc::clone(&self.memory.held) };
        let memory = mem::replace(&mut self.memory, empty);
        Ok(Task::new(context, hash, password, memory))
    }
}

impl Memory {
    /// So many blocks at least, or none.
    fn resize(&mut self, blocks: usize) {
        if blocks == 0 || self.blocks.len() < blocks {
            self.held.fetch_sub(self.blocks.len(), Ordering::Relaxed);
            // The old go before the new come.
            self.blocks = Vec::new();
            self.blocks = vec![Block::new(); blocks];
            self.held.fetch_add(blocks, Ordering::Relaxed);
        }
    }

    pub(super) fn blocks(&mut self) -> &mut [Block] {
        &mut self.blocks
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.resize(0);
    }
}

#[cfg(test)]
#[path = "arena_tests.rs"]
mod tests;
