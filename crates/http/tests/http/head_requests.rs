//! HEAD: what mail scanners and previews of links send before anybody has clicked.

use std::sync::Arc;

use serde_json::json;
use userd_http::policy::ROUTES;
use userd_services::{sign_in::Start, testing::TestOptions};
use userd_storage::{
    Store,
    testing::{Counting, TestRandom, memory_store},
};
use userd_web::testing::*;

use crate::app::*;

/// Every route of the table, as somebody signed in with an attempt under way: the database is asked for no unit of
/// work, no cookie is set, and the attempt is still there for the GET. (fault 13)
/// ASVS V3.5.3
#[tokio::test]
async fn head_changes_nothing_on_any_route() {
    let inner = memory_store().await.unwrap();
    let (engine, counting) = Counting::over(Arc::clone(inner.engine()));
    let store = Arc::new(Store::new(engine, Arc::new(TestRandom::default())));
    let options = TestOptions { providers: vec![TestProvider::named("acme", false)], ..TestOptions::default() };
    let services = userd_services::testing::test_app(store, options).await.unwrap().services;
    let router = app_over(Arc::clone(&services));
    let ada = json!({ "username": "ada-of-heads", "password": "plum-Orchestra-19" }).to_string();
    let registered = post_json(&router, "/v1/auth/register", ada).await.json();
    let bearer = format!("Bearer {}", registered["tokens"]["access_token"].as_str().unwrap());
    let begun = services.sign_in.start(&visit(&services), "acme", Start::default()).await.unwrap();
    let url = url::Url::parse(&begun.url).unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let cookie = format!("__Host-userd_attempt_{}={}", &state[..8], begun.browser);
    let headers = [("authorization", bearer.as_str()), ("cookie", cookie.as_str())];
    let callback = format!("/v1/auth/acme/callback?code=c&state={state}");
    counting.take();
    for route in ROUTES {
        let path = match route.path {
            "/v1/auth/{provider}/callback" => callback.clone(),
            path => path.replace("{provider}", "acme").replace("{id}", "6f9619ff-8b86-4011-b42d-00c04fc964ff"),
        };
        let answer = ask(&router, request("HEAD", &path, &headers, "")).await;
        assert!(answer.status.as_u16() < 500, "{path}: {}", answer.status);
        assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("location"), "{path}");
        assert!(counting.take().units.is_empty(), "HEAD {path} changed something");
    }
    for (provider, status) in [("acme", 200), ("nosuch", 404)] {
        let answer = ask(&router, request("HEAD", &format!("/v1/auth/{provider}/start"), &headers, "")).await;
        assert_eq!(answer.status, status, "as GET, where it is 404");
    }
    let landed = get(&router, &callback, &headers).await;
    assert!(landed.header("location").contains("code="), "{}", landed.header("location"));
}
