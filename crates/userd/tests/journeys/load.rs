//! A steady load of writers that keep a ledger: each makes things under idempotency keys, tries again after a 503 or a
//! broken line as a careful client does, and knows in the end what must be there exactly once.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::{Answer, Caller, PASSWORD, caller::send, unique, unique_email};

/// What the writers saw.
#[derive(Default)]
pub struct Seen {
    /// Addresses whose registration was answered with 201.
    pub emails: Vec<String>,
    /// Names of service accounts whose making was answered with 201.
    pub clients: Vec<String>,
    /// Answers with 503, all with `Retry-After`.
    pub busy: usize,
    /// Whatever should never be seen.
    pub wrong: Vec<String>,
    /// When the last success was answered.
    pub last_success: Option<Instant>,
}

/// Writers at work.
pub struct Load {
    pub seen: Arc<Mutex<Seen>>,
    stopping: Arc<AtomicBool>,
    writers: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts `count` writers, who make accounts as visitors and service accounts as `admin`.
    pub fn start(admin: &Caller, count: usize) -> Self {
        let (seen, stopping) = (Arc::<Mutex<Seen>>::default(), Arc::<AtomicBool>::default());
        let writers = (0..count).map(|number| {
            let writer = Writer { admin: admin.clone(), seen: Arc::clone(&seen), stopping: Arc::clone(&stopping) };
            tokio::spawn(writer.work(number))
        });
        Self { writers: writers.collect(), seen, stopping }
    }

    /// Successes so far.
    pub fn successes(&self) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.emails.len() + seen.clients.len()
    }

    /// 503s so far.
    pub fn busy(&self) -> usize {
        self.seen.lock().unwrap().busy
    }

    /// When the first success after `moment` was answered, waiting for it.
    pub async fn first_success_after(&self, moment: Instant) -> Duration {
        loop {
            let last = self.seen.lock().unwrap().last_success;
            if let Some(success) = last.filter(|success| *success > moment) {
                return success - moment;
            }
            assert!(moment.elapsed() < Duration::from_secs(30), "no success since {:?}", moment.elapsed());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Lets every writer finish what it has begun.
    pub async fn stop(self) -> Seen {
        self.stopping.store(true, Ordering::SeqCst);
        for writer in self.writers {
            writer.await.unwrap();
        }
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

struct Writer {
    admin: Caller,
    seen: Arc<Mutex<Seen>>,
    stopping: Arc<AtomicBool>,
}

impl Writer {
    async fn work(self, number: usize) {
        let visitor = Caller::new(&self.admin.base);
        for step in number.. {
            if self.stopping.load(Ordering::SeqCst) {
                return;
            }
            if step % 2 == 0 {
                let email = unique_email();
                let body = json!({ "email": email, "password": PASSWORD });
                self.persist(&visitor, "/v1/auth/register", &body).await;
                self.seen.lock().unwrap().emails.push(email);
            } else {
                let name = unique("service");
                let body = json!({ "name": name, "permissions": [] });
                self.persist(&self.admin, "/v1/clients", &body).await;
                self.seen.lock().unwrap().clients.push(name);
            }
        }
    }

    /// Tries one thing, under one key, until it is answered with 201.
    async fn persist(&self, caller: &Caller, path: &str, body: &Value) {
        let key = unique("key");
        let begun = Instant::now();
        loop {
            let request = caller.request(Method::POST, path).header("idempotency-key", &key).json(body);
            if self.note(path, send(request).await) {
                return;
            }
            if begun.elapsed() > Duration::from_secs(60) {
                self.seen.lock().unwrap().wrong.push(format!("{path}: no success in a minute"));
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    /// Writes down an answer; whether it was the one.
    fn note(&self, path: &str, answer: reqwest::Result<Answer>) -> bool {
        let mut seen = self.seen.lock().unwrap();
        match answer {
            Ok(answer) if answer.status == 201 => {
                seen.last_success = Some(Instant::now());
                return true;
            }
            Ok(answer) if answer.status == 503 => {
                seen.busy += 1;
                if answer.header("retry-after").is_empty() {
                    seen.wrong.push("503 without Retry-After".to_owned());
                }
            }
            Ok(answer) => seen.wrong.push(format!("{path}: {} {}", answer.status, answer.text)),
            Err(error) => seen.wrong.push(format!("{path}: {error:?}")),
        }
        false
    }
}

/// Compares the ledger with what the service has: everything acknowledged once, nothing twice.
pub async fn reconcile(admin: &Caller, seen: &Seen) {
    assert_eq!(seen.wrong, Vec::<String>::new());
    let stored = all(admin, "/v1/clients", "name").await;
    for name in &seen.clients {
        assert_eq!(stored.iter().filter(|stored| *stored == name).count(), 1, "{name} is not there exactly once");
    }
    let stored = all(admin, "/v1/users", "email").await;
    for email in &seen.emails {
        assert_eq!(stored.iter().filter(|stored| *stored == email).count(), 1, "{email} is not there exactly once");
    }
    for email in seen.emails.iter().rev().take(10) {
        Caller::new(&admin.base).login(email, PASSWORD).await;
    }
}

/// One member of every item of a list.
async fn all(admin: &Caller, path: &str, member: &str) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("{path}?limit=200{cursor}")).await.expect(200);
        let items = page["items"].as_array().unwrap().clone();
        found.extend(items.iter().map(|item| item[member].as_str().unwrap_or_default().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}
