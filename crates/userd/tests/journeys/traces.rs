//! Traces over OTLP, as a collector by another maker reads them.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Engine, TestApp, Tokens, caller::send, script::Script, unique};

/// What a span may say; anything else is told to nobody.
const TOLD: [&str; 10] = [
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "server.address",
    "userd.outcome",
    "userd.problem",
    "userd.provider",
    "userd.reason",
    "userd.request_id",
    "userd.unit_of_work",
];
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// An app that sends its traces to a collector; none in builds without them, or where Python is not at hand.
async fn traced() -> Option<(TestApp, Script)> {
    if !cfg!(feature = "otlp") {
        println!("this build sends no traces");
        return None;
    }
    let mut collector = Script::start("otlp_collector.py", &[])?;
    let endpoint = format!("http://127.0.0.1:{}", collector.ask("port").await);
    let app = TestApp::build(Engine::Sqlite).await?;
    Some((app.with("log.otlp.endpoint", &endpoint), collector))
}

/// A field of OTLP's JSON that is bytes, as hexadecimal digits.
fn hex(value: &Value) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let bytes = STANDARD.decode(value.as_str().unwrap_or_default()).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn named<'a>(spans: &'a [Value], name: &str) -> Vec<&'a Value> {
    spans.iter().filter(|span| span["name"] == name).collect()
}

fn children<'a>(spans: &'a [Value], of: &Value) -> Vec<&'a str> {
    let within = spans.iter().filter(|span| span["traceId"] == of["traceId"] && span["parentSpanId"] == of["spanId"]);
    within.map(|span| span["name"].as_str().unwrap()).collect()
}

/// AC-133: in spans too.
#[tokio::test]
async fn a_request_is_a_trace_with_its_work_in_it_and_without_a_secret() {
    let Some((app, mut collector)) = traced().await else { return };
    let replica = app.open().await;
    let visitor = replica.visitor();
    let (email, password, wrong) = (format!("{}@canary.example", unique("bird")), unique("Sing-"), unique("Wrong-"));
    let register = visitor.request(reqwest::Method::POST, "/v1/auth/register");
    let register = register.header("x-request-id", "r-77").header("traceparent", format!("00-{TRACE}-{CALLER}-00"));
    let registered = send(register.json(&json!({ "email": email, "password": password }))).await.unwrap();
    let tokens = Tokens::of(&registered.expect(201)["tokens"]);
    assert_eq!(registered.header("x-request-id"), "r-77");
    visitor
        .post("/v1/auth/login", json!({ "login": email, "password": wrong }))
        .await
        .refused(401, "wrong_credentials");
    visitor.with(&tokens).get("/v1/me").await.expect(200);
    assert_eq!(visitor.get(&format!("/v1/me?{wrong}={email}")).await.status, 401);
    let odd = reqwest::Method::from_bytes(wrong.replace('-', "").as_bytes()).unwrap();
    assert_eq!(send(visitor.request(odd, "/v1/me")).await.unwrap().status, 405);
    assert_eq!(visitor.get(&format!("/{wrong}")).await.status, 404);
    visitor.get("/livez").await.expect(200);
    // What is not sent yet is sent before the end.
    let ended = replica.stop().await;
    assert!(ended.status.success());

    let spans = collector.ask("spans").await;
    let text = spans.to_string();
    let spans = spans.as_array().unwrap();
    let [registration] = named(spans, "POST /v1/auth/register")[..] else { panic!("{text}") };
    assert_eq!((hex(&registration["traceId"]), hex(&registration["parentSpanId"])), (TRACE.into(), CALLER.into()));
    assert_eq!(registration["kind"], "SPAN_KIND_SERVER");
    let told = &registration["attributes"];
    assert_eq!((&told["userd.request_id"], &told["http.route"]), (&json!("r-77"), &json!("/v1/auth/register")));
    assert_eq!((&told["http.request.method"], &told["http.response.status_code"]), (&json!("POST"), &json!("201")));
    assert_eq!(registration["resource"]["service.name"], "userd");
    let within = children(spans, registration);
    assert!(within.contains(&"hash") && within.contains(&"unit_of_work"), "{within:?}");
    let work: BTreeSet<_> = named(spans, "unit_of_work")
        .into_iter()
        .map(|span| &span["attributes"])
        .map(|told| told["userd.unit_of_work"].as_str())
        .collect();
    assert!(work.contains(&Some("register")), "{work:?}");
    let [login] = named(spans, "POST /v1/auth/login")[..] else { panic!("{text}") };
    assert_ne!(hex(&login["traceId"]), TRACE);
    assert_eq!((login.get("parentSpanId"), &login["attributes"]["userd.problem"]), (None, &json!("wrong_credentials")));
    assert!(children(spans, login).contains(&"hash"), "{text}");
    assert!(spans.iter().any(|span| span["attributes"]["http.request.method"] == "_OTHER"), "{text}");
    assert!(!text.contains("livez"), "{text}");

    for span in spans {
        let (from, to) = (span["startTimeUnixNano"].as_str().unwrap(), span["endTimeUnixNano"].as_str().unwrap());
        assert!(from.parse::<u64>().unwrap() <= to.parse::<u64>().unwrap(), "{span}");
        assert!(span["attributes"].as_object().unwrap().keys().all(|name| TOLD.contains(&name.as_str())), "{span}");
        assert!(span.get("events").is_none() && span.get("links").is_none(), "{span}");
    }
    let (wrong, word) = (wrong.as_str(), wrong.replace('-', ""));
    for canary in [email.as_str(), &password, wrong, &word, &tokens.access, &tokens.refresh, tokens.user_id()] {
        assert!(!text.contains(canary), "{canary} is in {text}");
    }
    // The log is as it was: what is said for traces alone is not in it.
    let log = ended.stdout.join("\n");
    assert!(!log.contains("userd::spans") && !log.contains("unit_of_work") && !log.contains("trace.parent"), "{log}");
}

