//! A userd that is trusted.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio::{task::JoinHandle, time::Instant};

use crate::{
    Error, Options, Reason, Status, Token, WhenStale,
    calls::{Call, Calls},
    error::unavailable,
    feed::Feed,
    keys::Keys,
    memory::Memory,
    verify,
};

/// A userd that is trusted. One for a process; cloning is cheap, and the follower ends with the last clone.
#[derive(Clone)]
pub struct Userd {
    pub(crate) inner: Arc<Inner>,
    follower: Arc<Follower>,
}

pub(crate) struct Inner {
    pub(crate) options: Arc<Options>,
    pub(crate) keys: Keys,
    pub(crate) feed: Feed,
    pub(crate) calls: Arc<Calls>,
    remembered: Memory,
    /// Whether the key set is being asked for beside the requests.
    refreshing: AtomicBool,
}

/// The task that follows the feed, and until when a first token waits for it.
#[derive(Default)]
struct Follower {
    until: OnceLock<Instant>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        if let Some(task) = self.task.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

impl Userd {
    /// Makes one. Nothing is called before the first token.
    ///
    /// # Errors
    /// [`Error::Options`].
    pub fn new(options: Options) -> Result<Self, Error> {
        let options = Arc::new(options.settled()?);
        let inner = Inner {
            keys: Keys::new(options.keys.as_deref())?,
            feed: Feed::new(options.max_entries, options.wait),
            calls: Arc::new(Calls::new(Arc::clone(&options))?),
            remembered: Memory::new(options.max_tokens),
            refreshing: AtomicBool::new(false),
            options,
        };
        Ok(Self { inner: Arc::new(inner), follower: Arc::default() })
    }

    /// Who calls with this token.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] (401), [`Error::Unavailable`] (503).
    pub async fn verify(&self, token: &str) -> Result<Arc<Token>, Error> {
        self.start().await;
        let verified = self.inner.offline(token).await?;
        let (is_forbidden, age) = self.inner.feed.with_view(|view| (view.forbids(&verified), view.age()));
        if is_forbidden {
            return Err(Reason::Revoked.into());
        }
        let options = &self.inner.options;
        let is_fresh = options.client.is_none() || age.is_some_and(|age| age <= options.max_age);
        match options.when_stale {
            _ if is_fresh => Ok(verified),
            WhenStale::Accept => Ok(verified),
            WhenStale::Refuse => Err(unavailable("the view of revocations is too old")),
            WhenStale::Introspect => self.inner.introspect(token, &verified).await.map(|()| verified),
        }
    }

    /// The same from an `Authorization` header.
    ///
    /// # Errors
    /// As for `verify`.
    pub async fn authenticate(&self, authorization: Option<&str>) -> Result<Arc<Token>, Error> {
        let (scheme, token) = authorization.and_then(|text| text.split_once(' ')).unwrap_or_default();
        match token.trim() {
            token if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => self.verify(token).await,
            _ => Err(Reason::Missing.into()),
        }
    }

    /// Starts the follower, and waits until the view is complete, but not for ever. The first `verify` does it.
    pub async fn start(&self) {
        if self.inner.options.client.is_none() || *self.inner.feed.complete.borrow() {
            return;
        }
        let until = *self.follower.until.get_or_init(|| {
            let inner = Arc::clone(&self.inner);
            let task = tokio::spawn(async move { inner.follow().await });
            *self.follower.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
            Instant::now() + self.inner.options.timeout
        });
        let mut complete = self.inner.feed.complete.subscribe();
        let _late = tokio::time::timeout_at(until, complete.wait_for(|complete| *complete)).await;
    }

    /// How old the view of revocations is, and how the feed goes.
    #[must_use]
    pub fn status(&self) -> Status {
        self.inner.feed.status()
    }

    /// An access token of this service's own account, to call userd with. It is renewed before it ends.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::CredentialsRefused`].
    pub async fn token(&self) -> Result<String, Error> {
        self.inner.calls.token(&self.inner.options.userd_audience).await
    }

    /// The same to call another service with: `resource` is its audience, which must be among the account's.
    ///
    /// # Errors
    /// [`Error::Refused`] where it is not; [`Error::Unavailable`], [`Error::CredentialsRefused`].
    pub async fn token_for(&self, resource: &str) -> Result<String, Error> {
        self.inner.calls.token(resource).await
    }
}

impl Inner {
    async fn offline(self: &Arc<Self>, text: &str) -> Result<Arc<Token>, Error> {
        if !self.keys.is_usable() {
            self.refresh_keys().await;
        } else if self.keys.is_due() {
            self.refresh_beside();
        }
        if !self.keys.is_usable() {
            return Err(unavailable("the key set cannot be had"));
        }
        match self.once(text) {
            Err(Reason::UnknownKey) if self.keys.may_ask() => {
                self.refresh_keys().await;
                Ok(self.once(text)?)
            }
            other => Ok(other?),
        }
    }

    fn once(&self, text: &str) -> Result<Arc<Token>, Reason> {
        let now = i64::try_from(crate::outside::now().as_secs()).unwrap_or(i64::MAX);
        if let Some(token) = self.remembered.get(text).filter(|token| self.keys.has(&token.key_id)) {
            verify::check_times(&token, &self.options, now)?;
            return Ok(token);
        }
        let token = Arc::new(verify::verify(text, |kid| self.keys.get(kid), &self.options, now)?);
        self.remembered.put(text, &token);
        Ok(token)
    }

    fn refresh_beside(self: &Arc<Self>) {
        if self.refreshing.swap(true, Ordering::AcqRel) {
            return;
        }
        let inner = Arc::clone(self);
        tokio::spawn(async move {
            inner.refresh_keys().await;
            inner.refreshing.store(false, Ordering::Release);
        });
    }

    /// Asks for the keys; what is known stays when that fails.
    async fn refresh_keys(&self) {
        let _alone = self.keys.asking.lock().await;
        if !self.keys.may_ask() {
            return;
        }
        self.keys.asked();
        let Ok(answer) = self.calls.call(&Call::get("/.well-known/jwks.json")).await else { return };
        if answer.status == 200 && self.keys.replace(&answer.body, &answer.cache_control) {
            self.remembered.clear();
        }
    }
}

impl std::fmt::Debug for Userd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Userd").field(&self.inner.options.issuer).finish()
    }
}
