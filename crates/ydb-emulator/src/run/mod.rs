//! Running a text: statement after statement, in a transaction.

mod join;
mod select;
mod write;

use std::collections::BTreeMap;

use ydb_grpc::ydb_proto::status_ids::StatusCode;

use crate::{
    counters::Counts,
    failure::{Failure, Outcome, issue},
    options::{Moment, Options},
    plan::{Bound, Parameters, Scope, SourceShape, bind, evaluate},
    store::{Store, transaction::Transaction},
    value::{Type, Value},
    yql::ast::{Ddl, Expr, Named, Script, Statement},
};

/// Rows with named and typed columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<(String, Type)>,
    pub(crate) rows: Vec<Vec<Value>>,
}

/// One run of one text.
pub(crate) struct Run<'a> {
    pub(crate) store: &'a mut Store,
    pub(crate) counts: &'a mut Counts,
    pub(crate) options: &'a Options,
    pub(crate) tx: &'a mut Transaction,
    pub(crate) parameters: Parameters,
    /// Rows by the name that the text gives them.
    pub(crate) named: BTreeMap<String, Table>,
    pub(crate) now: u64,
}

/// The parameters of a request, held against what the text declares.
pub(crate) fn declared(script: &Script, mut given: Parameters) -> Outcome<Parameters> {
    for (name, wanted) in &script.declared {
        match given.get(name) {
            Some((found, _)) if found.is_same(wanted) => {}
            Some((found, _)) => {
                return Err(Failure::bad_request(format!(
                    "Parameter ${name} type mismatch, expected: {wanted}, actual: {found}"
                )));
            }
            None if wanted.is_optional() => {
                given.insert(name.clone(), (wanted.clone(), Value::Null));
            }
            None => return Err(Failure::bad_request(format!("Missing value for parameter: ${name}"))),
        }
    }
    Ok(given)
}

/// What is changed in tables by a text without a transaction. None if it is no such text.
pub(crate) fn ddl(script: &Script) -> Outcome<Option<Vec<&Ddl>>> {
    let found: Vec<_> = script
        .statements
        .iter()
        .filter_map(|statement| match statement {
            Statement::Ddl(ddl) => Some(ddl),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        return Ok(None);
    }
    if found.len() < script.statements.len() {
        return Err(Failure::generic("Queries with mixed data and scheme operations are not supported"));
    }
    Ok(Some(found))
}

impl Run<'_> {
    /// Every SELECT gives a table.
    pub(crate) fn script(&mut self, script: &Script) -> Outcome<Vec<Table>> {
        let mut results = Vec::new();
        for statement in &script.statements {
            self.counts.statement(statement);
            results.extend(self.statement(statement)?);
        }
        Ok(results)
    }

    fn statement(&mut self, statement: &Statement) -> Outcome<Option<Table>> {
        let writes = !matches!(statement, Statement::Select(_) | Statement::Named(..));
        if writes {
            self.may_write(statement)?;
        }
        match statement {
            Statement::Select(select) => return self.select(select).map(Some),
            Statement::Named(name, Named::Rows(select)) => {
                let rows = self.select(select)?;
                self.named.insert(name.clone(), rows);
            }
            Statement::Named(name, Named::Value(value)) => {
                let bound = self.bind(value, &[])?;
                let value = evaluate(&bound, &[])?;
                self.parameters.insert(name.clone(), (bound.data_type, value));
            }
            Statement::Write(write) => self.write(write)?,
            Statement::Update { table, set, filter } => self.update(table, set, filter.as_ref())?,
            Statement::UpdateOn { table, rows } => self.update_on(table, rows)?,
            Statement::Delete { table, filter } => self.delete(table, filter.as_ref())?,
            Statement::DeleteOn { table, rows } => self.delete_on(table, rows)?,
            Statement::Ddl(_) => {
                return Err(Failure::new(
                    StatusCode::PreconditionFailed,
                    issue::BAD_OPERATION,
                    "Scheme operations cannot be executed inside transaction",
                ));
            }
        }
        Ok(None)
    }

    fn may_write(&self, statement: &Statement) -> Outcome<()> {
        if !self.tx.mode.may_write() && !matches!(statement, Statement::Ddl(_)) {
            return Err(Failure::new(
                StatusCode::GenericError,
                issue::BAD_OPERATION,
                "Operation can't be performed in read only transaction",
            ));
        }
        match self.options.conflicts_show {
            Moment::Statement => self.store.check_locks(self.tx),
            Moment::Commit => Ok(()),
        }
    }

    fn bind(&self, expr: &Expr, sources: &[SourceShape]) -> Outcome<Bound> {
        bind(expr, &Scope { parameters: &self.parameters, sources, now: self.now })
    }
}
