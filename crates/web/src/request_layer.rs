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
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use tower::{Layer, Service};
use tracing::{Instrument, Span, field};
use url::Url;
use userd_model::{Random, UserId};

use crate::{
    client_address::{ClientAddress, PassedOn, Peer, TrustedProxies},
    cors::Cors,
    extensions::{BadFraming, LowPriority},
    known_routes::{KnownRoute, KnownRoutes, RouteTraits},
    problem::{ASKED, BAD_TOKEN, Language, Problem, page, table},
    request_id::{REQUEST_ID, RequestId, RequestIds, TraceParent, trace_parent},
    security_headers::SecurityHeaders,
};

/// The longest accepted path and query, in bytes.
const MAX_URI: usize = 8 * 1024;

/// Writes the signed-in user's id into the span, so that it stands in every further line of this request.
pub fn note_user(id: UserId) {
    Span::current().record("user_id", field::display(id));
}

/// Writes what a browser is told in a redirect into the span, as it is done for every problem that is answered.
pub fn note_problem(problem: &Problem) {
    record_problem(&Span::current(), problem);
}

fn record_problem(span: &Span, problem: &Problem) {
    span.record("problem", problem.row().slug);
    if let Some(reason) = problem.reason() {
        span.record("reason", reason);
    }
}

fn shows_token(headers: &HeaderMap) -> bool {
    let scheme = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().get(..6));
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
}

/// The span of a request. What is empty is filled in by whoever learns it: `provider` and `outcome` by the services,
/// of sign-ins. What begins with `trace.` is for traces alone; whether one is recorded only a trusted proxy may say.
fn request_span(id: &RequestId, parent: Option<&TraceParent<'_>>, is_trusted: bool) -> Span {
    tracing::info_span!(
        "request",
        request_id = %id,
        user_id = field::Empty,
        trace_id = parent.map(|parent| parent.trace),
        trace.parent = parent.map(|parent| parent.span),
        trace.sampled = parent.filter(|_| is_trusted).map(|parent| parent.is_sampled),
        provider = field::Empty,
        outcome = field::Empty,
        problem = field::Empty,
        reason = field::Empty,
    )
}

/// Beside a problem in an answer: the language of whom it is told to, where their account says it and not their browser.
#[derive(Clone, Copy, Debug)]
pub struct ToldIn(pub Language);

/// How a problem looks to a person, where something above has pages of its own.
#[derive(Clone)]
pub struct ProblemPage(Arc<RenderProblem>);

type RenderProblem = dyn Fn(&Problem, Language, &str) -> RenderedProblem + Send + Sync;

/// A problem as a page.
pub struct RenderedProblem {
    /// Its `Content-Security-Policy`.
    pub content_policy: HeaderValue,
    /// The page.
    pub html: String,
}

impl ProblemPage {
    /// From what renders a problem, for a language, under the request's id.
    pub fn new(render: impl Fn(&Problem, Language, &str) -> RenderedProblem + Send + Sync + 'static) -> Self {
        Self(Arc::new(render))
    }
}

impl std::fmt::Debug for ProblemPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProblemPage")
    }
}

/// The parsed configuration of the layer.
#[derive(Clone, Debug)]
pub struct RequestOptions {
    /// The address that clients use; https turns on HSTS.
    pub public_url: Url,
    /// Whose `X-Forwarded-For` counts.
    pub trusted_proxies: TrustedProxies,
    /// Which web origins may call.
    pub cors: Cors,
    /// How long a request may take until its answer starts; streams may go on.
    pub request_deadline: Duration,
    /// How problems look to people; none: plainly.
    pub problem_page: Option<ProblemPage>,
}

impl RequestOptions {
    /// The defaults for a public URL: no proxies, no foreign origins, 30 seconds.
    #[must_use]
    pub fn new(public_url: Url) -> Self {
        Self {
            public_url,
            trusted_proxies: TrustedProxies::default(),
            cors: Cors::default(),
            request_deadline: Duration::from_secs(30),
            problem_page: None,
        }
    }
}

