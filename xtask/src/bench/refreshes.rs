//! Durable refreshes on the embedded database: over HTTP and in this process, against the same statements with one fsync
//! per transaction.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use rusqlite::{Connection, params_from_iter, types::Value};
use userd_services::{Services, SignedIn};
use userd_storage::engines::{SqliteEngine, SqliteLocation, SqliteOptions};

use super::{
    Fault, Pace,
    load::{self, Caller, count},
    median,
    people::{Person, Refresher},
    report::{Report, Table, short},
    server::Server,
    test_services::{self, context, services},
};

/// Clients that refresh, each in a session of its own.
const CLIENTS: usize = 64;

/// What was reached, per second.
#[derive(Default)]
struct Rates {
    plain: Vec<f64>,
    single: Vec<f64>,
    grouped: Vec<f64>,
    over_http: Vec<f64>,
}

/// Measures all four in turns.
pub(super) fn measure(
    server: &Server,
    people: &[Person],
    folder: &Path,
    pace: &Pace,
    report: &mut Report,
) -> Result<(), Fault> {
    super::say("durable refreshes");
    let mut rates = Rates::default();
    for round in 0..pace.rounds {
        let file = |name: &str| folder.join(format!("{name}{round}.db"));
        rates.grouped.push(in_process(&file("grouped"), SqliteOptions::at, pace.round)?);
        let one = |location| SqliteOptions { batch: 1, ..SqliteOptions::at(location) };
        rates.single.push(in_process(&file("single"), one, pace.round)?);
        rates.plain.push(plain(&file("single"), pace.round)?);
        rates.over_http.push(over_http(server, people, pace)?);
    }
    let mut table = Table::new(
        "Durable refreshes on SQLite",
        format!(
            "{CLIENTS} clients, `synchronous=FULL`. Plain: rusqlite in one thread, the texts of `sessions.by_id`, `users.by_id` and \
             `sessions.rotate` between BEGIN IMMEDIATE and COMMIT, nothing else. In turns, {} rounds of {} s, medians.",
            pace.rounds,
            pace.round.as_secs_f64()
        ),
        &["", "refreshes/s", "against plain", "against one fsync per unit of work"],
    );
    let against = |rates: &[f64], plain: &[f64]| median(rates.iter().zip(plain).map(|(a, b)| a / b).collect());
    for (name, of) in [
        ("plain statements, one fsync per transaction", &rates.plain),
        ("the service in process, its engine with one fsync per unit of work", &rates.single),
        ("the service in process, group commit", &rates.grouped),
        ("`POST /v1/auth/refresh`, client on the same cores", &rates.over_http),
    ] {
        let ratio = |to: &[f64]| format!("{} ×", short(against(of, to)));
        table.row([name.to_owned(), short(median(of.clone())), ratio(&rates.plain), ratio(&rates.single)]);
    }
    report.tables.push(table);
    let what = "durable refreshes at 64 clients, group commit";
    let (single, plain) = (against(&rates.grouped, &rates.single), against(&rates.grouped, &rates.plain));
    report.at_least(format!("{what} against one fsync per unit of work"), single, 8.0, " ×");
    report.at_least(format!("{what} against plain statements in one thread with one fsync each"), plain, 8.0, " ×");
    Ok(())
}

fn over_http(server: &Server, people: &[Person], pace: &Pace) -> Result<f64, Fault> {
    // Every round signs in anew: the tokens of the last one are used up.
    let tokens = super::people::sign_in(server.address, people.iter().take(CLIENTS))?;
    let callers = tokens.into_iter().map(|token| Box::new(Refresher(token)) as Box<dyn Caller>).collect();
    let measured = load::run(server, callers, pace.warm, pace.round)?;
    if measured.failed > 0 {
        return Err(format!("{} refreshes failed", measured.failed).into());
    }
    Ok(measured.per_second)
}

