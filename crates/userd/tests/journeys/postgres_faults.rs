//! PostgreSQL goes away under load: lines are cut, the server crashes, the server is stopped. Nothing acknowledged is
//! lost, nothing happens twice, nobody sees a 500, and it comes back by itself.

use std::time::{Duration, Instant};

use serde_json::json;
use userd_storage::testing::TestDatabase;

use crate::{
    load::{Load, reconcile},
    support::{Caller, Engine, PASSWORD, Replica, TestApp, proxy::Proxy, servers::Postgres, unique_email, until},
};

struct Fixture {
    app: TestApp,
    cluster: Postgres,
    line: Proxy,
}

impl Fixture {
    async fn build() -> Option<Self> {
        let cluster = Postgres::start().await?;
        let line = Proxy::to(format!("127.0.0.1:{}", cluster.port)).await;
        let app = TestApp::bare(Engine::Postgres)
            .with("database.url", &cluster.url_through(line.port))
            .with("database.acquire_timeout", "2s");
        Some(Self { app, cluster, line })
    }
}

async fn is_ready(replica: &Replica) -> bool {
    replica.visitor().get("/readyz").await.status == 200
}

async fn succeed(load: &Load, more: usize) {
    let before = load.successes();
    until("progress", Duration::from_secs(30), async || load.successes() >= before + more).await;
}

/// F08: lines cut under load.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_lines_to_the_database_lose_nothing() {
    let Some(fixture) = Fixture::build().await else { return };
    let replica = fixture.app.open().await;
    let admin = replica.admin(&fixture.app).await;
    let load = Load::start(&admin, 6);
    let mut back = Vec::new();
    for _ in 0..10 {
        succeed(&load, 5).await;
        let cut = Instant::now();
        fixture.line.cut();
        back.push(load.first_success_after(cut).await);
    }
    let seen = load.stop().await;
    println!(
        "10 cuts: {} accounts and {} service accounts acknowledged, {} answers 503; first success after {:?} at worst",
        seen.emails.len(),
        seen.clients.len(),
        seen.busy,
        back.iter().max().unwrap()
    );
    reconcile(&admin, &seen).await;
    assert_eq!(replica.lines_of("ERROR"), Vec::<String>::new());
}

/// F08: the server crashes, and is stopped, under load.
/// ASVS V16.5.2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_restarts_loses_nothing_and_comes_back_by_itself() {
    let Some(fixture) = Fixture::build().await else { return };
    let replica = fixture.app.open().await;
    let admin = replica.admin(&fixture.app).await;
    let load = Load::start(&admin, 6);
    for mode in ["immediate", "fast"] {
        succeed(&load, 5).await;
        fixture.cluster.down(mode);
        let unready = until("not ready", Duration::from_secs(10), async || !is_ready(&replica).await).await;
        let busy = load.busy();
        until("refused", Duration::from_secs(10), async || load.busy() >= busy + 3).await;
        // What needs no database goes on.
        replica.visitor().get("/livez").await.expect(200);
        replica.visitor().get("/.well-known/jwks.json").await.expect(200);
        fixture.cluster.up();
        let up = Instant::now();
        let first = load.first_success_after(up).await;
        let ready = until("ready", Duration::from_secs(10), async || is_ready(&replica).await).await;
        println!(
            "{mode}: not ready after {unready:?}; back: first success after {first:?}, ready after {ready:?} more"
        );
        assert!(first < Duration::from_secs(5), "{first:?}");
    }
    let seen = load.stop().await;
    println!("{} acknowledged, {} answers 503", seen.emails.len() + seen.clients.len(), seen.busy);
    reconcile(&admin, &seen).await;
    assert_eq!(replica.lines_of("ERROR"), Vec::<String>::new());
}

