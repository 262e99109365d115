//! The declared schema and the schema that the steps make, compared on real databases: by what each engine says of
//! its columns, their types, keys and indexes.

use tokio_postgres::NoTls;
use userd_storage::{
    engine::Dialect,
    tables::schema::schema,
    testing::{Backend, TestDatabase, stepped_on},
};

/// What SQLite says of every table and index. The text of a step is not compared: how it is laid out says nothing.
fn told_by_sqlite(file: &str) -> Vec<String> {
    let database = rusqlite::Connection::open(file).unwrap();
    let facts = "SELECT 'column', m.name, p.cid, p.name, p.type, p.\"notnull\", p.pk, l.wr, l.strict
            FROM sqlite_schema m, pragma_table_info(m.name) p, pragma_table_list(m.name) l WHERE m.type = 'table'
        UNION ALL
        SELECT 'index', i.name || coalesce(c.name, ''), x.seqno, c.name, m.name, i.\"unique\", x.\"desc\", i.partial, x.coll
            FROM sqlite_schema m, pragma_index_list(m.name) i, pragma_index_xinfo(i.name) x
            LEFT JOIN pragma_table_info(m.name) c ON c.cid = x.cid WHERE m.type = 'table'
        ORDER BY 1, 2, 3";
    let mut statement = database.prepare(facts).unwrap();
    let line = |row: &rusqlite::Row<'_>| {
        let cells: Vec<String> = (0..9).map(|at| format!("{:?}", row.get_ref(at).unwrap())).collect();
        Ok(cells.join(" "))
    };
    statement.query_map([], line).unwrap().map(Result::unwrap).collect()
}

async fn told_by_postgres(url: &str) -> Vec<String> {
    let (client, driver) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let driver = tokio::spawn(driver);
    let facts = "SELECT concat_ws(' ', table_name, ordinal_position, column_name, data_type, collation_name,
                is_nullable, column_default) FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1";
    let rows = client.query(facts, &[]).await.unwrap();
    drop(client);
    driver.await.unwrap().unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn told(backend: Backend, database: &TestDatabase) -> Vec<String> {
    let url = database.url().unwrap();
    match backend {
        Backend::Postgres => told_by_postgres(&url).await,
        _ => told_by_sqlite(url.strip_prefix("sqlite:").unwrap()),
    }
}

async fn the_declared_schema_is_what_the_steps_make(backend: Backend, dialect: Dialect) {
    let (Some(stepped), Some(declared)) =
        (TestDatabase::create(backend).await.unwrap(), TestDatabase::create(backend).await.unwrap())
    else {
        return;
    };
    let by_steps = stepped_on(stepped.engine().unwrap()).await.unwrap();
    by_steps.engine().close().await;
    let engine = declared.engine().unwrap();
    engine.run_schema(&schema(dialect)).await.unwrap();
    engine.close().await;
    let (steps, declarations) = (told(backend, &stepped).await, told(backend, &declared).await);
    assert!(steps.len() > 100, "hardly anything is told: {steps:?}");
    assert_eq!(steps, declarations);
}

#[tokio::test]
async fn sqlite_has_the_declared_schema_after_all_steps() {
    the_declared_schema_is_what_the_steps_make(Backend::File, Dialect::Sqlite).await;
}

#[tokio::test]
async fn postgres_has_the_declared_schema_after_all_steps() {
    the_declared_schema_is_what_the_steps_make(Backend::Postgres, Dialect::Postgres).await;
}
