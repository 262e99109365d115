//! What the system gives little of: file descriptors, room on the disk, rights in the database.

use std::{io::Write as _, path::Path, process::Stdio, time::Duration};

use serde_json::json;
use tokio::{net::TcpStream, process::Command};

use crate::support::{Engine, PASSWORD, Replica, TestApp, unique, unique_email, until};

/// The program of an app, started by a shell that limits it first.
pub fn limited(app: &TestApp, limit: &str) -> Command {
    let plain = app.command();
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{limit}; exec \"$0\"")).arg(plain.as_std().get_program());
    command.env_clear().kill_on_drop(true);
    command.current_dir(plain.as_std().get_current_dir().unwrap());
    command.envs(plain.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// F38: more callers than descriptors. Those beyond wait or are sent away; nobody who is in is lost, and the service
/// goes on when they leave.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_few_file_descriptors_it_sheds_load_and_goes_on() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let replica = Replica::start(limited(&app, "ulimit -n 128")).await;
    let (member, _) = replica.member().await;
    let address = replica.url.trim_start_matches("http://").to_owned();
    for _round in 0..3 {
        let mut callers = Vec::new();
        for _ in 0..300 {
            let connected = tokio::time::timeout(Duration::from_secs(2), TcpStream::connect(&address)).await;
            callers.extend(connected.ok().and_then(Result::ok));
        }
        assert!(callers.len() > 100, "{} connected", callers.len());
        drop(callers);
        until("served again", Duration::from_secs(20), async || {
            member.try_get("/v1/me").await.is_ok_and(|answer| answer.status == 200)
        })
        .await;
        // A write too: it needs descriptors of its own.
        let visitor = replica.visitor();
        visitor.register(&unique_email(), PASSWORD).await;
    }
    let log = replica.log();
    assert!(!log.contains("panicked"), "{log}");
    assert!(replica.stop().await.status.success());
}

/// The program of an app whose `folder` is a file system of its own with little room. It goes when the process ends.
fn cramped(app: &TestApp, folder: &Path, megabytes: u32) -> Command {
    let plain = app.command();
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c"]);
    command.arg(format!("mount -t tmpfs -o size={megabytes}m tmpfs '{}' && exec \"$0\"", folder.display()));
    command.arg(plain.as_std().get_program()).env_clear().kill_on_drop(true);
    command.current_dir(plain.as_std().get_current_dir().unwrap());
    command.envs(plain.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Takes all the room that is left.
fn fill(file: &Path) {
    let mut ballast = std::fs::File::create(file).unwrap();
    let block = [0; 4096];
    while ballast.write_all(&block).is_ok() {}
}

/// F10: the disk is full. What would write answers 503 and says when to return, what only reads goes on, and with room
/// again everything does, without a restart; nothing that was acknowledged is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_fails_writes_alone_and_is_got_over_without_a_restart() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let folder = app.path("small");
    std::fs::create_dir(&folder).unwrap();
    let app = app.with("database.url", &format!("sqlite://{}/userd.db", folder.display()));
    let replica = Replica::start(cramped(&app, &folder, 8)).await;
    let (member, _) = replica.member().await;
    let visitor = replica.visitor();
    let body = |email: &str| json!({ "email": email, "password": PASSWORD });
    let mut acknowledged = Vec::new();
    // The folder as the process sees it.
    let inside = format!("/proc/{}/root{}", replica.pid().as_raw_nonzero(), folder.display());
    let ballast = Path::new(&inside).join("ballast");
    for _round in 0..3 {
        fill(&ballast);
        let mut refused = 0;
        for _ in 0..60 {
            let email = unique_email();
            let answer = visitor.post("/v1/auth/register", body(&email)).await;
            match answer.status {
                201 => acknowledged.push(email),
                _ => {
                    answer.refused(503, "unavailable");
                    assert!(!answer.header("retry-after").is_empty());
                    refused += 1;
                }
            }
            member.get("/v1/me").await.expect(200);
            visitor.get("/.well-known/jwks.json").await.expect(200);
        }
        assert!(refused > 0, "the disk was not full");
        std::fs::remove_file(&ballast).unwrap();
        until("written again", Duration::from_secs(5), async || {
            let email = unique_email();
            let written = visitor.post("/v1/auth/register", body(&email)).await.status == 201;
            acknowledged.extend(written.then_some(email));
            written
        })
        .await;
    }
    for email in acknowledged {
        visitor.login(&email, PASSWORD).await;
    }
}

/// The steps of the schema are one role's, the service's work is another's, which may change rows and nothing else.
/// ASVS V13.2.2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_may_only_change_rows_is_enough_to_serve() {
    let Some(app) = TestApp::build(Engine::Postgres).await else { return };
    app.ask(&["migrate", "up"]).await;
    let url = app.get("database.url").to_owned();
    let (owner, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    let line = tokio::spawn(connection);
    let role = unique("worker_");
    owner
        .batch_execute(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'of_a_worker'; REVOKE CREATE ON SCHEMA public FROM PUBLIC; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
        ))
        .await
        .unwrap();
    let (_, place) = url.split_once('@').unwrap();
    let served = app.with("database.url", &format!("postgres://{role}:of_a_worker@{place}"));
    let replica = served.open().await;
    let (member, tokens) = replica.member().await;
    member.get("/v1/me").await.expect(200);
    member.refresh(&tokens.refresh).await.expect(200);
    member.poke("/v1/auth/logout-all").await;
    assert!(replica.lines_of("ERROR").is_empty(), "{:?}", replica.lines_of("ERROR"));
    assert!(replica.stop().await.status.success());
    owner.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.unwrap();
    drop(owner);
    line.await.unwrap().unwrap();
}

/// A role that may not make tables is told so, with what to grant: nothing is corrupt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_may_not_make_tables_is_told_what_to_grant() {
    let Some(app) = TestApp::build(Engine::Postgres).await else { return };
    let url = app.get("database.url").to_owned();
    let (owner, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    let line = tokio::spawn(connection);
    let role = unique("guest_");
    let make = format!("CREATE ROLE {role} LOGIN PASSWORD 'of_a_guest'; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    owner.batch_execute(&make).await.unwrap();
    let (_, place) = url.split_once('@').unwrap();
    let guest = app.with("database.url", &format!("postgres://{role}:of_a_guest@{place}"));
    let said = guest.run(&["migrate", "up"]).await;
    let stderr = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("may not make tables: GRANT CREATE ON SCHEMA public"), "{stderr}");
    assert!(!stderr.contains("corrupt") && !stderr.contains("of_a_guest"), "{stderr}");
    owner.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.unwrap();
    drop(owner);
    line.await.unwrap().unwrap();
}
