//! Whether the database serves: read and write, as a request does them.

use std::{sync::Arc, time::Duration};

use userd_services::health::DatabaseHealth;
use userd_storage::testing::{Fault, Injector};

use crate::fixture::Fixture;

const WELL: DatabaseHealth = DatabaseHealth { reads: true, writes: true };

/// A database that answers and has lost its tables is not well (fault 21).
#[apply(case)]
async fn a_database_without_its_tables_is_not_well(fixture: Fixture) {
    let app = fixture.app().await;
    assert_eq!(app.health.database().await, WELL);
    fixture.store.engine().run_schema("DROP TABLE users").await.unwrap();
    assert_eq!(app.health.database().await, DatabaseHealth { reads: false, writes: false });
}

/// Rows that are read may come from memory: only a write tells that the disk keeps any (fault 21).
#[apply(fault_case)]
async fn a_database_that_keeps_nothing_is_not_well(fixture: Fixture) {
    let (engine, injector) = Injector::over(Arc::clone(fixture.store.engine()));
    let app = Fixture::over(engine).app().await;
    injector.disarm();
    assert_eq!(app.health.database().await, WELL);
    let last = injector.calls() - 1;
    // The outcome of a write holds for a second, so that a probe costs no more than one write.
    assert_eq!(app.health.database().await, WELL);
    injector.disarm();
    assert_eq!(app.health.database().await, WELL);
    assert!(injector.calls() < last, "a second write within a second");
    app.clock.advance(Duration::from_secs(1));
    injector.arm(last, Fault::UnknownAndLost);
    let health = app.health.database().await;
    assert!(injector.fired());
    assert_eq!(health, DatabaseHealth { reads: true, writes: false });
    // The failure holds for as long, and then it is tried again.
    assert_eq!(app.health.database().await, health);
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.health.database().await, WELL);
}
