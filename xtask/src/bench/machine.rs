//! The machine a run was made on: without it, no figure means anything.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::Path,
    time::{Duration, Instant},
};

use super::{Fault, load::count, report::short};

/// One fact per line; `folder` is on the disk that the databases will be on.
pub(super) fn describe(folder: &Path) -> Result<Vec<String>, Fault> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let (cpuinfo, meminfo) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split(':').nth(1)?.trim().to_owned())
    };
    let memory = field(&meminfo, "MemTotal").and_then(|text| text.split(' ').next()?.parse::<usize>().ok());
    let load = read("/proc/loadavg");
    Ok(vec![
        format!(
            "processor: {}, {} cores for everything: server, client and databases",
            field(&cpuinfo, "model name").unwrap_or_default(),
            cores()
        ),
        format!(
            "memory: {} GiB; kernel: Linux {}",
            short(count(memory.unwrap_or_default()) / (1 << 20) as f64),
            read("/proc/sys/kernel/osrelease").trim()
        ),
        format!("disk: {} fdatasync/s of 4 KiB over and over, one at a time", short(syncs_per_second(folder)?)),
        format!("load average before the run: {}", load.split(' ').next().unwrap_or_default()),
    ])
}

/// Cores this process may use.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// How often a second the disk makes 4 KiB of an existing file durable.
pub(super) fn syncs_per_second(folder: &Path) -> Result<f64, Fault> {
    const PAGES: usize = 256;
    let path = folder.join("sync-test");
    let file = File::create(&path)?;
    let page = [7; 4096];
    for at in 0..PAGES {
        file.write_all_at(&page, at as u64 * 4096)?;
    }
    file.sync_all()?;
    let started = Instant::now();
    let mut done = 0_usize;
    while started.elapsed() < Duration::from_millis(700) {
        file.write_all_at(&page, (done % PAGES) as u64 * 4096)?;
        file.sync_data()?;
        done += 1;
    }
    let rate = count(done) / started.elapsed().as_secs_f64();
    fs::remove_file(path)?;
    Ok(rate)
}
