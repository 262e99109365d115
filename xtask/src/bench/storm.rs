//! Ten thousand sign-ins at once: what they take in memory, what becomes of them, and what they do to everybody else.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    Fault, Pace,
    client::Connection,
    load::{Times, count},
    machine::cores,
    people::Person,
    report::{Report, Table, short, time},
    runtime,
    server::{Server, Setting},
    starting::{kib_as_mib, mib},
};

/// Sign-ins at once.
const STORM: usize = 10_000;
/// argon2id memory of one worker, KiB: the default.
const MEMORY_KIB: u64 = 19_456;
/// What a connection may buffer: the longest request head the server takes, KiB.
const CONNECTION_KIB: u64 = 32;
/// Connections opened at the same time: fewer than the 128 that the system keeps waiting for a server by default. What
/// comes beyond that is tried again by the client's system, after a second.
const AT_ONCE: usize = 100;
/// Between two requests of the probe, by the clock and not by the answers.
const BEAT: Duration = Duration::from_millis(4);

/// What became of the sign-ins.
#[derive(Default)]
struct Tally {
    signed_in: AtomicUsize,
    busy: AtomicUsize,
    other: AtomicUsize,
    broken: AtomicUsize,
}

impl Tally {
    /// Sign-ins that will not be tried again.
    fn ended(&self) -> usize {
        [&self.signed_in, &self.other, &self.broken].iter().map(|count| count.load(Relaxed)).sum()
    }
}

/// Measures on a fresh server over the same database.
pub(super) fn measure(setting: &Setting, people: &[Person], pace: &Pace, report: &mut Report) -> Result<(), Fault> {
    super::say("ten thousand sign-ins at once");
    let server = Server::start(setting)?;
    thread::sleep(pace.idle);
    let idle = server.memory()?;
    let (prober, others) = people.split_last().ok_or("nobody is registered")?;
    let prober = prober.me();
    let probe = Probe::begin(server.address, prober.clone())?;
    thread::sleep(pace.round * 2);
    let calm = probe.end()?;
    let requests: Vec<Vec<u8>> = others.iter().map(Person::login).collect();
    let (tally, probe, connected, took) = rage(&server, &requests, &prober, pace)?;
    let peak = server.memory()?.peak;
    let good = tally.signed_in.load(Relaxed);
    let bound = idle.now + cores() as u64 * MEMORY_KIB + STORM as u64 * CONNECTION_KIB;
    let mut table = Table::new(
        "Ten thousand sign-ins at once",
        format!(
            "{STORM} connections, each sends a sign-in in the same moment; who is told 503 waits as `Retry-After` says and tries \
             again, until all are in or {} s are over ({} s here). Meanwhile one more client asks `/v1/me` every {} ms by the clock; its times count from when it \
             meant to ask. Bound of memory: idle + {} workers × {MEMORY_KIB} KiB + {STORM} connections × {CONNECTION_KIB} KiB.",
            pace.storm.as_secs(),
            took.as_secs(),
            BEAT.as_millis(),
            cores()
        ),
        &["", "before", "during"],
    );
    let mut row = |name: &str, before: String, during: String| table.row([name.to_owned(), before, during]);
    let (during, burst) = probe;
    row("`/v1/me` p50", time(calm.percentile(50)), time(during.percentile(50)));
    row("`/v1/me` p99", time(calm.percentile(99)), time(during.percentile(99)));
    row("`/v1/me` p99 in the first second of the storm", String::new(), time(burst.percentile(99)));
    row("resident memory", mib(idle.now), format!("{} at most (bound {})", mib(peak), mib(bound)));
    row("resident memory with the connections open and quiet", String::new(), mib(connected));
    row("signed in", String::new(), format!("{good}, {} per second", short(count(good) / took.as_secs_f64())));
    row("told 503", String::new(), tally.busy.load(Relaxed).to_string());
    let (other, broken) = (tally.other.load(Relaxed), tally.broken.load(Relaxed));
    row("other answers, broken connections", String::new(), format!("{other}, {broken}"));
    report.tables.push(table);
    report.at_most("memory during 10 000 sign-ins at once", kib_as_mib(peak), kib_as_mib(bound), " MiB");
    let ratio = during.percentile(99).as_secs_f64() / calm.percentile(99).as_secs_f64();
    report.at_most("p99 of `/v1/me` meanwhile, against before", ratio, 3.0, "");
    Ok(())
}

