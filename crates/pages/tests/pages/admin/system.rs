//! The overview, configuration, findings and templates in the browser.

use std::{fs, path::Path};

use userd_model::GrantKind;
use userd_services::testing::{TestOptions, channels_saying};

use super::{HOSTILE, administered, give, is_safe, requests::ask};
use crate::browser::Place;

#[tokio::test]
async fn the_overview_shows_what_happened_as_charts_without_inline_style() {
    let (place, _, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    while place.services().event_log.tick().await.unwrap() > 0 {}
    let front = browser.get("/admin").await;
    assert_eq!((front.status.as_u16(), front.header("location")), (303, "/admin/overview"));
    let page = browser.get("/admin/overview").await.text();
    for shown in
        ["Registrations", "<svg role=\"img\"", "Last 24 hours. Total: 2, at most 2 an hour", "The database writes"]
    {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(page.contains("nothing waits") || page.contains("second"), "how far behind the queues are: {page}");
    assert!(!page.contains("style=") && page.len() < 40 * 1024, "{} bytes", page.len());
    give(&place, &ada, GrantKind::Permission, "users.read").await;
    let page = place.browser_of("ada").await.get("/admin/overview").await.text();
    assert!(page.contains("Sign-ins") && !page.contains("Dead messages"), "queues are for whoever may see deliveries");
}

#[tokio::test]
async fn configuration_and_findings_are_shown_as_text_to_whoever_may_read_the_log() {
    let (place, _, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    is_safe(&browser.get("/admin/configuration").await.text());
    let page = browser.get("/admin/doctor").await.text();
    is_safe(&page);
    for shown in ["clock", "look at it", "wrong"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    give(&place, &ada, GrantKind::Role, "support").await;
    let mut of_ada = place.browser_of("ada").await;
    assert!(!of_ada.get("/admin/overview").await.text().contains("/admin/configuration"), "not shown");
    for path in ["/admin/configuration", "/admin/doctor", "/admin/templates", "/admin/templates/new_device/html"] {
        assert_eq!(of_ada.get(path).await.status, 404, "{path}");
    }
    give(&place, &ada, GrantKind::Role, "auditor").await;
    let mut of_ada = place.browser_of("ada").await;
    assert!(of_ada.get("/admin/overview").await.text().contains("/admin/configuration"), "an auditor sees everything");
    for path in ["/admin/audit", "/admin/configuration", "/admin/doctor", "/admin/templates"] {
        assert_eq!(of_ada.get(path).await.status, 200, "{path}");
    }
}

/// AC-127: the one document that a page may frame runs nothing, and nobody else may frame it.
#[tokio::test]
async fn what_a_message_says_is_previewed_in_both_languages_in_a_sandbox() {
    let (place, ..) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let page = browser.get("/admin/templates?name=reset_password&language=ru").await;
    let policy = page.header("content-security-policy").to_owned();
    assert!(policy.ends_with("; frame-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(page.text().contains("sandbox") && page.text().contains("Ссылка действует час"), "{}", page.text());
    let frame = "/admin/templates/reset_password/html?language=ru";
    assert!(page.text().contains(&format!("src=\"{frame}\"")), "{}", page.text());
    let html = browser.get(frame).await;
    let policy = html.header("content-security-policy");
    for must in ["default-src 'none'", "frame-ancestors 'self'", "form-action 'none'", "; sandbox"] {
        assert!(policy.contains(must), "{policy}");
    }
    assert!(!policy.contains("script-src") && !policy.contains("allow-"), "{policy}");
    assert!(html.text().contains("<html"), "{}", html.text());
    assert!(browser.get("/admin/templates?name=reset_password&language=en").await.text().contains("password"));
    assert_eq!(browser.get("/admin/templates/no_such/html").await.status, 404);
    let encoded: String = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    let page = browser.get(&format!("/admin/templates?name={encoded}&language={encoded}")).await.text();
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{page}");
}

/// AC-118, AC-127: what an operator's templates say, and the names that messages are filled with, are text on every page. The
/// markup of a layout stands in the sandbox alone, where it runs nothing.
#[tokio::test]
async fn hostile_templates_and_names_are_text_on_every_page() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile_templates");
    fs::create_dir_all(&folder).unwrap();
    let hostile = serde_json::Value::from(HOSTILE);
    let said =
        format!("subject: {hostile}\nblocks:\n  - text: {hostile}\n  - facts:\n      - [{hostile}, {hostile}]\n");
    let layout = "<html><script>alert(1)</script><title>{{ subject }}</title><body>{{ body }}</body></html>";
    for (file, text) in [
        ("message.en.yaml", said.as_str()),
        ("access_requested.en.yaml", "subject: \"{{ who }}\"\nblocks:\n  - text: \"{{ who }}\"\n"),
        ("layout.html", layout),
    ] {
        fs::write(folder.join(file), text).unwrap();
    }
    let options = TestOptions { channels: channels_saying(folder.as_path()), ..TestOptions::default() };
    let place = Place::with(options).await;
    let boss = place.member("boss").await;
    give(&place, &boss, GrantKind::Role, "admin").await;
    let mut browser = place.browser_of("boss").await;

    let page = browser.get("/admin/templates?name=message&language=en").await.text();
    is_safe(&page);
    assert!(page.matches("&lt;script&gt;alert(1)").count() >= 3, "subject, text and facts: {page}");
    let frame = browser.get("/admin/templates/message/html?language=en").await;
    let policy = frame.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.ends_with("; sandbox"), "{policy}");
    let html = frame.text();
    assert_eq!(html.matches("<script>alert").count(), 1, "the operator's layout is theirs: {html}");
    assert!(html.contains("&lt;script&gt;alert(1)") && !html.contains("<img src=x"), "{html}");

    let eve = place.member_called("eve", HOSTILE).await;
    ask(&place, &eve, HOSTILE).await;
    while place.services().event_log.tick().await.unwrap() > 0 {}
    while place.services().deliveries.tick().await.unwrap() > 0 {}
    let inbox = browser.get("/account/notifications").await.text();
    assert!(!inbox.contains("<script>alert") && !inbox.contains("<img src=x"), "{inbox}");
    assert!(inbox.matches("&lt;script&gt;alert(1)").count() >= 2, "title and text: {inbox}");
}
