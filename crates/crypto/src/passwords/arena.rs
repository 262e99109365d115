//! The memory that one worker hashes in. Fresh memory costs up to half of a hash in page faults, so it is kept
//! between hashes and given back when there is nothing to do.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use argon2::Block;
use zeroize::Zeroizing;

use super::{PasswordError, phc::Argon2id};

pub(super) struct Arena {
    blocks: Vec<Block>,
    usual: usize,
    /// All workers' blocks together; one is 1 KiB.
    held: Arc<AtomicUsize>,
}

impl Arena {
    /// Empty; the first hash allocates `usual` blocks.
    pub(super) const fn new(usual: usize, held: Arc<AtomicUsize>) -> Self {
        Self { blocks: Vec::new(), usual, held }
    }

    /// The argon2id output for a password with the salt, cost and length of `hash`. A dearer hash than usual grows
    /// the memory for itself alone.
    pub(super) fn compute(&mut self, hash: &Argon2id, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        let context = hash.context()?;
        let needed = context.params().block_count();
        self.hold(needed.max(self.usual));
        let memory = self.blocks.get_mut(..needed).ok_or(PasswordError::Failed)?;
        let mut output = Zeroizing::new(vec![0; hash.output.len()]);
        let done = context.hash_password_into_with_memory(password, &hash.salt, &mut output, memory);
        if self.blocks.len() > self.usual {
            self.release();
        }
        done.map(|()| output).map_err(|_| PasswordError::Failed)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    pub(super) fn release(&mut self) {
        self.held.fetch_sub(self.blocks.len(), Ordering::Relaxed);
        self.blocks = Vec::new();
    }

    fn hold(&mut self, blocks: usize) {
        if self.blocks.len() < blocks {
            self.release();
            self.blocks = vec![Block::new(); blocks];
            self.held.fetch_add(blocks, Ordering::Relaxed);
        }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.release();
    }
}
