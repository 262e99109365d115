//! Which stretches of keys a condition leaves to read.

use std::ops::Bound as Edge;

use super::{
    bound::{Bound, Kind},
    evaluate::{Rows, evaluate},
};
use crate::{
    failure::Outcome,
    store::space::{Key, Range},
    value::Value,
    yql::ast::Operator,
};

/// What to read.
#[derive(Debug)]
pub(crate) struct Access {
    /// In the order of keys.
    pub(crate) ranges: Vec<Range>,
    /// How many columns of the key are given.
    pub(crate) fixed: usize,
    /// Columns that have one value in all rows.
    pub(crate) pinned: Vec<usize>,
    /// Whether anything is given at all.
    pub(crate) bounded: bool,
}

/// Finds the stretches of one space, whose keys are these columns of this source. What earlier sources have is known.
pub(crate) fn access(conditions: &[Bound], source: usize, key: &[usize], rows: &Rows<'_>) -> Outcome<Access> {
    let mut prefixes: Vec<Key> = vec![Vec::new()];
    let mut pinned = Vec::new();
    let mut fixed = 0;
    while let Some(column) = key.get(fixed) {
        if let Some(value) = equal(conditions, source, *column, rows)? {
            pinned.push(*column);
            fixed += 1;
            match value {
                // Equal to NULL is nothing.
                None => prefixes.clear(),
                Some(value) => prefixes.iter_mut().for_each(|prefix| prefix.push(value.clone())),
            }
        } else if let Some((width, values)) = listed(conditions, source, key.get(fixed..).unwrap_or_default()) {
            fixed += width;
            prefixes = prefixes
                .iter()
                .flat_map(|prefix| values.iter().map(|value| [prefix.as_slice(), value.as_slice()].concat()))
                .collect();
        } else {
            break;
        }
    }
    prefixes.sort();
    prefixes.dedup();
    let limits = limits(conditions, source, key, fixed, rows)?;
    let ranges = prefixes.iter().map(|prefix| stretch(prefix, &limits)).filter(|range| !range.is_empty()).collect();
    Ok(Access { ranges, fixed, pinned, bounded: fixed > 0 || !limits.is_empty() })
}

/// The value that a column must have: `Some(None)` if it must equal NULL, which nothing does.
fn equal(conditions: &[Bound], source: usize, column: usize, rows: &Rows<'_>) -> Outcome<Option<Option<Value>>> {
    for condition in conditions {
        let value = match &condition.kind {
            Kind::Binary(Operator::Equal, left, right) => {
                let Some(value) = other_side(left, right, source, column) else { continue };
                evaluate(value, rows)?
            }
            Kind::IsNull(inner, false) if inner.kind == Kind::Column(source, column) => {
                return Ok(Some(Some(Value::Null)));
            }
            _ => continue,
        };
        return Ok(Some(Some(value).filter(|value| *value != Value::Null)));
    }
    Ok(None)
}

fn other_side<'a>(left: &'a Bound, right: &'a Bound, source: usize, column: usize) -> Option<&'a Bound> {
    let this = Kind::Column(source, column);
    if left.kind == this && right.is_known_before(source) {
        return Some(right);
    }
    (right.kind == this && left.is_known_before(source)).then_some(left)
}

/// `column IN list`, or a tuple of the next columns in a list of tuples: how many columns, and their values.
fn listed(conditions: &[Bound], source: usize, key: &[usize]) -> Option<(usize, Vec<Key>)> {
    for condition in conditions {
        let Kind::In(item, values, false) = &condition.kind else { continue };
        match &item.kind {
            Kind::Column(at, column) if *at == source && key.first() == Some(column) => {
                let known = values.iter().filter(|value| **value != Value::Null);
                return Some((1, known.map(|value| vec![value.clone()]).collect()));
            }
            Kind::Tuple(items) if !items.is_empty() => {
                let in_order = items.len() <= key.len()
                    && items.iter().zip(key).all(|(item, column)| item.kind == Kind::Column(source, *column));
                if in_order {
                    let tuples = values.iter().filter_map(|value| match value {
                        Value::Items(items) if !items.contains(&Value::Null) => Some(items.clone()),
                        _ => None,
                    });
                    return Some((items.len(), tuples.collect()));
                }
            }
            _ => {}
        }
    }
    None
}

