//! What a unit of work comes to for each status in each phase, and what concurrency leaves behind.

use std::sync::Arc;

use userd_model::Refusal;
use userd_storage::{
    Access, Call, Duplicate, Engine, Failure, Store, StoreError, Value,
    testing::{TestRandom, run},
};
use ydb_emulator::{Act, Code, Emulator, Fault, Moment, Options, Phase, StatusCode};

use crate::fixture::{FaultMode, Fixture, INSERT_COUNTER, SET_COUNTER, emulator, engine, get, put, read, url};

/// What an error is, without its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Run again by the store: nothing happened.
    Conflict,
    /// Told to the caller: nothing happened.
    Unavailable,
    /// Told to the caller, who looks up what happened.
    Unknown,
    NoSchema,
    Unusable,
    Corrupt,
}
use Kind::{Conflict, Corrupt, NoSchema, Unavailable, Unknown, Unusable};

fn kind(error: &StoreError) -> Kind {
    match error {
        StoreError::Conflict => Conflict,
        StoreError::Unavailable(_) => Unavailable,
        StoreError::OutcomeUnknown(_) => Unknown,
        StoreError::NoSchema(_) => NoSchema,
        StoreError::Unusable(_) => Unusable,
        StoreError::Corrupt(_) | StoreError::Duplicate(_) => Corrupt,
    }
}

/// Each status: what it is at a statement, and what at a commit.
const STATUSES: [(StatusCode, Kind, Kind); 18] = [
    (StatusCode::Aborted, Conflict, Conflict),
    (StatusCode::Unavailable, Conflict, Conflict),
    (StatusCode::Overloaded, Conflict, Conflict),
    (StatusCode::BadSession, Conflict, Conflict),
    (StatusCode::SessionExpired, Conflict, Conflict),
    (StatusCode::SessionBusy, Conflict, Conflict),
    (StatusCode::NotFound, Conflict, Conflict),
    (StatusCode::Undetermined, Conflict, Unknown),
    (StatusCode::Timeout, Unavailable, Unknown),
    (StatusCode::Cancelled, Unavailable, Unknown),
    (StatusCode::SchemeError, NoSchema, NoSchema),
    (StatusCode::Unauthorized, Unusable, Unusable),
    (StatusCode::GenericError, Corrupt, Corrupt),
    (StatusCode::BadRequest, Corrupt, Corrupt),
    (StatusCode::InternalError, Corrupt, Corrupt),
    (StatusCode::Unsupported, Corrupt, Corrupt),
    (StatusCode::PreconditionFailed, Corrupt, Corrupt),
    (StatusCode::AlreadyExists, Corrupt, Corrupt),
];

/// The same of the transport.
const TRANSPORT: [(Code, Kind, Kind); 7] = [
    (Code::Unavailable, Conflict, Unknown),
    (Code::Cancelled, Conflict, Unknown),
    (Code::DeadlineExceeded, Conflict, Unknown),
    (Code::Unknown, Conflict, Unknown),
    (Code::Internal, Conflict, Unknown),
    (Code::ResourceExhausted, Conflict, Conflict),
    (Code::Unauthenticated, Unusable, Unusable),
];

/// One attempt of a unit of work that reads and adds a row, its commit alone or with the write.
async fn attempt(engine: &Arc<dyn Engine>, name: &str, commit_with_write: bool) -> Result<(), StoreError> {
    let mut transaction = engine.begin(Access { name: "attempt", attempt: 0 }).await?;
    transaction.run(crate::fixture::READ_COUNTER, &["other".into()]).await?;
    let row: [Value; 2] = [name.into(), 1_i64.into()];
    if commit_with_write {
        return transaction.commit_after(&[Call { statement: INSERT_COUNTER, values: &row }]).await;
    }
    transaction.run(INSERT_COUNTER, &row).await?;
    transaction.commit().await
}

