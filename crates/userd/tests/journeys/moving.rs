//! Moving: `userd storage copy` from the embedded database to PostgreSQL, and `userd backup`.

use std::{collections::HashMap, path::Path, time::Duration};

use serde_json::{Value, json};

use crate::support::{Engine, PASSWORD, TestApp, Tokens, unique_email, until};

/// Makes some people, and says what they hold.
pub async fn inhabit(app: &TestApp, count: usize) -> Vec<(String, Tokens)> {
    let replica = app.open().await;
    let visitor = replica.visitor();
    let mut people = Vec::new();
    for _ in 0..count {
        let email = unique_email();
        let tokens = visitor.register(&email, PASSWORD).await;
        people.push((email, tokens));
    }
    let attributes =
        json!({ "attributes": { "big": 9007199254740993_i64, "text": "ё", "ratio": 0.1, "list": [1, null] } });
    let request = visitor.with(&people[0].1).request(reqwest::Method::PATCH, "/v1/me").json(&attributes);
    crate::support::caller::send(request).await.unwrap().expect(200);
    assert!(replica.stop().await.status.success());
    people
}

/// Everybody can sign in and go on with what they held before.
pub async fn everybody_is_at_home(app: &TestApp, people: &[(String, Tokens)]) {
    let replica = app.open().await;
    let visitor = replica.visitor();
    for (email, tokens) in people {
        visitor.refresh(&tokens.refresh).await.expect(200);
        visitor.with(tokens).get("/v1/me").await.expect(200);
        let again = visitor.post("/v1/auth/register", json!({ "email": email, "password": PASSWORD })).await;
        again.refused(409, "email_taken");
    }
    let first = visitor.login(&people[0].0, PASSWORD).await;
    assert_eq!(first.user["attributes"]["big"], 9007199254740993_i64);
    assert_eq!(first.user["attributes"]["text"], "ё");
}

/// What `storage copy` did, by table: rows and checksum.
pub fn by_table(copied: &Value) -> HashMap<String, (u64, String)> {
    let line = |line: &Value| {
        let name = line["table"].as_str().unwrap().to_owned();
        (name, (line["rows"].as_u64().unwrap(), line["sha256"].as_str().unwrap().to_owned()))
    };
    copied.as_array().unwrap().iter().map(line).collect()
}

/// An app on the embedded engine, and the same one as it will be on PostgreSQL.
async fn old_and_new() -> Option<(TestApp, TestApp)> {
    let new = TestApp::build(Engine::Postgres).await?;
    let old = TestApp::build(Engine::Sqlite).await?;
    let new = new.with("crypto.master_key_file", old.get("crypto.master_key_file"));
    Some((old, new))
}

pub async fn copy(old: &TestApp, new: &TestApp, more: &[&str]) -> std::process::Output {
    // A URL with a password is given in a file.
    let file = old.path("target-url");
    std::fs::write(&file, new.get("database.url")).unwrap();
    let from = old.get("database.url").to_owned();
    let arguments = ["--json", "storage", "copy", "--from", &from, "--to-file", file.to_str().unwrap()];
    old.run(&[&arguments, more].concat()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_moves_from_sqlite_to_postgres() {
    let Some((old, new)) = old_and_new().await else { return };
    let people = inhabit(&old, 20).await;
    let output = copy(&old, &new, &[]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let copied = by_table(&serde_json::from_slice(&output.stdout).unwrap());
    assert_eq!((copied["users"].0, copied["sessions"].0, copied["claims"].0), (20, 20, 20));
    assert!(copied.values().all(|(_, checksum)| checksum.len() == 64));
    everybody_is_at_home(&new, &people).await;

    // A target that holds something is left alone.
    let again = copy(&old, &new, &[]).await;
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("not empty"), "{again:?}");
    // And one that went on living is not taken for a half-done copy.
    let resumed = copy(&old, &new, &["--resume"]).await;
    assert_eq!(resumed.status.code(), Some(2), "{resumed:?}");
    assert!(String::from_utf8_lossy(&resumed.stderr).contains("not empty"), "{resumed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_copy_is_resumed() {
    let Some((old, new)) = old_and_new().await else { return };
    let people = inhabit(&old, 60).await;
    // Who is killed while making the schema leaves a lease behind, which is waited for; this is about the copy.
    new.ask(&["migrate"]).await;
    let mut kills = 0;
    // Killed later and later, until it comes through.
    for delay in (0..).map(|step| Duration::from_millis(100 << step)) {
        let file = old.path("target-url");
        std::fs::write(&file, new.get("database.url")).unwrap();
        let from = old.get("database.url").to_owned();
        let arguments = ["storage", "copy", "--resume", "--from", &from, "--to-file", file.to_str().unwrap()];
        let mut child = old.command().args(arguments).spawn().unwrap();
        if let Ok(ended) = tokio::time::timeout(delay, child.wait()).await {
            assert!(ended.unwrap().success());
            break;
        }
        child.kill().await.unwrap();
        kills += 1;
    }
    println!("the copy was killed {kills} times before it came through");
    assert!(kills > 0);
    everybody_is_at_home(&new, &people).await;
}

/// The service goes on writing while the backup is made; what was there before is in it.
/// F35: a backup made under load is consistent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_running_service_can_be_served() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let people = inhabit(&app, 5).await;
    let replica = app.open().await;
    let visitor = replica.visitor();
    let writing = tokio::spawn(async move {
        loop {
            let body = json!({ "email": unique_email(), "password": PASSWORD });
            if visitor.try_post("/v1/auth/register", &body).await.is_err() {
                return;
            }
        }
    });
    until("writing", Duration::from_secs(10), async || {
        replica.visitor().metric("userd_tokens_issued_total").await > 5.0
    })
    .await;
    let target = app.path("backup.db");
    let report = app.ask(&["backup", target.to_str().unwrap()]).await;
    assert_eq!(report["bytes"].as_u64().unwrap(), std::fs::metadata(&target).unwrap().len());
    writing.abort();
    replica.kill().await;

    let restored = app.with("database.url", &format!("sqlite://{}", target.display()));
    everybody_is_at_home(&restored, &people).await;
    // It is never written over.
    let again = app.run(&["backup", target.to_str().unwrap()]).await;
    assert!(!again.status.success());
    assert!(Path::new(&target).exists());
}

/// PostgreSQL has its own tools, and the command says so.
#[tokio::test]
async fn a_backup_of_postgres_is_sent_to_its_own_tools() {
    let Some(app) = TestApp::build(Engine::Postgres).await else { return };
    let output = app.run(&["backup", "copy.db"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("pg_dump"));
}
