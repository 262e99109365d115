//! What happens around every request, in one layer because each layer costs: ids, span, access log, metrics, CORS,
//! deadline, panics, security headers, and the bodies of problems. Deliberately absent: authentication and limits.

use std::{
    convert::Infallible,
    future::Future,
    net::{IpAddr, Ipv4Addr},
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use tower::{Layer, Service};
use tracing::{Instrument, Span, field};
use userd_model::{Random, UserId};

use crate::{
    client_address::{ClientAddress, Peer, TrustedProxies},
    cors::Cors,
    metrics::{Meters, RouteMeters},
    policy::RouteNeeds,
    problem::{Language, Problem, table},
    request_id::{REQUEST_ID, RequestId, RequestIds, trace_id},
    security_headers::SecurityHeaders,
    server::{BadFraming, GivesWay},
};

/// The longest accepted path and query, in bytes.
const MAX_URI: usize = 8 * 1024;

/// Writes the signed-in user's id into the span, so that it stands in every further line of this request.
pub fn note_user(id: UserId) {
    Span::current().record("user_id", field::display(id));
}

/// What the layer needs to know.
pub(crate) struct Settings {
    pub(crate) request_ids: RequestIds,
    pub(crate) proxies: TrustedProxies,
    pub(crate) cors: Cors,
    pub(crate) security: SecurityHeaders,
    pub(crate) meters: Meters,
    pub(crate) deadline: Duration,
}

impl Settings {
    pub(crate) fn new(options: &crate::api::HttpOptions, table: &[RouteNeeds], random: &dyn Random) -> Self {
        Self {
            request_ids: RequestIds::new(random),
            proxies: options.trusted_proxies.clone(),
            cors: options.cors.clone(),
            security: SecurityHeaders::for_url(&options.public_url),
            meters: Meters::new(table),
            deadline: options.request_deadline,
        }
    }
}

/// The layer. It belongs outside of everything, fallbacks included.
#[derive(Clone)]
pub(crate) struct Conventions(pub(crate) Arc<Settings>);

/// A service with the conventions around it.
#[derive(Clone)]
pub(crate) struct Conventional<S> {
    settings: Arc<Settings>,
    inner: S,
}

impl<S> Layer<S> for Conventions {
    type Service = Conventional<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Conventional { settings: Arc::clone(&self.0), inner }
    }
}

impl<S> Service<Request> for Conventional<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let exchange = Exchange::open(&self.settings, &mut request);
        match exchange.early(&request) {
            Some(response) => {
                let response = exchange.close(response);
                Box::pin(std::future::ready(Ok(response)))
            }
            None => {
                let answer = self.inner.call(request);
                let span = exchange.span.clone();
                Box::pin(run(exchange, answer).instrument(span))
            }
        }
    }
}

/// Runs the handler under the deadline; a panic ends the request, not the process.
async fn run<F>(exchange: Exchange, answer: F) -> Result<Response, Infallible>
where
    F: Future<Output = Result<Response, Infallible>>,
{
    let guarded = AssertUnwindSafe(answer).catch_unwind();
    let response = match tokio::time::timeout(exchange.settings.deadline, guarded).await {
        Ok(Ok(Ok(response))) => response,
        // The message may hold anything, so it goes to the panic hook only.
        Ok(Err(_panic)) => {
            tracing::error!(route = exchange.route(), "a handler panicked");
            exchange.meters().panicked();
            Problem::internal().into_response()
        }
        Err(_elapsed) => {
            tracing::warn!(route = exchange.route(), "the request deadline passed");
            Problem::of(&table::DEADLINE_EXCEEDED).into_response()
        }
    };
    Ok(exchange.close(response))
}

/// One request and its answer.
struct Exchange {
    settings: Arc<Settings>,
    started: Instant,
    method: Method,
    matched: Option<MatchedPath>,
    id: RequestId,
    client: ClientAddress,
    language: Language,
    oauth: bool,
    origin: Option<HeaderValue>,
    preflight: bool,
    span: Span,
    closed: bool,
}

