//! The event log: facts leave the outbox for it, one shard at a time, under the lease of the shard. Deliberately absent:
//! reading the log (`events.rs`).
//!
//! What holds whoever works, however late somebody commits and whatever the clocks say:
//! - Positions of a shard have no gaps: the next one is read and written in the unit of work that appends.
//! - Events of a subject stand in the order of their numbers: one is appended only behind the one before. A fact that is
//!   late is a number that is missing, and is waited for.
//! - Whoever has lost the lease appends nothing: its epoch is looked at in the same unit of work.
//!
//! Facts are read outside of it: one that can be read is committed and never changes, and a range that is read inside
//! would conflict with every sign-in. What decides is read inside: the lease, the last numbers, the position.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{Notify, watch};
use userd_model::{Event, Fact, Subject, Timestamp};
use userd_storage::{
    Failure,
    repositories::{event_heads::EventHead, outbox::SHARDS},
};

use crate::{
    Dependencies,
    audit::AuditLog,
    change::{Change, Changes, Committed},
    deliveries::Deliveries,
    hourly_counts,
    shard_leases::ShardLeases,
};

/// Facts read at once, and passed on in one unit of work.
const BATCH: u32 = 200;
/// How long a missing number is waited for. A number is taken only when the one before is committed, so one that a
/// minute later is still not there is not late: its row was removed, by hand or by the sweeper after a week.
const PATIENCE: Duration = Duration::from_secs(60);

/// Appends to the event log.
pub struct EventLog {
    deps: Dependencies,
    changes: Changes,
    leases: ShardLeases,
    told: Arc<Notify>,
    /// Since when a fact has been waiting for the one before it.
    waiting: Mutex<Waiting>,
    /// The sum of all positions, for those who wait for more. Looked at only while somebody does.
    news: watch::Sender<i64>,
    /// What facts tell people and other services.
    deliveries: Arc<Deliveries>,
    /// Always there in service.
    audit: Option<AuditLog>,
    in_order: bool,
}

type Waiting = HashMap<(Subject, i64), Timestamp>;

/// What can be done with some facts.
#[derive(Default)]
struct Plan {
    /// To be appended, in this order.
    ready: Vec<Fact>,
    /// Passed on before, or from before there were numbers.
    stale: Vec<Fact>,
    /// The one before is missing.
    waiting: Vec<Fact>,
    /// The last number of each subject that has something to be appended.
    numbers: Vec<(Subject, i64)>,
}

impl EventLog {
    pub(crate) fn new(deps: Dependencies, changes: Changes, deliveries: Arc<Deliveries>) -> Self {
        let leases = ShardLeases::new(&deps, changes.clone(), "event_log", SHARDS);
        Self {
            told: changes.told(),
            audit: Some(AuditLog::new(deps.clone())),
            deps,
            changes,
            leases,
            waiting: Mutex::default(),
            news: watch::Sender::default(),
            deliveries,
            in_order: true,
        }
    }

