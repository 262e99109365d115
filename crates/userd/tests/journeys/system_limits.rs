//! What the system gives little of: file descriptors, rights in the database.

use std::{process::Stdio, time::Duration};

use tokio::{net::TcpStream, process::Command};

use crate::support::{Engine, Replica, TestApp, unique, unique_email, until};

/// The program of an app, started by a shell that limits it first.
fn limited(app: &TestApp, limit: &str) -> Command {
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
        visitor.register(&unique_email(), crate::support::PASSWORD).await;
    }
    let log = replica.log();
    assert!(!log.contains("panicked"), "{log}");
    assert!(replica.stop().await.status.success());
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
