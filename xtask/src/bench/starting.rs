//! How long a start takes, and what an idle server holds.

use std::time::Duration;

use super::{
    Fault, Pace, median,
    report::{Report, Table, short, time},
    server::{Server, Setting},
};

/// Measures starts, leaves the last server running.
pub(super) fn measure(setting: &Setting, pace: &Pace, report: &mut Report) -> Result<Server, Fault> {
    super::say("starts");
    let first = Server::start(setting)?.ready_after;
    let mut again = Vec::new();
    for _ in 0..pace.starts {
        again.push(Server::start(setting)?.ready_after.as_secs_f64());
    }
    let slowest = again.iter().copied().fold(0.0, f64::max);
    let usual = median(again);
    let server = Server::start(setting)?;
    std::thread::sleep(pace.idle);
    let idle = server.memory()?;
    let mut table = Table::new(
        "Start and memory at rest",
        format!(
            "From the start of the process to the first 200 of `/readyz`, looked at every half millisecond; {} starts with \
             a database that is there. Memory {} s after a start.",
            pace.starts,
            pace.idle.as_secs()
        ),
        &["", "measured"],
    );
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    row("first start: database, master key and signing keys are made", time(first));
    row("start, median", time(Duration::from_secs_f64(usual)));
    row("start, slowest", time(Duration::from_secs_f64(slowest)));
    row("resident memory, idle", mib(idle.now));
    report.tables.push(table);
    report.at_most("ready after a start", usual * 1e3, 100.0, " ms");
    report.at_most("ready after the very first start", first.as_secs_f64() * 1e3, 100.0, " ms");
    report.at_most("resident memory, idle after a start", kib_as_mib(idle.now), 25.0, " MiB");
    Ok(server)
}

/// KiB as MiB.
#[expect(clippy::cast_precision_loss, reason = "no machine has 2^52 KiB")]
pub(super) fn kib_as_mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// KiB as text in MiB.
pub(super) fn mib(kib: u64) -> String {
    format!("{} MiB", short(kib_as_mib(kib)))
}
