//! The stage: a router with a few routes of the tests' own under the real conventions, and a server around it.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::State, response::Redirect};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    sync::{Semaphore, oneshot},
    task::JoinHandle,
};
use tower::ServiceExt;
use userd_http::{
    Api, BuildInfo, Draining, HttpOptions, PartState, Problem, Readiness,
    client_address::ClientAddress,
    cursor::Cursors,
    extract::{BasicAuth, Bearer, Form, IdempotencyKey, IfMatch, Json, PageQuery, Path, Query},
    metrics::install,
    policy::{Needs, RouteNeeds},
    router::{Routes, assemble},
    server::{Served, ServerOptions, serve},
};
use userd_model::{Random, UserId};
use userd_services::{Services, testing::TestOptions};
use utoipa::ToSchema;
use utoipa_axum::routes;

pub const LONG: Duration = Duration::from_secs(20);

// ---- parts -------------------------------------------------------------------------------------------------------

struct Dice(AtomicU64);

impl Random for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
    }
}

pub struct Parts(pub Mutex<Vec<(&'static str, PartState)>>);

#[async_trait::async_trait]
impl Readiness for Parts {
    async fn parts(&self) -> Vec<(&'static str, PartState)> {
        self.0.lock().unwrap().clone()
    }
}

fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| install().unwrap()).clone()
}

/// The services behind the real routes: one set for all tests of a process, on a runtime of its own.
fn services() -> Arc<Services> {
    static HOUSE: OnceLock<(Runtime, Arc<Services>)> = OnceLock::new();
    let build = || {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let house = runtime.block_on(async {
            let store = Arc::new(userd_storage::testing::memory_store().await.unwrap());
            userd_services::testing::house(store, TestOptions::default()).await.unwrap()
        });
        (runtime, house.services)
    };
    // A runtime cannot be entered from within another one, so it gets a thread.
    let on_its_own_thread = || std::thread::spawn(build).join().unwrap();
    Arc::clone(&HOUSE.get_or_init(on_its_own_thread).1)
}

pub fn api_with(change: impl FnOnce(&mut HttpOptions)) -> Api {
    let mut options = HttpOptions::new("http://127.0.0.1:8080".parse().unwrap());
    change(&mut options);
    Api {
        options,
        build: BuildInfo { name: "userd", version: "0.0.0", commit: "unknown", build_time: "unknown" },
        readiness: Arc::new(Parts(Mutex::new(vec![("database", PartState::Ok), ("cache", PartState::Degraded)]))),
        draining: Draining::default(),
        metrics: metrics(),
        cursors: Cursors::new(&[3; 32]),
        random: Arc::new(Dice(AtomicU64::new(u64::from(std::process::id())))),
        document: OnceLock::new(),
        services: services(),
    }
}

/// The real routes over services of the test's own.
pub fn stage_over(services: Arc<Services>) -> Router {
    let api = Api { services, ..api_with(|_| {}) };
    assemble(Arc::new(api), stage_routes(), &stage_table()).unwrap()
}

/// Services of the test's own.
pub async fn house(options: TestOptions) -> Arc<Services> {
    let store = Arc::new(userd_storage::testing::memory_store().await.unwrap());
    userd_services::testing::house(store, options).await.unwrap().services
}

pub fn visit(services: &Services) -> userd_services::Context {
    services.context().from_origin(somewhere())
}

pub fn somewhere() -> userd_services::RequestOrigin {
    userd_services::RequestOrigin { ip: None, network: "192.0.2.1".to_owned(), user_agent: None }
}

pub fn stage() -> Router {
    stage_with(|_| {})
}

pub fn stage_with(change: impl FnOnce(&mut HttpOptions)) -> Router {
    assemble(Arc::new(api_with(change)), stage_routes(), &stage_table()).unwrap()
}

// ---- routes ------------------------------------------------------------------------------------------------------

pub fn stage_routes() -> Routes {
    userd_http::routes::all()
        .with(routes!(list_things, make_thing))
        .with(routes!(read_thing, change_thing))
        .with(routes!(panicking))
        .with(routes!(gate))
        .with(routes!(who))
        .with(routes!(bearer))
        .with(routes!(basic))
        .with(routes!(rehearsal))
        .with(routes!(leave))
        .with(routes!(noted))
}

