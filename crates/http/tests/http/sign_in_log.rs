//! What those who run the service see of sign-ins: the request's line in the log, and the counter.

use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::Router;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;
use url::Url;
use userd_services::testing::TestOptions;
use userd_web::testing::*;

use crate::app::*;

/// No other test counts under this name.
const PROVIDER: &str = "acme-of-the-log";
const PASSWORD: &str = "plum-Orchestra-19";

#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Vec<u8>>>);

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Memory {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Memory {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The fields of the newest access line: provider, outcome, problem, reason, user id.
    fn told(&self) -> [String; 5] {
        let text = self.text();
        let mut lines = text.lines().rev().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let line = lines.find(|line| line["target"] == "userd_http::access").unwrap();
        ["provider", "outcome", "problem", "reason", "user_id"]
            .map(|field| line["span"][field].as_str().unwrap_or_default().to_owned())
    }
}

/// How often sign-ins through the provider ended so; -1 where there is no such series.
async fn counted(router: &Router, method: &str, outcome: &str) -> i64 {
    let start = format!("userd_sign_ins_total{{method=\"{method}\",outcome=\"{outcome}\"}} ");
    let metrics = get(router, "/metrics", &[]).await.text();
    metrics.lines().find_map(|line| line.strip_prefix(&start)).map_or(-1, |count| count.parse().unwrap())
}

/// Begins, and comes back with this; the answer.
async fn through(router: &Router, query: &str, with_cookie: bool) -> Answer {
    let begun = get(router, &format!("/v1/auth/{PROVIDER}/start"), &[]).await;
    let cookie = begun.header("set-cookie").split(';').next().unwrap().to_owned();
    let url = Url::parse(begun.header("location")).unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let path = format!("/v1/auth/{PROVIDER}/callback?state={state}&{query}");
    get(router, &path, &[("cookie", if with_cookie { &cookie } else { "" })]).await
}

/// Every way a sign-in may end stands in the line of its request, with whom it was where that is known, and is counted
/// under its method. A person who pressed Cancel is not among the provider's faults. (fault 14)
/// ASVS V16.3.1, V16.3.2, V16.3.3
#[tokio::test]
async fn how_a_sign_in_ended_stands_in_the_log_and_in_the_metrics() {
    let options = TestOptions { providers: vec![TestProvider::named(PROVIDER, false)], ..TestOptions::default() };
    metrics();
    let router = app_over(test_services(options).await);
    for outcome in ["signed_in", "step_required", "denied", "refused", "limited", "unavailable", "failed"] {
        for method in [PROVIDER, "password"] {
            assert!(counted(&router, method, outcome).await >= 0, "{method} {outcome} begins at zero");
        }
    }
    let log = Memory::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(log.clone()).finish();
    let _listening = tracing::subscriber::set_default(subscriber);

    let landed = through(&router, "code=c", true).await;
    let [provider, outcome, problem, _, user] = log.told();
    assert_eq!((provider.as_str(), outcome.as_str(), problem.as_str(), user.len()), (PROVIDER, "admitted", "", 36));
    let code = Url::parse(landed.header("location")).unwrap().query_pairs().next().unwrap().1.into_owned();
    let exchanged = post_json(&router, "/v1/auth/exchange", json!({ "code": code }).to_string()).await;
    assert_eq!(exchanged.json()["user"]["id"], user);
    assert_eq!(log.told(), [PROVIDER, "signed_in", "", "", &user]);
    assert_eq!(counted(&router, PROVIDER, "signed_in").await, 1, "once for the callback and its code");

    for (query, with_cookie, outcome, reason) in [
        ("error=access_denied", true, "denied", "access_denied"),
        ("error=server_error", true, "refused", "provider_error"),
        ("code=c", false, "refused", "browser_mismatch"),
        ("code=c&code=d", true, "refused", "callback_malformed"),
    ] {
        through(&router, query, with_cookie).await;
        assert_eq!(log.told(), [PROVIDER, outcome, "provider_refused", reason, ""]);
    }
    assert_eq!(counted(&router, PROVIDER, "denied").await, 1);
    assert_eq!(counted(&router, PROVIDER, "refused").await, 3);
    let metrics = get(&router, "/metrics", &[]).await.text();
    assert!(!metrics.contains(&format!("userd_provider_faults_total{{provider=\"{PROVIDER}\"}} 1")), "{metrics}");

    let native = format!("/v1/auth/{PROVIDER}/token");
    post_json(&router, &native, json!({ "access_token": "t" }).to_string()).await;
    assert_eq!(log.told(), [PROVIDER, "refused", "provider_refused", "not_supported", ""]);
    get(&router, "/v1/auth/made-up/start", &[]).await;
    assert_eq!(log.told(), ["unknown", "refused", "no_such_provider", "", ""], "callers name no series");
    post_json(&router, "/v1/auth/exchange", json!({ "code": "A".repeat(43) }).to_string()).await;
    assert_eq!(log.told(), ["unknown", "refused", "invalid_code", "", ""]);

    let ada = json!({ "username": "ada-of-the-log", "password": PASSWORD }).to_string();
    let registered = post_json(&router, "/v1/auth/register", ada).await.json();
    let ada = registered["user"]["id"].as_str().unwrap();
    assert_eq!(log.told(), ["", "", "", "", ada]);
    for (password, outcome, problem, user) in
        [(PASSWORD, "signed_in", "", ada), ("wrong", "refused", "wrong_credentials", "")]
    {
        let before = counted(&router, "password", outcome).await;
        let login = json!({ "login": "ada-of-the-log", "password": password }).to_string();
        post_json(&router, "/v1/auth/login", login).await;
        assert_eq!(log.told(), ["password", outcome, problem, "", user]);
        assert!(counted(&router, "password", outcome).await > before);
    }
    let refreshed = json!({ "refresh_token": registered["tokens"]["refresh_token"] }).to_string();
    post_json(&router, "/v1/auth/refresh", refreshed).await;
    assert_eq!(log.told(), ["", "", "", "", ada]);

    // So does who was not let do something, and what.
    let bearer = format!("Bearer {}", registered["tokens"]["access_token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    assert_eq!(get(&router, "/v1/users", &headers[..1]).await.status, 403);
    assert_eq!(log.told(), ["", "", "forbidden", "", ada]);
    // Whoever takes a deleted account back is signed in by that.
    let proof = json!({ "current_password": PASSWORD }).to_string();
    assert_eq!(ask(&router, request("DELETE", "/v1/me", &headers, proof)).await.status, 202);
    let login = json!({ "login": "ada-of-the-log", "password": PASSWORD }).to_string();
    let offered = post_json(&router, "/v1/auth/login", login).await.json();
    let restore = json!({ "restore_token": offered["restore_token"] }).to_string();
    assert_eq!(post_json(&router, "/v1/auth/restore", restore).await.status, 200);
    assert_eq!(log.told(), ["", "", "", "", ada]);
}
