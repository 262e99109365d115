//! A handler that waits until the test lets it through.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Semaphore;
use userd_web::{extract::Path, testing::LONG};

/// A handler waits here until the test lets it through.
pub struct Gate {
    pub entered: Semaphore,
    pub open: Semaphore,
    pub running: AtomicUsize,
    pub most: AtomicUsize,
}

struct Leaving(Arc<Gate>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Gate {
    pub fn named(name: &str) -> Arc<Self> {
        static GATES: OnceLock<Mutex<HashMap<String, Arc<Gate>>>> = OnceLock::new();
        let mut gates = GATES.get_or_init(Mutex::default).lock().unwrap();
        let closed = || Self {
            entered: Semaphore::new(0),
            open: Semaphore::new(0),
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        };
        Arc::clone(gates.entry(name.to_owned()).or_insert_with(|| Arc::new(closed())))
    }

    pub async fn wait_entered(&self) {
        tokio::time::timeout(LONG, self.entered.acquire()).await.unwrap().unwrap().forget();
    }
}

pub async fn wait(Path(name): Path<String>) -> String {
    let gate = Gate::named(&name);
    let running = gate.running.fetch_add(1, Ordering::SeqCst) + 1;
    gate.most.fetch_max(running, Ordering::SeqCst);
    let _leaving = Leaving(Arc::clone(&gate));
    gate.entered.add_permits(1);
    gate.open.acquire().await.unwrap().forget();
    "through".to_owned()
}
