//! Who gives way. Tasks are polled in the order in which they became ready, so a request that comes behind ten thousand
//! sign-ins would wait for all of them, even where each is only told to return later. Connections that have not been
//! answered yet, and those whose last request hashed a password, therefore pass through a lane: a few at a time, and
//! the next few only after everything else that is ready has been polled. Deliberately absent: any bound on what is
//! under way (`max_connections`, the hashing queue); waiting in the lane costs a flood time and nothing else.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker, ready},
};

use tokio::sync::Notify;

/// Polls in one round. Some 40 µs each: what everybody else may have to wait for.
const ROUND: usize = 8;

/// How often a round lets others go first. A queue that never empties must not keep the lane shut for ever.
const PATIENCE: usize = 64;

/// Marks the answer to a request that gives way; the middleware sets it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GivesWay;

/// How a connection stands: in the lane until an answer has let it out.
#[derive(Debug, Default)]
pub(super) struct Standing {
    passes: AtomicBool,
}

impl Standing {
    /// The last answer decides about the next request.
    pub(super) fn answered(&self, gives_way: Option<GivesWay>) {
        self.passes.store(gives_way.is_none(), Ordering::Relaxed);
    }

    /// Whether the connection passes the line.
    pub(super) fn passes(&self) -> bool {
        self.passes.load(Ordering::Relaxed)
    }
}

/// The line of those who give way.
#[derive(Debug)]
pub(super) struct Lane {
    state: Mutex<State>,
    exhausted: Notify,
}

#[derive(Debug)]
struct State {
    /// Left of this round; none while anybody waits.
    places: usize,
    /// Tickets below this number have had their turn.
    called: u64,
    /// Who waits, the ticket `called` first. Who has gone away meanwhile is called for nothing.
    line: VecDeque<Waker>,
}

impl Default for Lane {
    fn default() -> Self {
        let state = State { places: ROUND, called: 0, line: VecDeque::new() };
        Self { state: Mutex::new(state), exhausted: Notify::new() }
    }
}

impl Lane {
    /// `work`, polled when it is its turn.
    pub(super) fn lead<F: Future>(
        self: Arc<Self>,
        standing: Arc<Standing>,
        work: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        // In a box of its own: an async block would keep room for it twice, and there are many.
        let mut work = Box::pin(work);
        let mut ticket = None;
        poll_fn(move |context| {
            if ticket.is_some() || !standing.passes() {
                ready!(self.poll_turn(&mut ticket, context));
            }
            work.as_mut().poll(context)
        })
    }

