//! The pool with work that waits for a signal instead of hashing.

use std::{
    future::Future,
    pin::pin,
    sync::{
        atomic::{AtomicI64, AtomicUsize},
        mpsc,
    },
    task::{Context, Poll, Waker},
    time::Instant,
};

use super::*;

#[derive(Default)]
struct Held(AtomicI64);

impl Clock for Held {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

fn pool(workers: usize, queue: usize, clock: &Arc<Held>) -> Pool {
    let options = PasswordOptions { workers, queue, ..PasswordOptions::default() };
    Pool::start(&options, 64, Arc::<Held>::clone(clock)).unwrap()
}

/// Asks once, as a caller does before it goes to sleep.
fn poll<F: Future + ?Sized>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Waits until the pool looks like this; fails after 20 seconds.
fn until(pool: &Pool, queued: usize, running: usize) {
    let start = Instant::now();
    loop {
        let state = pool.state();
        if (state.queued, state.running) == (queued, running) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "never: {queued} queued, {running} running; now {state:?}");
        thread::yield_now();
    }
}

type Running<'a> = std::pin::Pin<Box<dyn Future<Output = Result<Result<(), mpsc::RecvError>, PasswordError>> + 'a>>;

/// Work that keeps the one worker busy until it is told to go on. It has begun: a clock that is set forward from here
/// on does not make it late.
fn occupy(pool: &Pool) -> (mpsc::Sender<()>, Running<'_>) {
    let (go, wait) = mpsc::channel::<()>();
    let (told, begun) = mpsc::channel::<()>();
    let mut running: Running<'_> = Box::pin(pool.run(move |_| {
        let _ = told.send(());
        wait.recv()
    }));
    assert!(poll(running.as_mut()).is_pending());
    begun.recv().unwrap();
    (go, running)
}

#[tokio::test]
async fn a_full_queue_answers_busy_at_once_and_says_when_to_return() {
    let pool = pool(1, 1, &Arc::default());
    let (go, running) = occupy(&pool);
    let mut waiting = pin!(pool.run(|_| ()));
    assert!(poll(waiting.as_mut()).is_pending());

    let refused = pool.run(|_| ()).await;
    assert!(matches!(refused, Err(PasswordError::Busy(after)) if after >= Duration::from_secs(1)));
    assert_eq!(pool.admit(), refused, "the same before any work is offered");

    go.send(()).unwrap();
    running.await.unwrap().unwrap();
    waiting.await.unwrap();
    until(&pool, 0, 0);
    assert_eq!(pool.admit(), Ok(()));
    pool.run(|_| ()).await.unwrap();
}

