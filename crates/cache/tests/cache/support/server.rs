//! A private redis-server on a free port, ended by its own id. Deliberately absent: any server that was there before.

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use redis::aio::MultiplexedConnection;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

pub(crate) struct Server {
    child: Option<Child>,
    directory: TempDir,
    pub port: u16,
    arguments: Vec<String>,
}

/// Whether servers can be started; absence fails the test when everything is required.
pub(crate) fn installed() -> bool {
    let found = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_ok();
    assert!(found || !required(), "redis-server is required and not installed");
    found
}

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment what must be there")]
pub(crate) fn required() -> bool {
    std::env::var("USERD_TEST_REQUIRE_ALL").is_ok_and(|value| value == "1")
}

/// The server that the environment names, if any.
#[expect(clippy::disallowed_methods, reason = "tests are told by the environment where servers are")]
pub(crate) fn given() -> Option<String> {
    std::env::var("USERD_TEST_REDIS").ok()
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts with further arguments, in which `DIR` stands for the private directory.
    pub(crate) async fn start_with(arguments: &[&str]) -> Self {
        let mut server = Self::prepared(arguments);
        server.run().await;
        server
    }

    /// A server that is not running yet.
    pub(crate) fn prepared(arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self { child: None, directory: TempDir::new().unwrap(), port: free_port(), arguments }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) async fn run(&mut self) {
        let directory = self.directory.path().to_str().unwrap();
        let tls_only = self.arguments.iter().any(|argument| argument == "--tls-port");
        let port = self.port.to_string();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", directory]);
        if tls_only {
            command.args(["--port", "0"]);
        } else {
            command.args(["--port", &port]);
        }
        command.args(self.arguments.iter().map(|argument| argument.replace("DIR", directory).replace("PORT", &port)));
        self.child = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let start = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "redis-server does not start");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// A connection of the test's own, to look and to break things.
    pub(crate) async fn raw(&self) -> MultiplexedConnection {
        raw(&self.url()).await
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().unwrap();
        kill_process(Pid::from_child(child), signal).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) async fn raw(url: &str) -> MultiplexedConnection {
    let patience = redis::AsyncConnectionConfig::new()
        .set_response_timeout(Some(Duration::from_secs(20)))
        .set_connection_timeout(Some(Duration::from_secs(20)));
    let client = redis::Client::open(url).unwrap();
    client.get_multiplexed_async_connection_with_config(&patience).await.unwrap()
}
