//! Statements as shapes over a declared table. There are only those that every engine answers the same and from an
//! index: by the whole key, or along the key or an index in its order. The text (`sql.rs`) is made while compiling; a
//! column that is not declared does not compile.
//!
//! An engine with another dialect (typed parameters, `VIEW` for an index) renders [`Declared`] in words of its own.

use super::{Column, Table, gathered::Gathered};
use crate::{Kind, Statement};

/// What a statement does with its table.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Adds a row. Takes all columns.
    Insert,
    /// Adds a row or replaces the one with its key. Takes all columns.
    Upsert,
    /// Reads the row with a key. Takes the key.
    Find,
    /// Reads the row with a key, and behind it the row of another table whose key stands in a column of the first: two
    /// point reads asked as one. Takes the key.
    FindWith {
        /// The other table; its key is one column.
        other: &'static Table,
        /// The column that holds it.
        by: &'static str,
    },
    /// Changes these columns of the row with a key. Takes them, and then the key.
    Update(&'static [&'static str]),
    /// Removes the row with a key. Takes the key.
    Remove,
    /// Reads rows in order. Takes what must be equal, the range and the limit.
    List(List),
}

/// Which rows are read, in which order.
#[derive(Clone, Copy, Debug)]
pub struct List {
    /// Whose order.
    pub along: Along,
    /// How many of its first columns must equal a parameter.
    pub equal: usize,
    /// Where the rows begin or end, by the columns behind those.
    pub range: Range,
    /// From the last to the first.
    pub descending: bool,
    /// Whether there is a limit; only small tables are read without.
    pub limited: bool,
    /// Whether the rows have only the columns of the order.
    pub narrow: bool,
}

/// An order that an engine has at hand.
#[derive(Clone, Copy, Debug)]
pub enum Along {
    /// The primary key's.
    Key,
    /// That of the index with this name.
    Index(&'static str),
}

/// Where rows begin or end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// All that are equal.
    Whole,
    /// Behind a row, by all remaining columns of the order.
    Behind,
    /// From a value of the next column on, itself included.
    From,
    /// Up to a value of the next column, itself included.
    UpTo,
}

/// What a statement takes at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// A value of this column; it may be nothing only where the column may.
    Column(Column),
    /// How many rows at most: never nothing, never negative.
    Limit,
}

/// A statement as declared: all that an engine must know to say it in its own words.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    /// The table.
    pub table: &'static Table,
    /// What is done with it.
    pub shape: Shape,
}

impl List {
    /// Everything, by key.
    #[must_use]
    pub const fn by_key() -> Self {
        Self { along: Along::Key, equal: 0, range: Range::Whole, descending: false, limited: true, narrow: false }
    }

    /// Everything, along an index.
    #[must_use]
    pub const fn along(index: &'static str) -> Self {
        Self { along: Along::Index(index), ..Self::by_key() }
    }

    /// Only where the first `columns` columns equal a parameter each.
    #[must_use]
    pub const fn equal(self, columns: usize) -> Self {
        Self { equal: columns, ..self }
    }

    /// Only in this range.
    #[must_use]
    pub const fn range(self, range: Range) -> Self {
        Self { range, ..self }
    }

    /// From the last to the first.
    #[must_use]
    pub const fn descending(self) -> Self {
        Self { descending: true, ..self }
    }

    /// Without a limit: for tables that stay small.
    #[must_use]
    pub const fn unlimited(self) -> Self {
        Self { limited: false, ..self }
    }

    /// Only the columns of the order.
    #[must_use]
    pub const fn narrow(self) -> Self {
        Self { narrow: true, ..self }
    }

    /// The columns of the order.
    #[must_use]
    pub const fn order(&self, table: &Table) -> &'static [&'static str] {
        match self.along {
            Along::Key => table.key,
            Along::Index(name) => table.index(name).columns,
        }
    }
}

type Parameters = Gathered<Parameter, 64>;
type Kinds = Gathered<Kind, 64>;

#[expect(clippy::indexing_slicing, reason = "while compiling, where being out of bounds is an error of the compiler")]
impl Declared {
    /// What it takes, in order.
    pub(crate) const fn parameters(&self) -> Parameters {
        let mut all = Gathered::new(Parameter::Limit);
        let table = self.table;
        match self.shape {
            Shape::Insert | Shape::Upsert => {
                let mut at = 0;
                while at < table.columns.len() {
                    all.push(Parameter::Column(table.columns[at]));
                    at += 1;
                }
            }
            Shape::Find | Shape::FindWith { .. } | Shape::Remove => push_columns(&mut all, table, table.key),
            Shape::Update(columns) => {
                push_columns(&mut all, table, columns);
                push_columns(&mut all, table, table.key);
            }
            Shape::List(list) => {
                let order = list.order(table);
                let (equal, rest) = order.split_at(list.equal);
                push_columns(&mut all, table, equal);
                match list.range {
                    Range::Whole => {}
                    Range::Behind => push_columns(&mut all, table, rest),
                    Range::From | Range::UpTo => push_columns(&mut all, table, rest.split_at(1).0),
                }
                if list.limited {
                    all.push(Parameter::Limit);
                }
            }
        }
        all
    }

