//! What every answer of the API has.

use std::sync::{Arc, Mutex};

use userd_http::{PartState, router::assemble};
use userd_web::{problem::table, testing::*};

use crate::app::*;

/// Every kind of answer: success, each family of error, pages, files.
const CRAWL: [(&str, &str, u16); 18] = [
    ("GET", "/", 200),
    ("GET", "/livez", 200),
    ("GET", "/readyz", 200),
    ("GET", "/version", 200),
    ("GET", "/metrics", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/docs", 200),
    ("GET", "/docs/swagger-ui.css", 200),
    ("GET", "/docs/..%2f..%2fetc%2fpasswd", 404),
    ("GET", "/problems/not_found", 200),
    ("GET", "/nowhere", 404),
    ("GET", "/v1/nowhere", 404),
    ("GET", "/v1/bearer", 401),
    ("GET", "/v1/things?limit=0", 400),
    ("POST", "/v1/things", 415),
    ("DELETE", "/v1/things", 405),
    ("GET", "/v1/panic", 500),
    ("OPTIONS", "/v1/things", 405),
];

/// AC-127: framing by another site is forbidden on every answer, pages and errors included.
/// ASVS V3.4.3, V3.4.4, V3.4.5, V3.4.6, V3.4.8, V3.2.1, V4.1.1, V1.3.2, V13.4.6
#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let router = app();
    for (method, path, status) in CRAWL {
        let answer = ask(&router, request(method, path, &[], "")).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        let policy = answer.header("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{path}: {policy}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        assert!(!answer.header("content-type").is_empty(), "{path}");
        assert!(!answer.header("cache-control").is_empty(), "{path}");
        assert!(!answer.headers.contains_key("strict-transport-security"), "{path}: plain HTTP");
        assert!(!answer.headers.contains_key("server") && !answer.headers.contains_key("x-powered-by"), "{path}");
        if status >= 400 {
            let _ = answer.slug();
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        }
    }
}

/// ASVS V3.4.1
#[tokio::test]
async fn https_promises_to_stay_https() {
    let router = app_with(|options| options.public_url = "https://users.example.org".parse().unwrap());
    for (method, path, _) in CRAWL {
        let answer = ask(&router, request(method, path, &[], "")).await;
        assert_eq!(answer.header("strict-transport-security"), "max-age=63072000; includeSubDomains", "{path}");
    }
}

/// ASVS V4.1.4, V13.4.4
#[tokio::test]
async fn other_methods_are_refused_with_the_allowed_ones() {
    let router = app();
    let routes =
        [("/livez", "GET,HEAD"), ("/v1/things", "GET,HEAD,POST"), ("/v1/leave", "POST"), ("/oauth2/form", "POST")];
    for (path, allowed) in routes {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"] {
            let answer = ask(&router, request(method, path, &[], "")).await;
            if allowed.split(',').any(|name| name == method) {
                assert_ne!(answer.status, 405, "{method} {path}");
            } else {
                assert_eq!(answer.status, 405, "{method} {path}");
                assert_eq!(answer.header("allow"), allowed, "{method} {path}");
            }
        }
    }
    let head = ask(&router, request("HEAD", "/livez", &[], "")).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
}

#[tokio::test]
async fn readiness_names_the_parts() {
    let ready = get(&app(), "/readyz", &[]).await;
    assert_eq!(ready.json(), serde_json::json!({"status": "ready", "parts": {"database": "ok", "cache": "degraded"}}));

    let mut api = api_with(|_| {});
    api.readiness = Arc::new(FixedReadiness(Mutex::new(vec![("database", PartState::Down)])));
    let draining = api.draining.clone();
    let router = assemble(Arc::new(api), app_routes(), &app_table()).unwrap();
    let answer = get(&router, "/readyz", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.json()["status"].as_str()), (503, Some("not_ready")));
    draining.start();
    let answer = get(&router, "/readyz", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.json()["status"].as_str()), (503, Some("draining")));
    assert_eq!(get(&router, "/livez", &[]).await.status, 200, "draining is no reason to be killed");
}

/// AC-116: markup in a path, parameter, header or field name comes back as data or not at all.
/// ASVS V1.2.1, V1.2.3
#[tokio::test]
async fn nothing_reflected_is_active() {
    let router = app();
    let attack = "<script>alert(1)</script>";
    let escaped = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    let mut answers = vec![post_json(&router, "/v1/things", format!(r#"{{"{attack}":1}}"#)).await];
    for path in [
        format!("/{escaped}"),
        format!("/docs/{escaped}"),
        format!("/problems/{escaped}"),
        format!("/v1/things?{escaped}={escaped}"),
        format!("/v1/things/{escaped}"),
    ] {
        let headers = [("x-request-id", attack), ("accept-language", attack), ("origin", attack), ("referer", attack)];
        answers.push(get(&router, &path, &headers).await);
    }
    for answer in answers {
        assert!(answer.status.is_client_error());
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
        let in_headers = answer.headers.values().any(|value| value.to_str().unwrap().contains("<script"));
        assert!(!in_headers && !answer.text().contains("</script>"), "{}", answer.text());
    }
}

/// No folder is listed, no file beside the documented ones is served, and a name put behind a private path is nothing
/// that a cache might keep.
/// ASVS V13.4.3, V13.4.7, V14.2.5
#[tokio::test]
async fn what_was_never_published_is_not_found_and_not_kept() {
    let router = app();
    for path in [
        "/docs/",
        "/pages/",
        "/problems/",
        "/v1/",
        "/v1/auth/",
        "/.git/config",
        "/.env",
        "/config.yaml",
        "/data/userd.db",
        "/data/master.key",
        "/docs/.htaccess",
        "/docs/swagger-ui.css.bak",
        "/docs/..%2fconfig.yaml",
        "/v1/me/avatar.css",
        "/v1/me/a.js",
        "/v1/me%2fa.css",
        "/v1/me;a.css",
    ] {
        let answer = get(&router, path, &[]).await;
        assert!([401, 404].contains(&answer.status.as_u16()), "{path}: {}", answer.status);
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    }
}

/// ASVS V3.5.6
#[tokio::test]
async fn there_is_no_jsonp() {
    let router = app();
    for path in ["/version?callback=steal", "/version?jsonp=steal", "/openapi.json?callback=steal"] {
        let answer = get(&router, path, &[]).await;
        assert_eq!(answer.header("content-type"), "application/json");
        assert!(!answer.text().contains("steal") && answer.text().starts_with('{'), "{path}");
    }
}

/// ASVS V3.5.7
#[tokio::test]
async fn scripts_are_the_same_for_everybody() {
    let router = app();
    for file in ["/docs/start.js", "/docs/swagger-ui-bundle.js"] {
        let stranger = get(&router, file, &[]).await;
        let known = get(&router, file, &[("authorization", "Bearer abc"), ("cookie", "session=abc")]).await;
        assert!(stranger.status == 200 && stranger.body == known.body, "{file}");
    }
}

#[tokio::test]
async fn each_problem_explains_itself_at_its_own_address() {
    let router = app();
    for row in table::ALL {
        let answer = get(&router, &format!("/problems/{}", row.slug), &[]).await;
        assert_eq!((answer.status.as_u16(), answer.json()["status"].as_u64()), (200, Some(row.status.into())));
    }
    assert_eq!(get(&router, "/problems/none", &[]).await.slug(), "not_found");
}
