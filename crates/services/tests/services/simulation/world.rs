//! The replicas of a play, and what those outside of it were told: the ledger that everything is held against.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;
use userd_model::{SessionId, UserId};
use userd_services::{event_log::EventLog, testing::TestOptions};

use super::{
    line::{Line, Messages},
    scheduler::{ACTOR, Actor, Place, Scheduler},
};
use crate::fixture::{Fixture, TestApp};

pub(super) const REPLICAS: usize = 3;

/// What is known of something that was changed: nothing once an answer was lost.
pub(super) type Known<T> = Option<T>;

/// What was acknowledged about one account.
#[derive(Default)]
pub(super) struct Account {
    pub(super) id: Option<UserId>,
    /// Sessions that began, as far as somebody was told.
    pub(super) sessions: Vec<SessionId>,
    /// Sessions that ended, and the step at which somebody was told so.
    pub(super) ended: BTreeMap<SessionId, usize>,
    /// Somebody has tried to block it.
    pub(super) block_began: bool,
    pub(super) has_role: Known<bool>,
}

/// What outsiders know.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) accounts: Vec<Account>,
    /// The step at which each replica began the last look at the revocations that it has ended.
    pub(super) looked: [Option<usize>; REPLICAS],
}

/// One process.
pub(super) struct Replica {
    pub(super) app: TestApp,
    pub(super) log: Arc<EventLog>,
}

/// See the module.
pub(super) struct World {
    pub(super) scheduler: Arc<Scheduler>,
    pub(super) seed: u64,
    fixture: Fixture,
    in_order: bool,
    replicas: Mutex<Vec<Arc<Replica>>>,
    starts: AtomicUsize,
    messages: Messages,
    ledger: Mutex<Ledger>,
    pub(super) is_over: AtomicBool,
}

impl World {
    pub(super) async fn new(
        fixture: Fixture,
        scheduler: Arc<Scheduler>,
        seed: u64,
        (people, in_order): (usize, bool),
    ) -> Arc<Self> {
        let ledger = Ledger { accounts: (0..people).map(|_| Account::default()).collect(), ..Ledger::default() };
        let world = Self {
            scheduler,
            seed,
            fixture,
            in_order,
            replicas: Mutex::default(),
            starts: AtomicUsize::new(0),
            messages: Messages::default(),
            ledger: Mutex::new(ledger),
            is_over: AtomicBool::new(false),
        };
        for number in 0..REPLICAS {
            let replica = world.start(number).await;
            world.replicas.lock().unwrap().push(replica);
        }
        Arc::new(world)
    }

    async fn start(&self, number: usize) -> Arc<Replica> {
        let clock = Arc::clone(&self.scheduler.clocks[number]);
        let seed = self.seed * 10_000 + self.starts.fetch_add(1, Ordering::SeqCst) as u64;
        let cache = Line::of(number, Arc::clone(&clock), REPLICAS, Arc::clone(&self.messages));
        let options = TestOptions { seed, clock: Some(clock), cache: Some(cache), ..TestOptions::default() };
        let app = self.fixture.app_with(options).await;
        let log = if self.in_order { Arc::clone(&app.event_log) } else { Arc::new(EventLog::without_order(&app)) };
        Arc::new(Replica { app, log })
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    pub(super) fn replica(&self, number: usize) -> Arc<Replica> {
        Arc::clone(&self.replicas.lock().unwrap()[number])
    }

    /// Stands between two requests.
    pub(super) async fn idle(&self, id: usize) {
        let actor = Actor { id, replica: None, crash: Arc::default() };
        ACTOR.scope(actor, self.scheduler.stand(Place::Idle)).await;
    }

    /// A request to a replica. `None` where it died over it.
    pub(super) async fn call<T>(&self, id: usize, replica: usize, work: impl Future<Output = T>) -> Option<T> {
        let crash = Arc::new(Notify::new());
        let actor = Actor { id, replica: Some(replica), crash: Arc::clone(&crash) };
        tokio::select! {
            biased;
            answer = ACTOR.scope(actor, work) => Some(answer),
            () = crash.notified() => None,
        }
    }

    /// What happens to everybody, now and then.
    pub(super) async fn fate(&self) {
        let rng = &self.scheduler.rng;
        let is_quiet = self.scheduler.writer.lock().unwrap().is_none();
        let victim = rng.below(REPLICAS);
        match rng.below(400) {
            0..16 => self.scheduler.pass(Duration::from_millis(rng.below(1_500) as u64)),
            // Longer than leases live: whoever held one stood still.
            16..18 if is_quiet => self.scheduler.pass(Duration::from_secs(31)),
            18..20 if self.scheduler.is_free_but_for(victim) => {
                self.scheduler.crash(victim).await;
                self.ledger().looked[victim] = None;
                let replica = self.start(victim).await;
                self.replicas.lock().unwrap()[victim] = replica;
            }
            20..80 => self.carry(),
            _ => {}
        }
    }

    /// A message arrives, not in the order in which they were sent, or never does.
    fn carry(&self) {
        let message = {
            let mut messages = self.messages.lock().unwrap();
            if messages.is_empty() {
                return;
            }
            let nth = self.scheduler.rng.below(messages.len());
            messages.swap_remove(nth)
        };
        if !self.scheduler.rng.of_hundred(30) {
            drop(self.replica(message.0).app.revocations.receive(&message.1));
        }
    }
}
