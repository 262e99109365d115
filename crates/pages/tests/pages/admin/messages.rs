//! Invitations, deliveries and signing keys in the browser.

use userd_model::GrantKind;

use super::{administered, give};
use crate::browser::form_of;

/// Sends: /admin/invitations/{id}/withdraw
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
    assert!(page.contains("data-copy=\"secret\"") && page.contains("id=\"secret\""), "a script can copy it: {page}");
    let list = browser.get("/admin/invitations").await.text();
    assert!(list.contains("user_manager") && !list.contains("invitation="), "{list}");
    let path = list.split('"').find(|part| part.ends_with("/withdraw")).unwrap().to_owned();
    assert_eq!(browser.submit(&path, &[]).await.status, 303);
    assert!(!browser.get("/admin/invitations").await.text().contains("user_manager"));
    let wrong = browser.submit("/admin/invitations/make", &[("roles", "king"), ("uses", "2")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("aria-invalid") && wrong.text().contains("value=\"king\""), "{}", wrong.text());
    let wrong =
        browser.submit("/admin/invitations/make", &[("roles", "user_manager, auditor"), ("uses", "a few")]).await;
    assert_eq!(wrong.status, 422, "not one, which nobody has asked for");
    assert!(wrong.text().contains("id=\"uses-wrong\"") && wrong.text().contains("value=\"a few\""), "{}", wrong.text());
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

/// Sends: /admin/deliveries/{id}/retry, /admin/deliveries/{id}/give-up
#[tokio::test]
async fn deliveries_are_shown_by_state_and_given_up() {
    let (place, ..) = administered().await;
    let mut browser = place.browser_of("boss").await;
    assert!(browser.get("/admin/deliveries").await.text().contains("Nothing is here that fits"));
    let page = browser.get("/admin/deliveries?state=pending").await.text();
    assert!(page.contains("<nav class=\"row tabs\" aria-label=\"State\">"), "each navigation has a name: {page}");
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

/// Sends: /admin/signing-keys/{kid}/revoke
#[tokio::test]
async fn a_key_is_revoked_and_every_token_of_it_is_dead() {
    let (place, ..) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let page = browser.get("/admin/signing-keys").await.text();
    let active = place.services().deps.crypto.tokens.active_kid().unwrap();
    let path = format!("/admin/signing-keys/{active}/revoke");
    assert!(page.contains(&path), "{page}");
    assert!(browser.get(&path).await.text().contains("Nothing that it signed is accepted any more"));
    assert_eq!(browser.submit(&path, &[]).await.status, 303);
    assert_ne!(place.services().deps.crypto.tokens.active_kid().unwrap(), active);
    let page = browser.get("/admin/signing-keys?done=revoked").await.text();
    assert!(page.contains("The key is revoked.") && !page.contains(&path), "{page}");
}

#[tokio::test]
async fn what_cannot_be_taken_back_asks_for_a_fresh_proof() {
    let (place, _, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let token = form_of(&browser.get("/account").await.text(), "/sign-out")[0].1.clone();
    place.app.clock.advance(std::time::Duration::from_secs(3600));
    let active = place.services().deps.crypto.tokens.active_kid().unwrap();
    for path in [
        "/admin/signing-keys/rotate".to_owned(),
        format!("/admin/signing-keys/{active}/revoke"),
        format!("/admin/users/{}/acts/delete", ada.id),
        format!("/admin/users/{}/acts/reset-factors", ada.id),
        "/admin/roles/support/remove".to_owned(),
    ] {
        let to_the_proof = format!("/account/prove?next={}", path.replace('/', "%2F"));
        assert_eq!(browser.get(&path).await.header("location"), to_the_proof, "{path}");
        let tried = browser.post(&path, &format!("form_token={token}")).await;
        assert_eq!((tried.status.as_u16(), tried.header("location")), (303, to_the_proof.as_str()), "{path}");
    }
    assert_eq!(place.services().deps.crypto.tokens.active_kid().unwrap(), active, "nothing was done");
    let fields = [("password", crate::browser::PASSWORD)];
    let proven =
        browser.submit_from("/account/prove?next=%2Fadmin%2Fsigning-keys%2Frotate", "/account/prove", &fields).await;
    assert_eq!(proven.header("location"), "/admin/signing-keys/rotate");
    assert_eq!(browser.submit("/admin/signing-keys/rotate", &[]).await.status, 303);
}