/// A service that starts before its database server waits, says so, and then serves (fault 26).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_without_the_server_waits_for_it() {
    let Some(fixture) = Fixture::build().await else { return };
    fixture.cluster.down("fast");
    let starting = Replica::spawn(fixture.app.command());
    let away = || starting.lines_of("WARN").into_iter().filter(|line| line.contains("the database is away")).count();
    until("said twice", Duration::from_secs(20), async || away() >= 2).await;
    assert!(!fixture.app.path("master.key").exists(), "nothing is made before there is a database");
    fixture.cluster.up();
    let listens = || starting.stdout().iter().any(|line| line.contains("\"message\":\"listening\""));
    until("listening", Duration::from_secs(30), async || listens()).await;
    assert!(starting.stdout().iter().any(|line| line.contains("the database is there")));
    assert_eq!(starting.lines_of("ERROR"), Vec::<String>::new());
    assert!(starting.stop().await.status.success());

    // While it waits, a signal to stop is obeyed.
    fixture.line.close();
    let starting = Replica::spawn(fixture.app.command());
    until("said", Duration::from_secs(20), async || {
        starting.lines_of("WARN").iter().any(|line| line.contains("the database is away"))
    })
    .await;
    let ended = starting.stop().await;
    assert!(ended.status.success() && ended.took < Duration::from_secs(5), "{:?} {:?}", ended.status, ended.took);
}

/// What no waiting mends ends the start, and says what to do (fault 26).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_a_database_that_does_not_exist_or_is_not_in_utf8_ends_with_what_to_do() {
    let Some(latin) = TestDatabase::create_latin1().await.unwrap() else { return };
    let url = latin.url().unwrap();
    let mut nowhere = url::Url::parse(&url).unwrap();
    nowhere.set_path("/nobody_made_this");
    for (url, words) in [(url, ["LATIN1", "ENCODING 'UTF8'"]), (nowhere.to_string(), ["3D000", "CREATE DATABASE"])] {
        let app = TestApp::bare(Engine::Postgres).with("database.url", &url);
        let ended = Replica::spawn(app.command()).ended().await;
        let said = ended.stderr.join("\n");
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
        assert!(!app.path("master.key").exists(), "no key is made for it");
    }
}

/// A database that is away makes every part of the API answer 503 or, where it is not needed, as ever.
/// ASVS V16.5.3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_database_nobody_sees_a_500() {
    let Some(fixture) = Fixture::build().await else { return };
    let replica = fixture.app.open().await;
    let (member, tokens) = replica.member().await;
    let admin = replica.admin(&fixture.app).await;
    fixture.line.close();
    let visitor = replica.visitor();
    let email = tokens.user["email"].as_str().unwrap();
    for answer in [
        visitor.post("/v1/auth/login", json!({ "login": email, "password": PASSWORD })).await,
        visitor.post("/v1/auth/register", json!({ "email": unique_email(), "password": PASSWORD })).await,
        visitor.refresh(&tokens.refresh).await,
        member.get("/v1/me/sessions").await,
        member.poke("/v1/auth/logout").await,
        admin.get("/v1/users").await,
        admin.poke("/v1/signing-keys/rotate").await,
    ] {
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(!answer.header("retry-after").is_empty());
    }
    visitor.refresh("udr_nonsense").await.expect(401);
    visitor.get("/v1/users").await.expect(401);
    fixture.line.open();
    until("back", Duration::from_secs(5), async || member.get("/v1/me/sessions").await.status == 200).await;
    visitor.refresh(&tokens.refresh).await.expect(200);
}

/// F50: PgBouncer in transaction mode, with more of us than it has connections. With the documented setting everything
/// works; with the default one everything works too, or the log names the key to set.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_in_transaction_mode_works_or_the_log_names_the_key_to_set() {
    let Some(server) = Postgres::start().await else { return };
    let pooler = server.pooled().await;
    let app = TestApp::bare(Engine::Postgres).with("database.url", &server.url_through(pooler.port));
    let pooled = app.with("database.statement_cache", "false");
    let replica = pooled.open().await;
    let members: Vec<_> = (0..16).map(|_| replica.visitor()).map(|visitor| tokio::spawn(live(visitor))).collect();
    for member in members {
        member.await.unwrap();
    }
    assert!(replica.lines_of("ERROR").is_empty(), "{:?}", replica.lines_of("ERROR"));
    assert!(replica.stop().await.status.success());

    let replica = Replica::spawn(app.command());
    let decided = until("it works or says why not", Duration::from_secs(60), async || {
        replica.log().contains("database.statement_cache") || replica.log().contains("\"message\":\"listening\"")
    });
    decided.await;
    replica.kill().await;
}

/// Registers, looks, refreshes and leaves.
async fn live(visitor: Caller) {
    let tokens = visitor.register(&unique_email(), PASSWORD).await;
    let member = visitor.with(&tokens);
    member.get("/v1/me").await.expect(200);
    member.refresh(&tokens.refresh).await.expect(200);
    member.poke("/v1/auth/logout").await.expect(204);
}