type Raged = (Arc<Tally>, (Times, Times), u64, Duration);

/// Opens every connection, then lets them all go in one moment.
fn rage(server: &Server, requests: &[Vec<u8>], prober: &[u8], pace: &Pace) -> Result<Raged, Fault> {
    runtime()?.block_on(async {
        let tally = Arc::new(Tally::default());
        let (go, gone) = tokio::sync::watch::channel(false);
        let mut tasks = Vec::with_capacity(STORM);
        let mut requests = requests.iter().cycle();
        for batch in (0..STORM).collect::<Vec<_>>().chunks(AT_ONCE) {
            let opening: Vec<_> = batch.iter().map(|_| tokio::spawn(Connection::open(server.address))).collect();
            for ((number, opening), request) in batch.iter().zip(opening).zip(&mut requests) {
                let attempt = attempt(opening.await??, request.clone(), *number, gone.clone(), Arc::clone(&tally));
                tasks.push(tokio::spawn(attempt));
            }
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        let connected = server.memory()?.now;
        let probe = Probe::begin(server.address, prober.to_vec())?;
        let started = Instant::now();
        go.send_replace(true);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let burst = probe.so_far();
        while started.elapsed() < pace.storm && tally.ended() < STORM {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let took = started.elapsed();
        let during = probe.end()?;
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
        Ok((tally, (during, burst), connected, took))
    })
}

/// One sign-in, again while the answer is 503.
async fn attempt(
    mut connection: Connection,
    request: Vec<u8>,
    number: usize,
    mut go: tokio::sync::watch::Receiver<bool>,
    tally: Arc<Tally>,
) {
    if go.wait_for(|go| *go).await.is_err() {
        return;
    }
    loop {
        let Ok(answer) = connection.send(&request).await else {
            tally.broken.fetch_add(1, Relaxed);
            return;
        };
        match answer.status {
            200 => {
                tally.signed_in.fetch_add(1, Relaxed);
                return;
            }
            503 => {
                tally.busy.fetch_add(1, Relaxed);
                // As clients are told to: what the server says, and a little of one's own.
                let spread = Duration::from_millis(number as u64 * 7919 % 1000);
                tokio::time::sleep(Duration::from_secs(answer.retry_after.unwrap_or(1)) + spread).await;
            }
            _ => {
                tally.other.fetch_add(1, Relaxed);
                return;
            }
        }
    }
}

/// A patient client on a thread of its own. It asks by the clock: when an answer is late, the requests behind it are
/// late too, and that counts.
struct Probe {
    over: Arc<AtomicBool>,
    times: Arc<std::sync::Mutex<Vec<Duration>>>,
    thread: thread::JoinHandle<Result<(), Fault>>,
}

impl Probe {
    fn begin(address: SocketAddr, request: Vec<u8>) -> Result<Self, Fault> {
        let (over, times) = (Arc::new(AtomicBool::new(false)), Arc::new(std::sync::Mutex::new(Vec::new())));
        let thread = {
            let (over, times) = (Arc::clone(&over), Arc::clone(&times));
            thread::Builder::new().name("probe".to_owned()).spawn(move || {
                runtime()?.block_on(async {
                    let mut connection = Connection::open(address).await?;
                    let mut meant = Instant::now();
                    while !over.load(Relaxed) {
                        meant += BEAT;
                        tokio::time::sleep_until(meant.into()).await;
                        // Timers tick in milliseconds; the time of the request itself is what counts.
                        let began = if Instant::now() > meant + BEAT { meant } else { Instant::now() };
                        let status = connection.send(&request).await?.status;
                        if status != 200 {
                            return Err(format!("the probe was answered with {status}").into());
                        }
                        let took = began.elapsed();
                        times.lock().map_err(|_| "poisoned")?.push(took);
                    }
                    Ok(())
                })
            })?
        };
        Ok(Self { over, times, thread })
    }

    fn so_far(&self) -> Times {
        Times::new(self.times.lock().map(|times| times.clone()).unwrap_or_default())
    }

    fn end(self) -> Result<Times, Fault> {
        self.over.store(true, Relaxed);
        self.thread.join().map_err(|_| "the probe panicked")??;
        Ok(Times::new(std::mem::take(&mut *self.times.lock().map_err(|_| "poisoned")?)))
    }
}
