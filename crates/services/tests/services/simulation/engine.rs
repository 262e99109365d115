//! The database as the replicas of a play reach it: before each transaction, read and commit one stands until let on,
//! and what goes wrong there is the scheduler's verdict. The engine below is serializable and has one writer; what one with
//! many does is some serial order of what was kept and attempts that were not, and both are drawn here.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use userd_model::{Clock as _, Timestamp};
use userd_storage::{
    Access, Call, Engine, Rows, Statement, StoreError, Transaction, Value,
    engine::{Dialect, Reruns},
};

use super::scheduler::{ACTOR, Actor, Place, Scheduler, Verdict};

/// After this long a unit of work is given up, as the store does by the system's clock.
const DEADLINE: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct Scheduled {
    inner: Arc<dyn Engine>,
    scheduler: Arc<Scheduler>,
    /// When each actor's unit of work began.
    begun: Mutex<HashMap<usize, Timestamp>>,
}

impl Scheduled {
    pub(super) fn over(inner: Arc<dyn Engine>, scheduler: Arc<Scheduler>) -> Arc<dyn Engine> {
        Arc::new(Self { inner, scheduler, begun: Mutex::default() })
    }

    /// How long the unit of work of whoever acts has been going on.
    fn age(&self, access: Access) -> Duration {
        let Some((id, Some(replica))) = ACTOR.try_with(|actor| (actor.id, actor.replica)).ok() else {
            return Duration::ZERO;
        };
        let now = self.scheduler.clocks[replica].now();
        let mut begun = self.begun.lock().unwrap();
        if access.attempt == 0 {
            begun.entry(id).or_insert(now);
        }
        now.since(begun[&id])
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable("as drawn".to_owned())
}

#[async_trait]
impl Engine for Scheduled {
    async fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, StoreError> {
        if access.attempt == 0
            && let Ok(id) = ACTOR.try_with(|actor| actor.id)
        {
            self.begun.lock().unwrap().remove(&id);
        }
        self.age(access);
        let verdict = self.scheduler.stand(Place::Begin(access.name)).await;
        if verdict != Verdict::Go || self.age(access) > DEADLINE {
            return Err(unavailable());
        }
        let inner = self.inner.begin(access).await?;
        let writer = ACTOR.try_with(|actor: &Actor| actor.id).ok();
        *self.scheduler.writer.lock().unwrap() = writer;
        Ok(Box::new(ScheduledTransaction { inner: Some(inner), access, scheduler: Arc::clone(&self.scheduler) }))
    }

    async fn read(&self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        match self.scheduler.stand(Place::Read(statement.name)).await {
            Verdict::Go => self.inner.read(statement, values).await,
            _ => Err(unavailable()),
        }
    }

    /// One after the other: whoever acts stands in one place.
    async fn read_together(&self, calls: &[Call<'_>]) -> Result<Vec<Rows>, StoreError> {
        let mut answers = Vec::with_capacity(calls.len());
        for call in calls {
            answers.push(self.read(call.statement, call.values).await?);
        }
        Ok(answers)
    }

    async fn run_schema(&self, sql: &str) -> Result<(), StoreError> {
        self.inner.run_schema(sql).await
    }

    fn reruns(&self) -> Reruns {
        Reruns { attempts: 12, first_wait: Duration::ZERO, longest_wait: Duration::ZERO }
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.inner.health().await
    }

    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

struct ScheduledTransaction {
    inner: Option<Box<dyn Transaction>>,
    access: Access,
    scheduler: Arc<Scheduler>,
}

impl ScheduledTransaction {
    fn inner(&mut self) -> &mut Box<dyn Transaction> {
        self.inner.as_mut().unwrap()
    }

    /// Rolls back what was not committed, and lets the others at the database.
    fn leave(&mut self) {
        if self.inner.take().is_some() {
            *self.scheduler.writer.lock().unwrap() = None;
        }
    }
}

impl Drop for ScheduledTransaction {
    fn drop(&mut self) {
        self.leave();
    }
}

#[async_trait]
impl Transaction for ScheduledTransaction {
    async fn run(&mut self, statement: &'static Statement, values: &[Value]) -> Result<Rows, StoreError> {
        self.inner().run(statement, values).await
    }

    async fn run_together(&mut self, calls: &[Call<'_>]) -> Result<Vec<Rows>, StoreError> {
        self.inner().run_together(calls).await
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let unknown = || StoreError::OutcomeUnknown("as drawn".to_owned());
        let verdict = self.scheduler.stand(Place::Commit(self.access.name)).await;
        let answer = match verdict {
            Verdict::Go => Ok(()),
            Verdict::UnknownButKept => Err(unknown()),
            Verdict::UnknownAndLost => return Err(unknown()),
            Verdict::Conflict => return Err(StoreError::Conflict),
            _ => return Err(unavailable()),
        };
        let kept = self.inner.take().unwrap().commit().await;
        *self.scheduler.writer.lock().unwrap() = None;
        kept?;
        match self.scheduler.stand(Place::Kept(self.access.name)).await {
            // Nothing follows where the replica is dead.
            Verdict::Crash => Err(unavailable()),
            _ => answer,
        }
    }
}