/// Runs a unit of work into a fault, holds the answer against what is expected, and looks up what happened.
async fn expect(fixture: &Fixture, phase: Phase, act: Act, expected: Kind, applied: bool) {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    for commit_with_write in [false, true] {
        let name = format!("row {}", NUMBER.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
        fixture.emulator.faults().clear();
        fixture.emulator.faults().add(match phase {
            Phase::Statement => Fault::new(phase, act).matching("INSERT"),
            phase => Fault::new(phase, act),
        });
        let told = attempt(fixture.store.engine(), &name, commit_with_write).await;
        fixture.emulator.faults().clear();
        let what = format!("{act:?} at {phase:?}, the commit with the write: {commit_with_write}");
        let error = told.expect_err(&what);
        // A commit that travels with a write cannot tell the two apart: what is certain is told as at a statement.
        let as_commit = phase == Phase::Statement && commit_with_write;
        assert!(kind(&error) == expected || as_commit && kind(&error) == Unknown, "{what}: {error:?}");
        assert_eq!(get(&fixture.store, &name).await, applied.then_some(1), "{what}");
    }
}

/// The fault matrix: each status and each failure of the transport at each phase.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_status_at_each_phase_is_what_the_table_says() {
    let fixture = Fixture::set(FaultMode::Plain).await;
    for (code, at_statement, at_commit) in STATUSES {
        let act = Act::Status { code, applied: false };
        expect(&fixture, Phase::Statement, act, at_statement, false).await;
        expect(&fixture, Phase::Commit, act, at_commit, false).await;
    }
    for (code, at_statement, at_commit) in TRANSPORT {
        let act = Act::Grpc { code, applied: false };
        expect(&fixture, Phase::Statement, act, at_statement, false).await;
        expect(&fixture, Phase::Commit, act, at_commit, false).await;
    }
    expect(&fixture, Phase::Commit, Act::Cut { applied: false }, Unknown, false).await;
}

/// What only the database knows has happened or not: the caller hears that it is unknown, never that it failed, and a
/// look-up tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_was_kept_without_an_answer_is_unknown_and_found_by_a_look() {
    let fixture = Fixture::set(FaultMode::Plain).await;
    for code in [StatusCode::Undetermined, StatusCode::Timeout, StatusCode::Cancelled] {
        expect(&fixture, Phase::Commit, Act::Status { code, applied: true }, Unknown, true).await;
    }
    for code in [Code::Unavailable, Code::Cancelled, Code::DeadlineExceeded] {
        expect(&fixture, Phase::Commit, Act::Grpc { code, applied: true }, Unknown, true).await;
    }
    expect(&fixture, Phase::Commit, Act::Cut { applied: true }, Unknown, true).await;
}

