//! `userd storage copy`: moves everything from one engine to another, table by table in primary-key order. It can be
//! interrupted and resumed; at the end both sides are read once more and compared by checksum, which also notices a
//! source that was written to meanwhile. From the first row to that end the target says that it is half copied, and of
//! which installation: nothing else is gone on with, and nobody serves it.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use userd_storage::{
    Failure, Rows, Store, StoreError, Value,
    migrations::StepState,
    repositories::{
        copying::{COPIED, TableCopy},
        leases::Copying,
        system_secrets::INSTALLATION,
    },
};
use uuid::Uuid;

use crate::{
    config::{Config, DatabaseUrl},
    terminal::{Terminal, notice, table},
    wiring::{
        WiringError,
        engine::{self, Opening},
        must_be_ours, must_be_whole,
        outside::{OsRandom, SystemClock},
        part,
    },
};

/// Rows per page and per unit of work.
const PAGE: u32 = 500;

/// What came over.
#[derive(Serialize)]
struct Copied {
    table: &'static str,
    rows: u64,
    sha256: String,
}

/// Copies `from` to `to`. With `resume`, goes on where an interrupted copy stopped.
///
/// # Errors
/// A source that is not there, an embedded database that a service runs on, a target that holds anything but an unfinished
/// copy of this source, all of it before anything is written there; a source that changed meanwhile, faults of either database.
pub async fn copy(
    config: &Config,
    terminal: Terminal,
    from: DatabaseUrl,
    to: DatabaseUrl,
    resume: bool,
) -> Result<(), WiringError> {
    if from == to {
        return Err(WiringError::Config("--from and --to are the same database".to_owned()));
    }
    engine::must_exist(&from, "--from")?;
    let (from_place, to_place) = (engine::place(&from), engine::place(&to));
    let source = open(config, from.clone(), Opening::MustExist)?;
    must_be_ours(&source, "--from", &from).await?;
    must_be_whole(&source, "--from", &from).await?;
    // What a service wrote behind the copy's back would stay behind, unnoticed.
    let _alone = (engine::alone(&from, "--from")?, engine::alone(&to, "--to")?);
    notice(&format!("from: {from_place}\nto:   {to_place}"));
    source.migrate(&SystemClock::default()).await.map_err(part)?;
    let whose = installation(&source).await?;
    let target = open(config, to, Opening::MayCreate)?;
    may_be_filled(&target, whose, resume).await?;
    target.migrate(&SystemClock::default()).await.map_err(part)?;
    mark(&target, Copying { source: whose, is_finished: false }).await?;
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}: {pos} rows ({per_sec})") {
        bar.set_style(style);
    }
    for table in COPIED.iter() {
        bar.set_message(table.name());
        bar.set_position(0);
        copy_table(table, &source, &target, &bar).await?;
    }
    let mut copied = Vec::with_capacity(COPIED.len());
    for table in COPIED.iter() {
        bar.set_message(format!("comparing {}", table.name()));
        bar.set_position(0);
        copied.push(compare(table, &source, &target, &bar).await?);
    }
    mark(&target, Copying { source: whose, is_finished: true }).await?;
    bar.finish_and_clear();
    source.engine().close().await;
    target.engine().close().await;
    terminal.answer(&copied, || {
        let rows: Vec<Vec<String>> =
            copied.iter().map(|line| vec![line.table.to_owned(), line.rows.to_string(), line.sha256.clone()]).collect();
        let head = table(&["TABLE", "ROWS", "SHA-256 (BOTH SIDES)"], &rows);
        format!(
            "{head}\n\nEverything came over. Point database.url at the new database; the master key stays the same."
        )
    });
    Ok(())
}

fn open(config: &Config, url: DatabaseUrl, opening: Opening) -> Result<Store, WiringError> {
    let mut config = config.clone();
    config.database.url = url;
    Ok(Store::new(engine::open(&config, opening)?.engine, Arc::new(OsRandom)))
}

/// The id of the installation that is copied; none yet where it was never served.
async fn installation(source: &Store) -> Result<Uuid, WiringError> {
    let id = source.reading().system_secrets().find(INSTALLATION).await.map_err(part)?;
    id.map_or(Ok(Uuid::nil()), |id| Uuid::from_slice(&id.0).map_err(part))
}

async fn mark(target: &Store, copying: Copying) -> Result<(), WiringError> {
    let marked: Result<(), Failure> = target
        .transact("storage_copy_mark", |mut uow| async move {
            uow.leases().mark_copying(copying).await?;
            uow.commit(()).await
        })
        .await;
    marked.map_err(part)
}

/// Whether the target is empty, or with `resume` holds what was copied of this very source so far. It is only read: what
/// is in it may be somebody's.
async fn may_be_filled(target: &Store, source: Uuid, resume: bool) -> Result<(), WiringError> {
    let refuse = |why: String| Err(WiringError::Config(format!("the target is not empty: {why}")));
    let steps = target.migration_status().await.map_err(part)?;
    if steps.iter().all(|step| step.state == StepState::Pending) {
        return Ok(());
    }
    // A schema that is not whole may lack a table.
    let copying = match target.reading().leases().copying().await {
        Err(StoreError::NoSchema(_)) => None,
        found => found.map_err(part)?,
    };
    match copying.filter(|copying| !copying.is_finished) {
        Some(copying) if copying.source != source => {
            return refuse("it holds an unfinished copy of another installation. Choose an empty database".to_owned());
        }
        Some(_) if resume => return Ok(()),
        _ => {}
    }
    for table in COPIED.iter() {
        match table.last_key(&mut target.reading()).await {
            Ok(Some(_)) => {
                let advice = "Choose an empty database; --resume goes on with an unfinished copy of the same source, and with \
                              nothing else";
                return refuse(format!("{} has rows. {advice}", table.name()));
            }
            Ok(None) | Err(StoreError::NoSchema(_)) => {}
            Err(fault) => return Err(part(fault)),
        }
    }
    Ok(())
}