pub fn stage_table() -> Vec<RouteNeeds> {
    let own = [
        ("GET", "/v1/things", Needs::Public),
        ("POST", "/v1/things", Needs::Public),
        ("GET", "/v1/things/{id}", Needs::User),
        ("PATCH", "/v1/things/{id}", Needs::Permission(userd_model::Permission::USERS_MANAGE)),
        ("GET", "/v1/panic", Needs::Public),
        ("GET", "/v1/gates/{name}", Needs::Public),
        ("GET", "/v1/who", Needs::Public),
        ("GET", "/v1/bearer", Needs::User),
        ("GET", "/v1/basic", Needs::Client),
        ("POST", "/oauth2/rehearsal", Needs::Client),
        ("POST", "/v1/leave", Needs::Public),
        ("GET", "/v1/noted/{id}", Needs::User),
    ];
    let own = own.into_iter().map(|(method, path, needs)| RouteNeeds { method, path, needs, hashes: false });
    userd_http::policy::ROUTES.iter().cloned().chain(own).collect()
}

#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Thing {
    name: String,
    #[serde(default)]
    attributes: serde_json::Map<String, Value>,
}

#[utoipa::path(get, path = "/v1/things", params(PageQuery), responses((status = 200, body = Value)))]
async fn list_things(State(api): State<Arc<Api>>, Query(page): Query<PageQuery>) -> Result<Json<Value>, Problem> {
    let after: Option<u64> = page.after(&api.cursors, "things")?;
    let first = after.unwrap_or(0);
    let last = first + page.limit.get() as u64;
    Ok(Json(serde_json::json!({"first": first, "next_cursor": api.cursors.seal("things", &last)})))
}

#[utoipa::path(post, path = "/v1/things", params(IdempotencyKey), request_body = Thing, responses((status = 201, body = Thing)))]
async fn make_thing(_key: IdempotencyKey, Json(thing): Json<Thing>) -> (StatusCode, Json<Thing>) {
    (StatusCode::CREATED, Json(thing))
}

#[utoipa::path(get, path = "/v1/things/{id}", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = String)))]
async fn read_thing(Path(id): Path<UserId>) -> String {
    id.to_string()
}

#[utoipa::path(patch, path = "/v1/things/{id}", params(("id" = uuid::Uuid, Path), IfMatch), request_body = Thing,
    responses((status = 200, body = String), (status = 409, description = "Changed")))]
async fn change_thing(
    Path(_id): Path<UserId>,
    condition: IfMatch,
    Json(_thing): Json<Thing>,
) -> Result<String, Problem> {
    condition.check(7)?;
    Ok("changed".to_owned())
}

#[utoipa::path(get, path = "/v1/panic", responses((status = 200, body = String)))]
async fn panicking() -> String {
    panic!("a secret in a panic message: hunter2")
}

#[utoipa::path(get, path = "/v1/gates/{name}", params(("name" = String, Path)), responses((status = 200, body = String)))]
async fn gate(Path(name): Path<String>) -> String {
    let gate = Gate::named(&name);
    let running = gate.running.fetch_add(1, Ordering::SeqCst) + 1;
    gate.most.fetch_max(running, Ordering::SeqCst);
    let _leaving = Leaving(Arc::clone(&gate));
    gate.entered.add_permits(1);
    gate.open.acquire().await.unwrap().forget();
    "through".to_owned()
}

#[utoipa::path(get, path = "/v1/who", responses((status = 200, body = String)))]
async fn who(client: ClientAddress) -> String {
    client.limit_key()
}

#[utoipa::path(get, path = "/v1/bearer", responses((status = 200, body = String)))]
async fn bearer(Bearer(token): Bearer) -> String {
    token.to_string()
}

#[utoipa::path(get, path = "/v1/basic", responses((status = 200, body = String)))]
async fn basic(client: BasicAuth) -> String {
    format!("{} {}", client.client_id, client.client_secret.as_str())
}

#[derive(Debug, Deserialize, ToSchema)]
struct RehearsalForm {
    grant_type: String,
    scope: Option<String>,
}

#[utoipa::path(post, path = "/oauth2/rehearsal",
    request_body(content = RehearsalForm, content_type = "application/x-www-form-urlencoded"), responses((status = 200, body = String)))]
