//! A few connections that all reads outside of units of work share, pipelined: requests are sent without waiting for the
//! answers before them, so one connection serves many readers with fewer wake-ups on both ends. Single statements
//! only: a transaction or a slow query here would hold up everybody behind it.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Mutex, time::timeout};
use tokio_postgres::Error;

use super::{
    classify::{self, Meaning},
    connect::{Connection, Connector, address, prepare, query},
};
use crate::{Rows, Statement, StoreError, Value};

/// A read is tried again on a new connection this many times.
const TRIES: u32 = 2;

pub(super) struct ReadConnections {
    connector: Arc<Connector>,
    slots: Vec<Slot>,
    next: AtomicUsize,
    deadline: Duration,
    closed: AtomicBool,
}

/// The place of a connection, which comes and goes.
#[derive(Default)]
struct Slot {
    current: RwLock<Option<Arc<ReadConnection>>>,
    /// One connects, the others wait for it.
    connecting: Mutex<()>,
}

struct ReadConnection {
    connection: Connection,
    prepared: RwLock<HashMap<usize, tokio_postgres::Statement>>,
}

impl ReadConnections {
    pub(super) fn new(connector: Arc<Connector>, count: usize, deadline: Duration) -> Self {
        let slots = (0..count.clamp(1, 64)).map(|_| Slot::default()).collect();
        Self { connector, slots, next: AtomicUsize::new(0), deadline, closed: AtomicBool::new(false) }
    }

    pub(super) async fn read(&self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let slot = self.slots.get(turn % self.slots.len().max(1)).ok_or_else(closed)?;
        let mut tries = 0;
        loop {
            let shared = self.shared(slot).await?;
            tries += 1;
            let waiting = self.connector.waiting(self.deadline);
            let Ok(answer) = timeout(self.deadline, shared.query(statement, values)).await else {
                slot.forget(&shared);
                // Whoever waits on it too need not do so to the end: a read may be asked again.
                shared.connection.abort();
                return Err(StoreError::Unavailable("postgres: no answer in time".to_owned()));
            };
            waiting.answered(&shared.connection);
            match answer {
                Ok(rows) => return rows,
                Err(error) => {
                    if classify::meaning(&error) != Meaning::Said {
                        slot.forget(&shared);
                        if tries < TRIES {
                            continue;
                        }
                    }
                    // A read has no transaction to run again.
                    return Err(match classify::statement(&error, statement) {
                        StoreError::Conflict => classify::connection(&error),
                        other => other,
                    });
                }
            }
        }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.slots.iter().for_each(|slot| *slot.current.write().unwrap_or_else(PoisonError::into_inner) = None);
    }

    async fn shared(&self, slot: &Slot) -> Result<Arc<ReadConnection>, StoreError> {
        if let Some(shared) = slot.open(&self.connector) {
            return Ok(shared);
        }
        let _one = slot.connecting.lock().await;
        if let Some(shared) = slot.open(&self.connector) {
            return Ok(shared);
        }
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let shared =
            Arc::new(ReadConnection { connection: self.connector.connect().await?, prepared: RwLock::default() });
        let before = slot.current.write().unwrap_or_else(PoisonError::into_inner).replace(Arc::clone(&shared));
        if let Some(distrusted) = before {
            distrusted.connection.abort();
        }
        Ok(shared)
    }
}

impl Slot {
    fn open(&self, connector: &Connector) -> Option<Arc<ReadConnection>> {
        let shared = self.current.read().unwrap_or_else(PoisonError::into_inner);
        shared.as_ref().filter(|shared| connector.trusts(&shared.connection)).map(Arc::clone)
    }

    /// Takes the connection out, unless somebody has put another one in already. Its other readers finish as they can.
    fn forget(&self, shared: &Arc<ReadConnection>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, shared)) {
            *current = None;
        }
    }
}

impl ReadConnection {
    async fn query(&self, statement: &'static Statement, values: &[Value]) -> Result<Result<Rows, StoreError>, Error> {
        let client = &self.connection.client;
        let known = self.prepared.read().unwrap_or_else(PoisonError::into_inner).get(&address(statement)).cloned();
        let prepared = match known {
            Some(known) => known,
            None => {
                let made = prepare(client, statement).await?;
                self.prepared.write().unwrap_or_else(PoisonError::into_inner).insert(address(statement), made.clone());
                made
            }
        };
        query(client, statement, Some(&prepared), values).await
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("postgres: closed".to_owned())
}
