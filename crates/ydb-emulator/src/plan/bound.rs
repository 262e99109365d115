//! Checked expressions.

use crate::{
    value::{Type, Value},
    yql::ast::Operator,
};

/// A checked expression and its type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bound {
    pub(crate) kind: Kind,
    pub(crate) data_type: Type,
    /// Written in the text: it takes the type that is wanted, if it fits.
    pub(crate) literal: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Constant(Value),
    /// Which source, which column.
    Column(usize, usize),
    Tuple(Vec<Bound>),
    Not(Box<Bound>),
    IsNull(Box<Bound>, bool),
    In(Box<Bound>, Vec<Value>, bool),
    Binary(Operator, Box<Bound>, Box<Bound>),
    If(Box<Bound>, Box<Bound>, Box<Bound>),
    /// The second must be true, otherwise the statement fails with the text.
    Ensure(Box<Bound>, Box<Bound>, String),
    Unwrap(Box<Bound>),
    Aggregate(Aggregate, Option<Box<Bound>>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Count,
    Max,
    Min,
}

impl Bound {
    pub(crate) fn constant(value: Value, data_type: Type) -> Self {
        Self { kind: Kind::Constant(value), data_type, literal: false }
    }

    pub(crate) fn new(kind: Kind, data_type: Type) -> Self {
        Self { kind, data_type, literal: false }
    }

    /// Calls with every column in it.
    pub(crate) fn columns(&self, found: &mut impl FnMut(usize, usize)) {
        match &self.kind {
            Kind::Constant(_) => {}
            Kind::Column(source, column) => found(*source, *column),
            Kind::Tuple(items) => items.iter().for_each(|item| item.columns(found)),
            Kind::Not(inner) | Kind::IsNull(inner, _) | Kind::In(inner, ..) | Kind::Unwrap(inner) => {
                inner.columns(found);
            }
            Kind::Binary(_, left, right) | Kind::Ensure(left, right, _) => {
                left.columns(found);
                right.columns(found);
            }
            Kind::If(condition, yes, no) => [condition, yes, no].into_iter().for_each(|part| part.columns(found)),
            Kind::Aggregate(_, inner) => inner.iter().for_each(|inner| inner.columns(found)),
        }
    }

    /// Whether it needs no row of this source or of later ones.
    pub(crate) fn is_known_before(&self, source: usize) -> bool {
        let mut known = true;
        self.columns(&mut |at, _| known &= at < source);
        known
    }
}
