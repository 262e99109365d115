//! The service under measurement: the release binary in a folder of its own, on a port of its own.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    Fault,
    client::{Connection, get},
    process::{self, Memory},
    runtime,
};

/// After this long a start has failed.
const START: Duration = Duration::from_secs(30);
/// Between two looks at `/readyz` during a start.
const LOOK: Duration = Duration::from_micros(500);
/// After this long a stop is insisted on.
const STOP: Duration = Duration::from_secs(15);

/// Where a server keeps its data and what else it talks to.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) binary: PathBuf,
    pub(super) folder: PathBuf,
    /// `sqlite://…` or `postgres://…`.
    pub(super) database: String,
    /// `memory://` or `redis://…`.
    pub(super) cache: String,
    /// Where the token endpoint of a sign-in provider is, for one that is configured.
    pub(super) provider: Option<SocketAddr>,
    /// Whether there are pages.
    pub(super) pages: bool,
    /// Whether addresses are confirmed first, so that registration tells nobody who has an account, and codes are mailed.
    pub(super) tells_nobody: bool,
}

impl Setting {
    pub(super) fn sqlite(binary: &Path, folder: &Path) -> Self {
        Self {
            binary: binary.to_owned(),
            folder: folder.to_owned(),
            database: format!("sqlite://{}/userd.db", folder.display()),
            cache: "memory://".to_owned(),
            provider: None,
            pages: true,
            tells_nobody: false,
        }
    }

    /// The engine, by the URL's scheme.
    pub(super) fn engine(&self) -> &str {
        self.database.split(':').next().unwrap_or_default()
    }

    /// The defaults, but for what cannot be measured with them: limits on attempts are off, and access tokens outlive
    /// the run and the servers of one run, whose ports differ.
    fn yaml(&self, listen: SocketAddr) -> String {
        let folder = self.folder.display();
        let (database, cache, pages) = (&self.database, &self.cache, self.pages);
        let provider = self.provider.map(|address| {
            format!(
                "providers:\n  - {{ id: corp, kind: oidc, issuer: \"http://{address}\", client_id: bench, client_secret: \
                 secret, native: true, allow_private_addresses: true, endpoints: {{ authorize: \"http://{address}/a\", \
                 token: \"http://{address}/t\", userinfo: \"http://{address}/u\", jwks: \"http://{address}/j\" }} }}\n"
            )
        });
        let more = match self.tells_nobody {
            true => "registration: { email_confirmation: required }\nsign_in: { email_code: true }\n",
            false => "",
        };
        format!(
            "http: {{ listen: \"{listen}\", public_url: \"http://{listen}\" }}\n\
             database: {{ url: \"{database}\" }}\n\
             cache: {{ url: \"{cache}\" }}\n\
             crypto: {{ master_key_file: \"{folder}/master.key\" }}\n\
             tokens: {{ issuer: \"https://id.bench.example\", access_ttl: 1h }}\n\
             rate_limits: {{ enabled: false }}\n\
             pages: {{ enabled: {pages} }}\n\
             log: {{ format: json }}\n{more}{}",
            provider.unwrap_or_default()
        )
    }
}

/// A running server. Dropping it stops it.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
    pub(super) config: PathBuf,
    /// From the start of the process to its first "ready".
    pub(super) ready_after: Duration,
}

impl Server {
    /// Starts it and waits until it is ready.
    pub(super) fn start(setting: &Setting) -> Result<Self, Fault> {
        let address = free_address()?;
        let config = setting.folder.join("config.yaml");
        std::fs::write(&config, setting.yaml(address))?;
        let log = File::options().append(true).create(true).open(setting.folder.join("userd.log"))?;
        let mut command = Command::new(&setting.binary);
        command.arg("--config").arg(&config).current_dir(&setting.folder).env_clear();
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let started = Instant::now();
        let child = command.spawn().map_err(|error| format!("{}: {error}", setting.binary.display()))?;
        let mut server = Self { child, address, config, ready_after: Duration::ZERO };
        while !server.is_ready()? {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("userd ended with {status}: {}", last_lines(&setting.folder)).into());
            }
            if started.elapsed() > START {
                return Err(format!("userd is not ready in time: {}", last_lines(&setting.folder)).into());
            }
            std::thread::sleep(LOOK);
        }
        server.ready_after = started.elapsed();
        Ok(server)
    }

    fn is_ready(&self) -> Result<bool, Fault> {
        let ask = async {
            let mut connection = Connection::open(self.address).await?;
            Ok::<_, std::io::Error>(connection.send(&get("/readyz", None)).await?.status == 200)
        };
        Ok(runtime()?.block_on(ask).unwrap_or(false))
    }

    pub(super) fn cpu(&self) -> Result<Duration, Fault> {
        process::cpu(self.child.id())
    }

    pub(super) fn memory(&self) -> Result<Memory, Fault> {
        process::memory(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let asked = Instant::now();
        while asked.elapsed() < STOP {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

fn free_address() -> Result<SocketAddr, Fault> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn last_lines(folder: &Path) -> String {
    let log = std::fs::read_to_string(folder.join("userd.log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines.get(lines.len().saturating_sub(5)..).unwrap_or_default().join("\n")
}
