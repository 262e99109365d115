//! A fixed number of threads with memory of their own, and a bounded queue before them. When the queue is full the
//! answer is "busy" at once: a flood of sign-ins must not become a flood of memory or of waiting.
//!
//! Workers lower their priority, so that the other routes stay fast while every core hashes (decision 0013).
//!
//! A place is held by the work, not by its caller: a caller who hangs up frees it only when the hash has ended, or
//! when a worker comes to it and finds nobody waiting.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    thread,
    time::Duration,
};

use tokio::sync::oneshot;
use userd_model::{Clock, Timestamp};

use super::{
    PasswordError, PasswordOptions, PoolState,
    memory::{AllMemory, Memory},
};

/// What a hash is assumed to take before any was measured.
const FIRST_GUESS: Duration = Duration::from_millis(20);
/// The longest that a refused caller is told to stay away.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How much worse than the requests' own priority.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    clock: Arc<dyn Clock>,
    memory: Arc<AllMemory>,
    workers: usize,
    capacity: usize,
    deadline: Duration,
    idle: Duration,
}

struct State {
    queue: VecDeque<Job>,
    running: usize,
    closed: bool,
    /// Recent hashes on average.
    mean: Duration,
    /// When the caller refused last was told to return.
    promised: Timestamp,
}

struct Job {
    queued_at: Timestamp,
    work: Box<dyn FnOnce(&mut Memory) + Send>,
}

impl Pool {
    /// Starts the threads; each allocates `blocks` of 1 KiB at its first job.
    pub(super) fn start(
        options: &PasswordOptions,
        blocks: usize,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PasswordError> {
        let workers = options.workers.max(1);
        let promised = clock.now();
        let state = State { queue: VecDeque::new(), running: 0, closed: false, mean: FIRST_GUESS, promised };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            clock,
            memory: Arc::default(),
            workers,
            capacity: workers.saturating_add(options.queue),
            deadline: options.deadline,
            idle: options.idle,
        });
        let pool = Self { shared };
        for _ in 0..workers {
            let shared = Arc::clone(&pool.shared);
            let memory = Memory::new(blocks, Arc::clone(&shared.memory));
            let thread = thread::Builder::new().name("userd-passwords".to_owned());
            thread.spawn(move || shared.serve(memory)).map_err(|_| PasswordError::Failed)?;
        }
        Ok(pool)
    }

    /// Runs `work` on a worker and waits for its result.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let (reply, answer) = oneshot::channel();
        self.shared.enqueue(Box::new(move |memory| {
            if !reply.is_closed() {
                // The caller may go away while the work is done; then nobody wants the result.
                let _ = reply.send(work(memory));
            }
        }))?;
        // No answer: it waited beyond the deadline and was dropped, or the pool is closing.
        answer.await.map_err(|_| PasswordError::Busy(self.shared.retry_after(&mut self.shared.lock())))
    }

    pub(super) fn admit(&self) -> Result<(), PasswordError> {
        self.shared.admit(&mut self.shared.lock())
    }

    pub(super) fn capacity(&self) -> usize {
        self.shared.capacity
    }

    pub(super) fn state(&self) -> PoolState {
        let state = self.shared.lock();
        PoolState {
            queued: state.queue.len(),
            running: state.running,
            memory_kib: self.shared.memory.held.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.queue.clear();
        drop(state);
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn enqueue(&self, work: Box<dyn FnOnce(&mut Memory) + Send>) -> Result<(), PasswordError> {
        let mut state = self.lock();
        self.admit(&mut state)?;
        state.queue.push_back(Job { queued_at: self.clock.now(), work });
        state.report();
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Refuses when one more would be too many.
    fn admit(&self, state: &mut State) -> Result<(), PasswordError> {
        if state.queue.len() + state.running < self.capacity {
            return Ok(());
        }
        metrics::counter!("userd_argon2_rejected_total").increment(1);
        Err(PasswordError::Busy(self.retry_after(state)))
    }

    fn serve(&self, mut memory: Memory) {
        lower_priority();
        while let Some(job) = self.next(&mut memory) {
            let took = self.perform(job, &mut memory);
            // Whatever became of the job, its place is free again: one that was lost would be lost for good.
            self.done(took);
        }
    }

    /// How long the work took; `None` when it had waited too long and was dropped.
    fn perform(&self, job: Job, memory: &mut Memory) -> Option<Duration> {
        let started = self.clock.now();
        if started.since(job.queued_at) > self.deadline {
            metrics::counter!("userd_argon2_rejected_total").increment(1);
            return None;
        }
        // A panic in one hash must cost neither the thread nor its place in the count.
        let _ = catch_unwind(AssertUnwindSafe(|| (job.work)(memory)));
        Some(self.clock.now().since(started))
    }

    /// Waits for a job; `None` when the pool is closed. Gives the memory back after a while without work.
    fn next(&self, memory: &mut Memory) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.queue.pop_front() {
                state.running += 1;
                state.report();
                return Some(job);
            }
            if memory.is_empty() {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else {
                let waited = self.changed.wait_timeout(state, self.idle).unwrap_or_else(PoisonError::into_inner);
                state = waited.0;
                if waited.1.timed_out() && state.queue.is_empty() {
                    memory.release();
                }
            }
        }
    }

    fn done(&self, took: Option<Duration>) {
        let mut state = self.lock();
        state.running = state.running.saturating_sub(1);
        if let Some(took) = took {
            state.mean = (state.mean * 7 + took) / 8;
            metrics::histogram!("userd_argon2_seconds").record(took.as_secs_f64());
        }
        state.report();
    }

    /// When the caller's turn should come, whole seconds: after the work that is there now, and after those who were
    /// refused before. Told the same moment, a crowd would come back as a crowd and leave the workers idle in between.
    /// A line longer than [`LONGEST_WAIT`] begins again at its front, so that it returns evenly.
    fn retry_after(&self, state: &mut State) -> Duration {
        let of = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let workers = of(self.workers).max(1);
        let now = self.clock.now();
        let queue = state.mean.saturating_mul(of(state.queue.len() + state.running)) / workers;
        let front = now.plus(queue);
        let line = if state.promised > now.plus(LONGEST_WAIT) { front } else { state.promised.max(front) };
        state.promised = line.plus(state.mean / workers);
        Duration::from_secs(state.promised.since(now).as_secs() + 1)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn report(&self) {
        let gauge = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        metrics::gauge!("userd_argon2_queue_depth").set(gauge(self.queue.len()));
        metrics::gauge!("userd_argon2_running").set(gauge(self.running));
    }
}

/// Lets the other threads go first, and keeps a share: a tenth of a processor that everybody wants. On Linux niceness
/// belongs to a thread; elsewhere it would slow the whole process, so it is left alone. A refusal of the system is no
/// failure: hashing then competes as an equal.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

#[cfg(test)]
mod tests;
