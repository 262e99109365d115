//! What the thread of a sink writes with: lines that come together share a write, and a line that cannot be written (a
//! full disk, a terminal that is gone) is counted. Deliberately absent: which lines, and their form.

use std::{
    io, mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How long lines are gathered after some were written.
const GATHER: Duration = Duration::from_millis(10);
/// As many bytes share a write.
const SHARED: usize = 8 * 1024;
/// How often the other sinks are told that this one fails.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Writes what came within a moment at once. A write and a wake-up per line cost as much as a short request does; the
/// thread that writes is not woken while it waits here, and the first line after a quiet time is written at once.
pub(super) struct Gathering<W: io::Write> {
    writer: W,
    sink: &'static str,
    /// Whole lines.
    buffer: Vec<u8>,
    /// The last line written was cut: what comes next begins on a line of its own.
    is_cut: bool,
    trouble: Trouble,
}

/// Lines that could not be written.
struct Trouble {
    all: Arc<AtomicU64>,
    /// Of these, since the last time that lines were written.
    now: u64,
    told_at: Option<Instant>,
}

impl<W: io::Write> Gathering<W> {
    /// `lost` counts the lines that could not be written.
    pub(super) const fn new(sink: &'static str, writer: W, lost: Arc<AtomicU64>) -> Self {
        let trouble = Trouble { all: lost, now: 0, told_at: None };
        Self { writer, sink, buffer: Vec::new(), is_cut: false, trouble }
    }

    /// Writes the buffer; what cannot be written is lost, or a disk that stays full would fill the memory.
    fn send(&mut self) {
        let mut lines = mem::take(&mut self.buffer);
        if lines.is_empty() {
            return;
        }
        let outcome = if self.is_cut { self.write_out(b"\n").1 } else { Ok(()) };
        let (written, outcome) = match outcome {
            Ok(()) => self.write_out(&lines),
            Err(error) => (0, Err(error)),
        };
        let rest = lines.get(written..).unwrap_or_default();
        let lost = rest.iter().filter(|byte| **byte == b'\n').count() as u64;
        match outcome {
            Ok(()) => self.trouble.over(self.sink),
            Err(error) => self.trouble.count(self.sink, lost, &error),
        }
        lines.clear();
        self.buffer = lines;
    }

    /// How many bytes were written. Notes whether they end with a line.
    fn write_out(&mut self, bytes: &[u8]) -> (usize, io::Result<()>) {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match self.writer.write(rest) {
                Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
                Ok(count) => {
                    written += count;
                    self.is_cut = bytes.get(written - 1) != Some(&b'\n');
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (written, Err(error)),
            }
        }
        (written, self.writer.flush())
    }
}

impl Trouble {
    fn count(&mut self, sink: &'static str, lost: u64, error: &io::Error) {
        self.all.fetch_add(lost, Ordering::Relaxed);
        metrics::counter!("userd_log_lines_dropped_total", "sink" => sink).increment(lost);
        self.now += lost;
        if self.told_at.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            self.told_at = Some(Instant::now());
            // For the other sinks. This one loses it too, and counts it.
            tracing::error!(sink, %error, lost = self.now, "the log cannot be written: lines are lost");
        }
    }

    fn over(&mut self, sink: &'static str) {
        if self.told_at.take().is_some() {
            tracing::warn!(sink, lost = mem::take(&mut self.now), "the log can be written again");
        }
    }
}

impl<W: io::Write> io::Write for Gathering<W> {
    /// One line. It is taken in any case: an error would let the caller drop it uncounted.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + line.len() > SHARED {
            self.send();
        }
        self.buffer.extend_from_slice(line);
        Ok(line.len())
    }

    /// Called when no further line is there.
    fn flush(&mut self) -> io::Result<()> {
        self.send();
        thread::sleep(GATHER);
        Ok(())
    }
}

/// What is there at the end is written at the end.
impl<W: io::Write> Drop for Gathering<W> {
    fn drop(&mut self) {
        self.send();
    }
}

#[cfg(test)]
mod tests;
