//! Ambiguous JSON as a problem. What is ambiguous, and why it matters: `userd_strict_json`.

use serde_json::Value;
use userd_strict_json::Fault;

use crate::problem::{Problem, table};

/// Reads bytes that are one unambiguous JSON text.
pub(super) fn value(bytes: &[u8]) -> Result<Value, Problem> {
    userd_strict_json::value(bytes).map_err(|refused| {
        let place = format!("line {} column {}", refused.line, refused.column);
        match refused.fault {
            Fault::Duplicate => Problem::of(&table::DUPLICATE_MEMBER).detail(format!("{}, {place}", refused.fault)),
            Fault::NotUtf8 => malformed("the body is not UTF-8".to_owned()),
            Fault::TooDeep | Fault::TooBig => malformed(format!("{}, {place}", refused.fault)),
            Fault::NotJson | Fault::NotAnObject => malformed(format!("not JSON at {place}")),
        }
    })
}

fn malformed(detail: String) -> Problem {
    Problem::of(&table::MALFORMED_JSON).detail(detail)
}
