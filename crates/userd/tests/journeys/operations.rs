//! What operators type: migrations, doctor, configuration, keys, completions; in words and in JSON.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Engine, PASSWORD, TestApp, Tokens, unique_email, until};

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What the doctor found, part by part.
async fn doctor(app: &TestApp) -> (bool, Value) {
    let output = app.run(&["--json", "doctor"]).await;
    (output.status.success(), serde_json::from_slice(&output.stdout).unwrap())
}

fn finding<'a>(findings: &'a Value, part: &str) -> &'a Value {
    let found = findings.as_array().unwrap().iter().find(|finding| finding["part"] == part);
    found.unwrap_or_else(|| panic!("nothing about {part}: {findings}"))
}

on_each_engine! {
    async fn migrations_are_shown_and_applied(app: TestApp) {
        if app.engine() == Engine::Postgres {
            let status = app.ask(&["migrate", "status"]).await;
            let steps = status.as_array().unwrap();
            assert!(!steps.is_empty() && steps.iter().all(|step| step["state"] == "pending"), "{status}");
        }
        let applied = app.ask(&["migrate", "up"]).await;
        let status = app.ask(&["migrate", "status"]).await;
        let steps = status.as_array().unwrap();
        assert_eq!(applied["applied"], steps.len());
        assert!(steps.iter().all(|step| step["state"].as_str().unwrap().starts_with("applied ")), "{status}");
        assert_eq!(app.ask(&["migrate"]).await["applied"], 0);
    }

    async fn the_doctor_is_content_with_a_good_setup(app: TestApp) {
        app.ask(&["migrate"]).await;
        app.create_admin(&unique_email(), PASSWORD).await;
        let (well, findings) = doctor(&app).await;
        assert!(well, "{findings}");
        for part in ["configuration", "database", "administrator", "cache"] {
            assert_eq!(finding(&findings, part)["state"], "ok", "{findings}");
        }
    }

    /// The embedded database has one beside it; with the others it is named, or nobody remembers who was erased.
    async fn who_keeps_no_ledger_of_erased_accounts_is_told_by_the_start_and_by_the_doctor(app: TestApp) {
        app.ask(&["migrate"]).await;
        let is_embedded = app.engine() == Engine::Sqlite;
        let named = app.with("accounts.purge_ledger", app.path("purged.jsonl").to_str().unwrap());
        for (app, is_kept) in [(&app, is_embedded), (&named, true)] {
            let (well, findings) = doctor(app).await;
            assert!(well, "{findings}");
            let expected = if is_kept { "ok" } else { "warning" };
            assert_eq!(finding(&findings, "purge_ledger")["state"], expected, "{findings}");
            let lines = app.open().await.stop().await.stdout;
            let is_told = lines.iter().any(|line| line.contains("accounts.purge_ledger is not set"));
            assert_eq!(is_told, !is_kept, "{lines:?}");
        }
    }

    /// (fault 32)
    async fn what_the_service_takes_at_worst_is_said_by_the_start_and_by_the_doctor(app: TestApp) {
        app.ask(&["migrate"]).await;
        // More than any machine of today has.
        let hungry = app.with("passwords.workers", "1024").with("passwords.argon2.memory_kib", "4194304");
        let (well, findings) = doctor(&hungry).await;
        assert!(well, "{findings}");
        assert_eq!(finding(&findings, "memory")["state"], "warning", "{findings}");
        let says = finding(&findings, "memory")["says"].as_str().unwrap();
        assert!(says.contains("4194304 are for 1024 passwords") && says.contains("lower passwords.workers"), "{says}");
        let modest = app.with("passwords.workers", "2").with("cache.memory_mib", "8").with("http.max_connections", "100");
        let replica = modest.open().await;
        let lines = replica.stop().await.stdout;
        let line = lines.iter().find(|line| line.contains("\"worst_mib\":90")).unwrap_or_else(|| panic!("{lines:?}"));
        assert!(line.contains("\"workers\":2") && line.contains("\"hashing_mib\":16"), "{line}");
    }

    /// ASVS V11.2.2
    async fn a_new_master_key_takes_over_and_the_old_one_can_go(app: TestApp) {
        let replica = app.open().await;
        let email = unique_email();
        let tokens = replica.visitor().register(&email, PASSWORD).await;
        assert!(replica.stop().await.status.success());

        let (old, new) = (app.get("crypto.master_key_file").to_owned(), app.path("new.key"));
        std::fs::write(&new, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").unwrap();
        let only_new = app.with("crypto.master_key_file", new.to_str().unwrap());
        let both = only_new.with("crypto.previous_master_key_files.0", &old);

        // The new one alone opens nothing yet, and says what to do.
        let refused = only_new.run(&["users", "list"]).await;
        assert!(!refused.status.success());
        assert!(stderr(&refused).contains("previous_master_key_files"), "{}", stderr(&refused));

        // Rewrapping happens beside a service that runs with both.
        let replica = both.open().await;
        let visitor = replica.visitor();
        let tokens = Tokens::of(&visitor.refresh(&tokens.refresh).await.expect(200));
        let report = both.ask(&["keys", "rewrap"]).await;
        assert!(report["rewrapped"].as_u64().unwrap() >= 4, "{report}");
        assert_eq!(both.ask(&["keys", "rewrap"]).await["rewrapped"], 0);
        visitor.with(&tokens).get("/v1/me").await.expect(200);
        assert!(replica.stop().await.status.success());

        std::fs::remove_file(&old).unwrap();
        let replica = only_new.open().await;
        let visitor = replica.visitor();
        assert_eq!(visitor.with(&tokens).get("/v1/me").await.expect(200)["email"], email.as_str());
        visitor.refresh(&tokens.refresh).await.expect(200);
        visitor.login(&email, PASSWORD).await;
    }

    async fn every_command_answers_in_json(app: TestApp) {
        app.ask(&["migrate"]).await;
        let admin = app.create_admin(&unique_email(), PASSWORD).await;
        let id = admin["id"].as_str().unwrap();
        assert_eq!(app.ask(&["users", "show", id]).await["roles"], serde_json::json!(["admin"]));
        let keys = app.ask(&["keys", "list"]).await;
        assert_eq!(keys.as_array().unwrap().len(), 2);
        let rotated = app.ask(&["keys", "rotate"]).await;
        let active = rotated.as_array().unwrap().iter().find(|key| key["state"] == "active").unwrap();
        app.ask(&["keys", "revoke", active["kid"].as_str().unwrap()]).await;
        let made = app.ask(&["clients", "create", "billing", "--permission", "tokens.introspect"]).await;
        let client = made["client"]["id"].as_str().unwrap().to_owned();
        let rotated = app.ask(&["clients", "rotate-secret", &client]).await;
        assert_ne!(rotated["client_secret"], made["client_secret"]);
        app.ask(&["clients", "disable", &client]).await;
        assert!(app.ask(&["clients", "list"]).await[0]["disabled_at"].is_string());
        let version = app.ask(&["version"]).await;
        assert_eq!(version["name"], "userd");
        let built = version["build_time"].as_str().unwrap();
        assert!(built == "unknown" || (built.len() == 20 && built.ends_with('Z')), "{built}");
        assert_eq!(app.ask(&["openapi"]).await["openapi"], "3.1.0");
        assert_eq!(app.ask(&["config", "check"]).await["lawful"], true);
        assert!(app.ask(&["config", "schema"]).await["properties"].is_object());

        // In words, without anything that only a machine would read.
        let list = app.run(&["users", "list"]).await;
        let text = String::from_utf8(list.stdout).unwrap();
        assert!(text.starts_with("ID ") && text.contains(id), "{text}");
        let nobody = app.run(&["users", "show", "nobody@example.org"]).await;
        assert_eq!(nobody.status.code(), Some(1));
        assert!(stderr(&nobody).contains("no account nobody@example.org"));
    }
}

/// What would have gone to a relay lies in the database, and is looked at in a browser.
#[tokio::test]
async fn a_mail_without_a_relay_is_listed_shown_and_opened() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let replica = app.open().await;
    let email = unique_email();
    let body = serde_json::json!({ "email": email, "password": PASSWORD, "locale": "ru" });
    replica.visitor().post("/v1/auth/register", body).await.expect(201);
    let mut mail = serde_json::Value::Null;
    until("a mail", Duration::from_secs(30), async || {
        mail = app.ask(&["mail", "list"]).await[0].take();
        mail["id"].is_string()
    })
    .await;
    assert_eq!(mail["to"], email.as_str());
    let id = mail["id"].as_str().unwrap();
    let shown = app.ask(&["mail", "show", id]).await;
    assert_eq!((&shown["subject"], &shown["id"]), (&mail["subject"], &mail["id"]));
    let link = shown["text"].as_str().unwrap().split_whitespace().find(|word| word.contains("/l/udl_")).unwrap();
    // Not at a terminal nothing is opened: the page is written where its reader alone finds it, and the path is said.
    for arguments in [&["mail", "open", id][..], &["mail", "open", id, "--print-path"]] {
        let opened = app.ask(arguments).await;
        assert_eq!(opened["opened"], false, "{opened}");
        let path = std::path::Path::new(opened["path"].as_str().unwrap());
        let page = std::fs::read_to_string(path).unwrap();
        assert_eq!(page, shown["html"].as_str().unwrap());
        assert!(page.starts_with("<!doctype html>") && page.contains("lang=\"ru\"") && page.contains(link), "{page}");
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
    assert_eq!(app.run(&["mail", "open", "0197f9c2-0000-7000-8000-000000000000"]).await.status.code(), Some(1));
}

#[tokio::test]
async fn the_doctor_says_what_is_wrong_and_what_to_do() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    assert!(app.open().await.stop().await.status.success());
    // No administrator, and a Redis that nobody runs: warnings, no more.
    let port = crate::support::servers::free_port();
    let lonely = app.with("cache.url", &format!("redis://127.0.0.1:{port}"));
    let (well, findings) = doctor(&lonely).await;
    assert!(well, "{findings}");
    assert_eq!(finding(&findings, "cache")["state"], "warning");
    assert!(finding(&findings, "administrator")["says"].as_str().unwrap().contains("create-admin"));
    // For people outside, and their mails lie in a table.
    let (_, findings) = doctor(&app.with("http.public_url", "https://users.example.org")).await;
    assert!(finding(&findings, "mail")["says"].as_str().unwrap().contains("development mailbox"));
    // A database that is not there.
    let gone = app.with("database.url", &format!("postgres://nobody@127.0.0.1:{port}/none"));
    let (well, findings) = doctor(&gone).await;
    assert!(!well);
    assert!(findings.as_array().unwrap().iter().any(|finding| finding["state"] == "wrong"), "{findings}");
    // Another master key than the database's.
    let key = app.path("other.key");
    std::fs::write(&key, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").unwrap();
    let (well, findings) = doctor(&app.with("crypto.master_key_file", key.to_str().unwrap())).await;
    assert!(!well);
    assert!(findings.to_string().contains("another master key"), "{findings}");
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_before_a_port_opens() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let file = app.path("config.yaml");
    std::fs::write(&file, "tokens:\n  acess_ttl: 5m\nlog:\n  level: loud\n").unwrap();
    for arguments in [&["config", "check"][..], &["serve"], &["doctor"]] {
        let output = app.run(arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let text = stderr(&output);
        assert!(text.contains("config.yaml:2:3"), "{text}");
        assert!(text.contains("acess_ttl") && text.contains("access_ttl"), "{text}");
        assert!(text.contains("config.yaml:4:"), "{text}");
        assert!(output.stdout.is_empty());
    }
    let listed = app.run(&["--json", "config", "check"]).await;
    let errors: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(errors.as_array().unwrap().len(), 2, "{errors}");
    let usage = app.run(&["users", "blok", "x"]).await;
    assert_eq!(usage.status.code(), Some(2));
}

#[tokio::test]
async fn completions_know_every_command() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = app.run(&["completions", shell]).await;
        let text = String::from_utf8(output.stdout).unwrap();
        for word in ["serve", "create-admin", "rewrap", "backup"] {
            assert!(text.contains(word), "{shell}: {word}");
        }
    }
}

/// A database that came from elsewhere without its key is not given another one.
#[tokio::test]
async fn a_missing_master_key_is_never_replaced() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    app.ask(&["migrate"]).await;
    app.create_admin(&unique_email(), PASSWORD).await;
    std::fs::remove_file(app.path("master.key")).unwrap();
    let output = app.run(&["serve"]).await;
    assert!(!output.status.success());
    assert!(stderr(&output).contains("master.key"), "{}", stderr(&output));
    assert!(!app.path("master.key").exists());
}
