//! Which connections are taken: so many at a time, so many of one address. Whoever is turned away is counted, and said
//! once in a while, because a flood must not flood the log. Deliberately absent: what happens on a connection.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How often each trouble is said.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Why a connection was not served.
#[derive(Clone, Copy)]
pub(super) enum Refused {
    /// Its address has too many.
    Address,
    /// The system gave none: no descriptors, no memory.
    Accept,
    /// The handshake failed.
    Tls,
}

impl Refused {
    pub(super) fn count(self) {
        let reason = match self {
            Self::Address => "address",
            Self::Accept => "accept",
            Self::Tls => "tls",
        };
        metrics::counter!("userd_http_connections_refused_total", "reason" => reason).increment(1);
    }
}

/// Lets connections in.
pub(super) struct Admission {
    slots: Arc<Semaphore>,
    per_address: Option<usize>,
    open: Arc<Open>,
    full: Trouble,
    address: Trouble,
    accept: Trouble,
}

/// How many connections there are, and of each address.
#[derive(Default)]
struct Open {
    all: AtomicUsize,
    by_address: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place in the counts.
pub(super) struct Place {
    open: Arc<Open>,
    address: IpAddr,
    _slot: OwnedSemaphorePermit,
}

/// One kind of trouble and when it was said last.
#[derive(Default)]
struct Trouble {
    times: u64,
    said_at: Option<Instant>,
}

impl Trouble {
    /// How often it happened since it was said last, if it is time to say it again.
    fn happened(&mut self) -> Option<u64> {
        self.times += 1;
        if self.said_at.is_some_and(|said| said.elapsed() < SAY_EVERY) {
            return None;
        }
        self.said_at = Some(Instant::now());
        Some(std::mem::take(&mut self.times))
    }
}

impl Admission {
    pub(super) fn new(connections: usize, per_address: Option<usize>) -> Self {
        let trouble = Trouble::default;
        let (full, address, accept) = (trouble(), trouble(), trouble());
        Self { slots: Arc::new(Semaphore::new(connections)), per_address, open: Arc::default(), full, address, accept }
    }

    /// Waits until one more may come. The semaphore is never closed.
    pub(super) async fn slot(&mut self) -> Option<OwnedSemaphorePermit> {
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            return Some(slot);
        }
        if let Some(times) = self.full.happened() {
            let open = self.open.all.load(Ordering::Relaxed);
            tracing::warn!(open, times, "as many connections are open as may be: more wait in the system's queue");
        }
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }

    /// A place, unless the address has as many as one may have.
    pub(super) fn enter(&mut self, address: IpAddr, slot: OwnedSemaphorePermit) -> Option<Place> {
        let taken = self.open.enter(address, self.per_address);
        if !taken {
            Refused::Address.count();
            if let Some(times) = self.address.happened() {
                tracing::warn!(%address, limit = self.per_address, times, "refused: too many connections of one address");
            }
        }
        taken.then(|| Place { open: Arc::clone(&self.open), address, _slot: slot })
    }

    /// The system had none to give.
    pub(super) fn not_accepted(&mut self, error: &io::Error) {
        Refused::Accept.count();
        if let Some(times) = self.accept.happened() {
            tracing::warn!(%error, times, "a connection could not be accepted");
        }
    }
}

impl Open {
    fn enter(&self, address: IpAddr, limit: Option<usize>) -> bool {
        let mut open = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if limit.is_some_and(|limit| *count >= limit) {
            return false;
        }
        *count += 1;
        drop(open);
        self.all.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("userd_http_connections_total").increment(1);
        metrics::gauge!("userd_http_connections").increment(1.0);
        true
    }

    fn leave(&self, address: IpAddr) {
        let mut open = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&address);
            }
        }
        drop(open);
        self.all.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!("userd_http_connections").decrement(1.0);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.leave(self.address);
    }
}
