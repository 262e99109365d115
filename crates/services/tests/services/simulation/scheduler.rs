//! Who goes on next. Everybody waits at each call to the database and after each commit; one at a time is let on, drawn
//! by the seed, and whoever goes on is waited for until it stands again or has ended. So a seed is a run, however many
//! threads hash passwords meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use tokio::sync::{Notify, mpsc, oneshot};
use userd_model::{Random as _, Timestamp};
use userd_storage::testing::{ManualClock, TestRandom};

/// How long somebody who was let on may take before it waits for another one.
const PATIENCE: Duration = Duration::from_secs(2);
/// Of the one thread.
const TURNS: usize = 64;

/// A seeded choice.
pub(super) struct Rng(TestRandom);

impl Rng {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(TestRandom::seeded(seed))
    }

    /// From 0 to `end`, without it.
    pub(super) fn below(&self, end: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % end as u64).unwrap()
    }

    pub(super) fn of_hundred(&self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// Where somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Begin(&'static str),
    Read(&'static str),
    Commit(&'static str),
    /// It is kept, and whoever asked for it does not know yet.
    Kept(&'static str),
    /// Between two requests.
    Idle,
}

/// What happens to whoever is let on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Go,
    Conflict,
    Unavailable,
    /// The answer is lost, and so is what was done.
    UnknownAndLost,
    /// The answer is lost.
    UnknownButKept,
    /// The replica dies here.
    Crash,
}

struct Standing {
    place: Place,
    replica: Option<usize>,
    go: oneshot::Sender<Verdict>,
}

/// One that acts, and the replica that works for it now.
#[derive(Clone)]
pub(super) struct Actor {
    pub(super) id: usize,
    pub(super) replica: Option<usize>,
    pub(super) crash: Arc<Notify>,
}

tokio::task_local! {
    pub(super) static ACTOR: Actor;
}

/// See the module.
pub(super) struct Scheduler {
    pub(super) rng: Rng,
    standing: Mutex<BTreeMap<usize, Standing>>,
    stopped: mpsc::UnboundedSender<usize>,
    stops: tokio::sync::Mutex<mpsc::UnboundedReceiver<usize>>,
    /// Who was let on and waits for somebody else of the same process.
    waiting: Mutex<BTreeSet<usize>>,
    /// Who is in a transaction: the database has one writer, and the others stand until it is done.
    pub(super) writer: Mutex<Option<usize>>,
    pub(super) clocks: Vec<Arc<ManualClock>>,
    pub(super) has_faults: AtomicBool,
    pub(super) step: AtomicUsize,
    trace: Mutex<Vec<String>>,
}

impl Scheduler {
    pub(super) fn new(seed: u64, replicas: usize) -> Self {
        let (stopped, stops) = mpsc::unbounded_channel();
        let clock = |number: i64| Arc::new(ManualClock::at(Timestamp::from_seconds(1_767_225_600 + number)));
        Self {
            rng: Rng::seeded(seed),
            standing: Mutex::default(),
            stopped,
            stops: tokio::sync::Mutex::new(stops),
            writer: Mutex::default(),
            waiting: Mutex::default(),
            // A second apart, for ever.
            clocks: (0..i64::try_from(replicas).unwrap()).map(clock).collect(),
            has_faults: true.into(),
            step: AtomicUsize::new(0),
            trace: Mutex::default(),
        }
    }

    fn standing(&self) -> MutexGuard<'_, BTreeMap<usize, Standing>> {
        self.standing.lock().unwrap()
    }

    pub(super) fn now(&self) -> usize {
        self.step.load(Ordering::SeqCst)
    }

    pub(super) fn note(&self, what: String) {
        self.trace.lock().unwrap().push(what);
    }

    pub(super) fn trace(&self) -> Vec<String> {
        self.trace.lock().unwrap().clone()
    }

    /// Stands until let on. What nobody of the play asks for, as a start, is let through.
    pub(super) async fn stand(&self, place: Place) -> Verdict {
        let Ok(actor) = ACTOR.try_with(Actor::clone) else { return Verdict::Go };
        let (go, gone) = oneshot::channel();
        self.standing().insert(actor.id, Standing { place, replica: actor.replica, go });
        self.stopped.send(actor.id).unwrap();
        let verdict = gone.await.unwrap();
        if verdict == Verdict::Crash {
            actor.crash.notify_one();
            // Whoever asked is left without an answer. What goes on without them dies with its replica: it hears so.
            std::future::poll_fn(|_| if ACTOR.try_with(|_| ()).is_ok() { Poll::Pending } else { Poll::Ready(()) })
                .await;
        }
        verdict
    }

    /// One has ended.
    pub(super) fn end(&self, id: usize) {
        self.stopped.send(id).unwrap();
    }

    /// Waits until whoever was let on stands again or has ended, and those who waited for it, too. Hashing takes
    /// milliseconds; who takes much longer waits for another one, as for a value that somebody else is loading.
    pub(super) async fn settled(&self, id: usize) {
        let mut stops = self.stops.lock().await;
        self.waiting.lock().unwrap().insert(id);
        let is_waiting = |stopped: Option<usize>| {
            let mut waiting = self.waiting.lock().unwrap();
            if let Some(stopped) = stopped {
                waiting.remove(&stopped);
            }
            waiting.contains(&id)
        };
        let settles = async { while is_waiting(stops.recv().await) {} };
        let _waits = tokio::time::timeout(PATIENCE, settles).await;
        while !self.waiting.lock().unwrap().is_empty() {
            // Here one thread takes turns: whoever can go on has gone on after some.
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            match stops.try_recv() {
                Ok(stopped) => {
                    is_waiting(Some(stopped));
                }
                Err(_) => break,
            }
        }
    }

    /// Lets one on. `false` when nobody stands here any more.
    pub(super) async fn turn(&self) -> bool {
        let writer = *self.writer.lock().unwrap();
        let may = |(id, standing): &(&usize, &Standing)| match standing.place {
            Place::Begin(_) | Place::Read(_) => writer.is_none_or(|writer| writer == **id),
            _ => true,
        };
        let ready: Vec<usize> = self.standing().iter().filter(may).map(|(id, _)| *id).collect();
        if ready.is_empty() {
            let waiting = self.waiting.lock().unwrap().first().copied();
            if let Some(id) = waiting {
                self.settled(id).await;
            }
            return waiting.is_some_and(|id| !self.waiting.lock().unwrap().contains(&id));
        }
        let id = ready[self.rng.below(ready.len())];
        let one = self.standing().remove(&id).unwrap();
        let verdict = self.verdict(one.place);
        self.note(format!("{id} {:?} {:?} {verdict:?}", one.replica, one.place));
        one.go.send(verdict).unwrap();
        self.settled(id).await;
        self.step.fetch_add(1, Ordering::SeqCst);
        true
    }

    fn verdict(&self, place: Place) -> Verdict {
        if !self.has_faults.load(Ordering::SeqCst) {
            return Verdict::Go;
        }
        match (place, self.rng.below(100)) {
            (Place::Commit(_), 0..6) => Verdict::Conflict,
            (Place::Commit(_), 6..8) => Verdict::UnknownAndLost,
            (Place::Commit(_), 8..11) => Verdict::UnknownButKept,
            (Place::Begin(_) | Place::Read(_), 0..2) => Verdict::Unavailable,
            _ => Verdict::Go,
        }
    }

    /// Whether nobody else is in a transaction.
    pub(super) fn is_free_but_for(&self, replica: usize) -> bool {
        let writer = *self.writer.lock().unwrap();
        writer.is_none_or(|writer| self.standing().get(&writer).is_some_and(|one| one.replica == Some(replica)))
    }

    /// Everybody for whom this replica works is left without an answer, and what was open there is rolled back.
    pub(super) async fn crash(&self, replica: usize) {
        let there: Vec<usize> = {
            let standing = self.standing();
            standing.iter().filter(|(_, one)| one.replica == Some(replica)).map(|(id, _)| *id).collect()
        };
        self.note(format!("crash of {replica}: {there:?}"));
        for id in there {
            let one = self.standing().remove(&id).unwrap();
            one.go.send(Verdict::Crash).unwrap();
            self.settled(id).await;
        }
    }

    /// Time passes for everybody.
    pub(super) fn pass(&self, span: Duration) {
        self.clocks.iter().for_each(|clock| clock.advance(span));
    }
}
