//! Queries, paths, cursors, preconditions and credentials.

use userd_web::testing::*;

use crate::app::app;

const ID: &str = "6f9619ff-8b86-4011-b42d-00c04fc964ff";

/// AC-105: malformed ids are refused as unknown ones are.
#[tokio::test]
async fn what_is_no_id_is_not_found() {
    let router = app();
    assert_eq!(get(&router, &format!("/v1/things/{ID}"), &[]).await.text(), ID);
    let simple = ID.replace('-', "");
    for bad in [
        "1",
        "me",
        "null",
        "%00",
        "%ff%fe",
        "..%2f..%2fetc",
        &simple,
        &format!("%7B{ID}%7D"),
        &format!("urn:uuid:{ID}"),
        &format!("{ID}x"),
    ] {
        assert_eq!(get(&router, &format!("/v1/things/{bad}"), &[]).await.slug(), "not_found", "{bad}");
    }
}

/// AC-113: page tokens are authenticated, limits are bounded, unknown parameters are refused.
#[tokio::test]
async fn lists_take_two_parameters_and_only_their_own_cursors() {
    let router = app();
    let first = get(&router, "/v1/things", &[]).await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = get(&router, &format!("/v1/things?limit=200&cursor={cursor}"), &[]).await.json();
    assert_eq!(second["first"], 50);
    for (query, slug) in [
        ("limit=0", "invalid_parameter"),
        ("limit=201", "invalid_parameter"),
        ("limit=-1", "invalid_parameter"),
        ("limit=1e2", "invalid_parameter"),
        ("limit=", "invalid_parameter"),
        ("limit=1&limit=2", "invalid_parameter"),
        ("lmit=1", "invalid_parameter"),
        ("sort=created_at;DROP%20TABLE%20users", "invalid_parameter"),
        ("limit=%ff", "invalid_parameter"),
        ("cursor=", "invalid_cursor"),
        ("cursor=NTA", "invalid_cursor"),
        (&format!("cursor={cursor}A"), "invalid_cursor"),
        ("cursor='%20OR%201=1--", "invalid_cursor"),
    ] {
        let answer = get(&router, &format!("/v1/things?{query}"), &[]).await;
        assert_eq!((answer.status.as_u16(), answer.slug().as_str()), (400, slug), "{query}");
    }
}

/// A parameter that is wrong is named, with what it should have been, and its value is not repeated.
#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let router = app();
    for (query, detail) in [
        ("limit=0", "expected a number from 1 to 200"),
        ("limit=abc", "expected a whole number"),
        ("limit=", "expected a whole number"),
        ("limit=70000", "expected a whole number"),
    ] {
        let answer = get(&router, &format!("/v1/things?{query}"), &[]).await;
        assert_eq!(answer.json()["errors"], serde_json::json!([{"pointer": "/limit", "detail": detail}]), "{query}");
    }
}

