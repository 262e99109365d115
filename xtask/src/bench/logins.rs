//! Sign-ins by password: against bare argon2id, and while a sign-in provider hangs.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde_json::json;

use super::{
    Fault, Pace,
    client::{Connection, post_json},
    load::{self, Caller, InTurn, Times, count},
    machine::cores,
    median,
    people::{PASSWORD, Person},
    report::{Report, Table, short, time},
    runtime,
    server::{Server, Setting},
};

/// The service's defaults, which the measured server runs with.
const MEMORY_KIB: u32 = 19_456;
const ITERATIONS: u32 = 2;

/// Sign-ins under way at the same time.
const CALLERS: usize = 16;
/// Calls that a hanging provider keeps under way.
const HANGING: usize = 128;

/// Clients that sign everybody in, one person after the other: nobody gathers more sessions than people do.
pub(super) fn callers(people: &[Person], count: usize) -> Vec<Box<dyn Caller>> {
    let everybody = |client: usize| people.iter().skip(client).step_by(count).map(Person::login).collect();
    (0..count).map(|client| Box::new(InTurn { requests: everybody(client), next: 0 }) as Box<dyn Caller>).collect()
}

/// Logins per second against hashes per second, in turns.
pub(super) fn against_argon2(
    server: &Server,
    people: &[Person],
    pace: &Pace,
    report: &mut Report,
) -> Result<(), Fault> {
    super::say("logins against bare argon2id");
    let (mut bare, mut whole, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut before = hashes_per_second(pace.round)?;
    for _ in 0..pace.rounds {
        let logins = load::run(server, callers(people, CALLERS), pace.warm, pace.round)?.per_second;
        let after = hashes_per_second(pace.round)?;
        // The machine's speed drifts: what lies between two rounds of hashing is held against both.
        ratios.push(2.0 * logins / (before + after));
        bare.push(before);
        whole.push(logins);
        before = after;
    }
    let mut table = Table::new(
        "Password sign-ins against bare argon2id",
        format!(
            "{MEMORY_KIB} KiB, {ITERATIONS} passes, 1 lane. Bare: a thread per core in the harness, each hashing into memory of \
             its own that it keeps. In turns, {} rounds of {} s, each against those around it, medians.",
            pace.rounds,
            pace.round.as_secs_f64()
        ),
        &["", "per second"],
    );
    table.row(["bare argon2id on all cores".to_owned(), short(median(bare))]);
    table.row([format!("`POST /v1/auth/login`, {CALLERS} clients"), short(median(whole))]);
    report.tables.push(table);
    report.at_least("sign-ins per second against bare argon2id", median(ratios), 0.9, "");
    Ok(())
}

fn hashes_per_second(time: Duration) -> Result<f64, Fault> {
    let params = Params::new(MEMORY_KIB, ITERATIONS, 1, Some(32)).map_err(|error| error.to_string())?;
    let done = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let threads: Vec<_> = (0..cores())
        .map(|_| {
            let (params, done) = (params.clone(), Arc::clone(&done));
            thread::spawn(move || {
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
                let mut memory = vec![Block::new(); argon2.params().block_count()];
                let mut output = [0; 32];
                while started.elapsed() < time {
                    let hashed = argon2.hash_password_into_with_memory(
                        PASSWORD.as_bytes(),
                        b"0123456789abcdef",
                        &mut output,
                        &mut memory,
                    );
                    done.fetch_add(usize::from(hashed.is_ok()), Relaxed);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| "a hashing thread panicked")?;
    }
    Ok(count(done.load(Relaxed)) / started.elapsed().as_secs_f64())
}

/// p99 of sign-ins while a provider takes every call and never answers, against p99 without such calls, in turns.
pub(super) fn beside_a_hanging_provider(
    setting: &Setting,
    people: &[Person],
    pace: &Pace,
    report: &mut Report,
) -> Result<(), Fault> {
    super::say("logins beside a hanging provider");
    let provider = silent_listener()?;
    let setting = Setting { provider: Some(provider), ..setting.clone() };
    let server = Server::start(&setting)?;
    let (mut calm, mut hanging) = (Times::default(), Times::default());
    for _ in 0..pace.rounds {
        calm = calm.with(load::run(&server, callers(people, cores()), pace.warm, pace.round)?.times);
        let calls = Calls::begin(server.address)?;
        hanging = hanging.with(load::run(&server, callers(people, cores()), pace.warm, pace.round)?.times);
        calls.end()?;
    }
    let mut table = Table::new(
        "Password sign-ins beside a hanging provider",
        format!(
            "{} clients sign in by password while {HANGING} others hand over codes (`POST /v1/auth/corp/token`) of a provider that \
             accepts every connection and never answers. In turns, {} rounds of {} s.",
            cores(),
            pace.rounds,
            pace.round.as_secs_f64()
        ),
        &["", "sign-ins", "p50", "p99"],
    );
    for (name, times) in [("nobody waits for the provider", &calm), ("the provider hangs", &hanging)] {
        table.row([name.to_owned(), times.count().to_string(), time(times.percentile(50)), time(times.percentile(99))]);
    }
    report.tables.push(table);
    let ratio = hanging.percentile(99).as_secs_f64() / calm.percentile(99).as_secs_f64();
    report.at_most("p99 of sign-ins while a provider hangs, against without", ratio, 1.2, "");
    Ok(())
}

/// Accepts and never answers, for the rest of the process.
fn silent_listener() -> Result<SocketAddr, Fault> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept() {
            kept.push(stream);
            if kept.len() > 4 * HANGING {
                // The oldest calls have been given up long ago.
                kept.drain(..HANGING);
            }
        }
    });
    Ok(address)
}

/// Calls that hang, kept under way by a thread of their own.
struct Calls {
    over: Arc<AtomicBool>,
    thread: thread::JoinHandle<Result<(), Fault>>,
}

impl Calls {
    /// Begins them and waits until each is under way.
    fn begin(address: SocketAddr) -> Result<Self, Fault> {
        let (over, begun) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let thread = {
            let (over, begun) = (Arc::clone(&over), Arc::clone(&begun));
            thread::spawn(move || {
                runtime()?.block_on(async {
                    for _ in 0..HANGING {
                        tokio::spawn(hang(address, Arc::clone(&begun)));
                    }
                    while !over.load(Relaxed) {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                });
                Ok(())
            })
        };
        let started = Instant::now();
        while begun.load(Relaxed) < HANGING {
            if started.elapsed() > Duration::from_secs(5) {
                return Err("calls to the hanging provider do not begin".into());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(Self { over, thread })
    }

    fn end(self) -> Result<(), Fault> {
        self.over.store(true, Relaxed);
        self.thread.join().map_err(|_| "the thread of hanging calls panicked")?
    }
}

/// Hands over one code after another; each call waits until the server gives the provider up.
async fn hang(address: SocketAddr, begun: Arc<AtomicUsize>) -> std::io::Result<()> {
    let verifier = "v".repeat(64);
    let body = json!({ "code": "code", "code_verifier": verifier, "redirect_uri": "com.example.app:/done" });
    let request = post_json("/v1/auth/corp/token", &body);
    let mut connection = Connection::open(address).await?;
    begun.fetch_add(1, Relaxed);
    loop {
        let status = connection.send(&request).await?.status;
        if status != 503 {
            super::say(&format!("a hanging provider was answered with {status}"));
        }
    }
}
