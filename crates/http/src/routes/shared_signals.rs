//! Shared signals (OpenID Shared Signals 1.0): what the transmitter can do, and streams that receivers manage themselves.
//! Members are named, and left out where they have no value, as the specification has it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use userd_model::{InvalidField, Refusal, Signal, StreamId};
use userd_services::streams::{DeliveryInput, POLL, PUSH, StreamInput, StreamView};
use userd_web::{
    caller::Caller,
    extract::{Json, Query},
    problem::Problem,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    api::Api,
    documented::{Routes, routes},
};

/// The routes of this resource.
#[must_use]
pub(super) fn routes() -> Routes {
    Routes::new().with(routes!(configuration)).with(routes!(read, create, change, replace, remove))
}

const STREAMS: &str = "/v1/ssf/streams";

/// What this transmitter can do.
#[derive(Serialize, ToSchema)]
#[schema(as = TransmitterConfiguration)]
struct Configuration {
    #[schema(example = "1_0")]
    spec_version: &'static str,
    issuer: String,
    jwks_uri: String,
    delivery_methods_supported: [&'static str; 2],
    configuration_endpoint: String,
    status_endpoint: String,
    verification_endpoint: String,
    authorization_schemes: [AuthorizationScheme; 1],
    /// Every stream tells of everybody: there is nothing to add or remove.
    #[schema(example = "ALL")]
    default_subjects: &'static str,
}

/// How requests are authorized.
#[derive(Serialize, ToSchema)]
struct AuthorizationScheme {
    #[schema(example = "urn:ietf:rfc:6749")]
    spec_urn: &'static str,
}

/// What this transmitter of shared signals can do (OpenID Shared Signals 1.0, section 7).
#[utoipa::path(get, path = "/.well-known/ssf-configuration", tag = "Shared signals",
    responses((status = 200, description = "The configuration", body = Configuration)))]
async fn configuration(State(api): State<Arc<Api>>) -> Response {
    let (base, issuer) = (api.services.public_url(), api.services.issuer());
    let body = Configuration {
        spec_version: "1_0",
        issuer: issuer.to_owned(),
        jwks_uri: format!("{base}/.well-known/jwks.json"),
        delivery_methods_supported: [PUSH, POLL],
        configuration_endpoint: format!("{base}{STREAMS}"),
        status_endpoint: format!("{base}/v1/ssf/status"),
        verification_endpoint: format!("{base}/v1/ssf/verify"),
        authorization_schemes: [AuthorizationScheme { spec_urn: "urn:ietf:rfc:6749" }],
        default_subjects: "ALL",
    };
    ([(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"))], Json(body)).into_response()
}

/// How a stream's signals reach its receiver.
#[derive(Serialize, ToSchema)]
#[schema(as = StreamDelivery)]
struct DeliveryBody {
    /// `urn:ietf:rfc:8935` (push) or `urn:ietf:rfc:8936` (poll).
    method: &'static str,
    /// Where signals are pushed to, or polled from. What pushes authorize themselves with is never shown.
    endpoint_url: String,
}

/// A stream of shared signals.
#[derive(Serialize, ToSchema)]
#[schema(as = SignalStream)]
struct StreamBody {
    stream_id: Uuid,
    iss: String,
    /// The id of the service account whose stream it is: no access token is for this audience.
    aud: Uuid,
    events_supported: Vec<&'static str>,
    events_requested: Vec<String>,
    events_delivered: Vec<&'static str>,
    delivery: DeliveryBody,
    /// Seconds.
    min_verification_interval: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<String>,
}

/// How signals are to reach a receiver.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StreamDeliveryInput)]
struct Delivery {
    /// `urn:ietf:rfc:8935` (push) or `urn:ietf:rfc:8936` (poll).
    #[schema(max_length = 128)]
    method: String,
    /// With push, where to: `https://`, outside. With poll userd says where.
    #[serde(default)]
    #[schema(max_length = 2048)]
    endpoint_url: Option<String>,
    /// With push: the value of `Authorization`. It is sealed, and never shown.
    #[serde(default)]
    #[schema(max_length = 4096)]
    authorization_header: Option<String>,
}

/// A stream as its receiver asks for it. What userd itself says of a stream may be sent back, unchanged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignalStreamInput, example = json!({
    "delivery": {"method": "urn:ietf:rfc:8936"},
    "events_requested": ["https://schemas.openid.net/secevent/caep/event-type/session-revoked"],
}))]
struct Input {
    /// Which one is changed.
    #[serde(default)]
    stream_id: Option<Uuid>,
    /// Absent in a new stream: its receiver polls.
    #[serde(default)]
    delivery: Option<Delivery>,
    /// Types of events; absent in a new stream: all that are supported.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 50)]
    events_requested: Option<Vec<String>>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    description: Option<String>,
    #[serde(default)]
    #[schema(max_length = 65_536)]
    iss: Option<String>,
    #[serde(default)]
    #[schema(max_length = 65_536)]
    aud: Option<String>,
    #[serde(default)]
    events_supported: Option<Vec<String>>,
    #[serde(default)]
    events_delivered: Option<Vec<String>>,
    #[serde(default)]
    min_verification_interval: Option<u64>,
}

/// Which stream.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// The stream; absent: all of the service account's.
    #[serde(default)]
    stream_id: Option<Uuid>,
}

/// Which stream.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct One {
    /// The stream.
    pub(super) stream_id: Uuid,
}

