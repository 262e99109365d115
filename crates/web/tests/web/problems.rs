//! Problems: one table, two languages, two families.

use std::time::Duration;

use axum::response::IntoResponse;
use userd_model::{InvalidField, Refusal};
use userd_web::{
    problem::{Language, Problem, document::problems_markdown, table},
    testing::*,
};

use crate::app::app;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/problems.md");

#[test]
fn the_page_of_problems_is_the_table() {
    let current = problems_markdown();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(std::path::Path::new(PAGE).parent().unwrap()).unwrap();
        std::fs::write(PAGE, &current).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert_eq!(written, current, "run UPDATE=1 cargo test -p userd-web");
}

#[test]
fn slugs_are_unique_and_titles_exist_in_both_languages() {
    for (at, row) in table::ALL.iter().enumerate() {
        assert!(table::ALL[..at].iter().all(|other| other.slug != row.slug), "{}", row.slug);
        assert!(row.slug.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", row.slug);
        assert!(row.title.is_ascii() && !row.advice.is_empty(), "{}", row.slug);
        assert!(row.title_ru.chars().any(|c| ('а'..='я').contains(&c)), "{}", row.slug);
        assert!((400..=503).contains(&row.status), "{}", row.slug);
        assert_eq!(table::find(row.slug), Some(*row));
    }
}

/// Pages show these to people: a member of the answer, or an address of the API, says nothing to them.
#[test]
fn what_a_person_meets_in_a_form_does_not_speak_of_the_answer() {
    for row in [
        &table::NOT_REQUESTABLE,
        &table::REQUEST_CLOSED,
        &table::REQUEST_OPEN,
        &table::NO_APPROVER,
        &table::OWN_REQUEST,
        &table::NOTHING_TO_CHANGE,
        &table::NAME_TAKEN,
        &table::IN_USE,
        &table::BUILT_IN,
        &table::LEGAL_HOLD,
        &table::NOT_DELETED,
    ] {
        for advice in [row.advice, row.advice_ru] {
            assert!(!advice.contains("/v1/") && !advice.contains("`detail`"), "{}: {advice}", row.slug);
        }
    }
}

/// A database without its tables, a damaged one and a dead disk are times to come back, not faults of ours (fault 21).
#[test]
fn a_database_that_cannot_serve_is_a_503_with_a_time_to_come_back() {
    use userd_services::{Failure, StoreError};
    for fault in [
        StoreError::NoSchema("users.by_id: no such table".to_owned()),
        StoreError::Unusable("damaged".to_owned()),
        StoreError::Unavailable("input/output error".to_owned()),
        StoreError::OutcomeUnknown("input/output error".to_owned()),
        StoreError::Conflict,
    ] {
        let answer = Problem::from(Failure::Store(fault.clone())).into_response();
        assert_eq!(answer.status(), 503, "{fault}");
        assert!(answer.headers().contains_key("retry-after"), "{fault}");
    }
    assert_eq!(Problem::from(Failure::Store(StoreError::corrupt("a bug"))).into_response().status(), 500);
}

#[test]
fn refusals_have_the_statuses_of_the_contract() {
    let field = || vec![InvalidField::new("/password", "too short")];
    let wait = Duration::from_millis(1500);
    let expected = [
        (Refusal::InvalidInput(field()), 422),
        (Refusal::Malformed("why"), 400),
        (Refusal::NotSignedIn, 401),
        (Refusal::ForAnotherService { wanted: "userd".to_owned() }, 401),
        (Refusal::WrongCredentials, 401),
        (Refusal::WrongCurrentPassword, 403),
        (Refusal::InvalidRefreshToken, 401),
        (Refusal::InvalidCode, 422),
        (Refusal::Forbidden, 403),
        (Refusal::Blocked, 403),
        (Refusal::NotFound, 404),
        (Refusal::EmailTaken, 409),
        (Refusal::VersionMismatch, 412),
        (Refusal::IdempotencyMismatch, 422),
        (Refusal::ReplayRefused, 409),
        (Refusal::SignInNotAllowed("provider_disabled"), 403),
        (Refusal::SecretAlreadyShown, 409),
        (Refusal::TooManyAttempts(wait), 429),
        (Refusal::Busy(wait), 503),
        (Refusal::InvalidClient, 401),
        (Refusal::CursorExpired, 410),
        (Refusal::InvalidTarget, 422),
    ];
    for (refusal, status) in expected {
        let response = Problem::from(refusal.clone()).into_response();
        assert_eq!(response.status(), status, "{refusal:?}");
        assert_eq!(response.headers().contains_key("retry-after"), matches!(status, 429 | 503), "{refusal:?}");
        assert_eq!(response.headers().contains_key("www-authenticate"), status == 401, "{refusal:?}");
    }
    let response = Problem::from(Refusal::Busy(wait)).into_response();
    assert_eq!(response.headers()["retry-after"], "2", "rounded up to whole seconds");
    let json = Problem::from(Refusal::InvalidInput(field())).to_json(Language::English, "r-1");
    assert_eq!(
        json,
        serde_json::json!({"type": "/problems/invalid_input", "title": "The input is not accepted", "status": 422,
            "instance": "r-1", "errors": [{"pointer": "/password", "detail": "too short"}]})
    );
}

#[tokio::test]
async fn titles_are_russian_for_those_who_prefer_it() {
    let router = app();
    for (wanted, language) in [
        ("ru", "ru"),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("en-GB,ru;q=0.5", "en"),
        ("de", "en"),
        ("", "en"),
        ("ru;q=0", "en"),
        ("ru;q=banana, en;q=0.1", "ru"),
    ] {
        let answer = get(&router, "/nowhere", &[("accept-language", wanted)]).await;
        assert_eq!(answer.header("content-language"), language, "{wanted}");
        assert_eq!(answer.json()["title"] == "Не найдено", language == "ru", "{wanted}");
    }
}

#[tokio::test]
async fn errors_on_oauth_paths_speak_oauth() {
    let router = app();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for (body, status, code) in [
        ("grant_type=password", 400, "unsupported_grant_type"),
        ("grant_type=refresh_token", 400, "invalid_grant"),
        ("grant_type=forgotten", 401, "invalid_client"),
        ("scope=x", 400, "invalid_request"),
        ("grant_type=", 400, "invalid_request"),
        ("grant_type=a&grant_type=b", 400, "invalid_request"),
        ("grant_type=%ff", 400, "invalid_request"),
        ("grant_type=password&resource=a&resource=b", 400, "invalid_target"),
    ] {
        let answer = ask(&router, request("POST", "/oauth2/form", &form, body)).await;
        assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (status, Some(code)), "{body}");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("www-authenticate").starts_with("Basic "), status == 401);
        assert_eq!(answer.header("www-authenticate").is_empty(), status != 401, "{body}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let answer =
        ask(&router, request("POST", "/oauth2/form", &form, "grant_type=client_credentials&scope=&other=1")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.text().as_str()),
        (200, ""),
        "empty counts as absent, unknown is ignored"
    );
    for (method, path, status) in
        [("GET", "/oauth2/form", 405), ("HEAD", "/oauth2/form", 405), ("GET", "/oauth2/authorize", 404)]
    {
        assert_eq!(ask(&router, request(method, path, &[], "")).await.status.as_u16(), status, "{method} {path}");
    }
    let json = [("content-type", "application/json")];
    let answer = ask(&router, request("POST", "/oauth2/form", &json, r#"{"grant_type":"password"}"#)).await;
    assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (415, Some("invalid_request")));
}
