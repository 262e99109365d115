//! Restoring: a database that goes back in time under tokens that do not (fault 22).

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Engine, PASSWORD, TestApp, unique, unique_email, until};

/// (fault 22) The service runs: refused, naming it. It stopped: the administrator whom the backup does not know blocks
/// nobody, nobody's old token is good anywhere, verifiers are told, and who is in the backup signs in again.
/// F43: a restored backup.
#[tokio::test]
async fn a_restored_backup_brings_no_token_back() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let replica = app.open().await;
    let visitor = replica.visitor();
    let email = unique_email();
    let member = visitor.register(&email, PASSWORD).await;
    let backup = app.path("backup.db");
    let backup = backup.to_str().unwrap();
    app.ask(&["backup", backup]).await;
    app.create_admin("lost@example.org", PASSWORD).await;
    let lost = visitor.login("lost@example.org", PASSWORD).await;
    let refused = app.run(&["restore", backup]).await;
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{words}");
    assert!(words.contains(&format!("is served by another process, {}", replica.pid().as_raw_pid())), "{words}");
    visitor.with(&lost).get("/v1/users").await.expect(200);
    assert!(replica.stop().await.status.success());

    let told = app.ask(&["restore", backup]).await;
    assert_eq!(told["sessions"], json!(1), "{told}");
    let replica = app.open().await;
    let visitor = replica.visitor();
    for tokens in [&member, &lost] {
        visitor.with(tokens).get("/v1/me").await.refused(401, "not_signed_in");
        visitor.with(tokens).get("/v1/users").await.refused(401, "not_signed_in");
        visitor.refresh(&tokens.refresh).await.refused(401, "invalid_refresh_token");
    }
    let again = visitor.login(&email, PASSWORD).await;
    visitor.with(&again).get("/v1/me").await.expect(200);
    let keys = visitor.get("/.well-known/jwks.json").await.expect(200).to_string();
    for kid in told["revoked_keys"].as_array().unwrap() {
        assert!(!keys.contains(kid.as_str().unwrap()), "{kid} is still published");
    }
}

/// Somebody comes, and a checkpoint of that is signed. Answers it.
async fn signed_after_somebody_came(app: &TestApp) -> String {
    let entries = async || {
        let exported = app.run(&["audit", "export", "--format", "jsonl"]).await;
        let lines = String::from_utf8(exported.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>()
    };
    let before = entries().await.len();
    let replica = app.open().await;
    replica.member().await;
    until("more is in the audit log", Duration::from_secs(20), async || entries().await.len() > before).await;
    let id = entries().await.last().unwrap()["id"].as_str().unwrap().to_owned();
    let proof = app.ask(&["audit", "prove", &id]).await["proof"].as_str().unwrap().to_owned();
    assert!(replica.stop().await.status.success());
    proof.split_once("\n\n").unwrap().1.to_owned()
}

/// What was signed between two restores of one backup is counted as cut off and contradicts nothing, before the service has
/// run again too.
#[tokio::test]
async fn a_checkpoint_from_between_two_restores_of_one_backup_is_counted() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    signed_after_somebody_came(&app).await;
    let backup = app.path("backup.db");
    let backup = backup.to_str().unwrap();
    app.ask(&["backup", backup]).await;
    app.ask(&["restore", backup]).await;
    let kept = app.path("kept");
    std::fs::write(&kept, signed_after_somebody_came(&app).await).unwrap();
    let verify = ["audit", "verify", "--checkpoint", kept.to_str().unwrap()];
    assert_eq!(app.ask(&verify).await["cut_off"], json!(0));
    app.ask(&["restore", backup]).await;
    for _ in 0..2 {
        let found = app.ask(&verify).await;
        assert_eq!((&found["intact"], &found["cut_off"]), (&json!(true), &json!(1)), "{found}");
        signed_after_somebody_came(&app).await;
    }
}

