//! What other makers' generators make of the API document, and what a reader for the blind meets in its page.

use serde_json::json;

use crate::support::{Engine, TestApp, script};

/// The document is exact enough for typed clients: they are made and compile, and nothing is complained about (fault 33).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typed_clients_are_made_from_the_document_without_a_warning() {
    let Some(app) = TestApp::build(Engine::Sqlite).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("openapi.json");
    std::fs::write(&document, app.ask(&["openapi"]).await.to_string()).unwrap();
    let arguments = [document.to_str().unwrap(), folder.path().to_str().unwrap()];
    for maker in ["typed_client.py", "typed_client.mjs"] {
        let Some(answer) = script::run(maker, &arguments).await else { continue };
        assert_eq!(answer, json!({"complaints": []}), "{maker}");
    }
}

/// axe finds nothing critical in `/docs`, with operations of several forms opened (fault 33).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documentation_page_passes_the_critical_rules_of_axe() {
    let Some(app) = TestApp::build(Engine::Sqlite).await else { return };
    let replica = app.open().await;
    let page = format!("{}/docs", replica.url);
    let operations = ["sign_in_login", "users_list", "me_change"];
    let arguments: Vec<&str> = std::iter::once(page.as_str()).chain(operations).collect();
    let Some(found) = script::run("docs_axe.mjs", &arguments).await else { return };
    assert!(found["passes"].as_u64().unwrap() > 15, "the page is no longer read: {found}");
    let violations = found["violations"].as_array().unwrap();
    let critical: Vec<_> = violations.iter().filter(|rule| rule["impact"] == "critical").collect();
    assert!(critical.is_empty(), "{critical:#?}");
}
