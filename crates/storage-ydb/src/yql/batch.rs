//! Statements that are sent together: as few texts as may be, each one round trip.
//!
//! Calls of one statement become one statement over a list. A text never reads a table that it has written before:
//! whether a statement sees what another one of the same text wrote is not relied on, so such calls go in two texts.

use std::{collections::HashSet, fmt::Write as _};

use userd_storage::{
    Call, Statement, Value,
    tables::{Declared, Shape},
};

use super::{Type, spread, statement};

/// YDB takes ten thousand bytes of text; parameters do not count.
const LONGEST_TEXT: usize = 9_500;

/// What is given for a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// One value.
    One(Value),
    /// Rows, with their columns in the order of the type.
    Rows(Vec<Vec<Value>>),
    /// Keys.
    Keys(Vec<Value>),
}

/// A parameter: its name with `$`, its type and what is given for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// With `$`.
    pub name: String,
    /// As declared in the text.
    pub of: Type,
    /// What is sent.
    pub argument: Argument,
}

/// Whose answer a result set is.
#[derive(Clone, Debug, PartialEq)]
pub enum Recipient {
    /// This call's.
    Call(usize),
    /// This call's, with those of as many further sets as there are buckets.
    Buckets {
        /// The call.
        call: usize,
        /// How many rows it asked for.
        limit: Option<usize>,
    },
    /// Those of several calls of one statement, told apart by the key in the column at this place.
    Calls {
        /// The calls.
        calls: Vec<usize>,
        /// The key that each asked for.
        keys: Vec<Value>,
        /// Where the key stands in a row.
        key: usize,
    },
}

/// One round trip.
#[derive(Debug, Default)]
pub struct Request {
    /// The statements, each with its semicolon.
    body: String,
    /// The whole text but the body.
    head: String,
    /// What is given.
    pub given: Vec<Given>,
    /// For each result set, its statement and whose answer it is.
    pub answers: Vec<(&'static Statement, Recipient)>,
    /// Whose statements are in it, for errors.
    pub statements: Vec<&'static Statement>,
    written: HashSet<&'static str>,
}

impl Request {
    /// The text as it is sent.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}{}", self.head, self.body)
    }

    fn fits(&self, group: &Group<'_>, more: usize) -> bool {
        if self.statements.is_empty() {
            return true;
        }
        let short = self.head.len() + self.body.len() + more < LONGEST_TEXT;
        let same =
            !group.is_declared() && self.statements.last().is_some_and(|last| std::ptr::eq(*last, group.statement));
        short && (same || group.looks_at().all(|table| !self.written.contains(table)))
    }

    fn prefix(&self) -> String {
        if self.statements.is_empty() { String::new() } else { format!("q{}_", self.statements.len() + 1) }
    }

    fn push(&mut self, group: Group<'_>, said: statement::Said) {
        let statement = group.statement;
        for (name, of) in &said.takes {
            let _ = writeln!(self.head, "DECLARE {name} AS {of};");
        }
        let _ = writeln!(self.body, "{};", said.text);
        self.statements.push(statement);
        if statement.is_read() {
            self.answers.push((statement, group.answers()));
        } else {
            self.written.insert(statement.table());
        }
        self.given.extend(group.give(said.takes));
    }
}

/// Calls that become one statement.
struct Group<'a> {
    statement: &'static Statement,
    calls: Vec<(usize, &'a [Value])>,
    /// The keys among them.
    keys: HashSet<Vec<u8>>,
}

impl<'a> Group<'a> {
    const fn is_declared(&self) -> bool {
        self.statement.declared.is_some()
    }

