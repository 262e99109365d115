//! What a run found, as Markdown for people and as JSON for scripts.

use serde::Serialize;

/// The whole report.
#[derive(Default, Serialize)]
pub(super) struct Report {
    /// The machine and how it was used, one fact per line.
    pub(super) machine: Vec<String>,
    pub(super) tables: Vec<Table>,
    pub(super) goals: Vec<Goal>,
}

/// A table; every cell is text.
#[derive(Serialize)]
pub(super) struct Table {
    pub(super) title: String,
    /// What was done, in a sentence or two.
    pub(super) note: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// A promise and what was measured.
#[derive(Serialize)]
pub(super) struct Goal {
    pub(super) what: String,
    pub(super) measured: f64,
    pub(super) bound: f64,
    /// Whether the bound is a floor; otherwise it is a ceiling.
    pub(super) at_least: bool,
    pub(super) unit: &'static str,
    pub(super) met: bool,
}

impl Table {
    pub(super) fn new(title: impl Into<String>, note: impl Into<String>, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { title: title.into(), note: note.into(), columns, rows: Vec::new() }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl Report {
    pub(super) fn at_least(&mut self, what: impl Into<String>, measured: f64, bound: f64, unit: &'static str) {
        let met = measured >= bound;
        self.goals.push(Goal { what: what.into(), measured, bound, at_least: true, unit, met });
    }

    pub(super) fn at_most(&mut self, what: impl Into<String>, measured: f64, bound: f64, unit: &'static str) {
        let met = measured <= bound;
        self.goals.push(Goal { what: what.into(), measured, bound, at_least: false, unit, met });
    }

    /// The report as Markdown.
    pub(super) fn markdown(&self) -> String {
        let mut text = String::new();
        for line in &self.machine {
            text += &format!("- {line}\n");
        }
        let mut goals = Table::new("Goals", "Each from this one run.", &["goal", "bound", "measured", ""]);
        for goal in &self.goals {
            let sign = if goal.at_least { "≥" } else { "≤" };
            let met = if goal.met { "met" } else { "**not met**" };
            goals.row([
                goal.what.clone(),
                format!("{sign} {}{}", short(goal.bound), goal.unit),
                format!("{}{}", short(goal.measured), goal.unit),
                met.to_owned(),
            ]);
        }
        for table in [&goals].into_iter().chain(&self.tables) {
            text += &table.markdown();
        }
        text
    }
}

impl Table {
    fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let ruler: String =
            self.columns.iter().enumerate().map(|(at, _)| if at == 0 { "|---" } else { "|---:" }).collect();
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("\n### {}\n\n{}\n\n{}{ruler}|\n{rows}", self.title, self.note, line(&self.columns))
    }
}

/// Three digits or so.
pub(super) fn short(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 => thousands(number),
        size if size >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

/// A time in the unit that fits.
pub(super) fn time(duration: std::time::Duration) -> String {
    let micros = duration.as_secs_f64() * 1e6;
    match micros {
        small if small < 1.0 => format!("{:.0} ns", small * 1e3),
        small if small < 1e3 => format!("{} µs", short(small)),
        middle if middle < 1e6 => format!("{} ms", short(middle / 1e3)),
        large => format!("{} s", short(large / 1e6)),
    }
}

/// `12345.6` as `12 346`.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
