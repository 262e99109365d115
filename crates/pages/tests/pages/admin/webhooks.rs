//! Webhooks in the browser.

use userd_model::GrantKind;

use super::{HOSTILE, administered, clients::secret_of, give, is_safe};
use crate::browser::form_of;

/// Sends: /admin/webhooks/{id}/change, /admin/webhooks/{id}/switch, /admin/webhooks/{id}/rotate
/// Sends: /admin/webhooks/{id}/remove
#[tokio::test]
async fn a_webhook_is_made_changed_switched_tried_renewed_and_removed() {
    let (place, ..) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let wrong = [("url", HOSTILE), ("events", "user.* Not-an-event"), ("description", HOSTILE)];
    let wrong = browser.submit("/admin/webhooks/make", &wrong).await;
    assert_eq!(wrong.status, 422);
    is_safe(&wrong.text());
    let fields =
        [("url", "https://shop.example/hooks?a=1"), ("events", "user.* role.changed"), ("description", HOSTILE)];
    let made = browser.submit("/admin/webhooks/make", &fields).await;
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (200, "no-store"), "{}", made.text());
    let secret = secret_of(&made.text());
    assert!(secret.starts_with("whsec_"), "{secret}");
    let list = browser.get("/admin/webhooks").await.text();
    is_safe(&list);
    assert!(list.contains("https://shop.example/hooks?a=1") && !list.contains(&secret), "{list}");
    let path = list.split('"').find(|part| part.starts_with("/admin/webhooks/") && part.len() > 40).unwrap().to_owned();
    let page = browser.get(&path).await.text();
    is_safe(&page);
    for shown in ["role.changed", "called", "/test\"", "/switch\"", "/rotate\"", "state=dead&amp;webhook="] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let change = format!("{path}/change");
    let changed =
        browser.submit(&change, &[("url", "https://shop.example/two"), ("events", "*"), ("description", "")]).await;
    assert_eq!(changed.status, 303, "{}", changed.text());
    let page = browser.get(&format!("{path}?done=changed")).await.text();
    assert!(page.contains("The webhook is changed.") && page.contains("https://shop.example/two"), "{page}");
    for (to, told) in [("off", "switched off here"), ("on", "called")] {
        let answer = browser.submit_from(&path, &format!("{path}/switch"), &[("to", to)]).await;
        assert_eq!(answer.header("location"), format!("{path}?done={to}"));
        assert!(browser.get(&path).await.text().contains(told), "{to}");
    }
    let renewed = secret_of(&browser.submit(&format!("{path}/rotate"), &[]).await.text());
    assert_ne!(renewed, secret);
    assert!(browser.get(&path).await.text().contains("The secret before signs too until"));
    let of_a_key = browser.submit(&format!("{path}/rotate"), &[("signature", "v1a")]).await.text();
    assert!(of_a_key.contains("whpk_") && !of_a_key.contains("whsec_"), "{of_a_key}");
    assert_eq!(browser.submit(&format!("{path}/remove"), &[]).await.status, 303);
    assert_eq!(browser.get(&path).await.status, 404);
}

/// Sends: /admin/webhooks/{id}/test
#[tokio::test]
async fn what_a_receiver_answered_to_a_test_is_shown() {
    let (place, ..) = administered().await;
    let mut browser = place.browser_of("boss").await;
    // Nothing listens there.
    let fields = [("url", "https://127.0.0.1:9/hooks"), ("events", "*")];
    let made = browser.submit("/admin/webhooks/make", &fields).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let page = browser.get("/admin/webhooks").await.text();
    let path = page.split('"').find(|part| part.starts_with("/admin/webhooks/") && part.len() > 40).unwrap().to_owned();
    let tried = browser.submit_from(&path, &format!("{path}/test"), &[]).await;
    assert_eq!(tried.status, 200);
    assert!(tried.text().contains("The receiver did not take the test:"), "{}", tried.text());
    let id = path.trim_start_matches("/admin/webhooks/");
    let none = browser.get(&format!("/admin/deliveries?state=pending&webhook={id}")).await.text();
    assert!(
        none.contains("Only those to the webhook") && !none.contains("/retry\""),
        "those to people are not shown: {none}"
    );
}

#[tokio::test]
async fn a_webhook_may_be_signed_by_a_key_whose_public_half_is_shown() {
    let (place, ..) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let fields = [("url", "https://shop.example/hooks"), ("events", "*"), ("signature", "v1a")];
    let made = browser.submit("/admin/webhooks/make", &fields).await;
    assert_eq!(made.status, 200, "{}", made.text());
    assert!(made.text().contains("whpk_") && !made.text().contains("id=\"secret\""), "{}", made.text());
}

#[tokio::test]
async fn whoever_may_only_read_webhooks_is_shown_no_way_to_change_them() {
    let (place, _, ada) = administered().await;
    give(&place, &ada, GrantKind::Permission, "webhooks.read").await;
    let mut of_boss = place.browser_of("boss").await;
    of_boss.submit("/admin/webhooks/make", &[("url", "https://shop.example/hooks"), ("events", "*")]).await;
    let mut browser = place.browser_of("ada").await;
    let list = browser.get("/admin/webhooks").await.text();
    let path = list.split('"').find(|part| part.starts_with("/admin/webhooks/") && part.len() > 40).unwrap().to_owned();
    let page = browser.get(&path).await.text();
    assert!(
        page.contains("https://shop.example/hooks") && !page.contains("<form method=\"post\" action=\"/admin"),
        "{page}"
    );
    let token = form_of(&page, "/sign-out")[0].1.clone();
    for act in ["change", "test", "switch", "rotate", "remove"] {
        let tried = browser.post(&format!("{path}/{act}"), &format!("form_token={token}&to=off")).await;
        assert_eq!(tried.status, 404, "{act}");
        assert_eq!(of_boss.post(&format!("{path}/{act}"), "to=off").await.status, 403, "{act}: not of this browser");
    }
}
