//! SIGTERM: readiness goes first, what is in flight finishes, and the process ends with 0. What a stop leaves to the next
//! start, and what a running service does not allow.

use std::time::Duration;

use serde_json::json;

use userd_storage::{
    Store,
    engines::{SqliteEngine, SqliteLocation, SqliteOptions},
    testing::TestRandom,
};

use crate::support::{Engine, PASSWORD, Replica, TestApp, unique_email, until};

on_each_engine! {
    /// F24.
    async fn a_stop_under_load_finishes_what_is_in_flight(app: TestApp) {
        // Hashes that take a while, so that there is something in flight.
        let app = app
            .with("passwords.argon2.memory_kib", "65536")
            .with("passwords.argon2.iterations", "3")
            .with("passwords.workers", "2")
            .with("http.drain_delay", "1s");
        let replica = app.open().await;
        let visitor = replica.visitor();
        let email = unique_email();
        visitor.register(&email, PASSWORD).await;

        let logins: Vec<_> = (0..12)
            .map(|_| {
                let (caller, body) = (replica.visitor(), json!({ "login": email, "password": PASSWORD }));
                tokio::spawn(async move { caller.try_post("/v1/auth/login", &body).await })
            })
            .collect();
        until("hashing", Duration::from_secs(5), async || visitor.metric("userd_argon2_queue_depth").await >= 6.0).await;
        replica.signal(rustix::process::Signal::TERM);

        // Balancers are told before anything else happens, and requests are still answered meanwhile.
        until("draining", Duration::from_secs(1), async || {
            let answer = replica.visitor().get("/readyz").await;
            answer.status == 503 && answer.json()["status"] == "draining"
        })
        .await;
        let answer = replica.visitor().get("/livez").await;
        answer.expect(200);
        assert_eq!(answer.header("connection"), "close");

        let ended = tokio::spawn(replica.ended());
        for login in logins {
            login.await.unwrap().unwrap().expect(200);
        }
        let ended = ended.await.unwrap();
        println!("{:?}: ended {:?} after the signal", app.engine(), ended.took);
        assert_eq!(ended.status.code(), Some(0), "{:?}", ended.stderr);
        assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
        assert!(ended.stdout.iter().any(|line| line.contains("\"cut_off\":0")), "{:?}", ended.stdout.last());
    }
}

/// A caller who never finishes does not hold the process.
#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap().with("http.drain_timeout", "1s");
    let replica = app.open().await;
    let address = replica.url.trim_start_matches("http://").to_owned();
    let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
    let head =
        b"POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
    tokio::io::AsyncWriteExt::write_all(&mut slow, head).await.unwrap();
    // The request is being served once the process has read it.
    until("accepted", Duration::from_secs(5), async || replica.visitor().get("/livez").await.status == 200).await;
    let ended = replica.stop().await;
    assert_eq!(ended.status.code(), Some(0));
    assert!(ended.took < Duration::from_secs(5), "{:?}", ended.took);
}

/// (fault 23)
#[tokio::test]
async fn a_stopped_service_leaves_no_lease_for_the_next_start_to_wait_for() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let replica = app.open().await;
    assert!(replica.stop().await.status.success());
    let location = SqliteLocation::File(app.path("userd.db"));
    let engine = std::sync::Arc::new(SqliteEngine::open(&SqliteOptions::at(location)).unwrap());
    let store = Store::new(engine, std::sync::Arc::new(TestRandom::default()));
    for name in ["sweeper", "signing_keys", "migrations"] {
        let lease = store.reading().leases().find(name).await.unwrap().unwrap();
        assert_eq!(lease.expires_at.micros(), 0, "{name} is still held");
    }
}

/// (fault 24)
/// F49: two services, one file.
#[tokio::test]
async fn a_second_service_on_one_file_refuses_to_start_and_names_the_first() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let replica = app.open().await;
    let second = Replica::spawn(app.command()).ended().await;
    let said = second.stderr.join("\n");
    assert_eq!(second.status.code(), Some(2), "{said}");
    let first = format!("userd.db is served by another process, {}:", replica.pid().as_raw_nonzero());
    assert!(said.contains(&first), "{said}");
    // The command line is welcome beside it, and a killed service bars nobody.
    replica.admin(&app).await;
    replica.kill().await;
    assert!(app.open().await.stop().await.status.success());
}
