//! Values of checked expressions.

use std::cmp::Ordering;

use ydb_grpc::ydb_proto::status_ids::StatusCode;

use super::bound::{Bound, Kind};
use crate::{
    failure::{Failure, Outcome},
    value::{Type, Value},
    yql::ast::Operator,
};

/// The current row of every source; none where an outer join found none.
pub(crate) type Rows<'a> = [Option<&'a [Value]>];

/// Whether a condition holds; NULL does not.
pub(crate) fn is_true(bound: &Bound, rows: &Rows<'_>) -> Outcome<bool> {
    Ok(evaluate(bound, rows)? == Value::Bool(true))
}

pub(crate) fn evaluate(bound: &Bound, rows: &Rows<'_>) -> Outcome<Value> {
    Ok(match &bound.kind {
        Kind::Constant(value) => value.clone(),
        Kind::Column(source, column) => {
            let row = rows.get(*source).copied().flatten();
            row.and_then(|row| row.get(*column)).cloned().unwrap_or(Value::Null)
        }
        Kind::Tuple(items) => Value::Items(items.iter().map(|item| evaluate(item, rows)).collect::<Outcome<_>>()?),
        Kind::Not(inner) => match evaluate(inner, rows)? {
            Value::Bool(value) => Value::Bool(!value),
            other => other,
        },
        Kind::IsNull(inner, negated) => Value::Bool((evaluate(inner, rows)? == Value::Null) != *negated),
        Kind::In(item, list, negated) => match evaluate(item, rows)? {
            Value::Null => Value::Null,
            value => Value::Bool(list.contains(&value) != *negated),
        },
        Kind::Binary(operator, left, right) => {
            binary(*operator, evaluate(left, rows)?, evaluate(right, rows)?, &bound.data_type)?
        }
        Kind::If(condition, yes, no) => evaluate(if is_true(condition, rows)? { yes } else { no }, rows)?,
        Kind::Ensure(value, condition, message) => {
            if !is_true(condition, rows)? {
                return Err(Failure::new(StatusCode::PreconditionFailed, 0, format!("Execution: {message}")));
            }
            evaluate(value, rows)?
        }
        Kind::Unwrap(inner) => match evaluate(inner, rows)? {
            Value::Null => {
                return Err(Failure::new(StatusCode::PreconditionFailed, 0, "Failed to unwrap empty optional"));
            }
            value => value,
        },
        Kind::Aggregate(..) => return Err(Failure::generic("an aggregate stands where a value belongs")),
    })
}

fn binary(operator: Operator, left: Value, right: Value, of: &Type) -> Outcome<Value> {
    use Operator as O;
    Ok(match operator {
        O::And => logic(&left, &right, false),
        O::Or => logic(&left, &right, true),
        O::Coalesce => {
            if left == Value::Null {
                right
            } else {
                left
            }
        }
        O::Equal => compared(&left, &right, |order| order == Ordering::Equal),
        O::NotEqual => compared(&left, &right, |order| order != Ordering::Equal),
        O::Less => compared(&left, &right, |order| order == Ordering::Less),
        O::LessOrEqual => compared(&left, &right, |order| order != Ordering::Greater),
        O::Greater => compared(&left, &right, |order| order == Ordering::Greater),
        O::GreaterOrEqual => compared(&left, &right, |order| order != Ordering::Less),
        O::Add | O::Subtract | O::Multiply => match (&left, &right) {
            (Value::Null, _) | (_, Value::Null) => Value::Null,
            (Value::Signed(_) | Value::Unsigned(_), Value::Signed(_) | Value::Unsigned(_)) => {
                calculated(operator, &left, &right, of)
            }
            _ => return Err(Failure::generic("a calculation with what is no integer")),
        },
        O::Concat => match (left, right) {
            (Value::Text(left), Value::Text(right)) => Value::Text(left + &right),
            (Value::Bytes(left), Value::Bytes(right)) => Value::Bytes([left, right].concat()),
            _ => Value::Null,
        },
    })
}

/// Three-valued: `decisive` alone decides.
fn logic(left: &Value, right: &Value, decisive: bool) -> Value {
    let decisive = Value::Bool(decisive);
    if *left == decisive || *right == decisive {
        decisive
    } else if *left == Value::Null || *right == Value::Null {
        Value::Null
    } else {
        left.clone()
    }
}

fn compared(left: &Value, right: &Value, holds: impl FnOnce(Ordering) -> bool) -> Value {
    let null = |value: &Value| match value {
        Value::Null => true,
        Value::Items(items) => items.contains(&Value::Null),
        _ => false,
    };
    if null(left) || null(right) { Value::Null } else { Value::Bool(holds(left.cmp(right))) }
}

/// Wraps around as the server does.
fn calculated(operator: Operator, left: &Value, right: &Value, of: &Type) -> Value {
    let number = |value: &Value| match value {
        Value::Signed(number) => i128::from(*number),
        Value::Unsigned(number) => i128::from(*number),
        _ => 0,
    };
    let (left_number, right_number) = (number(left), number(right));
    let result = match operator {
        Operator::Add => left_number + right_number,
        Operator::Subtract => left_number - right_number,
        _ => left_number.saturating_mul(right_number),
    };
    let fits = match of.bare() {
        Type::Primitive(kind) => crate::literal::integer(result, *kind),
        _ => None,
    };
    fits.unwrap_or(match left {
        Value::Unsigned(_) => Value::Unsigned(u64::try_from(result.rem_euclid(1 << 64)).unwrap_or_default()),
        _ => Value::Null,
    })
}
