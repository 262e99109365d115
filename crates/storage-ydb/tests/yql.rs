//! What is said to YDB: its own rules (facts that a grammar cannot tell) and how calls become texts.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails by panicking"
)]

use userd_storage::{
    Call, Statement, Value,
    migrations::MIGRATIONS,
    repositories::statements,
    tables::{Along, Shape, TABLES},
};
use userd_storage_ydb::yql::{
    Type,
    batch::{Argument, Recipient, Request, requests},
    schema,
    spread::{BUCKETS, has_bucket, is_spread},
    statement, steps,
};
use uuid::Uuid;

fn named(name: &str) -> &'static Statement {
    statements().find(|statement| statement.name == name).unwrap_or_else(|| panic!("no statement {name}"))
}

fn call<'a>(name: &str, values: &'a [Value]) -> Call<'a> {
    Call { statement: named(name), values }
}

fn texts(calls: &[Call<'_>]) -> Vec<String> {
    requests(calls).iter().map(Request::text).collect()
}

#[test]
fn every_step_can_be_said_and_makes_what_is_declared() {
    let all: Vec<steps::Step> = MIGRATIONS.iter().flat_map(|step| steps::steps(step.postgres).unwrap()).collect();
    for table in TABLES {
        let made = format!("CREATE TABLE IF NOT EXISTS {} (", table.name);
        assert_eq!(all.iter().filter(|step| step.text.starts_with(&made)).count(), 1, "{}", table.name);
        for index in table.indexes {
            let added = format!("ALTER TABLE {} ADD INDEX {} ", table.name, index.name);
            assert_eq!(all.iter().filter(|step| step.text.starts_with(&added)).count(), 1, "{}", index.name);
        }
    }
    for gone in ["single_use", "secrets"] {
        assert!(!all.iter().any(|step| step.text.contains(&format!(" {gone} "))), "{gone} never was on YDB");
    }
}

/// `ALTER TABLE` knows no `IF NOT EXISTS`, and DDL no transaction: each is safe to repeat only behind a look.
#[test]
fn whatever_is_not_safe_to_repeat_stands_behind_a_look() {
    for step in MIGRATIONS.iter().flat_map(|step| steps::steps(step.postgres).unwrap()) {
        let safe =
            step.text.contains("IF NOT EXISTS") || step.text.contains("IF EXISTS") || step.text.contains(" SET (");
        assert_eq!(safe, step.unless.is_none(), "{}", step.text);
    }
}

#[test]
fn a_form_that_is_not_known_is_refused() {
    for sql in ["CREATE SEQUENCE s", "ALTER TABLE users DROP COLUMN status", "INSERT INTO a (b) SELECT b FROM users"] {
        assert!(steps::steps(sql).is_err(), "{sql}");
    }
    assert!(steps::steps("CREATE TABLE IF NOT EXISTS t (\n    a INTERVAL NOT NULL,\n    PRIMARY KEY (a)\n)").is_err());
}

#[test]
fn every_read_along_an_index_names_it_and_no_write_uses_one() {
    for statement in statements() {
        let declared = statement.declared.unwrap();
        let said = statement::one(statement, "").text;
        let index = match declared.shape {
            Shape::List(list) => match list.along {
                Along::Index(name) => Some(name),
                Along::Key => None,
            },
            _ => None,
        };
        assert_eq!(said.contains(" VIEW "), index.is_some(), "{said}");
        if let Some(index) = index {
            assert!(said.contains(&format!("FROM {} VIEW {index}", declared.table.name)), "{said}");
        }
    }
}

/// Rows are changed by their whole key; a list is in one direction and, but for small tables, limited by a `Uint64`.
#[test]
fn every_statement_keeps_the_rules_that_the_grammar_does_not_know() {
    for statement in statements() {
        let (declared, said) = (statement.declared.unwrap(), statement::one(statement, ""));
        let (text, key) = (&said.text, declared.table.key);
        assert!(text.len() < 9_000, "{}", statement.name);
        if matches!(declared.shape, Shape::Find | Shape::Update(_) | Shape::Remove) {
            let (_, condition) = text.split_once(" WHERE ").unwrap();
            let columns: Vec<&str> = condition.split(" AND ").map(|part| part.split_once(" = ").unwrap().0).collect();
            assert_eq!(columns, key, "{text}");
        }
        if let Shape::List(list) = declared.shape {
            // Each bucket's is one.
            let text = text.lines().next().unwrap();
            let (_, order) = text.split_once(" ORDER BY ").unwrap();
            let descending = order.matches(" DESC").count();
            assert!(descending == 0 || descending == order.matches(',').count() + 1, "{text}");
            assert_eq!(said.takes.iter().filter(|(_, of)| *of == Type::Limit).count(), usize::from(list.limited));
        }
        let told = said.takes.iter().all(|(name, _)| text.contains(name.as_str()));
        let bucket = matches!(declared.shape, Shape::Insert | Shape::Upsert) && has_bucket(declared.table);
        assert!(told && said.takes.len() == statement.parameters.len() + usize::from(bucket), "{text}");
        assert_eq!(statement::columns(statement).len(), statement.columns.len(), "{text}");
    }
}

#[test]
fn many_calls_of_one_statement_become_one_over_a_list() {
    let rows: Vec<Vec<Value>> = (1..=3).map(|n| row_of("claims.insert", n)).collect();
    let calls: Vec<Call<'_>> = rows.iter().map(|values| call("claims.insert", values)).collect();
    let requests = requests(&calls);
    assert_eq!(requests.len(), 1);
    assert_eq!(
        requests[0].text(),
        "DECLARE $rows AS List<Struct<claim_hash:String,created_at:Timestamp,kind:Utf8,owner_id:String>>;\n\
         INSERT INTO claims SELECT * FROM AS_TABLE($rows);\n"
    );
    let Argument::Rows(given) = &requests[0].given[0].argument else { panic!("no rows") };
    // In the order of the type, not in that of the columns.
    assert_eq!((given.len(), &given[2][0], &given[2][3]), (3, &rows[2][0], &rows[2][2]));
}

/// Values for each parameter of a statement, told apart by `n`.
fn row_of(name: &str, n: u128) -> Vec<Value> {
    use userd_storage::Kind;
    let of = |kind: &Kind| match kind {
        Kind::Text => Value::from(format!("text {n}")),
        Kind::Bytes => Value::from(n.to_be_bytes().to_vec()),
        Kind::I64 => Value::from(i64::try_from(n).unwrap()),
        Kind::Bool => Value::from(true),
        Kind::Timestamp => Value::from(userd_model::Timestamp::from_micros(i64::try_from(n).unwrap())),
        Kind::Uuid => Value::from(Uuid::from_u128(n)),
        Kind::Json => Value::from(serde_json::json!(n.to_string())),
    };
    named(name).parameters.iter().map(of).collect()
}

#[test]
fn reads_of_many_keys_are_one_and_each_call_gets_its_own_rows() {
    let keys: Vec<Vec<Value>> = [1, 2, 1].iter().map(|n| row_of("users.by_id", *n)).collect();
    let calls: Vec<Call<'_>> = keys.iter().map(|values| call("users.by_id", values)).collect();
    let requests = requests(&calls);
    assert_eq!(requests.len(), 1);
    assert!(requests[0].text().contains(" FROM users WHERE id IN $rows;"), "{}", requests[0].text());
    let Argument::Keys(given) = &requests[0].given[0].argument else { panic!("no keys") };
    assert_eq!(given.len(), 2, "a key is asked for once");
    let Recipient::Calls { calls, keys, key: 0 } = &requests[0].answers[0].1 else { panic!("not of several calls") };
    assert_eq!((calls.as_slice(), keys[2] == keys[0], keys[1] == keys[0]), ([0, 1, 2].as_slice(), true, false));
}

#[test]
fn statements_over_different_tables_go_in_one_text() {
    let (user, claim) = (row_of("users.by_id", 1), row_of("claims.insert", 1));
    let texts = texts(&[call("users.by_id", &user), call("claims.insert", &claim)]);
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].starts_with("DECLARE $p1 AS String;\nDECLARE $q2_p1 AS String;\n"), "{}", texts[0]);
    assert!(texts[0].contains("($q2_p1, $q2_p2, $q2_p3, $q2_p4)"), "{}", texts[0]);
}

