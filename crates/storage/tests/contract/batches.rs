//! Statements that are sent together: batches over many keys, reads side by side, writes that travel with the commit.

use userd_model::Refusal;
use userd_storage::{
    Call, Duplicate, Failure, StoreError, UnitOfWork, Value,
    testing::{run, run_together, write_many},
};

use crate::fixture::{Fixture, INSERT_COUNTER, READ_COUNTER, SET_COUNTER, read};

fn counters(names: &[&str]) -> Vec<Vec<Value>> {
    names.iter().zip(1_i64..).map(|(name, n)| vec![(*name).into(), n.into()]).collect()
}

async fn insert(uow: &mut UnitOfWork, names: &[&str]) -> Result<(), StoreError> {
    write_many(uow, INSERT_COUNTER, counters(names)).await
}

fn is_duplicate<T: std::fmt::Debug>(outcome: &Result<T, Failure>) {
    let named = matches!(outcome, Err(Failure::Store(StoreError::Duplicate(Duplicate::Key("counters")))));
    assert!(named, "{outcome:?}");
}

#[apply(case)]
async fn answers_come_in_the_order_of_the_calls(fixture: Fixture) {
    let seen = fixture
        .store
        .transact("together", |mut uow| async move {
            insert(&mut uow, &["a", "b"]).await?;
            let keys = [["a".into()], ["none".into()], ["b".into()], ["a".into()]];
            let set = ["a".into(), 7_i64.into()];
            let mut calls: Vec<Call<'_>> = keys.iter().map(|values| Call { statement: READ_COUNTER, values }).collect();
            calls.insert(3, Call { statement: SET_COUNTER, values: &set });
            let answers = run_together(&mut uow, &calls).await?;
            let numbers: Vec<Option<i64>> =
                answers.into_iter().map(|rows| rows.into_iter().next().map(|mut row| row.i64(0).unwrap())).collect();
            uow.commit(numbers).await
        })
        .await
        .unwrap();
    assert_eq!(seen, [Some(1), None, Some(2), None, Some(7)]);
}

#[apply(case)]
async fn an_empty_batch_is_nothing(fixture: Fixture) {
    let answers = fixture
        .store
        .transact("empty", |mut uow| async move {
            let before = run_together(&mut uow, &[]).await?;
            insert(&mut uow, &[]).await?;
            insert(&mut uow, &["a"]).await?;
            insert(&mut uow, &[]).await?;
            uow.defer_writes();
            insert(&mut uow, &[]).await?;
            uow.commit(before.len()).await
        })
        .await
        .unwrap();
    assert_eq!((answers, fixture.get("a").await), (0, Some(1)));
}

#[apply(case)]
async fn a_thousand_keys_go_in_one_batch(fixture: Fixture) {
    let names: Vec<String> = (0..1000).map(|n| format!("{n:04}")).collect();
    let names = &names;
    let sum = fixture
        .store
        .transact("thousand", |mut uow| async move {
            let rows = names.iter().map(|name| vec![name.as_str().into(), 1_i64.into()]).collect();
            write_many(&mut uow, INSERT_COUNTER, rows).await?;
            uow.defer_writes();
            let rows = names.iter().zip(0_i64..).map(|(name, n)| vec![name.as_str().into(), n.into()]).collect();
            write_many(&mut uow, SET_COUNTER, rows).await?;
            let keys: Vec<[Value; 1]> = names.iter().map(|name| [name.as_str().into()]).collect();
            let calls: Vec<Call<'_>> = keys.iter().map(|values| Call { statement: READ_COUNTER, values }).collect();
            let answers = run_together(&mut uow, &calls).await?;
            let sum: i64 = answers.into_iter().flatten().map(|mut row| row.i64(0).unwrap()).sum();
            uow.commit(sum).await
        })
        .await
        .unwrap();
    assert_eq!(sum, 999 * 1000 / 2);
    assert_eq!(fixture.get("0999").await, Some(999));
}

#[apply(case)]
async fn a_duplicate_in_the_middle_of_a_batch_is_named_and_undoes_it(fixture: Fixture) {
    fixture.put("taken", 9).await.unwrap();
    let outcome = fixture
        .store
        .transact("duplicate", |mut uow| async move {
            insert(&mut uow, &["before", "taken", "behind"]).await?;
            uow.commit(()).await
        })
        .await;
    is_duplicate(&outcome);
    for (name, left) in [("before", None), ("taken", Some(9)), ("behind", None)] {
        assert_eq!(fixture.get(name).await, left, "{name}");
    }
    fixture.put("before", 1).await.unwrap();
}

#[apply(case)]
async fn nothing_commits_after_a_failed_batch(fixture: Fixture) {
    fixture.put("taken", 9).await.unwrap();
    let swallowed = fixture
        .store
        .transact("swallow", |mut uow| async move {
            insert(&mut uow, &["first"]).await?;
            let _swallowed = insert(&mut uow, &["before", "taken"]).await;
            uow.defer_writes();
            let _swallowed = insert(&mut uow, &["behind"]).await;
            uow.commit(()).await
        })
        .await;
    assert!(matches!(swallowed, Err(Failure::Store(StoreError::Corrupt(_)))), "{swallowed:?}");
    for name in ["first", "before", "behind"] {
        assert_eq!(fixture.get(name).await, None, "{name}");
    }
}

