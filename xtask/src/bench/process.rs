//! What the kernel says about a process: processor time and memory. Linux only, like the whole harness.

use std::{fs, time::Duration};

use super::Fault;

/// The kernel tells processes their times in hundredths of a second on every architecture (`USER_HZ`).
const TICKS_PER_SECOND: u64 = 100;

/// Resident memory, KiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    /// Now.
    pub(super) now: u64,
    /// The most there has been.
    pub(super) peak: u64,
}

/// Processor time that all threads of a process have used, user and system.
pub(super) fn cpu(pid: u32) -> Result<Duration, Fault> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the name in brackets and may hold anything; after it the fields are plain.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
    Ok(Duration::from_millis((ticks(11) + ticks(12)) * 1000 / TICKS_PER_SECOND))
}

/// Resident memory of a process.
pub(super) fn memory(pid: u32) -> Result<Memory, Fault> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = |name: &str| {
        let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
        rest.split_whitespace().next()?.parse().ok()
    };
    let read = || Some(Memory { now: line("VmRSS:")?, peak: line("VmHWM:")? });
    read().ok_or_else(|| format!("/proc/{pid}/status says nothing about memory").into())
}
