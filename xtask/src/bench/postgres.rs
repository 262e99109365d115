//! A PostgreSQL and a Redis for one run, on free ports, with the settings they come with: what is committed is on the
//! disk. Deliberately absent: any server that runs already.

use std::{
    fs::File,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::Fault;

/// After this long a start has failed.
const START: Duration = Duration::from_secs(30);

/// Both servers. Dropping them stops them.
pub(super) struct Servers {
    postgres: Child,
    redis: Child,
    pub(super) database: String,
    pub(super) cache: String,
    pub(super) versions: String,
}

impl Servers {
    /// Starts them with their data below `folder`.
    pub(super) fn start(folder: &Path) -> Result<Self, Fault> {
        super::say("PostgreSQL and Redis");
        let bin = postgres_bin()?;
        let data = folder.join("postgres");
        std::fs::create_dir(&data)?;
        // PostgreSQL refuses to run as root; the one account it has comes through here.
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&data))?;
        }
        let initdb = ["--username=userd", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"];
        run(as_postgres(&bin.join("initdb"), &data).arg("--pgdata").arg(data.join("data")).args(initdb))?;
        let (postgres_port, redis_port) = (free_port()?, free_port()?);
        let log = File::create(folder.join("servers.log"))?;
        let postgres = as_postgres(&bin.join("postgres"), &data)
            .arg("-D")
            .arg(data.join("data"))
            .args(["-p", &postgres_port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .arg("-c")
            .arg(format!("unix_socket_directories={}", data.display()))
            .args(["-c", "shared_buffers=256MB"])
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?)
            .spawn()?;
        let redis = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &redis_port.to_string(), "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let servers = Self {
            postgres,
            redis,
            database: format!("postgres://userd@127.0.0.1:{postgres_port}/postgres"),
            cache: format!("redis://127.0.0.1:{redis_port}"),
            versions: format!("{}; {}", version(&bin.join("postgres"))?, version(Path::new("redis-server"))?),
        };
        wait_until("PostgreSQL answers", || {
            let mut ask = Command::new(bin.join("pg_isready"));
            ask.args(["-q", "-h", "127.0.0.1", "-p", &postgres_port.to_string()]);
            ask.status().is_ok_and(|status| status.success())
        })?;
        wait_until("Redis answers", || std::net::TcpStream::connect(("127.0.0.1", redis_port)).is_ok())?;
        Ok(servers)
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // INT is PostgreSQL's fast shutdown; to Redis it means the same.
        for child in [&mut self.postgres, &mut self.redis] {
            let _gone = kill_process(Pid::from_child(child), Signal::INT);
            let asked = Instant::now();
            while asked.elapsed() < Duration::from_secs(10) && matches!(child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _gone = child.kill();
            let _gone = child.wait();
        }
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// `setpriv` becomes the program it starts, so signals reach the server itself.
fn as_postgres(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    if is_root() {
        command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
    }
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// The newest one installed.
fn postgres_bin() -> Result<PathBuf, Fault> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").map_err(|error| format!("no PostgreSQL: {error}"))?;
    let mut bins: Vec<_> = versions.flatten().map(|entry| entry.path().join("bin")).collect();
    bins.retain(|bin| bin.join("initdb").exists());
    bins.sort();
    bins.pop().ok_or_else(|| "no PostgreSQL below /usr/lib/postgresql".into())
}

fn version(program: &Path) -> Result<String, Fault> {
    let output = Command::new(program).arg("--version").output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.split_whitespace().take(3).collect::<Vec<_>>().join(" "))
}

fn run(command: &mut Command) -> Result<(), Fault> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{:?}: {}", command.get_program(), String::from_utf8_lossy(&output.stderr)).into())
}

fn free_port() -> Result<u16, Fault> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn wait_until(what: &str, mut happens: impl FnMut() -> bool) -> Result<(), Fault> {
    let begun = Instant::now();
    while !happens() {
        if begun.elapsed() > START {
            return Err(format!("waited in vain until {what}").into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
