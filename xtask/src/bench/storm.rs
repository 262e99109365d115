//! Ten thousand sign-ins at once: what they take in memory, how many are signed in, and what a full hashing queue does
//! to everybody else. Deliberately absent: those who are measured meanwhile (probes.rs).

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
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
    probes::{INTERVAL, NEWCOMERS, Probed, Probes},
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
        note(before.urgent && during.urgent, took, pace),
        &["", "before", "during"],
    );
    let mut row = |name: &str, before: String, during: String| table.row([name.to_owned(), before, during]);
    let mut percentile = |name: &str, percent, before: &Times, during: &Times| {
        row(name, time(before.percentile(percent)), time(during.percentile(percent)));
    };
    percentile("`/v1/me`, connected, while the queue is full: p50", 50, &before.connected, &during.while_full);
    percentile("`/v1/me`, connected, while the queue is full: p99", 99, &before.connected, &during.while_full);
    percentile("`/v1/me`, connected, in the first second: p99", 99, &before.first_second, &during.first_second);
    percentile("`/v1/me` of a newcomer: p50", 50, &before.new, &during.new);
    percentile("`/v1/me` of a newcomer: p99", 99, &before.new, &during.new);
    let (full, all) = (during.while_full.count(), during.connected.count());
    row("questions asked while the queue was full", String::new(), format!("{full} of {all}"));
    row("resident memory", mib(idle.now), format!("{} at most (bound {})", mib(peak), mib(bound)));
    row("resident memory with the connections open and quiet", String::new(), mib(connected));
    row("signed in", String::new(), format!("{good}, {} per second", short(count(good) / took.as_secs_f64())));
    row("told 503", String::new(), tally.busy.load(Relaxed).to_string());
    let (other, broken) = (tally.other.load(Relaxed), tally.broken.load(Relaxed));
    row("other answers, broken connections", String::new(), format!("{other}, {broken}"));
    report.tables.push(table);
    report.at_most("memory during 10 000 sign-ins at once", kib_as_mib(peak), kib_as_mib(bound), " MiB");
    if full == 0 {
        return Err("the hashing queue was never full: nothing is known of `/v1/me` meanwhile".into());
    }
    let p99 = during.while_full.percentile(99).as_secs_f64() * 1e3;
    report.at_most("p99 of `/v1/me` of a connected client while the hashing queue is full", p99, 2.0, " ms");
    Ok(())
}

/// What was done.
fn note(urgent: bool, took: Duration, pace: &Pace) -> String {
    format!(
        "{STORM} connections, each sends a sign-in in the same moment; who is told 503 waits as `Retry-After` says and tries \
         again, until all are in or {} s are over ({} s here). Meanwhile somebody who was connected before asks `/v1/me` every 2 \
         to {} ms by the clock; times count from when it meant to ask. Newcomers open a connection each for one such question, \
         every {} ms. All stand for other machines: the system {} their threads before all others. The queue counts as full from \
         nine tenths on, looked at ten times a second. Bound of memory: idle + {} workers × {MEMORY_KIB} KiB + {STORM} connections \
         × {CONNECTION_KIB} KiB.",
        pace.storm.as_secs(),
        took.as_secs(),
        INTERVAL.as_millis() * 3 / 2,
        NEWCOMERS.as_millis(),
        if urgent { "runs" } else { "did not run" },
        cores()
    )
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