    /// The tables whose rows decide what it does.
    fn looks_at(&self) -> impl Iterator<Item = &'static str> {
        let other = match self.statement.declared {
            Some(Declared { shape: Shape::FindWith { other, .. }, .. }) => Some(other.name),
            _ => None,
        };
        let blind = matches!(self.statement.declared, Some(Declared { shape: Shape::Upsert | Shape::Remove, .. }));
        (!blind).then(|| self.statement.table()).into_iter().chain(other)
    }

    fn new(at: usize, call: &Call<'a>) -> Self {
        let keys = call.statement.declared.map(|declared| key_of(&declared, call.values)).into_iter().collect();
        Self { statement: call.statement, calls: vec![(at, call.values)], keys }
    }

    /// Takes another call into the same list: of the same statement, and no second change of one row.
    fn takes_in(&mut self, at: usize, call: &Call<'a>) -> bool {
        let Some(declared) = self.statement.declared.filter(|_| std::ptr::eq(self.statement, call.statement)) else {
            return false;
        };
        let fits = match declared.shape {
            Shape::Insert | Shape::Remove => true,
            Shape::Find => declared.table.key.len() == 1,
            Shape::Upsert | Shape::Update(_) => self.keys.insert(key_of(&declared, call.values)),
            Shape::FindWith { .. } | Shape::List(_) => false,
        };
        if fits {
            self.calls.push((at, call.values));
        }
        fits
    }

    fn said(&self, prefix: &str) -> statement::Said {
        let [(_, values)] = self.calls.as_slice() else {
            return statement::many(self.statement, prefix).unwrap_or_else(|| statement::one(self.statement, prefix));
        };
        let mut said = statement::one(self.statement, prefix);
        // A statement that has only a text does not say which of its columns may be null.
        for ((_, of), value) in said.takes.iter_mut().zip(*values).filter(|_| !self.is_declared()) {
            if let Value::Null(kind) = value {
                *of = Type::OrNull(*kind);
            }
        }
        said
    }

    fn answers(&self) -> Recipient {
        match (self.calls.as_slice(), self.statement.declared) {
            ([(call, values)], _) if statement::over_buckets(self.statement).is_some() => {
                let limited = statement::over_buckets(self.statement).is_some_and(|(_, list)| list.limited);
                let limit = values.last().filter(|_| limited).map(|value| match value {
                    Value::I64(limit) => usize::try_from(*limit).unwrap_or(0),
                    _ => 0,
                });
                Recipient::Buckets { call: *call, limit }
            }
            ([(at, _)], _) => Recipient::Call(*at),
            (calls, Some(declared)) => Recipient::Calls {
                calls: calls.iter().map(|(at, _)| *at).collect(),
                keys: calls.iter().filter_map(|(_, values)| values.first().cloned()).collect(),
                key: declared.table.key.first().map_or(0, |name| declared.table.position(name)),
            },
            (calls, None) => Recipient::Call(calls.first().map_or(0, |(at, _)| *at)),
        }
    }

    fn give(self, takes: Vec<(String, Type)>) -> Vec<Given> {
        let mut calls = self.calls;
        if let [(_, values)] = calls.as_slice() {
            let values = self.statement.declared.map_or_else(|| values.to_vec(), |declared| row_of(&declared, values));
            let values = values.into_iter().map(Argument::One);
            return takes.into_iter().zip(values).map(|((name, of), argument)| Given { name, of, argument }).collect();
        }
        let Some((name, of)) = takes.into_iter().next() else { return Vec::new() };
        let argument = match (&of, self.statement.declared) {
            (Type::Rows(columns), Some(declared)) => {
                let order = statement::sent(&declared);
                let place = |name: &str| order.iter().position(|column| column.name == name).unwrap_or_default();
                let places: Vec<usize> = columns.iter().map(|(name, _)| place(name)).collect();
                let row = |values: &[Value]| {
                    let values = row_of(&declared, values);
                    places.iter().filter_map(|at| values.get(*at).cloned()).collect()
                };
                Argument::Rows(calls.drain(..).map(|(_, values)| row(values)).collect())
            }
            _ => {
                let mut seen = HashSet::new();
                let first = |(_, values): (usize, &[Value])| values.first().cloned();
                Argument::Keys(calls.into_iter().filter_map(first).filter(|key| seen.insert(bytes_of(key))).collect())
            }
        };
        vec![Given { name, of, argument }]
    }
}

/// What a call gives, and behind it the bucket, where one is written.
fn row_of(declared: &Declared, values: &[Value]) -> Vec<Value> {
    let bucket = spread::column_of(declared).map(|_| spread::bucket(&key_of(declared, values)));
    values.iter().cloned().chain(bucket).collect()
}

/// The key among the values of a call, so that two can be compared.
fn key_of(declared: &Declared, values: &[Value]) -> Vec<u8> {
    let columns = statement::written(declared);
    let of = |name: &&str| columns.iter().rposition(|column| column.name == *name).and_then(|at| values.get(at));
    let part = |value: &Value| {
        let bytes = bytes_of(value);
        [bytes.len().to_be_bytes().to_vec(), bytes].concat()
    };
    declared.table.key.iter().filter_map(of).flat_map(part).collect()
}

fn bytes_of(value: &Value) -> Vec<u8> {
    match value {
        Value::Text(text) => text.clone().into_bytes(),
        Value::Bytes(bytes) => bytes.clone(),
        Value::I64(number) => number.to_be_bytes().to_vec(),
        Value::Bool(truth) => vec![u8::from(*truth)],
        Value::Timestamp(moment) => moment.micros().to_be_bytes().to_vec(),
        Value::Uuid(id) => id.as_bytes().to_vec(),
        Value::Json(_) | Value::Null(_) => Vec::new(),
    }
}

/// The round trips that these calls need, in order.
#[must_use]
pub fn requests(calls: &[Call<'_>]) -> Vec<Request> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        if !groups.last_mut().is_some_and(|group| group.takes_in(at, call)) {
            groups.push(Group::new(at, call));
        }
    }
    let mut requests: Vec<Request> = Vec::new();
    for group in groups {
        let last = requests.last();
        let said = group.said(&last.map(Request::prefix).unwrap_or_default());
        let declarations: usize = said.takes.iter().map(|(name, of)| name.len() + of.to_string().len() + 14).sum();
        let more = said.text.len() + 2 + declarations;
        match requests.last_mut().filter(|request| request.fits(&group, more)) {
            Some(request) => request.push(group, said),
            None => {
                let mut request = Request::default();
                let said = group.said("");
                request.push(group, said);
                requests.push(request);
            }
        }
    }
    requests
}
