//! What Prometheus' own clients say about a process, under the names that dashboards know, read from `/proc` when asked.
//! Deliberately absent: anything about the service (`metrics.rs`). Where there is no `/proc`, nothing is said.

use std::{fmt::Write as _, fs};

/// The kernel tells times in these parts of a second (`USER_HZ`, fixed for programs).
const TICKS: f64 = 100.0;
const PAGE: u64 = 4096;

/// The lines, in the Prometheus text format.
pub(crate) fn render() -> String {
    read(&|name| fs::read_to_string(format!("/proc/{name}")).ok(), || {
        fs::read_dir("/proc/self/fd").ok().map(Iterator::count)
    })
}

fn read(file: &dyn Fn(&str) -> Option<String>, open: impl FnOnce() -> Option<usize>) -> String {
    let mut text = String::new();
    let mut say = |name: &str, kind: &str, help: &str, value: Option<f64>| {
        if let Some(value) = value {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
        }
    };
    // The name in parentheses may hold spaces; what is counted comes after it.
    let stat = file("self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let number = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    let boot = file("stat")
        .and_then(|stat| stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok()));
    let limits = file("self/limits").unwrap_or_default();
    let most =
        limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next()?.parse().ok());
    let cpu = number(11).zip(number(12)).map(|(user, system)| (user + system) / TICKS);
    let start = boot.zip(number(19)).map(|(boot, ticks)| boot + ticks / TICKS);
    let resident = number(21).map(|pages| pages * PAGE as f64);
    let open = open().and_then(|count| u32::try_from(count).ok()).map(f64::from);
    say("process_cpu_seconds_total", "counter", "User and system time, in seconds.", cpu);
    say("process_start_time_seconds", "gauge", "Start of the process, in seconds since 1970.", start);
    say("process_resident_memory_bytes", "gauge", "Resident memory, in bytes.", resident);
    say("process_virtual_memory_bytes", "gauge", "Virtual memory, in bytes.", number(20));
    say("process_threads", "gauge", "Threads.", number(17));
    say("process_open_fds", "gauge", "Open files, connections among them.", open);
    say("process_max_fds", "gauge", "Files that may be open.", most);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_told_under_the_names_that_dashboards_know() {
        let file = |name: &str| {
            Some(match name {
                "self/stat" => {
                    "7 (user d) 1) S 1 1 1 0 -1 0 0 0 0 0 150 50 0 0 20 0 9 0 1000 8192000 25 1 2 3".to_owned()
                }
                "stat" => "cpu 1 2\nbtime 1700000000\n".to_owned(),
                "self/limits" => {
                    "Max open files            1024                 4096                 files\n".to_owned()
                }
                _ => return None,
            })
        };
        let text = read(&file, || Some(12));
        for line in [
            "process_cpu_seconds_total 2",
            "process_start_time_seconds 1700000010",
            "process_resident_memory_bytes 102400",
            "process_virtual_memory_bytes 8192000",
            "process_threads 9",
            "process_open_fds 12",
            "process_max_fds 1024",
            "# TYPE process_cpu_seconds_total counter",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert_eq!(read(&|_| None, || None), "");
    }
}
