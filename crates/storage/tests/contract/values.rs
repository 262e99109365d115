//! What goes in and what comes out.

use serde_json::json;
use userd_model::{Random, Timestamp};
use userd_storage::{
    Duplicate, Failure, Kind, NEVER, StoreError, Value, statements,
    testing::{TestRandom, run},
};
use uuid::Uuid;

use crate::fixture::{Fixture, INSERT_COUNTER, READ_COUNTER};

statements! {
    INSERT = "things.insert": "INSERT INTO things (id, text, bytes, number, truth, moment, document)
        VALUES ($1, $2, $3, $4, $5, $6, $7)" (Uuid, Text, Bytes, I64, Bool, Timestamp, Json) -> ();
    READ = "things.by_id": "SELECT id, text, bytes, number, truth, moment, document FROM things WHERE id = $1"
        (Uuid) -> (Uuid, Text, Bytes, I64, Bool, Timestamp, Json);
    TURNED_ROUND = "things.set": "UPDATE things SET number = $3, text = $2 WHERE id = $1" (Uuid, Text, I64) -> ();
    WRONG_KIND = "things.wrong_kind": "SELECT text FROM things WHERE id = $1" (Uuid) -> (Uuid);
    IN_ORDER = "counters.in_order": "SELECT name FROM counters ORDER BY name" () -> (Text);
    PAGE = "counters.page": "SELECT name FROM counters WHERE name > $1 ORDER BY name LIMIT $2" (Text, I64) -> (Text);
}

fn id() -> Uuid {
    Uuid::from_bytes(TestRandom::default().id_bytes())
}

async fn insert(fixture: &Fixture, row: &[Value]) {
    fixture
        .store
        .transact("things", |mut uow| async move {
            run(&mut uow, &INSERT, row).await?;
            uow.commit(()).await
        })
        .await
        .unwrap();
}

async fn fetch(fixture: &Fixture, id: Uuid) -> Vec<Value> {
    // Read both ways: inside a unit of work and outside of one.
    let outside = run(&mut fixture.store.reading(), &READ, &[id.into()]).await.unwrap();
    let inside = fixture
        .store
        .transact("fetch", |mut uow| async move {
            let rows = run(&mut uow, &READ, &[id.into()]).await?;
            uow.commit(rows).await
        })
        .await
        .unwrap();
    assert!(outside[0].0 == inside[0].0, "a read inside differs from one outside");
    inside[0].0.clone()
}

#[apply(case)]
async fn every_kind_comes_back_as_it_went_in(fixture: Fixture) {
    let long = "д".repeat(70_000);
    let texts = ["", "plain", "'quoted'; --", "Ünïcödé 🦀 \u{202e}", &*long];
    let numbers = [0, -1, i64::MAX, i64::MIN, 42];
    let micros = [0, -1, 1_767_225_600_123_456, 946_684_800_000_000, -62_135_596_800_000_000];
    let documents = [json!(null), json!([]), json!({"a": [1, "two", {"b": false}]}), json!("text"), json!(1.5)];
    for (index, text) in texts.iter().enumerate() {
        let id = id();
        let row: Vec<Value> = vec![
            id.into(),
            (*text).into(),
            text.as_bytes().into(),
            numbers[index].into(),
            (index % 2 == 0).into(),
            Timestamp::from_micros(micros[index]).into(),
            documents[index].clone().into(),
        ];
        insert(&fixture, &row).await;
        assert!(fetch(&fixture, id).await == row, "row {index} came back changed");
    }
}

/// Also where the engine has no moment so late.
#[apply(case)]
async fn what_never_ends_comes_back_so(fixture: Fixture) {
    let id = id();
    let mut row: Vec<Value> = vec![id.into()];
    row.extend([Kind::Text, Kind::Bytes, Kind::I64, Kind::Bool].map(Value::Null));
    row.extend([NEVER.into(), Value::Null(Kind::Json)]);
    insert(&fixture, &row).await;
    assert!(fetch(&fixture, id).await == row, "it came back with an end");
}

#[apply(case)]
async fn nothing_comes_back_as_nothing(fixture: Fixture) {
    let id = id();
    let kinds = [Kind::Text, Kind::Bytes, Kind::I64, Kind::Bool, Kind::Timestamp, Kind::Json];
    let mut row: Vec<Value> = vec![id.into()];
    row.extend(kinds.map(Value::Null));
    insert(&fixture, &row).await;
    assert!(fetch(&fixture, id).await == row);
}

