//! Trees of statements.

use crate::value::{Primitive, Type, Value};

/// A whole text.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// `DECLARE $name AS Type;`
    pub(crate) declared: Vec<(String, Type)>,
    pub(crate) statements: Vec<Statement>,
}

#[derive(Debug)]
pub(crate) enum Statement {
    Select(Select),
    Write(Write),
    /// `UPDATE t SET a = … WHERE …`
    Update {
        table: String,
        set: Vec<(String, Expr)>,
        filter: Option<Expr>,
    },
    /// `UPDATE t ON SELECT …`
    UpdateOn {
        table: String,
        rows: Select,
    },
    Delete {
        table: String,
        filter: Option<Expr>,
    },
    DeleteOn {
        table: String,
        rows: Select,
    },
    /// `$name = SELECT …` or `$name = expression`
    Named(String, Named),
    Ddl(Ddl),
}

#[derive(Debug)]
pub(crate) enum Named {
    Rows(Box<Select>),
    Value(Expr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Insert,
    Upsert,
    Replace,
}

#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) verb: Verb,
    pub(crate) table: String,
    /// None: as the rows name them.
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) rows: Rows,
}

#[derive(Debug)]
pub(crate) enum Rows {
    Values(Vec<Vec<Expr>>),
    Select(Box<Select>),
}

#[derive(Debug, Default)]
pub(crate) struct Select {
    /// None: `*`.
    pub(crate) columns: Option<Vec<Projected>>,
    pub(crate) from: Option<Source>,
    pub(crate) joins: Vec<Join>,
    pub(crate) filter: Option<Expr>,
    pub(crate) order: Vec<(Expr, bool)>,
    pub(crate) limit: Option<Expr>,
    pub(crate) offset: Option<Expr>,
}

#[derive(Debug)]
pub(crate) struct Projected {
    pub(crate) value: Expr,
    pub(crate) name: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) from: From,
    pub(crate) alias: Option<String>,
}

#[derive(Debug)]
pub(crate) enum From {
    Table {
        name: String,
        view: Option<String>,
    },
    /// `AS_TABLE($rows)`
    List(Expr),
    /// `$name`
    Named(String),
}

#[derive(Debug)]
pub(crate) struct Join {
    /// `LEFT JOIN`, otherwise inner.
    pub(crate) left: bool,
    pub(crate) source: Source,
    pub(crate) on: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Concat,
    Coalesce,
}

#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Literal(Value, Type),
    Parameter(String),
    Column(Option<String>, String),
    Tuple(Vec<Expr>),
    Not(Box<Expr>),
    IsNull(Box<Expr>, bool),
    /// The second is a list or a tuple; the flag says `NOT IN`.
    In(Box<Expr>, Box<Expr>, bool),
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// A function, its name in lower case.
    Call(String, Vec<Expr>),
    /// The star of `COUNT(*)`.
    Star,
}

#[derive(Debug)]
pub(crate) enum Ddl {
    Create(CreateTable),
    Alter { name: String, changes: Vec<Alter> },
    Drop { name: String, if_exists: bool },
}

#[derive(Debug, Default)]
pub(crate) struct CreateTable {
    pub(crate) name: String,
    pub(crate) if_not_exists: bool,
    pub(crate) columns: Vec<ColumnDef>,
    pub(crate) key: Vec<String>,
    pub(crate) indexes: Vec<IndexDef>,
    pub(crate) settings: Vec<(String, Setting)>,
}

#[derive(Debug)]
pub(crate) struct ColumnDef {
    pub(crate) name: String,
    pub(crate) kind: Primitive,
    pub(crate) not_null: bool,
    pub(crate) default: Option<(Value, Type)>,
}

#[derive(Debug, Default)]
pub(crate) struct IndexDef {
    pub(crate) name: String,
    pub(crate) unique: bool,
    pub(crate) asynchronous: bool,
    pub(crate) columns: Vec<String>,
    pub(crate) cover: Vec<String>,
}

/// The value of a setting in `WITH (…)`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Setting {
    Word(String),
    Number(u64),
    Text(String),
    /// `Interval("PT0S") ON column`: seconds and column.
    Ttl(u64, String),
}

#[derive(Debug)]
pub(crate) enum Alter {
    AddColumn(ColumnDef),
    DropColumn(String),
    AddIndex(IndexDef),
    DropIndex(String),
    SetIndex(String, Vec<(String, Setting)>),
    Set(Vec<(String, Setting)>),
    Reset(Vec<String>),
}
