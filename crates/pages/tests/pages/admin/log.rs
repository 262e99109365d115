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
