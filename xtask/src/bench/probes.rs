//! Clients beside a storm: one that has been connected for long, newcomers, and one that looks whether the hashing queue
//! is full. Each on a thread of its own, which the system runs before all others where it may: it stands for another
//! machine. Deliberately absent: the storm (storm.rs).

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    Fault,
    client::{Connection, get},
    load::Times,
    runtime,
};

/// Between two questions of the connected client on average, by the clock and not by the answers.
pub(super) const INTERVAL: Duration = Duration::from_millis(4);
/// Between two newcomers, who ask once on a connection of their own.
pub(super) const NEWCOMERS: Duration = Duration::from_millis(40);
/// Between two looks at the queue.
const LOOK: Duration = Duration::from_millis(100);
/// The default of `passwords.queue`.
const QUEUE: f64 = 256.0;
/// From this share on the queue counts as full: a place that has just become free is taken within milliseconds.
const FULL: f64 = 0.9;

/// They ask by the clock: when an answer is late, the questions behind it are late too, and that counts.
pub(super) struct Probes {
    over: Arc<AtomicBool>,
    connected: Probe<Vec<Asked>>,
    new: Probe<Vec<Asked>>,
    queue: Probe<()>,
}

/// A probe's thread: what it found, and whether the system ran it before all others.
type Probe<T> = thread::JoinHandle<Result<(T, bool), Fault>>;

/// One question.
struct Asked {
    took: Duration,
    /// Whether the hashing queue was full at its beginning and at its end.
    full: bool,
}

/// What the probes found.
pub(super) struct Probed {
    /// The client that was connected already.
    pub(super) connected: Times,
    /// The same, while the hashing queue was full.
    pub(super) while_full: Times,
    pub(super) first_second: Times,
    pub(super) new: Times,
    /// Whether the system ran them before all others.
    pub(super) urgent: bool,
}

impl Probes {
    /// Begins once the connection that stays has been answered.
    pub(super) fn begin(address: SocketAddr, request: &[u8]) -> Result<Self, Fault> {
        let (over, full) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (ready, begun) = mpsc::channel();
        let clock = |interval| Clock { over: Arc::clone(&over), full: Arc::clone(&full), interval };
        let connected = {
            let (clock, request) = (clock(INTERVAL), request.to_vec());
            probe("connected", async move || {
                let mut connection = Connection::open(address).await?;
                asked(&mut connection, &request).await?;
                ready.send(())?;
                clock.run(async || asked(&mut connection, &request).await).await
            })?
        };
        let new = {
            let (clock, request) = (clock(NEWCOMERS), request.to_vec());
            probe("newcomer", async move || {
                clock.run(async || asked(&mut Connection::open(address).await?, &request).await).await
            })?
        };
        let queue = {
            let (over, full) = (Arc::clone(&over), Arc::clone(&full));
            probe("queue", async move || watch(address, &over, &full).await)?
        };
        begun.recv_timeout(Duration::from_secs(5)).map_err(|_| "the probe is not answered")?;
        Ok(Self { over, connected, new, queue })
    }

    pub(super) fn end(self) -> Result<Probed, Fault> {
        self.over.store(true, Relaxed);
        let (connected, urgent) = self.connected.join().map_err(|_| "the probe panicked")??;
        let (new, _) = self.new.join().map_err(|_| "the newcomer panicked")??;
        self.queue.join().map_err(|_| "the look at the queue panicked")??;
        let a_second = usize::try_from(Duration::from_secs(1).as_nanos() / INTERVAL.as_nanos())?;
        let times = |some: &mut dyn Iterator<Item = &Asked>| Times::new(some.map(|asked| asked.took).collect());
        Ok(Probed {
            connected: times(&mut connected.iter()),
            while_full: times(&mut connected.iter().filter(|asked| asked.full)),
            first_second: times(&mut connected.iter().take(a_second)),
            new: times(&mut new.iter()),
            urgent,
        })
    }
}

/// Starts a thread with a runtime for `work`.
fn probe<T: Send + 'static>(
    name: &str,
    work: impl AsyncFnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<Probe<T>, Fault> {
    let body = move || {
        let urgent = before_all_others();
        Ok((runtime()?.block_on(work())?, urgent))
    };
    Ok(thread::Builder::new().name(name.to_owned()).spawn(body)?)
}

/// When to ask.
struct Clock {
    over: Arc<AtomicBool>,
    full: Arc<AtomicBool>,
    interval: Duration,
}

impl Clock {
    /// Asks until it is over, at intervals between half and one and a half of the given one, so that it does not always
    /// meet the system's own clock in the same moment.
    async fn run(&self, mut ask: impl AsyncFnMut() -> Result<(), Fault>) -> Result<Vec<Asked>, Fault> {
        let mut questions = Vec::new();
        let (mut meant, mut number) = (Instant::now(), 0_u32);
        while !self.over.load(Relaxed) {
            number = number.wrapping_add(1);
            meant += self.interval / 2 + self.interval * (number.wrapping_mul(2_654_435_769) >> 22) / 1024;
            // The thread has nothing else to do, and the runtime's own timers tick in milliseconds.
            thread::sleep(meant.saturating_duration_since(Instant::now()));
            // The system wakes a little late; the time of the question itself is what counts.
            let began = if Instant::now() > meant + INTERVAL { meant } else { Instant::now() };
            let full = self.full.load(Relaxed);
            ask().await?;
            questions.push(Asked { took: began.elapsed(), full: full && self.full.load(Relaxed) });
        }
        Ok(questions)
    }
}

async fn asked(connection: &mut Connection, request: &[u8]) -> Result<(), Fault> {
    match connection.send(request).await?.status {
        200 => Ok(()),
        status => Err(format!("the probe was answered with {status}").into()),
    }
}

/// Looks at the depth of the hashing queue until it is over.
async fn watch(address: SocketAddr, over: &AtomicBool, full: &AtomicBool) -> Result<(), Fault> {
    let mut connection = Connection::open(address).await?;
    let request = get("/metrics", None);
    while !over.load(Relaxed) {
        let answer = connection.send(&request).await?;
        full.store(depth(&String::from_utf8_lossy(answer.body)) >= QUEUE * FULL, Relaxed);
        thread::sleep(LOOK);
    }
    Ok(())
}

/// The gauge of the queue, which is absent before the first hash.
fn depth(metrics: &str) -> f64 {
    let value = metrics.lines().find_map(|line| line.strip_prefix("userd_argon2_queue_depth "));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or_default()
}

/// A client on another machine waits for none of this one's processors: the least real-time priority, where the
/// system allows it.
fn before_all_others() -> bool {
    #[cfg(target_os = "linux")]
    {
        use thread_priority::{
            RealtimeThreadSchedulePolicy::Fifo, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
            thread_native_id,
        };
        let policy = ThreadSchedulePolicy::Realtime(Fifo);
        set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    false
}