async fn copy_table(
    table: &'static TableCopy,
    source: &Store,
    target: &Store,
    bar: &ProgressBar,
) -> Result<(), WiringError> {
    let mut after = table.last_key(&mut target.reading()).await.map_err(part)?;
    loop {
        let rows: Rows = table.page(&mut source.reading(), after.as_deref(), PAGE).await.map_err(part)?;
        let Some(last) = rows.last() else { return Ok(()) };
        let next = table.key(last).map_err(part)?.to_vec();
        let page = &rows;
        target
            .transact("storage_copy", |mut uow| async move {
                for row in page {
                    table.insert(&mut uow, row).await?;
                }
                uow.commit(()).await
            })
            .await
            .map_err(part)?;
        bar.inc(rows.len() as u64);
        after = Some(next);
    }
}

async fn compare(
    table: &'static TableCopy,
    source: &Store,
    target: &Store,
    bar: &ProgressBar,
) -> Result<Copied, WiringError> {
    let (here, there) = (checksum(table, source, bar).await?, checksum(table, target, bar).await?);
    if here != there {
        return Err(WiringError::Part(format!(
            "{} differs: {} rows in the source, {} in the target, or other content. Was the source written to? Stop \
             the service, empty the target and copy again",
            table.name(),
            here.0,
            there.0
        )));
    }
    Ok(Copied { table: table.name(), rows: here.0, sha256: here.1 })
}

async fn checksum(table: &'static TableCopy, store: &Store, bar: &ProgressBar) -> Result<(u64, String), WiringError> {
    let (mut count, mut context, mut after) = (0, Context::new(&SHA256), None::<Vec<Value>>);
    loop {
        let rows = table.page(&mut store.reading(), after.as_deref(), PAGE).await.map_err(part)?;
        let Some(last) = rows.last() else { break };
        after = Some(table.key(last).map_err(part)?.to_vec());
        for row in &rows {
            for value in &row.0 {
                let bytes = canonical(value);
                context.update(&(bytes.len() as u64).to_be_bytes());
                context.update(&bytes);
            }
        }
        count += rows.len() as u64;
        bar.inc(rows.len() as u64);
    }
    let digest = context.finish();
    Ok((count, digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// One value as bytes that are the same whichever engine it came from.
fn canonical(value: &Value) -> Vec<u8> {
    let tagged = |tag: u8, bytes: &[u8]| [&[tag], bytes].concat();
    match value {
        Value::Null(_) => vec![0],
        Value::Text(text) => tagged(1, text.as_bytes()),
        Value::Bytes(bytes) => tagged(2, bytes),
        Value::I64(number) => tagged(3, &number.to_be_bytes()),
        Value::Bool(truth) => tagged(4, &[u8::from(*truth)]),
        Value::Timestamp(at) => tagged(5, &at.micros().to_be_bytes()),
        Value::Uuid(id) => tagged(6, id.as_bytes()),
        Value::Json(json) => {
            let mut text = String::new();
            canonical_json(json, &mut text);
            tagged(7, text.as_bytes())
        }
    }
}

/// Members in order, and one spelling for each number: engines that store JSON in binary keep neither.
fn canonical_json(json: &serde_json::Value, text: &mut String) {
    match json {
        serde_json::Value::Object(members) => {
            let mut names: Vec<_> = members.iter().collect();
            names.sort_by_key(|(name, _)| *name);
            for (name, value) in names {
                text.push_str(&format!("{name:?}:"));
                canonical_json(value, text);
                text.push(',');
            }
            text.push('}');
        }
        serde_json::Value::Array(items) => {
            for item in items {
                canonical_json(item, text);
                text.push(',');
            }
            text.push(']');
        }
        serde_json::Value::Number(number) => match number.as_f64() {
            // A zero has no sign in an engine that keeps decimals.
            Some(0.0) => text.push('0'),
            Some(float) if !number.is_i64() && !number.is_u64() => text.push_str(&format!("{float}")),
            _ => text.push_str(&number.to_string()),
        },
        other => text.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical_text(json: &str) -> String {
        let mut text = String::new();
        canonical_json(&serde_json::from_str(json).unwrap_or_default(), &mut text);
        text
    }

    #[test]
    fn one_number_has_one_spelling() {
        for zero in ["0", "-0", "0.0", "-0.0", "0e5"] {
            assert_eq!(canonical_text(&format!("[{zero}]")), "0,]", "{zero}");
        }
        assert_eq!(canonical_text("{\"b\":1.0,\"a\":-2.50}"), canonical_text("{\"a\":-2.5,\"b\":1}"));
    }
}
