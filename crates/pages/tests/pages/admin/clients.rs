//! Service accounts in the browser.

use userd_model::GrantKind;
use userd_services::RequestOrigin;

use super::{HOSTILE, administered, give, is_safe};
use crate::browser::{form_of, unescaped};

/// What stands in the element that a copy button copies.
pub fn secret_of(page: &str) -> String {
    let start = page.find("id=\"secret\"><code>").unwrap_or_else(|| panic!("no secret in {page}"));
    unescaped(page[start..].trim_start_matches("id=\"secret\"><code>").split('<').next().unwrap())
}

/// Sends: /admin/clients/{id}/rotate, /admin/clients/{id}/disable, /admin/clients/{id}/enable
#[tokio::test]
async fn a_service_account_is_made_its_secret_is_shown_once_and_renewed_and_it_is_disabled_and_enabled() {
    let (place, ..) = administered().await;
    let (services, origin) = (place.services(), RequestOrigin::default());
    let mut browser = place.browser_of("boss").await;
    let wrong = browser.submit("/admin/clients/make", &[("name", HOSTILE), ("other_permissions", "no.such")]).await;
    assert_eq!(wrong.status, 422);
    is_safe(&wrong.text());
    assert!(wrong.text().contains("no.such: No such permission"), "{}", wrong.text());
    let fields = [("name", HOSTILE), ("permissions", "tokens.introspect"), ("permissions", "events.read")];
    let made = browser.submit("/admin/clients/make", &fields).await;
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (200, "no-store"));
    is_safe(&made.text());
    let first = secret_of(&made.text());
    let list = browser.get("/admin/clients").await.text();
    is_safe(&list);
    assert!(list.contains("tokens.introspect") && list.contains("events.read") && !list.contains(&first), "{list}");
    let rotate = list.split('"').find(|part| part.ends_with("/rotate")).unwrap().to_owned();
    let id = rotate.trim_start_matches("/admin/clients/").trim_end_matches("/rotate").to_owned();
    services.clients.authenticate(&id, &first, &origin).await.unwrap();
    let second = secret_of(&browser.submit(&rotate, &[]).await.text());
    assert!(services.clients.authenticate(&id, &first, &origin).await.is_err(), "the old one is dead");
    services.clients.authenticate(&id, &second, &origin).await.unwrap();
    let disable = rotate.replace("/rotate", "/disable");
    let answer = browser.submit(&disable, &[]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/admin/clients?done=disabled"));
    assert!(services.clients.authenticate(&id, &second, &origin).await.is_err());
    let list = browser.get("/admin/clients?done=disabled").await.text();
    assert!(list.contains("disabled") && !list.contains("/rotate\"") && !list.contains("/disable\""), "{list}");
    let enable = list.split('"').find(|part| part.ends_with("/enable")).unwrap().to_owned();
    let third = secret_of(&browser.submit(&enable, &[]).await.text());
    assert!(services.clients.authenticate(&id, &second, &origin).await.is_err(), "the old one stays dead");
    services.clients.authenticate(&id, &third, &origin).await.unwrap();
    assert_eq!(browser.submit(&enable, &[]).await.status, 404, "it is not disabled");
    assert!(!browser.get("/admin/clients").await.text().contains("/enable\""));
}

/// Sends: /admin/clients/{id}/change
#[tokio::test]
async fn a_service_account_is_bounded_by_a_prefix_and_its_name_and_audiences_are_changed() {
    let (place, ..) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let wrong = browser.submit("/admin/clients/make", &[("name", "shop"), ("permission_prefix", "userd")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("permission_prefix-wrong"), "{}", wrong.text());
    let fields = [("name", "shop"), ("permissions", "events.read"), ("permission_prefix", "shop.")];
    assert_eq!(browser.submit("/admin/clients/make", &fields).await.status, 200);
    let list = browser.get("/admin/clients").await.text();
    assert!(list.contains("<code>shop.</code>"), "{list}");
    let change = list.split('"').find(|part| part.ends_with("/change")).unwrap().to_owned();
    let wrong = browser.submit(&change, &[("name", "Orders"), ("audiences", "https://no.example")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("https://no.example: Is not among"), "{}", wrong.text());
    let stale = form_of(&browser.get(&change).await.text(), &change);
    let fields = [("name", HOSTILE), ("audiences", "https://orders.example")];
    let changed = browser.submit(&change, &fields).await;
    assert_eq!((changed.status.as_u16(), changed.header("location")), (303, "/admin/clients?done=changed"));
    let list = browser.get("/admin/clients?done=changed").await.text();
    is_safe(&list);
    assert!(list.contains("The service account is changed") && list.contains("<code>https://orders.example"), "{list}");
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(stale).append_pair("name", "late").append_pair("audiences", "");
    let late = browser.post(&change, &body.finish()).await;
    assert_eq!(late.status, 412, "somebody has changed it meanwhile");
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form_of(&late.text(), &change)).append_pair("name", "late").append_pair("audiences", "");
    assert_eq!(browser.post(&change, &body.finish()).await.status, 303, "the second try is over that change");
    browser.submit(&change, &[("name", "shop"), ("audiences", "")]).await;
    assert!(!browser.get("/admin/clients").await.text().contains("<code>https://orders.example"));
}

#[tokio::test]
async fn whoever_may_only_read_service_accounts_is_shown_no_way_to_change_them() {
    let (place, _, ada) = administered().await;
    give(&place, &ada, GrantKind::Permission, "clients.read").await;
    let mut of_boss = place.browser_of("boss").await;
    of_boss.submit("/admin/clients/make", &[("name", "shop"), ("permissions", "events.read")]).await;
    let path = of_boss.get("/admin/clients").await.text();
    let rotate = path.split('"').find(|part| part.ends_with("/rotate")).unwrap().to_owned();
    let mut browser = place.browser_of("ada").await;
    let page = browser.get("/admin/clients").await.text();
    assert!(page.contains("shop") && !page.contains("/make\"") && !page.contains("/rotate\""), "{page}");
    let token = form_of(&page, "/sign-out")[0].1.clone();
    for path in ["/admin/clients/make".to_owned(), rotate.replace("/rotate", "/disable"), rotate.clone()] {
        assert_eq!(browser.get(&path).await.status, 404, "{path}");
        assert_eq!(browser.post(&path, &format!("form_token={token}")).await.status, 404, "{path}");
    }
    assert_eq!(of_boss.post(&rotate, "").await.status, 403, "not a form of this browser");
    give(&place, &ada, GrantKind::Permission, "clients.manage").await;
    let mut browser = place.browser_of("ada").await;
    let tried = browser.submit(&rotate, &[]).await;
    assert_eq!(tried.status, 403, "whoever makes a secret can act with it, and ada may not read events");
}
