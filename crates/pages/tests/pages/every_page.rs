//! What holds for every page there is: its size, who keeps it, and that nothing that people wrote is markup.

use std::collections::BTreeSet;

use userd_model::UserId;
use userd_pages::policy::PAGES;
use userd_services::{accounts::Registration, invitations::NewInvitation, passwords::Password, sessions::Login};

use crate::browser::{Browser, PASSWORD, Place};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
/// The first view of any page: itself and its own files.
const MOST: usize = 60 * 1024;

/// Everything that can be opened by its address alone, and an account's page.
fn all(id: UserId) -> Vec<String> {
    let is_file = |path: &str| path.contains("/export") || path.contains("/stream") || path.starts_with("/assets");
    let plain = PAGES.iter().filter(|page| page.method == "GET" && !page.path.contains('{') && !is_file(page.path));
    plain.map(|page| page.path.to_owned()).chain([format!("/admin/users/{id}")]).collect()
}

/// An administrator whose every word is hostile.
async fn administrator(place: &Place) -> (Browser<'_>, UserId) {
    let services = place.services();
    let registration = Registration {
        username: Some("root".to_owned()),
        display_name: Some(HOSTILE.to_owned()),
        ..Registration::with(Password::new(PASSWORD.to_owned()))
    };
    let made = services.setup.create_administrator(&services.operator_context(), registration).await.unwrap();
    let login = Login {
        login: "root".to_owned(),
        password: Password::new(PASSWORD.to_owned()),
        device_name: Some(HOSTILE.to_owned()),
        device_token: None,
    };
    services.sessions.login(&services.context(), login).await.unwrap();
    let mut browser = place.browser();
    browser.headers.push(("user-agent", HOSTILE.to_owned()));
    browser.submit("/sign-in", &[("login", "root"), ("password", PASSWORD)]).await;
    (browser, made.id)
}

fn files(html: &str) -> BTreeSet<&str> {
    html.split('"').filter(|part| part.starts_with("/assets/")).collect()
}

/// AC-116, AC-118: names, devices and browsers are text wherever they are shown. What people see of themselves is kept by
/// no browser and no proxy, so that the back button shows nothing after signing out.
#[tokio::test]
async fn no_page_takes_words_for_markup_nor_is_kept() {
    let place = Place::new().await;
    let (mut browser, id) = administrator(&place).await;
    let (mut shown, mut seen) = (0, 0);
    for path in all(id) {
        let page = browser.get(&path).await;
        let html = page.text();
        if page.header("content-type").starts_with("application/json") {
            assert_eq!(page.header("x-content-type-options"), "nosniff", "{path} is no page");
            continue;
        }
        assert!(!html.contains("<script>alert") && !html.contains("<img src=x"), "{path}: {html}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        shown += usize::from(html.contains("&lt;script&gt;alert(1)"));
        seen += usize::from(page.status == 200);
    }
    assert!(shown > 10 && seen > 15, "{shown} of {seen} pages show the name: it is looked for in vain");
}

/// A page, its style sheet, scripts and icon: at most 60 KB, and one round trip after the page, because it names them all
/// and they name nothing.
#[tokio::test]
async fn the_first_view_of_any_page_is_small_and_one_round_trip() {
    let place = Place::new().await;
    let (mut browser, id) = administrator(&place).await;
    let mut largest = (0, String::new());
    for path in all(id) {
        let page = browser.get(&path).await;
        let html = page.text();
        let mut size = page.body.len();
        for file in files(&html) {
            let asset = browser.get(file).await;
            assert_eq!(asset.status, 200, "{file}");
            let text = asset.text();
            let names_more = text.contains("@import") || text.contains("url(") || text.contains("import {");
            assert!(!names_more, "{file} names another file");
            size += asset.body.len();
        }
        largest = largest.max((size, path));
    }
    println!("the largest first view: {} bytes at {}", largest.0, largest.1);
    assert!(largest.0 <= MOST, "{} bytes at {}", largest.0, largest.1);
}

/// The largest picture that an operator may set before the name.
const LOGO: usize = 16 * 1024;

/// The same of lists that are full, with the largest picture.
#[tokio::test]
async fn the_first_view_of_a_full_list_is_small_too() {
    let place = Place::new().await;
    let (mut browser, _) = administrator(&place).await;
    let (services, agent) =
        (place.services(), "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140 YaBrowser/25 Safari/537.36");
    let operator = services.operator_context();
    for number in 0..60 {
        place.member_called(&format!("member{number}"), "Анна Константинопольская").await;
        services
            .clients
            .create(&operator, &format!("service {number}"), &["events.read".to_owned()], None)
            .await
            .unwrap();
        let invitation = NewInvitation { roles: vec!["support".to_owned()], ..NewInvitation::default() };
        services.invitations.create(&operator, &invitation, None).await.unwrap();
        browser.submit("/account/username", &[("username", &format!("root{number}"))]).await;
        browser.submit("/account/username", &[("username", "root")]).await;
    }
    for _ in 0..60 {
        let mut other = place.browser();
        other.headers.push(("user-agent", agent.to_owned()));
        other.submit("/sign-in", &[("login", "root"), ("password", PASSWORD)]).await;
    }
    while services.event_log.tick().await.unwrap() > 0 {}
    while services.deliveries.tick().await.unwrap() > 0 {}
    let mut too_large = Vec::new();
    for path in [
        "/admin/overview",
        "/admin/users",
        "/admin/clients",
        "/admin/invitations",
        "/admin/audit",
        "/admin/deliveries?state=delivered",
        "/admin/deliveries?state=pending",
        "/account/devices",
        "/account/notifications",
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        let html = page.text();
        let mut size = page.body.len() + LOGO;
        for file in files(&html) {
            size += browser.get(file).await.body.len();
        }
        println!("{size} bytes at {path}, {} of them the page", page.body.len());
        if size > MOST {
            too_large.push((size, path));
        }
    }
    assert!(too_large.is_empty(), "{too_large:#?}");
}

/// AC-059: no `next` of any page leads to another site.
#[tokio::test]
async fn no_page_goes_on_to_another_site() {
    let place = Place::new().await;
    let (mut browser, _) = administrator(&place).await;
    browser.cookies.insert("__Host-userd_no_passkey".to_owned(), "yes".to_owned());
    for evil in ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"] {
        let encoded: String = url::form_urlencoded::byte_serialize(evil.as_bytes()).collect();
        let offer = browser.get(&format!("/account/security/passkeys/offer?next={encoded}")).await;
        assert_eq!(offer.header("location"), "/account", "{evil}");
        let from = format!("/account/prove?next={encoded}");
        let proven = browser.submit_from(&from, "/account/prove", &[("password", PASSWORD)]).await;
        assert_eq!(proven.header("location"), "/account", "{evil}");
        let mut other = place.browser();
        let fields = [("login", "root"), ("password", PASSWORD), ("passkeys", "yes"), ("next", evil)];
        let answer = other.submit("/sign-in", &fields).await;
        assert_eq!(answer.header("location"), "/account/security/passkeys/offer?next=%2Faccount", "{evil}");
    }
}
