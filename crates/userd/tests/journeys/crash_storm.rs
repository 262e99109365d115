//! `kill -9` in the middle of registrations and refreshes. The clients keep a ledger of what was answered; whatever
//! was, must be there after the next start.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::json;

use crate::support::{Caller, Engine, PASSWORD, TestApp, rounds, spread, unique_email};

const CLIENTS: usize = 16;

/// What one client knows.
#[derive(Default)]
struct Ledger {
    /// Answered with 201.
    registered: Vec<String>,
    /// Sent, and no answer came: there wholly or not at all.
    unknown: Vec<String>,
    /// The newest token that an answer brought.
    refresh: Option<String>,
    refreshes: usize,
}

impl Ledger {
    /// Registers and refreshes until the line breaks.
    async fn storm(mut self, caller: Caller, stopping: Arc<AtomicBool>) -> Self {
        for step in 0_usize.. {
            if stopping.load(Ordering::SeqCst) {
                break;
            }
            let went_on = match (&self.refresh, step % 3) {
                (Some(token), 1 | 2) => {
                    let body = json!({ "refresh_token": token });
                    match caller.try_post("/v1/auth/refresh", &body).await {
                        Ok(answer) => {
                            let pair = answer.expect(200);
                            self.refresh = Some(pair["refresh_token"].as_str().unwrap().to_owned());
                            self.refreshes += 1;
                            true
                        }
                        Err(_) => false,
                    }
                }
                _ => self.register(&caller).await,
            };
            if !went_on {
                break;
            }
        }
        self
    }

    async fn register(&mut self, caller: &Caller) -> bool {
        let email = unique_email();
        match caller.try_post("/v1/auth/register", &json!({ "email": email, "password": PASSWORD })).await {
            Ok(answer) => {
                let body = answer.expect(201);
                self.registered.push(email);
                let token = body["tokens"]["refresh_token"].as_str().unwrap();
                self.refresh.get_or_insert_with(|| token.to_owned());
                true
            }
            Err(_) => {
                self.unknown.push(email);
                false
            }
        }
    }

    /// Compares with what the restarted service says.
    async fn reconcile(&mut self, visitor: &Caller, checked: usize) {
        if let Some(token) = &self.refresh {
            let answer = visitor.refresh(token).await;
            assert_eq!(answer.status, 200, "an acknowledged refresh token is lost: {}", answer.text);
            self.refresh = Some(answer.json()["refresh_token"].as_str().unwrap().to_owned());
        }
        if let Some(email) = self.registered.get(checked) {
            visitor.login(email, PASSWORD).await;
        }
        for email in self.unknown.drain(..) {
            let answer = visitor.post("/v1/auth/register", json!({ "email": email, "password": PASSWORD })).await;
            match answer.status {
                201 => {}
                // It was stored: then wholly, with its password.
                409 => drop(visitor.login(&email, PASSWORD).await),
                other => panic!("{other}: {}", answer.text),
            }
            self.registered.push(email);
        }
    }
}

on_each_engine! {
    /// F01.
    async fn a_crash_storm_loses_nothing_that_was_acknowledged(app: TestApp) {
        let cycles = rounds("USERD_TEST_CRASHES", 20);
        let (mut ledgers, mut ready): (Vec<Ledger>, Vec<Duration>) = Default::default();
        ledgers.resize_with(CLIENTS, Ledger::default);
        for cycle in 0..cycles {
            let replica = app.open().await;
            ready.push(replica.ready_after);
            let visitor = replica.visitor();
            for ledger in &mut ledgers {
                let newest = ledger.registered.len().saturating_sub(1);
                ledger.reconcile(&visitor, newest).await;
            }
            let stopping = Arc::new(AtomicBool::new(false));
            let storming = ledgers.drain(..).map(|ledger| {
                tokio::spawn(ledger.storm(replica.visitor(), Arc::clone(&stopping)))
            });
            let storming: Vec<_> = storming.collect();
            // The moment of the crash differs from cycle to cycle; it is the only wait, and nothing depends on it.
            tokio::time::sleep(Duration::from_millis(30 + (cycle as u64 * 137) % 400)).await;
            replica.kill().await;
            stopping.store(true, Ordering::SeqCst);
            for ledger in storming {
                ledgers.push(ledger.await.unwrap());
            }
        }
        let replica = app.open().await;
        ready.push(replica.ready_after);
        for ledger in &mut ledgers {
            ledger.reconcile(&replica.visitor(), 0).await;
        }

        let users = app.ask(&["users", "list", "--limit", "1000000"]).await;
        let stored: Vec<&str> = users.as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap()).collect();
        let distinct: HashSet<&str> = stored.iter().copied().collect();
        assert_eq!(distinct.len(), stored.len(), "an e-mail address is stored twice");
        let acknowledged: Vec<&String> = ledgers.iter().flat_map(|ledger| &ledger.registered).collect();
        let lost = acknowledged.iter().filter(|email| !distinct.contains(email.as_str())).count();
        let refreshes: usize = ledgers.iter().map(|ledger| ledger.refreshes).sum();
        // The first start makes the schema; the others only open it.
        let (median, worst) = spread(ready[1..].to_vec());
        println!(
            "{:?}: {cycles} crashes, {} registrations and {refreshes} refreshes acknowledged, {lost} lost; \
             ready after p50 {median:?}, worst {worst:?}",
            app.engine(),
            acknowledged.len(),
        );
        assert_eq!(lost, 0);
        assert!(worst < Duration::from_secs(5), "not ready again at once: {worst:?}");
    }
}
