//! Ten thousand sign-ins at once: what they take in memory, what becomes of them, and what they do to everybody else.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
        mpsc,
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
/// Between two requests of the probe on average, by the clock and not by the answers.
const BEAT: Duration = Duration::from_millis(4);
/// Between two newcomers, who ask once on a connection of their own.
const NEWCOMERS: Duration = Duration::from_millis(40);

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
    let before = Probes::begin(server.address, &prober)?;
    thread::sleep(pace.round * 2);
    let before = before.end()?;
    let requests: Vec<Vec<u8>> = others.iter().map(Person::login).collect();
    let (tally, during, connected, took) = rage(&server, &requests, &prober, pace)?;
    let peak = server.memory()?.peak;
    let good = tally.signed_in.load(Relaxed);
    let bound = idle.now + cores() as u64 * MEMORY_KIB + STORM as u64 * CONNECTION_KIB;
    let mut table = Table::new(
        "Ten thousand sign-ins at once",
        format!(
            "{STORM} connections, each sends a sign-in in the same moment; who is told 503 waits as `Retry-After` says and tries \
             again, until all are in or {} s are over ({} s here). Meanwhile somebody whose connection is older asks `/v1/me` every 2 to \
             {} ms by the clock; times count from when it meant to ask. Newcomers open a connection each for one such question, every {} ms. \
             Both stand for other machines: the system {} their threads before all others. Bound of memory: idle + \
             {} workers × {MEMORY_KIB} KiB + {STORM} connections × {CONNECTION_KIB} KiB.",
            pace.storm.as_secs(),
            took.as_secs(),
            BEAT.as_millis() * 3 / 2,
            NEWCOMERS.as_millis(),
            if before.urgent && during.urgent { "runs" } else { "did not run" },
            cores()
        ),
        &["", "before", "during"],
    );
    let mut row = |name: &str, before: String, during: String| table.row([name.to_owned(), before, during]);
    let mut percentile = |name: &str, percent, of: fn(&Probed) -> &Times| {
        row(name, time(of(&before).percentile(percent)), time(of(&during).percentile(percent)));
    };
    percentile("`/v1/me` p50", 50, |probed| &probed.known);
    percentile("`/v1/me` p99", 99, |probed| &probed.known);
    percentile("`/v1/me` p99 in the first second", 99, |probed| &probed.first_second);
    percentile("`/v1/me` of a newcomer p50", 50, |probed| &probed.new);
    percentile("`/v1/me` of a newcomer p99", 99, |probed| &probed.new);
    row("resident memory", mib(idle.now), format!("{} at most (bound {})", mib(peak), mib(bound)));
    row("resident memory with the connections open and quiet", String::new(), mib(connected));
    row("signed in", String::new(), format!("{good}, {} per second", short(count(good) / took.as_secs_f64())));
    row("told 503", String::new(), tally.busy.load(Relaxed).to_string());
    let (other, broken) = (tally.other.load(Relaxed), tally.broken.load(Relaxed));
    row("other answers, broken connections", String::new(), format!("{other}, {broken}"));
    report.tables.push(table);
    report.at_most("memory during 10 000 sign-ins at once", kib_as_mib(peak), kib_as_mib(bound), " MiB");
    let ratio = during.known.percentile(99).as_secs_f64() / before.known.percentile(99).as_secs_f64();
    report.at_most("p99 of `/v1/me` meanwhile, against before", ratio, 3.0, "");
    Ok(())
}

type Raged = (Arc<Tally>, Probed, u64, Duration);

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
        let probes = Probes::begin(server.address, prober)?;
        let started = Instant::now();
        go.send_replace(true);
        while started.elapsed() < pace.storm && tally.ended() < STORM {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let took = started.elapsed();
        let during = probes.end()?;
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
        Ok((tally, during, connected, took))
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

/// Patient clients on threads of their own. They ask by the clock: when an answer is late, the questions behind it are
/// late too, and that counts.
struct Probes {
    over: Arc<AtomicBool>,
    known: thread::JoinHandle<Result<Asked, Fault>>,
    new: thread::JoinHandle<Result<Asked, Fault>>,
}

/// What the probes found.
struct Probed {
    known: Times,
    first_second: Times,
    new: Times,
    /// Whether the system ran them before all others.
    urgent: bool,
}

/// Times in their order, and whether the system ran the thread before all others.
type Asked = (Vec<Duration>, bool);

impl Probes {
    /// Begins once the connection that stays has been answered.
    fn begin(address: SocketAddr, request: &[u8]) -> Result<Self, Fault> {
        let over = Arc::new(AtomicBool::new(false));
        let (ready, begun) = mpsc::channel();
        let known = {
            let (over, request) = (Arc::clone(&over), request.to_vec());
            probe("probe", async move || {
                let mut connection = Connection::open(address).await?;
                asked(&mut connection, &request).await?;
                ready.send(())?;
                by_the_clock(&over, BEAT, async || asked(&mut connection, &request).await).await
            })?
        };
        let new = {
            let (over, request) = (Arc::clone(&over), request.to_vec());
            probe("newcomer", async move || {
                let once = async || asked(&mut Connection::open(address).await?, &request).await;
                by_the_clock(&over, NEWCOMERS, once).await
            })?
        };
        begun.recv_timeout(Duration::from_secs(5)).map_err(|_| "the probe is not answered")?;
        Ok(Self { over, known, new })
    }

    fn end(self) -> Result<Probed, Fault> {
        self.over.store(true, Relaxed);
        let (known, urgent) = self.known.join().map_err(|_| "the probe panicked")??;
        let (new, _) = self.new.join().map_err(|_| "the newcomer panicked")??;
        let a_second = usize::try_from(Duration::from_secs(1).as_nanos() / BEAT.as_nanos())?;
        let first_second = Times::new(known.iter().take(a_second).copied().collect());
        Ok(Probed { known: Times::new(known), first_second, new: Times::new(new), urgent })
    }
}

/// Starts a thread with a runtime for `work`.
fn probe(
    name: &str,
    work: impl AsyncFnOnce() -> Result<Vec<Duration>, Fault> + Send + 'static,
) -> Result<thread::JoinHandle<Result<Asked, Fault>>, Fault> {
    let body = move || {
        let urgent = before_all_others();
        Ok((runtime()?.block_on(work())?, urgent))
    };
    Ok(thread::Builder::new().name(name.to_owned()).spawn(body)?)
}

/// Asks until it is over, in beats between half of `beat` and one and a half, so that it does not always meet the
/// system's own clock in the same moment.
async fn by_the_clock(
    over: &AtomicBool,
    beat: Duration,
    mut ask: impl AsyncFnMut() -> Result<(), Fault>,
) -> Result<Vec<Duration>, Fault> {
    let mut times = Vec::new();
    let (mut meant, mut number) = (Instant::now(), 0_u32);
    while !over.load(Relaxed) {
        number = number.wrapping_add(1);
        meant += beat / 2 + beat * (number.wrapping_mul(2_654_435_769) >> 22) / 1024;
        // The thread has nothing else to do, and the runtime's own timers tick in milliseconds.
        thread::sleep(meant.saturating_duration_since(Instant::now()));
        // The system wakes a little late; the time of the question itself is what counts.
        let began = if Instant::now() > meant + BEAT { meant } else { Instant::now() };
        ask().await?;
        times.push(began.elapsed());
    }
    Ok(times)
}

async fn asked(connection: &mut Connection, request: &[u8]) -> Result<(), Fault> {
    match connection.send(request).await?.status {
        200 => Ok(()),
        status => Err(format!("the probe was answered with {status}").into()),
    }
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
