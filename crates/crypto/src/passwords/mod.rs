//! Passwords: argon2id (RFC 9106) on threads of their own, so that hashing neither stalls the other requests nor
//! takes more memory than planned. Deliberately absent: which passwords are good enough, and their normalisation
//! (callers pass NFC).

mod imported;
mod memory;
mod phc;
mod pool;

use std::{num::NonZero, sync::Arc, time::Duration};

use argon2::Algorithm;
use userd_model::{Clock, Random};
use zeroize::Zeroizing;

use crate::{constant_time_eq, mac::mac};
use imported::Imported;
use memory::Memory;
use phc::{Argon2Hash, Cost};
use pool::Pool;

/// Longer passwords are refused before any hashing.
pub const MAX_PASSWORD_BYTES: usize = 4096;

/// How hard hashing is, and how much of it happens at once. Memory is bounded by `workers` × `memory_kib` for hashes of
/// our own cost. A hash of an earlier, higher cost may take four times `memory_kib` or 256 MiB, whichever is more; only
/// one at a time does.
#[derive(Clone)]
pub struct PasswordOptions {
    /// argon2id memory, KiB.
    pub memory_kib: u32,
    /// argon2id passes.
    pub iterations: u32,
    /// argon2id lanes; more than one gives nothing here, because one thread computes them all.
    pub parallelism: u32,
    /// Threads, and so hashes at a time.
    pub workers: usize,
    /// Requests that may wait beyond those being worked on.
    pub queue: usize,
    /// A request that waited longer is answered as busy.
    pub deadline: Duration,
    /// A worker without work for this long gives its memory back.
    pub idle: Duration,
    /// Mixed into passwords before hashing, when there is one: a stolen database alone is then no use for guessing.
    pub pepper: Option<Zeroizing<[u8; 32]>>,
    /// Peppers of older hashes, kept until their users have signed in again.
    pub previous_peppers: Vec<Zeroizing<[u8; 32]>>,
}

impl Default for PasswordOptions {
    /// OWASP's minimum for argon2id (19 MiB, 2 passes, 1 lane), a worker per core, no pepper.
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            memory_kib: 19_456,
            iterations: 2,
            parallelism: 1,
            workers,
            queue: workers * 32,
            deadline: Duration::from_secs(2),
            idle: Duration::from_secs(30),
            pepper: None,
            previous_peppers: Vec::new(),
        }
    }
}

/// Hashes and verifies passwords.
pub struct Passwords {
    shared: Arc<Shared>,
    random: Arc<dyn Random>,
    pool: Pool,
}

struct Shared {
    cost: Cost,
    /// The current one first.
    peppers: Vec<Pepper>,
    uses_pepper: bool,
    /// Hashes nothing; verifying against it costs what verifying against a real one costs.
    dummy: Argon2Hash,
}

struct Pepper {
    id: [u8; 4],
    key: Zeroizing<[u8; 32]>,
}

/// What verifying found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is the password.
    pub matches: bool,
    /// Whether it matches a hash of another cost or pepper than ours, so that it should be hashed again now.
    pub needs_rehash: bool,
}

/// Why a password was neither hashed nor verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Too many are waiting; try again after about this long.
    #[error("too many passwords are being hashed")]
    Busy(Duration),
    /// More than [`MAX_PASSWORD_BYTES`].
    #[error("the password is too long")]
    TooLong,
    /// The stored hash is not one that we can verify: another scheme, too high a cost, or a pepper we do not have.
    #[error("the stored password hash is not supported")]
    UnsupportedHash,
    /// The configured cost is not possible for argon2id.
    #[error("the argon2id parameters are out of range")]
    Parameters,
    /// The system gave no thread, or hashing itself failed.
    #[error("password hashing failed")]
    Failed,
}

/// A look at the pool, for health pages and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    /// Waiting.
    pub queued: usize,
    /// Being worked on, those whose caller has gone included.
    pub running: usize,
    /// Memory held by the workers, KiB.
    pub memory_kib: usize,
}