/// A proxy that compresses makes every tag weak. (fault 31)
#[tokio::test]
async fn a_weak_tag_is_its_strong_twin() {
    let router = app();
    for (tag, status) in [("W/\"7\"", 200), ("W/\"8\"", 412)] {
        let headers = [("content-type", "application/json"), ("if-match", tag)];
        let answer = ask(&router, request("PATCH", &format!("/v1/things/{ID}"), &headers, r#"{"name":"x"}"#)).await;
        assert_eq!(answer.status.as_u16(), status, "{tag}");
    }
}

#[tokio::test]
async fn if_match_is_a_version_in_quotes() {
    let router = app();
    let change = async |values: &[&str]| {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(values.iter().map(|value| ("if-match", *value)));
        ask(&router, request("PATCH", &format!("/v1/things/{ID}"), &headers, r#"{"name":"x"}"#)).await
    };
    for good in [&[][..], &["\"7\""], &["*"]] {
        assert_eq!(change(good).await.status, 200, "{good:?}");
    }
    assert_eq!(change(&["\"8\""]).await.slug(), "version_mismatch");
    for bad in [
        &["7"][..],
        &["W/7"],
        &["w/\"7\""],
        &["W/ \"7\""],
        &["W/W/\"7\""],
        &["W/*"],
        &["\"7\", \"8\""],
        &["\"\""],
        &["\"x\""],
        &["\"-7\""],
        &["\"99999999999999999999\""],
        &["\"7\"", "\"7\""],
    ] {
        assert_eq!(change(bad).await.slug(), "malformed_request", "{bad:?}");
    }
}

#[tokio::test]
async fn idempotency_keys_are_short_visible_and_single() {
    let router = app();
    let make = async |values: &[&str]| {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(values.iter().map(|value| ("idempotency-key", *value)));
        ask(&router, request("POST", "/v1/things", &headers, r#"{"name":"x"}"#)).await
    };
    let longest = "k".repeat(255);
    for good in [&[][..], &["a"], &[&longest]] {
        assert_eq!(make(good).await.status, 201, "{good:?}");
    }
    let too_long = "k".repeat(256);
    for bad in [&[""][..], &["two words"], &[&too_long], &["a", "a"]] {
        assert_eq!(make(bad).await.slug(), "malformed_request", "{bad:?}");
    }
}

/// ASVS V3.5.1
#[tokio::test]
async fn a_bearer_token_comes_in_one_header_and_nowhere_else() {
    let router = app();
    for good in ["Bearer a.b-c_d~e+f/g==", "bearer x", "BEARER  x"] {
        assert_eq!(get(&router, "/v1/bearer", &[("authorization", good)]).await.status, 200, "{good}");
    }
    for bad in ["Bearer", "Bearer ", "Bearer a b", "Bearer \"a\"", "Basic YTpi", "a.b.c", "Bearer=a"] {
        let answer = get(&router, "/v1/bearer", &[("authorization", bad)]).await;
        assert_eq!(answer.slug(), "not_signed_in", "{bad}");
        let is_token = bad.starts_with("Bearer");
        let challenge =
            if is_token { r#"Bearer realm="userd", error="invalid_token""# } else { r#"Bearer realm="userd""# };
        assert_eq!(answer.header("www-authenticate"), challenge, "{bad}");
    }
    // Whoever has shown nothing has shown nothing wrong (RFC 6750 section 3.1).
    let nothing = get(&router, "/v1/bearer", &[]).await;
    assert_eq!(
        (nothing.slug().as_str(), nothing.header("www-authenticate")),
        ("not_signed_in", r#"Bearer realm="userd""#)
    );
    assert_eq!(
        get(&router, "/v1/bearer?access_token=x", &[("cookie", "access_token=x")]).await.slug(),
        "not_signed_in"
    );
    let two = [("authorization", "Bearer a"), ("authorization", "Bearer b")];
    assert_eq!(get(&router, "/v1/bearer", &two).await.slug(), "malformed_request");
    let huge = format!("Bearer {}", "a".repeat(9000));
    assert_eq!(get(&router, "/v1/bearer", &[("authorization", &huge)]).await.slug(), "malformed_request");
}

#[tokio::test]
async fn client_credentials_are_decoded_as_oauth_says() {
    let router = app();
    // "my id" and "s%c:ret" in form encoding, then Basic.
    let answer = get(&router, "/v1/basic", &[("authorization", "Basic bXkraWQ6cyUyNWMlM0FyZXQ=")]).await;
    assert_eq!(answer.text(), "my id s%c:ret");
    for bad in ["Basic", "Basic !", "Basic YTo=", "Basic OmI=", "Basic YWI=", "Bearer x"] {
        let answer = get(&router, "/v1/basic", &[("authorization", bad)]).await;
        assert_eq!(answer.slug(), "invalid_client", "{bad}");
        assert!(answer.header("www-authenticate").starts_with("Basic "));
    }
}