/// Refreshes per second of the services in this process.
fn in_process(file: &Path, options: impl Fn(SqliteLocation) -> SqliteOptions, time: Duration) -> Result<f64, Fault> {
    let engine = Arc::new(SqliteEngine::open(&options(SqliteLocation::File(file.to_owned())))?);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let services = services(engine.clone()).await?;
        let done = Arc::new(AtomicUsize::new(0));
        let mut people = Vec::with_capacity(CLIENTS);
        for number in 0..CLIENTS {
            people.push(test_services::register(&services, number).await?);
        }
        let (begun, mut tasks) = (Instant::now(), Vec::new());
        for person in people {
            tasks.push(tokio::spawn(refresh(Arc::clone(&services), person, begun, time, Arc::clone(&done))));
        }
        for task in tasks {
            task.await??;
        }
        let rate = count(done.load(Relaxed)) / begun.elapsed().as_secs_f64();
        userd_storage::Engine::close(engine.as_ref()).await;
        Ok(rate)
    })
}

async fn refresh(
    services: Arc<Services>,
    person: SignedIn,
    begun: Instant,
    time: Duration,
    done: Arc<AtomicUsize>,
) -> Result<(), Fault> {
    let mut token = person.tokens.refresh_token;
    while begun.elapsed() < time {
        token = services.sessions.refresh(&context(&services), &token).await?.tokens.refresh_token;
        done.fetch_add(1, Relaxed);
    }
    Ok(())
}

/// The statements of a refresh, by hand, on a database that the service has left.
fn plain(file: &Path, time: Duration) -> Result<f64, Fault> {
    let text = |name: &str| {
        let found = userd_storage::repositories::statements().find(|statement| statement.name == name);
        found.map(|statement| statement.sql.replace('$', "?")).ok_or_else(|| format!("no statement {name}"))
    };
    let (session, user, rotate) = (text("sessions.by_id")?, text("users.by_id")?, text("sessions.rotate")?);
    let database = Connection::open(file)?;
    database.execute_batch(
        "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864; \
         PRAGMA cache_size=-4096; PRAGMA secure_delete=FAST; PRAGMA temp_store=MEMORY;",
    )?;
    let mut sessions = Vec::new();
    let mut all = database.prepare("SELECT id, user_id, successor, expires_at FROM sessions")?;
    let mut rows = all.query(())?;
    while let Some(row) = rows.next()? {
        sessions.push((
            row.get::<_, Value>(0)?,
            row.get::<_, Value>(1)?,
            row.get::<_, Value>(2)?,
            row.get::<_, Value>(3)?,
        ));
    }
    let columns = assigned(&rotate);
    let (begun, mut done) = (Instant::now(), 0_usize);
    for (id, owner, successor, expires_at) in sessions.iter().cycle() {
        if begun.elapsed() >= time {
            break;
        }
        database.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        read_all(&database, &session, id)?;
        read_all(&database, &user, owner)?;
        let number = i64::try_from(done)?;
        let hash = Value::Blob(number.to_le_bytes().repeat(4));
        let mut values = Vec::with_capacity(columns.len());
        for column in &columns {
            values.push(match column.as_str() {
                "id" => id.clone(),
                "ip" => Value::Text("127.0.0.1".to_owned()),
                "last_seen_at" | "generation" => Value::Integer(number),
                "current_hash" | "previous_hash" => hash.clone(),
                "successor" => successor.clone(),
                "expires_at" => expires_at.clone(),
                other => return Err(format!("sessions.rotate writes {other}, which this does not know").into()),
            });
        }
        database.prepare_cached(&rotate)?.execute(params_from_iter(values))?;
        database.prepare_cached("COMMIT")?.execute(())?;
        done += 1;
    }
    Ok(count(done) / begun.elapsed().as_secs_f64())
}

/// The columns of an UPDATE by id, in the order of its placeholders.
fn assigned(update: &str) -> Vec<String> {
    let names = update.split(" = ?").filter_map(|part| part.rsplit([' ', ',']).next());
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    // Behind the last placeholder nothing is assigned.
    names.pop();
    names
}

fn read_all(database: &Connection, sql: &str, id: &Value) -> Result<(), Fault> {
    let mut statement = database.prepare_cached(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([id])?;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            row.get::<_, Value>(column)?;
        }
    }
    Ok(())
}
