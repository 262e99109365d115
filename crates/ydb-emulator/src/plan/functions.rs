//! Functions and aggregates.

use super::{
    bound::{Aggregate, Bound, Kind},
    evaluate::{Rows, evaluate},
};
use crate::{
    failure::{Failure, Outcome},
    value::{Primitive, Type, Value},
};

/// A call with checked arguments; none stands for a star.
pub(super) fn call(name: &str, arguments: Vec<Option<Bound>>) -> Outcome<Bound> {
    let count = arguments.len();
    let mut arguments = arguments.into_iter();
    let bool_type = |bound: &Bound| matches!(bound.data_type.bare(), Type::Primitive(Primitive::Bool) | Type::Null);
    let unsigned = Type::Primitive(Primitive::Uint64);
    match (name, arguments.next(), arguments.next().flatten(), arguments.next().flatten()) {
        ("count", Some(of), None, None) => {
            Ok(Bound::new(Kind::Aggregate(Aggregate::Count, of.map(Box::new)), unsigned))
        }
        ("max" | "min", Some(Some(of)), None, None) => {
            let data_type = of.data_type.bare().clone().optional();
            let which = if name == "max" { Aggregate::Max } else { Aggregate::Min };
            Ok(Bound::new(Kind::Aggregate(which, Some(Box::new(of))), data_type))
        }
        ("just", Some(Some(of)), None, None) => {
            let data_type = of.data_type.clone().optional();
            Ok(Bound { data_type, literal: false, ..of })
        }
        ("unwrap", Some(Some(of)), _, None) => {
            let data_type = of.data_type.bare().clone();
            Ok(Bound::new(Kind::Unwrap(Box::new(of)), data_type))
        }
        ("if", Some(Some(condition)), Some(yes), Some(no)) if bool_type(&condition) => {
            if yes.data_type.bare() != no.data_type.bare() {
                return Err(Failure::generic("IF between different types"));
            }
            let data_type = if yes.data_type.is_optional() { yes.data_type.clone() } else { no.data_type.clone() };
            Ok(Bound::new(Kind::If(Box::new(condition), Box::new(yes), Box::new(no)), data_type))
        }
        ("ensure", Some(Some(value)), Some(condition), message) if bool_type(&condition) => {
            let message = match message.map(|message| message.kind) {
                Some(Kind::Constant(Value::Text(text))) => text,
                Some(Kind::Constant(Value::Bytes(bytes))) => String::from_utf8_lossy(&bytes).into_owned(),
                _ => "Condition violated".to_owned(),
            };
            let data_type = value.data_type.clone();
            Ok(Bound::new(Kind::Ensure(Box::new(value), Box::new(condition), message), data_type))
        }
        _ => Err(Failure::generic(format!("Unknown builtin: {name} with {count} arguments"))),
    }
}

/// An aggregate over all rows; anything else as it is in the first.
pub(crate) fn aggregate(bound: &Bound, rows: &[&Rows<'_>]) -> Outcome<Value> {
    let Kind::Aggregate(which, of) = &bound.kind else {
        return rows.first().map_or(Ok(Value::Null), |row| evaluate(bound, row));
    };
    let Some(of) = of else { return Ok(Value::Unsigned(rows.len() as u64)) };
    let mut values = Vec::new();
    for row in rows {
        let value = evaluate(of, row)?;
        if value != Value::Null {
            values.push(value);
        }
    }
    Ok(match which {
        Aggregate::Count => Value::Unsigned(values.len() as u64),
        Aggregate::Max => values.into_iter().max().unwrap_or(Value::Null),
        Aggregate::Min => values.into_iter().min().unwrap_or(Value::Null),
    })
}
