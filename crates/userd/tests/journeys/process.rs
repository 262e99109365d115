//! What the process does on signals, to files that it makes, and where it cannot take or write any more.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustix::process::Signal;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    readiness::beside,
    support::{Engine, Replica, TestApp, until},
    system_limits::limited,
};

const SOON: Duration = Duration::from_secs(10);

async fn app() -> TestApp {
    TestApp::build(Engine::Sqlite).await.unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}

async fn says(replica: &Replica, words: &str) {
    until(words, SOON, async || replica.stdout().iter().any(|line| line.contains(words))).await;
}

async fn connect(replica: &Replica) -> TcpStream {
    TcpStream::connect(replica.url.trim_start_matches("http://")).await.unwrap()
}

/// Before a key is made that nobody hears of, and before the database is there (fault 28).
#[tokio::test]
async fn a_taken_port_is_found_before_anything_is_made() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    for key in ["http.listen", "http.admin_listen"] {
        let app = app().await.with(key, &taken);
        let ended = Replica::spawn(app.command()).ended().await;
        let said = ended.stderr.join("\n");
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(said.contains(&format!("{key}: {taken} cannot be listened on")), "{said}");
        assert!(!app.path("master.key").exists(), "{key}");
        // The lock that keeps a second service away names the file; nothing is in it.
        let database = fs::metadata(app.path("userd.db")).map_or(0, |file| file.len());
        assert_eq!(database, 0, "{key}");
    }
}

/// (fault 28)
#[tokio::test]
async fn the_word_about_a_new_master_key_survives_a_start_that_fails_later() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    assert!(app.run(&["migrate", "up"]).await.status.success());
    let database = beside(&app);
    database.run_schema("DROP TABLE signing_keys").await.unwrap();
    database.close().await;
    let ended = Replica::spawn(app.command()).ended().await;
    assert_eq!(ended.status.code(), Some(1), "{:?}", ended.stderr);
    assert!(app.path("master.key").exists());
    let word = ended.stdout.iter().find(|line| line.contains("made a master key")).expect("the word");
    assert!(word.contains(app.path("master.key").to_str().unwrap()), "{word}");

    let app = app.with("crypto.master_key_file", "other/master.key");
    let bad = app.path("bad.key");
    fs::write(&bad, "no key").unwrap();
    let app = app.with("crypto.previous_master_key_files.0", bad.to_str().unwrap());
    let ended = Replica::spawn(app.command()).ended().await;
    assert_eq!(ended.status.code(), Some(1), "{:?}", ended.stderr);
    assert!(!app.path("other/master.key").exists(), "none is made for a start that cannot be");
}

/// Where nobody says otherwise, links and the issuer follow the port (fault 28).
#[tokio::test]
async fn setup_link_and_issuer_follow_the_port_that_is_listened_on() {
    for port in [crate::support::servers::free_port(), 0] {
        let app = app().await.without("http.public_url").with("http.listen", &format!("0.0.0.0:{port}"));
        let replica = app.open().await;
        let (_, port) = replica.url.rsplit_once(':').unwrap();
        let here = format!("http://127.0.0.1:{port}");
        let link = replica.stderr().into_iter().find(|line| line.contains("/setup#token=")).unwrap();
        assert!(link.contains(&format!("{here}/setup#token=")), "{link}");
        let metadata = replica.visitor().get("/.well-known/oauth-authorization-server").await.expect(200);
        assert_eq!(metadata["issuer"], here.as_str());
        let (_, tokens) = replica.member().await;
        let payload = tokens.access.split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        assert_eq!(claims["iss"], here.as_str());
        // A reload does not take the port for another one.
        replica.signal(Signal::HUP);
        says(&replica, "configuration reloaded").await;
        assert!(!replica.lines_of("WARN").iter().any(|line| line.contains("needs a restart")), "{}", replica.log());
    }
}