/// Whether a statement sees what another one of the same text wrote is not relied on.
#[test]
fn no_text_looks_at_a_table_that_it_has_written() {
    let (insert, read) = (row_of("claims.insert", 1), row_of("claims.by_hash", 1));
    let both = [call("claims.insert", &insert), call("claims.by_hash", &read)];
    assert_eq!(texts(&both).len(), 2);
    let turned = [call("claims.by_hash", &read), call("claims.insert", &insert)];
    assert_eq!(texts(&turned).len(), 1, "the other way round it is one");
}

/// Two changes of one row in one list would have no order.
#[test]
fn a_row_is_changed_once_in_a_list() {
    let (one, other) = (row_of("appended_numbers.upsert", 1), row_of("appended_numbers.upsert", 2));
    let calls = [&one, &other, &one].map(|values| call("appended_numbers.upsert", values));
    let texts = texts(&calls);
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert_eq!(texts[0].matches("UPSERT INTO").count(), 2, "{}", texts[0]);
}

#[test]
fn a_text_stays_below_what_ydb_takes() {
    let rows: Vec<Vec<Value>> = (1..=60).map(|n| row_of("sessions.first_of_user", n)).collect();
    let calls: Vec<Call<'_>> = rows.iter().map(|values| call("sessions.first_of_user", values)).collect();
    let texts = texts(&calls);
    assert!(texts.len() > 1 && texts.iter().all(|text| text.len() < 10_000), "{}", texts.len());
}

