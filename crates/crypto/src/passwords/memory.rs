//! What one worker hashes in. Fresh memory costs up to half of a hash in page faults, so it is kept between hashes, and
//! wiped and given back when there is nothing to do. Deliberately absent: threads and their queue (pool.rs).

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use argon2::Block;
use zeroize::{Zeroize as _, Zeroizing};

use super::{PasswordError, phc::Argon2Hash};

/// Blocks of 1 KiB.
pub(super) struct Memory {
    /// Not wiped between two hashes, which would cost a tenth of each: the next one overwrites them.
    blocks: Vec<Block>,
    usual: usize,
    all: Arc<AllMemory>,
}

/// What all workers share.
#[derive(Default)]
pub(super) struct AllMemory {
    /// Blocks held by all of them together.
    pub(super) held: AtomicUsize,
    /// Whose turn it is to take more than usual: many at a time would be more than the machine was measured for.
    dearer: Mutex<()>,
}

/// Blocks to ask for at least, though never touched beyond need: 32 MiB is the most that the C library of Linux takes
/// from an arena, which keeps what is freed (`M_MMAP_THRESHOLD`); more is mapped by itself, and unmapped when freed.
const ALWAYS_MAPPED: usize = 33 * 1024;

impl Memory {
    /// Empty; the first hash allocates `usual` blocks.
    pub(super) const fn new(usual: usize, all: Arc<AllMemory>) -> Self {
        Self { blocks: Vec::new(), usual, all }
    }

    /// The argon2id output for a password with the salt, cost and length of `hash`. A hash that needs more blocks than
    /// usual gets them for itself alone, one such hash after the other.
    pub(super) fn compute(&mut self, hash: &Argon2Hash, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        let context = hash.context()?;
        let needed = context.params().block_count();
        let all = Arc::clone(&self.all);
        let _turn = (needed > self.usual).then(|| all.dearer.lock().unwrap_or_else(PoisonError::into_inner));
        self.grow(needed.max(self.usual));
        let blocks = self.blocks.get_mut(..needed).ok_or(PasswordError::Failed)?;
        let mut output = Zeroizing::new(vec![0; hash.output.len()]);
        let done = context.hash_password_into_with_memory(password, &hash.salt, &mut output, blocks);
        if needed > self.usual {
            self.release();
        }
        done.map(|()| output).map_err(|_| PasswordError::Failed)
    }

    /// Waits until nobody else takes more memory than usual.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.all.dearer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Wipes the blocks and gives them back to the system.
    pub(super) fn release(&mut self) {
        self.blocks.iter_mut().zeroize();
        self.all.held.fetch_sub(self.blocks.len(), Ordering::Relaxed);
        self.blocks = Vec::new();
    }

    /// Small memory, as in tests, need not be mapped.
    const fn least_asked_for(&self) -> usize {
        if self.usual < 1024 { 0 } else { ALWAYS_MAPPED }
    }

    fn grow(&mut self, blocks: usize) {
        if self.blocks.len() < blocks {
            // The old go before the new come.
            self.release();
            self.blocks = Vec::with_capacity(blocks.max(self.least_asked_for()));
            self.blocks.resize(blocks, Block::new());
            self.all.held.fetch_add(blocks, Ordering::Relaxed);
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests;
