//! Lines for people: time, level, room, message, fields, each in its column.

use std::fmt::Write as _;

use tracing::Level;

use super::{escape, line::Line};

const ROOM_WIDTH: usize = 22;
const MESSAGE_WIDTH: usize = 40;

const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const CYAN: &str = "\x1b[36m";
const RESET: &str = "\x1b[0m";

pub(super) fn format(out: &mut String, line: &Line<'_>, colour: bool) {
    let paint = |code: &'static str| if colour { code } else { "" };
    let reset = paint(RESET);
    let (level, level_colour) = level_of(line.level);
    let time = line.time.strftime("%Y-%m-%d %H:%M:%S%.3fZ");
    let _ = write!(out, "{}{time}{reset} {}{level}{reset} {}", paint(DIM), paint(level_colour), paint(CYAN));
    let start = out.len();
    escape::plain(out, room(line.target));
    pad(out, start, ROOM_WIDTH);
    let _ = write!(out, "{reset} {}", paint(BOLD));
    let start = out.len();
    escape::plain(out, line.message);
    if !line.fields.is_empty() {
        pad(out, start, MESSAGE_WIDTH);
    }
    out.push_str(reset);
    for (name, value) in line.fields {
        let _ = write!(out, " {}{name}={reset}", paint(DIM));
        escape::value(out, value.text());
    }
}

/// `userd_http::middleware` is `http::middleware` to a reader of this log.
fn room(target: &str) -> &str {
    target.strip_prefix("userd_").unwrap_or(target)
}

fn level_of(level: Level) -> (&'static str, &'static str) {
    match level {
        Level::ERROR => ("ERROR", "\x1b[1;31m"),
        Level::WARN => ("WARN ", "\x1b[1;33m"),
        Level::INFO => ("INFO ", "\x1b[1;32m"),
        Level::DEBUG => ("DEBUG", "\x1b[1;34m"),
        Level::TRACE => ("TRACE", "\x1b[1;35m"),
    }
}

fn pad(out: &mut String, start: usize, width: usize) {
    let written = out.get(start..).map_or(0, |text| text.chars().count());
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(written)));
}
