//! What was asked of the emulator, and how it spread over keys.

use std::collections::BTreeMap;

use crate::{
    value::Value,
    yql::ast::{Rows, Select, Statement, Verb},
};

/// Counts since the start or since the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls by service and name, such as `Query/ExecuteQuery`.
    pub rpcs: BTreeMap<String, u64>,
    /// Statements by kind, such as `UPSERT` or `SELECT VIEW`.
    pub statements: BTreeMap<String, u64>,
    /// Sessions opened.
    pub sessions: u64,
    /// Transactions committed, with writes or without.
    pub committed: u64,
    /// Transactions that ended with `ABORTED`.
    pub aborted: u64,
    /// Transactions given up by the client or after another refusal.
    pub rolled_back: u64,
    /// Statements refused because they would read a whole table or sort.
    pub full_scans_refused: u64,
    /// Lists of a whole table along its key: small tables only should be here.
    pub whole_table_reads: BTreeMap<String, u64>,
}

impl Counts {
    /// Calls that a use case waits for: queries and what ends transactions.
    #[must_use]
    pub fn round_trips(&self) -> u64 {
        let names = ["ExecuteQuery", "BeginTransaction", "CommitTransaction", "RollbackTransaction"];
        names.iter().filter_map(|name| self.rpcs.get(&format!("Query/{name}"))).sum()
    }

    /// How many calls there were of one kind, such as `Query/ExecuteQuery`.
    #[must_use]
    pub fn rpc(&self, name: &str) -> u64 {
        self.rpcs.get(name).copied().unwrap_or(0)
    }

    pub(crate) fn statement(&mut self, statement: &Statement) {
        let through = |select: &Select| {
            let from = select.from.as_ref().map(|source| &source.from);
            matches!(from, Some(crate::yql::ast::From::Table { view: Some(_), .. }))
        };
        let kind = match statement {
            Statement::Select(select) if through(select) => "SELECT VIEW",
            Statement::Select(_) => "SELECT",
            Statement::Write(write) => match (write.verb, &write.rows) {
                (Verb::Insert, Rows::Values(_)) => "INSERT",
                (Verb::Insert, Rows::Select(_)) => "INSERT SELECT",
                (Verb::Upsert, Rows::Values(_)) => "UPSERT",
                (Verb::Upsert, Rows::Select(_)) => "UPSERT SELECT",
                (Verb::Replace, _) => "REPLACE",
            },
            Statement::Update { .. } => "UPDATE",
            Statement::UpdateOn { .. } => "UPDATE ON",
            Statement::Delete { .. } => "DELETE",
            Statement::DeleteOn { .. } => "DELETE ON",
            Statement::Named(..) => "NAMED",
            Statement::Ddl(_) => "DDL",
        };
        *self.statements.entry(kind.to_owned()).or_default() += 1;
    }
}

type Key = Vec<Value>;

/// Touches that are remembered of one space; beyond, they are only counted.
const MOST_TOUCHES: usize = 200_000;

/// What happened to one table or one index.
#[derive(Debug, Default)]
pub(crate) struct Load {
    reads: u64,
    writes: u64,
    locks: u64,
    written: Vec<Key>,
    locked: Vec<Key>,
}

impl Load {
    pub(crate) fn written(&mut self, key: &Key) {
        self.writes += 1;
        remember(&mut self.written, key);
    }

    /// A stretch of keys that begins there.
    pub(crate) fn read(&mut self, from: Option<&Key>, locked: bool) {
        self.reads += 1;
        if !locked {
            return;
        }
        self.locks += 1;
        if let Some(key) = from {
            remember(&mut self.locked, key);
        }
    }
}

fn remember(touches: &mut Vec<Key>, key: &Key) {
    if touches.len() < MOST_TOUCHES {
        touches.push(key.clone());
    }
}

/// How the writes and locks of one table or index spread.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// The table's full path.
    pub table: String,
    /// The index; none for the table itself.
    pub index: Option<String>,
    /// The columns of its key.
    pub key: Vec<String>,
    /// Reads, each of one stretch of keys.
    pub reads: u64,
    /// Rows or entries written.
    pub writes: u64,
    /// Stretches locked by reading.
    pub locks: u64,
    /// The busiest partition's part of the writes, as a multiple of its fair share; none with too few to tell.
    pub hottest_writes: Option<f64>,
    /// The same for locks.
    pub hottest_locks: Option<f64>,
    /// The most often written key: how often.
    pub hottest_key: u64,
}

