//! Lanes: a few connections that all reads outside of units of work share. Requests are sent without waiting for the
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

pub(super) struct Lanes {
    connector: Arc<Connector>,
    slots: Vec<Slot>,
    next: AtomicUsize,
    deadline: Duration,
    closed: AtomicBool,
}

/// A lane's place: the connection in it comes and goes.
#[derive(Default)]
struct Slot {
    lane: RwLock<Option<Arc<Lane>>>,
    /// One connects, the others wait for it.
    connecting: Mutex<()>,
}

struct Lane {
    connection: Connection,
    prepared: RwLock<HashMap<usize, tokio_postgres::Statement>>,
}

impl Lanes {
    pub(super) fn new(connector: Arc<Connector>, count: usize, deadline: Duration) -> Self {
        let slots = (0..count.clamp(1, 64)).map(|_| Slot::default()).collect();
        Self { connector, slots, next: AtomicUsize::new(0), deadline, closed: AtomicBool::new(false) }
    }

    pub(super) async fn read(&self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let slot = self.slots.get(turn % self.slots.len().max(1)).ok_or_else(closed)?;
        let mut tries = 0;
        loop {
            let lane = self.lane(slot).await?;
            tries += 1;
            let Ok(answer) = timeout(self.deadline, lane.query(statement, values)).await else {
                slot.forget(&lane);
                return Err(StoreError::Unavailable("postgres: no answer in time".to_owned()));
            };
            match answer {
                Ok(rows) => return rows,
                Err(error) => {
                    if classify::meaning(&error) != Meaning::Said {
                        slot.forget(&lane);
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
        self.slots.iter().for_each(|slot| *slot.lane.write().unwrap_or_else(PoisonError::into_inner) = None);
    }

    async fn lane(&self, slot: &Slot) -> Result<Arc<Lane>, StoreError> {
        if let Some(lane) = slot.open() {
            return Ok(lane);
        }
        let _one = slot.connecting.lock().await;
        if let Some(lane) = slot.open() {
            return Ok(lane);
        }
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let lane = Arc::new(Lane { connection: self.connector.connect().await?, prepared: RwLock::default() });
        *slot.lane.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&lane));
        Ok(lane)
    }
}

impl Slot {
    fn open(&self) -> Option<Arc<Lane>> {
        let lane = self.lane.read().unwrap_or_else(PoisonError::into_inner);
        lane.as_ref().filter(|lane| !lane.connection.client.is_closed()).map(Arc::clone)
    }

    /// Takes the lane out, unless somebody has put another one in already. Its other readers finish as they can.
    fn forget(&self, lane: &Arc<Lane>) {
        let mut current = self.lane.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, lane)) {
            *current = None;
        }
    }
}

impl Lane {
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
