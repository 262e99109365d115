//! What the layer does to every request and answer.

use std::{net::SocketAddr, time::Duration};

use userd_web::{
    client_address::{Peer, TrustedProxies},
    testing::*,
};

use crate::{
    app::{app, app_with},
    gate::Gate,
};

/// AC-128: a redirect after a POST is a 303, so that the password is not posted again.
#[tokio::test]
async fn redirects_after_post_are_303() {
    let answer = ask(&app(), request("POST", "/v1/leave", &[], "")).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/v1/who"));
}

#[tokio::test]
async fn a_request_id_is_echoed_only_when_it_is_a_token() {
    let router = app();
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

/// F37: a handler panics; nobody else notices.
/// ASVS V16.5.4
#[tokio::test]
async fn a_panic_is_one_failed_request() {
    let router = app();
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
    let router = app_with(|options| options.request_deadline = Duration::from_millis(30));
    let answer = get(&router, "/v1/gates/deadline", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.slug().as_str()), (503, "deadline_exceeded"));
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(Gate::named("deadline").running.load(std::sync::atomic::Ordering::SeqCst), 0, "its handler has ended");
}

#[tokio::test]
async fn a_url_beyond_8_kib_is_refused() {
    let router = app();
    let answer = get(&router, &format!("/v1/things?cursor={}", "a".repeat(8192)), &[]).await;
    assert_eq!((answer.status.as_u16(), answer.slug().as_str()), (414, "uri_too_long"));
}

/// ASVS V4.1.3, V15.3.4
#[tokio::test]
async fn the_client_address_is_told_by_trusted_proxies_only() {
    let spoofing =
        [("x-forwarded-for", "1.1.1.1, 198.51.100.7"), ("x-real-ip", "2.2.2.2"), ("forwarded", "for=3.3.3.3")];
    let from = |peer: &str| {
        let mut request = request("GET", "/v1/who", &spoofing, "");
        request.extensions_mut().insert(Peer(peer.parse::<SocketAddr>().unwrap()));
        request
    };
    let direct = app();
    assert_eq!(ask(&direct, from("203.0.113.9:5")).await.text(), "203.0.113.9");
    let behind = app_with(|options| options.trusted_proxies = TrustedProxies::parse(&["10.0.0.0/8"]).unwrap());
    assert_eq!(ask(&behind, from("10.1.2.3:5")).await.text(), "198.51.100.7");
    assert_eq!(ask(&behind, from("[::ffff:10.1.2.3]:5")).await.text(), "198.51.100.7");
    assert_eq!(ask(&behind, from("203.0.113.9:5")).await.text(), "203.0.113.9");
    assert_eq!(ask(&direct, from("[2001:db8:1:2:3:4:5:6]:5")).await.text(), "2001:db8:1:2::/64");
}

/// AC-133: nothing that a caller chooses becomes a metric's label.
#[tokio::test]
async fn labels_come_from_fixed_sets() {
    let router = app();
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
