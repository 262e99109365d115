//! Bodies: what is taken, and what is refused with a pointer to the wrong place.

use axum::body::Body;
use futures_util::stream;

use userd_web::testing::*;

use crate::app::app;

/// AC-130: JSON sent as text/plain, as a form, without a type, or with a method override in a header.
/// ASVS V3.5.2
#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let router = app();
    let body = r#"{"name":"x"}"#;
    for media_type in [
        "text/plain",
        "text/plain;charset=application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/problem+json",
        "text/json",
        "",
    ] {
        let answer = ask(&router, request("POST", "/v1/things", &[("content-type", media_type)], body)).await;
        assert_eq!((answer.status.as_u16(), answer.slug().as_str()), (415, "unsupported_media_type"), "{media_type}");
    }
    let untyped = ask(&router, request("POST", "/v1/things", &[], body)).await;
    assert_eq!(untyped.slug(), "unsupported_media_type");
    let twice = [("content-type", "application/json"), ("content-type", "text/plain")];
    assert_eq!(ask(&router, request("POST", "/v1/things", &twice, body)).await.slug(), "unsupported_media_type");
    for good in [
        "application/json",
        "Application/JSON",
        "application/json; charset=UTF-8",
        "application/json;charset=\"utf-8\"",
    ] {
        let answer = ask(&router, request("POST", "/v1/things", &[("content-type", good)], body)).await;
        assert_eq!(answer.status, 201, "{good}");
    }
    for header in ["x-http-method-override", "x-method-override", "x-http-method"] {
        let answer = ask(&router, request("GET", "/v1/things?limit=1", &[(header, "POST")], "")).await;
        assert_eq!(answer.status, 200, "{header} changes nothing");
    }
}

#[tokio::test]
async fn a_compressed_body_is_refused() {
    let router = app();
    for encoding in ["gzip", "br", "deflate", "x-unknown"] {
        let headers = [("content-type", "application/json"), ("content-encoding", encoding)];
        let answer = ask(&router, request("POST", "/v1/things", &headers, &b"\x1f\x8b\x08"[..])).await;
        assert_eq!(answer.slug(), "unsupported_media_type", "{encoding}");
    }
    let answer = post_json(&router, "/v1/things", &b"\x1f\x8b\x08\x00"[..]).await;
    assert_eq!(answer.slug(), "malformed_json");
}

/// AC-114: a body beyond the bound, announced or streamed without end, is not read further.
/// F27: a body without end is not read.
#[tokio::test]
async fn a_body_beyond_64_kib_is_refused() {
    let router = app();
    let fits = format!(r#"{{"name":"{}"}}"#, "x".repeat(64 * 1024 - 11));
    assert_eq!(fits.len(), 64 * 1024);
    assert_eq!(post_json(&router, "/v1/things", fits.clone()).await.status, 201);
    assert_eq!(post_json(&router, "/v1/things", fits + " ").await.slug(), "payload_too_large");
    let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 4096]));
    assert_eq!(post_json(&router, "/v1/things", Body::from_stream(endless)).await.slug(), "payload_too_large");
}

/// AC-125: duplicate keys, lone surrogates, 1e999, depth 10^5, through the whole stack.
/// F27: deep, wide and endless JSON.
#[tokio::test]
async fn hostile_json_is_refused_with_400() {
    let router = app();
    let deep = |open: &str| format!(r#"{{"name":"x","attributes":{{"a":{}"#, open.repeat(60_000 / open.len()));
    for (body, slug) in [
        (r#"{"name":"a","name":"b"}"#.to_owned(), "duplicate_member"),
        (r#"{"name":"a","attributes":{"k":{"x":1,"x":1}}}"#.to_owned(), "duplicate_member"),
        (r#"{"name":"\ud800"}"#.to_owned(), "malformed_json"),
        (r#"{"name":"a","attributes":{"n":1e999}}"#.to_owned(), "malformed_json"),
        (format!(r#"{{"name":"a","attributes":{{"n":{}}}}}"#, "7".repeat(60_000)), "malformed_json"),
        (deep("["), "malformed_json"),
        (deep(r#"{"a":"#), "malformed_json"),
        (r#"{"name":"a","admin":true}"#.to_owned(), "unknown_field"),
        (r#"{"name":7}"#.to_owned(), "wrong_type"),
        (r#"{}"#.to_owned(), "missing_field"),
        (String::new(), "malformed_json"),
    ] {
        let answer = post_json(&router, "/v1/things", body.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.slug().as_str()), (400, slug), "{:.60}", body);
    }
    let answer = post_json(&router, "/v1/things", r#"{"name":"a","admin":true}"#).await;
    assert_eq!(answer.json()["errors"][0]["pointer"], "/admin");
}

/// AC-115: random bytes in body, path, query and headers never lead to a 500.
#[tokio::test]
async fn noise_is_never_an_internal_error() {
    let router = app();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..2_000 {
        let noise: Vec<u8> = (0..next() % 64).map(|_| (next() % 256) as u8).collect();
        let escaped: String = noise.iter().map(|byte| format!("%{byte:02X}")).collect();
        let mut answers = vec![post_json(&router, "/v1/things", noise.clone()).await];
        for path in [
            format!("/v1/things/{escaped}"),
            format!("/v1/things?limit={escaped}"),
            format!("/v1/things?cursor={escaped}&{escaped}"),
        ] {
            answers.push(get(&router, &path, &[]).await);
        }
        if let Ok(value) = http::HeaderValue::from_bytes(&noise) {
            for (name, path) in [
                ("authorization", "/v1/bearer"),
                ("authorization", "/v1/basic"),
                ("x-request-id", "/livez"),
                ("accept-language", "/none"),
                ("traceparent", "/livez"),
                ("origin", "/livez"),
                ("x-forwarded-for", "/v1/who"),
            ] {
                let mut request = request("GET", path, &[], "");
                request.headers_mut().insert(name, value.clone());
                answers.push(ask(&router, request).await);
            }
        }
        for answer in answers {
            assert!(answer.status.as_u16() < 500, "round {round}: {} {}", answer.status, answer.text());
        }
    }
}