/// Nothing is committed twice, nothing is run again behind the caller's back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_outcome_is_never_run_again() {
    let fixture = Fixture::set(FaultMode::Plain).await;
    fixture.emulator.faults().add(Fault::new(Phase::Commit, Act::Cut { applied: true }));
    let outcome = fixture.put("once", 1).await;
    assert!(matches!(outcome, Err(Failure::Store(StoreError::OutcomeUnknown(_)))), "{outcome:?}");
    assert_eq!(fixture.get("once").await, Some(1));
    assert_eq!(fixture.emulator.counters().statements.get("INSERT"), Some(&1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_in_passing_is_run_again_by_the_store() {
    let fixture = Fixture::set(FaultMode::Plain).await;
    for (number, code) in [StatusCode::Aborted, StatusCode::Unavailable, StatusCode::BadSession, StatusCode::Overloaded]
        .into_iter()
        .enumerate()
    {
        for phase in [Phase::Statement, Phase::Commit] {
            fixture.emulator.faults().add(Fault::status(phase, code).times(2));
            let name = format!("{number} {phase:?}");
            fixture.put(&name, 1).await.unwrap_or_else(|error| panic!("{code:?} at {phase:?}: {error}"));
            assert_eq!(fixture.get(&name).await, Some(1));
            fixture.emulator.faults().clear();
        }
    }
}

/// Reads outside of units of work decide nothing: they are asked again by themselves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_is_asked_again_until_it_is_answered_but_not_for_ever() {
    let fixture = Fixture::set(FaultMode::Plain).await;
    fixture.put("a", 3).await.unwrap();
    for act in [
        Act::Status { code: StatusCode::Unavailable, applied: false },
        Act::Status { code: StatusCode::SessionExpired, applied: false },
        Act::Grpc { code: Code::Unavailable, applied: false },
    ] {
        fixture.emulator.faults().add(Fault::new(Phase::Statement, act).times(3));
        assert_eq!(fixture.get("a").await, Some(3), "{act:?}");
        fixture.emulator.faults().clear();
    }
    fixture.emulator.faults().add(Fault::status(Phase::Statement, StatusCode::Overloaded).always());
    let refused = run(&mut fixture.store.reading(), crate::fixture::READ_COUNTER, &["a".into()]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
}

async fn increment(store: &Store) -> Result<(), Failure> {
    store
        .transact("increment", |mut uow| async move {
            let n = read(&mut uow, "n").await?.ok_or(Refusal::NotFound)?;
            uow.defer_writes();
            userd_storage::testing::write_many(&mut uow, SET_COUNTER, vec![vec!["n".into(), (n + 1).into()]]).await?;
            uow.commit(()).await
        })
        .await
}

/// Each increment that is answered with success is there, and no other: whichever moment conflicts show at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_clients_that_increment_one_row_end_exactly_right_under_injected_aborts() {
    for conflicts_show in [Moment::Commit, Moment::Statement] {
        let emulator: Emulator = emulator(Options { conflicts_show, ..Options::default() }).await;
        let engine = engine(&url(&emulator));
        engine
            .run_schema("CREATE TABLE IF NOT EXISTS counters (name TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL)")
            .await
            .unwrap();
        let store = Store::new(engine, Arc::new(TestRandom::default()));
        put(&store, "n", 0).await.unwrap();
        emulator.faults().add(Fault::status(Phase::Commit, StatusCode::Aborted).every(5).always());
        emulator.faults().add(Fault::status(Phase::Statement, StatusCode::Aborted).every(11).always());
        let clients: Vec<_> = (0..64)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    loop {
                        match increment(&store).await {
                            Ok(()) => break,
                            // Sixty-four at one row: whoever lost twelve times hears so, and comes again.
                            Err(Failure::Store(StoreError::Unavailable(_))) => {}
                            Err(other) => panic!("{other:?}"),
                        }
                    }
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
        emulator.faults().clear();
        assert_eq!(get(&store, "n").await, Some(64));
    }
}

/// A key that is taken may show at the commit alone, and is told as what it is there too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_key_that_shows_at_the_commit_is_a_duplicate() {
    let emulator = emulator(Options { existing_keys_show: Moment::Commit, ..Options::default() }).await;
    let engine = engine(&url(&emulator));
    engine
        .run_schema("CREATE TABLE IF NOT EXISTS counters (name TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL)")
        .await
        .unwrap();
    let store = Store::new(engine, Arc::new(TestRandom::default()));
    put(&store, "a", 1).await.unwrap();
    let twice = put(&store, "a", 2).await;
    assert!(matches!(twice, Err(Failure::Store(StoreError::Duplicate(Duplicate::Key("counters"))))), "{twice:?}");
}

/// A node that is stopped takes its sessions with it: nobody hears of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_shut_down_costs_no_unit_of_work() {
    let emulator = emulator(Options { nodes: 3, ..Options::default() }).await;
    let engine = engine(&url(&emulator));
    engine
        .run_schema("CREATE TABLE IF NOT EXISTS counters (name TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL)")
        .await
        .unwrap();
    let store = Store::new(engine, Arc::new(TestRandom::default()));
    for n in 0..30 {
        if n == 10 {
            emulator.shut_node_down(1);
        }
        if n == 20 {
            emulator.revive_node(1);
        }
        put(&store, &format!("row {n}"), n).await.unwrap();
    }
    assert_eq!(get(&store, "row 29").await, Some(29));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_is_not_right_is_refused_and_one_that_is_gets_in() {
    let credentials = Some(("ann".to_owned(), "right".to_owned()));
    let emulator = emulator(Options { credentials, ..Options::default() }).await;
    let with = |login: &str| url(&emulator).replace("grpc://", &format!("grpc://{login}"));
    assert!(engine(&with("")).health().await.is_err());
    assert!(engine(&with("ann:wrong@")).health().await.is_err());
    engine(&with("ann:right@")).health().await.unwrap();
}
