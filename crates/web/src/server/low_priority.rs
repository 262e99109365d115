//! A queue for connections of low priority. Tasks are polled in the order in which they became ready, so a request that
//! comes behind ten thousand sign-ins would wait for all of them, even where each is only told to return later.
//! Connections that have not been answered yet, and those whose last request hashed a password, are therefore queued:
//! polled a few at a time, and the next few only after everything else that is ready. Deliberately absent: any bound on
//! what is under way (`max_connections`, the hashing queue); waiting here costs a flood time and nothing else.

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

use crate::extensions::LowPriority;

/// Polls in one round. Some 40 µs each: what everybody else may have to wait for.
const ROUND: usize = 8;

/// How often a round lets others go first. A queue that never empties must not be held up for ever.
const PATIENCE: usize = 64;

/// The priority of a connection: low until its first answer.
#[derive(Debug, Default)]
pub(super) struct Priority {
    normal: AtomicBool,
}

impl Priority {
    /// The last answer decides about the next request.
    pub(super) fn answered(&self, low: Option<LowPriority>) {
        self.normal.store(low.is_none(), Ordering::Relaxed);
    }

    /// Whether the connection need not queue.
    pub(super) fn is_normal(&self) -> bool {
        self.normal.load(Ordering::Relaxed)
    }
}

/// The queue.
#[derive(Debug)]
pub(super) struct LowPriorityQueue {
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
    waiting: VecDeque<Waker>,
}

impl Default for LowPriorityQueue {
    fn default() -> Self {
        let state = State { places: ROUND, called: 0, waiting: VecDeque::new() };
        Self { state: Mutex::new(state), exhausted: Notify::new() }
    }
}

impl LowPriorityQueue {
    /// `work`, polled when it is its turn.
    pub(super) fn schedule<F: Future>(
        self: Arc<Self>,
        priority: Arc<Priority>,
        work: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        // In a box of its own: an async block would keep room for it twice, and there are many.
        let mut work = Box::pin(work);
        let mut ticket = None;
        poll_fn(move |context| {
            if ticket.is_some() || !priority.is_normal() {
                ready!(self.poll_turn(&mut ticket, context));
            }
            work.as_mut().poll(context)
        })
    }

    /// Begins one round after the other while anybody waits, each when nothing else is ready any more. Yielding lets
    /// the runtime look at what has arrived, and poll some of it.
    pub(super) async fn run(self: Arc<Self>) {
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
                if let Some(waker) = state.waiting.get_mut(at) {
                    waker.clone_from(context.waker());
                }
                return Poll::Pending;
            }
            None if state.places > 0 => {
                state.places -= 1;
                return Poll::Ready(());
            }
            None => {}
        }
        *ticket = Some(state.called + state.waiting.len() as u64);
        state.waiting.push_back(context.waker().clone());
        drop(state);
        self.exhausted.notify_one();
        Poll::Pending
    }

    /// Calls the first of the queue. False when nobody waited.
    fn begin_round(&self) -> bool {
        let mut state = self.lock();
        let count = state.waiting.len().min(ROUND);
        let first: Vec<Waker> = state.waiting.drain(..count).collect();
        state.called += count as u64;
        state.places = ROUND - count;
        if state.waiting.is_empty() && state.waiting.capacity() > 1024 {
            state.waiting = VecDeque::new();
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
    fn counted(
        queue: &Arc<LowPriorityQueue>,
        priority: &Arc<Priority>,
        polls: &Polls,
    ) -> impl Future<Output = ()> + use<> {
        let polls = Arc::clone(polls);
        let work = poll_fn(move |_| {
            polls.fetch_add(1, SeqCst);
            Poll::Pending
        });
        Arc::clone(queue).schedule(Arc::clone(priority), work)
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_round_lets_a_few_in_and_the_next_ones_when_it_begins() {
        let queue = Arc::<LowPriorityQueue>::default();
        let mut crowd: Vec<_> = (0..ROUND * 3)
            .map(|_| Box::pin(Arc::clone(&queue).schedule(Arc::default(), std::future::ready(()))))
            .collect();
        for left in [2, 1, 0] {
            crowd.retain_mut(|one| poll(one.as_mut()).is_pending());
            assert_eq!(crowd.len(), ROUND * left);
            crowd.retain_mut(|one| poll(one.as_mut()).is_pending());
            assert_eq!(crowd.len(), ROUND * left, "asking again does not help");
            assert_eq!(queue.begin_round(), left > 0);
        }
    }

    #[test]
    fn an_answered_connection_need_not_queue_until_a_request_of_low_priority() {
        let (queue, priority, polls) =
            (Arc::<LowPriorityQueue>::default(), Arc::<Priority>::default(), Polls::default());
        let stranger = Arc::<Priority>::default();
        let mut crowd: Vec<_> =
            (0..ROUND + 1).map(|_| Box::pin(counted(&queue, &stranger, &Polls::default()))).collect();
        crowd.iter_mut().for_each(|one| assert!(poll(one.as_mut()).is_pending()));
        let mut one = pin!(counted(&queue, &priority, &polls));
        priority.answered(None);
        assert!(poll(one.as_mut()).is_pending());
        assert_eq!(polls.load(SeqCst), 1);
        priority.answered(Some(LowPriority));
        assert!(poll(one.as_mut()).is_pending());
        assert_eq!(polls.load(SeqCst), 1, "in the queue now, behind the crowd");
        priority.answered(None);
        assert!(poll(one.as_mut()).is_pending());
        assert_eq!(polls.load(SeqCst), 1, "and stays in it, so that no ticket is lost");
        assert!(queue.begin_round());
        assert!(poll(one.as_mut()).is_pending());
        assert_eq!(polls.load(SeqCst), 2);
    }

    #[test]
    fn who_goes_away_holds_nobody_up() {
        let (queue, priority, polls) =
            (Arc::<LowPriorityQueue>::default(), Arc::<Priority>::default(), Polls::default());
        let mut crowd: Vec<_> = (0..ROUND * 2).map(|_| Box::pin(counted(&queue, &priority, &polls))).collect();
        crowd.iter_mut().for_each(|one| assert!(poll(one.as_mut()).is_pending()));
        crowd.clear();
        let mut late = pin!(counted(&queue, &priority, &polls));
        assert!(poll(late.as_mut()).is_pending());
        assert!(queue.begin_round());
        assert!(queue.begin_round());
        assert!(poll(late.as_mut()).is_pending());
        assert_eq!(polls.load(SeqCst), ROUND + 1);
        assert!(!queue.begin_round());
    }

    #[tokio::test]
    async fn the_scheduler_brings_everybody_in() {
        let queue = Arc::<LowPriorityQueue>::default();
        let scheduler = tokio::spawn(Arc::clone(&queue).run());
        let crowd: Vec<_> = (0..1_000)
            .map(|number| tokio::spawn(Arc::clone(&queue).schedule(Arc::default(), async move { number })))
            .collect();
        for (number, one) in crowd.into_iter().enumerate() {
            assert_eq!(one.await.unwrap(), number);
        }
        scheduler.abort();
    }
}
