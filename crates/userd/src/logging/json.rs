//! Lines for machines: one flat JSON object. `timestamp`, `level`, `target` and `message` come first and are never
//! overwritten by a field of the same name.

use std::fmt::Write as _;

use super::{
    escape,
    line::{FieldValue, Line},
};

const OURS: [&str; 4] = ["timestamp", "level", "target", "message"];

pub(super) fn format(out: &mut String, line: &Line<'_>) {
    // RFC 3339, UTC, microseconds.
    let _ = write!(out, "{{\"timestamp\":\"{:.6}\",\"level\":\"{}\",\"target\":", line.time, line.level);
    escape::json(out, line.target);
    out.push_str(",\"message\":");
    escape::json(out, line.message);
    for (name, value) in line.fields {
        out.push_str(",\"");
        if OURS.contains(name) {
            out.push_str("field.");
        }
        // Names of fields are written in our code.
        escape::plain(out, name);
        out.push_str("\":");
        match value {
            FieldValue::Bare(text) => out.push_str(text),
            FieldValue::Text(text) => escape::json(out, text),
        }
    }
    out.push('}');
}
