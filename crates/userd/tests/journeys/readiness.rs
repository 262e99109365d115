//! The truth of `/readyz`: it is 200 only while requests are served.

use serde_json::{Value, json};
use userd_storage::engines::{PostgresEngine, PostgresOptions, SqliteEngine, SqliteLocation, SqliteOptions};

use crate::support::{Engine, PASSWORD, TestApp, unique_email};

/// F42: the files are removed under a service that goes on: nobody is told that something was kept (fault 20).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_database_acknowledges_nothing() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let replica = app.open().await;
    let visitor = replica.visitor();
    let (member, _) = replica.member().await;
    for end in ["", "-wal", "-shm"] {
        std::fs::remove_file(app.path(&format!("userd.db{end}"))).unwrap();
    }
    for _ in 0..32 {
        let body = json!({ "email": unique_email(), "password": PASSWORD });
        let answer = visitor.post("/v1/auth/register", body).await;
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(answer.headers.contains_key("retry-after"), "{}", answer.text);
    }
    let renamed = member.request(reqwest::Method::PATCH, "/v1/me").json(&json!({ "display_name": "Ada" }));
    assert_eq!(renamed.send().await.unwrap().status(), 503);
    let ready = visitor.get("/readyz").await.expect(503);
    assert_eq!(ready["parts"]["database"], "down", "{ready}");
    let told = replica.lines_of("ERROR");
    assert!(told.iter().any(|line| line.contains("was removed or replaced while it was in use")), "{told:?}");
    assert!(!app.path("userd.db").exists());
}

/// The app's database, as another process would open it.
pub fn beside(app: &TestApp) -> Box<dyn userd_storage::Engine> {
    match app.engine() {
        Engine::Sqlite => {
            let file = SqliteLocation::File(app.path("userd.db"));
            Box::new(SqliteEngine::open(&SqliteOptions::at(file)).unwrap())
        }
        Engine::Postgres => {
            Box::new(PostgresEngine::new(&PostgresOptions::at(app.get("database.url").to_owned())).unwrap())
        }
        Engine::Ydb => panic!("nobody asks for it"),
    }
}

on_each_engine! {
    /// F45: no tables: every request is a 503 with a time to come back, and so is the probe, by name (fault 21).
    async fn a_database_that_lost_its_tables_is_not_ready(app: TestApp) {
        let replica = app.open().await;
        let (member, tokens) = replica.member().await;
        let visitor = replica.visitor();
        let ready: Value = visitor.get("/readyz").await.expect(200);
        for part in ["database", "database_read", "database_write"] {
            assert_eq!(ready["parts"][part], "ok", "{ready}");
        }
        let database = beside(&app);
        for table in ["users", "sessions", "claims", "system_secrets", "leases"] {
            database.run_schema(&format!("DROP TABLE {table}")).await.unwrap();
        }
        database.close().await;
        let body = json!({ "email": unique_email(), "password": PASSWORD });
        for answer in [
            visitor.post("/v1/auth/register", body.clone()).await,
            visitor.post("/v1/auth/login", json!({ "login": body["email"], "password": PASSWORD })).await,
            visitor.refresh(&tokens.refresh).await,
            member.get("/v1/me/sessions").await,
        ] {
            assert_eq!(answer.status, 503, "{}", answer.text);
            assert!(answer.headers.contains_key("retry-after"), "{}", answer.text);
        }
        let ready = visitor.get("/readyz").await.expect(503);
        for part in ["database", "database_read"] {
            assert_eq!(ready["parts"][part], "down", "{ready}");
        }
    }
}