/// (fault 25)
/// F47: signals that mean nothing here.
#[tokio::test]
async fn signals_without_a_meaning_do_not_end_the_service() {
    let replica = app().await.open().await;
    for (signal, words) in [(Signal::USR1, "SIGUSR1"), (Signal::USR2, "SIGUSR2"), (Signal::XFSZ, "SIGXFSZ")] {
        replica.signal(signal);
        says(&replica, words).await;
        replica.visitor().get("/readyz").await.expect(200);
    }
    assert!(replica.stop().await.status.success());
}

/// (fault 25) A log file as large as the system allows.
#[tokio::test]
async fn a_file_of_the_largest_size_ends_neither_the_service_nor_its_other_log() {
    let app = app().await;
    let file = app.path("limited.log");
    let app = app.with("log.file", file.to_str().unwrap()).with("log.rotation", "never");
    let replica = app.open().await;
    let limit = rustix::process::Rlimit { current: Some(4096), maximum: Some(4096) };
    rustix::process::prlimit(Some(replica.pid()), rustix::process::Resource::Fsize, limit).unwrap();
    let visitor = replica.visitor();
    until("lines lost", SOON, async || {
        visitor.get("/v1/auth/providers").await.expect(200);
        visitor.metric("userd_log_lines_dropped_total").await > 0.0
    })
    .await;
    says(&replica, "the log cannot be written").await;
    assert!(fs::metadata(&file).unwrap().len() <= 4096);
    replica.kill().await;
}

/// (fault 25)
/// F47: the second interrupt.
#[tokio::test]
async fn a_second_interrupt_does_not_wait_for_requests_under_way() {
    let app = app().await.with("http.drain_timeout", "5m").with("http.drain_delay", "5m");
    let replica = app.open().await;
    let mut slow = connect(&replica).await;
    let head =
        b"POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    slow.write_all(head).await.unwrap();
    replica.signal(Signal::INT);
    says(&replica, "\"message\":\"draining\"").await;
    replica.visitor().get("/livez").await.expect(200);
    replica.signal(Signal::INT);
    let ended = replica.ended().await;
    assert_eq!(ended.status.code(), Some(0), "{:?}", ended.stdout);
    assert!(ended.took < SOON, "{:?}", ended.took);
}

/// (fault 25) Of 1510 lines 230 were there, and the metric said 0.
/// F48: the log's disk is full.
#[tokio::test]
async fn lines_for_a_full_disk_are_counted_and_told_to_the_other_log() {
    let replica = app().await.with("log.file", "/dev/full").with("log.rotation", "never").open().await;
    let visitor = replica.visitor();
    for _ in 0..300 {
        visitor.get("/v1/auth/providers").await.expect(200);
    }
    says(&replica, "the log cannot be written").await;
    let told = replica.lines_of("ERROR").pop().unwrap();
    assert!(told.contains("log-file") && told.contains("No space left on device"), "{told}");
    // Each line of one log is a lost line of the other.
    until("all counted", SOON, async || {
        let counted = visitor.metric("userd_log_lines_dropped_total").await;
        let written = replica.stdout().len() as f64;
        // The lines of this question itself may be on their way.
        counted >= 300.0 && (counted - written).abs() <= 3.0
    })
    .await;
    assert!(replica.stop().await.status.success());
}

/// (fault 25)
#[tokio::test]
async fn refused_and_waiting_connections_are_counted_and_told() {
    // Three quarters of them for one address.
    let replica = app().await.with("http.max_connections", "4").open().await;
    let visitor = replica.visitor();
    visitor.get("/livez").await.expect(200);
    let held = [connect(&replica).await, connect(&replica).await];
    until("refused", SOON, async || {
        let mut one_more = connect(&replica).await;
        matches!(one_more.read(&mut [0; 1]).await, Ok(0) | Err(_))
    })
    .await;
    says(&replica, "refused: too many connections of one address").await;
    assert!(visitor.metric("userd_http_connections_refused_total").await >= 1.0);
    assert_eq!(visitor.metric("userd_http_connections_limit").await, 4.0);
    assert_eq!(visitor.metric("userd_http_connections").await, 3.0);
    drop(held);

    let behind_a_proxy = app().await.with("http.trusted_proxies.0", "127.0.0.1/32").with("http.max_connections", "2");
    let replica = behind_a_proxy.open().await;
    let _held = [connect(&replica).await, connect(&replica).await, connect(&replica).await];
    says(&replica, "as many connections are open as may be").await;
    replica.kill().await;
}

