//! Names resolved and types checked.

use super::{
    Parameters,
    bound::{Bound, Kind},
    evaluate::evaluate,
    functions,
};
use crate::{
    failure::{Failure, Outcome},
    literal::convert_literal,
    store::schema::Column,
    value::{Primitive, Type, Value},
    yql::ast::{Expr, Operator},
};

/// What a source of rows has.
#[derive(Clone, Debug)]
pub(crate) struct SourceShape {
    pub(crate) alias: Option<String>,
    pub(crate) columns: Vec<(String, Type)>,
}

/// The names that an expression may use.
pub(crate) struct Scope<'a> {
    pub(crate) parameters: &'a Parameters,
    pub(crate) sources: &'a [SourceShape],
    /// The emulator's clock.
    pub(crate) now: u64,
}

/// Checks an expression.
pub(crate) fn bind(expr: &Expr, scope: &Scope<'_>) -> Outcome<Bound> {
    let boxed = |expr: &Expr| bind(expr, scope).map(Box::new);
    let bool_type = || Type::Primitive(Primitive::Bool);
    Ok(match expr {
        Expr::Literal(value, data_type) => {
            Bound { kind: Kind::Constant(value.clone()), data_type: data_type.clone(), literal: true }
        }
        Expr::Parameter(name) => {
            let (data_type, value) =
                scope.parameters.get(name).ok_or_else(|| Failure::generic(format!("Unknown name: ${name}")))?;
            Bound::constant(value.clone(), data_type.clone())
        }
        Expr::Column(qualifier, name) => column(qualifier.as_deref(), name, scope)?,
        Expr::Tuple(items) => {
            let items: Vec<_> = items.iter().map(|item| bind(item, scope)).collect::<Outcome<_>>()?;
            let types = items.iter().map(|item| item.data_type.clone()).collect();
            Bound::new(Kind::Tuple(items), Type::Tuple(types))
        }
        Expr::Not(inner) => {
            let inner = boxed(inner)?;
            expect_bool(&inner)?;
            let data_type = inner.data_type.clone();
            Bound::new(Kind::Not(inner), data_type)
        }
        Expr::IsNull(inner, negated) => Bound::new(Kind::IsNull(boxed(inner)?, *negated), bool_type()),
        Expr::In(item, list, negated) => in_list(bind(item, scope)?, bind(list, scope)?, *negated)?,
        Expr::Binary(operator, left, right) => binary(*operator, bind(left, scope)?, bind(right, scope)?)?,
        Expr::Call(name, arguments) => {
            let one = |argument: &Expr| match argument {
                Expr::Star => Ok(None),
                value => bind(value, scope).map(Some),
            };
            let mut arguments = arguments.iter().map(one).collect::<Outcome<Vec<_>>>()?;
            match (name.as_str(), arguments.as_mut_slice()) {
                ("coalesce", [Some(one), Some(other)]) => binary(Operator::Coalesce, one.clone(), other.clone())?,
                ("currentutctimestamp", _) => {
                    Bound::constant(Value::Unsigned(scope.now), Type::Primitive(Primitive::Timestamp))
                }
                _ => functions::call(name, arguments)?,
            }
        }
        Expr::Star => return Err(Failure::generic("a star that stands for nothing")),
    })
}

fn column(qualifier: Option<&str>, name: &str, scope: &Scope<'_>) -> Outcome<Bound> {
    let mut found = None;
    for (source, shape) in scope.sources.iter().enumerate() {
        if qualifier.is_some() && shape.alias.as_deref() != qualifier {
            continue;
        }
        let Some(at) = shape.columns.iter().position(|(column, _)| column == name) else { continue };
        let Some((_, data_type)) = shape.columns.get(at) else { continue };
        if found.is_some() {
            return Err(Failure::generic(format!("Column name is ambiguous: {name}")));
        }
        found = Some(Bound::new(Kind::Column(source, at), data_type.clone()));
    }
    found.ok_or_else(|| Failure::generic(format!("Member not found: {name}")))
}

fn expect_bool(bound: &Bound) -> Outcome<()> {
    match bound.data_type.bare() {
        Type::Primitive(Primitive::Bool) | Type::Null => Ok(()),
        other => Err(Failure::generic(format!("Expected bool, but got: {other}"))),
    }
}

fn binary(operator: Operator, mut left: Bound, mut right: Bound) -> Outcome<Bound> {
    use Operator as O;
    let optional = left.data_type.is_optional() || right.data_type.is_optional();
    let wrap = |data_type: Type| if optional { data_type.optional() } else { data_type };
    let data_type = match operator {
        O::And | O::Or => {
            expect_bool(&left)?;
            expect_bool(&right)?;
            wrap(Type::Primitive(Primitive::Bool))
        }
        O::Equal | O::NotEqual | O::Less | O::LessOrEqual | O::Greater | O::GreaterOrEqual => {
            meet(&mut left, &mut right)
                .map_err(|()| Failure::generic(format!("Can't compare {} and {}", left.data_type, right.data_type)))?;
            wrap(Type::Primitive(Primitive::Bool))
        }
        O::Coalesce => {
            meet(&mut left, &mut right).map_err(|()| Failure::generic("?? between different types"))?;
            if right.data_type.is_optional() { right.data_type.clone() } else { left.data_type.bare().clone() }
        }
        O::Add | O::Subtract | O::Multiply | O::Concat => {
            meet(&mut left, &mut right).map_err(|()| {
                Failure::generic(format!("Cannot calculate with {} and {}", left.data_type, right.data_type))
            })?;
            wrap(left.data_type.bare().clone())
        }
    };
    Ok(Bound::new(Kind::Binary(operator, Box::new(left), Box::new(right)), data_type))
}

