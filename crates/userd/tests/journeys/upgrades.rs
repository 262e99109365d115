//! Upgrades: a database that an older version made opens, is brought up to date and works. Each version that changed
//! the schema has a folder in `../fixtures`, and a journey here.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use serde_json::{Value, json};
use userd_model::Timestamp;
use userd_storage::{
    Store,
    engines::{PostgresEngine, PostgresOptions, SqliteEngine, SqliteLocation, SqliteOptions},
    testing::TestRandom,
};

use crate::support::{Engine, PASSWORD, TestApp, until};

/// Moves a copy of the old database and its master key into a new app; answers what people held.
async fn move_in(app: &TestApp, version: &str) -> Value {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(version);
    let folder = match app.engine() {
        Engine::Sqlite => fixtures.join("sqlite"),
        Engine::Postgres => fixtures.join("postgres"),
        Engine::Ydb => panic!("no release of before ran on it"),
    };
    let key = app.path("master.key");
    std::fs::copy(folder.join("master.key"), &key).unwrap();
    std::fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    match app.engine() {
        Engine::Sqlite => {
            std::fs::copy(folder.join("userd.db"), app.path("userd.db")).unwrap();
        }
        Engine::Postgres => {
            let dump = std::fs::read_to_string(folder.join("userd.sql")).unwrap();
            let (client, driver) =
                tokio_postgres::connect(app.get("database.url"), tokio_postgres::NoTls).await.unwrap();
            let driver = tokio::spawn(driver);
            client.batch_execute(&dump).await.unwrap();
            drop(client);
            driver.await.unwrap().unwrap();
        }
        Engine::Ydb => panic!("no release of before ran on it"),
    }
    serde_json::from_str(&std::fs::read_to_string(folder.join("held.json")).unwrap()).unwrap()
}

/// The database behind the service, which has been stopped.
fn store(app: &TestApp) -> Store {
    let engine: Arc<dyn userd_storage::Engine> = match app.engine() {
        Engine::Sqlite => {
            let location = SqliteLocation::File(app.path("userd.db"));
            Arc::new(SqliteEngine::open(&SqliteOptions::at(location)).unwrap())
        }
        Engine::Postgres => {
            Arc::new(PostgresEngine::new(&PostgresOptions::at(app.get("database.url").to_owned())).unwrap())
        }
        Engine::Ydb => panic!("no release of before ran on it"),
    };
    Store::new(engine, Arc::new(TestRandom::default()))
}

/// Every row of the tables that no request reads here is where the renamed tables are now.
async fn nothing_was_lost(app: &TestApp) {
    let (store, long_ago) = (store(app), Timestamp::from_micros(0));
    let mut reading = store.reading();
    let token = reading.one_time_tokens().find(&[1; 32], "kept", long_ago).await.unwrap().unwrap();
    assert_eq!(token.payload, [2; 32]);
    assert!(reading.replay_guard().was_consumed(&[3; 32]).await.unwrap());
    assert_eq!(reading.roles().find("reader").await.unwrap().unwrap().permissions, ["users.read"]);
    assert_eq!(reading.users().page(None, 9).await.unwrap().len(), 3);
    let applied = reading.schema_migrations().all().await.unwrap();
    assert!(applied.iter().all(|step| step.checksum.len() == 32), "an old checksum was not replaced");
    store.engine().close().await;
}

on_each_engine! {
    async fn a_database_made_before_tables_were_renamed_opens_and_works(app: TestApp) {
        let held = move_in(&app, "8faec75").await;
        let text = |name: &str| held[name].as_str().unwrap().to_owned();
        let replica = app.open().await;
        let visitor = replica.visitor();

        // Who has an old refresh token goes on, and who has a password signs in.
        visitor.refresh(&text("refresh_token")).await.expect(200);
        let ada = visitor.login("ada@example.org", PASSWORD).await;
        assert_eq!(ada.user["display_name"], "Ада");
        assert_eq!(ada.user["attributes"], json!({ "big": 9007199254740993_i64, "text": "ё" }));
        let again = json!({ "email": "bob@example.org", "password": PASSWORD });
        visitor.post("/v1/auth/register", again).await.refused(409, "email_taken");

        // What they may do is what it was.
        let admin = visitor.login("admin@example.org", PASSWORD).await;
        let users = visitor.with(&admin).get("/v1/users").await.expect(200);
        assert_eq!(users["items"].as_array().unwrap().len(), 3, "{users}");
        visitor.with(&ada).get("/v1/users").await.expect(403);
        let (id, secret) = (text("client_id"), text("client_secret"));
        let grant = [("grant_type", "client_credentials")];
        let service = visitor.form("/oauth2/token", &grant, Some((&id, &secret))).await.expect(200);
        visitor.bearing(service["access_token"].as_str().unwrap()).get("/v1/users").await.expect(200);

        // What waited in the outbox from before is told to nobody. (fault 36)
        let (reader, mut told) = (visitor.with(&admin), Value::Null);
        until("the sign-ins of today are told", Duration::from_secs(20), async || {
            told = reader.get("/v1/events?limit=200").await.expect(200)["items"].clone();
            told.to_string().contains("session.started")
        })
        .await;
        assert!(!told.to_string().contains("user.registered"), "{told}");

        assert!(replica.stop().await.status.success());
        nothing_was_lost(&app).await;
    }
}