#[tokio::test]
async fn who_is_recorded_is_chance_unless_a_trusted_proxy_says_so() {
    let Some((app, mut collector)) = traced().await else { return };
    let app = app.with("log.otlp.one_in", "1000000");
    for (trusted, wanted) in [(false, 0), (true, 1)] {
        let app = if trusted { app.with("http.trusted_proxies.0", "127.0.0.1/32") } else { app.clone() };
        let replica = app.open().await;
        for flags in ["00", "01"] {
            let me = replica.visitor().request(reqwest::Method::GET, "/v1/me");
            let me = me.header("traceparent", format!("00-{TRACE}-{CALLER}-{flags}"));
            assert_eq!(send(me).await.unwrap().status, 401);
        }
        assert!(replica.stop().await.status.success());
        let spans = collector.ask("spans").await;
        assert_eq!(spans.as_array().unwrap().len(), wanted, "{spans}");
    }
}

#[tokio::test]
async fn a_collector_that_never_answers_delays_no_request_and_holds_up_no_stop() {
    let Some((app, mut collector)) = traced().await else { return };
    collector.ask("hang").await;
    let replica = app.open().await;
    let visitor = replica.visitor();
    let mut slowest = Duration::ZERO;
    // Until it has been given up once.
    let begun = Instant::now();
    while !replica.log().contains("traces cannot be sent") {
        let asked = Instant::now();
        assert_eq!(visitor.get("/v1/me").await.status, 401);
        slowest = slowest.max(asked.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(30), "{}", replica.log());
    }
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    assert!(collector.ask("posts").await.as_u64().unwrap() > 0);
    let stopping = Instant::now();
    assert!(replica.stop().await.status.success());
    assert!(stopping.elapsed() < Duration::from_secs(8), "{:?}", stopping.elapsed());
}

#[tokio::test]
async fn a_build_without_traces_says_so_before_the_start() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap().with("log.otlp.endpoint", "http://127.0.0.1:4318");
    let checked = app.run(&["config", "check"]).await;
    if cfg!(feature = "otlp") {
        assert!(checked.status.success(), "{checked:?}");
    } else {
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert_eq!(checked.status.code(), Some(2), "{said}");
        assert!(said.contains("log.otlp.endpoint") && said.contains("--features otlp"), "{said}");
    }
}
