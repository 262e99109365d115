//! Routes about the service itself: health, version, metrics, documentation.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use userd_web::{
    extract::{Json, Path},
    problem::{Problem, Words, page},
};
use utoipa::{ToSchema, openapi::Schema};

use crate::{
    api::{Api, BuildInfo, PartState},
    docs_page,
    documentation::Documentation,
    documented::{Routes, routes},
    routes::bodies::one_of,
};

const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// The routes of this resource.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .with(routes!(livez))
        .with(routes!(readyz))
        .with(routes!(version))
        .with(routes!(metrics))
        .with(routes!(openapi_json))
        .with(routes!(docs))
        .with(routes!(docs_file))
        .with(routes!(problem))
}

fn only_alive() -> Schema {
    one_of(["alive"])
}

fn readiness() -> Schema {
    one_of(["ready", "not_ready", "draining"])
}

/// The process is alive.
#[derive(Serialize, ToSchema)]
struct Alive {
    #[schema(schema_with = only_alive)]
    status: &'static str,
}

/// Whether requests can be served now.
#[derive(Serialize, ToSchema)]
struct Ready {
    #[schema(schema_with = readiness)]
    status: &'static str,
    /// Each part that requests depend on.
    parts: BTreeMap<&'static str, PartState>,
}

/// One kind of problem, or one reason of a refused sign-in.
#[derive(Serialize, ToSchema)]
struct ProblemKind {
    /// The stable word.
    slug: &'static str,
    /// The HTTP status it comes with; null for a reason, which comes within a problem.
    status: Option<u16>,
    /// English title.
    title: &'static str,
    /// Russian title.
    title_ru: &'static str,
    /// What to do.
    advice: &'static str,
    /// The same in Russian.
    advice_ru: &'static str,
}

/// Is the process alive?
#[utoipa::path(get, path = "/livez", tag = "Service", responses((status = 200, description = "Alive", body = Alive)))]
async fn livez() -> Json<Alive> {
    Json(Alive { status: "alive" })
}

/// Can requests be served now?
#[utoipa::path(get, path = "/readyz", tag = "Service", responses(
    (status = 200, description = "Ready", body = Ready),
    (status = 503, description = "Not ready, or about to stop", body = Ready),
))]
async fn readyz(State(api): State<Arc<Api>>) -> (StatusCode, Json<Ready>) {
    let parts = tokio::time::timeout(PROBE_TIMEOUT, api.readiness.parts()).await;
    let parts: BTreeMap<_, _> = parts.unwrap_or_else(|_| vec![("probe", PartState::Down)]).into_iter().collect();
    let status = match (api.draining.has_started(), parts.values().any(|state| *state == PartState::Down)) {
        (true, _) => "draining",
        (false, true) => "not_ready",
        (false, false) => "ready",
    };
    let code = if status == "ready" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(Ready { status, parts }))
}

/// What is running?
#[utoipa::path(get, path = "/version", tag = "Service", responses((status = 200, description = "Name, version, commit, build time", body = BuildInfo)))]
async fn version(State(api): State<Arc<Api>>) -> Json<BuildInfo> {
    Json(api.build.clone())
}

/// Metrics in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "Service", responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain")))]
async fn metrics(State(api): State<Arc<Api>>) -> Response {
    const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, TEXT)], userd_web::metrics::render(&api.metrics)).into_response()
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "Service", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
async fn openapi_json(State(api): State<Arc<Api>>) -> Result<Response, Problem> {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    let written = tokio::task::spawn_blocking(move || api.documentation.get().map(Documentation::bytes));
    let document = match written.await {
        Ok(Some(Ok(document))) => document,
        Ok(Some(Err(error))) => {
            tracing::error!(%error, "the API document cannot be served");
            return Err(Problem::internal());
        }
        Ok(None) | Err(_) => return Err(Problem::internal()),
    };
    Ok(([(header::CONTENT_TYPE, JSON)], document).into_response())
}

/// This document as an interactive page.
#[utoipa::path(get, path = "/docs", tag = "Service", responses((status = 200, description = "An HTML page", body = String, content_type = "text/html")))]
async fn docs() -> Response {
    docs_page::page()
}

/// A file of the interactive page.
#[utoipa::path(get, path = "/docs/{file}", tag = "Service",
    params(("file" = String, Path, description = "The file's name")),
    responses((status = 200, description = "The file", content(
        (String = "text/javascript"), (String = "text/css"), (Vec<u8> = "image/png"),
    ))))]
async fn docs_file(Path(file): Path<String>) -> Result<Response, Problem> {
    docs_page::file(&file)
}

/// What a problem's `type`, its `reason`, or the `error` after a sign-in means. A page for who prefers `text/html`.
#[utoipa::path(get, path = "/problems/{slug}", tag = "Service",
    params(("slug" = String, Path, description = "The last part of a problem's type, or the reason")),
    responses((status = 200, description = "Titles and advice", content((ProblemKind = "application/json"), (String = "text/html")))))]
async fn problem(headers: HeaderMap, Path(slug): Path<String>) -> Result<Response, Problem> {
    let words = Words::find(&slug).ok_or_else(Problem::not_found)?;
    if page::is_preferred(&headers) {
        let language = page::language(&headers);
        return Ok((page::headers(language), words.page(language, "../pages/page.css")).into_response());
    }
    let Words { slug, status, title, title_ru, advice, advice_ru } = words;
    Ok(Json(ProblemKind { slug, status, title, title_ru, advice, advice_ru }).into_response())
}
