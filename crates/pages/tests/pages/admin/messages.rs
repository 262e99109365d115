//! Invitations, deliveries and signing keys in the browser.

use userd_model::GrantKind;

use super::{administered, give};
use crate::browser::form_of;

#[tokio::test]
async fn an_invitation_is_made_its_link_is_shown_once_and_it_is_withdrawn() {
    let (place, ..) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let made = browser.submit("/admin/invitations/make", &[("roles", "user_manager"), ("uses", "2")]).await;
    let page = made.text();
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (200, "no-store"), "{page}");
    let start = page.find("http://127.0.0.1:8080/register?invitation=").unwrap_or_else(|| panic!("no link in {page}"));
    let link = page[start..].split('<').next().unwrap().trim_start_matches("http://127.0.0.1:8080").to_owned();
    assert!(place.browser().get(&link).await.text().contains("name=\"password\""), "it opens the registration");
    let list = browser.get("/admin/invitations").await.text();
    assert!(list.contains("user_manager") && !list.contains("invitation="), "{list}");
    let path = list.split('"').find(|part| part.ends_with("/withdraw")).unwrap().to_owned();
    assert_eq!(browser.submit(&path, &[]).await.status, 303);
    assert!(!browser.get("/admin/invitations").await.text().contains("user_manager"));
    let wrong = browser.submit("/admin/invitations/make", &[("roles", "king"), ("uses", "2")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("aria-invalid") && wrong.text().contains("value=\"king\""), "{}", wrong.text());
}

#[tokio::test]
async fn keys_are_rotated_and_only_by_whoever_may() {
    let (place, _, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    assert!(browser.get("/admin/signing-keys").await.text().contains("signs"));
    assert_eq!(browser.submit("/admin/signing-keys/rotate", &[]).await.status, 303);
    let page = browser.get("/admin/signing-keys?done=rotated").await.text();
    assert!(page.contains("The next key signs now.") && page.contains("verifies only"), "{page}");
    give(&place, &ada, GrantKind::Permission, "signing_keys.read").await;
    let mut reading = place.browser_of("ada").await;
    let page = reading.get("/admin/signing-keys").await.text();
    assert!(page.contains("signs") && !page.contains("/rotate"));
    assert_eq!(reading.get("/admin/signing-keys/rotate").await.status, 404);
    let token = form_of(&page, "/sign-out")[0].1.clone();
    let tried = reading.post("/admin/signing-keys/rotate", &format!("form_token={token}")).await;
    assert_eq!(tried.status, 404);
}

#[tokio::test]
async fn deliveries_are_shown_by_state_and_given_up() {
    let (place, ..) = administered().await;
    let mut browser = place.browser_of("boss").await;
    assert!(browser.get("/admin/deliveries").await.text().contains("Nothing is here that fits"));
    let page = browser.get("/admin/deliveries?state=pending").await.text();
    assert!(page.contains("e-mail") && page.contains("/retry\"") && page.contains("/give-up\""), "{page}");
    let start = page.find("action=\"/admin/deliveries/").unwrap();
    let path = page[start + 8..].split('"').next().unwrap().replace("/retry", "/give-up");
    let answer = browser.submit_from("/admin/deliveries?state=pending", &path, &[]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let id = path.trim_start_matches("/admin/deliveries/").trim_end_matches("/give-up").to_owned();
    assert!(browser.get("/admin/deliveries?state=dropped").await.text().contains(&id));
    let retry = path.replace("/give-up", "/retry");
    let answer = browser.submit_from("/admin/deliveries?state=dropped", &retry, &[]).await;
    assert_eq!(answer.status, 303);
    assert!(browser.get("/admin/deliveries?state=pending").await.text().contains(&id), "tried again");
}
