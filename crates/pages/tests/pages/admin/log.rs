//! The audit log in the browser.

use super::{HOSTILE, administered, is_safe};
use crate::browser::PASSWORD;

#[tokio::test]
async fn the_log_is_read_by_filters_and_verified() {
    let (place, root, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    browser.submit(&format!("/admin/users/{}/acts/block", ada.id), &[("reason", "spam")]).await;
    place.services().event_log.tick().await.unwrap();
    let page = browser.get(&format!("/admin/audit?act=user.blocked&actor={}", root.id)).await.text();
    for shown in ["user.blocked", &root.id.to_string(), &format!("/admin/users/{}", ada.id)] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("user.registered"));
    assert!(browser.get("/admin/audit?order=oldest").await.text().contains("user.registered"));
    assert!(browser.get("/admin/audit?act=no.such").await.text().contains("Nothing is here that fits"));
    let found = browser.submit_from("/admin/audit", "/admin/audit/verify", &[]).await;
    assert_eq!(found.status, 200);
    assert!(found.text().contains("Everything that was compared is as it was."), "{}", found.text());
}

/// AC-118: what the log keeps of people's words and browsers is shown as text.
#[tokio::test]
async fn what_the_log_keeps_is_shown_as_text() {
    let (place, _, ada) = administered().await;
    let mut of_ada = place.browser();
    of_ada.headers.push(("user-agent", HOSTILE.to_owned()));
    of_ada.submit("/sign-in", &[("login", "ada"), ("password", PASSWORD)]).await;
    let mut browser = place.browser_of("boss").await;
    browser.submit(&format!("/admin/users/{}/acts/block", ada.id), &[("reason", HOSTILE)]).await;
    place.services().event_log.tick().await.unwrap();
    is_safe(&browser.get("/admin/audit").await.text());
    let encoded: String = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    for name in ["actor", "subject", "act", "order"] {
        let page = browser.get(&format!("/admin/audit?{name}={encoded}")).await.text();
        assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{name}: {page}");
    }
    assert_eq!(browser.get("/admin/audit?act=%00").await.status, 400);
}

#[tokio::test]
async fn the_log_is_downloaded_by_filters_a_line_for_each_entry() {
    let (place, _, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    browser.submit(&format!("/admin/users/{}/acts/block", ada.id), &[("reason", HOSTILE)]).await;
    while place.services().event_log.tick().await.unwrap() > 0 {}
    assert!(browser.get("/admin/audit?act=user.blocked").await.text().contains("act=user.blocked\" download"));
    let whole = browser.get("/admin/audit/export").await;
    assert_eq!(whole.header("content-disposition"), "attachment; filename=\"audit.jsonl\"");
    let entries: Vec<serde_json::Value> =
        whole.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let positions: Vec<i64> = entries.iter().map(|entry| entry["position"].as_i64().unwrap()).collect();
    assert!(positions.len() > 3 && positions.is_sorted(), "all, the oldest first: {positions:?}");
    let some = browser.get("/admin/audit/export?act=user.blocked&order=newest").await.text();
    assert_eq!(some.lines().count(), 1);
    assert!(some.contains("user.blocked") && some.contains("<script>alert(1)"), "JSON is no page: {some}");
    assert_eq!(browser.get("/admin/audit/export?act=no.such").await.text(), "");
    assert_eq!(browser.get("/admin/audit/export?act=%00").await.status, 400);
}