/// A comparison of the columns behind the prefix.
struct Limit {
    operator: Operator,
    /// What the comparison says of columns that belong to the prefix: it limits only prefixes that end so.
    head: Vec<Value>,
    values: Vec<Value>,
}

fn limits(conditions: &[Bound], source: usize, key: &[usize], fixed: usize, rows: &Rows<'_>) -> Outcome<Vec<Limit>> {
    let mut found = Vec::new();
    for condition in conditions {
        let Kind::Binary(operator, left, right) = &condition.kind else { continue };
        let Some(flipped) = flip(*operator) else { continue };
        for (columns, values, operator) in [(left, right, *operator), (right, left, flipped)] {
            if !values.is_known_before(source) {
                continue;
            }
            let Some(skip) = position(columns, source, key, fixed) else { continue };
            let mut values = match evaluate(values, rows)? {
                Value::Items(items) => items,
                single => vec![single],
            };
            if values.contains(&Value::Null) || skip > values.len() {
                continue;
            }
            let behind = values.split_off(skip);
            found.push(Limit { operator, head: values, values: behind });
        }
    }
    Ok(found)
}

/// How many of the compared columns belong to the prefix, if the others follow it in order.
fn position(columns: &Bound, source: usize, key: &[usize], fixed: usize) -> Option<usize> {
    let items: Vec<usize> = match &columns.kind {
        Kind::Column(at, column) if *at == source => vec![*column],
        Kind::Tuple(items) => items
            .iter()
            .map(|item| match item.kind {
                Kind::Column(at, column) if at == source => Some(column),
                _ => None,
            })
            .collect::<Option<_>>()?,
        _ => return None,
    };
    (0..=fixed).rev().find(|skip| {
        let start = fixed - skip;
        *skip < items.len() && key.get(start..start + items.len()) == Some(items.as_slice())
    })
}

fn flip(operator: Operator) -> Option<Operator> {
    Some(match operator {
        Operator::Less => Operator::Greater,
        Operator::LessOrEqual => Operator::GreaterOrEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterOrEqual => Operator::LessOrEqual,
        _ => return None,
    })
}

fn stretch(prefix: &Key, limits: &[Limit]) -> Range {
    let mut range = if prefix.is_empty() {
        Range { lower: Edge::Unbounded, upper: Edge::Unbounded }
    } else {
        Range::prefix(prefix.clone())
    };
    for limit in limits.iter().filter(|limit| prefix.ends_with(&limit.head)) {
        let edge = [prefix.as_slice(), limit.values.as_slice()].concat();
        let behind = [edge.as_slice(), &[Value::Top]].concat();
        match limit.operator {
            Operator::Greater => raise(&mut range.lower, Edge::Excluded(behind)),
            Operator::GreaterOrEqual => raise(&mut range.lower, Edge::Included(edge)),
            Operator::Less => lower(&mut range.upper, Edge::Excluded(edge)),
            _ => lower(&mut range.upper, Edge::Excluded(behind)),
        }
    }
    range
}

fn key_of(edge: &Edge<Key>) -> Option<&Key> {
    match edge {
        Edge::Included(key) | Edge::Excluded(key) => Some(key),
        Edge::Unbounded => None,
    }
}

fn raise(edge: &mut Edge<Key>, other: Edge<Key>) {
    if key_of(edge) < key_of(&other) {
        *edge = other;
    }
}

fn lower(edge: &mut Edge<Key>, other: Edge<Key>) {
    if key_of(edge).is_none_or(|key| Some(key) > key_of(&other)) {
        *edge = other;
    }
}
