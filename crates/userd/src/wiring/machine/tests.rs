//! Control groups of both versions, as files.

use super::*;

const MIB: u64 = 1 << 20;

/// A machine of 64 GiB with these files.
fn memory(files: &[(&str, &str)]) -> Option<u64> {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files.iter().chain(&[("proc/meminfo", "MemTotal:       67108864 kB\nMemFree: 1 kB\n")]) {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    memory_below(root.path())
}

#[test]
fn the_least_limit_of_all_groups_above_counts() {
    let machine = Some(65_536 * MIB);
    assert_eq!(memory(&[]), machine);
    // Version 2: a container sees its own group as the root.
    let own = [("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/memory.max", "536870912\n")];
    assert_eq!(memory(&own), Some(512 * MIB));
    assert_eq!(memory(&[own[0], ("sys/fs/cgroup/memory.max", "max\n")]), machine);
    // A unit in a slice; what is above it may be narrower, and what slows it counts like what ends it.
    let unit = ("proc/self/cgroup", "0::/system.slice/userd.service\n");
    let slice = ("sys/fs/cgroup/system.slice/memory.max", "1073741824\n");
    let wide = ("sys/fs/cgroup/system.slice/userd.service/memory.max", "2147483648\n");
    let high = ("sys/fs/cgroup/system.slice/userd.service/memory.high", "268435456\n");
    assert_eq!(memory(&[unit, wide]), Some(2048 * MIB));
    assert_eq!(memory(&[unit, wide, slice]), Some(1024 * MIB));
    assert_eq!(memory(&[unit, wide, slice, high]), Some(256 * MIB));
    // Version 1: no limit is a huge number; the host's path leads nowhere in a container.
    let first = ("proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/docker/0123\n0::/\n");
    assert_eq!(memory(&[first, ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")]), machine);
    assert_eq!(memory(&[first, ("sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n")]), Some(512 * MIB));
    let inside = ("sys/fs/cgroup/memory/docker/0123/memory.limit_in_bytes", "134217728\n");
    assert_eq!(memory(&[first, inside]), Some(128 * MIB));
    assert_eq!(memory(&[("proc/self/cgroup", "nonsense\n0::/../..\n:\n")]), machine);
}

/// (fault 32)
#[test]
fn many_cores_do_not_hash_more_than_half_of_the_memory_holds() {
    let config = Config::development();
    let workers = |cores, memory| Machine { cores, memory }.workers(&config);
    assert_eq!(workers(32, Some(512 * MIB)), 13, "13 × 19 MiB are the most below 256 MiB");
    assert_eq!(workers(32, Some(4096 * MIB)), 32);
    assert_eq!(workers(2, Some(512 * MIB)), 2);
    assert_eq!(workers(32, None), 32);
    assert_eq!(workers(32, Some(MIB)), 1, "slowly, but it signs in");

    let mut dear = config.clone();
    dear.passwords.argon2.memory_kib = 65_536;
    assert_eq!(Machine { cores: 32, memory: Some(512 * MIB) }.workers(&dear), 4);
    dear.passwords.workers = 20;
    let asked = Machine { cores: 1, memory: Some(512 * MIB) };
    assert_eq!(asked.workers(&dear), 20, "the operator's word counts, and is warned of");
    let memory = asked.memory(&dear);
    assert_eq!(memory.hashing_mib, 1280);
    assert!(memory.is_too_much() && memory.to_string().contains("only 512 MiB"), "{memory}");
}

/// (fault 32) The manifest's limit holds the worst case of its configuration on a node of any size.
#[test]
fn the_manifest_gives_what_the_service_takes_at_worst() {
    let text = include_str!("../../../../../deploy/kubernetes/userd.yaml");
    let number = |before: &str, after: &str| -> u64 {
        let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
        found.unwrap_or_else(|| panic!("{before}")).0.trim().parse().unwrap()
    };
    let mut config = Config::development();
    config.http.max_connections = u32::try_from(number("max_connections:", "\n")).unwrap();
    let limit = number("limits: { memory: ", "Mi");
    for cores in [1, 4, 32, 256] {
        let memory = Machine { cores, memory: Some(limit * MIB) }.memory(&config);
        assert!(!memory.is_too_much(), "{cores} cores: {memory}");
    }
}
