//! SELECT.

use std::sync::Arc;

use super::{Run, Table};
use crate::{
    failure::{Failure, Outcome},
    plan::{Bound, Kind, Scope, SourceShape, access, aggregate, conjuncts, evaluate, is_true, limit, order},
    store::read::Scan,
    value::{Type, Value},
    yql::ast::{Expr, From, Select, Source},
};

/// A source whose shape is known.
pub(super) struct Opened {
    pub(super) kind: OpenedKind,
    pub(super) shape: SourceShape,
}

pub(super) enum OpenedKind {
    /// A table, the index that is named, and the columns of the key that is read.
    Stored {
        path: String,
        index: Option<usize>,
        key: Vec<usize>,
        has: Option<Vec<usize>>,
    },
    InMemory(Vec<Arc<Vec<Value>>>),
}

/// A checked SELECT.
pub(super) struct Query {
    pub(super) opened: Vec<Opened>,
    pub(super) projected: Vec<(String, Bound)>,
    pub(super) conditions: Vec<Bound>,
    pub(super) order: Vec<(Bound, bool)>,
    pub(super) joins: Vec<(bool, Vec<Bound>)>,
}

type Found = Vec<Option<Arc<Vec<Value>>>>;

impl Run<'_> {
    pub(super) fn select(&mut self, select: &Select) -> Outcome<Table> {
        let query = self.check(select)?;
        let scope = Scope { parameters: &self.parameters, sources: &[], now: self.now };
        let offset = limit(select.offset.as_ref(), &scope)?.unwrap_or(0);
        let most = limit(select.limit.as_ref(), &scope)?.map(|count| count.saturating_add(offset));
        let aggregated = query.projected.iter().any(|(_, bound)| matches!(bound.kind, Kind::Aggregate(..)));
        let most = if aggregated { None } else { most };
        let found = self.rows(&query, most.map(|most| usize::try_from(most).unwrap_or(usize::MAX)))?;
        let found = found.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or_default();
        let slices: Vec<Vec<Option<&[Value]>>> =
            found.iter().map(|rows| rows.iter().map(|row| row.as_ref().map(|row| row.as_slice())).collect()).collect();
        let mut rows = Vec::new();
        if aggregated {
            let views: Vec<&[Option<&[Value]>]> = slices.iter().map(Vec::as_slice).collect();
            rows.push(query.projected.iter().map(|(_, bound)| aggregate(bound, &views)).collect::<Outcome<_>>()?);
        } else {
            for row in &slices {
                rows.push(query.projected.iter().map(|(_, bound)| evaluate(bound, row)).collect::<Outcome<_>>()?);
            }
        }
        let columns = query.projected.into_iter().map(|(name, bound)| (name, bound.data_type)).collect();
        Ok(Table { columns, rows })
    }

    fn check(&mut self, select: &Select) -> Outcome<Query> {
        let sources = select.from.iter().chain(select.joins.iter().map(|join| &join.source));
        let opened: Vec<_> = sources.map(|source| self.open(source)).collect::<Outcome<_>>()?;
        let mut shapes: Vec<_> = opened.iter().map(|opened| opened.shape.clone()).collect();
        let mut joins = Vec::new();
        for (join, shape) in select.joins.iter().zip(shapes.iter_mut().skip(1)) {
            if join.left {
                shape.columns.iter_mut().for_each(|(_, kind)| *kind = kind.bare().clone().optional());
            }
        }
        for join in &select.joins {
            let mut on = Vec::new();
            conjuncts(self.bind(&join.on, &shapes)?, &mut on);
            joins.push((join.left, on));
        }
        let projected = self.projected(select, &shapes)?;
        let mut conditions = Vec::new();
        if let Some(filter) = &select.filter {
            conjuncts(self.bind(filter, &shapes)?, &mut conditions);
        }
        let mut order = Vec::new();
        for (expr, descending) in &select.order {
            order.push((self.ordered_by(expr, &projected, &shapes)?, *descending));
        }
        Ok(Query { opened, projected, conditions, order, joins })
    }

    fn projected(&self, select: &Select, shapes: &[SourceShape]) -> Outcome<Vec<(String, Bound)>> {
        let Some(columns) = &select.columns else {
            if shapes.is_empty() {
                return Err(Failure::generic("a star without a table"));
            }
            // The names of a star come in alphabetical order, as YQL gives them.
            let mut all = Vec::new();
            for (source, shape) in shapes.iter().enumerate() {
                all.extend(shape.columns.iter().enumerate().map(|(at, (name, data_type))| {
                    (name.clone(), Bound::new(Kind::Column(source, at), data_type.clone()))
                }));
            }
            all.sort_by(|one, other| one.0.cmp(&other.0));
            return Ok(all);
        };
        let mut found: Vec<(String, Bound)> = Vec::new();
        for (number, column) in columns.iter().enumerate() {
            let bound = self.bind(&column.value, shapes)?;
            let name = match (&column.name, &column.value) {
                (Some(name), _) => name.clone(),
                (None, Expr::Column(_, name)) => name.clone(),
                _ => format!("column{number}"),
            };
            if found.iter().any(|(other, _)| *other == name) {
                return Err(Failure::generic(format!("Duplicate member: {name}")));
            }
            found.push((name, bound));
        }
        Ok(found)
    }

    /// What ORDER BY names must be among what is selected.
    fn ordered_by(&self, expr: &Expr, projected: &[(String, Bound)], shapes: &[SourceShape]) -> Outcome<Bound> {
        if let Expr::Column(None, name) = expr
            && let Some((_, bound)) = projected.iter().find(|(other, _)| other == name)
        {
            return Ok(bound.clone());
        }
        let bound = self.bind(expr, shapes)?;
        if projected.iter().any(|(_, other)| *other == bound) {
            Ok(bound)
        } else {
            Err(Failure::generic(format!("ORDER BY: not among what is selected: {expr:?}")))
        }
    }

    fn open(&mut self, source: &Source) -> Outcome<Opened> {
        let alias = source.alias.clone();
        match &source.from {
            From::Table { name, view } => {
                let path = self.store.path(name);
                self.store.note_schema(self.tx, &path)?;
                let schema = &self.store.table(&path)?.schema;
                let index = view.as_ref().map(|view| schema.index(view)).transpose()?;
                let shape = index.and_then(|index| schema.indexes.get(index));
                if shape.is_some_and(|index| index.asynchronous)
                    && self.tx.mode != crate::store::transaction::Mode::StaleReadOnly
                {
                    return Err(Failure::unsupported("an asynchronous index is read in stale read-only mode only"));
                }
                let key = shape.map_or_else(|| schema.key.clone(), |index| schema.index_key(index));
                let has = shape.map(|index| key.iter().chain(&index.cover).copied().collect());
                let columns = schema.columns.iter().map(|column| (column.name.clone(), column.data_type())).collect();
                let alias = alias.or_else(|| name.rsplit('/').next().map(str::to_owned));
                Ok(Opened { kind: OpenedKind::Stored { path, index, key, has }, shape: SourceShape { alias, columns } })
            }
            From::List(list) => {
                let bound = self.bind(list, &[])?;
                let (Type::List(of), Value::Items(items)) = (&bound.data_type, evaluate(&bound, &[])?) else {
                    return Err(Failure::generic(format!("AS_TABLE of {}, not of a list of structs", bound.data_type)));
                };
                let Type::Struct(columns) = of.as_ref() else {
                    return Err(Failure::generic(format!("AS_TABLE of a list of {of}, not of structs")));
                };
                let rows = items.into_iter().filter_map(|item| match item {
                    Value::Items(cells) => Some(Arc::new(cells)),
                    _ => None,
                });
                Ok(Opened {
                    kind: OpenedKind::InMemory(rows.collect()),
                    shape: SourceShape { alias, columns: columns.clone() },
                })
            }
            From::Named(name) => {
                let table = self.named.get(name);
                let table = table.ok_or_else(|| Failure::generic(format!("Unknown name: ${name}")))?;
                Ok(Opened {
                    kind: OpenedKind::InMemory(table.rows.iter().cloned().map(Arc::new).collect()),
                    shape: SourceShape { alias, columns: table.columns.clone() },
                })
            }
        }
    }

    fn rows(&mut self, query: &Query, most: Option<usize>) -> Outcome<Vec<Found>> {
        let Some(first) = query.opened.first() else {
            return Ok(if query.conditions.iter().try_fold(true, |all, one| Ok(all && is_true(one, &[])?))? {
                vec![Vec::new()]
            } else {
                Vec::new()
            });
        };
        if query.joins.is_empty() {
            let found = self.first_source(first, query, most)?;
            return Ok(found.into_iter().map(|row| vec![Some(row)]).collect());
        }
        let found = self.first_source(first, query, None)?;
        let mut joined = self.joined(found, query)?;
        joined.truncate(most.unwrap_or(usize::MAX));
        Ok(joined)
    }

    fn first_source(&mut self, first: &Opened, query: &Query, most: Option<usize>) -> Outcome<Vec<Arc<Vec<Value>>>> {
        // Without joins all conditions are about this source; with them, those that it alone decides.
        let conditions: Vec<_> =
            query.conditions.iter().filter(|condition| condition.is_known_before(1)).cloned().collect();
        let holds = |row: &Arc<Vec<Value>>| {
            conditions.iter().try_fold(true, |all, one| Ok(all && is_true(one, &[Some(row.as_slice())])?))
        };
        let most = most.unwrap_or(usize::MAX);
        let mut found = Vec::new();
        match &first.kind {
            OpenedKind::InMemory(rows) => {
                for row in rows {
                    if holds(row)? {
                        found.push(Arc::clone(row));
                    }
                }
                sort(&mut found, &query.order)?;
                found.truncate(most);
            }
            OpenedKind::Stored { path, index, key, has } => {
                let access = access(&conditions, 0, key, &[])?;
                let what = described(path, first);
                if !access.bounded {
                    // A small table may be listed along its key; that is counted.
                    if query.order.is_empty() {
                        self.counts.full_scans_refused += 1;
                        return Err(Failure::full_scan(format!("full scan of {what}")));
                    }
                    *self.counts.whole_table_reads.entry(path.clone()).or_default() += 1;
                }
                let order =
                    order(&query.order, key, &access, &what).inspect_err(|_| self.counts.full_scans_refused += 1)?;
                let covered = has.as_ref().is_none_or(|has| query.uses_only(0, has));
                for range in access.ranges {
                    if found.len() >= most && !order.in_memory {
                        break;
                    }
                    let scan = Scan { path, index: *index, range, descending: order.descending, covered };
                    self.store.scan(self.tx, &scan, |row| {
                        if holds(row)? {
                            found.push(Arc::clone(row));
                        }
                        Ok(order.in_memory || found.len() < most)
                    })?;
                }
                if order.in_memory {
                    sort(&mut found, &query.order)?;
                    found.truncate(most);
                }
                // No order is promised, so none is kept that somebody could come to rely on.
                if query.order.is_empty() {
                    found.reverse();
                }
            }
        }
        Ok(found)
    }
}

