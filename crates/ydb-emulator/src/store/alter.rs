//! Tables made, altered and dropped.

use std::sync::Arc;

use super::{Store, Table, schema::Schema, space::Space};
use crate::{
    failure::{Failure, Outcome},
    yql::ast::{Alter, Ddl},
};

impl Store {
    pub(crate) fn alter(&mut self, ddl: &Ddl) -> Outcome<()> {
        match ddl {
            Ddl::Create(table) => {
                let path = self.path(&table.name);
                if self.tables.contains_key(&path) {
                    // IF NOT EXISTS does not compare the shapes.
                    return if table.if_not_exists { Ok(()) } else { Err(exists(&path)) };
                }
                let schema = Schema::create(table)?;
                let indexes = schema.indexes.iter().map(|_| Space::default()).collect();
                self.tables.insert(path, Table { schema, rows: Space::default(), indexes });
                Ok(())
            }
            Ddl::Drop { name, if_exists } => {
                let path = self.path(name);
                let found = self.tables.remove(&path).is_some();
                if found || *if_exists { Ok(()) } else { self.table(&path).map(|_| ()) }
            }
            Ddl::Alter { name, changes } => {
                let path = self.path(name);
                changes.iter().try_for_each(|change| self.alter_table(&path, change))
            }
        }
    }

    fn alter_table(&mut self, path: &str, change: &Alter) -> Outcome<()> {
        let version = self.version;
        let table = self.table_mut(path)?;
        match change {
            Alter::AddColumn(column) => {
                if column.not_null && column.default.is_none() {
                    return Err(Failure::scheme(format!(
                        "Cannot add not null column without default value `{}`",
                        column.name
                    )));
                }
                table.schema.add_column(column)?;
                let Some(default) = table.schema.blank().pop() else { return Ok(()) };
                table.rows.extend_rows(&default);
            }
            Alter::DropColumn(name) => drop_column(table, name)?,
            Alter::AddIndex(index) => {
                table.schema.add_index(index)?;
                let Some(shape) = table.schema.indexes.last() else { return Ok(()) };
                let columns = table.schema.index_key(shape);
                let mut space = Space::default();
                let all: Vec<_> = table.rows.keys(version).cloned().collect();
                for key in all {
                    let Some(row) = table.rows.get(&key, version) else { continue };
                    space.fill(Schema::pick(row, &columns), Arc::new(key), version);
                }
                table.indexes.push(space);
            }
            Alter::DropIndex(name) => {
                let at = table.schema.index(name)?;
                table.schema.indexes.remove(at);
                table.indexes.remove(at);
                table.schema.version += 1;
            }
            Alter::SetIndex(name, settings) => table.schema.set_index(name, settings)?,
            Alter::Set(settings) => table.schema.set(settings)?,
            Alter::Reset(names) => table.schema.reset(names)?,
        }
        Ok(())
    }
}

fn drop_column(table: &mut Table, name: &str) -> Outcome<()> {
    let at = table.schema.column(name)?;
    let schema = &table.schema;
    let in_index = schema.indexes.iter().any(|index| index.columns.contains(&at) || index.cover.contains(&at));
    if schema.key.contains(&at) || in_index {
        return Err(Failure::scheme(format!("Cannot drop column '{name}': it is in the key or in an index")));
    }
    table.schema.columns.remove(at);
    table.schema.version += 1;
    let later = |place: &mut usize| *place -= usize::from(*place > at);
    table.schema.key.iter_mut().for_each(later);
    for index in &mut table.schema.indexes {
        index.columns.iter_mut().chain(&mut index.cover).for_each(later);
    }
    table.rows.remove_cell(at);
    Ok(())
}

fn exists(path: &str) -> Failure {
    Failure::scheme(format!("Check failed: path: '{path}', error: path exist"))
}
