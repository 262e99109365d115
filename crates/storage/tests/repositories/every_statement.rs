//! Every statement runs on every engine and answers columns of the declared number and kinds; on SQLite, its plan is
//! a search along the key or an index.

use userd_model::{Timestamp, User};
use userd_storage::{
    Access, Engine, Kind, Statement, StoreError, Transaction, UnitOfWork, Value, migrations::MIGRATIONS,
    repositories::statements, testing,
};

use crate::{
    samples,
    sql::{Sql, parse},
    stores::on_every_engine,
};

static SET_STATUS: Statement = Statement {
    name: "users.set_status",
    sql: "UPDATE users SET status = $1 WHERE id = $2",
    parameters: &[Kind::Text, Kind::Uuid],
    columns: &[],
    declared: None,
    numbered: std::sync::OnceLock::new(),
};

/// Plays a later release that knows one more status.
pub(crate) async fn set_status(uow: &mut UnitOfWork, user: &User, status: &str) -> Result<(), StoreError> {
    testing::run(uow, &SET_STATUS, &[status.into(), user.id.into()]).await.map(drop)
}

/// One value of each kind, the same in one run, so that rows made with them are found by them.
struct Dummies {
    text: String,
    bytes: [u8; 32],
    number: i64,
    moment: Timestamp,
    id: uuid::Uuid,
}

impl Dummies {
    fn new() -> Self {
        let (moment, bytes) = (samples::moment(), samples::hash());
        Self { text: samples::word(), bytes, number: moment.micros(), moment, id: samples::id() }
    }

    fn value(&self, kind: Kind) -> Value {
        match kind {
            Kind::Text => self.text.as_str().into(),
            Kind::Bytes => self.bytes.into(),
            Kind::I64 => self.number.into(),
            Kind::Bool => true.into(),
            Kind::Timestamp => self.moment.into(),
            Kind::Uuid => self.id.into(),
            Kind::Json => serde_json::json!({"a": [1, "б", null]}).into(),
        }
    }

    /// Below every other value of its kind: for the page behind it.
    fn lowest(kind: Kind) -> Value {
        match kind {
            Kind::Text => "".into(),
            Kind::Bytes => Vec::new().into(),
            Kind::Uuid => uuid::Uuid::nil().into(),
            Kind::Timestamp => Timestamp::from_micros(0).into(),
            _ => 0_i64.into(),
        }
    }

    /// Behind every row, for those who read backwards.
    fn highest(kind: Kind) -> Value {
        match kind {
            Kind::Text => "~".into(),
            Kind::Bytes => vec![255; 40].into(),
            Kind::Uuid => uuid::Uuid::max().into(),
            Kind::Timestamp => Timestamp::from_seconds(32_503_680_000).into(),
            _ => i64::MAX.into(),
        }
    }

    /// Values with which a statement finds the row that was made from the others.
    fn parameters(&self, statement: &Statement) -> Vec<Value> {
        let mut values: Vec<Value> = statement.parameters.iter().map(|kind| self.value(*kind)).collect();
        if let Ok(Sql::Select { conditions, limit, .. }) = parse(statement.sql) {
            for row in conditions.iter().filter(|condition| condition.row) {
                let end = if row.sign == "<" { Self::highest } else { Self::lowest };
                for placeholder in &row.placeholders {
                    values[placeholder - 1] = end(statement.parameters[placeholder - 1]);
                }
            }
            if let Some(placeholder) = limit {
                values[placeholder - 1] = 3_i64.into();
            }
        }
        values
    }
}

/// The statement that fills a whole row of a table.
fn filling(table: &str) -> &'static Statement {
    let names = ["copy_insert", "upsert", "insert"].map(|verb| format!("{table}.{verb}"));
    names.iter().find_map(|name| statements().find(|statement| statement.name == name)).unwrap()
}

/// The second table of a statement, if it has one.
fn joined(statement: &'static Statement) -> Option<&'static str> {
    statement.sql.split_once(" JOIN ")?.1.split_whitespace().next()
}

async fn begin(engine: &dyn Engine) -> Box<dyn Transaction> {
    engine.begin(Access { name: "every_statement", attempt: 0 }).await.unwrap()
}

#[tokio::test]
async fn every_statement_runs_and_answers_the_declared_kinds() {
    on_every_engine(async |store| {
        for statement in statements() {
            let dummies = Dummies::new();
            let mut transaction = begin(store.engine().as_ref()).await;
            if !statement.sql.starts_with("INSERT") {
                for filling in [Some(statement.table()), joined(statement)].into_iter().flatten().map(filling) {
                    transaction.run(filling, &dummies.parameters(filling)).await.unwrap();
                }
            }
            let rows = transaction.run(statement, &dummies.parameters(statement)).await;
            let rows = rows.unwrap_or_else(|error| panic!("{}: {error}", statement.name));
            assert_eq!(rows.is_empty(), !statement.is_read(), "{}", statement.name);
            for row in rows {
                assert!(row.0.iter().map(Value::kind).eq(statement.columns.iter().copied()), "{}", statement.name);
            }
        }
    })
    .await;
}

/// A null has a kind too, and every nullable column takes one.
#[tokio::test]
async fn nothing_has_a_kind_in_every_nullable_column() {
    on_every_engine(async |store| {
        for copy in userd_storage::repositories::copying::COPIED.iter() {
            let dummies = Dummies::new();
            let nulls = copy.table.columns.iter().map(|column| match column.nullable {
                true => Value::Null(column.kind),
                false => dummies.value(column.kind),
            });
            let values: Vec<Value> = nulls.collect();
            let mut transaction = begin(store.engine().as_ref()).await;
            transaction.run(copy.insert, &values).await.unwrap_or_else(|error| panic!("{}: {error}", copy.table.name));
            let mut seen = false;
            for row in transaction.run(copy.first_page, &[i64::MAX.into()]).await.unwrap() {
                seen |= row.0 == values;
            }
            assert!(seen, "{}", copy.table.name);
        }
    })
    .await;
}

#[test]
fn sqlite_answers_every_statement_along_the_key_or_an_index() {
    let database = rusqlite::Connection::open_in_memory().unwrap();
    for step in MIGRATIONS {
        database.execute_batch(step.sqlite).unwrap();
    }
    for statement in statements() {
        let mut plan = database.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sql.replace('$', "?"))).unwrap();
        let nothing = vec![rusqlite::types::Null; statement.parameters.len()];
        let steps: Vec<String> = plan
            .query_map(rusqlite::params_from_iter(nothing), |row| row.get("detail"))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let narrowed = statement.sql.contains(" WHERE ");
        for step in steps {
            assert!(!step.contains("TEMP B-TREE"), "{} sorts: {step}", statement.name);
            assert!(!narrowed || step.starts_with("SEARCH"), "{} scans: {step}", statement.name);
        }
    }
}
