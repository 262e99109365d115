//! What people read: errors as pages, words for every slug, in English and in Russian.

use std::sync::Arc;

use axum::Router;
use serde_json::json;
use userd_services::testing::TestOptions;
use userd_web::{problem::Words, testing::*};

use crate::app::*;

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
const RUSSIAN: (&str, &str) = ("accept-language", "ru-RU,ru;q=0.9,en;q=0.8");

fn is_russian(text: &str) -> bool {
    text.chars().any(|c| ('а'..='я').contains(&c))
}

/// A page: its heading, and nothing in it that could run.
fn heading(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    let text = answer.text();
    assert!(!text.contains("<script") && text.starts_with("<!doctype html>"), "{text}");
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'; style-src 'self';"));
    text.split("<h1>").nth(1).unwrap().split("</h1>").next().unwrap().to_owned()
}

async fn router() -> Router {
    let providers: Vec<Arc<dyn userd_providers::Provider>> = vec![TestProvider::named("yandex", false)];
    app_over(test_services(TestOptions { providers, ..TestOptions::default() }).await)
}

/// Whoever follows a link of an application with a mistake in it sees a page, and the page says what is wrong.
/// Programs get JSON as before. (fault 29)
#[tokio::test]
async fn a_browser_that_is_refused_sees_a_page_and_a_program_json() {
    let router = router().await;
    for (path, status, slug, title) in [
        ("/v1/auth/yandex/start?return_to=https://evil.example/", 422, "invalid_input", "The input is not accepted"),
        ("/v1/auth/nobody/start", 404, "no_such_provider", "No such provider"),
        ("/v1/auth/yandex/start?retrun_to=x", 400, "invalid_parameter", "A query parameter is not valid"),
        ("/v1/me", 401, "not_signed_in", "Not signed in"),
        ("/nowhere", 404, "not_found", "Not found"),
    ] {
        let page = get(&router, path, &[BROWSER]).await;
        assert_eq!((page.status.as_u16(), heading(&page).as_str()), (status, title), "{path}");
        assert!(page.text().contains(page.header("x-request-id")), "{path}: who asks for help can name the request");
        let page = get(&router, path, &[BROWSER, RUSSIAN]).await;
        assert!(is_russian(&heading(&page)) && page.text().contains("<html lang=\"ru\">"), "{path}");
        for accept in
            ["*/*", "application/json", "application/json, text/html", "text/html;q=0.5, application/json", ""]
        {
            let answer = get(&router, path, &[("accept", accept)]).await;
            assert_eq!((answer.status.as_u16(), answer.slug().as_str()), (status, slug), "{path} {accept}");
        }
    }
    let page = get(&router, "/v1/auth/yandex/start?return_to=https://evil.example/", &[BROWSER]).await;
    assert!(
        page.text().contains("href=\"../../../pages/page.css\"") && page.text().contains("<code>/return_to</code>")
    );
    assert!(!page.text().contains("evil.example"), "{}", page.text());
    let page = get(&router, "/v1/auth/yandex/start?%3Cscript%3Ealert(1)%3C/script%3E=1", &[BROWSER]).await;
    assert!(heading(&page).starts_with("A query") && page.text().contains("&lt;script&gt;"), "{}", page.text());
    let form = [BROWSER, ("content-type", "application/x-www-form-urlencoded")];
    let oauth = ask(&router, request("POST", "/oauth2/token", &form, "grant_type=password")).await;
    assert_eq!(oauth.json()["error"], "unsupported_grant_type", "OAuth knows no pages");
}

/// Every word that a problem or a landing browser shows can be looked up (fault 29).
#[tokio::test]
async fn every_word_is_explained_at_its_own_address_in_both_languages() {
    let router = app();
    let mut seen = std::collections::BTreeSet::new();
    for words in Words::all() {
        let Words { slug, status, title, title_ru, advice, advice_ru } = words;
        assert!(seen.insert(slug), "{slug} twice");
        assert!(!is_russian(title) && !is_russian(advice) && is_russian(title_ru) && is_russian(advice_ru), "{slug}");
        let path = format!("/problems/{slug}");
        let expected = json!({"slug": slug, "status": status, "title": title, "title_ru": title_ru,
            "advice": advice, "advice_ru": advice_ru});
        assert_eq!(get(&router, &path, &[]).await.json(), expected);
        let (english, russian) =
            (get(&router, &path, &[BROWSER]).await, get(&router, &path, &[BROWSER, RUSSIAN]).await);
        assert_eq!((english.status.as_u16(), heading(&english).as_str()), (200, title.replace('\'', "&#39;").as_str()));
        assert_eq!((russian.status.as_u16(), heading(&russian).as_str()), (200, title_ru));
    }
    for slug in ["access_denied", "state_unknown", "state_expired", "browser_mismatch", "domain_not_allowed"] {
        assert!(seen.contains(slug), "{slug}");
    }
}

/// Fields too are told in the language of the person (fault 29).
#[tokio::test]
async fn what_is_wrong_with_a_field_is_said_in_the_language_that_was_asked_for() {
    let router = app();
    let json = ("content-type", "application/json");
    for (body, english, russian) in [
        (
            r#"{"email": "x", "password": "short"}"#,
            "has no @;must have at least 12 characters",
            "не содержит @;должно содержать не меньше 12 символов",
        ),
        (r#"{"email": "x@example.org"}"#, "is required", "обязательно"),
        (r#"{"email": 5}"#, "expected a string", "должно быть строкой"),
        (r#"{"nmae": "x"}"#, "is not a field of this request", "такого поля в этом запросе нет"),
    ] {
        for (language, expected) in [("en", english), ("de", english), ("ru", russian)] {
            let headers = [json, ("accept-language", language)];
            let answer = ask(&router, request("POST", "/v1/auth/register", &headers, body)).await;
            let told = answer.json();
            let details: Vec<_> =
                told["errors"].as_array().unwrap().iter().map(|error| error["detail"].as_str().unwrap()).collect();
            assert_eq!(details.join(";"), expected, "{body} in {language}");
        }
    }
}
