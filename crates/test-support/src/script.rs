//! Clients of other makers, as scripts of `tests/clients`: asked line by line, or run once.

use std::{path::PathBuf, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::{all_required, told};

/// A program that runs scripts, `None` where it or its packages are not at hand and need not be.
pub fn interpreter(script: &str) -> Option<Command> {
    let (variable, program) = match script.rsplit('.').next() {
        Some("py") => ("USERD_TEST_PYTHON", told("USERD_TEST_PYTHON")),
        _ => ("USERD_TEST_NODE_MODULES", told("USERD_TEST_NODE_MODULES").map(|_| "node".to_owned())),
    };
    assert!(program.is_some() || !all_required(), "{variable} is not set and every case must run");
    let mut command = Command::new(program?);
    command.arg(folder().join(script)).current_dir(folder()).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    Some(command)
}

/// `tests/clients` of the repository.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients").canonicalize().unwrap()
}

/// A script that answers each line with a line of JSON.
pub struct Script {
    _child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Script {
    pub fn start(script: &str, arguments: &[&str]) -> Option<Self> {
        Some(Self::spawn(interpreter(script)?.args(arguments)))
    }

    /// A program that was compiled of `tests/clients` where its compiler is at hand; the variable says where it is.
    pub fn compiled(variable: &str) -> Option<Self> {
        let mut command = Command::new(told(variable)?);
        command.kill_on_drop(true).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        Some(Self::spawn(&mut command))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { _child: child, stdin, stdout }
    }

    pub async fn ask(&mut self, line: &str) -> Value {
        self.stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(30), self.stdout.next_line()).await;
        let answer = answer.expect("the script answers").unwrap().expect("the script goes on");
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }
}

/// Runs a script to its end, which must be good, and reads its answer.
pub async fn run(script: &str, arguments: &[&str]) -> Option<Value> {
    let output = interpreter(script)?.args(arguments).output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {}\n{text}\n{complaint}", output.status);
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{script}: {error}: {text}")))
}