#[apply(case)]
async fn deferred_writes_are_there_after_the_commit(fixture: Fixture) {
    fixture.put("a", 1).await.unwrap();
    fixture
        .store
        .transact("defer", |mut uow| async move {
            let n = read(&mut uow, "a").await?.unwrap_or_default();
            uow.defer_writes();
            write_many(&mut uow, SET_COUNTER, vec![vec!["a".into(), (n + 1).into()]]).await?;
            insert(&mut uow, &["b", "c"]).await?;
            write_many(&mut uow, SET_COUNTER, vec![vec!["b".into(), 5_i64.into()]]).await?;
            uow.commit(()).await
        })
        .await
        .unwrap();
    for (name, n) in [("a", 2), ("b", 5), ("c", 2)] {
        assert_eq!(fixture.get(name).await, Some(n), "{name}");
    }
}

#[apply(case)]
async fn a_unit_of_work_may_be_deferred_writes_alone(fixture: Fixture) {
    fixture
        .store
        .transact("writes", |mut uow| async move {
            uow.defer_writes();
            insert(&mut uow, &["a", "b"]).await?;
            uow.commit(()).await
        })
        .await
        .unwrap();
    assert_eq!((fixture.get("a").await, fixture.get("b").await), (Some(1), Some(2)));
}

#[apply(case)]
async fn a_read_sees_the_writes_deferred_before_it(fixture: Fixture) {
    let seen = fixture
        .store
        .transact("own writes", |mut uow| async move {
            uow.defer_writes();
            insert(&mut uow, &["a", "b"]).await?;
            let seen = read(&mut uow, "b").await?;
            write_many(&mut uow, SET_COUNTER, vec![vec!["b".into(), 8_i64.into()]]).await?;
            uow.commit(seen).await
        })
        .await
        .unwrap();
    assert_eq!((seen, fixture.get("b").await), (Some(2), Some(8)));
}

#[apply(case)]
async fn a_deferred_duplicate_is_told_by_the_commit_and_undoes_all(fixture: Fixture) {
    fixture.put("taken", 9).await.unwrap();
    let outcome = fixture
        .store
        .transact("late", |mut uow| async move {
            read(&mut uow, "taken").await?;
            uow.defer_writes();
            insert(&mut uow, &["before", "taken", "behind"]).await?;
            uow.commit(()).await
        })
        .await;
    is_duplicate(&outcome);
    for (name, left) in [("before", None), ("taken", Some(9)), ("behind", None)] {
        assert_eq!(fixture.get(name).await, left, "{name}");
    }
    fixture.put("before", 1).await.unwrap();
}

#[apply(case)]
async fn a_deferred_duplicate_is_told_by_the_read_behind_it(fixture: Fixture) {
    fixture.put("taken", 9).await.unwrap();
    let outcome = fixture
        .store
        .transact("late", |mut uow| async move {
            uow.defer_writes();
            insert(&mut uow, &["taken"]).await?;
            let seen = read(&mut uow, "taken").await?;
            uow.commit(seen).await
        })
        .await;
    is_duplicate(&outcome);
}

#[apply(case)]
async fn deferred_writes_of_a_refusal_never_happen(fixture: Fixture) {
    let refused = fixture
        .store
        .transact("refuse", |mut uow| async move {
            run(&mut uow, INSERT_COUNTER, &["a".into(), 1_i64.into()]).await?;
            uow.defer_writes();
            insert(&mut uow, &["b"]).await?;
            Err::<(), _>(Failure::Refused(Refusal::Forbidden))
        })
        .await;
    assert!(matches!(refused, Err(Failure::Refused(Refusal::Forbidden))), "{refused:?}");
    assert_eq!((fixture.get("a").await, fixture.get("b").await), (None, None));
}

#[apply(case)]
async fn reads_are_asked_together_outside_of_a_unit_of_work_and_writes_refused(fixture: Fixture) {
    fixture.put("a", 3).await.unwrap();
    let (here, absent, row) = (["a".into()], ["b".into()], ["b".into(), 1_i64.into()]);
    let calls = [&here, &absent].map(|values| Call { statement: READ_COUNTER, values });
    let answers = run_together(&mut fixture.store.reading(), &calls).await.unwrap();
    assert_eq!(answers.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0]);
    let mut reading = fixture.store.reading();
    reading.defer_writes();
    let calls = [calls[0], Call { statement: INSERT_COUNTER, values: &row }];
    for written in [run_together(&mut reading, &calls).await.map(drop), insert(&mut reading, &["b"]).await] {
        assert!(matches!(written, Err(StoreError::Corrupt(_))), "{written:?}");
    }
    assert_eq!(fixture.get("b").await, None);
}
