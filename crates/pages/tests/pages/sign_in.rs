//! Signing in and out in a browser.

use std::time::Duration;

use crate::browser::{PASSWORD, Place};

const SESSION: &str = "__Host-userd_session";

#[tokio::test]
async fn whoever_is_not_signed_in_is_led_to_the_sign_in() {
    let place = Place::new().await;
    let turned = place.browser().get("/account").await;
    assert_eq!((turned.status.as_u16(), turned.header("location")), (303, "/sign-in?next=%2Faccount"));
}

/// ASVS V14.3.1
#[tokio::test]
async fn the_account_is_shown_to_whoever_has_signed_in() {
    let place = Place::new().await;
    place.member_called("ada", "Ada Lovelace").await;
    let mut browser = place.browser_of("ada@example.org").await;
    let page = browser.get("/account").await;
    assert_eq!((page.status.as_u16(), page.header("cache-control")), (200, "no-store"));
    for shown in ["Hello, Ada Lovelace", "ada@example.org", "not confirmed yet", "1 January 2026, 00:00 UTC"] {
        assert!(page.text().contains(shown), "{shown}: {}", page.text());
    }
    let answer = browser.submit_from("/account", "/sign-out", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/sign-in"));
    assert!(!browser.cookies.contains_key(SESSION));
    assert_eq!(answer.header("clear-site-data"), "\"cache\"");
    assert_eq!(browser.get("/account").await.status, 303);
}

#[tokio::test]
async fn a_wrong_password_is_told_at_the_form_which_keeps_the_login() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser();
    let answer = browser.submit("/sign-in", &[("login", "ada"), ("password", "no")]).await;
    assert_eq!(answer.status, 401);
    assert!(answer.text().contains("role=\"alert\"") && answer.text().contains("value=\"ada\""));
    assert!(!answer.text().contains("value=\"no\""), "a password is never sent back");
    assert!(!browser.cookies.contains_key(SESSION));
    let unknown = browser.submit("/sign-in", &[("login", "nobody"), ("password", "no")]).await;
    assert_eq!(unknown.status, 401, "the same for whoever is not known");
}

#[tokio::test]
async fn whoever_was_led_to_the_sign_in_comes_back_to_where_they_were() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser();
    let fields = [("login", "ada"), ("password", PASSWORD)];
    let answer = browser.submit_from("/sign-in?next=%2Faccount%3Fa%3Db", "/sign-in", &fields).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/account?a=b"));
    assert_eq!(browser.get("/sign-in?next=%2Faccount%3Fa%3Db").await.header("location"), "/account?a=b", "at once");
}

#[tokio::test]
async fn one_browser_holds_one_session_of_whoever_signs_in_again() {
    let place = Place::new().await;
    let ada = place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    let first = browser.cookies[SESSION].clone();
    let mut other = place.browser();
    other.cookies.clone_from(&browser.cookies);
    let token = crate::browser::form_of(&browser.get("/account").await.text(), "/sign-out")[0].1.clone();
    let body = format!("form_token={token}&login=ada&password={}", PASSWORD.replace(' ', "+"));
    let answer = browser.post("/sign-in", &body).await;
    assert_eq!(answer.status, 303);
    assert_ne!(browser.cookies[SESSION], first);
    assert_eq!(other.get("/account").await.status, 303, "the session of before is over");
    let services = place.services();
    let ctx = services.context().acting_as(userd_model::Actor::Operator);
    // The one that registration began, and the browser's.
    assert_eq!(services.sessions.list(&ctx, ada.id, None, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_session_that_was_ended_elsewhere_is_over_at_the_next_page() {
    let place = Place::new().await;
    let ada = place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    let services = place.services();
    let ctx = services.context().acting_as(userd_model::Actor::Operator);
    services.sessions.end_all(&ctx, ada.id, None).await.unwrap();
    let answer = browser.get("/account").await;
    assert_eq!(answer.status, 303);
    assert!(!browser.cookies.contains_key(SESSION), "the dead cookie goes");
}

#[tokio::test]
async fn a_browser_that_is_used_stays_signed_in() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    place.app.clock.advance(Duration::from_secs(20 * 24 * 3600));
    let page = browser.get("/account").await;
    assert_eq!(page.status, 200);
    assert!(page.header("set-cookie").contains("Max-Age=2592000"), "{}", page.header("set-cookie"));
    assert!(browser.get("/account").await.header("set-cookie").is_empty(), "not at every page");
}
