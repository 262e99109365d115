//! The app under test: a few routes of the tests' own under the real layer.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::State,
    response::Redirect,
    routing::{get, post},
};
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use userd_model::UserId;
use userd_web::{
    Problem, RequestLayer, RequestOptions, RouteTraits,
    client_address::ClientAddress,
    cursor::Cursors,
    extract::{BasicAuth, Bearer, Form, IdempotencyKey, IfMatch, Json, PageQuery, Path, Query},
    problem::table,
    request_layer::note_user,
    server::Draining,
    testing::{CountingRandom, metrics},
};

use crate::gate;

/// The one route that pages of other origins may call with cookies.
pub const WITH_COOKIES: &str = "/v1/with-cookies";

pub fn app() -> Router {
    app_with(|_| {})
}

pub fn app_with(change: impl FnOnce(&mut RequestOptions)) -> Router {
    app_draining(Draining::default(), change)
}

pub fn app_draining(draining: Draining, change: impl FnOnce(&mut RequestOptions)) -> Router {
    let mut options = RequestOptions::new("http://127.0.0.1:8080".parse().unwrap());
    change(&mut options);
    let recorder = metrics();
    let random = CountingRandom::from(u64::from(std::process::id()));
    let state = TestState { draining, cursors: Cursors::new(&[3; 32]) };
    Router::new()
        .route("/livez", get(async || "alive"))
        .route("/readyz", get(ready))
        .route("/metrics", get(async move || recorder.render()))
        .route("/big", get(async || Bytes::from(vec![b'x'; 1_500_000])))
        .route("/parts", get(async || Body::from_stream(stream::repeat_with(|| Ok::<_, Infallible>("part")))))
        .route("/v1/things", get(list_things).post(make_thing))
        .route("/v1/things/{id}", get(read_thing).patch(change_thing))
        .route("/v1/panic", get(panicking))
        .route("/v1/gates/{name}", get(gate::wait))
        .route("/v1/who", get(async |client: ClientAddress| client.limit_key()))
        .route("/v1/bearer", get(bearer))
        .route("/v1/basic", get(basic))
        .route("/v1/leave", post(async || Redirect::to("/v1/who")))
        .route("/v1/noted/{id}", get(noted))
        .route(WITH_COOKIES, post(bearer))
        .route("/oauth2/form", post(form))
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::of(&table::METHOD_NOT_ALLOWED))
        .with_state(Arc::new(state))
        .layer(RequestLayer::new(&options, known_routes(), &random))
}

fn known_routes() -> Vec<RouteTraits> {
    let paths = [
        "/livez",
        "/readyz",
        "/metrics",
        "/big",
        "/parts",
        "/v1/things",
        "/v1/things/{id}",
        "/v1/panic",
        "/v1/gates/{name}",
        "/v1/who",
        "/v1/bearer",
        "/v1/basic",
        "/v1/leave",
        "/v1/noted/{id}",
        WITH_COOKIES,
        "/oauth2/form",
    ];
    let traits = |path| RouteTraits {
        path,
        cross_origin_cookies: path == WITH_COOKIES,
        probe: matches!(path, "/livez" | "/readyz" | "/metrics"),
        ..RouteTraits::default()
    };
    paths.map(traits).to_vec()
}

struct TestState {
    draining: Draining,
    cursors: Cursors,
}

async fn ready(State(state): State<Arc<TestState>>) -> (StatusCode, &'static str) {
    match state.draining.has_started() {
        true => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
        false => (StatusCode::OK, "ready"),
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Thing {
    name: String,
    #[serde(default)]
    attributes: serde_json::Map<String, Value>,
}

async fn list_things(
    State(state): State<Arc<TestState>>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Value>, Problem> {
    let after: Option<u64> = page.after(&state.cursors, "things")?;
    let first = after.unwrap_or(0);
    let last = first + page.limit.get() as u64;
    Ok(Json(serde_json::json!({"first": first, "next_cursor": state.cursors.seal("things", &last)})))
}

async fn make_thing(_key: IdempotencyKey, Json(thing): Json<Thing>) -> (StatusCode, Json<Thing>) {
    (StatusCode::CREATED, Json(thing))
}

async fn read_thing(Path(id): Path<UserId>) -> String {
    id.to_string()
}

async fn change_thing(
    Path(_id): Path<UserId>,
    condition: IfMatch,
    Json(_thing): Json<Thing>,
) -> Result<String, Problem> {
    condition.check(7)?;
    Ok("changed".to_owned())
}

async fn panicking() -> String {
    panic!("a secret in a panic message: hunter2")
}

async fn bearer(Bearer(token): Bearer) -> String {
    token.to_string()
}

async fn basic(client: BasicAuth) -> String {
    format!("{} {}", client.client_id, client.client_secret.as_str())
}

#[derive(Debug, Deserialize)]
struct Grant {
    grant_type: String,
    scope: Option<String>,
}

async fn form(Form(grant): Form<Grant>) -> Result<String, Problem> {
    match grant.grant_type.as_str() {
        "client_credentials" => Ok(grant.scope.unwrap_or_default()),
        "refresh_token" => Err(userd_model::Refusal::InvalidRefreshToken.into()),
        "forgotten" => Err(userd_model::Refusal::InvalidClient.into()),
        _ => Err(Problem::of(&table::UNSUPPORTED_GRANT_TYPE)),
    }
}

async fn noted(Path(id): Path<UserId>) -> String {
    note_user(id);
    id.to_string()
}
