//! Redis goes away, hangs and forgets under load: that costs speed only, no sign-in fails.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::{Caller, Engine, PASSWORD, TestApp, servers::Redis, unique_email, until};

/// Users who sign in and look at themselves, one time after the other.
struct SignedInUsers {
    times: Arc<Mutex<Vec<Duration>>>,
    failed: Arc<Mutex<Vec<String>>>,
    stopping: Arc<AtomicBool>,
}

impl SignedInUsers {
    async fn arrive(visitor: &Caller, count: usize) -> Self {
        let people = Self { times: Arc::default(), failed: Arc::default(), stopping: Arc::default() };
        for _ in 0..count {
            let (visitor, email) = (Caller::new(&visitor.base), unique_email());
            visitor.register(&email, PASSWORD).await;
            let (times, failed, stopping) =
                (Arc::clone(&people.times), Arc::clone(&people.failed), Arc::clone(&people.stopping));
            tokio::spawn(async move {
                while !stopping.load(Ordering::SeqCst) {
                    if let Err(why) = sign_in(&visitor, &email, &times).await {
                        failed.lock().unwrap().push(why);
                    }
                }
            });
        }
        people
    }

    /// Lets so many more sign in, and says how long they took: median and 99 of 100.
    async fn sign_in(&self, what: &str, count: usize) {
        self.times.lock().unwrap().clear();
        until(what, Duration::from_secs(60), async || self.times.lock().unwrap().len() >= count).await;
        let mut times = self.times.lock().unwrap().clone();
        times.sort();
        println!("Redis {what}: sign-in p50 {:?}, p99 {:?}", times[times.len() / 2], times[times.len() * 99 / 100]);
        assert_eq!(*self.failed.lock().unwrap(), Vec::<String>::new(), "Redis {what}");
    }
}

async fn sign_in(visitor: &Caller, email: &str, times: &Mutex<Vec<Duration>>) -> Result<(), String> {
    let start = Instant::now();
    let login = visitor.try_post("/v1/auth/login", &json!({ "login": email, "password": PASSWORD })).await;
    let login = login.map_err(|error| format!("login: {error:?}"))?;
    times.lock().unwrap().push(start.elapsed());
    if login.status != 200 {
        return Err(format!("login: {} {}", login.status, login.text));
    }
    let token = login.json()["access_token"].as_str().unwrap_or_default().to_owned();
    let me = visitor.bearing(&token).try_get("/v1/me").await.map_err(|error| format!("/v1/me: {error:?}"))?;
    if me.status == 200 { Ok(()) } else { Err(format!("/v1/me: {} {}", me.status, me.text)) }
}

impl Drop for SignedInUsers {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
    }
}

/// F05, F06, F07: Redis killed, paused, flushed.
/// ASVS V16.5.2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_sign_in_fails_whatever_happens_to_redis() {
    let Some(app) = TestApp::build(Engine::Postgres).await else { return };
    let Some(mut redis) = Redis::start().await else { return };
    // Limits are on, so that each sign-in asks Redis; they are wide.
    let mut app = app.with("cache.url", &redis.url()).with("rate_limits.enabled", "true");
    for limit in
        ["password_per_account", "password_per_known_device", "password_per_network", "registration_per_network"]
    {
        app.set(&format!("rate_limits.{limit}"), "100000 then one per 1s");
    }
    let replica = app.open().await;
    let people = SignedInUsers::arrive(&replica.visitor(), 4).await;
    people.sign_in("alive", 100).await;
    redis.kill();
    people.sign_in("killed", 100).await;
    // The cache being away is told, and does not make the service unready.
    let ready = replica.visitor().get("/readyz").await.expect(200);
    assert_eq!(ready["parts"]["cache"], "degraded", "{ready}");
    redis.revive().await;
    people.sign_in("back", 100).await;
    redis.pause();
    people.sign_in("paused", 100).await;
    redis.resume();
    people.sign_in("resumed", 50).await;
    redis.flush().await;
    people.sign_in("flushed", 100).await;
    // Nobody signs in any more: on a machine whose every core hashes passwords an answer of Redis may be late for ever.
    drop(people);
    until("connected again", Duration::from_secs(40), async || {
        replica.visitor().get("/readyz").await.json()["parts"]["cache"] == "ok"
    })
    .await;
    assert_eq!(replica.lines_of("ERROR"), Vec::<String>::new());
}

/// A service whose Redis is not there yet starts all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_without_redis_works() {
    let Some(app) = TestApp::build(Engine::Postgres).await else { return };
    let Some(mut redis) = Redis::start().await else { return };
    redis.kill();
    let replica = app.with("cache.url", &redis.url()).open().await;
    let (member, _) = replica.member().await;
    assert!(member.is_let_in().await);
    redis.revive().await;
    until("connected", Duration::from_secs(10), async || {
        replica.visitor().get("/readyz").await.json()["parts"]["cache"] == "ok"
    })
    .await;
}