impl Exchange {
    fn open(settings: &Arc<Settings>, request: &mut Request) -> Self {
        let headers = request.headers();
        let id = settings.request_ids.of(headers);
        let peer = request.extensions().get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        let client = settings.proxies.client(peer, headers);
        let span = tracing::info_span!("request", request_id = %id, user_id = field::Empty, trace_id = field::Empty);
        if let Some(trace) = trace_id(headers) {
            span.record("trace_id", trace);
        }
        let exchange = Self {
            started: Instant::now(),
            method: request.method().clone(),
            matched: request.extensions().get::<MatchedPath>().cloned(),
            client,
            language: headers
                .get(header::ACCEPT_LANGUAGE)
                .and_then(|value| value.to_str().ok())
                .map_or_else(Language::default, Language::of_header),
            oauth: request.uri().path().starts_with("/oauth2/"),
            origin: settings.cors.allowed(headers),
            preflight: Cors::is_preflight(request),
            span,
            settings: Arc::clone(settings),
            id: id.clone(),
            closed: false,
        };
        request.extensions_mut().insert(id);
        request.extensions_mut().insert(client);
        exchange
    }

    /// The answer to requests that no handler should see.
    fn early(&self, request: &Request) -> Option<Response> {
        const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
        const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
        if self.preflight {
            return Some(self.settings.cors.preflight::<Body>());
        }
        if let Some(BadFraming(why)) = request.extensions().get::<BadFraming>().copied() {
            let mut response = Problem::malformed(why).into_response();
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return Some(response);
        }
        let length = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
        if length > MAX_URI {
            return Some(Problem::of(&table::URI_TOO_LONG).into_response());
        }
        let is = |name: HeaderName, value: &str| request.headers().get(name).is_some_and(|given| given == value);
        let embedded = is(MODE, "no-cors") && is(SITE, "cross-site");
        (embedded && request.uri().path().starts_with("/v1/")).then(|| Problem::of(&table::CROSS_SITE).into_response())
    }

    fn meters(&self) -> &RouteMeters {
        self.settings.meters.route(self.matched.as_ref().map(MatchedPath::as_str))
    }

    fn route(&self) -> &'static str {
        self.meters().label
    }

    /// Completes the answer, writes the log line and counts.
    fn close(mut self, mut response: Response) -> Response {
        self.closed = true;
        if let Some(problem) = response.extensions_mut().remove::<Problem>() {
            self.write_problem(&problem, &mut response);
        }
        if self.meters().hashes {
            response.extensions_mut().insert(GivesWay);
        }
        let headers = response.headers_mut();
        headers.insert(REQUEST_ID, self.id.header());
        self.settings.security.add(headers);
        let matched = self.matched.as_ref().map(MatchedPath::as_str);
        self.settings.cors.finish(self.origin.take(), self.preflight, matched, headers);
        self.log(response.status());
        response
    }

    fn write_problem(&self, problem: &Problem, response: &mut Response) {
        let (body, media_type) = if self.oauth {
            *response.status_mut() = problem.oauth_status();
            (problem.to_oauth_json(self.id.as_str()), "application/json")
        } else {
            (problem.to_json(self.language, self.id.as_str()), "application/problem+json")
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        if !self.oauth {
            let language = if self.language == Language::Russian { "ru" } else { "en" };
            headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language));
        }
        headers.remove(header::CONTENT_LENGTH);
        *response.body_mut() = Body::from(body.to_string());
    }

    fn log(&self, status: StatusCode) {
        let took = self.started.elapsed();
        let meters = self.meters();
        meters.answered(&self.method, status, took);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let (method, route, status, client) = (self.method.as_str(), meters.label, status.as_u16(), self.client);
        let _entered = self.span.enter();
        // Probes ask every few seconds; their lines would hide the others.
        if matches!(route, "/livez" | "/readyz" | "/metrics") {
            tracing::debug!(target: "userd_http::access", method, route, status, micros, %client, "answered");
        } else {
            tracing::info!(target: "userd_http::access", method, route, status, micros, %client, "answered");
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.closed {
            let meters = self.meters();
            meters.gone(&self.method);
            let (method, route) = (self.method.as_str(), meters.label);
            let _entered = self.span.enter();
            tracing::info!(target: "userd_http::access", method, route, "the caller went away");
        }
    }
}
