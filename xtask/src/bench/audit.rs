//! What the audit log adds to a sign-in: processor time of whoever passes its fact on, with the audit log and without. The
//! sign-in itself runs no statement of it (`crates/services/tests/services/audit_cost.rs`).

use std::{path::Path, sync::Arc, time::Duration};

use userd_services::{Services, event_log::EventLog};
use userd_storage::{
    Engine,
    engines::{SqliteEngine, SqliteLocation, SqliteOptions},
};

use super::{
    Fault,
    load::count,
    median, process,
    report::{Report, Table, time},
    rights::sign_in,
    runtime, test_services,
};

/// People who sign in.
const PEOPLE: usize = 64;
/// What a sign-in may cost more, in microseconds.
const BOUND: f64 = 200.0;

/// Measures both in turns, so that whatever else the machine does meets both.
pub(super) fn measure(folder: &Path, quick: bool, report: &mut Report) -> Result<(), Fault> {
    super::say("what the audit log adds to a sign-in");
    let (rounds, sign_ins) = if quick { (3, 1_000) } else { (7, 4_000) };
    runtime()?.block_on(async {
        let with = Worker::open(&folder.join("audited.db"), true).await?;
        let without = Worker::open(&folder.join("not-audited.db"), false).await?;
        let (mut more, mut all, mut bare) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            let (audited, not_audited) = (with.round(sign_ins).await?, without.round(sign_ins).await?);
            more.push(audited - not_audited);
            all.push(audited);
            bare.push(not_audited);
        }
        let mut table = Table::new(
            "What the audit log adds to a sign-in",
            format!(
                "Processor time of passing a sign-in's facts on, in this process over SQLite in a file: {rounds} rounds of \
                 {sign_ins} sign-ins, in turns, the median. What a sign-in does until it is answered is the same in both."
            ),
            &["", "per sign-in"],
        );
        for (what, times) in [("with the audit log", all), ("without", bare)] {
            table.row([what.to_owned(), time(Duration::from_secs_f64(median(times).max(0.0) / 1e6))]);
        }
        report.at_most("processor time that the audit log adds to a sign-in", median(more), BOUND, " µs");
        report.tables.push(table);
        with.engine.close().await;
        without.engine.close().await;
        Ok(())
    })
}

/// Services over a database of their own, and whoever passes facts on there.
struct Worker {
    engine: Arc<SqliteEngine>,
    services: Arc<Services>,
    log: Arc<EventLog>,
}

impl Worker {
    async fn open(file: &Path, audited: bool) -> Result<Self, Fault> {
        let engine = Arc::new(SqliteEngine::open(&SqliteOptions::at(SqliteLocation::File(file.to_owned())))?);
        let services = test_services::services(engine.clone()).await?;
        for number in 0..PEOPLE {
            test_services::register(&services, number).await?;
        }
        let log = if audited { Arc::clone(&services.event_log) } else { Arc::new(EventLog::without_audit(&services)) };
        while log.tick().await? > 0 {}
        Ok(Self { engine, services, log })
    }

    /// Microseconds of processor time per sign-in whose facts are passed on.
    async fn round(&self, sign_ins: usize) -> Result<f64, Fault> {
        for number in 0..sign_ins {
            sign_in(&self.services, number % PEOPLE).await?;
        }
        let before = process::cpu(std::process::id())?;
        while self.log.tick().await? > 0 {}
        Ok((process::cpu(std::process::id())?.saturating_sub(before)).as_secs_f64() * 1e6 / count(sign_ins))
    }
}
