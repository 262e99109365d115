//! A running process of the program: where it listens, what it wrote, and how it is ended.

use std::{
    process::ExitStatus,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use super::{Caller, PASSWORD, TestApp, Tokens, unique_email, until};

/// Lines that a process wrote so far.
type Lines = Arc<Mutex<Vec<String>>>;

/// A running process; killed when dropped.
pub struct Replica {
    child: Child,
    pub url: String,
    stdout: Lines,
    stderr: Lines,
    readers: Vec<JoinHandle<()>>,
    /// From the start of the process to the first `ready`.
    pub ready_after: Duration,
    /// Its data stay where they are for as long as it runs.
    _app: Option<TestApp>,
}

/// How a process ended.
pub struct Ended {
    pub status: ExitStatus,
    pub took: Duration,
    pub stdout: Vec<String>,
    pub stderr: Vec<String>,
}

impl Replica {
    /// Starts a process and waits until it is ready.
    pub async fn start(command: Command) -> Self {
        Self::start_asking(command, Caller::new).await
    }

    /// As [`Self::start`], for a process that serves TLS with this certificate (PEM).
    pub async fn start_trusting(command: Command, certificate: &str) -> Self {
        let trusted = reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([trusted]).no_proxy().build().unwrap();
        Self::start_asking(command, |url| Caller::new(url).over(client.clone())).await
    }

    async fn start_asking(command: Command, caller: impl Fn(&str) -> Caller) -> Self {
        let start = Instant::now();
        let mut replica = Self::spawn(command);
        let found = until("listening", Duration::from_secs(60), async || {
            replica.url = replica.address().unwrap_or_default();
            !replica.url.is_empty() || replica.child.try_wait().unwrap().is_some()
        });
        found.await;
        assert!(!replica.url.is_empty(), "userd ended while starting:\n{}", replica.log());
        let visitor = caller(&replica.url);
        until("ready", Duration::from_secs(20), async || {
            visitor.try_get("/readyz").await.is_ok_and(|answer| answer.status == 200)
        })
        .await;
        replica.ready_after = start.elapsed();
        replica
    }

    /// Starts a process and waits for nothing.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (stdout, stderr) = (Lines::default(), Lines::default());
        let readers = vec![
            tokio::spawn(read(child.stdout.take().unwrap(), Arc::clone(&stdout))),
            tokio::spawn(read(child.stderr.take().unwrap(), Arc::clone(&stderr))),
        ];
        Self { child, url: String::new(), stdout, stderr, readers, ready_after: Duration::ZERO, _app: None }
    }

    /// Keeps an app's folder and database until this process has ended.
    #[must_use]
    pub fn keeping(mut self, app: &TestApp) -> Self {
        self._app = Some(app.clone());
        self
    }

    fn address(&self) -> Option<String> {
        let lines = self.stdout.lock().unwrap();
        let line = lines.iter().rev().find(|line| line.contains("\"message\":\"listening\""))?;
        let line: Value = serde_json::from_str(line).unwrap();
        let scheme = line["url"].as_str()?.split("://").next()?.to_owned();
        Some(format!("{scheme}://{}", line["address"].as_str()?))
    }

    /// Somebody who has not signed in.
    pub fn visitor(&self) -> Caller {
        Caller::new(&self.url)
    }

    /// Registers a new member.
    pub async fn member(&self) -> (Caller, Tokens) {
        let visitor = self.visitor();
        let tokens = visitor.register(&unique_email(), PASSWORD).await;
        (visitor.with(&tokens), tokens)
    }

    /// Makes an administrator at the command line, who signs in here.
    pub async fn admin(&self, app: &TestApp) -> Caller {
        let email = unique_email();
        app.create_admin(&email, PASSWORD).await;
        let visitor = self.visitor();
        let tokens = visitor.login(&email, PASSWORD).await;
        visitor.with(&tokens)
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap()).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// `kill -9`.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM, and waits for the end.
    pub async fn stop(self) -> Ended {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Waits for the end.
    pub async fn ended(mut self) -> Ended {
        let start = Instant::now();
        let status = tokio::time::timeout(Duration::from_secs(60), self.child.wait()).await;
        let status = status.unwrap_or_else(|_| panic!("userd does not end:\n{}", self.log())).unwrap();
        let took = start.elapsed();
        for reader in self.readers.drain(..) {
            reader.await.unwrap();
        }
        Ended { status, took, stdout: self.stdout(), stderr: self.stderr() }
    }

    pub fn stdout(&self) -> Vec<String> {
        self.stdout.lock().unwrap().clone()
    }

    pub fn stderr(&self) -> Vec<String> {
        self.stderr.lock().unwrap().clone()
    }

    /// The end of what it wrote.
    pub fn log(&self) -> String {
        let (out, err) = (self.stdout(), self.stderr());
        let last = |lines: &[String]| lines[lines.len().saturating_sub(40)..].join("\n");
        format!("{}\n{}", last(&out), last(&err))
    }

    /// Lines of a level, such as `ERROR`.
    pub fn lines_of(&self, level: &str) -> Vec<String> {
        let mark = format!("\"level\":\"{level}\"");
        self.stdout().into_iter().filter(|line| line.contains(&mark)).collect()
    }

    /// Resident memory now, in bytes.
    pub fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most resident memory so far, in bytes.
    pub fn peak(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- what {} wrote last\n{}", self.url, self.log());
        }
    }
}

async fn read(pipe: impl AsyncRead + Unpin, lines: Lines) {
    let mut reader = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = reader.next_line().await {
        lines.lock().unwrap().push(line);
    }
}