#[tokio::test]
async fn a_crowd_that_is_refused_is_told_to_return_one_after_the_other() {
    let clock = Arc::<Held>::default();
    let pool = pool(1, 0, &clock);
    let (go, running) = occupy(&pool);
    let told = || match pool.admit() {
        Err(PasswordError::Busy(after)) => after.as_secs(),
        other => panic!("{other:?}"),
    };

    // Fifty hashes fit into a second, by the first guess.
    let crowd: Vec<u64> = (0..2_500).map(|_| told()).collect();
    assert_eq!((crowd[0], crowd[2_499]), (1, 51));
    assert!(crowd.is_sorted());
    assert!((1..=50).all(|second| (48..=51).contains(&crowd.iter().filter(|told| **told == second).count())));

    // Nobody is told to stay away much longer than a minute: the line begins again.
    let more: Vec<u64> = (0..2_500).map(|_| told()).collect();
    assert!(more.iter().all(|told| *told <= 61));
    assert!(more.contains(&1));

    // Once those have had their time, the next one is told the truth again.
    clock.0.store(100, Ordering::SeqCst);
    assert_eq!(told(), 1);
    go.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_free_the_place_of_running_work() {
    let pool = pool(1, 0, &Arc::default());
    let (go, wait) = mpsc::channel::<()>();
    let (told, begun) = mpsc::channel::<()>();
    {
        let mut hung_up = pin!(pool.run(move |_| (told.send(()), wait.recv())));
        assert!(poll(hung_up.as_mut()).is_pending());
        begun.recv().unwrap();
    }
    assert_eq!(pool.state().running, 1);
    assert!(matches!(pool.run(|_| ()).await, Err(PasswordError::Busy(_))));
    go.send(()).unwrap();
    until(&pool, 0, 0);
    assert!(pool.run(|_| ()).await.is_ok());
}

#[tokio::test]
async fn work_that_nobody_waits_for_is_not_begun() {
    let pool = pool(1, 2, &Arc::default());
    let (go, running) = occupy(&pool);
    let (told, begun) = mpsc::channel::<()>();
    {
        let mut hung_up = pin!(pool.run(move |_| told.send(())));
        assert!(poll(hung_up.as_mut()).is_pending());
        assert_eq!(pool.state().queued, 1);
    }
    go.send(()).unwrap();
    running.await.unwrap().unwrap();
    until(&pool, 0, 0);
    assert_eq!(begun.recv(), Err(mpsc::RecvError));
}

#[tokio::test]
async fn work_that_waited_too_long_is_answered_as_busy() {
    let clock = Arc::<Held>::default();
    let pool = pool(1, 1, &clock);
    let (go, running) = occupy(&pool);
    let mut late = pin!(pool.run(|_| ()));
    assert!(poll(late.as_mut()).is_pending());
    clock.0.store(3, Ordering::SeqCst);
    go.send(()).unwrap();
    running.await.unwrap().unwrap();
    assert!(matches!(late.await, Err(PasswordError::Busy(_))));
}

#[tokio::test]
async fn work_that_waited_too_long_gives_its_place_back() {
    let clock = Arc::<Held>::default();
    let pool = pool(1, 2, &clock);
    let (go, running) = occupy(&pool);
    let mut late: Vec<_> = (0..2).map(|_| Box::pin(pool.run(|_| ()))).collect();
    assert!(late.iter_mut().all(|late| poll(late.as_mut()).is_pending()));
    clock.0.store(3, Ordering::SeqCst);
    go.send(()).unwrap();
    running.await.unwrap().unwrap();
    for late in late {
        assert!(matches!(late.await, Err(PasswordError::Busy(_))));
    }
    until(&pool, 0, 0);
    assert_eq!(pool.run(|_| 7).await, Ok(7));
}

#[tokio::test]
async fn a_panic_costs_neither_thread_nor_place() {
    let pool = pool(1, 0, &Arc::default());
    let answer = pool.run(|_| std::panic::resume_unwind(Box::new("broken"))).await;
    let _: Result<(), _> = answer;
    until(&pool, 0, 0);
    assert_eq!(pool.run(|_| 7).await, Ok(7));
}

#[tokio::test]
async fn no_more_runs_at_once_than_there_are_workers() {
    let pool = pool(2, 100, &Arc::default());
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let work = (0..50).map(|_| {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        pool.run(move |_| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::yield_now();
            now.fetch_sub(1, Ordering::SeqCst);
        })
    });
    let mut work: Vec<_> = work.map(Box::pin).collect();
    // Some are done by the time that they are first asked.
    work.retain_mut(|future| match poll(future.as_mut()) {
        Poll::Ready(done) => {
            done.unwrap();
            false
        }
        Poll::Pending => true,
    });
    for future in work {
        future.await.unwrap();
    }
    assert!(most.load(Ordering::SeqCst) <= 2);
}

/// The other threads of the process keep their priority.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn only_the_workers_are_nice() {
    let before = rustix::process::getpriority_process(None).unwrap();
    let pool = pool(1, 0, &Arc::default());
    let worker = pool.run(|_| rustix::process::getpriority_process(None).unwrap()).await.unwrap();
    assert_eq!(worker, NICENESS.max(before));
    assert_eq!(rustix::process::getpriority_process(None).unwrap(), before);
}

#[tokio::test]
async fn work_that_waited_just_as_long_as_it_may_is_done() {
    let clock = Arc::<Held>::default();
    let pool = pool(1, 1, &clock);
    let (go, running) = occupy(&pool);
    let mut waiting = pin!(pool.run(|_| 7));
    assert!(poll(waiting.as_mut()).is_pending());
    clock.0.store(2, Ordering::SeqCst);
    go.send(()).unwrap();
    running.await.unwrap().unwrap();
    assert_eq!(waiting.await, Ok(7));
}

/// An eighth of the average is the last one; what was dropped unworked is none.
#[tokio::test]
async fn how_long_a_hash_takes_is_learnt_from_those_that_were_made() {
    let clock = Arc::<Held>::default();
    let pool = pool(1, 1, &clock);
    let moved = Arc::clone(&clock);
    pool.run(move |_| moved.0.fetch_add(8, Ordering::SeqCst)).await.unwrap();
    until(&pool, 0, 0);
    assert_eq!(pool.shared.lock().mean, Duration::from_micros(1_017_500));
    pool.shared.done(None);
    assert_eq!(pool.shared.lock().mean, Duration::from_micros(1_017_500));
}

#[test]
fn the_turn_of_who_is_refused_comes_after_the_work_that_is_there_and_those_refused_before() {
    let pool = pool(2, 3, &Arc::default());
    assert_eq!(pool.capacity(), 5);
    let mut state = pool.shared.lock();
    state.mean = Duration::from_secs(4);
    state.running = 3;
    // Three hashes by two workers are six seconds, and each who was told before is two more.
    for told in [9, 11, 13] {
        assert_eq!(pool.shared.retry_after(&mut state), Duration::from_secs(told));
    }
    state.running = 0;
}

#[tokio::test]
async fn no_workers_are_one() {
    assert_eq!(pool(0, 0, &Arc::default()).run(|_| 7).await, Ok(7));
}
