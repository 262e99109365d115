//! This library under the conformance suite: it reads a line of JSON and answers one.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program of the tests; what it cannot read ends it"
)]

mod bench;

use std::{io::BufRead, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use userd_client::{Check, Error, MemoryCursor, Options, Userd, Webhook, WhenStale};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (send, mut lines) = tokio::sync::mpsc::unbounded_channel();
    // Beside the runtime, so that the follower goes on while nothing is asked.
    std::thread::spawn(move || std::io::stdin().lock().lines().try_for_each(|line| send.send(line.unwrap())));
    let mut trusted = None;
    while let Some(line) = lines.recv().await {
        let asked: Value = serde_json::from_str(&line).unwrap();
        let answer = act(&mut trusted, &asked).await.unwrap_or_else(|error| failure(&error));
        println!("{answer}");
    }
}

async fn act(trusted: &mut Option<Userd>, asked: &Value) -> Result<Value, Error> {
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    let words = |name: &str| -> Vec<String> { serde_json::from_value(asked[name].clone()).unwrap_or_default() };
    match text("do") {
        "open" => {
            *trusted = Some(Userd::new(options(&asked["settings"]))?);
            return Ok(json!({ "ok": true }));
        }
        "close" => {
            *trusted = None;
            return Ok(json!({ "ok": true }));
        }
        "webhook" => return webhook(asked),
        "bench" => return bench::bench(trusted.as_ref().unwrap(), asked).await,
        _ => {}
    }
    let userd = trusted.as_ref().unwrap();
    Ok(match text("do") {
        "verify" | "allows" => {
            let token = userd.verify(text("token")).await?;
            let (roles, permissions) = (words("roles"), words("permissions"));
            let (role, permission) = (token.has_role(&roles), token.has_permission(&permissions));
            json!({ "subject": token.subject, "role": role, "permission": permission })
        }
        "status" => {
            let status = userd.status();
            json!({ "age": status.age.map(|age| age.as_secs_f64()), "entries": status.entries, "restarts": status.restarts,
                "overflows": status.overflows, "error": status.error })
        }
        "token" if !text("resource").is_empty() => json!({ "token": userd.token_for(text("resource")).await? }),
        "token" => json!({ "token": userd.token().await? }),
        "check" => json!({ "allowed": userd.check(text("subject"), text("permission")).await? }),
        "check_many" => {
            let pairs: Vec<(String, String)> = serde_json::from_value(asked["checks"].clone()).unwrap();
            let checks: Vec<_> = pairs.into_iter().map(|(subject, permission)| Check { subject, permission }).collect();
            let results = userd.check_many(&checks).await?;
            let told = |one: userd_client::Decision| json!({ "allowed": one.allowed, "reason": one.reason });
            json!({ "results": results.into_iter().map(told).collect::<Vec<_>>() })
        }
        "user" => {
            let user = userd.user(text("id")).await?;
            json!({ "user": user.map(|user| json!({ "id": user.id, "status": user.status, "roles": user.roles })) })
        }
        "events" => {
            let store = MemoryCursor::at(asked["cursor"].as_str().map(str::to_owned));
            let mut events = userd.events(store);
            let mut ids = Vec::new();
            for _ in 0..asked["count"].as_u64().unwrap() {
                ids.push(events.next().await?.id);
            }
            json!({ "ids": ids, "cursor": events.store().place() })
        }
        other => json!({ "error": format!("no such thing: {other}") }),
    })
}

fn options(said: &Value) -> Options {
    let text = |name: &str| said[name].as_str().unwrap_or_default();
    let mut options = Options::of(text("issuer")).audience(text("audience"));
    if !text("client_id").is_empty() {
        options = options.client(text("client_id"), text("client_secret"));
    }
    if !text("userd_audience").is_empty() {
        options.userd_audience = text("userd_audience").to_owned();
    }
    options.when_stale = match text("when_stale") {
        "accept" => WhenStale::Accept,
        "introspect" => WhenStale::Introspect,
        _ => WhenStale::Refuse,
    };
    let seconds = |name: &str| said[name].as_f64().map(Duration::from_secs_f64);
    options.max_age = seconds("max_age").unwrap_or(options.max_age);
    options.wait = seconds("wait").unwrap_or(options.wait);
    options.timeout = seconds("timeout").unwrap_or(options.timeout);
    let entries = said["max_entries"].as_u64().and_then(|most| usize::try_from(most).ok());
    options.max_entries = entries.unwrap_or(options.max_entries);
    options
}

fn webhook(asked: &Value) -> Result<Value, Error> {
    let secrets: Vec<String> = serde_json::from_value(asked["secrets"].clone()).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in asked["headers"].as_object().unwrap() {
        let value = HeaderValue::from_bytes(value.as_str().unwrap().as_bytes()).unwrap();
        headers.insert(HeaderName::try_from(name).unwrap(), value);
    }
    let (body, now) = (asked["body"].as_str().unwrap(), asked["now"].as_u64().unwrap());
    let event = Webhook::new(&secrets)?.verify_at(body.as_bytes(), &headers, now)?;
    Ok(json!({ "type": event.kind }))
}

fn failure(error: &Error) -> Value {
    match error {
        Error::InvalidToken(reason) => json!({ "error": "invalid_token", "reason": reason.as_str() }),
        Error::Unavailable(_) | Error::CredentialsRefused => json!({ "error": "unavailable" }),
        Error::Refused { .. } => json!({ "error": "refused" }),
        Error::CursorExpired => json!({ "error": "cursor_expired" }),
        Error::InvalidWebhook(_) => json!({ "error": "invalid_webhook" }),
        other => json!({ "error": other.to_string() }),
    }
}