/// What all requests share.
struct Shared {
    request_ids: RequestIds,
    proxies: TrustedProxies,
    cors: Cors,
    security: SecurityHeaders,
    routes: KnownRoutes,
    deadline: Duration,
    problem_page: Option<ProblemPage>,
}

/// The layer. It belongs outside of everything, fallbacks included.
#[derive(Clone)]
pub struct RequestLayer(Arc<Shared>);

impl RequestLayer {
    /// The layer around these routes; request ids begin at random.
    pub fn new(options: &RequestOptions, routes: impl IntoIterator<Item = RouteTraits>, random: &dyn Random) -> Self {
        Self(Arc::new(Shared {
            request_ids: RequestIds::new(random),
            proxies: options.trusted_proxies.clone(),
            cors: options.cors.clone(),
            security: SecurityHeaders::for_url(&options.public_url),
            routes: KnownRoutes::new(routes),
            deadline: options.request_deadline,
            problem_page: options.problem_page.clone(),
        }))
    }
}

/// A service with the layer around it.
#[derive(Clone)]
pub struct RequestService<S> {
    shared: Arc<Shared>,
    inner: S,
}

impl<S> Layer<S> for RequestLayer {
    type Service = RequestService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestService { shared: Arc::clone(&self.0), inner }
    }
}

impl<S> Service<Request> for RequestService<S>
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
        let exchange = Exchange::open(&self.shared, &mut request);
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
    let deadline = exchange.shared.deadline + exchange.route().traits.waits;
    let response = match tokio::time::timeout(deadline, guarded).await {
        Ok(Ok(Ok(response))) => response,
        // The message may hold anything, so it goes to the panic hook only.
        Ok(Err(_panic)) => {
            tracing::error!(route = exchange.route().traits.path, "a handler panicked");
            exchange.route().meters.panicked();
            Problem::internal().into_response()
        }
        Err(_elapsed) => {
            tracing::warn!(route = exchange.route().traits.path, "the request deadline passed");
            Problem::of(&table::DEADLINE_EXCEEDED).into_response()
        }
    };
    Ok(exchange.close(response))
}

/// One request and its answer.
struct Exchange {
    shared: Arc<Shared>,
    started: Instant,
    method: Method,
    matched: Option<MatchedPath>,
    id: RequestId,
    client: ClientAddress,
    language: Language,
    /// For who prefers a page to JSON: where its style is.
    style: Option<String>,
    oauth: bool,
    /// Whether a bearer token was sent, good or bad.
    shows_token: bool,
    origin: Option<HeaderValue>,
    preflight: bool,
    span: Span,
    closed: bool,
}

impl Exchange {
    fn open(shared: &Arc<Shared>, request: &mut Request) -> Self {
        let headers = request.headers();
        let id = shared.request_ids.of(headers);
        let peer = request.extensions().get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        let client = shared.proxies.client(peer, headers);
        let passed_on = shared.proxies.trusts(peer).then_some(PassedOn);
        let span = request_span(&id, trace_parent(headers).as_ref(), passed_on.is_some());
        let exchange = Self {
            started: Instant::now(),
            method: request.method().clone(),
            matched: request.extensions().get::<MatchedPath>().cloned(),
            client,
            language: page::language(headers),
            style: page::is_preferred(headers).then(|| page::style_below(request.uri().path())),
            oauth: request.uri().path().starts_with("/oauth2/"),
            shows_token: shows_token(headers),
            origin: shared.cors.allowed(headers),
            preflight: Cors::is_preflight(request),
            span,
            shared: Arc::clone(shared),
            id: id.clone(),
            closed: false,
        };
        request.extensions_mut().insert(id);
        request.extensions_mut().insert(client);
        if let Some(passed_on) = passed_on {
            request.extensions_mut().insert(passed_on);
        }
        exchange
    }

