//! The place in the feed of revocations: what to ask, what an answer means, how long to pause.

use std::{
    sync::{Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::Value;

use crate::{Error, calls::chance, view::View};

const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const SECOND: Duration = Duration::from_secs(1);

/// What is known of the feed, for logs and health checks.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// The time since the service last said that nothing is missing; none before it did.
    pub age: Option<Duration>,
    /// Revocations that are held.
    pub entries: usize,
    /// How often the feed was begun anew because it is another one than before: a backup was restored.
    pub restarts: u64,
    /// How often entries were replaced by a coarser one because there were too many.
    pub overflows: u64,
    /// How many calls in a row failed.
    pub failures: u32,
    /// Why the last one did: credentials (the account's id or secret is wrong), its status (403: the account lacks
    /// `revocations.read`), unreachable, nonsense; empty where it did not.
    pub error: String,
}

#[derive(Default)]
struct Place {
    cursor: String,
    is_complete: bool,
    restarts: u64,
    failures: u32,
    error: String,
}

pub(crate) struct Feed {
    place: Mutex<Place>,
    pub(crate) view: RwLock<View>,
    wait: Duration,
    /// Whether the view has been complete.
    pub(crate) complete: tokio::sync::watch::Sender<bool>,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
    next_cursor: Option<String>,
    has_more: bool,
}

/// What an answer leads to.
pub(crate) struct Next {
    pub(crate) pause: Duration,
    pub(crate) key_revoked: bool,
}

impl Feed {
    pub(crate) fn new(most: usize, wait: Duration) -> Self {
        let (place, view) = (Mutex::default(), RwLock::new(View::new(most)));
        Self { place, view, wait, complete: tokio::sync::watch::Sender::new(false) }
    }

    fn place<T>(&self, what: impl FnOnce(&mut Place) -> T) -> T {
        what(&mut self.place.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn with_view<T>(&self, what: impl FnOnce(&View) -> T) -> T {
        what(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn change_view<T>(&self, what: impl FnOnce(&mut View) -> T) -> T {
        what(&mut self.view.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// The question. Only who has everything waits.
    pub(crate) fn question(&self) -> String {
        self.place(|place| {
            let after = match place.cursor.as_str() {
                "" => String::new(),
                cursor => format!("&after={}", crate::calls::escaped(cursor)),
            };
            let wait = if place.is_complete { format!("&wait={}", self.wait.as_secs()) } else { String::new() };
            format!("/v1/revocations?limit=200{after}{wait}")
        })
    }

    /// Takes a page. Nothing for nonsense, before the place moves.
    pub(crate) fn answered(&self, body: &[u8], took: Duration) -> Option<Next> {
        let page: Page = serde_json::from_slice(body).ok()?;
        let is_empty = page.items.is_empty();
        let key_revoked = self.change_view(|view| view.apply(page.items)).ok()?;
        let pause = self.place(|place| {
            let moved = page.next_cursor.filter(|cursor| *cursor != place.cursor);
            let has_moved = moved.is_some();
            place.cursor = moved.unwrap_or_else(|| std::mem::take(&mut place.cursor));
            (place.failures, place.error) = (0, String::new());
            let asked_to_wait = place.is_complete;
            place.is_complete = !page.has_more;
            // A server that does not hold the answer (it is about to stop) is not asked in a loop.
            let is_fine = if page.has_more { has_moved } else { !is_empty || took >= SECOND || !asked_to_wait };
            if is_fine { Duration::ZERO } else { SECOND }
        });
        if !page.has_more {
            self.change_view(View::complete);
            self.complete.send_replace(true);
        }
        Some(Next { pause, key_revoked })
    }

    /// 410: another feed than before. What is known still counts.
    pub(crate) fn restart(&self) -> Duration {
        self.place(|place| {
            place.restarts += 1;
            (place.cursor, place.is_complete) = (String::new(), false);
        });
        self.failed("410", Duration::ZERO)
    }

    /// How long to pause: longer each time, at random, so that many do not come at once.
    pub(crate) fn failed(&self, why: &str, at_least: Duration) -> Duration {
        self.place(|place| {
            why.clone_into(&mut place.error);
            let longest = SHORTEST_PAUSE.saturating_mul(1 << place.failures.min(10)).min(LONGEST_PAUSE);
            place.failures = place.failures.saturating_add(1);
            longest.mul_f64(0.5 + chance() / 2.0).max(at_least.min(Duration::from_secs(30)))
        })
    }

    pub(crate) fn status(&self) -> Status {
        let of_view = self.with_view(|view| (view.age(), view.len(), view.overflows));
        let (age, entries, overflows) = of_view;
        self.place(|place| Status {
            age,
            entries,
            overflows,
            restarts: place.restarts,
            failures: place.failures,
            error: place.error.clone(),
        })
    }
}

impl crate::userd::Inner {
    /// Follows the feed until the task is ended.
    pub(crate) async fn follow(&self) {
        loop {
            let pause = self.poll().await;
            tokio::time::sleep(pause).await;
        }
    }

    async fn poll(&self) -> Duration {
        let began = Instant::now();
        let token = match self.calls.token(&self.options.userd_audience).await {
            Ok(token) => token,
            Err(Error::CredentialsRefused) => return self.feed.failed("credentials", Duration::ZERO),
            Err(Error::Refused { status, .. }) => return self.feed.failed(&status.to_string(), Duration::ZERO),
            Err(_) => return self.feed.failed("unreachable", Duration::ZERO),
        };
        let call = crate::calls::Call::get(self.feed.question())
            .bearing(&token)
            .within(self.options.wait + self.options.timeout);
        let Ok(answer) = self.calls.call(&call).await else { return self.feed.failed("unreachable", Duration::ZERO) };
        match answer.status {
            200 => {}
            410 => return self.feed.restart(),
            401 => {
                // The revocation can be of the key that signed our own token.
                self.calls.drop_token(&token);
                return self.feed.failed("401", Duration::ZERO);
            }
            other => return self.feed.failed(&other.to_string(), answer.retry_after),
        }
        let Some(next) = self.feed.answered(&answer.body, began.elapsed()) else {
            return self.feed.failed("nonsense", Duration::ZERO);
        };
        if next.key_revoked {
            self.keys.expire();
        }
        next.pause
    }
}
