//! What the process may use of the machine: cores, and the memory that its control group or the machine has. From both
//! follows how many passwords are hashed at a time, and what the whole process may take at worst. Deliberately absent:
//! any use of it; and the cores, which the standard library counts (affinity and control group included).

use std::{
    fs, io,
    num::NonZero,
    path::{Component, Path, PathBuf},
};

use crate::config::Config;

/// The program, its code, statements, buffers of the log and of the database.
const PROGRAM_MIB: u64 = 64;
/// A connection with a request under way (`docs/performance.md`, the storm of sign-ins).
const CONNECTION_KIB: u64 = 22;
/// Hashing takes at most one part in so many of the memory.
const SHARE: u64 = 2;

/// What there is.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Cores that this process may use.
    pub cores: usize,
    /// Bytes that this process may use, where the system says.
    pub memory: Option<u64>,
}

/// What the process takes, in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Hashes at a time.
    pub workers: usize,
    /// Of them all together.
    pub hashing_mib: u64,
    /// With every worker hashing, the cache full and every connection busy.
    pub worst_mib: u64,
    /// What there is.
    pub available_mib: Option<u64>,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn here() -> Self {
        Self {
            cores: std::thread::available_parallelism().map_or(1, NonZero::get),
            memory: memory_below(Path::new("/")),
        }
    }

    /// Threads that hash: as configured, or one per core, but no more than half of the memory holds.
    #[must_use]
    pub fn workers(&self, config: &Config) -> usize {
        let passwords = &config.passwords;
        if passwords.workers > 0 {
            return passwords.workers as usize;
        }
        let hash = u64::from(passwords.argon2.memory_kib) << 10;
        let fitting = self.memory.map_or(usize::MAX, |memory| usize::try_from(memory / SHARE / hash).unwrap_or(1));
        self.cores.min(fitting).max(1)
    }

    /// What the process takes at worst. A hash of an earlier, higher cost comes on top, one at a time.
    #[must_use]
    pub fn memory(&self, config: &Config) -> Memory {
        let workers = self.workers(config);
        let hashing_mib = (u64::from(config.passwords.argon2.memory_kib) * workers as u64) >> 10;
        let connections_mib = (u64::from(config.http.max_connections) * CONNECTION_KIB) >> 10;
        Memory {
            workers,
            hashing_mib,
            worst_mib: PROGRAM_MIB + u64::from(config.cache.memory_mib) + hashing_mib + connections_mib,
            available_mib: self.memory.map(|bytes| bytes >> 20),
        }
    }
}

impl Memory {
    /// Whether the system may end the process at worst.
    #[must_use]
    pub fn is_too_much(&self) -> bool {
        self.available_mib.is_some_and(|available| self.worst_mib > available)
    }
}

/// For the operator: what it takes, and what to lower when that is too much.
impl std::fmt::Display for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { workers, hashing_mib, worst_mib, available_mib } = self;
        write!(f, "at most {worst_mib} MiB, of which {hashing_mib} are for {workers} passwords hashed at a time")?;
        match available_mib {
            None => Ok(()),
            Some(available) if !self.is_too_much() => write!(f, "; {available} MiB may be used"),
            Some(available) => write!(
                f,
                "; only {available} MiB may be used: give it more, or lower passwords.workers, http.max_connections or \
                 cache.memory_mib"
            ),
        }
    }
}

/// The least of what the control groups of this process and the machine allow.
fn memory_below(root: &Path) -> Option<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let mounts = root.join("sys/fs/cgroup");
    let limits = groups.lines().flat_map(|line| group_limits(&mounts, line));
    limits.chain(machine_memory(root)).min()
}

/// The limits of one line of `/proc/self/cgroup`, `number:controllers:path`: those of the group and of all above it. In a
/// container the path may be the host's and lead nowhere; the container's own group is then at the mount.
fn group_limits(mounts: &Path, line: &str) -> Vec<u64> {
    let mut fields = line.splitn(3, ':');
    let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
        return Vec::new();
    };
    // The second version has no controllers in its line; the first has a folder for memory.
    let (mount, names): (PathBuf, &[&str]) = if controllers.is_empty() {
        (mounts.to_owned(), &["memory.max", "memory.high"])
    } else if controllers.split(',').any(|controller| controller == "memory") {
        (mounts.join("memory"), &["memory.limit_in_bytes"])
    } else {
        return Vec::new();
    };
    let path: PathBuf = Path::new(path).components().filter(|part| matches!(part, Component::Normal(_))).collect();
    let folders = path.ancestors().map(|above| mount.join(above));
    folders.flat_map(|folder| names.iter().filter_map(move |name| number(&folder.join(name)).ok().flatten())).collect()
}

/// `max` is no number.
fn number(file: &Path) -> io::Result<Option<u64>> {
    Ok(fs::read_to_string(file)?.trim().parse().ok())
}

fn machine_memory(root: &Path) -> Option<u64> {
    let about = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let total = about.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    total.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests;
