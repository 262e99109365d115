//! Two replicas over one PostgreSQL and one Redis behave as one service, whatever happens to Redis.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    races,
    support::{Caller, Engine, PASSWORD, Replica, TestApp, rounds, servers::Redis, spread, unique_email},
};

/// Two replicas with a Redis of their own, which may be broken.
struct Pair {
    app: TestApp,
    redis: Redis,
    a: Replica,
    b: Replica,
}

impl Pair {
    async fn open() -> Option<Self> {
        let mut app = TestApp::build(Engine::Postgres).await?;
        let redis = Redis::start().await?;
        app.set("cache.url", &redis.url());
        // The second must not have to make the schema: that race has its own journey.
        let a = app.open().await;
        let b = app.open().await;
        Some(Self { app, redis, a, b })
    }

    fn both(&self) -> [Caller; 2] {
        [self.a.visitor(), self.b.visitor()]
    }
}

/// What makes a token die.
#[derive(Clone, Copy)]
enum Death {
    Block,
    Logout,
    NewPassword,
}

/// Kills a token at A and measures how long B still takes it.
async fn death(pair: &Pair, admin: &Caller, way: Death) -> Duration {
    let (at_a, at_b) = (pair.a.visitor(), pair.b.visitor());
    let email = unique_email();
    let first = at_a.register(&email, PASSWORD).await;
    // The second device: a password change ends it, and leaves the one that asks.
    let tokens = at_a.login(&email, PASSWORD).await;
    let at_b = at_b.with(&tokens);
    assert!(at_b.is_let_in().await);
    match way {
        Death::Block => drop(admin.poke(&format!("/v1/users/{}/block", tokens.user_id())).await.expect(200)),
        Death::Logout => drop(at_a.with(&tokens).poke("/v1/auth/logout").await.expect(204)),
        Death::NewPassword => {
            let change = json!({ "current_password": PASSWORD, "new_password": "some other long phrase 12" });
            at_a.with(&first).put("/v1/me/password", change).await.expect(204);
        }
    }
    let start = Instant::now();
    assert!(!at_a.with(&tokens).is_let_in().await, "A itself lets it in");
    while at_b.is_let_in().await {
        assert!(start.elapsed() < Duration::from_secs(5), "B still lets a dead token in");
    }
    start.elapsed()
}

async fn deaths(pair: &Pair, admin: &Caller, what: &str) {
    let mut times = Vec::new();
    for round in 0..rounds("USERD_TEST_REVOCATIONS", 30) {
        let way = [Death::Block, Death::Logout, Death::NewPassword][round % 3];
        times.push(death(pair, admin, way).await);
    }
    let count = times.len();
    let (median, worst) = spread(times);
    println!("a dead token at the other replica, Redis {what}: p50 {median:?}, worst {worst:?} of {count}");
    assert!(worst < Duration::from_secs(1), "Redis {what}: {worst:?}");
}

/// ASVS V7.4.1
/// F34: revoked here, refused there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_dies_at_one_replica_is_dead_at_the_other_within_a_second() {
    let Some(mut pair) = Pair::open().await else { return };
    let admin = pair.a.admin(&pair.app).await;
    deaths(&pair, &admin, "alive").await;
    pair.redis.flush().await;
    deaths(&pair, &admin, "flushed").await;
    pair.redis.kill();
    deaths(&pair, &admin, "killed").await;
    pair.redis.revive().await;
    deaths(&pair, &admin, "back, empty").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_of_one_replica_is_a_session_of_the_other() {
    let Some(pair) = Pair::open().await else { return };
    let tokens = pair.a.visitor().register(&unique_email(), PASSWORD).await;
    let at_b = pair.b.visitor();
    assert_eq!(at_b.with(&tokens).get("/v1/me").await.expect(200)["id"], tokens.user["id"]);
    let next = at_b.refresh(&tokens.refresh).await.expect(200);
    let again = pair.a.visitor().refresh(next["refresh_token"].as_str().unwrap()).await.expect(200);
    // The one before the last was used up by that: showing it again ends the session, at both.
    at_b.refresh(&tokens.refresh).await.refused(401, "invalid_refresh_token");
    let last = again["refresh_token"].as_str().unwrap();
    pair.a.visitor().refresh(last).await.refused(401, "invalid_refresh_token");
}

/// F21: a rotation between two requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_a_key_rotated_at_one_replica_are_good_at_the_other_at_once() {
    let Some(pair) = Pair::open().await else { return };
    let admin = pair.a.admin(&pair.app).await;
    for _ in 0..3 {
        admin.poke("/v1/signing-keys/rotate").await.expect(200);
        let tokens = pair.a.visitor().register(&unique_email(), PASSWORD).await;
        pair.b.visitor().with(&tokens).get("/v1/me").await.expect(200);
        admin.at(&pair.b.url).get("/v1/users").await.expect(200);
    }
    // A revoked key takes every token it signed with it, at both.
    let keys = admin.get("/v1/signing-keys").await.expect(200);
    let active = keys["items"].as_array().unwrap().iter().find(|key| key["state"] == "active").unwrap();
    let tokens = pair.a.visitor().register(&unique_email(), PASSWORD).await;
    admin.poke(&format!("/v1/signing-keys/{}/revoke", active["kid"].as_str().unwrap())).await.expect(200);
    let at_b = pair.b.visitor().with(&tokens);
    let start = Instant::now();
    while at_b.is_let_in().await {
        assert!(start.elapsed() < Duration::from_secs(1), "a revoked key still signs for B");
    }
    println!("a revoked key at the other replica: {:?}", start.elapsed());
}

/// AC-090: one refresh token raced across replicas.
/// F14, F16: one refresh token and one address, raced across replicas.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn races_across_replicas_have_one_winner() {
    let Some(pair) = Pair::open().await else { return };
    let both = pair.both();
    races::the_first_administrator(&both, &[races::setup_token(&pair.a), races::setup_token(&pair.b)]).await;
    for _ in 0..rounds("USERD_TEST_RACES", 3) {
        races::one_refresh_token(&both).await;
        races::one_email(&both).await;
        races::one_idempotency_key(&both).await;
    }
}

/// Two first starts at once make one schema, one set of secrets and one set of signing keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_starting_at_once_on_an_empty_database_agree() {
    let Some(app) = TestApp::build(Engine::Postgres).await else { return };
    // They share a key as replicas do; making it is for the embedded setup.
    std::fs::write(app.path("master.key"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").unwrap();
    let (a, b) = tokio::join!(app.open(), app.open());
    let keys = a.visitor().get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(keys, b.visitor().get("/.well-known/jwks.json").await.expect(200));
    let tokens = a.visitor().register(&unique_email(), PASSWORD).await;
    assert!(b.visitor().with(&tokens).is_let_in().await);
}