    /// What it takes, in order: for engines that say it in words of their own.
    #[must_use]
    pub fn takes(&self) -> Vec<Parameter> {
        self.parameters().to_vec()
    }

    /// The kinds of what it takes.
    pub(crate) const fn parameter_kinds<const N: usize>(&self) -> [Kind; N] {
        let (parameters, mut kinds, mut at) = (self.parameters().cut::<N>(), [Kind::I64; N], 0);
        while at < N {
            if let Parameter::Column(column) = parameters[at] {
                kinds[at] = column.kind;
            }
            at += 1;
        }
        kinds
    }

    /// The kinds of the columns it answers.
    pub(crate) const fn answer(&self) -> Kinds {
        let (mut kinds, mut at) = (Gathered::new(Kind::I64), 0);
        match self.shape {
            Shape::List(list) if list.narrow => {
                let order = list.order(self.table);
                while at < order.len() {
                    kinds.push(self.table.column(order[at]).kind);
                    at += 1;
                }
            }
            Shape::Find | Shape::List(_) => push_kinds(&mut kinds, self.table),
            Shape::FindWith { other, .. } => {
                push_kinds(&mut kinds, self.table);
                push_kinds(&mut kinds, other);
            }
            Shape::Insert | Shape::Upsert | Shape::Update(_) | Shape::Remove => {}
        }
        kinds
    }
}

#[expect(clippy::indexing_slicing, reason = "while compiling, where being out of bounds is an error of the compiler")]
const fn push_kinds(kinds: &mut Kinds, table: &Table) {
    let mut at = 0;
    while at < table.columns.len() {
        kinds.push(table.columns[at].kind);
        at += 1;
    }
}

const fn push_columns(all: &mut Parameters, table: &Table, names: &[&str]) {
    let mut names = names;
    while let [name, rest @ ..] = names {
        all.push(Parameter::Column(table.column(name)));
        names = rest;
    }
}

impl Statement {
    /// A statement made at run time, for those that every table has (`copying`, `expiring`). It stays for ever: make
    /// each once.
    pub(crate) fn made(table: &'static Table, verb: &str, shape: Shape) -> &'static Self {
        let declared = Declared { table, shape };
        let of = |parameter| if let Parameter::Column(column) = parameter { column.kind } else { Kind::I64 };
        Box::leak(Box::new(Self {
            name: format!("{}.{verb}", table.name).leak(),
            sql: super::gathered::text(declared.text().to_vec().leak()),
            parameters: declared.parameters().to_vec().into_iter().map(of).collect::<Vec<_>>().leak(),
            columns: declared.answer().to_vec().leak(),
            declared: Some(declared),
            numbered: std::sync::OnceLock::new(),
        }))
    }
}

/// Declares the statements of a table, and the list of them, so that none can be forgotten by the test that runs
/// every one.
macro_rules! statements_of {
    ($table:ident: $($name:ident = $label:literal: $shape:expr;)+) => {
        $(static $name: $crate::Statement = {
            const DECLARED: $crate::tables::Declared =
                $crate::tables::Declared { table: &$crate::tables::$table, shape: $shape };
            const TEXT: &[u8] = &DECLARED.text().cut::<{ DECLARED.text().len() }>();
            const PARAMETERS: &[$crate::Kind] = &DECLARED.parameter_kinds::<{ DECLARED.parameters().len() }>();
            const COLUMNS: &[$crate::Kind] = &DECLARED.answer().cut::<{ DECLARED.answer().len() }>();
            $crate::Statement {
                name: $label,
                sql: $crate::tables::text(TEXT),
                parameters: PARAMETERS,
                columns: COLUMNS,
                declared: Some(DECLARED),
                numbered: ::std::sync::OnceLock::new(),
            }
        };)+
        /// Every statement of this repository.
        pub(crate) static ALL: &[&$crate::Statement] = &[$(&$name),+];
    };
}
pub(crate) use statements_of;

/// Where a column stands in a row: `position!(USERS.status)`, looked up while compiling.
macro_rules! position {
    ($table:ident.$column:ident) => {
        const { $crate::tables::$table.position(stringify!($column)) }
    };
}
pub(crate) use position;