impl Passwords {
    /// Starts the worker threads; they end when this is dropped.
    pub fn new(
        options: PasswordOptions,
        random: Arc<dyn Random>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PasswordError> {
        let cost = Cost::new(options.memory_kib, options.iterations, options.parallelism)?;
        let pool = Pool::start(&options, cost.blocks()?, clock)?;
        let uses_pepper = options.pepper.is_some();
        let peppers = options.pepper.into_iter().chain(options.previous_peppers).map(Pepper::new).collect();
        let dummy = Argon2Hash::random(cost, random.as_ref());
        Ok(Self { shared: Arc::new(Shared { cost, peppers, uses_pepper, dummy }), random, pool })
    }

    /// The PHC string of `password` with a new salt and the configured cost.
    pub async fn hash(&self, password: Zeroizing<String>) -> Result<String, PasswordError> {
        bounded(&password)?;
        let shared = Arc::clone(&self.shared);
        let mut hash = Argon2Hash::random(shared.cost, self.random.as_ref());
        self.pool.run(move |memory| shared.hash(memory, &password, &mut hash)).await?
    }

    /// Whether `password` is the one that `phc` was made from. Without a `phc` (an unknown login) the same work is
    /// done against a dummy and the answer is no, so that the time tells nothing about which logins exist.
    pub async fn verify(&self, password: Zeroizing<String>, phc: Option<String>) -> Result<Verdict, PasswordError> {
        bounded(&password)?;
        if let Some(imported) = phc.as_deref().and_then(Imported::parse) {
            return self.pool.run(move |memory| imported.verdict(memory, &password)).await?;
        }
        let known = phc.map(|phc| Argon2Hash::parse(&phc, self.shared.cost)).transpose()?;
        let shared = Arc::clone(&self.shared);
        self.pool.run(move |memory| shared.verify(memory, &password, known.as_ref())).await?
    }

    /// How a hash of other software is stored, so that [`Self::verify`] takes it; nothing where it cannot be verified, or would cost
    /// too much. It is outdated at once: whoever signs in gets one of ours.
    #[must_use]
    pub fn import(&self, text: &str) -> Option<String> {
        let stored = imported::stored(text);
        let is_ours = || Argon2Hash::parse(&stored, self.shared.cost).is_ok_and(|hash| hash.pepper_id.is_none());
        (Imported::parse(&stored).is_some() || is_ours()).then_some(stored)
    }

    /// Whether one more password would be taken now. For callers who would look things up first: in a flood, those who
    /// are turned away should cost next to nothing. The only error is [`PasswordError::Busy`].
    pub fn admit(&self) -> Result<(), PasswordError> {
        self.pool.admit()
    }

    /// How many passwords may be worked on and wait at once.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.pool.capacity()
    }

    /// How busy it is.
    #[must_use]
    pub fn state(&self) -> PoolState {
        self.pool.state()
    }
}

impl Shared {
    fn hash(&self, memory: &mut Memory, password: &str, hash: &mut Argon2Hash) -> Result<String, PasswordError> {
        let pepper = self.peppers.first().filter(|_| self.uses_pepper);
        hash.pepper_id = pepper.map(|pepper| pepper.id.to_vec());
        hash.output = memory.compute(hash, &peppered(password, pepper))?.to_vec();
        Ok(hash.to_string())
    }

    fn verify(
        &self,
        memory: &mut Memory,
        password: &str,
        known: Option<&Argon2Hash>,
    ) -> Result<Verdict, PasswordError> {
        let hash = known.unwrap_or(&self.dummy);
        let pepper = self.pepper_of(hash)?;
        let output = memory.compute(hash, &peppered(password, pepper))?;
        let matches = constant_time_eq(&output, &hash.output) & known.is_some();
        Ok(Verdict { matches, needs_rehash: matches && self.is_outdated(hash) })
    }

    fn pepper_of(&self, hash: &Argon2Hash) -> Result<Option<&Pepper>, PasswordError> {
        let Some(id) = &hash.pepper_id else { return Ok(None) };
        let pepper = self.peppers.iter().find(|pepper| pepper.id == id.as_slice());
        pepper.map(Some).ok_or(PasswordError::UnsupportedHash)
    }

    fn is_outdated(&self, hash: &Argon2Hash) -> bool {
        let pepper = self.peppers.first().filter(|_| self.uses_pepper).map(|pepper| pepper.id.as_slice());
        hash.algorithm != Algorithm::Argon2id
            || hash.cost != self.cost
            || hash.output.len() != phc::OUTPUT_LEN
            || hash.pepper_id.as_deref() != pepper
    }
}

impl Pepper {
    fn new(key: Zeroizing<[u8; 32]>) -> Self {
        let mut id = [0; 4];
        id.iter_mut().zip(mac(&key, &[b"userd pepper id"])).for_each(|(to, from)| *to = from);
        Self { id, key }
    }
}

fn bounded(password: &str) -> Result<(), PasswordError> {
    if password.len() > MAX_PASSWORD_BYTES { Err(PasswordError::TooLong) } else { Ok(()) }
}

fn peppered(password: &str, pepper: Option<&Pepper>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(match pepper {
        None => password.as_bytes().to_vec(),
        Some(pepper) => mac(&pepper.key, &[b"pepper", password.as_bytes()]).to_vec(),
    })
}

/// Shows the cost and whether there is a pepper.
impl std::fmt::Debug for PasswordOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordOptions")
            .field("memory_kib", &self.memory_kib)
            .field("iterations", &self.iterations)
            .field("parallelism", &self.parallelism)
            .field("workers", &self.workers)
            .field("queue", &self.queue)
            .field("pepper", &self.pepper.is_some())
            .finish_non_exhaustive()
    }
}

/// Shows how busy it is.
impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Passwords").field(&self.state()).finish()
    }
}