impl Query {
    /// Whether of one source only these columns are used.
    pub(super) fn uses_only(&self, source: usize, columns: &[usize]) -> bool {
        let mut only = true;
        let mut look = |at: usize, column: usize| only &= at != source || columns.contains(&column);
        self.projected.iter().for_each(|(_, bound)| bound.columns(&mut look));
        self.order.iter().for_each(|(bound, _)| bound.columns(&mut look));
        self.conditions.iter().for_each(|bound| bound.columns(&mut look));
        self.joins.iter().flat_map(|(_, on)| on).for_each(|bound| bound.columns(&mut look));
        only
    }
}

/// A table as refusals name it.
pub(super) fn described(path: &str, opened: &Opened) -> String {
    match &opened.kind {
        OpenedKind::Stored { index: Some(_), .. } => format!("an index of {path}"),
        _ => path.to_owned(),
    }
}

fn sort(rows: &mut Vec<Arc<Vec<Value>>>, order: &[(Bound, bool)]) -> Outcome<()> {
    let mut keyed = Vec::new();
    for row in rows.drain(..) {
        let keys =
            order.iter().map(|(bound, _)| evaluate(bound, &[Some(row.as_slice())])).collect::<Outcome<Vec<_>>>()?;
        keyed.push((keys, row));
    }
    keyed.sort_by(|(one, _), (other, _)| {
        let parts = one.iter().zip(other).zip(order).map(
            |((one, other), (_, descending))| {
                if *descending { other.cmp(one) } else { one.cmp(other) }
            },
        );
        parts.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    rows.extend(keyed.into_iter().map(|(_, row)| row));
    Ok(())
}