/// One stream, or all of one's own.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = SignalStreams)]
enum OneOrAll {
    One(Box<StreamBody>),
    All(Vec<StreamBody>),
}

/// The stream with this id, or all streams of the service account that asks.
#[utoipa::path(get, path = "/v1/ssf/streams", tag = "Shared signals", params(Which),
    responses((status = 200, description = "The stream; without `stream_id` a list", body = OneOrAll)))]
async fn read(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Query(which): Query<Which>,
) -> Result<Json<OneOrAll>, Problem> {
    let streams = &api.services.streams;
    Ok(Json(match which.stream_id {
        Some(id) => OneOrAll::One(Box::new(body(&api, streams.read(&ctx, StreamId(id)).await?))),
        None => OneOrAll::All(streams.list(&ctx).await?.into_iter().map(|view| body(&api, view)).collect()),
    }))
}

/// Set a stream up. It tells of what happens from now on; a service account has at most four.
#[utoipa::path(post, path = "/v1/ssf/streams", tag = "Shared signals", request_body = Input,
    responses((status = 201, description = "The stream", body = StreamBody),
        (status = 409, description = "`too_many_streams`"), (status = 429, description = "Too many changes")))]
async fn create(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Json(input): Json<Input>,
) -> Result<(StatusCode, Json<StreamBody>), Problem> {
    let made = api.services.streams.create(&ctx, input.wanted()).await?;
    Ok((StatusCode::CREATED, Json(body(&api, made))))
}

/// Change a stream: what is not said stays.
#[utoipa::path(patch, path = "/v1/ssf/streams", tag = "Shared signals", request_body = Input,
    responses((status = 200, description = "The changed stream", body = StreamBody), (status = 429, description = "Too many changes")))]
async fn change(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Json(input): Json<Input>,
) -> Result<Json<StreamBody>, Problem> {
    write(&api, &ctx, input, false).await
}

/// Replace a stream: what is not said is as in a new one.
#[utoipa::path(put, path = "/v1/ssf/streams", tag = "Shared signals", request_body = Input,
    responses((status = 200, description = "The replaced stream", body = StreamBody), (status = 429, description = "Too many changes")))]
async fn replace(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Json(input): Json<Input>,
) -> Result<Json<StreamBody>, Problem> {
    write(&api, &ctx, input, true).await
}

/// Remove a stream and what waits in it.
#[utoipa::path(delete, path = "/v1/ssf/streams", tag = "Shared signals", params(One),
    responses((status = 204, description = "Removed")))]
async fn remove(
    State(api): State<Arc<Api>>,
    Caller(ctx): Caller,
    Query(one): Query<One>,
) -> Result<StatusCode, Problem> {
    api.services.streams.remove(&ctx, StreamId(one.stream_id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn write(
    api: &Api,
    ctx: &userd_services::Context,
    input: Input,
    replaces: bool,
) -> Result<Json<StreamBody>, Problem> {
    let id = input.stream_id.ok_or_else(|| Refusal::field("/stream_id", "is required"))?;
    let streams = &api.services.streams;
    input.must_match(&body(api, streams.read(ctx, StreamId(id)).await?))?;
    Ok(Json(body(api, streams.change(ctx, StreamId(id), input.wanted(), replaces).await?)))
}

impl Input {
    /// What only we say of a stream may be sent back, as it is.
    fn must_match(&self, is: &StreamBody) -> Result<(), Refusal> {
        let same = |said: Option<&[String]>, is: &[&str]| said.is_none_or(|said| said == is);
        let interval = self.min_verification_interval;
        let said = [
            ("iss", self.iss.as_ref().is_none_or(|iss| *iss == is.iss)),
            ("aud", self.aud.as_ref().is_none_or(|aud| *aud == is.aud.to_string())),
            ("events_supported", same(self.events_supported.as_deref(), &is.events_supported)),
            ("events_delivered", same(self.events_delivered.as_deref(), &is.events_delivered)),
            ("min_verification_interval", interval.is_none_or(|said| said == is.min_verification_interval)),
        ];
        let differs = said.iter().filter(|(_, is_same)| !is_same);
        let wrong: Vec<_> =
            differs.map(|(name, _)| InvalidField::new(format!("/{name}"), "is not yours to change")).collect();
        if wrong.is_empty() { Ok(()) } else { Err(Refusal::InvalidInput(wrong)) }
    }

    fn wanted(self) -> StreamInput {
        let delivery = self.delivery.map(|Delivery { method, endpoint_url, authorization_header }| DeliveryInput {
            method,
            endpoint_url,
            authorization_header,
        });
        StreamInput { delivery, events_requested: self.events_requested, description: self.description }
    }
}

fn body(api: &Api, view: StreamView) -> StreamBody {
    let polled = || format!("{}/v1/ssf/streams/{}/poll", api.services.public_url(), view.stream_id);
    StreamBody {
        stream_id: view.stream_id.0,
        iss: api.services.issuer().to_owned(),
        aud: view.client_id.0,
        events_supported: Signal::ALL.iter().copied().map(Signal::uri).collect(),
        delivery: DeliveryBody { method: view.method, endpoint_url: view.endpoint_url.clone().unwrap_or_else(polled) },
        events_requested: view.events_requested,
        events_delivered: view.events_delivered,
        min_verification_interval: view.min_verification_interval,
        description: view.description,
    }
}
