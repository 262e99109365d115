//! The misbehaving engines themselves: that they misbehave as they say.

use userd_storage::{
    Failure, StoreError,
    testing::{Backend, Counting, Fault, Injector, ManualClock, TestDatabase, schema_on},
};

use crate::fixture::{READ_COUNTER, get, put, store, tables};

#[tokio::test]
async fn a_fault_swept_over_every_storage_call_leaves_before_or_after() {
    for fault in Fault::ALL {
        let mut nth = 0;
        loop {
            let database = TestDatabase::create(Backend::Memory).await.unwrap().unwrap();
            let engine = database.engine().unwrap();
            tables(&*engine).await;
            let (engine, injector) = Injector::over(engine);
            let store = store(engine);
            injector.arm(nth, fault);
            let outcome = put(&store, "a", 1).await;
            let (fired, stored) = (injector.fired(), {
                injector.disarm();
                get(&store, "a").await
            });
            match (&outcome, fault) {
                (Ok(()), _) => assert_eq!(stored, Some(1)),
                (Err(Failure::Store(StoreError::OutcomeUnknown(_))), Fault::UnknownButKept) => {
                    assert_eq!(stored, Some(1))
                }
                (Err(Failure::Store(StoreError::OutcomeUnknown(_))), Fault::UnknownAndLost) => assert_eq!(stored, None),
                (Err(Failure::Store(StoreError::Unavailable(_))), _) => assert_eq!(stored, None),
                (other, _) => panic!("{other:?}"),
            }
            if !fired {
                break;
            }
            assert!(fault != Fault::Conflict || outcome.is_ok(), "a conflict is never the caller's");
            nth += 1;
        }
        assert_eq!(nth, 3, "begin, one statement, commit");
    }
}

#[tokio::test]
async fn counts_name_what_a_unit_of_work_asks() {
    let database = TestDatabase::create(Backend::Memory).await.unwrap().unwrap();
    let engine = database.engine().unwrap();
    tables(&*engine).await;
    let (engine, counting) = Counting::over(engine);
    let store = store(engine);
    put(&store, "a", 1).await.unwrap();
    get(&store, "a").await;
    let counted = counting.take();
    assert_eq!(counted.units["put"].round_trips(), 2);
    assert_eq!(counted.units["put"].attempts, 1);
    assert_eq!(counted.reads[READ_COUNTER.name], 1);
}

/// A start of the program finds nothing to do there: tests run on what it would make.
#[tokio::test]
async fn a_store_of_the_tests_has_the_whole_schema_and_every_step() {
    for backend in [Backend::Memory, Backend::Postgres] {
        let Some(database) = TestDatabase::create(backend).await.unwrap() else { continue };
        let store = schema_on(database.engine().unwrap()).await.unwrap();
        let recorded = store.reading().schema_migrations().all().await.unwrap().len();
        assert_eq!(recorded, userd_storage::migrations::MIGRATIONS.len());
        let report = store.migrate(&ManualClock::default()).await.unwrap();
        assert_eq!((report.applied.len(), report.newer), (0, 0), "{backend:?}");
        store.engine().close().await;
    }
}
