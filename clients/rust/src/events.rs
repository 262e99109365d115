//! What happened, in order and from a stored place on.

use std::{
    collections::VecDeque,
    future::Future,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    Error, Userd,
    calls::{Call, escaped},
    error::unavailable,
};

/// How long an empty answer is held.
const WAIT: Duration = Duration::from_secs(10);
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A CloudEvent. userd's `docs/events.md` has the types; ignore those that you do not know.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the members of CloudEvents")]
pub struct Event {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub subject: String,
    pub time: String,
    #[serde(default)]
    pub sequence: Option<String>,
    #[serde(default)]
    pub data: Value,
}

impl Event {
    pub(crate) fn is_whole(&self) -> bool {
        ![&self.id, &self.kind, &self.subject, &self.time].iter().any(|text| text.is_empty())
    }
}

/// Keeps the place in the feed; best in the transaction that handles the events.
pub trait CursorStore: Send {
    /// The place; none at the beginning.
    fn load(&mut self) -> impl Future<Output = Result<Option<String>, Error>> + Send;
    /// Keeps it.
    fn save(&mut self, cursor: &str) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A place that is forgotten with the process.
#[derive(Default, Debug)]
pub struct MemoryCursor(Mutex<Option<String>>);

impl MemoryCursor {
    /// From this place on.
    #[must_use]
    pub const fn at(cursor: Option<String>) -> Self {
        Self(Mutex::new(cursor))
    }

    /// The place.
    pub fn place(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl CursorStore for MemoryCursor {
    async fn load(&mut self) -> Result<Option<String>, Error> {
        Ok(self.place())
    }

    async fn save(&mut self, cursor: &str) -> Result<(), Error> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cursor.to_owned());
        Ok(())
    }
}

/// A place in a file, which is replaced as a whole.
#[derive(Clone, Debug)]
pub struct FileCursor(PathBuf);

impl FileCursor {
    /// In this file.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

impl CursorStore for FileCursor {
    async fn load(&mut self) -> Result<Option<String>, Error> {
        match tokio::fs::read_to_string(&self.0).await {
            Ok(text) => Ok(Some(text.trim().to_owned()).filter(|cursor| !cursor.is_empty())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::Store(Box::new(error))),
        }
    }

    async fn save(&mut self, cursor: &str) -> Result<(), Error> {
        let beside = self.0.with_added_extension("new");
        let written = tokio::fs::write(&beside, cursor).await;
        let kept = match written {
            Ok(()) => tokio::fs::rename(&beside, &self.0).await,
            Err(error) => Err(error),
        };
        kept.map_err(|error| Error::Store(Box::new(error)))
    }
}

/// What happened, without end.
pub struct Events<S> {
    userd: Userd,
    store: S,
    page: VecDeque<Event>,
    /// The place behind the page that is being worked through.
    next: Option<String>,
    pause: Duration,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Event>,
    next: String,
}

impl Userd {
    /// What happened, from the stored place on (it needs `events.read`).
    pub fn events<S: CursorStore>(&self, store: S) -> Events<S> {
        Events { userd: self.clone(), store, page: VecDeque::new(), next: None, pause: SHORTEST_PAUSE }
    }
}

impl<S: CursorStore> Events<S> {
    /// The next event, when there is one. The place is stored when a page has been worked through: asking for the next says that
    /// the one before is done, and one whose handling failed comes again.
    ///
    /// # Errors
    /// [`Error::CursorExpired`], [`Error::Refused`], [`Error::Store`]. A service that is away is waited for.
    pub async fn next(&mut self) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.page.pop_front() {
                return Ok(event);
            }
            if let Some(next) = &self.next {
                self.store.save(next).await?;
                self.next = None;
            }
            match self.ask().await {
                Ok(page) => {
                    self.pause = SHORTEST_PAUSE;
                    (self.page, self.next) = (page.items.into(), Some(page.next));
                }
                Err(Error::Unavailable(_)) => {
                    tokio::time::sleep(self.pause).await;
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                }
                Err(other) => return Err(other),
            }
        }
    }

    /// The store.
    pub const fn store(&self) -> &S {
        &self.store
    }

    async fn ask(&mut self) -> Result<Page, Error> {
        let after = self.store.load().await?.map(|after| format!("&after={}", escaped(&after))).unwrap_or_default();
        let path = format!("/v1/events?limit=200&wait={}{after}", WAIT.as_secs());
        let inner = &self.userd.inner;
        let answer = inner.calls.ask(Call::get(path).within(WAIT + inner.options.timeout)).await?;
        if answer.status == 410 {
            return Err(Error::CursorExpired);
        }
        let page: Page = answer.read()?;
        if page.next.is_empty() || !page.items.iter().all(Event::is_whole) {
            return Err(unavailable("not a page of events"));
        }
        Ok(page)
    }
}
