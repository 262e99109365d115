//! Private PostgreSQL and Redis servers that a journey may kill, pause and empty. Ended by their own ids.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{all_required, told, until};

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A Redis of the test's own.
pub struct Redis {
    child: Child,
    folder: TempDir,
    pub port: u16,
}

impl Redis {
    /// `None` where it is not installed and need not be.
    pub async fn start() -> Option<Self> {
        let found = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_ok();
        assert!(found || !all_required(), "redis-server is required and not installed");
        if !found {
            return None;
        }
        let (folder, port) = (TempDir::new().unwrap(), free_port());
        let child = run_redis(folder.path(), port);
        let redis = Self { child, folder, port };
        redis.wait().await;
        Some(redis)
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    async fn wait(&self) {
        until("redis-server", Duration::from_secs(20), async || {
            let Ok(client) = redis::Client::open(self.url()) else { return false };
            client.get_multiplexed_async_connection().await.is_ok()
        })
        .await;
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts again after a kill, empty.
    pub async fn revive(&mut self) {
        self.child = run_redis(self.folder.path(), self.port);
        self.wait().await;
    }

    pub fn pause(&self) {
        kill_process(Pid::from_child(&self.child), Signal::STOP).unwrap();
    }

    pub fn resume(&self) {
        kill_process(Pid::from_child(&self.child), Signal::CONT).unwrap();
    }

    pub async fn flush(&self) {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        redis::cmd("FLUSHALL").query_async::<()>(&mut connection).await.unwrap();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn run_redis(folder: &Path, port: u16) -> Child {
    let port = port.to_string();
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no", "--dir"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A PostgreSQL cluster of the test's own, durable as in production.
pub struct Postgres {
    bin: PathBuf,
    folder: TempDir,
    pub port: u16,
}

impl Postgres {
    /// `None` where it is not at hand and need not be.
    pub async fn start() -> Option<Self> {
        let bin = told("USERD_TEST_PG_BIN");
        assert!(bin.is_some() || !all_required(), "USERD_TEST_PG_BIN is not set and every case must run");
        let cluster = Self { bin: PathBuf::from(bin?), folder: TempDir::new().unwrap(), port: free_port() };
        // The server refuses to run as root; it gets a folder of its own user.
        if rustix::process::getuid().is_root() {
            let owned = Command::new("chown").arg("postgres").arg(cluster.folder.path()).status().unwrap();
            assert!(owned.success());
        }
        let data = cluster.data();
        let flags = ["--username=userd", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"];
        cluster.run("initdb", &[&["--pgdata", data.as_str()], flags.as_slice()].concat());
        cluster.up();
        Some(cluster)
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// PgBouncer in transaction mode before it, with four connections for everybody.
    pub async fn pooled(&self) -> Pooler {
        Pooler::start(self).await
    }

    /// Its URL through a proxy.
    pub fn url_through(&self, port: u16) -> String {
        format!("postgres://userd@127.0.0.1:{port}/postgres")
    }

    pub fn up(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c max_connections=100",
            self.port,
            self.folder.path().display()
        );
        let log = self.folder.path().join("log").display().to_string();
        self.run("pg_ctl", &["start", "--wait", "--timeout=60", "-D", &self.data(), "-l", &log, "-o", &options]);
    }

    /// Ends at once, as a crash does: `immediate`; or without waiting for clients: `fast`.
    pub fn down(&self, mode: &str) {
        self.run("pg_ctl", &["stop", "--wait", "-D", &self.data(), "-m", mode]);
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.bin.join(program);
        let mut command = as_postgres(&program);
        // pg_ctl leaves a child behind that would hold a pipe open.
        let status = command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{} {arguments:?}: {status}", program.display());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let pid_file = Path::new(&self.data()).join("postmaster.pid");
        let Ok(text) = std::fs::read_to_string(pid_file) else { return };
        let pid = text.lines().next().and_then(|line| line.trim().parse().ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _gone_already = kill_process(pid, Signal::QUIT);
        }
    }
}

/// Neither PostgreSQL nor PgBouncer runs as root.
fn as_postgres(program: &Path) -> Command {
    if rustix::process::getuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// A PgBouncer of the test's own.
pub struct Pooler {
    child: Child,
    pub port: u16,
}

impl Pooler {
    async fn start(server: &Postgres) -> Self {
        let port = free_port();
        let config = server.folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\npostgres = host=127.0.0.1 port={} user=userd dbname=postgres\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = 4\nignore_startup_parameters = extra_float_digits\n",
            server.port
        );
        std::fs::write(&config, text).unwrap();
        // Debian keeps it where only root looks.
        let program = if Path::new("/usr/sbin/pgbouncer").exists() { "/usr/sbin/pgbouncer" } else { "pgbouncer" };
        let child = as_postgres(Path::new(program))
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pgbouncer is installed");
        until("pgbouncer", Duration::from_secs(20), async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()
        })
        .await;
        Self { child, port }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}