/// (fault 22) Put back by hand, without the command: tokens of whom the backup does not know are dead all the same.
#[tokio::test]
async fn tokens_of_whom_a_backup_does_not_know_are_dead_without_the_command_too() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let replica = app.open().await;
    let visitor = replica.visitor();
    let member = visitor.register(&unique_email(), PASSWORD).await;
    let backup = app.path("backup.db");
    app.ask(&["backup", backup.to_str().unwrap()]).await;
    app.create_admin("lost@example.org", PASSWORD).await;
    let lost = visitor.login("lost@example.org", PASSWORD).await;
    assert!(replica.stop().await.status.success());
    let after = app.with("database.url", &format!("sqlite://{}", backup.display()));
    let replica = after.open().await;
    let visitor = replica.visitor();
    visitor.with(&lost).get("/v1/me").await.refused(401, "not_signed_in");
    visitor.with(&lost).get("/v1/users").await.refused(401, "not_signed_in");
    visitor.with(&member).get("/v1/me").await.expect(200);
}

/// Who was erased after the backup was made is in it again, and is erased again: nobody signs in, the name is nobody's, and
/// the address is anybody's.
#[tokio::test]
async fn a_restored_older_backup_brings_no_erased_account_back() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let replica = app.open().await;
    let visitor = replica.visitor();
    let (email, username) = (unique_email(), unique("ann"));
    let body = json!({ "email": email, "username": username, "password": PASSWORD });
    let ann = visitor.post("/v1/auth/register", body.clone()).await.expect(201)["user"]["id"].clone();
    let stays = unique_email();
    visitor.register(&stays, PASSWORD).await;
    let backup = app.path("backup.db");
    let backup = backup.to_str().unwrap();
    app.ask(&["backup", backup]).await;
    app.ask(&["users", "delete", &username]).await;
    app.ask(&["users", "purge", "--yes", ann.as_str().unwrap()]).await;
    let ledger = std::fs::read_to_string(app.path("userd.purged.jsonl")).unwrap();
    assert!(ledger.contains(ann.as_str().unwrap()), "{ledger}");
    assert!(replica.stop().await.status.success());

    app.ask(&["restore", backup]).await;
    let replica = app.open().await;
    let visitor = replica.visitor();
    for login in [&email, &username] {
        let login = json!({ "login": login, "password": PASSWORD });
        visitor.post("/v1/auth/login", login).await.refused(401, "wrong_credentials");
    }
    visitor.post("/v1/auth/register", body).await.refused(409, "username_taken");
    let stranger = visitor.register(&email, PASSWORD).await;
    assert_ne!(json!(stranger.user_id()), ann);
    visitor.login(&stays, PASSWORD).await;
}

/// What the ledger says of an account that was used since is not true, and erases nobody.
#[tokio::test]
async fn a_ledger_that_names_an_account_in_use_does_not_erase_it() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let replica = app.open().await;
    let visitor = replica.visitor();
    let email = unique_email();
    let member = visitor.register(&email, PASSWORD).await;
    let backup = app.path("backup.db");
    let backup = backup.to_str().unwrap();
    app.ask(&["backup", backup]).await;
    assert!(replica.stop().await.status.success());
    let line = json!({ "user_id": member.user_id(), "purged_at": "2020-01-01T00:00:00Z" });
    std::fs::write(app.path("userd.purged.jsonl"), format!("{line}\n")).unwrap();

    let restored = app.run(&["restore", backup]).await;
    let words = String::from_utf8_lossy(&restored.stderr).into_owned();
    assert!(restored.status.success() && words.contains("it is left as it is"), "{words}");
    app.open().await.visitor().login(&email, PASSWORD).await;
}

/// (fault 22) A database that its own tools restored is taken as it is.
#[tokio::test]
async fn a_restored_postgres_database_is_taken_in_place() {
    let Some(app) = TestApp::build(Engine::Postgres).await else { return };
    let replica = app.open().await;
    let visitor = replica.visitor();
    let email = unique_email();
    let member = visitor.register(&email, PASSWORD).await;
    assert!(replica.stop().await.status.success());
    let told = app.ask(&["restore", "--in-place"]).await;
    assert_eq!((&told["sessions"], &told["from"], &told["kept"]), (&json!(1), &json!(null), &json!(null)), "{told}");
    let replica = app.open().await;
    let visitor = replica.visitor();
    visitor.with(&member).get("/v1/me").await.refused(401, "not_signed_in");
    visitor.refresh(&member.refresh).await.refused(401, "invalid_refresh_token");
    visitor.login(&email, PASSWORD).await;
}
