//! Programs of others: providers and signers in Node and Python, started from `tests/clients`. Where they are not
//! installed and need not be, there is nothing.

use std::{path::PathBuf, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
};

use crate::support::{all_required, told};

/// A script in its language, to be completed.
fn script(name: &str) -> Option<Command> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients");
    let program = if name.ends_with(".py") { python() } else { node() };
    let mut command = Command::new(program?);
    command.arg(folder.join(name)).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    Some(command)
}

/// A Python with the packages of `tests/clients`.
pub fn python() -> Option<String> {
    required("USERD_TEST_PYTHON")
}

fn node() -> Option<String> {
    required("USERD_TEST_NODE_MODULES").map(|_| "node".to_owned())
}

fn required(variable: &str) -> Option<String> {
    let found = told(variable);
    assert!(found.is_some() || !all_required(), "{variable} is not set and every case must run");
    found
}

/// A provider that is not ours. It ends with this value.
pub struct Upstream {
    pub issuer: String,
    _process: Child,
}

impl Upstream {
    /// Starts it and reads its issuer, which it prints first.
    pub async fn start(name: &str, arguments: &[&str]) -> Option<Self> {
        let mut child = script(name)?.args(arguments).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = tokio::time::timeout(Duration::from_secs(30), lines.next_line()).await;
        let issuer = first.unwrap_or_else(|_| panic!("{name} does not start")).unwrap();
        let issuer = issuer.unwrap_or_else(|| panic!("{name} ended at once"));
        // What it prints later must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Some(Self { issuer, _process: child })
    }
}

/// Gives a script JSON and reads the JSON it answers.
pub async fn ask(name: &str, arguments: &[&str], question: &serde_json::Value) -> Option<serde_json::Value> {
    let mut child = script(name)?.args(arguments).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(question.to_string().as_bytes()).await.unwrap();
    drop(stdin);
    let output = tokio::time::timeout(Duration::from_secs(30), child.wait_with_output()).await;
    let output = output.unwrap_or_else(|_| panic!("{name} does not end")).unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}