#[test]
fn the_pages_say_every_table_and_statement() {
    let (schema, texts) = (schema::schema().unwrap(), schema::statements());
    assert_eq!(schema.matches("CREATE TABLE").count(), TABLES.len());
    assert!(statements().all(|statement| texts.contains(&format!("-- {}\n", statement.name))));
}

/// Whatever is in the order of time is written at its end alone. An order of few words, then time, is too.
#[test]
fn no_index_begins_with_what_only_grows() {
    let spread = |name: &str| {
        let table = TABLES.iter().find(|table| table.indexes.iter().any(|index| index.name == name)).unwrap();
        is_spread(table, table.index(name).columns)
    };
    for name in ["users_by_created", "users_by_status", "sessions_by_expiry", "clients_by_created", "grants_by_end"] {
        assert!(spread(name), "{name}");
    }
    for name in ["sessions_by_user", "user_terms_by_value", "deliveries_by_due", "audit_entries_by_act"] {
        assert!(!spread(name), "{name} is spread by itself");
    }
    let schema = schema::schema().unwrap();
    for (table, index) in TABLES.iter().flat_map(|table| table.indexes.iter().map(move |index| (table, index))) {
        let first = index.columns.first().map(|column| table.column(column).kind);
        let of_bucket = format!("ADD INDEX {} GLOBAL SYNC ON (bucket, ", index.name);
        assert_eq!(schema.contains(&of_bucket), is_spread(table, index.columns), "{}", index.name);
        assert!(first != Some(userd_storage::Kind::Timestamp) || is_spread(table, index.columns), "{}", index.name);
    }
}

#[test]
fn a_list_in_the_order_of_time_reads_every_bucket_in_one_text() {
    let values = [userd_model::Timestamp::from_micros(9).into(), Uuid::nil().into(), 5_i64.into()];
    let requests = requests(&[call("users.next_page", &values)]);
    assert_eq!(requests.len(), 1);
    let text = requests[0].text();
    for bucket in 0..BUCKETS {
        assert_eq!(text.matches(&format!(" WHERE bucket = {bucket}l AND ")).count(), 1, "{text}");
    }
    assert!(text.contains(" ORDER BY bucket, created_at, id LIMIT $p3;"), "{text}");
    let [(_, Recipient::Buckets { call: 0, limit: Some(5) })] = requests[0].answers.as_slice() else {
        panic!("{:?}", requests[0].answers)
    };
}

/// A row is found again only if its bucket never changes, and rows share the buckets.
#[test]
fn the_bucket_of_a_row_is_made_of_its_key_alone_and_all_are_used() {
    let bucket_of = |n: u128, more: bool| {
        let mut values = row_of("users.insert", n);
        if more {
            values[1] = Value::from("blocked".to_owned());
        }
        let requests = requests(&[call("users.insert", &values)]);
        let given = requests[0].given.last().unwrap().clone();
        let Argument::One(Value::I64(bucket)) = given.argument else { panic!("{given:?}") };
        usize::try_from(bucket).unwrap()
    };
    assert_eq!(bucket_of(7, false), bucket_of(7, true));
    let mut rows = [0; BUCKETS as usize];
    (0..800).for_each(|n| rows[bucket_of(n, false)] += 1);
    assert!(rows.iter().all(|count| (60..140).contains(count)), "{rows:?}");
}
