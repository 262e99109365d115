//! The official SDKs of other languages work against it: it speaks the protocol, and not only what our client expects.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::process::Command;

use crate::client::Database;

#[tokio::test]
async fn the_python_sdk_works_against_it() {
    let Some(python) = installed("USERD_TEST_PYTHON") else { return };
    let database = Database::new().await;
    let endpoint = format!("grpc://{}", database.emulator().endpoint());
    passes(Command::new(python).arg(script("ydb_sdk.py")).args([&endpoint, "/local"])).await;
}

#[tokio::test]
async fn the_node_sdk_works_against_it() {
    if installed("USERD_TEST_NODE_MODULES").is_none() {
        return;
    }
    let database = Database::new().await;
    passes(Command::new("node").arg(script("ydb_sdk.mjs")).arg(database.emulator().connection_string())).await;
}

async fn passes(command: &mut Command) {
    let output = tokio::time::timeout(Duration::from_secs(120), command.kill_on_drop(true).output()).await;
    let output = output.expect("it ends").unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("passed"), "{told}");
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients").join(name)
}

/// What `./test` has installed; where it is not, only `./test` insists.
#[expect(clippy::disallowed_methods, reason = "the environment is how tests are told of their servers")]
fn installed(variable: &str) -> Option<String> {
    let found = std::env::var(variable).ok();
    let required = std::env::var("USERD_TEST_REQUIRE_ALL").is_ok_and(|value| value == "1");
    assert!(found.is_some() || !required, "{variable} is not set and every case must run");
    found
}
