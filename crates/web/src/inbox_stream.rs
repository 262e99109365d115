//! An inbox as it fills, as server-sent events: when the table is looked at, how the line is kept alive, what ends it. The
//! table is the truth: what is told through the cache only wakes. Deliberately absent: who may read it and what an event
//! says, which whoever serves the route decides ([`InboxReader`]).

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::response::{IntoResponse, Sse, sse::Event};
use futures_util::{Stream, stream};
use http::header;
use tokio::{
    sync::{broadcast, watch},
    time::{Instant, sleep_until},
};
use userd_model::{Timestamp, UserId};
use userd_services::{Arrived, Context, Failure, Services, notifications::NotificationView};

use crate::server::Draining;

/// A comment comes this often, so that nobody between takes the line for dead.
const COMMENT: Duration = Duration::from_secs(15);
/// What came at another replica, and was not told, waits this long at most.
const LOOK: Duration = Duration::from_secs(5);
/// The same while what the others tell is heard: of thousands of streams nearly none looks in vain.
const SELDOM: Duration = Duration::from_secs(60);
/// Notifications read at once.
const PAGE: u32 = 100;
/// How soon a client comes back when the line broke.
const COME_BACK: Duration = Duration::from_secs(2);

/// Whoever reads a stream.
pub trait InboxReader: Send + 'static {
    /// What is asked.
    fn services(&self) -> &Services;

    /// Who reads.
    fn context(&self) -> &Context;

    /// Whether they still may: their session stands, their token is good.
    fn may_still(&self) -> impl Future<Output = bool> + Send;

    /// What is sent of what came, the last of which is from `last`; none ends the stream.
    fn events(&self, newer: Vec<NotificationView>, last: Timestamp) -> impl Future<Output = Option<Vec<Event>>> + Send;
}

/// A stream of somebody's inbox.
pub struct InboxStream<R> {
    reader: R,
    user: UserId,
    /// The time of the last notification that was sent.
    last: Timestamp,
    ready: VecDeque<Event>,
    draining: Draining,
    arrivals: broadcast::Receiver<Arrived>,
    revocations: watch::Receiver<u64>,
    comment_at: Instant,
    look_at: Instant,
}

impl<R: InboxReader> InboxStream<R> {
    /// Begins after `last`; without it, with what comes next.
    ///
    /// # Errors
    /// `NotSignedIn`, `Forbidden`; storage faults.
    pub async fn open(reader: R, draining: Draining, last: Option<Timestamp>) -> Result<Self, Failure> {
        let services = reader.services();
        // Before looking: what comes meanwhile wakes at once.
        let (arrivals, revocations) = (services.changes.arrivals().subscribe(), services.revocations.news());
        let (user, _) = reader.context().user()?;
        let last = match last {
            Some(last) => last,
            None => services.notifications.latest(reader.context()).await?,
        };
        let now = Instant::now();
        let ready = VecDeque::from([Event::default().retry(COME_BACK).comment("")]);
        let (comment_at, look_at) = (now + COMMENT, now);
        Ok(Self { reader, user, last, ready, draining, arrivals, revocations, comment_at, look_at })
    }

    /// Tells at once how things are.
    pub async fn tell_now(&mut self) {
        self.ready.extend(self.reader.events(Vec::new(), self.last).await.unwrap_or_default());
    }

    /// The answer to the request.
    pub fn answer(self) -> impl IntoResponse {
        ([(header::CACHE_CONTROL, "no-store")], Sse::new(self.sent()))
    }

    fn sent(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut stream| async move {
            let event = stream.next().await?;
            Some((Ok(event), stream))
        })
    }

    /// The next event; none when the stream is over.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.look_at <= Instant::now() {
                self.look_at = Instant::now() + patience(self.reader.services()).await;
                self.look().await?;
                continue;
            }
            tokio::select! {
                () = self.draining.starts() => return None,
                arrived = self.arrivals.recv() => match arrived {
                    Ok(Arrived::For(user)) if user != self.user => {}
                    Ok(Arrived::For(_)) => self.look_at = Instant::now(),
                    // Too much was told to remember, or not heard: the table knows, and not all streams ask it at once.
                    Ok(Arrived::Perhaps) | Err(broadcast::error::RecvError::Lagged(_)) => {
                        self.look_at = self.look_at.min(Instant::now() + self.turn());
                    }
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                changed = self.revocations.changed() => {
                    changed.ok()?;
                    self.reader.may_still().await.then_some(())?;
                }
                () = sleep_until(self.look_at) => {}
                () = sleep_until(self.comment_at) => {
                    self.comment_at = Instant::now() + COMMENT;
                    self.look_at = self.look_at.min(Instant::now() + patience(self.reader.services()).await);
                    self.reader.may_still().await.then_some(())?;
                    return Some(Event::default().comment(""));
                }
            }
        }
    }

    /// When it is this stream's turn, among all that look.
    fn turn(&self) -> Duration {
        LOOK * u32::from(self.user.0.as_bytes()[15]) / 256
    }

    /// Reads what came since. A database that is away ends nothing: the next look may find it again.
    async fn look(&mut self) -> Option<()> {
        let notifications = &self.reader.services().notifications;
        let Ok(newer) = notifications.newer(self.reader.context(), self.last, PAGE).await else {
            return Some(());
        };
        let Some(newest) = newer.last().map(|newest| newest.created_at) else { return Some(()) };
        // There may be more than a page.
        self.look_at = Instant::now();
        // Nothing is sent to whoever may not read it any more, also within the quarter of a minute between comments.
        self.reader.may_still().await.then_some(())?;
        self.last = newest;
        self.ready.extend(self.reader.events(newer, newest).await?);
        Some(())
    }
}

/// The longest time to the next look.
async fn patience(services: &Services) -> Duration {
    if services.changes.arrivals().are_heard().await { SELDOM } else { LOOK }
}
