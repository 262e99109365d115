//! More sign-ins than the machine can hash: the excess is sent away at once, memory stays bounded, and everything else
//! goes on.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Caller, Engine, PASSWORD, TestApp, spread, unique_email};

const WORKERS: u64 = 2;
const MEMORY: u64 = 32 << 20;
const STORM: usize = 300;

on_each_engine! {
    /// F28.
    /// ASVS V15.2.2, V15.4.4
    async fn a_login_storm_is_sent_away_and_bounded(app: TestApp) {
        let app = app
            .with("passwords.argon2.memory_kib", &(MEMORY >> 10).to_string())
            .with("passwords.workers", &WORKERS.to_string())
            .with("passwords.queue", "8");
        let replica = app.open().await;
        let visitor = replica.visitor();
        let email = unique_email();
        let tokens = visitor.register(&email, PASSWORD).await;
        let member = visitor.with(&tokens);
        let before = replica.resident();

        let storm: Vec<_> = (0..STORM)
            .map(|_| {
                let (caller, body) = (visitor.clone(), json!({ "login": email, "password": PASSWORD }));
                tokio::spawn(async move { caller.try_post("/v1/auth/login", &body).await })
            })
            .collect();
        // Somebody else's connection: others are not behind the storm.
        let bystander = Caller::new(&replica.url).with(&tokens);
        let mut times = Vec::new();
        for _ in 0..20 {
            let start = Instant::now();
            bystander.get("/livez").await.expect(200);
            bystander.get("/v1/me").await.expect(200);
            times.push(start.elapsed());
        }
        let (mut served, mut refused) = (0, 0);
        for login in storm {
            let answer = login.await.unwrap().unwrap();
            match answer.status {
                200 => served += 1,
                503 => {
                    answer.refused(503, "busy");
                    assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
                    refused += 1;
                }
                other => panic!("{other}: {}", answer.text),
            }
        }
        let (median, worst) = spread(times);
        let grown = replica.peak().saturating_sub(before);
        println!(
            "{:?}: of {STORM} sign-ins at once {served} served, {refused} sent away; memory grew by {} MiB at most; \
             /livez and /v1/me meanwhile p50 {median:?}, worst {worst:?}",
            app.engine(),
            grown >> 20
        );
        assert!(served >= 8 && refused >= 100, "{served} served, {refused} sent away");
        // The arenas, and room for three hundred connections and their requests in a build without optimisation.
        assert!(grown < WORKERS * MEMORY + (64 << 20), "memory grew by {} MiB", grown >> 20);
        assert!(worst < Duration::from_secs(2), "others waited {worst:?}");
        member.get("/v1/me").await.expect(200);
        visitor.login(&email, PASSWORD).await;
    }
}
