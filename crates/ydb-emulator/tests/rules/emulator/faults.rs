//! Faults by script: every status at every phase, done or not done, and streams that break off.

use tonic::Code;
use ydb_emulator::{Act, Fault, Moment, Options, Phase, StatusCode};

use crate::client::{Database, Refused, Session, serializable};

const TABLE: &str = "CREATE TABLE {items} (id Utf8 NOT NULL, PRIMARY KEY (id))";
const WRITE: &str = "UPSERT INTO {items} (id) VALUES ('a')";

async fn there(database: &Database) -> bool {
    let session = database.session().await;
    !session.run("SELECT id FROM {items} WHERE id = 'a'", &[]).await.unwrap().rows().is_empty()
}

/// A whole transaction, step by step; what refused it.
async fn transaction(session: &Session) -> Result<(), Refused> {
    let tx = session.begin(serializable()).await?;
    session.more(&tx, WRITE, &[]).await?;
    session.commit(&tx).await
}

const STATUSES: &[StatusCode] = &[
    StatusCode::Aborted,
    StatusCode::Unavailable,
    StatusCode::Overloaded,
    StatusCode::BadSession,
    StatusCode::SessionExpired,
    StatusCode::SessionBusy,
    StatusCode::Undetermined,
    StatusCode::Timeout,
    StatusCode::Cancelled,
    StatusCode::GenericError,
    StatusCode::InternalError,
];

#[tokio::test]
async fn every_status_comes_at_every_phase_and_nothing_is_written() {
    let database = Database::new().await;
    database.session().await.alter(TABLE).await.unwrap();
    for status in STATUSES {
        for phase in [Phase::Begin, Phase::Statement, Phase::Commit] {
            let session = database.session().await;
            database.emulator().faults().add(Fault::status(phase, *status));
            assert_eq!(transaction(&session).await.unwrap_err().status, *status, "{phase:?}");
            assert!(!there(&database).await, "{status:?} {phase:?}");
        }
        database.emulator().faults().add(Fault::status(Phase::CreateSession, *status));
        let refused = Session::open(crate::client::channel(&database.emulator().connection_string()).await, "").await;
        assert_eq!(refused.err().unwrap().status, *status);
    }
    assert!(!database.emulator().faults().are_left());
}

#[tokio::test]
async fn a_commit_of_unknown_outcome_may_have_happened() {
    for (act, happened) in [
        (Act::Status { code: StatusCode::Undetermined, applied: false }, false),
        (Act::Status { code: StatusCode::Undetermined, applied: true }, true),
        (Act::Grpc { code: Code::Unavailable, applied: false }, false),
        (Act::Grpc { code: Code::Cancelled, applied: true }, true),
        (Act::Cut { applied: false }, false),
        (Act::Cut { applied: true }, true),
    ] {
        let database = Database::new().await;
        let session = database.session().await;
        session.alter(TABLE).await.unwrap();
        database.emulator().faults().add(Fault::new(Phase::Commit, act));
        let refused = transaction(&session).await.unwrap_err();
        assert!(refused.transport.is_some() || refused.status == StatusCode::Undetermined, "{act:?}: {refused:?}");
        assert_eq!(there(&database).await, happened, "{act:?}");
        // With the last statement the same.
        let database = Database::new().await;
        let session = database.session().await;
        session.alter(TABLE).await.unwrap();
        database.emulator().faults().add(Fault::new(Phase::Commit, act));
        assert!(session.run(WRITE, &[]).await.is_err(), "{act:?}");
        assert_eq!(there(&database).await, happened, "{act:?}");
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_has_given_its_first_part() {
    let database = Database::new().await;
    let session = database.session().await;
    database.emulator().faults().add(Fault::new(Phase::Statement, Act::Cut { applied: true }));
    let refused = session.run("SELECT 1 AS n", &[]).await.err().unwrap();
    assert_eq!(refused.transport, Some(Code::Unavailable));
    session.run("SELECT 1 AS n", &[]).await.unwrap();
}

#[tokio::test]
async fn faults_wait_repeat_and_choose_their_texts() {
    let database = Database::new().await;
    let session = database.session().await;
    let faults = database.emulator().faults();
    faults.add(Fault::status(Phase::Statement, StatusCode::Overloaded).skip(1).times(2).matching("AS b"));
    let mut seen = Vec::new();
    for text in ["SELECT 1 AS b", "SELECT 1 AS a", "SELECT 1 AS b", "SELECT 1 AS b", "SELECT 1 AS b"] {
        seen.push(session.run(text, &[]).await.is_ok());
    }
    assert_eq!(seen, [true, true, false, false, true]);
    faults.add(Fault::status(Phase::Statement, StatusCode::Aborted).every(3).always());
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(session.run("SELECT 1", &[]).await.is_ok());
    }
    assert_eq!(seen, [true, true, false, true, true, false]);
    faults.clear();
    session.run("SELECT 1", &[]).await.unwrap();
}

#[tokio::test]
async fn conflicts_and_existing_keys_show_when_the_options_say() {
    let options =
        Options { conflicts_show: Moment::Statement, existing_keys_show: Moment::Commit, ..Options::default() };
    let database = Database::start(options).await;
    let (one, other) = (database.session().await, database.session().await);
    one.alter(TABLE).await.unwrap();
    let tx = one.first("SELECT id FROM {items} WHERE id = 'a'", &[]).await.unwrap().tx;
    other.run(WRITE, &[]).await.unwrap();
    let refused = one.more(&tx, "UPSERT INTO {items} (id) VALUES ('b')", &[]).await.err().unwrap();
    assert_eq!(refused.status, StatusCode::Aborted);
    let tx = one.first("INSERT INTO {items} (id) VALUES ('a')", &[]).await.unwrap().tx;
    assert_eq!(one.commit(&tx).await.unwrap_err().status, StatusCode::PreconditionFailed);
}
