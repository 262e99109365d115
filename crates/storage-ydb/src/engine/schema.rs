//! Schema steps, and whether what is there is what is declared: `IF NOT EXISTS` compares nothing.

use std::{sync::Arc, time::Duration};

use futures_util::future::try_join_all;
use tokio::time::{Instant, sleep, timeout};
use userd_storage::{
    Kind, StoreError,
    tables::{Column, TABLES, Table},
};
use ydb::{IndexStatus, TableDescription};

use super::{
    classify::{self, Meaning},
    connect::Link,
};
use crate::yql::{
    spread::{self, BUCKET},
    steps::{Step, Unless, steps},
    word,
};

/// A schema step may build an index over many rows.
const SCHEMA_TIMEOUT: Duration = Duration::from_secs(3600);
const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) async fn run(link: &Arc<Link>, sql: &str) -> Result<(), StoreError> {
    for step in steps(sql).map_err(StoreError::corrupt)? {
        let late = |_| StoreError::Unavailable("ydb: a schema step takes longer than an hour".to_owned());
        timeout(SCHEMA_TIMEOUT, run_step(link, &step)).await.map_err(late)??;
    }
    Ok(())
}

async fn run_step(link: &Arc<Link>, step: &Step) -> Result<(), StoreError> {
    let done = match &step.unless {
        None => false,
        Some(unless) => is_done(link, unless).await?,
    };
    if !done {
        let mut client = link.connected().await?.query.clone();
        client.exec(step.text.clone()).await.map_err(|error| classify::schema(&error))?;
    }
    if let Some(Unless::Index { table, index }) = &step.unless {
        until_ready(link, table, index).await?;
    }
    Ok(())
}

async fn is_done(link: &Arc<Link>, unless: &Unless) -> Result<bool, StoreError> {
    Ok(match unless {
        Unless::Column { table, column } => {
            describe(link, table).await?.columns.iter().any(|there| there.name == *column)
        }
        Unless::Index { table, index } => describe(link, table).await?.indexes.iter().any(|there| there.name == *index),
    })
}

/// An index over rows is built beside the work; nobody may read along it before.
async fn until_ready(link: &Arc<Link>, table: &str, index: &str) -> Result<(), StoreError> {
    let begun = Instant::now();
    loop {
        let described = describe(link, table).await?;
        let status = described.indexes.iter().find(|there| there.name == index).map(|there| there.status);
        match status {
            Some(IndexStatus::Building) if begun.elapsed() < SCHEMA_TIMEOUT => sleep(LOOK_EVERY).await,
            Some(_) => return Ok(()),
            None => return Err(StoreError::Conflict),
        }
    }
}

async fn describe(link: &Arc<Link>, table: &str) -> Result<TableDescription, StoreError> {
    let path = format!("{}/{table}", link.address.database);
    let tables = &link.connected().await?.tables;
    let late = |_| StoreError::Unavailable("ydb: no answer in time".to_owned());
    let described = timeout(DESCRIBE_TIMEOUT, tables.describe_table(path)).await.map_err(late)?;
    described.map_err(|error| match classify::meaning(&error) {
        Meaning::NoSchema => StoreError::NoSchema(format!("the table {table} is not there")),
        _ => classify::schema(&error),
    })
}

/// Every declared table is there with its columns, their types, its key and its indexes. What is there besides is another
/// release's.
pub(super) async fn verify(link: &Arc<Link>) -> Result<(), StoreError> {
    let wrong = try_join_all(TABLES.iter().map(|table| async move {
        let there = describe(link, table.name).await?;
        Ok::<_, StoreError>(differences(table, &there))
    }));
    let wrong: Vec<String> = wrong.await?.into_iter().flatten().collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(StoreError::Unusable(format!("the tables are not those of this program: {}", wrong.join("; "))))
}

fn differences(table: &Table, there: &TableDescription) -> Vec<String> {
    let mut wrong = Vec::new();
    let name = table.name;
    let bucket = spread::has_bucket(table).then_some(&BUCKET);
    for column in table.columns.iter().chain(bucket) {
        match there.columns.iter().find(|there| there.name == column.name) {
            None => wrong.push(format!("{name} has no column {}", column.name)),
            Some(found) if found.type_value.as_ref().is_ok_and(|found| is_of(*column, found)) => {}
            Some(_) => {
                let null = if column.nullable { "" } else { " NOT NULL" };
                wrong.push(format!("{name}.{} is not {}{null}", column.name, word(column.kind)));
            }
        }
    }
    if there.primary_key != table.key {
        wrong.push(format!(
            "the key of {name} is ({}) and not ({})",
            there.primary_key.join(", "),
            table.key.join(", ")
        ));
    }
    for index in table.indexes {
        let bucket = spread::is_spread(table, index.columns).then_some(BUCKET.name);
        let with_bucket = |columns: &[&'static str]| bucket.into_iter().chain(columns.iter().copied()).collect();
        let whole: Vec<&str> = with_bucket(index.columns);
        let own: Vec<&str> = with_bucket(index.columns.strip_suffix(table.key).unwrap_or(index.columns));
        let found = there.indexes.iter().find(|there| there.name == index.name);
        match found.map(|found| (found.index_columns.as_slice(), found.status)) {
            None => wrong.push(format!("{name} has no index {}", index.name)),
            Some((columns, status)) if columns != own && columns != whole => {
                wrong.push(format!("the index {} is over ({}), {status:?}", index.name, columns.join(", ")));
            }
            Some((_, IndexStatus::Building)) => wrong.push(format!("the index {} is still built", index.name)),
            Some(_) => {}
        }
    }
    wrong
}

/// The library tells a type by an example of it.
fn is_of(column: Column, example: &ydb::Value) -> bool {
    let inner = example.clone().to_option();
    let same = |inner: ydb::Value| std::mem::discriminant(&inner) == std::mem::discriminant(&of(column.kind));
    example.is_optional() == column.nullable && inner.is_some_and(same)
}

fn of(kind: Kind) -> ydb::Value {
    match kind {
        Kind::Text => ydb::Value::Text(String::new()),
        Kind::Bytes | Kind::Uuid => ydb::Value::Bytes(Vec::new().into()),
        Kind::I64 => ydb::Value::Int64(0),
        Kind::Bool => ydb::Value::Bool(false),
        Kind::Timestamp => ydb::Value::Timestamp(std::time::SystemTime::UNIX_EPOCH),
        Kind::Json => ydb::Value::Json(String::new()),
    }
}
