//! Schemathesis holds the running program against its own OpenAPI document: no 500, no answer that is not described.

use std::time::{Duration, Instant};

use crate::support::{Caller, Engine, TestApp, all_required, rounds, told};

/// `st run` over the document, with these further arguments; its report when it is not content.
async fn schemathesis(base: &str, examples: usize, arguments: &[&str]) -> Option<Result<String, String>> {
    let python = told("USERD_TEST_PYTHON");
    assert!(python.is_some() || !all_required(), "USERD_TEST_PYTHON is not set and every case must run");
    let program = std::path::PathBuf::from(python?).with_file_name("schemathesis");
    let folder = tempfile::tempdir().unwrap();
    let output = tokio::process::Command::new(program)
        .args(["run", &format!("{base}/openapi.json")])
        .args([
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        ])
        .args(["--seed", "20260101", "--max-examples", &examples.to_string()])
        .args(["--continue-on-failure", "--no-shrink", "--workers", "1", "--warnings", "off", "--no-color"])
        // A form of many bounded members is drawn in vain too often for the few examples that are taken of each route.
        .args(["--suppress-health-check", "filter_too_much"])
        .args(arguments)
        .current_dir(folder.path())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(300), output).await.expect("Schemathesis ends").unwrap();
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(if output.status.success() { Ok(report) } else { Err(report) })
}

fn must_be_content(report: Result<String, String>) {
    let report = report.unwrap_or_else(|report| panic!("{report}"));
    let summary = report.lines().skip_while(|line| !line.starts_with("Test cases")).nth(1);
    println!("Schemathesis: {}", summary.unwrap_or_default().trim());
}

on_each_engine! {
    /// AC-115, AC-125: malformed values of every kind in every place.
    /// ASVS V2.2.1
    async fn every_answer_is_one_of_those_in_the_document(app: TestApp) {
        let replica = app.open().await;
        let admin = replica.admin(&app).await;
        let token = format!("Authorization: Bearer {}", admin.token());
        let start = Instant::now();
        // Which values are refused has little to do with the engine: the systematic part runs on one.
        let (usually, phases) = match app.engine() {
            Engine::Sqlite => (15, "examples,coverage,fuzzing"),
            Engine::Postgres | Engine::Ydb => (6, "fuzzing"),
        };
        let examples = rounds("USERD_TEST_EXAMPLES", usually);
        // Signing out would end the run.
        let arguments = ["--header", &token, "--phases", phases, "--exclude-path-regex", "^/v1/auth/logout"];
        let Some(report) = schemathesis(&replica.url, examples, &arguments).await else { return };
        must_be_content(report);
        // What a visitor is answered, on a few routes of every kind.
        let visitor = ["--phases", "coverage", "--include-path-regex", "^/v1/(auth/logout|me|users|clients|revocations|signing-keys)"];
        must_be_content(schemathesis(&replica.url, 5, &visitor).await.unwrap());
        println!("{:?}: {:?}", app.engine(), start.elapsed());
        assert_eq!(replica.lines_of("ERROR"), Vec::<String>::new());
        assert!(Caller::new(&replica.url).metric("userd_http_panics_total").await < 0.5);
    }
}
