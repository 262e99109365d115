//! The event feed: what happened, for other services, replayable (CloudEvents 1.0).
//! Deliberately absent: which events come, and in which order; `crates/services/src/events.rs` decides.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use userd_model::Timestamp;
use userd_services::{
    cloud_event::CloudEvent,
    events::{EventPage, EventStart, EventsFailure},
};
use userd_web::{
    caller::Caller,
    extract::{CursorText, Json, Limit, Query},
    problem::{Problem, table},
};
use utoipa::{IntoParams, ToSchema};

use super::waiting::Wait;
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(events))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EventsQuery {
    /// `next` of the page before; absent: from the oldest event that is kept; `now`: what happens from now on.
    #[param(value_type = Option<String>)]
    after: Option<CursorText>,
    /// Events per page, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// Seconds, 0 to 25: how long the answer is held back while there is nothing.
    #[serde(default)]
    #[param(value_type = Option<u8>, minimum = 0, maximum = 25, default = 0)]
    wait: Wait,
}

/// One event, as CloudEvents 1.0 writes it in JSON. Ignore types that you do not know.
#[derive(Serialize, ToSchema)]
pub(super) struct EventBody {
    #[schema(example = "1.0")]
    specversion: &'static str,
    /// To recognise it again: the same in the feed and in webhooks.
    id: uuid::Uuid,
    /// The issuer of the tokens.
    source: String,
    /// What happened: `docs/events.md` has all types and their data.
    #[serde(rename = "type")]
    #[schema(example = "user.registered")]
    kind: String,
    /// To whom or what: the id of a user, or of a service account or webhook where the type begins with `client.` or `webhook.`
    subject: String,
    /// Which of the subject's facts it is: grows within a subject, with gaps where a fact is not for others.
    #[schema(example = "00000000000000000003")]
    sequence: String,
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    #[schema(example = "application/json")]
    datacontenttype: &'static str,
    #[schema(value_type = Object)]
    data: serde_json::Value,
}

#[derive(Serialize, ToSchema)]
struct EventsPage {
    items: Vec<EventBody>,
    /// Where to go on: keep it.
    next: String,
}

const FEED: &str = "events";
/// Where whoever wants no history begins.
const NOW: &str = "now";

/// What happened, in the order of each subject: replayable from the oldest event that is kept (90 days). Each committed
/// event comes exactly once per cursor.
#[utoipa::path(get, path = "/v1/events", tag = "Events", params(EventsQuery),
    responses(
        (status = 200, description = "A page of events", body = EventsPage),
        (status = 410, description = "`cursor_expired`: the detail names the oldest event that is kept")))]
async fn events(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Query(query): Query<EventsQuery>,
) -> Result<Json<EventsPage>, Problem> {
    let start = match query.after {
        None => EventStart::Oldest,
        Some(text) if text.is(NOW) => EventStart::Now,
        Some(cursor) => EventStart::After(cursor.open(&api.cursors, FEED)?),
    };
    let (feed, limit) = (&api.services.events, query.limit.get());
    let page = match query.wait.end(&api) {
        None => feed.page(&ctx, start, limit).await,
        Some(end) => feed.page_or_wait(&ctx, start, limit, end).await,
    };
    let EventPage { events, next } = page.map_err(problem)?;
    let next = api.cursors.seal(FEED, &next).ok_or_else(Problem::internal)?;
    let items = events.into_iter().map(|event| CloudEvent::of(event, api.services.issuer()).into()).collect();
    Ok(Json(EventsPage { items, next }))
}

impl From<CloudEvent> for EventBody {
    fn from(event: CloudEvent) -> Self {
        let CloudEvent { specversion, id, source, kind, subject, sequence, time, datacontenttype, data } = event;
        Self { specversion, id, source, kind, subject, sequence, time, datacontenttype, data }
    }
}

fn problem(failure: EventsFailure) -> Problem {
    match failure {
        EventsFailure::Failure(failure) => failure.into(),
        EventsFailure::Expired { oldest } => {
            let oldest = oldest.map_or_else(|| "none is kept".to_owned(), |at| format!("the oldest is of {at}"));
            Problem::of(&table::CURSOR_EXPIRED).detail(format!(
                "Events behind this cursor are gone ({oldest}). Start again without `after`, or with `after=now`."
            ))
        }
    }
}
