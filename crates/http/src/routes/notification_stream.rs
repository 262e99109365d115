//! The inbox as it fills: server-sent events, resumable. The table is the truth: what is told through the cache only wakes.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::{IntoResponse, Sse, sse::Event},
};
use futures_util::{Stream, stream};
use http::{HeaderMap, header};
use tokio::{
    sync::{broadcast, watch},
    time::{Instant, sleep_until},
};
use userd_model::Timestamp;
use userd_services::Context;
use userd_web::{
    caller::SignedInUser,
    extract::Bearer,
    problem::{Problem, table},
};
use utoipa_axum::routes;

use super::notifications::NotificationBody;
use crate::{api::Api, documented::Routes};

/// The route of the stream.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(watch_inbox))
}

/// A comment comes this often, so that nobody between takes the line for dead.
const COMMENT: Duration = Duration::from_secs(15);
/// What was told through a cache that lost it waits this long at most.
const LOOK: Duration = Duration::from_secs(5);
/// Notifications read at once.
const PAGE: u32 = 100;
/// How soon a client comes back when the line broke.
const COME_BACK: Duration = Duration::from_secs(2);

const CURSOR: &str = "notification-stream";

/// My inbox as it fills: `event: notification` with a Notification as `data`. `id` is a cursor: send the last one as
/// `Last-Event-ID`, and nothing is missed; without it the stream begins with what comes next. It ends when the token
/// expires or is revoked, and when the server stops: come back with a new token.
#[utoipa::path(get, path = "/v1/me/notifications/stream", tag = "Notifications",
    params(("Last-Event-ID" = Option<String>, Header, description = "`id` of the last event that came")),
    responses((status = 200, description = "The stream", body = NotificationBody, content_type = "text/event-stream")))]
async fn watch_inbox(
    State(api): State<Arc<Api>>,
    user: SignedInUser,
    Bearer(token): Bearer,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    // Before looking: what comes meanwhile wakes at once.
    let (arrivals, revocations) = (api.services.changes.arrivals().subscribe(), api.services.revocations.news());
    let place = cursor_of(&user);
    let last = match headers.get("last-event-id").map(|id| id.to_str()) {
        None => api.services.notifications.latest(&user.ctx).await?,
        Some(id) => {
            let opened = id.ok().and_then(|id| api.cursors.open(&place, id));
            opened.ok_or_else(|| Problem::of(&table::INVALID_CURSOR))?
        }
    };
    let now = Instant::now();
    let watcher = Watcher {
        api,
        ctx: user.ctx,
        user: user.id,
        token: token.to_string().into(),
        place,
        last,
        ready: VecDeque::from([Event::default().retry(COME_BACK).comment("")]),
        arrivals,
        revocations,
        comment_at: now + COMMENT,
        look_at: now,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Sse::new(watcher.events())))
}

/// Cursors of one inbox are of no use for another.
fn cursor_of(user: &SignedInUser) -> String {
    format!("{CURSOR}?of={}", user.id)
}

struct Watcher {
    api: Arc<Api>,
    ctx: Context,
    user: userd_model::UserId,
    token: zeroize::Zeroizing<String>,
    place: String,
    /// The time of the last notification that was sent.
    last: Timestamp,
    ready: VecDeque<Event>,
    arrivals: broadcast::Receiver<userd_model::UserId>,
    revocations: watch::Receiver<u64>,
    comment_at: Instant,
    look_at: Instant,
}

impl Watcher {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut watcher| async move {
            let event = watcher.next().await?;
            Some((Ok(event), watcher))
        })
    }

    /// The next event; none when the stream is over.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.look_at <= Instant::now() {
                self.look_at = Instant::now() + LOOK;
                self.look().await?;
                continue;
            }
            tokio::select! {
                () = self.api.draining.starts() => return None,
                arrived = self.arrivals.recv() => match arrived {
                    Ok(user) if user != self.user => {}
                    // Too many were told of to remember: the table knows.
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => self.look_at = Instant::now(),
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                changed = self.revocations.changed() => {
                    changed.ok()?;
                    self.api.services.authenticate(&self.token).await.ok()?;
                }
                () = sleep_until(self.look_at) => {}
                () = sleep_until(self.comment_at) => {
                    self.comment_at = Instant::now() + COMMENT;
                    self.api.services.authenticate(&self.token).await.ok()?;
                    return Some(Event::default().comment(""));
                }
            }
        }
    }

    /// Reads what came since. A database that is away ends nothing: the next look may find it again.
    async fn look(&mut self) -> Option<()> {
        let Ok(newer) = self.api.services.notifications.newer(&self.ctx, self.last, PAGE).await else {
            return Some(());
        };
        if newer.is_empty() {
            return Some(());
        }
        // There may be more than a page.
        self.look_at = Instant::now();
        // Nothing is sent to whoever may not read it any more, also within the quarter of a minute between comments.
        self.api.services.authenticate(&self.token).await.ok()?;
        for notification in newer {
            self.last = notification.created_at;
            let id = self.api.cursors.seal(&self.place, &self.last)?;
            let body = serde_json::to_string(&NotificationBody::from(notification)).ok()?;
            self.ready.push_back(Event::default().event("notification").id(id).data(body));
        }
        Some(())
    }
}