/// (fault 25) The number of open files was told at DEBUG.
#[tokio::test]
async fn fewer_connections_than_configured_are_warned_of() {
    let app = app().await.with("http.max_connections", "100000");
    let replica = Replica::start(limited(&app, "ulimit -n 4096")).await;
    let warning = replica.lines_of("WARN").into_iter().find(|line| line.contains("fewer connections")).unwrap();
    assert!(warning.contains("\"allowed\":3896") && warning.contains("\"open_files\":4096"), "{warning}");
    replica.kill().await;
}

/// (fault 25)
#[tokio::test]
async fn what_the_service_makes_is_not_for_everybody() {
    let app = app().await;
    let file = app.path("userd.log");
    let app = app.with("log.file", file.to_str().unwrap());
    let replica = app.open().await;
    assert_eq!(mode(&app.path("master.key")), 0o600);
    assert_eq!(mode(&file), 0o640, "the newest log, through its link");
    assert_eq!(mode(&app.path("userd.db")) & 0o007, 0);
    let backup = app.path("backup.db");
    app.ask(&["backup", backup.to_str().unwrap()]).await;
    assert_eq!(mode(&backup) & 0o007, 0);
    let left: Vec<_> = fs::read_dir(app.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".master.key")), "{left:?}");
    assert!(replica.stop().await.status.success());
}

/// (fault 25)
/// ASVS V13.3.2
#[tokio::test]
async fn a_secret_that_others_may_read_is_warned_of_at_the_start_and_by_the_doctor() {
    let app = app().await;
    assert!(app.open().await.stop().await.status.success());
    let key = app.path("master.key");
    let pepper = app.path("pepper");
    fs::write(&pepper, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").unwrap();
    let warned = |lines: &[String], word: &str| {
        lines.iter().any(|line| line.contains("\"WARN\"") && line.contains(word) && line.contains("chmod 600"))
    };
    for (path, other) in [(0o600, 0o644), (0o644, 0o600), (0o640, 0o600)] {
        fs::set_permissions(&key, fs::Permissions::from_mode(path)).unwrap();
        fs::set_permissions(&pepper, fs::Permissions::from_mode(other)).unwrap();
        let app = app.with("passwords.pepper_file", pepper.to_str().unwrap());
        let ended = app.open().await.stop().await;
        assert_eq!(warned(&ended.stdout, "crypto.master_key_file"), path != 0o600, "{path:o} {:?}", ended.stdout);
        assert_eq!(warned(&ended.stdout, "passwords.pepper_file"), other != 0o600, "{other:o} {:?}", ended.stdout);
        let found = String::from_utf8(app.run(&["--json", "doctor"]).await.stdout).unwrap();
        assert_eq!(found.contains("chmod 600"), path != 0o600, "{found}");
    }
}

/// A start that waits for its database is told to stop like a service that serves, and ends like one.
#[tokio::test]
async fn a_start_that_waits_for_its_database_stops_cleanly() {
    let app = TestApp::bare(Engine::Postgres).with("database.url", "postgres://u@127.0.0.1:1/d");
    let starting = Replica::spawn(app.command());
    until("it waits", Duration::from_secs(30), async || {
        starting.lines_of("WARN").iter().any(|line| line.contains("the database is away"))
    })
    .await;
    let ended = starting.stop().await;
    assert_eq!(ended.status.code(), Some(0), "{:?}", ended.stdout);
    assert!(ended.took < SOON, "{:?}", ended.took);
}
