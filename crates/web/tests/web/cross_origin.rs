//! Other sites: which origins may call, and what browsers are told.

use axum::Router;
use userd_web::{cors::Cors, testing::*};

use crate::app::{WITH_COOKIES, app, app_with};

const OURS: &str = "https://app.example.org";

fn app_for(origins: &[&str]) -> Router {
    app_with(|options| options.cors = Cors::parse(origins).unwrap())
}

fn hostile() -> Vec<String> {
    let mut origins: Vec<String> = [
        "null",
        "*",
        "",
        " ",
        "https://app.example.org.evil.com",
        "https://evilapp.example.org",
        "https://app.example.org:443",
        "https://app.example.org:8443",
        "http://app.example.org",
        "https://APP.example.org",
        "HTTPS://app.example.org",
        "https://app.example.org/",
        "https://app.example.org/x",
        "https://app.example.org?",
        "https://app.example.org#",
        "https://user@app.example.org",
        "https://app.example.org@evil.com",
        "https://app.example.org%2eevil.com",
        "https://app.example.org.",
        "https://.app.example.org",
        "https://xapp.example.org",
        "https://example.org",
        "https://a.app.example.org",
        "https://app-example.org",
        "https://appxexample.org",
        "https://app.example.or",
        "https://app.example.orgg",
        "https://app.example.org evil.com",
        "https://evil.com https://app.example.org",
        "https://app.example.org, https://evil.com",
        "https://app.example.org,https://app.example.org",
        "app.example.org",
        "//app.example.org",
        "file://",
        "file:///etc/passwd",
        "data:text/html,x",
        "chrome-extension://abc",
        "moz-extension://abc",
        "ftp://app.example.org",
        "ws://app.example.org",
        "wss://app.example.org",
        "https://127.0.0.1",
        "http://localhost",
        "http://localhost:8080",
        "http://127.0.0.1:8080",
        "https://[::1]",
        "https://app.example.org\u{7f}",
        "javascript:alert(1)",
        "https://evil.com",
        "https://evil.com/https://app.example.org",
    ]
    .map(str::to_owned)
    .to_vec();
    origins.retain(|origin| http::HeaderValue::from_str(origin).is_ok());
    origins
}

/// AC-126: an Origin that is not configured is never reflected, with or without credentials.
/// ASVS V3.4.2
#[tokio::test]
async fn strangers_get_no_allowance() {
    let hostile = hostile();
    assert!(hostile.len() >= 48);
    for router in [app_for(&[OURS]), app()] {
        for origin in &hostile {
            for path in ["/livez", "/v1/who", "/nowhere", "/oauth2/form", WITH_COOKIES] {
                let plain = get(&router, path, &[("origin", origin), ("cookie", "a=b")]).await;
                let asked = [("origin", origin.as_str()), ("access-control-request-method", "POST")];
                let preflight = ask(&router, request("OPTIONS", path, &asked, "")).await;
                for answer in [plain, preflight] {
                    let allowed =
                        answer.headers.keys().filter(|name| name.as_str().starts_with("access-control-")).count();
                    assert_eq!(allowed, 0, "{origin} on {path}");
                }
            }
        }
    }
}

/// ASVS V3.4.2
#[tokio::test]
async fn a_configured_origin_may_call_without_cookies() {
    let router = app_for(&[OURS, "http://localhost:5173"]);
    let answer = get(&router, "/v1/who", &[("origin", OURS)]).await;
    assert_eq!(answer.header("access-control-allow-origin"), OURS);
    assert_eq!(answer.header("vary"), "origin");
    assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    let asked = [
        ("origin", OURS),
        ("access-control-request-method", "PATCH"),
        ("access-control-request-headers", "authorization"),
    ];
    let preflight = ask(&router, request("OPTIONS", "/v1/things", &asked, "")).await;
    assert_eq!(preflight.status, 204);
    assert!(preflight.header("access-control-allow-headers").contains("authorization"));
    assert!(preflight.header("access-control-allow-methods").contains("PATCH"));
    let problem = get(&router, "/nowhere", &[("origin", OURS)]).await;
    assert_eq!(problem.header("access-control-allow-origin"), OURS, "a page may read errors too");
}

#[test]
fn only_exact_origins_are_configured() {
    for bad in hostile().iter().filter(|o| *o != "https://evil.com") {
        let known_good = ["https://app.example.org:8443", "http://app.example.org", "https://evilapp.example.org"];
        if Cors::parse(&[bad]).is_ok() {
            let url = url_of(bad);
            assert!(known_good.contains(&bad.as_str()) || url == *bad, "{bad}");
        }
    }
    for bad in ["*", "null", "https://app.example.org/", "https://app.example.org:443", "app.example.org", ""] {
        assert!(Cors::parse(&[bad]).is_err(), "{bad}");
    }
}

fn url_of(text: &str) -> String {
    text.parse::<http::Uri>()
        .map(|uri| format!("{}://{}", uri.scheme_str().unwrap_or(""), uri.authority().unwrap()))
        .unwrap_or_default()
}

/// ASVS V3.5.8
#[tokio::test]
async fn data_is_not_embeddable_from_other_sites() {
    let router = app_for(&[OURS]);
    let embedded = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
    assert_eq!(get(&router, "/v1/who", &embedded).await.slug(), "cross_site");
    for allowed in [
        [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
        [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")],
        [("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "no-cors")],
    ] {
        assert_eq!(get(&router, "/v1/who", &allowed).await.status, 200, "{allowed:?}");
    }
}