    /// Begins one round after the other while anybody waits, each when nothing else is ready any more. Yielding lets
    /// the runtime look at what has arrived, and poll some of it.
    pub(super) async fn keep(self: Arc<Self>) {
        let runtime = tokio::runtime::Handle::current().metrics();
        loop {
            self.exhausted.notified().await;
            while self.begin_round() {
                tokio::task::yield_now().await;
                // Other threads too, whose time slice would otherwise come milliseconds later.
                std::thread::yield_now();
                for _ in 0..PATIENCE {
                    if runtime.global_queue_depth() == 0 {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    fn poll_turn(&self, ticket: &mut Option<u64>, context: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        match *ticket {
            Some(number) if number < state.called => {
                *ticket = None;
                return Poll::Ready(());
            }
            Some(number) => {
                let at = usize::try_from(number - state.called).unwrap_or(usize::MAX);
                if let Some(waiting) = state.line.get_mut(at) {
                    waiting.clone_from(context.waker());
                }
                return Poll::Pending;
            }
            None if state.places > 0 => {
                state.places -= 1;
                return Poll::Ready(());
            }
            None => {}
        }
        *ticket = Some(state.called + state.line.len() as u64);
        state.line.push_back(context.waker().clone());
        drop(state);
        self.exhausted.notify_one();
        Poll::Pending
    }

    /// Calls the first of the line. False when nobody waited.
    fn begin_round(&self) -> bool {
        let mut state = self.lock();
        let count = state.line.len().min(ROUND);
        let first: Vec<Waker> = state.line.drain(..count).collect();
        state.called += count as u64;
        state.places = ROUND - count;
        if state.line.is_empty() && state.line.capacity() > 1024 {
            state.line = VecDeque::new();
        }
        drop(state);
        first.into_iter().for_each(Waker::wake);
        count > 0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::atomic::{AtomicUsize, Ordering::SeqCst},
    };

    use super::*;

    type Polls = Arc<AtomicUsize>;

    /// Work that counts its polls and never ends.
    fn counted(lane: &Arc<Lane>, standing: &Arc<Standing>, polls: &Polls) -> impl Future<Output = ()> + use<> {
        let polls = Arc::clone(polls);
        let work = poll_fn(move |_| {
            polls.fetch_add(1, SeqCst);
            Poll::Pending
        });
        Arc::clone(lane).lead(Arc::clone(standing), work)
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_round_lets_a_few_in_and_the_next_ones_when_it_begins() {
        let lane = Arc::<Lane>::default();
        let mut crowd: Vec<_> =
            (0..ROUND * 3).map(|_| Box::pin(Arc::clone(&lane).lead(Arc::default(), std::future::ready(())))).collect();
        for left in [2, 1, 0] {
            crowd.retain_mut(|one| poll(one.as_mut()).is_pending());
            assert_eq!(crowd.len(), ROUND * left);
            crowd.retain_mut(|one| poll(one.as_mut()).is_pending());
            assert_eq!(crowd.len(), ROUND * left, "asking again does not help");
            assert_eq!(lane.begin_round(), left > 0);
        }
    }

    #[test]
    fn who_was_answered_passes_the_line_until_a_request_that_gives_way() {
        let (lane, standing, polls) = (Arc::<Lane>::default(), Arc::<Standing>::default(), Polls::default());
        let stranger = Arc::<Standing>::default();
        let mut crowd: Vec<_> =
            (0..ROUND + 1).map(|_| Box::pin(counted(&lane, &stranger, &Polls::default()))).collect();
        crowd.iter_mut().for_each(|one| assert!(poll(one.as_mut()).is_pending()));
        let mut one = pin!(counted(&lane, &standing, &polls));
        standing.answered(None);
        assert!(poll(one.as_mut()).is_pending());
        assert_eq!(polls.load(SeqCst), 1);
        standing.answered(Some(GivesWay));
        assert!(poll(one.as_mut()).is_pending());
        assert_eq!(polls.load(SeqCst), 1, "in line now, behind the crowd");
        standing.answered(None);
        assert!(poll(one.as_mut()).is_pending());
        assert_eq!(polls.load(SeqCst), 1, "and stays in it, so that no ticket is lost");
        assert!(lane.begin_round());
        assert!(poll(one.as_mut()).is_pending());
        assert_eq!(polls.load(SeqCst), 2);
    }

    #[test]
    fn who_goes_away_holds_nobody_up() {
        let (lane, standing, polls) = (Arc::<Lane>::default(), Arc::<Standing>::default(), Polls::default());
        let mut crowd: Vec<_> = (0..ROUND * 2).map(|_| Box::pin(counted(&lane, &standing, &polls))).collect();
        crowd.iter_mut().for_each(|one| assert!(poll(one.as_mut()).is_pending()));
        crowd.clear();
        let mut late = pin!(counted(&lane, &standing, &polls));
        assert!(poll(late.as_mut()).is_pending());
        assert!(lane.begin_round());
        assert!(lane.begin_round());
        assert!(poll(late.as_mut()).is_pending());
        assert_eq!(polls.load(SeqCst), ROUND + 1);
        assert!(!lane.begin_round());
    }

    #[tokio::test]
    async fn the_keeper_brings_everybody_in() {
        let lane = Arc::<Lane>::default();
        let keeper = tokio::spawn(Arc::clone(&lane).keep());
        let crowd: Vec<_> = (0..1_000)
            .map(|number| tokio::spawn(Arc::clone(&lane).lead(Arc::default(), async move { number })))
            .collect();
        for (number, one) in crowd.into_iter().enumerate() {
            assert_eq!(one.await.unwrap(), number);
        }
        keeper.abort();
    }
}