    /// The answer to requests that no handler should see.
    fn early(&self, request: &Request) -> Option<Response> {
        const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
        const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
        if self.preflight {
            return Some(self.shared.cors.preflight::<Body>());
        }
        if let Some(BadFraming(why)) = request.extensions().get::<BadFraming>().copied() {
            let mut response = Problem::malformed(why).into_response();
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return Some(response);
        }
        if self.method == Method::HEAD && self.route().traits.changed_by_get {
            return Some([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))].into_response());
        }
        let length = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
        if length > MAX_URI {
            return Some(Problem::of(&table::URI_TOO_LONG).into_response());
        }
        let is = |name: HeaderName, value: &str| request.headers().get(name).is_some_and(|given| given == value);
        let embedded = is(MODE, "no-cors") && is(SITE, "cross-site");
        (embedded && request.uri().path().starts_with("/v1/")).then(|| Problem::of(&table::CROSS_SITE).into_response())
    }

    fn route(&self) -> &KnownRoute {
        self.shared.routes.of(self.matched.as_ref().map(MatchedPath::as_str))
    }

    /// Completes the answer, writes the log line and counts.
    fn close(mut self, mut response: Response) -> Response {
        self.closed = true;
        if let Some(problem) = response.extensions_mut().remove::<Problem>() {
            record_problem(&self.span, &problem);
            self.write_problem(&problem, &mut response);
        }
        let traits = self.route().traits;
        if traits.hashes {
            response.extensions_mut().insert(LowPriority);
        }
        let headers = response.headers_mut();
        headers.insert(REQUEST_ID, self.id.header());
        self.shared.security.add(headers);
        self.shared.cors.finish(self.origin.take(), self.preflight, traits.cross_origin_cookies, headers);
        self.log(response.status());
        response
    }

    fn write_problem(&self, problem: &Problem, response: &mut Response) {
        const CONTENT: [&str; 2] = ["application/json", "application/problem+json"];
        // Whoever has shown nothing has shown nothing wrong (RFC 6750 section 3.1).
        if let Some(challenge) = response.headers_mut().get_mut(header::WWW_AUTHENTICATE)
            && !self.shows_token
            && *challenge == *BAD_TOKEN
        {
            *challenge = HeaderValue::from_static(ASKED);
        }
        let language = response.extensions_mut().remove::<ToldIn>().map_or(self.language, |ToldIn(language)| language);
        let (id, [oauth, json]) = (self.id.as_str(), CONTENT.map(HeaderValue::from_static));
        let body = if self.oauth {
            // A path that is none is none, whatever it begins with.
            let status = if self.matched.is_some() { problem.oauth_status() } else { problem.status() };
            if status != StatusCode::UNAUTHORIZED && problem.status() == StatusCode::UNAUTHORIZED {
                response.headers_mut().remove(header::WWW_AUTHENTICATE);
            }
            *response.status_mut() = status;
            response.headers_mut().insert(header::CONTENT_TYPE, oauth);
            problem.to_oauth_json(id).to_string()
        } else if let Some(style) = &self.style {
            response.headers_mut().extend(page::headers(language));
            match &self.shared.problem_page {
                Some(ProblemPage(render)) => {
                    let RenderedProblem { content_policy, html } = render(problem, language, id);
                    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, content_policy);
                    html
                }
                None => page::of_problem(problem, language, style, id),
            }
        } else {
            let tag = HeaderValue::from_static(page::tag(language));
            response.headers_mut().extend([(header::CONTENT_TYPE, json), (header::CONTENT_LANGUAGE, tag)]);
            problem.to_json(language, id).to_string()
        };
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = Body::from(body);
    }

    fn log(&self, status: StatusCode) {
        let took = self.started.elapsed();
        let route = self.route();
        route.meters.answered(&self.method, status, took);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let traits = route.traits;
        let (method, route, status, client) = (self.method.as_str(), traits.path, status.as_u16(), self.client);
        let _entered = self.span.enter();
        if traits.probe {
            tracing::debug!(target: "userd_http::access", method, route, status, micros, %client, "answered");
        } else {
            tracing::debug!(target: "userd::spans", method, route, status);
            tracing::info!(target: "userd_http::access", method, route, status, micros, %client, "answered");
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.closed {
            let route = self.route();
            route.meters.gone(&self.method);
            let (method, route) = (self.method.as_str(), route.traits.path);
            let _entered = self.span.enter();
            tracing::debug!(target: "userd::spans", method, route, outcome = "gone");
            tracing::info!(target: "userd_http::access", method, route, "the caller went away");
        }
    }
}