/// How touches are told apart into partitions.
#[derive(Clone, Copy, Debug)]
pub struct Split {
    /// How many partitions there are, each with as many keys as the others.
    pub partitions: usize,
    /// After how many touches the bounds are drawn anew, as the server splits and merges.
    pub window: usize,
}

impl Default for Split {
    fn default() -> Self {
        Self { partitions: 4, window: 1_000 }
    }
}

impl Load {
    pub(crate) fn spread(&self, table: &str, index: Option<&str>, key: Vec<String>, split: Split) -> Spread {
        let mut times: BTreeMap<&Key, u64> = BTreeMap::new();
        for key in &self.written {
            *times.entry(key).or_default() += 1;
        }
        Spread {
            table: table.to_owned(),
            index: index.map(str::to_owned),
            key,
            reads: self.reads,
            writes: self.writes,
            locks: self.locks,
            hottest_writes: hottest(&self.written, &self.written, split),
            hottest_locks: hottest(&self.locked, &self.written, split),
            hottest_key: times.values().copied().max().unwrap_or(0),
        }
    }

    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

/// The spread of all tables and indexes as a table in Markdown.
#[must_use]
pub fn markdown(spread: &[Spread]) -> String {
    let times = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), |share| format!("{share:.2}"));
    let mut text = "| table | index | key | writes | locks | hottest part, writes | hottest part, locks | \
                    most often one key |\n|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for of in spread {
        let name = of.table.rsplit('/').next().unwrap_or(&of.table);
        let cells = [
            format!("`{name}`"),
            of.index.as_ref().map_or_else(String::new, |index| format!("`{index}`")),
            of.key.join(", "),
            of.writes.to_string(),
            of.locks.to_string(),
            times(of.hottest_writes),
            times(of.hottest_locks),
            of.hottest_key.to_string(),
        ];
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text
}

/// In every window, bounds are drawn so that the keys known before it fall into equal parts; then it is seen how many
/// of the window's touches each part gets. Keys that grow all land in the last one.
fn hottest(touches: &[Key], keys: &[Key], split: Split) -> Option<f64> {
    let (window, partitions) = (split.window.max(1), split.partitions.max(1));
    let mut worst: Option<f64> = None;
    for (number, part) in touches.chunks(window).enumerate().skip(1).filter(|(_, part)| part.len() == window) {
        let known_until = keys.len().min(keys.len() * number * window / touches.len().max(1));
        let mut known: Vec<_> = keys.get(..known_until).unwrap_or_default().iter().collect();
        known.sort();
        known.dedup();
        if known.len() < partitions * 4 {
            continue;
        }
        let bounds: Vec<_> = (1..partitions).filter_map(|bound| known.get(bound * known.len() / partitions)).collect();
        let mut counts = vec![0_usize; partitions];
        for key in part {
            let partition = bounds.iter().filter(|bound| **bound <= &key).count();
            if let Some(count) = counts.get_mut(partition) {
                *count += 1;
            }
        }
        let most = counts.into_iter().max().unwrap_or(0);
        let share = as_f64(most * partitions) / as_f64(part.len());
        worst = Some(worst.map_or(share, |before| before.max(share)));
    }
    worst
}

fn as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::{Split, hottest};
    use crate::value::Value;

    #[test]
    fn keys_that_grow_are_hot_and_keys_that_jump_are_not() {
        let growing: Vec<_> = (0..10_000).map(|number| vec![Value::Unsigned(number)]).collect();
        let jumping: Vec<_> = (0..10_000_u64)
            .map(|number| vec![Value::Unsigned((number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))])
            .collect();
        assert_eq!(hottest(&growing, &growing, Split::default()), Some(4.0));
        let fair = hottest(&jumping, &jumping, Split::default()).unwrap();
        assert!(fair < 1.2, "{fair}");
    }
}
