//! Load with a closed loop: so many connections, each sends its next request when the answer to the last one is there.
//! One client thread for all of them, so that most of the machine is left to the server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::{
    Fault,
    client::{Answer, Connection},
    process, runtime,
    server::Server,
};

/// One connection's requests.
pub(super) trait Caller: Send {
    /// Writes the next request over the last one.
    fn write(&mut self, request: &mut Vec<u8>);

    /// Reads the answer; whether it is the hoped-for one.
    fn read(&mut self, answer: &Answer<'_>) -> bool;
}

/// The same request again and again.
pub(super) struct Same(pub(super) Vec<u8>);

impl Caller for Same {
    fn write(&mut self, request: &mut Vec<u8>) {
        if request.is_empty() {
            request.clone_from(&self.0);
        }
    }

    fn read(&mut self, answer: &Answer<'_>) -> bool {
        answer.status == 200
    }
}

/// Several requests in turn.
pub(super) struct InTurn {
    pub(super) requests: Vec<Vec<u8>>,
    pub(super) next: usize,
}

impl Caller for InTurn {
    fn write(&mut self, request: &mut Vec<u8>) {
        if let Some(next) = self.requests.get(self.next % self.requests.len().max(1)) {
            request.clone_from(next);
        }
        self.next += 1;
    }

    fn read(&mut self, answer: &Answer<'_>) -> bool {
        answer.status == 200
    }
}

/// What was measured in one window.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    /// Good answers per second.
    pub(super) per_second: f64,
    /// Answers that were not the hoped-for ones.
    pub(super) failed: u64,
    /// Processor time of the server per good answer, µs.
    pub(super) server_cpu: f64,
    /// Processor time of the client per good answer, µs.
    pub(super) client_cpu: f64,
    /// Times from request to whole answer.
    pub(super) times: Times,
}

/// Times, sorted.
#[derive(Clone, Debug, Default)]
pub(super) struct Times(Vec<Duration>);

impl Times {
    pub(super) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// Both together.
    pub(super) fn with(self, other: Self) -> Self {
        Self::new([self.0, other.0].concat())
    }

    /// The time that this share of all did not exceed.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let at = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(at).copied().unwrap_or_default()
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

#[derive(Default)]
struct Window {
    open: AtomicBool,
    over: AtomicBool,
}

#[derive(Default)]
struct Tally {
    times: Vec<Duration>,
    failed: u64,
}

/// Runs the callers, each on its own connection, and measures for `time` after `warm`.
pub(super) fn run(
    server: &Server,
    callers: Vec<Box<dyn Caller>>,
    warm: Duration,
    time: Duration,
) -> Result<Measured, Fault> {
    runtime()?.block_on(async {
        let window = Arc::new(Window::default());
        let mut tasks = Vec::with_capacity(callers.len());
        for caller in callers {
            let connection = Connection::open(server.address).await?;
            tasks.push(tokio::spawn(call(connection, caller, Arc::clone(&window))));
        }
        tokio::time::sleep(warm).await;
        let before = (server.cpu()?, process::cpu(std::process::id())?, Instant::now());
        window.open.store(true, Relaxed);
        tokio::time::sleep(time).await;
        window.open.store(false, Relaxed);
        let took = before.2.elapsed();
        let (server_cpu, client_cpu) = (server.cpu()? - before.0, process::cpu(std::process::id())? - before.1);
        window.over.store(true, Relaxed);
        let mut all = Tally::default();
        for task in tasks {
            let tally = task.await??;
            all.times.extend(tally.times);
            all.failed += tally.failed;
        }
        let good = count(all.times.len());
        Ok(Measured {
            per_second: good / took.as_secs_f64(),
            failed: all.failed,
            server_cpu: server_cpu.as_secs_f64() * 1e6 / good.max(1.0),
            client_cpu: client_cpu.as_secs_f64() * 1e6 / good.max(1.0),
            times: Times::new(all.times),
        })
    })
}

async fn call(mut connection: Connection, mut caller: Box<dyn Caller>, window: Arc<Window>) -> std::io::Result<Tally> {
    let (mut tally, mut request) = (Tally::default(), Vec::new());
    while !window.over.load(Relaxed) {
        caller.write(&mut request);
        let started = Instant::now();
        let answer = connection.send(&request).await?;
        let took = started.elapsed();
        let good = caller.read(&answer);
        if window.open.load(Relaxed) {
            if good {
                tally.times.push(took);
            } else {
                tally.failed += 1;
            }
        }
    }
    Ok(tally)
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
pub(super) const fn count(number: usize) -> f64 {
    number as f64
}
