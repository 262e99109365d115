//! Something learned from a provider and kept for a while: fetched by one caller at a time, refreshed at most every
//! thirty seconds, and used on when the provider fails. What it is and how it is fetched is the caller's matter.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use userd_model::Timestamp;

use crate::fault::ProviderFault;

/// How long a value is used without asking again.
const FRESH: Duration = Duration::from_secs(3600);
/// How long a value is used while asking again fails.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// The least time between two fetches while there is a value.
const APART: Duration = Duration::from_secs(30);

pub(crate) struct Learned<T> {
    state: Mutex<State<T>>,
    turn: tokio::sync::Mutex<()>,
}

struct State<T> {
    value: Option<(Arc<T>, Timestamp)>,
    tried: Option<Timestamp>,
    tries: u64,
    fault: Option<ProviderFault>,
}

impl<T> Learned<T> {
    pub(crate) fn new() -> Self {
        let state = State { value: None, tried: None, tries: 0, fault: None };
        Self { state: Mutex::new(state), turn: tokio::sync::Mutex::new(()) }
    }

    /// The value; with `newer`, one that is fetched again if the last fetch is long enough ago.
    pub(crate) async fn get<F>(
        &self,
        now: Timestamp,
        newer: bool,
        fetch: impl FnOnce() -> F + Send,
    ) -> Result<Arc<T>, ProviderFault>
    where
        F: Future<Output = Result<T, ProviderFault>> + Send,
        T: Send + Sync,
    {
        let seen = self.look(|state| match &state.value {
            Some((value, at)) if !newer && now.since(*at) < FRESH => Ok(Arc::clone(value)),
            _ => Err(state.tries),
        });
        let tries = match seen {
            Ok(value) => return Ok(value),
            Err(tries) => tries,
        };
        let _turn = self.turn.lock().await;
        if let Some(answer) = self.look(|state| state.without_fetching(tries, now)) {
            return answer;
        }
        let fetched = fetch().await;
        self.look(|state| state.take(fetched, now))
    }

    fn look<R>(&self, read: impl FnOnce(&mut State<T>) -> R) -> R {
        read(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> State<T> {
    /// What to answer when somebody fetched while we waited, or fetched only just now.
    fn without_fetching(&self, tries: u64, now: Timestamp) -> Option<Result<Arc<T>, ProviderFault>> {
        let usable = self.value.as_ref().filter(|(_, at)| now.since(*at) < STALE).map(|(value, _)| Arc::clone(value));
        if self.tries != tries {
            let fault = || self.fault.clone().unwrap_or_else(|| ProviderFault::Unavailable("no answer yet".into()));
            return Some(usable.ok_or_else(fault));
        }
        let just_now = self.tried.is_some_and(|at| now.since(at) < APART);
        usable.filter(|_| just_now).map(Ok)
    }

    fn take(&mut self, fetched: Result<T, ProviderFault>, now: Timestamp) -> Result<Arc<T>, ProviderFault> {
        self.tried = Some(now);
        self.tries += 1;
        match fetched {
            Ok(value) => {
                let value = Arc::new(value);
                self.value = Some((Arc::clone(&value), now));
                self.fault = None;
                Ok(value)
            }
            Err(fault) => {
                self.fault = Some(fault.clone());
                match &self.value {
                    Some((value, at)) if now.since(*at) < STALE => {
                        tracing::warn!(%fault, "using an older answer of the provider");
                        Ok(Arc::clone(value))
                    }
                    _ => Err(fault),
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_767_225_600 + seconds)
    }

    struct Source {
        learned: Learned<u32>,
        calls: AtomicU32,
    }

    impl Source {
        fn new() -> Self {
            Self { learned: Learned::new(), calls: AtomicU32::new(0) }
        }

        async fn get(&self, seconds: i64, newer: bool, good: bool) -> Option<u32> {
            let fetch = || async {
                tokio::task::yield_now().await;
                let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
                if good { Ok(call) } else { Err(ProviderFault::Unavailable("down".into())) }
            };
            self.learned.get(at(seconds), newer, fetch).await.ok().map(|v| *v)
        }
    }

    #[tokio::test]
    async fn a_flood_of_unknown_keys_fetches_once_in_thirty_seconds() {
        let source = Source::new();
        assert_eq!(source.get(0, false, true).await, Some(1));
        for second in 1..30 {
            assert_eq!(source.get(second, true, true).await, Some(1));
        }
        assert_eq!(source.get(30, true, true).await, Some(2));
        assert_eq!(source.get(31, false, true).await, Some(2));
    }

    #[tokio::test]
    async fn an_old_answer_serves_for_a_day_while_the_provider_is_down() {
        let source = Source::new();
        assert_eq!(source.get(0, false, false).await, None);
        assert_eq!(source.get(1, false, true).await, Some(2), "the first failure does not block");
        assert_eq!(source.get(3602, false, false).await, Some(2));
        assert_eq!(source.get(86_000, false, false).await, Some(2));
        assert_eq!(source.get(86_402, false, false).await, None);
    }

    #[tokio::test]
    async fn callers_at_once_share_one_fetch_and_its_failure() {
        let source = Source::new();
        let both = tokio::join!(source.get(0, false, false), source.get(0, false, false), source.get(0, false, false));
        assert_eq!(both, (None, None, None));
        assert_eq!(source.calls.load(Ordering::SeqCst), 1);
        let both = tokio::join!(source.get(1, false, true), source.get(1, false, true));
        assert_eq!(both, (Some(2), Some(2)));
    }
}