/// Makes both sides of one type, where a literal gives way.
fn meet(left: &mut Bound, right: &mut Bound) -> Result<(), ()> {
    if let (Kind::Tuple(ours), Kind::Tuple(theirs)) = (&mut left.kind, &mut right.kind) {
        if ours.len() != theirs.len() {
            return Err(());
        }
        return ours.iter_mut().zip(theirs).try_for_each(|(left, right)| meet(left, right));
    }
    give_way(left, right.data_type.bare());
    give_way(right, left.data_type.bare());
    let null = left.data_type == Type::Null || right.data_type == Type::Null;
    if null || left.data_type.bare() == right.data_type.bare() { Ok(()) } else { Err(()) }
}

fn give_way(bound: &mut Bound, wanted: &Type) {
    let (true, Kind::Constant(value), Type::Primitive(kind)) = (bound.literal, &bound.kind, wanted) else { return };
    if let Some(value) = convert_literal(value, &bound.data_type, *kind) {
        bound.kind = Kind::Constant(value);
        bound.data_type = wanted.clone();
    }
}

fn in_list(mut item: Bound, list: Bound, negated: bool) -> Outcome<Bound> {
    let wrong = |item: &Bound, of: &Type| Failure::generic(format!("Can't compare {} and {of}", item.data_type));
    let values = match (list.kind, &list.data_type) {
        (Kind::Constant(Value::Items(values)), Type::List(of)) => {
            let empty = values.is_empty();
            if !empty && !same(&item.data_type, of) {
                return Err(wrong(&item, of));
            }
            values
        }
        (Kind::Tuple(items), _) => {
            let mut values = Vec::new();
            for mut one in items {
                meet(&mut item, &mut one).map_err(|()| wrong(&item, &one.data_type))?;
                values.push(evaluate(&one, &[])?);
            }
            values
        }
        // One item in brackets.
        (kind, of) => {
            let mut one = Bound { kind, data_type: of.clone(), literal: list.literal };
            meet(&mut item, &mut one).map_err(|()| wrong(&item, of))?;
            vec![evaluate(&one, &[])?]
        }
    };
    let data_type = Type::Primitive(Primitive::Bool);
    let data_type = if item.data_type.is_optional() { data_type.optional() } else { data_type };
    Ok(Bound::new(Kind::In(Box::new(item), values, negated), data_type))
}

/// Whether values of both can be compared, whatever may be NULL.
fn same(left: &Type, right: &Type) -> bool {
    match (left.bare(), right.bare()) {
        (Type::Tuple(ours), Type::Tuple(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(left, right)| same(left, right))
        }
        (left, right) => left == right,
    }
}

/// Splits at the outermost ANDs.
pub(crate) fn conjuncts(bound: Bound, found: &mut Vec<Bound>) {
    match bound.kind {
        Kind::Binary(Operator::And, left, right) => {
            conjuncts(*left, found);
            conjuncts(*right, found);
        }
        _ => found.push(bound),
    }
}

/// An expression as a value for a column: of exactly its type, and not NULL where the column is not.
pub(crate) fn assign(mut bound: Bound, column: &Column) -> Outcome<Bound> {
    give_way(&mut bound, &Type::Primitive(column.kind));
    if column.not_null && bound.data_type.is_optional() {
        return Err(Failure::column_type(format!(
            "Can't set optional or NULL value to not null column: {}. All not null columns should be initialized",
            column.name
        )));
    }
    match bound.data_type.bare() {
        Type::Null => Ok(bound),
        Type::Primitive(kind) if *kind == column.kind => Ok(bound),
        other => Err(Failure::generic(format!(
            "Failed to convert type: {other} to {:?} of column {}",
            column.kind, column.name
        ))),
    }
}

/// The number behind LIMIT or OFFSET.
pub(crate) fn limit(expr: Option<&Expr>, scope: &Scope<'_>) -> Outcome<Option<u64>> {
    let Some(expr) = expr else { return Ok(None) };
    let mut bound = bind(expr, scope)?;
    give_way(&mut bound, &Type::Primitive(Primitive::Uint64));
    match (&bound.kind, &bound.data_type) {
        (Kind::Constant(Value::Unsigned(count)), Type::Primitive(Primitive::Uint64)) => Ok(Some(*count)),
        (_, other) => Err(Failure::generic(format!("Mismatch type argument #2, type diff: {other}!=Uint64 (LIMIT)"))),
    }
}
