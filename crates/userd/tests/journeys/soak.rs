//! Everything that people do, over and over, with bad input, broken lines and sign-outs in between: what the process
//! holds does not grow. `USERD_TEST_SOAK_ROUNDS` (9) of `USERD_TEST_SOAK_STEPS` (40) steps of each client by hand.

use std::{fs, time::Duration};

use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::support::{
    Caller, Engine, PASSWORD, Replica, TestApp, Tokens, caller::send, rounds, unique, unique_email, until,
};

const CLIENTS: usize = 8;

/// What the process holds once nothing is asked of it.
#[derive(Clone, Copy, Debug)]
struct Held {
    resident: u64,
    files: usize,
    threads: usize,
}

impl Held {
    async fn by(replica: &Replica) -> Self {
        let asking = replica.visitor();
        // The connection that asks is one.
        until("connections closed", Duration::from_secs(20), async || {
            asking.metric("userd_http_connections").await <= 1.0
        })
        .await;
        let entries = |what: &str| {
            let path = format!("/proc/{}/{what}", replica.pid().as_raw_nonzero());
            fs::read_dir(path).unwrap().count()
        };
        Self { resident: replica.resident(), files: entries("fd"), threads: entries("task") }
    }
}

/// One client: an account of its own, a connection of its own in each round.
struct Client {
    email: String,
    tokens: Tokens,
}

impl Client {
    async fn new(replica: &Replica) -> Self {
        let email = unique_email();
        let tokens = replica.visitor().register(&email, PASSWORD).await;
        Self { email, tokens }
    }

    async fn round(mut self, base: String, steps: usize) -> Self {
        let caller = Caller::new(&base);
        for step in 0..steps {
            let member = caller.with(&self.tokens);
            match step % 10 {
                0 => self.refreshed(&caller).await,
                1 => self.renamed(&member).await,
                2 => refused(&member).await,
                3 => broken_off(&base).await,
                4 => {
                    member.get("/v1/me/notifications").await.expect(200);
                    member.get("/v1/me/sessions").await.expect(200);
                }
                5 => {
                    caller.get("/v1/auth/providers").await.expect(200);
                    caller.get("/sign-in").await;
                }
                _ => {
                    member.get("/v1/me").await.expect(200);
                }
            }
        }
        // A way in and out that leaves a session behind which is over.
        let other = caller.login(&self.email, PASSWORD).await;
        let answer = caller.with(&other).poke("/v1/auth/logout").await;
        assert!(answer.status < 300, "{}", answer.text);
        self
    }

    async fn refreshed(&mut self, caller: &Caller) {
        self.tokens = Tokens::of(&caller.refresh(&self.tokens.refresh).await.expect(200));
    }

    async fn renamed(&self, member: &Caller) {
        let version = member.get("/v1/me").await;
        let change = member
            .request(Method::PATCH, "/v1/me")
            .header("if-match", version.header("etag"))
            .json(&json!({ "display_name": unique("Anna") }));
        send(change).await.unwrap().expect(200);
    }
}

/// What is refused must not stay either.
async fn refused(member: &Caller) {
    let wrong = json!({ "login": unique_email(), "password": "not this one" });
    member.post("/v1/auth/login", wrong).await.refused(401, "wrong_credentials");
    member.post("/v1/auth/refresh", json!({ "refresh_token": unique("none") })).await.expect(401);
    member.post("/v1/auth/login", json!({ "login": 7 })).await.refused(400, "wrong_type");
    member.get(&format!("/v1/{}", unique("nowhere"))).await.refused(404, "not_found");
}

/// A request whose sender goes away in the middle.
async fn broken_off(base: &str) {
    let address = base.trim_start_matches("http://");
    let mut line = tokio::net::TcpStream::connect(address).await.unwrap();
    let head =
        "POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n{";
    line.write_all(head.as_bytes()).await.unwrap();
}

fn mean(part: &[Held]) -> f64 {
    part.iter().map(|held| held.resident as f64).sum::<f64>() / part.len() as f64
}

on_each_engine! {
    /// F40: more of the same work does not take more memory, files or threads (fault 37).
    async fn a_long_load_leaves_nothing_behind(app: TestApp) {
        let (rounds, steps) = (rounds("USERD_TEST_SOAK_ROUNDS", 9), rounds("USERD_TEST_SOAK_STEPS", 40));
        let replica = app.open().await;
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            clients.push(Client::new(&replica).await);
        }
        let mut held = Vec::new();
        for _ in 0..rounds {
            let base = replica.url.clone();
            let at_work: Vec<_> =
                clients.drain(..).map(|client| tokio::spawn(client.round(base.clone(), steps))).collect();
            for client in at_work {
                clients.push(client.await.unwrap());
            }
            held.push(Held::by(&replica).await);
        }
        // The first third warms caches and pools up.
        let third = rounds / 3;
        let (before, after) = (&held[third..2 * third], &held[2 * third..]);
        let drift = (mean(after) - mean(before)) / mean(before);
        println!("{:?}: {rounds} rounds, resident {:.1} then {:.1} MiB ({:+.2} %), at last {:?}",
            app.engine(), mean(before) / 1_048_576.0, mean(after) / 1_048_576.0, drift * 100.0, held.last().unwrap());
        let most = |of: fn(&Held) -> usize, part: &[Held]| part.iter().map(of).max().unwrap();
        assert!(most(|held| held.files, after) <= most(|held| held.files, before) + 2, "{held:?}");
        assert!(most(|held| held.threads, after) <= most(|held| held.threads, before) + 2, "{held:?}");
        // Five per cent of the megabytes that a short run is about; a leak of a kilobyte per step is twice that.
        assert!(drift < 0.05, "{held:?}");
    }
}
