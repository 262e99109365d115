//! An app to serve: its data, its configuration, its folder; processes over it are started and ended at will.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Output, Stdio},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, process::Command};
use userd_storage::testing::{Backend, TestDatabase};

use super::{Replica, all_required, told, unique};

/// What the data is kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite in a file, the cache in process.
    Sqlite,
    /// A new database on the PostgreSQL server of the tests, and Redis with a prefix of its own.
    Postgres,
    /// An emulator of its own, in the process of the test; Redis where it is at hand. In builds with the feature `ydb`.
    Ydb,
}

/// Data and configuration. Clones share the data.
#[derive(Clone)]
pub struct TestApp {
    engine: Engine,
    settings: BTreeMap<String, String>,
    folder: Arc<TempDir>,
    database: Option<Arc<TestDatabase>>,
    #[cfg(feature = "ydb")]
    emulator: Option<Arc<ydb_emulator::Emulator>>,
}

impl TestApp {
    /// A new, empty app; `None` where its servers are not at hand and need not be.
    pub async fn build(engine: Engine) -> Option<Self> {
        let mut app = Self::bare(engine);
        match engine {
            Engine::Sqlite => {
                let url = format!("sqlite://{}", app.path("userd.db").display());
                app.set("database.url", &url);
            }
            Engine::Postgres => {
                let redis = told("USERD_TEST_REDIS");
                assert!(redis.is_some() || !all_required(), "USERD_TEST_REDIS is not set and every case must run");
                app.database = Some(Arc::new(TestDatabase::create(Backend::Postgres).await.unwrap()?));
                let url = app.database.as_ref().unwrap().url().unwrap();
                app.set("database.url", &url);
                app.set("cache.url", &redis?).set("cache.key_prefix", &format!("{}:", unique("test")));
            }
            #[cfg(feature = "ydb")]
            Engine::Ydb => app.on_ydb().await,
            #[cfg(not(feature = "ydb"))]
            Engine::Ydb => panic!("built without the feature `ydb`"),
        }
        Some(app)
    }

    #[cfg(feature = "ydb")]
    async fn on_ydb(&mut self) {
        let emulator = ydb_emulator::Emulator::start(ydb_emulator::Options::default()).await.unwrap();
        self.set("database.url", &emulator.connection_string());
        self.emulator = Some(Arc::new(emulator));
        if let Some(redis) = told("USERD_TEST_REDIS") {
            self.set("cache.url", &redis).set("cache.key_prefix", &format!("{}:", unique("test")));
        }
    }

    /// What an app on YDB asks.
    #[cfg(feature = "ydb")]
    pub fn emulator(&self) -> &ydb_emulator::Emulator {
        self.emulator.as_ref().expect("an app on YDB")
    }

    /// An app whose database is chosen by the test.
    pub fn bare(engine: Engine) -> Self {
        let folder = Arc::new(tempfile::Builder::new().prefix("userd-journey").tempdir().unwrap());
        let mut app = Self {
            engine,
            settings: BTreeMap::new(),
            folder,
            database: None,
            #[cfg(feature = "ydb")]
            emulator: None,
        };
        let master_key = app.path("master.key").display().to_string();
        app.set("http.listen", "127.0.0.1:0")
            // Replicas listen where they like and are one issuer.
            .set("http.public_url", "http://127.0.0.1:8080")
            .set("crypto.master_key_file", &master_key)
            .set("log.format", "json")
            .set("rate_limits.enabled", "false")
            // The machine that tests is slow and full; production waits two seconds.
            .set("database.acquire_timeout", "10s")
            .set("passwords.argon2.memory_kib", "8192")
            .set("passwords.argon2.iterations", "1");
        app
    }

    /// Sets one key of the configuration.
    pub fn set(&mut self, key: &str, value: &str) -> &mut Self {
        self.settings.insert(key.to_owned(), value.to_owned());
        self
    }

    /// This app with one key set otherwise.
    pub fn with(&self, key: &str, value: &str) -> Self {
        let mut app = self.clone();
        app.set(key, value);
        app
    }

    /// This app with one key not set.
    pub fn without(&self, key: &str) -> Self {
        let mut app = self.clone();
        app.settings.remove(key);
        app
    }

    /// What a key is set to.
    pub fn get(&self, key: &str) -> &str {
        &self.settings[key]
    }

    /// Listens on a port that is known beforehand, so that issuer and metadata are true.
    pub fn at_its_address(&self) -> Self {
        let port = super::servers::free_port();
        self.with("http.listen", &format!("127.0.0.1:{port}"))
            .with("http.public_url", &format!("http://127.0.0.1:{port}"))
    }

    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// A file in the app's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with this configuration and nothing else of the environment.
    #[expect(
        clippy::disallowed_methods,
        reason = "`cargo xtask mutants` switches a change on in whatever a test starts"
    )]
    pub fn command(&self) -> Command {
        let mut command = Command::new(program());
        command.env_clear().current_dir(self.folder.path()).kill_on_drop(true);
        for (key, value) in &self.settings {
            command.env(format!("USERD__{}", key.to_ascii_uppercase().replace('.', "__")), value);
        }
        command.envs(std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SPOILED")));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts a process and waits until it is ready.
    pub async fn open(&self) -> Replica {
        Replica::start(self.command()).await.keeping(self)
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        self.run_with_input(arguments, "").await
    }

    /// Runs a command to its end, with something on its standard input.
    pub async fn run_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self.command().args(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that asks for nothing may be gone already.
        let _unread = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let finished = tokio::time::timeout(Duration::from_secs(60), child.wait_with_output()).await;
        finished.unwrap_or_else(|_| panic!("{arguments:?} does not end")).unwrap()
    }

    /// Runs a command that must succeed, and reads its answer.
    pub async fn ask(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat()).await;
        answer_of(arguments, &output)
    }

    /// Makes an administrator at the command line.
    pub async fn create_admin(&self, email: &str, password: &str) -> Value {
        let arguments = ["--json", "users", "create-admin", "--email", email, "--password-stdin"];
        answer_of(&arguments, &self.run_with_input(&arguments, &format!("{password}\n")).await)
    }
}

/// The program, as built for the tests that run now: cargo and nextest tell them where it is.
fn program() -> String {
    told("CARGO_BIN_EXE_userd").expect("CARGO_BIN_EXE_userd says where userd is: run the tests by cargo")
}

/// The JSON that a command which succeeded wrote.
fn answer_of(arguments: &[&str], output: &Output) -> Value {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "userd {arguments:?}: {}\n{out}\n{err}", output.status);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("userd {arguments:?}: {error}\n{out}"))
}
