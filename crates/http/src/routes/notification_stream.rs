//! The inbox as it fills: server-sent events, resumable (`userd_web::inbox_stream`).

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, sse::Event},
};
use http::HeaderMap;
use userd_model::Timestamp;
use userd_services::{Context, Services, notifications::NotificationView};
use userd_web::{
    caller::SignedInUser,
    extract::Bearer,
    inbox_stream::{InboxReader, InboxStream},
    problem::{Problem, table},
};

use super::notifications::NotificationBody;
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The route of the stream.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(watch_inbox))
}

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
    let place = cursor_of(&user);
    let last = match headers.get("last-event-id").map(|id| id.to_str()) {
        None => None,
        Some(id) => {
            let opened = id.ok().and_then(|id| api.cursors.open(&place, id));
            Some(opened.ok_or_else(|| Problem::of(&table::INVALID_CURSOR))?)
        }
    };
    let draining = api.draining.clone();
    let reader = Reader { api, ctx: user.ctx, token: token.to_string().into(), place };
    Ok(InboxStream::open(reader, draining, last).await?.answer())
}

/// Cursors of one inbox are of no use for another.
fn cursor_of(user: &SignedInUser) -> String {
    format!("{CURSOR}?of={}", user.id)
}

/// Whoever has a token.
struct Reader {
    api: Arc<Api>,
    ctx: Context,
    token: zeroize::Zeroizing<String>,
    place: String,
}

impl InboxReader for Reader {
    fn services(&self) -> &Services {
        &self.api.services
    }

    fn context(&self) -> &Context {
        &self.ctx
    }

    async fn may_still(&self) -> bool {
        self.api.services.authenticate(&self.token).await.is_ok()
    }

    async fn events(&self, newer: Vec<NotificationView>, _last: Timestamp) -> Option<Vec<Event>> {
        let event = |notification: NotificationView| {
            let id = self.api.cursors.seal(&self.place, &notification.created_at)?;
            let body = serde_json::to_string(&NotificationBody::from(notification)).ok()?;
            Some(Event::default().event("notification").id(id).data(body))
        };
        newer.into_iter().map(event).collect()
    }
}
