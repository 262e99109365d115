//! What one worker hashes in. Fresh memory costs up to half of a hash in page faults, so it is kept between hashes, and
//! wiped and given back when there is nothing to do. Deliberately absent: threads and their queue (pool.rs).

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use argon2::Block;
use zeroize::{Zeroize as _, Zeroizing};

use super::{PasswordError, phc::Argon2id};

/// Blocks of 1 KiB.
pub(super) struct Memory {
    /// Not wiped between two hashes, which would cost a tenth of each: the next one overwrites them.
    blocks: Vec<Block>,
    usual: usize,
    /// Blocks of all workers together.
    held: Arc<AtomicUsize>,
}

impl Memory {
    /// Empty; the first hash allocates `usual` blocks.
    pub(super) const fn new(usual: usize, held: Arc<AtomicUsize>) -> Self {
        Self { blocks: Vec::new(), usual, held }
    }

    /// The argon2id output for a password with the salt, cost and length of `hash`. A hash that needs more blocks than
    /// usual gets them for itself alone.
    pub(super) fn compute(&mut self, hash: &Argon2id, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        let context = hash.context()?;
        let needed = context.params().block_count();
        self.grow(needed.max(self.usual));
        let blocks = self.blocks.get_mut(..needed).ok_or(PasswordError::Failed)?;
        let mut output = Zeroizing::new(vec![0; hash.output.len()]);
        let done = context.hash_password_into_with_memory(password, &hash.salt, &mut output, blocks);
        if needed > self.usual {
            self.release();
        }
        done.map(|()| output).map_err(|_| PasswordError::Failed)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Wipes the blocks and gives them back to the system.
    pub(super) fn release(&mut self) {
        self.blocks.iter_mut().zeroize();
        self.held.fetch_sub(self.blocks.len(), Ordering::Relaxed);
        self.blocks = Vec::new();
    }

    fn grow(&mut self, blocks: usize) {
        if self.blocks.len() < blocks {
            // The old go before the new come.
            self.release();
            self.blocks = vec![Block::new(); blocks];
            self.held.fetch_add(blocks, Ordering::Relaxed);
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
