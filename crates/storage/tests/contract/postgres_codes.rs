//! What the codes of PostgreSQL mean, raised by the server itself: in a statement, by the commit, in a schema step.

use userd_storage::{Call, Duplicate, Store, StoreError, statements};

use crate::{
    fixture::READ_COUNTER,
    postgres::{ACCESS, database, store_with},
};

statements! {
    FAIL = "counters.fail": "SELECT fail($1)" (Text) -> (I64);
    FAIL_LATE = "failing.insert": "INSERT INTO failing (code) VALUES ($1)" (Text) -> ();
}

/// Whatever the server says with a code: details quote keys and values, so nobody is told of it.
const TABLES: &str = "
    CREATE FUNCTION fail(code TEXT) RETURNS BIGINT LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'somebody''s value' USING ERRCODE = code; END $$;
    CREATE FUNCTION fail_late() RETURNS TRIGGER LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'somebody''s value' USING ERRCODE = NEW.code; END $$;
    CREATE TABLE failing (code TEXT NOT NULL);
    CREATE CONSTRAINT TRIGGER late AFTER INSERT ON failing DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION fail_late();";

const CONFLICT: &str = "conflict";
const UNAVAILABLE: &str = "unavailable";
const UNKNOWN: &str = "unknown";
const NO_SCHEMA: &str = "no schema";
const UNUSABLE: &str = "unusable";
const CORRUPT: &str = "corrupt";

fn kind(error: &StoreError) -> &'static str {
    match error {
        StoreError::Conflict => CONFLICT,
        StoreError::Duplicate(Duplicate::Key(_)) => "duplicate",
        StoreError::Unavailable(_) => UNAVAILABLE,
        StoreError::OutcomeUnknown(_) => UNKNOWN,
        StoreError::NoSchema(_) => NO_SCHEMA,
        StoreError::Unusable(_) => UNUSABLE,
        StoreError::Corrupt(_) => CORRUPT,
    }
}

async fn in_a_statement(store: &Store, code: &str) -> StoreError {
    let mut transaction = store.engine().begin(ACCESS).await.unwrap();
    transaction.run(READ_COUNTER, &["a".into()]).await.unwrap();
    transaction.run(&FAIL, &[code.into()]).await.unwrap_err()
}

#[tokio::test]
async fn a_statements_code_says_what_can_be_done_about_it() {
    let Some((_database, options)) = database().await else { return };
    let store = store_with(&options);
    store.engine().run_schema(TABLES).await.unwrap();
    for (codes, expected) in [
        (&["40001", "40P01", "55P03"][..], CONFLICT),
        // A prepared statement that the server has forgotten: run again, on another connection.
        (&["26000", "0A000", "42P05"], CONFLICT),
        (&["57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "25006", "08000", "08006", "08P01"], UNAVAILABLE),
        (&["53000", "53100", "53200", "53300", "53400", "57014", "57000", "55006", "58000", "58030"], UNAVAILABLE),
        (&["42P01", "42703", "3F000"], NO_SCHEMA),
        (&["42501", "XX001", "XX002"], UNUSABLE),
        (&["22012", "23502", "23514", "42601", "XX000", "55000"], CORRUPT),
    ] {
        for code in codes {
            let error = in_a_statement(&store, code).await;
            assert_eq!(kind(&error), expected, "{code}: {error}");
            // A connection that is lost says why in the server's words; nothing else does.
            assert!(expected == UNAVAILABLE || !error.to_string().contains("somebody"), "{error}");
        }
    }
    let there = in_a_statement(&store, "23505").await;
    assert!(matches!(there, StoreError::Duplicate(Duplicate::Key("counters"))), "{there}");
}

/// What stands in the way names the statement and what to do, and none of the server's words.
#[tokio::test]
async fn what_stands_in_the_way_says_what_to_do() {
    let Some((_database, options)) = database().await else { return };
    let store = store_with(&options);
    store.engine().run_schema(TABLES).await.unwrap();
    for (code, advice) in [
        ("53100", "free some space"),
        ("53200", "no memory"),
        ("53300", "max_connections"),
        ("53400", "not enough of something"),
        ("57014", "statement_timeout"),
        ("57000", "try again"),
        ("55006", "try again"),
        ("58030", "does not read or write"),
        ("42P01", "userd migrate status"),
        ("42501", "grant it"),
        ("XX001", "damaged"),
        ("XX002", "damaged"),
    ] {
        let told = in_a_statement(&store, code).await.to_string();
        assert!(told.contains(&format!("counters.fail: postgres {code}: ")) && told.contains(advice), "{told}");
        assert!(!told.contains("somebody"), "{told}");
    }
}

/// Of a commit that was answered with a code nothing lasts, but where the code says that nobody knows.
#[tokio::test]
async fn a_commits_code_says_whether_anything_is_known() {
    let Some((_database, options)) = database().await else { return };
    let store = store_with(&options);
    store.engine().run_schema(TABLES).await.unwrap();
    for (code, expected) in [
        ("40001", CONFLICT),
        ("40P01", CONFLICT),
        ("55P03", CONFLICT),
        ("40003", UNKNOWN),
        ("57P01", UNKNOWN),
        ("08006", UNKNOWN),
        ("53100", UNAVAILABLE),
        ("42501", UNUSABLE),
        ("23503", CORRUPT),
    ] {
        let mut transaction = store.engine().begin(ACCESS).await.unwrap();
        transaction.run(&FAIL_LATE, &[code.into()]).await.unwrap();
        let alone = transaction.commit().await.unwrap_err();
        let mut transaction = store.engine().begin(ACCESS).await.unwrap();
        transaction.run(READ_COUNTER, &["a".into()]).await.unwrap();
        let values = [code.into()];
        let behind = transaction.commit_after(&[Call { statement: &FAIL_LATE, values: &values }]).await.unwrap_err();
        assert_eq!((kind(&alone), kind(&behind)), (expected, expected), "{code}: {alone}, {behind}");
        assert!(!format!("{alone}{behind}").contains("somebody"), "{alone}, {behind}");
    }
}

/// Two processes that make the same thing at once: the loser finds it there when it tries again.
#[tokio::test]
async fn a_schema_steps_code_says_whether_to_try_again() {
    let Some((_database, options)) = database().await else { return };
    let store = store_with(&options);
    for (code, expected) in [
        ("40001", CONFLICT),
        ("40P01", CONFLICT),
        ("55P03", CONFLICT),
        ("23505", CONFLICT),
        ("42P07", CONFLICT),
        ("42710", CONFLICT),
        ("42P06", CONFLICT),
        ("XX000", CONFLICT),
        ("57P01", UNAVAILABLE),
        ("08006", UNAVAILABLE),
        ("53100", UNAVAILABLE),
        ("42601", CORRUPT),
    ] {
        let step = format!("DO $$ BEGIN RAISE EXCEPTION 'these words' USING ERRCODE = '{code}'; END $$");
        let error = store.engine().run_schema(&step).await.unwrap_err();
        assert_eq!(kind(&error), expected, "{code}: {error}");
        assert!(expected != CORRUPT || error.to_string().contains("these words"), "a step holds no values: {error}");
    }
}