#[apply(case)]
async fn a_duplicate_names_its_table(fixture: Fixture) {
    fixture.put("a", 1).await.unwrap();
    let twice = fixture.put("a", 2).await;
    assert!(matches!(twice, Err(Failure::Store(StoreError::Duplicate(Duplicate::Key("counters"))))), "{twice:?}");
    let inside = fixture
        .store
        .transact("twice", |mut uow| async move {
            run(&mut uow, INSERT_COUNTER, &["b".into(), 1_i64.into()]).await?;
            run(&mut uow, INSERT_COUNTER, &["b".into(), 1_i64.into()]).await?;
            uow.commit(()).await
        })
        .await;
    assert!(matches!(inside, Err(Failure::Store(StoreError::Duplicate(Duplicate::Key("counters"))))), "{inside:?}");
}

#[apply(case)]
async fn parameters_may_stand_in_any_order(fixture: Fixture) {
    let id = id();
    let mut row: Vec<Value> = vec![id.into()];
    row.extend([Kind::Text, Kind::Bytes, Kind::I64, Kind::Bool, Kind::Timestamp, Kind::Json].map(Value::Null));
    insert(&fixture, &row).await;
    fixture
        .store
        .transact("turned round", |mut uow| async move {
            run(&mut uow, &TURNED_ROUND, &[id.into(), "text".into(), 7_i64.into()]).await?;
            uow.commit(()).await
        })
        .await
        .unwrap();
    let stored = fetch(&fixture, id).await;
    assert!(stored[1] == Value::from("text") && stored[3] == Value::from(7_i64));
}

async fn names(fixture: &Fixture, statement: &'static userd_storage::Statement, values: &[Value]) -> Vec<String> {
    let rows = run(&mut fixture.store.reading(), statement, values).await.unwrap();
    rows.into_iter().map(|mut row| row.text(0).unwrap()).collect()
}

#[apply(case)]
async fn text_is_ordered_by_its_bytes(fixture: Fixture) {
    for name in ["é", "z", "Z", "a", "ab", "A", "_", "я", "1"] {
        fixture.put(name, 0).await.unwrap();
    }
    assert_eq!(names(&fixture, &IN_ORDER, &[]).await, ["1", "A", "Z", "_", "a", "ab", "z", "é", "я"]);
}

#[apply(case)]
async fn pages_follow_each_other_without_gap_or_overlap(fixture: Fixture) {
    let all: Vec<String> = (0..25).map(|n| format!("{n:02}")).collect();
    for name in all.iter().rev() {
        fixture.put(name, 0).await.unwrap();
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = names(&fixture, &PAGE, &[after.as_str().into(), 10_i64.into()]).await;
        let Some(last) = page.last() else { break };
        after.clone_from(last);
        seen.extend(page);
    }
    assert_eq!(seen, all);
}

#[apply(case)]
async fn a_column_of_another_kind_is_corrupt_not_a_panic(fixture: Fixture) {
    let id = id();
    let mut row: Vec<Value> = vec![id.into(), "no uuid".into()];
    row.extend([Kind::Bytes, Kind::I64, Kind::Bool, Kind::Timestamp, Kind::Json].map(Value::Null));
    insert(&fixture, &row).await;
    let read = run(&mut fixture.store.reading(), &WRONG_KIND, &[id.into()]).await;
    assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
}

/// (fault 21)
#[apply(case)]
async fn a_table_that_is_not_there_is_no_schema_and_says_what_to_do(fixture: Fixture) {
    fixture.store.engine().run_schema("DROP TABLE counters").await.unwrap();
    let read = run(&mut fixture.store.reading(), READ_COUNTER, &["a".into()]).await.err();
    let written = match fixture.put("a", 1).await {
        Err(Failure::Store(error)) => Some(error),
        other => panic!("{other:?}"),
    };
    for error in [read, written] {
        let Some(StoreError::NoSchema(what)) = error else { panic!("{error:?}") };
        assert!(what.starts_with("counters.") && what.contains("userd migrate status"), "{what}");
    }
}
