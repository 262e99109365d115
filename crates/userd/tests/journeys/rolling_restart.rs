//! Three replicas are restarted one after the other under load, behind a balancer of twenty lines. The same program is
//! the old and the new one here: what another version does to the schema is the migrations' own test.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::json;

use crate::support::{Answer, Caller, Engine, PASSWORD, Replica, TestApp, Tokens, unique_email, until};

/// Sends each request to the next replica that says it is ready; goes on to another one only where the line was
/// refused, or where HTTP/2 said that the request was not begun (GOAWAY), which the client does by itself.
struct Balancer {
    urls: Vec<String>,
    is_ready: Vec<AtomicBool>,
    turn: AtomicUsize,
    refused: AtomicUsize,
}

impl Balancer {
    async fn send(&self, caller: &Caller, path: &str, body: Option<&serde_json::Value>) -> reqwest::Result<Answer> {
        let mut tries = 0;
        loop {
            let at = self.turn.fetch_add(1, Ordering::Relaxed) % self.urls.len();
            if !self.is_ready[at].load(Ordering::SeqCst) && tries < self.urls.len() * 2 {
                tries += 1;
                continue;
            }
            let caller = caller.at(&self.urls[at]);
            let answer = match body {
                Some(body) => caller.try_post(path, body).await,
                None => caller.try_get(path).await,
            };
            match answer {
                Err(error) if error.is_connect() && tries < 30 => {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    tries += 1;
                }
                other => return other,
            }
        }
    }

    /// Looks at each replica's readiness, as balancers do.
    async fn watch(self: Arc<Self>, at: usize) {
        loop {
            let answer = Caller::new(&self.urls[at]).try_get("/readyz").await;
            self.is_ready[at].store(answer.is_ok_and(|answer| answer.status == 200), Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[derive(Default)]
struct Count {
    answered: AtomicUsize,
    failed: Mutex<Vec<String>>,
}

/// One client's life: look, refresh, sign in, again and again.
async fn live(caller: Caller, balancer: Arc<Balancer>, stopping: Arc<AtomicBool>, count: Arc<Count>) {
    let email = unique_email();
    let body = json!({ "email": email, "password": PASSWORD });
    let registered = balancer.send(&caller, "/v1/auth/register", Some(&body)).await.unwrap().expect(201);
    let mut tokens = Tokens::of(&registered["tokens"]);
    for step in 0.. {
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        let answer = match step % 8 {
            0 => {
                let body = json!({ "login": email, "password": PASSWORD });
                balancer.send(&caller, "/v1/auth/login", Some(&body)).await
            }
            4 => {
                let body = json!({ "refresh_token": tokens.refresh });
                balancer.send(&caller, "/v1/auth/refresh", Some(&body)).await
            }
            _ => balancer.send(&caller.with(&tokens), "/v1/me", None).await,
        };
        match answer {
            Ok(answer) if answer.status == 200 => {
                count.answered.fetch_add(1, Ordering::Relaxed);
                if step % 4 == 0 {
                    tokens = Tokens::of(&answer.json());
                }
            }
            Ok(answer) => count.failed.lock().unwrap().push(format!("{} {}", answer.status, answer.text)),
            Err(error) => count.failed.lock().unwrap().push(format!("{error:?}")),
        }
    }
}

/// A client that speaks HTTP/2 from the first byte.
fn with_http2(base: &str) -> Caller {
    let http = reqwest::Client::builder()
        .http2_prior_knowledge()
        .tls_certs_only([])
        .timeout(Duration::from_secs(30))
        .no_proxy();
    Caller::new(base).over(http.build().unwrap())
}

/// F23.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_fails_no_request() {
    let Some(app) = TestApp::build(Engine::Postgres).await else { return };
    let app = app.with("http.drain_delay", "700ms").with("tokens.issuer", "http://localhost:8080");
    let apps = [app.at_its_address(), app.at_its_address(), app.at_its_address()];
    let mut replicas: Vec<Option<Replica>> = Vec::new();
    for app in &apps {
        replicas.push(Some(app.open().await));
    }
    let balancer = Arc::new(Balancer {
        urls: apps.iter().map(|app| app.get("http.public_url").to_owned()).collect(),
        is_ready: (0..3).map(|_| AtomicBool::new(true)).collect(),
        turn: AtomicUsize::default(),
        refused: AtomicUsize::default(),
    });
    let watching: Vec<_> = (0..3).map(|at| tokio::spawn(Arc::clone(&balancer).watch(at))).collect();
    let (stopping, count) = (Arc::<AtomicBool>::default(), Arc::<Count>::default());
    let clients: Vec<_> = (0..6)
        .map(|number| {
            let base = &balancer.urls[0];
            let caller = if number % 2 == 0 { Caller::new(base) } else { with_http2(base) };
            tokio::spawn(live(caller, Arc::clone(&balancer), Arc::clone(&stopping), Arc::clone(&count)))
        })
        .collect();
    let answered = || count.answered.load(Ordering::Relaxed);

    for at in 0..3 {
        let before = answered();
        until("load", Duration::from_secs(30), async || answered() > before + 50).await;
        let ended = replicas[at].take().unwrap().stop().await;
        assert_eq!(ended.status.code(), Some(0), "{:?}", ended.stderr);
        let before = answered();
        until("load on the others", Duration::from_secs(30), async || answered() > before + 50).await;
        replicas[at] = Some(apps[at].open().await);
    }
    let before = answered();
    until("load", Duration::from_secs(30), async || answered() > before + 50).await;
    stopping.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    watching.iter().for_each(tokio::task::JoinHandle::abort);
    println!(
        "three restarts under load: {} requests, {} failed; {} lines refused and taken elsewhere",
        answered(),
        count.failed.lock().unwrap().len(),
        balancer.refused.load(Ordering::Relaxed)
    );
    let failed = count.failed.lock().unwrap();
    assert!(failed.is_empty(), "{:?}", &failed[..failed.len().min(5)]);
}
