//! What every stand-in has: an address, knobs, users, a list of what it was asked, and an end. What it answers is in
//! its own file.

use std::{
    collections::BTreeMap,
    future::Future,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{Router, extract::Request, http::HeaderValue, response::Response};
use tokio::{net::TcpListener, task::JoinHandle};
use userd_model::{Clock, Timestamp};

use crate::{
    ask::Ask,
    outside::SystemClock,
    reply::{self, Fault},
    test_users::{TestUser, test_users},
};

/// How a stand-in is started.
#[derive(Clone)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Its clock. Default: the machine's.
    pub clock: Arc<dyn Clock>,
    /// The registered redirect URIs, compared exactly. Empty: any.
    pub redirect_uris: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { port: 0, clock: Arc::new(SystemClock), redirect_uris: Vec::new() }
    }
}

impl Options {
    /// At this port.
    #[must_use]
    pub fn at(port: u16) -> Self {
        Self { port, ..Self::default() }
    }

    /// With this clock, such as a test's.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..Self::default() }
    }
}

/// A running stand-in with knobs `K`. It stops when it is dropped.
pub struct StandIn<K> {
    /// `http://127.0.0.1:<port>`, without a slash at the end.
    pub base_url: String,
    shared: Arc<Shared<K>>,
    serving: JoinHandle<()>,
}

impl<K> Drop for StandIn<K> {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl<K> StandIn<K> {
    /// Changes the knobs, and answers what `change` answers.
    pub fn turn<T>(&self, change: impl FnOnce(&mut K) -> T) -> T {
        change(&mut locked(&self.shared.knobs))
    }

    /// Everything it was asked, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Ask> {
        locked(&self.shared.requests).clone()
    }

    /// What it was asked at one path.
    #[must_use]
    pub fn requests_to(&self, path: &str) -> Vec<Ask> {
        locked(&self.shared.requests).iter().filter(|ask| ask.path == path).cloned().collect()
    }

    /// Breaks a path until [`StandIn::recover`]; `*` is every path.
    pub fn fail(&self, path: &str, fault: Fault) {
        locked(&self.shared.faults).insert(path.to_owned(), fault);
    }

    /// Ends every fault.
    pub fn recover(&self) {
        locked(&self.shared.faults).clear();
    }

    /// Adds somebody, or replaces who has the same key.
    pub fn welcome(&self, person: TestUser) {
        let mut users = locked(&self.shared.users);
        users.retain(|known| known.key != person.key);
        users.push(person);
    }

    /// Somebody by key.
    #[must_use]
    pub fn person(&self, key: &str) -> Option<TestUser> {
        self.shared.person(key)
    }

    /// Answers every authorize page at once as this person (`deny` declines); `None` shows the page again.
    pub fn decide_at_once(&self, key: Option<&str>) {
        *locked(&self.shared.automatic) = key.map(str::to_owned);
    }

    pub(crate) fn shared(&self) -> &Arc<Shared<K>> {
        &self.shared
    }
}

/// What a stand-in's behaviour reads.
pub(crate) struct Shared<K> {
    pub(crate) base_url: String,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) knobs: Mutex<K>,
    pub(crate) users: Mutex<Vec<TestUser>>,
    pub(crate) automatic: Mutex<Option<String>>,
    faults: Mutex<BTreeMap<String, Fault>>,
    requests: Mutex<Vec<Ask>>,
}

impl<K> Shared<K> {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn person(&self, key: &str) -> Option<TestUser> {
        locked(&self.users).iter().find(|person| person.key == key).cloned()
    }

    pub(crate) fn person_numbered(&self, number: u64) -> Option<TestUser> {
        locked(&self.users).iter().find(|person| person.number == number).cloned()
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// Whether a redirect URI is registered.
    pub(crate) fn registered(&self, uri: &str) -> bool {
        let is_url = url::Url::parse(uri).is_ok();
        is_url && (self.redirect_uris.is_empty() || self.redirect_uris.iter().any(|known| known == uri))
    }

    /// A copy of the knobs.
    pub(crate) fn knobs(&self) -> K
    where
        K: Clone,
    {
        locked(&self.knobs).clone()
    }

    fn fault(&self, path: &str) -> Option<Fault> {
        let faults = locked(&self.faults);
        faults.get(path).or_else(|| faults.get("*")).cloned()
    }
}

/// How one stand-in answers.
pub(crate) trait Behaviour<K>: Send + Sync + 'static {
    fn answer(&self, shared: &Arc<Shared<K>>, ask: &Ask) -> impl Future<Output = Response> + Send;
}

/// Opens the port and serves until the answer is dropped. `behaviour` learns the base URL first.
pub(crate) async fn serve<K: Send + 'static, B: Behaviour<K>>(
    options: Options,
    knobs: K,
    behaviour: Arc<B>,
) -> std::io::Result<StandIn<K>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let shared = Arc::new(Shared {
        base_url: base_url.clone(),
        clock: options.clock,
        redirect_uris: options.redirect_uris,
        knobs: Mutex::new(knobs),
        users: Mutex::new(test_users()),
        automatic: Mutex::new(None),
        faults: Mutex::new(BTreeMap::new()),
        requests: Mutex::new(Vec::new()),
    });
    let serving = Arc::clone(&shared);
    let app = Router::new().fallback(move |request: Request| {
        let (shared, behaviour) = (Arc::clone(&serving), Arc::clone(&behaviour));
        async move { respond(&shared, behaviour.as_ref(), request).await }
    });
    let serving = tokio::spawn(async move {
        // Serving ends only with the task.
        let _ = axum::serve(listener, app).await;
    });
    Ok(StandIn { base_url, shared, serving })
}

async fn respond<K, B: Behaviour<K>>(shared: &Arc<Shared<K>>, behaviour: &B, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 1 << 20).await else {
        return reply::oauth_error(413, "invalid_request", "too large");
    };
    let ask = Ask {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: body.to_vec(),
    };
    locked(&shared.requests).push(ask.clone());
    let broken = match shared.fault(&ask.path) {
        Some(fault) => fault.happen().await,
        None => None,
    };
    let mut answer = match broken {
        Some(answer) => answer,
        None => behaviour.answer(shared, &ask).await,
    };
    // No connection outlives its answer, so that a stand-in that was dropped is gone for everybody.
    answer.headers_mut().insert("connection", HeaderValue::from_static("close"));
    answer
}

/// A lock; a test that panicked while holding it has already failed.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
