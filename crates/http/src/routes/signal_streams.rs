//! Streams of shared signals in use: whether one is on, the proof that it lives, and taking signals by polling (RFC 8936).

use std::{collections::BTreeMap, sync::Arc};

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use userd_model::StreamId;
use userd_services::streams::{PollRequest, SetError, StatusView};
use userd_web::{
    caller::Caller,
    extract::{Json, Path, Query},
    problem::Problem,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{shared_signals::One, waiting::Wait};
use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(status, set_status)).with(routes!(verify)).with(routes!(poll))
}

/// Whether a stream is on.
#[derive(Serialize, ToSchema)]
#[schema(as = SignalStreamStatus)]
struct StatusBody {
    stream_id: Uuid,
    /// `enabled`, `paused` or `disabled`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetSignalStreamStatus,
    example = json!({"stream_id": "5f1c1c1e-8a3e-4b2e-9a57-0c6b3f1d2e4a", "status": "paused"}))]
struct SetStatus {
    stream_id: Uuid,
    /// `enabled`; `paused`: what happens is held; `disabled`: it is not kept.
    #[schema(pattern = "^(enabled|paused|disabled)$")]
    status: String,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerifySignalStream,
    example = json!({"stream_id": "5f1c1c1e-8a3e-4b2e-9a57-0c6b3f1d2e4a", "state": "VGhpcyBpcyBhbiBleGFtcGxl"}))]
struct Verify {
    stream_id: Uuid,
    /// Comes back in the verification event.
    #[serde(default)]
    #[schema(max_length = 1024)]
    state: Option<String>,
}

/// What a receiver asks for (RFC 8936 section 2.2).
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = PollSignals, example = json!({"maxEvents": 20, "ack": []}))]
struct Poll {
    /// At most this many, and at most 100; 0: only acknowledge.
    #[serde(default)]
    max_events: Option<usize>,
    /// Answer at once, also where nothing waits. Else the answer is held back for up to 25 seconds.
    #[serde(default)]
    return_immediately: bool,
    /// `jti` of what was taken: it is forgotten.
    #[serde(default)]
    #[schema(max_items = 1000)]
    ack: Vec<String>,
    /// By `jti`, what is wrong with what cannot be used: it is forgotten too, and logged.
    #[serde(default)]
    set_errs: BTreeMap<String, SetErrorBody>,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = SetError)]
struct SetErrorBody {
    /// A word of RFC 8935 section 2.4.
    #[schema(max_length = 65_536)]
    err: String,
    #[serde(default)]
    #[schema(max_length = 65_536)]
    description: Option<String>,
}

/// Signals (RFC 8936 section 2.3).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PolledSignals)]
struct PolledBody {
    /// Security event tokens by their `jti`. Each comes again until it is acknowledged.
    sets: BTreeMap<String, String>,
    /// Whether more wait already.
    more_available: bool,
}

/// Whether a stream is on.
#[utoipa::path(get, path = "/v1/ssf/status", tag = "Shared signals", params(One),
    responses((status = 200, description = "The status", body = StatusBody)))]
async fn status(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Query(one): Query<One>,
) -> Result<Json<StatusBody>, Problem> {
    Ok(Json(api.services.streams.status(&ctx, StreamId(one.stream_id)).await?.into()))
}

/// Switch a stream on, pause it, or switch it off.
#[utoipa::path(post, path = "/v1/ssf/status", tag = "Shared signals", request_body = SetStatus,
    responses((status = 200, description = "The status", body = StatusBody)))]
async fn set_status(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Json(body): Json<SetStatus>,
) -> Result<Json<StatusBody>, Problem> {
    let SetStatus { stream_id, status, reason } = body;
    let view = api.services.streams.set_status(&ctx, StreamId(stream_id), &status, reason.as_deref()).await?;
    Ok(Json(view.into()))
}

/// Ask for a verification event, at most once a minute.
#[utoipa::path(post, path = "/v1/ssf/verify", tag = "Shared signals", request_body = Verify,
    responses((status = 204, description = "On its way"), (status = 429, description = "Before `min_verification_interval` has passed")))]
async fn verify(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Json(body): Json<Verify>,
) -> Result<StatusCode, Problem> {
    api.services.streams.verify(&ctx, StreamId(body.stream_id), body.state.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Acknowledge signals and take the next ones (RFC 8936). Where none waits the answer is held back until one does, for up to
/// 25 seconds. 404 for a stream that is pushed.
#[utoipa::path(post, path = "/v1/ssf/streams/{id}/poll", tag = "Shared signals", request_body = Poll,
    params(("id" = Uuid, Path, description = "The stream")),
    responses((status = 200, description = "Signals, perhaps none", body = PolledBody), (status = 429, description = "Too many polls")))]
async fn poll(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Path(id): Path<StreamId>,
    Json(body): Json<Poll>,
) -> Result<Json<PolledBody>, Problem> {
    let Poll { max_events, return_immediately, ack, set_errs } = body;
    let error = |(jti, SetErrorBody { err, description })| (jti, SetError { err, description });
    let set_errs = set_errs.into_iter().map(error).collect();
    let request = PollRequest { max_events, return_immediately, ack, set_errs };
    let answer = api.services.streams.poll(&ctx, id, request, Wait::longest(&api)).await?;
    Ok(Json(PolledBody { sets: answer.sets, more_available: answer.more_available }))
}

impl From<StatusView> for StatusBody {
    fn from(view: StatusView) -> Self {
        Self { stream_id: view.stream_id.0, status: view.status, reason: view.reason }
    }
}