async fn rehearsal(Form(form): Form<RehearsalForm>) -> Result<String, Problem> {
    match form.grant_type.as_str() {
        "client_credentials" => Ok(form.scope.unwrap_or_default()),
        "refresh_token" => Err(userd_model::Refusal::InvalidRefreshToken.into()),
        "forgotten" => Err(userd_model::Refusal::InvalidClient.into()),
        _ => Err(Problem::of(&userd_http::problem::table::UNSUPPORTED_GRANT_TYPE)),
    }
}

#[utoipa::path(post, path = "/v1/leave", responses((status = 303, description = "Elsewhere")))]
async fn leave() -> Redirect {
    Redirect::to("/v1/who")
}

#[utoipa::path(get, path = "/v1/noted/{id}", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = String)))]
async fn noted(Path(id): Path<UserId>) -> String {
    userd_http::middleware::note_user(id);
    id.to_string()
}

/// A handler waits here until the test lets it through.
pub struct Gate {
    pub entered: Semaphore,
    pub open: Semaphore,
    pub running: AtomicUsize,
    pub most: AtomicUsize,
}

struct Leaving(Arc<Gate>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Gate {
    pub fn named(name: &str) -> Arc<Self> {
        static GATES: OnceLock<Mutex<HashMap<String, Arc<Gate>>>> = OnceLock::new();
        let mut gates = GATES.get_or_init(Mutex::default).lock().unwrap();
        let shut = || Self {
            entered: Semaphore::new(0),
            open: Semaphore::new(0),
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        };
        Arc::clone(gates.entry(name.to_owned()).or_insert_with(|| Arc::new(shut())))
    }

    pub async fn wait_entered(&self) {
        tokio::time::timeout(LONG, self.entered.acquire()).await.unwrap().unwrap().forget();
    }
}

// ---- asking ------------------------------------------------------------------------------------------------------

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn slug(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{} {}", self.status, self.text());
        let json = self.json();
        assert_eq!(json["status"], self.status.as_u16());
        assert_eq!(json["instance"], self.header("x-request-id"));
        json["type"].as_str().unwrap().strip_prefix("/problems/").unwrap().to_owned()
    }
}

pub async fn ask(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let builder = Request::builder().method(method).uri(path);
    headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).body(body.into()).unwrap()
}

pub async fn get(router: &Router, path: &str, headers: &[(&str, &str)]) -> Answer {
    ask(router, request("GET", path, headers, Body::empty())).await
}

pub async fn post_json(router: &Router, path: &str, body: impl Into<Body>) -> Answer {
    ask(router, request("POST", path, &[("content-type", "application/json")], body)).await
}

// ---- sockets -----------------------------------------------------------------------------------------------------

pub struct Server {
    pub address: SocketAddr,
    pub draining: Draining,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Served>,
}

impl Server {
    pub async fn start(options: ServerOptions) -> Self {
        Self::start_with(options, |_| {}).await
    }

    pub async fn start_with(options: ServerOptions, change: impl FnOnce(&mut HttpOptions)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let api = Arc::new(api_with(change));
        let draining = api.draining.clone();
        let router = assemble(api, stage_routes(), &stage_table()).unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { stopped.await.unwrap_or(()) };
        let task = tokio::spawn(serve(listener, router, options, draining.clone(), shutdown));
        Self { address, draining, stop: Some(stop), task }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes on a connection of their own and reads until the server closes it.
    pub async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The server may close before it has read everything; what it said before counts.
        let _ = stream.write_all(bytes).await;
        read_to_end(&mut stream).await
    }

    /// Asks on a new connection.
    pub async fn is_alive(&self) {
        let answer = self.exchange(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }

    pub fn tell_to_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub async fn stopped(self) -> Served {
        tokio::time::timeout(LONG, self.task).await.unwrap().unwrap()
    }
}

pub async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match tokio::time::timeout(LONG, stream.read(&mut chunk)).await.expect("the server must close") {
            Ok(0) | Err(_) => return String::from_utf8_lossy(&bytes).into_owned(),
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

/// Reads one answer with a `Content-Length` and leaves the connection open.
pub async fn read_answer(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0; 1];
    while !bytes.ends_with(b"\r\n\r\n") {
        let count = tokio::time::timeout(LONG, stream.read(&mut byte)).await.unwrap().unwrap();
        assert_eq!(count, 1, "the connection closed early: {}", String::from_utf8_lossy(&bytes));
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    tokio::time::timeout(LONG, stream.read_exact(&mut body)).await.unwrap().unwrap();
    format!("{head}{}", String::from_utf8_lossy(&body))
}
