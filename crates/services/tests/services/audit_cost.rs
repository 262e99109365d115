//! What the audit log costs: a change nothing, whoever passes facts on three statements a portion and a row a fact.

use std::sync::Arc;

use userd_model::UserId;
use userd_storage::{
    engines::{SqliteEngine, SqliteLocation, SqliteOptions},
    testing::{Counting, schema_on},
};

use crate::{
    audit::entries,
    fixture::{Fixture, TestApp},
    personas::{PASSWORD, home, login_with},
};

pub(crate) async fn counted() -> (TestApp, Arc<Counting>) {
    let engine = Arc::new(SqliteEngine::open(&SqliteOptions::at(SqliteLocation::Memory)).unwrap());
    schema_on(engine.clone()).await.unwrap();
    let (engine, counting) = Counting::over(engine);
    (Fixture::over(engine).app().await, counting)
}

/// Statements that passing these facts on takes, all of one subject.
async fn passing_on(app: &TestApp, counting: &Counting, kind: &str, subject: u128, count: i64) -> u64 {
    let subject = UserId(uuid::Uuid::from_u128(subject));
    let facts: Vec<_> = (1..=count).map(|number| app.fact(kind, subject, number)).collect();
    app.push(&facts).await;
    counting.take();
    app.event_log.tick().await.unwrap();
    counting.take().units["append_events"].statements
}

#[tokio::test]
async fn a_portion_of_facts_takes_three_statements_more_and_a_row_for_each_fact() {
    let (app, counting) = counted().await;
    // The first portion takes the leases and makes the log.
    passing_on(&app, &counting, "user.changed", 1, 1).await;
    let not_audited = passing_on(&app, &counting, "identity.bot_access_changed", 2, 1).await;
    let audited = passing_on(&app, &counting, "user.changed", 3, 1).await;
    assert_eq!(audited - not_audited, 3, "where the log ends, read and written, and the entry");
    let not_audited = passing_on(&app, &counting, "identity.bot_access_changed", 4, 100).await;
    let audited = passing_on(&app, &counting, "user.changed", 5, 100).await;
    assert_eq!(audited - not_audited, 2 + 100 + 6, "and a tile for sixteen of them");
}

/// The bytes of a sign-in in the log, and that the sign-in itself runs no statement of it.
#[tokio::test]
async fn a_sign_in_runs_no_statement_of_the_audit_log_and_leaves_half_a_kilobyte() {
    let (app, counting) = counted().await;
    app.member("ada").await;
    app.event_log.tick().await.unwrap();
    counting.take();
    let ctx = app.context().from_origin(home()).in_request("0190b1f0-request");
    app.sessions.login(&ctx, login_with("ada", PASSWORD)).await.unwrap();
    let asked = counting.take();
    assert!(asked.reads.keys().all(|name| !name.starts_with("audit")), "{asked:?}");
    assert!(app.facts().await.iter().all(|fact| fact.kind == "session.started"));
    app.event_log.tick().await.unwrap();
    let entry = entries(&app).await.pop().unwrap();
    let columns = entry.act.len() + entry.actor.len() + entry.subject.len() + 32;
    assert!((400..800).contains(&entry.entry.len()), "{} bytes and {columns} of columns", entry.entry.len());
}
