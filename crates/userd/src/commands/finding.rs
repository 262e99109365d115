//! What `userd doctor` found: one line per look, each with what to do.

use std::borrow::Cow;

use serde::Serialize;
use userd_pages::inspection;

use crate::terminal::Terminal;

/// One look.
#[derive(Serialize)]
pub(super) struct Finding {
    /// What was looked at.
    part: Cow<'static, str>,
    /// `ok`, `warning` or `wrong`.
    state: &'static str,
    /// What was found, and what to do.
    says: String,
}

impl Finding {
    /// As a page shows it.
    pub(super) fn into_page(self) -> inspection::Finding {
        let state = match self.state {
            "ok" => inspection::State::Well,
            "warning" => inspection::State::Warning,
            _ => inspection::State::Wrong,
        };
        inspection::Finding { part: self.part.into_owned(), state, says: self.says }
    }

    /// Whether this is as it should be.
    pub(super) fn is_ok(&self) -> bool {
        self.state == "ok"
    }
}

/// As it should be.
pub(super) fn ok(part: impl Into<Cow<'static, str>>, says: impl Into<String>) -> Finding {
    Finding { part: part.into(), state: "ok", says: says.into() }
}

/// The service runs, but this is hardly meant, or not done yet.
pub(super) fn warning(part: impl Into<Cow<'static, str>>, says: impl Into<String>) -> Finding {
    Finding { part: part.into(), state: "warning", says: says.into() }
}

/// The service does not start, or must not be used so.
pub(super) fn wrong(part: impl Into<Cow<'static, str>>, says: impl Into<String>) -> Finding {
    Finding { part: part.into(), state: "wrong", says: says.into() }
}

/// Answers whether nothing is wrong.
pub(super) fn show(terminal: Terminal, findings: &[Finding]) -> bool {
    terminal.answer(&findings, || {
        let mark = |state: &str| match state {
            "ok" => "ok     ",
            "warning" => "warning",
            _ => "WRONG  ",
        };
        let lines: Vec<String> = findings
            .iter()
            .map(|finding| format!("{}  {:<14} {}", mark(finding.state), finding.part, finding.says))
            .collect();
        lines.join("\n")
    });
    findings.iter().all(|finding| finding.state != "wrong")
}
