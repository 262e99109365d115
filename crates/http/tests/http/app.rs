//! The app under test: the real routes and a few of the tests' own, over services in memory.

use std::sync::{Arc, Mutex, OnceLock};

use axum::{Router, extract::State, response::Redirect};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use userd_http::{
    Api, BuildInfo, PartState, Readiness,
    documented::{Routes, routes},
    policy::{Access, RouteAccess},
    router::assemble,
};
use userd_model::UserId;
pub use userd_services::testing::TestProvider;
use userd_services::{RequestOrigin, Services, testing::TestOptions};
use userd_web::{
    Problem, RequestOptions,
    cursor::Cursors,
    extract::{Bearer, Form, IdempotencyKey, IfMatch, Json, PageQuery, Path, Query},
    server::Draining,
    testing::{CountingRandom, metrics},
};
use utoipa::ToSchema;

// ---- parts -------------------------------------------------------------------------------------------------------

pub struct FixedReadiness(pub Mutex<Vec<(&'static str, PartState)>>);

#[async_trait::async_trait]
impl Readiness for FixedReadiness {
    async fn parts(&self) -> Vec<(&'static str, PartState)> {
        self.0.lock().unwrap().clone()
    }
}

/// The services behind most tests: one set for a process, on a runtime of its own.
fn shared_services() -> Arc<Services> {
    static SHARED: OnceLock<(Runtime, Arc<Services>)> = OnceLock::new();
    let build = || {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let services = runtime.block_on(test_services(TestOptions::default()));
        (runtime, services)
    };
    // A runtime cannot be entered from within another one, so it gets a thread.
    let on_its_own_thread = || std::thread::spawn(build).join().unwrap();
    Arc::clone(&SHARED.get_or_init(on_its_own_thread).1)
}

/// Services of the test's own.
pub async fn test_services(options: TestOptions) -> Arc<Services> {
    let store = Arc::new(userd_storage::testing::memory_store().await.unwrap());
    userd_services::testing::test_app(store, options).await.unwrap().services
}

/// An access token of a service account with one permission.
pub async fn access_token_with(services: &Services, permission: &str) -> String {
    let (context, permissions) = (services.operator_context(), [permission.to_owned()]);
    let made = services.clients.create(&context, "reader", &permissions, None).await.unwrap();
    let (id, secret) = (made.client.id.to_string(), &made.client_secret);
    let client = services.clients.authenticate(&id, secret, &RequestOrigin::default()).await.unwrap();
    services.clients.token(&client, None).unwrap().access_token
}

pub fn api_with(change: impl FnOnce(&mut RequestOptions)) -> Api {
    let mut options = RequestOptions::new("http://127.0.0.1:8080".parse().unwrap());
    change(&mut options);
    let parts = vec![("database", PartState::Ok), ("cache", PartState::Degraded)];
    Api {
        options,
        build: BuildInfo { name: "userd", version: "0.0.0", commit: "unknown", build_time: "unknown" },
        readiness: Arc::new(FixedReadiness(Mutex::new(parts))),
        draining: Draining::default(),
        metrics: metrics(),
        cursors: Cursors::new(&[3; 32]),
        random: Arc::new(CountingRandom::from(u64::from(std::process::id()))),
        documentation: OnceLock::new(),
        services: shared_services(),
    }
}

pub fn app() -> Router {
    app_with(|_| {})
}

pub fn app_with(change: impl FnOnce(&mut RequestOptions)) -> Router {
    assemble(Arc::new(api_with(change)), app_routes(), &app_table()).unwrap()
}

/// The same over services of the test's own.
pub fn app_over(services: Arc<Services>) -> Router {
    let api = Api { services, ..api_with(|_| {}) };
    assemble(Arc::new(api), app_routes(), &app_table()).unwrap()
}

pub fn visit(services: &Services) -> userd_services::Context {
    services.context().from_origin(some_origin())
}

pub fn some_origin() -> userd_services::RequestOrigin {
    userd_services::RequestOrigin { ip: None, network: "192.0.2.1".to_owned(), user_agent: None }
}

// ---- routes ------------------------------------------------------------------------------------------------------

pub fn app_routes() -> Routes {
    userd_http::routes::all()
        .with(routes!(list_things, make_thing))
        .with(routes!(read_thing, change_thing))
        .with(routes!(panicking))
        .with(routes!(bearer))
        .with(routes!(form))
        .with(routes!(leave))
}

pub fn app_table() -> Vec<RouteAccess> {
    let own = [
        ("GET", "/v1/things", Access::Public),
        ("POST", "/v1/things", Access::Public),
        ("GET", "/v1/things/{id}", Access::User),
        ("PATCH", "/v1/things/{id}", Access::Permission(userd_model::Permission::USERS_MANAGE)),
        ("GET", "/v1/panic", Access::Public),
        ("GET", "/v1/bearer", Access::User),
        ("POST", "/oauth2/form", Access::Client),
        ("POST", "/v1/leave", Access::Public),
    ];
    let own = own.into_iter().map(|(method, path, access)| RouteAccess { method, path, access, hashes: false });
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

#[utoipa::path(get, path = "/v1/bearer", responses((status = 200, body = String)))]
async fn bearer(Bearer(token): Bearer) -> String {
    token.to_string()
}

#[derive(Debug, Deserialize, ToSchema)]
struct Grant {
    grant_type: String,
}

#[utoipa::path(post, path = "/oauth2/form",
    request_body(content = Grant, content_type = "application/x-www-form-urlencoded"), responses((status = 200, body = String)))]
async fn form(Form(grant): Form<Grant>) -> String {
    grant.grant_type
}

#[utoipa::path(post, path = "/v1/leave", responses((status = 303, description = "Elsewhere")))]
async fn leave() -> Redirect {
    Redirect::to("/v1/who")
}
