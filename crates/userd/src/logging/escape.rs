//! Text from outside made harmless: nothing in it can end a line, move a cursor or turn the reading direction.

use std::fmt::Write as _;

/// Longer values are cut; a log line is no place for a document.
const LONGEST: usize = 4_096;

/// What terminals and log viewers act upon: C0, DEL, C1, line separators, bidirectional controls, the byte order mark.
fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
}

fn cut(text: &str) -> (&str, Option<usize>) {
    if text.len() <= LONGEST {
        return (text, None);
    }
    let mut end = LONGEST;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let (kept, rest) = text.split_at(end);
    (kept, Some(rest.len()))
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c => {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}

/// As a JSON string, quotes and all.
pub(super) fn json(out: &mut String, text: &str) {
    let (text, left_out) = cut(text);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if is_active(c) => push_escaped(out, c),
            c => out.push(c),
        }
    }
    if let Some(bytes) = left_out {
        let _ = write!(out, "… ({bytes} bytes more)");
    }
    out.push('"');
}

/// As plain words.
pub(super) fn plain(out: &mut String, text: &str) {
    let (text, left_out) = cut(text);
    for c in text.chars() {
        if is_active(c) { push_escaped(out, c) } else { out.push(c) }
    }
    if let Some(bytes) = left_out {
        let _ = write!(out, "… ({bytes} bytes more)");
    }
}

/// As a value behind `name=`: quoted when it is empty or could be mistaken for several.
pub(super) fn value(out: &mut String, text: &str) {
    let needs_quotes = text.is_empty() || text.contains([' ', '"', '=', '\\']) || text.chars().any(is_active);
    if needs_quotes { json(out, text) } else { plain(out, text) }
}