    /// As it must not be: appends facts as they are found. To see that the tests notice.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn without_order(services: &crate::Services) -> Self {
        let (deps, changes) = (services.deps.clone(), services.changes.clone());
        Self { in_order: false, ..Self::new(deps, changes, Arc::clone(&services.deliveries)) }
    }

    /// As it must not be: appends to no audit log. To measure what that adds.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn without_audit(services: &crate::Services) -> Self {
        let (deps, changes) = (services.deps.clone(), services.changes.clone());
        Self { audit: None, ..Self::new(deps, changes, Arc::clone(&services.deliveries)) }
    }

    /// Answers when this process has told something.
    pub async fn told(&self) {
        self.told.notified().await;
    }

    /// One round over the shards whose leases this replica has or gets. Answers how many facts were passed on.
    ///
    /// # Errors
    /// Storage faults. What was passed on before stays so.
    pub async fn tick(&self) -> Result<usize, Failure> {
        let now = self.deps.now();
        self.leases.take(now).await?;
        let passed_on = self.pass_on(now).await?;
        if self.news.receiver_count() > 0 {
            let heads = self.deps.store.reading().event_heads().all().await?;
            let sum = heads.iter().map(|head| head.position).sum();
            self.news.send_if_modified(|known| std::mem::replace(known, sum) != sum);
        }
        Ok(passed_on)
    }

    /// Changes with the end of the log, whichever replica appended.
    pub(crate) fn news(&self) -> watch::Receiver<i64> {
        self.news.subscribe()
    }

    /// A round with the leases as they are remembered: what a worker does that was stopped and wakes.
    #[cfg(feature = "testing")]
    pub async fn append_with_old_leases(&self) -> Result<usize, Failure> {
        self.pass_on(self.deps.now()).await
    }

    async fn pass_on(&self, now: Timestamp) -> Result<usize, Failure> {
        let (mut appended, mut oldest, mut waiting) = (0, now, Vec::new());
        for (shard, epoch) in self.leases.held() {
            let (count, left) = self.work_off(shard, epoch, now).await?;
            appended += count;
            oldest = left.iter().map(|fact| fact.at).min().unwrap_or(now).min(oldest);
            waiting.extend(left.into_iter().map(|fact| (fact.subject, fact.number)));
        }
        self.waiting(|known| {
            let since = |key: (Subject, i64)| (known.get(&key).copied().unwrap_or(now), key);
            *known = waiting.into_iter().map(since).map(|(since, key)| (key, since)).collect();
        });
        metrics::counter!("userd_event_log_rounds_total").increment(1);
        metrics::counter!("userd_event_log_facts_total").increment(appended as u64);
        metrics::gauge!("userd_outbox_oldest_seconds").set(now.since(oldest).as_secs_f64());
        Ok(appended)
    }

    /// Gives the shards back, so that another replica goes on at once.
    ///
    /// # Errors
    /// Storage faults: then the leases end by themselves.
    pub async fn give_back(&self) -> Result<(), Failure> {
        self.waiting(HashMap::clear);
        self.leases.give_back().await
    }

    /// Passes on what can be of one shard, in portions. Answers how many facts that was, and which have to wait.
    async fn work_off(&self, shard: i64, epoch: i64, now: Timestamp) -> Result<(usize, Vec<Fact>), Failure> {
        let (mut appended, mut waiting, mut behind) = (0, Vec::new(), None);
        loop {
            let page = self.deps.store.reading().outbox().page(shard, behind, BATCH).await?;
            let is_last = page.len() < BATCH as usize;
            behind = page.last().map(|last| (last.at, last.id)).or(behind);
            waiting.extend(page);
            if waiting.is_empty() {
                return Ok((appended, waiting));
            }
            // Only with the last portion is it known that a number is not there.
            let lost = if is_last { self.lost(now) } else { HashMap::new() };
            let (facts, lost) = (&waiting, &lost);
            let plan = self
                .changes
                .run(&self.changes.system_context(), "append_events", |change| async move {
                    self.append(change, (shard, epoch), facts, lost, now).await
                })
                .await?;
            let Some(plan) = plan else {
                self.leases.doubt();
                return Ok((appended, Vec::new()));
            };
            appended += plan.ready.len();
            waiting = plan.waiting;
            if is_last {
                return Ok((appended, waiting));
            }
        }
    }

    /// One portion. `None` when the lease is somebody else's.
    async fn append(
        &self,
        mut change: Change<'_>,
        (shard, epoch): (i64, i64),
        facts: &[Fact],
        lost: &HashMap<(Subject, i64), Timestamp>,
        now: Timestamp,
    ) -> Result<Committed<Option<Plan>>, Failure> {
        if !self.leases.is_held(&mut change, shard, epoch).await? {
            return change.commit(None).await;
        }
        let mut subjects: Vec<Subject> = facts.iter().map(|fact| fact.subject.clone()).collect();
        subjects.sort_unstable();
        subjects.dedup();
        let last = change.appended_numbers().find_many(&subjects).await?;
        let plan = self.plan(facts, subjects.into_iter().zip(last).collect(), lost);
        if plan.ready.is_empty() && plan.stale.is_empty() {
            return change.commit(Some(plan)).await;
        }
        let first = EventHead { shard, position: 0, expires_at: now };
        let mut head = change.event_heads().find(shard).await?.unwrap_or(first);
        // None expires before the one in front of it, or the log would get a hole.
        head.expires_at = head.expires_at.max(now.plus(self.deps.settings.retention.events));
        let events: Vec<Event> = plan.ready.iter().filter_map(|fact| event(fact, &mut head)).collect();
        let audited = match &self.audit {
            Some(audit) => audit.prepare(&mut change, &plan.ready).await?,
            None => None,
        };
        let counted = hourly_counts::with(&mut change, shard, &plan.ready).await?;
        change.outbox().remove_many(shard, &plan.ready).await?;
        change.outbox().remove_many(shard, &plan.stale).await?;
        change.events().append_many(&events).await?;
        self.deliveries.ask(&mut change, &plan.ready).await?;
        change.appended_numbers().write_many(&plan.numbers).await?;
        change.event_heads().write(&head).await?;
        change.hourly_counts().write_many(&counted).await?;
        if let Some(audited) = audited {
            audited.write(&mut change).await?;
        }
        change.commit(Some(plan)).await
    }

    /// Each fact behind the one before it; `last` tells of each subject what was passed on.
    fn plan(&self, facts: &[Fact], last: BTreeMap<Subject, i64>, lost: &HashMap<(Subject, i64), Timestamp>) -> Plan {
        let mut facts = facts.to_vec();
        if self.in_order {
            facts.sort_by_key(|fact| fact.number);
        }
        let (mut plan, mut next) = (Plan::default(), last.clone());
        for fact in facts {
            let Some(before) = next.get_mut(&fact.subject) else { continue };
            let fits = fact.number == *before + 1 || lost.contains_key(&(fact.subject.clone(), fact.number));
            if self.in_order && fact.number <= *before || fact.number == 0 {
                plan.stale.push(fact);
            } else if fits || !self.in_order {
                *before = fact.number;
                plan.ready.push(fact);
            } else {
                plan.waiting.push(fact);
            }
        }
        plan.numbers = next.into_iter().filter(|(subject, number)| last.get(subject) != Some(number)).collect();
        plan
    }

    /// The facts whose predecessor will not come.
    fn lost(&self, now: Timestamp) -> HashMap<(Subject, i64), Timestamp> {
        let mut lost = self.waiting(|known| known.clone());
        lost.retain(|_, since| now.since(*since) >= PATIENCE);
        for (subject, number) in lost.keys() {
            tracing::error!(subject = %subject.kind, number, "the fact before this one is gone; its subject goes on without");
        }
        lost
    }

    fn waiting<T>(&self, act: impl FnOnce(&mut Waiting) -> T) -> T {
        act(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The event of a public fact, at the next position.
fn event(fact: &Fact, head: &mut EventHead) -> Option<Event> {
    if !fact.public {
        return None;
    }
    head.position += 1;
    Some(fact.at_position(head.shard, head.position, head.expires_at))
}
