//! A writer that remembers, and one whose disk is full for a while.

use std::{
    io::Write as _,
    sync::{Mutex, PoisonError},
};

use super::*;

/// Keeps each write apart; takes so many bytes more, then none.
#[derive(Clone)]
struct Disk(Arc<Mutex<(Vec<Vec<u8>>, usize)>>);

impl Disk {
    fn of(room: usize) -> Self {
        Self(Arc::new(Mutex::new((Vec::new(), room))))
    }

    fn make_room(&self, room: usize) {
        self.0.lock().unwrap().1 = room;
    }

    fn writes(&self) -> Vec<String> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.iter().map(|write| String::from_utf8(write.clone()).unwrap()).collect()
    }
}

impl io::Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = bytes.len().min(state.1);
        if count == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.1 -= count;
        state.0.push(bytes[..count].to_vec());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lines(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|number| format!("line {number:05}\n")).collect()
}

#[test]
fn lines_that_come_together_share_a_write_and_none_is_cut_or_lost() {
    let (disk, lost) = (Disk::of(usize::MAX), Arc::<AtomicU64>::default());
    let mut gathering = Gathering::new("test", disk.clone(), Arc::clone(&lost));
    let lines = lines(0..1_000);
    for line in &lines {
        gathering.write_all(line.as_bytes()).unwrap();
    }
    gathering.flush().unwrap();
    let writes = disk.writes();
    assert_eq!(writes.concat(), lines.concat());
    assert!(writes.len() < 10, "{}", writes.len());
    assert!(writes.iter().all(|write| write.ends_with('\n')), "a rotated file must not begin within a line");
    assert_eq!(lost.load(Ordering::Relaxed), 0);
}

/// (fault 25)
#[test]
fn every_line_is_written_or_counted_as_lost_and_what_follows_begins_a_line() {
    for room in [0, 1, 3, 11, 12, 100, 8_000, 8_192, 20_000] {
        let (disk, lost) = (Disk::of(room), Arc::<AtomicU64>::default());
        let mut gathering = Gathering::new("test", disk.clone(), Arc::clone(&lost));
        let mut all = lines(0..2_000);
        for line in &all {
            gathering.write_all(line.as_bytes()).unwrap();
        }
        gathering.flush().unwrap();
        disk.make_room(usize::MAX);
        let after = lines(2_000..3_000);
        for line in &after {
            gathering.write_all(line.as_bytes()).unwrap();
        }
        drop(gathering);
        all.extend(after);

        let text = disk.writes().concat();
        let whole = text.split_inclusive('\n').filter(|line| all.iter().any(|known| known == line)).count() as u64;
        assert_eq!(whole + lost.load(Ordering::Relaxed), 3_000, "room for {room} bytes");
        assert!(
            text.ends_with("line 02999\n") && text.contains("\nline 02000\n") | (room == 0),
            "room for {room} bytes"
        );
    }
}
