//! What every answer has: ids, headers, languages, counts.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use userd_http::{
    PartState,
    client_address::{Peer, TrustedProxies},
    router::assemble,
};

use crate::stage::*;

/// Every kind of answer: success, each family of error, pages, files.
const CRAWL: [(&str, &str, u16); 17] = [
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
/// ASVS V3.4.3, V3.4.4, V3.4.5, V3.4.6, V3.4.8, V3.2.1, V4.1.1
#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let router = stage();
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
    let router = stage_with(|options| options.public_url = "https://users.example.org".parse().unwrap());
    for (method, path, _) in CRAWL {
        let answer = ask(&router, request(method, path, &[], "")).await;
        assert_eq!(answer.header("strict-transport-security"), "max-age=63072000; includeSubDomains", "{path}");
    }
}

/// ASVS V4.1.4
#[tokio::test]
async fn other_methods_are_refused_with_the_allowed_ones() {
    let router = stage();
    let routes =
        [("/livez", "GET,HEAD"), ("/v1/things", "GET,HEAD,POST"), ("/v1/leave", "POST"), ("/oauth2/rehearsal", "POST")];
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

/// AC-128: a redirect after a POST is a 303, so that the password is not posted again.
#[tokio::test]
async fn redirects_after_post_are_303() {
    let answer = ask(&stage(), request("POST", "/v1/leave", &[], "")).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/v1/who"));
}

#[tokio::test]
async fn a_request_id_is_echoed_only_when_it_is_a_token() {
    let router = stage();
    let longest = "a".repeat(64);
    for good in ["abc-123", "0af7651916cd43dd8448eb211c80319c", "trace:1/2", &longest] {
        assert_eq!(get(&router, "/livez", &[("x-request-id", good)]).await.header("x-request-id"), good);
    }
    let too_long = "a".repeat(65);
    for bad in ["", "two words", "a\tb", "a,b", "\"quoted\"", "<script>", "${jndi:ldap}", "{}", &too_long] {
        let answer = get(&router, "/livez", &[("x-request-id", bad)]).await;
        assert!(uuid::Uuid::try_parse(answer.header("x-request-id")).is_ok(), "{bad}");
    }
    let twice = get(&router, "/livez", &[("x-request-id", "a"), ("x-request-id", "b")]).await;
    assert!(uuid::Uuid::try_parse(twice.header("x-request-id")).is_ok());
    let (one, two) = (get(&router, "/livez", &[]).await, get(&router, "/livez", &[]).await);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}

#[tokio::test]
async fn a_panic_is_one_failed_request() {
    let router = stage();
    for _ in 0..3 {
        let answer = get(&router, "/v1/panic", &[]).await;
        assert_eq!((answer.status.as_u16(), answer.slug().as_str()), (500, "internal"));
        assert!(!answer.text().contains("hunter2"), "{}", answer.text());
        assert_eq!(get(&router, "/livez", &[]).await.status, 200);
    }
    let metrics = get(&router, "/metrics", &[]).await.text();
    let count = |line: &str| metrics.lines().find_map(|l| l.strip_prefix(line)?.trim().parse::<u64>().ok());
    assert!(count(r#"userd_http_panics_total{route="/v1/panic"}"#).unwrap() >= 3, "{metrics}");
    assert!(
        count(r#"userd_http_requests_total{route="/v1/panic",method="GET",status="500"}"#).unwrap() >= 3,
        "{metrics}"
    );
}

#[tokio::test]
async fn a_request_beyond_its_deadline_is_given_up() {
    let router = stage_with(|options| options.request_deadline = Duration::from_millis(30));
    let answer = get(&router, "/v1/gates/deadline", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.slug().as_str()), (503, "deadline_exceeded"));
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(Gate::named("deadline").running.load(std::sync::atomic::Ordering::SeqCst), 0, "its handler has ended");
}

#[tokio::test]
async fn a_url_beyond_8_kib_is_refused() {
    let router = stage();
    let answer = get(&router, &format!("/v1/things?cursor={}", "a".repeat(8192)), &[]).await;
    assert_eq!((answer.status.as_u16(), answer.slug().as_str()), (414, "uri_too_long"));
}

/// ASVS V4.1.3
#[tokio::test]
async fn the_client_address_is_told_by_trusted_proxies_only() {
    let spoofing =
        [("x-forwarded-for", "1.1.1.1, 198.51.100.7"), ("x-real-ip", "2.2.2.2"), ("forwarded", "for=3.3.3.3")];
    let from = |peer: &str| {
        let mut request = request("GET", "/v1/who", &spoofing, "");
        request.extensions_mut().insert(Peer(peer.parse::<SocketAddr>().unwrap()));
        request
    };
    let direct = stage();
    assert_eq!(ask(&direct, from("203.0.113.9:5")).await.text(), "203.0.113.9");
    let behind = stage_with(|options| options.trusted_proxies = TrustedProxies::parse(&["10.0.0.0/8"]).unwrap());
    assert_eq!(ask(&behind, from("10.1.2.3:5")).await.text(), "198.51.100.7");
    assert_eq!(ask(&behind, from("[::ffff:10.1.2.3]:5")).await.text(), "198.51.100.7");
    assert_eq!(ask(&behind, from("203.0.113.9:5")).await.text(), "203.0.113.9");
    assert_eq!(ask(&direct, from("[2001:db8:1:2:3:4:5:6]:5")).await.text(), "2001:db8:1:2::/64");
}

/// AC-133: nothing that a caller chooses becomes a metric's label.
#[tokio::test]
async fn labels_come_from_fixed_sets() {
    let router = stage();
    for number in 0..50 {
        let canary = format!("canary{number}");
        get(&router, &format!("/v1/{canary}"), &[("x-request-id", &canary)]).await;
        get(&router, &format!("/v1/things/{canary}?{canary}={canary}"), &[("authorization", &canary)]).await;
        ask(&router, request(&canary.to_uppercase(), "/v1/things", &[], "")).await;
    }
    let metrics = get(&router, "/metrics", &[]).await.text();
    assert!(!metrics.to_lowercase().contains("canary"), "{metrics}");
    assert!(metrics.contains(r#"route="unmatched",method="GET",status="404""#), "{metrics}");
    assert!(metrics.contains(r#"route="/v1/things",method="OTHER",status="405""#), "{metrics}");
    assert!(
        metrics.contains(r#"userd_http_request_seconds_bucket{route="/v1/things/{id}",method="GET",le="0.005"}"#),
        "{metrics}"
    );
}

#[tokio::test]
async fn readiness_names_the_parts() {
    let ready = get(&stage(), "/readyz", &[]).await;
    assert_eq!(ready.json(), serde_json::json!({"status": "ready", "parts": {"database": "ok", "cache": "degraded"}}));

    let mut api = api_with(|_| {});
    api.readiness = Arc::new(Parts(Mutex::new(vec![("database", PartState::Down)])));
    let draining = api.draining.clone();
    let router = assemble(Arc::new(api), stage_routes(), &stage_table()).unwrap();
    let answer = get(&router, "/readyz", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.json()["status"].as_str()), (503, Some("not_ready")));
    draining.start();
    let answer = get(&router, "/readyz", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.json()["status"].as_str()), (503, Some("draining")));
    assert_eq!(get(&router, "/livez", &[]).await.status, 200, "draining is no reason to be killed");
}

/// AC-116: markup in a path, parameter, header or field name comes back as data or not at all.
#[tokio::test]
async fn nothing_reflected_is_active() {
    let router = stage();
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

/// ASVS V3.5.6
#[tokio::test]
async fn there_is_no_jsonp() {
    let router = stage();
    for path in ["/version?callback=steal", "/version?jsonp=steal", "/openapi.json?callback=steal"] {
        let answer = get(&router, path, &[]).await;
        assert_eq!(answer.header("content-type"), "application/json");
        assert!(!answer.text().contains("steal") && answer.text().starts_with('{'), "{path}");
    }
}

/// ASVS V3.5.7
#[tokio::test]
async fn scripts_are_the_same_for_everybody() {
    let router = stage();
    for file in ["/docs/start.js", "/docs/swagger-ui-bundle.js"] {
        let stranger = get(&router, file, &[]).await;
        let known = get(&router, file, &[("authorization", "Bearer abc"), ("cookie", "session=abc")]).await;
        assert!(stranger.status == 200 && stranger.body == known.body, "{file}");
    }
}
