//! What others try with somebody's browser. Each test is named after the attack.

use crate::browser::{ORIGIN, PASSWORD, Place, form_of};

const SESSION: &str = "__Host-userd_session";
const FORM: &str = "__Host-userd_form";

fn body(token: &str) -> String {
    format!("form_token={token}&login=ada&password={}", PASSWORD.replace(' ', "+"))
}

/// A form on another site that is posted with somebody's cookies.
#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    let token = form_of(&browser.get("/account").await.text(), "/sign-out")[0].1.clone();
    let good = format!("form_token={token}");
    for (headers, sent) in [
        (vec![("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")], good.as_str()),
        (vec![("sec-fetch-site", "same-site"), ("origin", "https://sub.example")], &good),
        (vec![("origin", "https://evil.example")], &good),
        (vec![("origin", "http://127.0.0.1:8081")], &good),
        (vec![("sec-fetch-site", "same-origin"), ("origin", ORIGIN)], ""),
        (vec![("sec-fetch-site", "same-origin")], "form_token="),
        (vec![("sec-fetch-site", "same-origin")], "form_token=0000"),
        (vec![("origin", "null")], "form_token=0000"),
        (vec![], ""),
    ] {
        let answer = browser.send("POST", "/sign-out", &headers, sent).await;
        assert_eq!(answer.status, 403, "{headers:?} {sent}");
        assert_eq!(browser.get("/account").await.status, 200, "still signed in: {headers:?}");
    }
    assert_eq!(browser.post("/sign-out", &good).await.status, 303);
}

/// Signing somebody in to the attacker's account with a form of the attacker's.
#[tokio::test]
async fn nobody_is_signed_in_by_a_form_that_their_browser_was_not_given() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut attacker = place.browser();
    let token = form_of(&attacker.get("/sign-in").await.text(), "/sign-in")[0].1.clone();
    let mut victim = place.browser();
    victim.get("/sign-in").await;
    let answer = victim.post("/sign-in", &body(&token)).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("out of date") && !victim.cookies.contains_key(SESSION));
    let mut without = place.browser();
    assert_eq!(without.post("/sign-in", &body(&token)).await.status, 403, "no cookie at all");
}

/// AC-083: a cookie that an attacker has planted is not the one of the session that begins.
#[tokio::test]
async fn a_planted_cookie_is_worth_nothing_after_the_sign_in() {
    let place = Place::new().await;
    place.member("ada").await;
    place.member("mallory").await;
    let mut victim = place.browser();
    victim.cookies.insert(FORM.to_owned(), "A".repeat(43));
    let planted = place.browser_of("mallory").await.cookies[SESSION].clone();
    let answer = victim.submit("/sign-in", &[("login", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, 303);
    assert_ne!(victim.cookies[SESSION], planted);
    assert!(!victim.cookies.contains_key(FORM), "what forms were bound to before ends");
    let token = place.services().form_token(&"A".repeat(43));
    assert_eq!(victim.post("/sign-out", &format!("form_token={token}")).await.status, 403);
}

/// A session cookie that comes twice is nobody's: who of the two set it cannot be told.
#[tokio::test]
async fn two_session_cookies_are_none() {
    let place = Place::new().await;
    place.member("ada").await;
    let browser = place.browser_of("ada").await;
    let secret = &browser.cookies[SESSION];
    let twice = format!("{SESSION}={secret}; {SESSION}={secret}");
    let answer = place.browser().send("GET", "/account", &[("cookie", &twice)], "").await;
    assert_eq!(answer.status, 303);
}

/// AC-059: after signing in somebody is led to another site.
#[tokio::test]
async fn nobody_is_led_to_another_site() {
    let place = Place::new().await;
    place.member("ada").await;
    for next in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/%09/evil.example",
        "javascript:alert(1)",
        "\\\\evil.example",
        "/\u{a0}/evil.example",
        "account",
        "https:evil.example",
        "/\r\nset-cookie: a=b",
    ] {
        let mut browser = place.browser();
        let fields = [("login", "ada"), ("password", PASSWORD), ("next", next)];
        let answer = browser.submit("/sign-in", &fields).await;
        assert_eq!(answer.status, 303, "{next}");
        let to = answer.header("location");
        assert!(to == "/account" || to == "/%09/evil.example", "{next} leads to {to}");
        let chosen = browser.submit_from("/account", "/language", &[("language", "ru"), ("next", next)]).await;
        assert!(chosen.header("location").starts_with('/') && !chosen.header("location").starts_with("//"));
    }
}

/// AC-127: no page can be framed, and a page runs nothing that stands in it.
#[tokio::test]
async fn no_page_is_framed_or_runs_what_stands_in_it() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    for path in ["/account", "/assets/none.css"] {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy").to_owned();
        for must in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(must), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        let html = page.text();
        assert!(!html.contains(" style=") && !html.contains("<style") && !html.contains(" onclick="), "{html}");
        assert!(!html.contains("http://") && !html.contains("https://"), "another host: {html}");
    }
}

/// AC-116: names and parameters are shown as text.
#[tokio::test]
async fn what_people_write_is_shown_as_text() {
    let place = Place::new().await;
    let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    place.member_called("ada", hostile).await;
    let mut browser = place.browser_of("ada").await;
    let page = browser.get("/account").await.text();
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;"), "{page}");
    let mut other = place.browser();
    let encoded: String = url::form_urlencoded::byte_serialize(hostile.as_bytes()).collect();
    for path in [format!("/sign-in?next={encoded}"), format!("/sign-in?{encoded}={encoded}")] {
        let page = other.get(&path).await.text();
        assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{page}");
    }
    let again = other.submit("/sign-in", &[("login", hostile), ("password", "x")]).await.text();
    assert!(!again.contains("<script>alert") && again.contains("&lt;script&gt;"), "{again}");
}

/// AC-128: the answer to a password is a redirect after which it is not sent again.
#[tokio::test]
async fn a_password_is_not_carried_along_by_the_redirect() {
    let place = Place::new().await;
    place.member("ada").await;
    let answer = place.browser().submit("/sign-in", &[("login", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, 303);
}

/// The back button after signing out: nothing of somebody's is kept by a browser or a proxy.
#[tokio::test]
async fn pages_of_people_are_kept_by_nobody() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    assert_eq!(browser.get("/account").await.header("cache-control"), "no-store");
    let out = browser.submit_from("/account", "/sign-out", &[]).await;
    assert_eq!((out.header("cache-control"), out.header("clear-site-data")), ("no-store", "\"cache\""));
}

/// Bearer tokens open no page.
#[tokio::test]
async fn a_page_takes_no_access_token() {
    let place = Place::new().await;
    place.member("ada").await;
    let services = place.services();
    let login = userd_services::sessions::Login {
        login: "ada".to_owned(),
        password: userd_services::passwords::Password::new(PASSWORD.to_owned()),
        device_name: None,
        device_token: None,
    };
    let tokens = services.sessions.login(&services.context(), login).await.unwrap().signed_in().unwrap().tokens;
    let bearer = format!("Bearer {}", tokens.access_token);
    let answer = place.browser().send("GET", "/account", &[("authorization", &bearer)], "").await;
    assert_eq!(answer.status, 303);
    for token in [tokens.access_token, tokens.refresh_token] {
        let cookie = format!("{SESSION}={token}");
        assert_eq!(place.browser().send("GET", "/account", &[("cookie", &cookie)], "").await.status, 303);
    }
}
