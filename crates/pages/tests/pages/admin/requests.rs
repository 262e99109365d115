//! Access requests in the browser: asked for, decided, remembered.

use userd_model::{GrantKind, RequestedAction};
use userd_services::{UserView, access_requests::AccessInput, roles::RoleInput};

use super::{HOSTILE, administered, give, is_safe};
use crate::browser::Place;

/// A request of somebody for the role `editor`, and the path of its page.
pub async fn ask(place: &Place, requester: &UserView, reason: &str) -> String {
    let services = place.services();
    let operator = services.context().acting_as(userd_model::Actor::Operator);
    let rules = userd_model::RoleRules { requestable: true, ..Default::default() };
    let made = services.roles.create(&operator, "editor", &RoleInput { permissions: Vec::new(), rules }, None).await;
    assert!(made.is_ok() || services.roles.show(&operator, "editor").await.is_ok());
    let login = userd_services::sessions::Login {
        login: requester.username.clone().unwrap(),
        password: userd_services::passwords::Password::new(crate::browser::PASSWORD.to_owned()),
        device_name: None,
        device_token: None,
    };
    let tokens = services.sessions.login(&services.context(), login).await.unwrap().signed_in().unwrap().tokens;
    let ctx = services.context().authenticated(services.authenticate(&tokens.access_token).await.unwrap());
    let input = AccessInput {
        kind: GrantKind::Role,
        name: "editor".to_owned(),
        action: RequestedAction::Grant,
        reason: Some(reason.to_owned()),
        starts_at: None,
        duration_seconds: Some(30 * 24 * 3600),
    };
    let made = services.access_requests.ask(&ctx, input, None).await.unwrap();
    format!("/admin/requests/{}", made.request.id)
}

/// Sends: /admin/requests/{id}
#[tokio::test]
async fn a_request_is_found_in_the_queue_approved_with_a_comment_and_kept_in_the_history() {
    let (place, _, ada) = administered().await;
    let path = ask(&place, &ada, "I write the news now").await;
    let mut browser = place.browser_of("boss").await;
    let queue = browser.get("/admin/requests").await.text();
    for shown in [path.as_str(), "To be given the role editor", "Ada Lovelace", "I write the news now"] {
        assert!(queue.contains(shown), "{shown}: {queue}");
    }
    let page = browser.get(&path).await.text();
    assert!(page.contains("30 days") && page.contains("Approving gives it"), "{page}");
    let fields = [("verdict", "approve"), ("comment", "for this month"), ("expires_at", "2026-01-20T00:00")];
    let answer = browser.submit(&path, &fields).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, format!("{path}?done=yes").as_str()));
    let page = browser.get(&path).await.text();
    for shown in ["approved", "for this month", "20 January 2026"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("value=\"approve\""), "there is nothing more to decide");
    assert!(!browser.get("/admin/requests").await.text().contains(&path));
    assert!(browser.get("/admin/requests?state=approved").await.text().contains(&path));
    let held = browser.get(&format!("/admin/users/{}", ada.id)).await.text();
    assert!(held.contains("editor") && held.contains("by request"), "{held}");
    // Before it ends, its holder asks for the same once more in one step.
    let mut hers = place.browser_of(ada.username.as_deref().unwrap()).await;
    let page = hers.get("/account/access").await.text();
    assert!(page.contains("Ask to extend it"), "{page}");
    let asked = hers.submit("/account/access", &[]).await;
    assert_eq!((asked.status.as_u16(), asked.header("location")), (303, "/account/access?told=asked"));
    let queue = browser.get("/admin/requests").await.text();
    assert!(queue.contains("To be given the role editor") && queue.contains("I write the news now"), "{queue}");
}

/// What the API takes, the account's page takes: a later start, and the wish to be rid of something.
#[tokio::test]
async fn a_later_start_and_a_removal_are_asked_for_in_the_browser() {
    let (place, _, ada) = administered().await;
    let operator = place.services().context().acting_as(userd_model::Actor::Operator);
    let rules = userd_model::RoleRules { requestable: true, ..Default::default() };
    let editor = RoleInput { permissions: Vec::new(), rules };
    place.services().roles.create(&operator, "editor", &editor, None).await.unwrap();
    let (mut hers, mut boss) = (place.browser_of("ada").await, place.browser_of("boss").await);
    assert!(!hers.get("/account/access").await.text().contains("/account/access/removal"), "nothing is held");
    let fields = [("what", "role/editor"), ("reason", "news"), ("days", "30"), ("starts_at", "2026-01-20T09:30")];
    let asked = hers.submit("/account/access", &fields).await;
    assert_eq!((asked.status.as_u16(), asked.header("location")), (303, "/account/access?told=asked"));
    let page = hers.get("/account/access").await.text();
    assert!(page.contains("20 January 2026, 09:30 UTC") && page.contains("waiting"), "{page}");
    assert_eq!(hers.submit("/account/access", &[("what", "role/editor"), ("starts_at", "soon")]).await.status, 400);
    give(&place, &ada, GrantKind::Role, "support").await;
    let fields = [("what", "role/support"), ("reason", "I help no more")];
    let asked = hers.submit_from("/account/access", "/account/access/removal", &fields).await;
    assert_eq!((asked.status.as_u16(), asked.header("location")), (303, "/account/access?told=asked"));
    let page = hers.get("/account/access").await.text();
    assert!(page.contains(">removal<") && page.contains("I help no more"), "{page}");
    let queue = boss.get("/admin/requests").await.text();
    assert!(queue.contains("To be rid of the role support") && queue.contains("I help no more"), "{queue}");
}

#[tokio::test]
async fn a_decision_that_cannot_be_taken_is_told_at_the_form_and_a_late_one_too() {
    let (place, _, ada) = administered().await;
    let path = ask(&place, &ada, "news").await;
    let mut browser = place.browser_of("boss").await;
    let wrong = [("verdict", "approve"), ("comment", "so be it"), ("expires_at", "2020-01-01T00:00")];
    let answer = browser.submit(&path, &wrong).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("Must lie ahead.") && answer.text().contains("value=\"so be it\""));
    let token = crate::browser::form_of(&browser.get(&path).await.text(), &path)[0].1.clone();
    assert_eq!(browser.submit(&path, &[("verdict", "decline")]).await.status, 303);
    let late = browser.post(&path, &format!("form_token={token}&verdict=approve")).await;
    assert_eq!(late.status, 409);
    assert!(late.text().contains("role=\"alert\"") && late.text().contains("declined"), "{}", late.text());
    assert_eq!(browser.post(&path, &format!("form_token={token}&verdict=maybe")).await.status, 404);
}

#[tokio::test]
async fn nobody_decides_their_own_request_nor_sees_that_of_others() {
    let (place, _, ada) = administered().await;
    let path = ask(&place, &ada, "news").await;
    let mut of_ada = place.browser_of("ada").await;
    let page = of_ada.get(&path).await;
    assert!(page.status == 200 && !page.text().contains("value=\"approve\""), "her own, without a decision");
    let token = crate::browser::form_of(&page.text(), "/sign-out")[0].1.clone();
    let tried = of_ada.post(&path, &format!("form_token={token}&verdict=approve")).await;
    assert!(tried.status.is_client_error(), "{}", tried.status);
    place.member("eve").await;
    let mut of_eve = place.browser_of("eve").await;
    assert_eq!(of_eve.get(&path).await.status, 404);
    assert!(!of_eve.get("/admin/requests").await.text().contains(&path));
    let token = crate::browser::form_of(&of_eve.get("/account").await.text(), "/sign-out")[0].1.clone();
    assert_eq!(of_eve.post(&path, &format!("form_token={token}&verdict=approve")).await.status, 404);
    let mut browser = place.browser_of("boss").await;
    assert!(browser.get(&path).await.text().contains("value=\"approve\""), "it is open still");
    let foreign = [("sec-fetch-site", "cross-site")];
    assert_eq!(browser.send("POST", &path, &foreign, "verdict=approve").await.status, 403);
}

/// AC-118: reasons and comments are shown as text.
#[tokio::test]
async fn reasons_and_comments_are_shown_as_text() {
    let (place, _, ada) = administered().await;
    let path = ask(&place, &ada, HOSTILE).await;
    let mut browser = place.browser_of("boss").await;
    is_safe(&browser.get("/admin/requests").await.text());
    is_safe(&browser.get(&path).await.text());
    assert_eq!(browser.submit(&path, &[("verdict", "decline"), ("comment", HOSTILE)]).await.status, 303);
    let page = browser.get(&path).await.text();
    is_safe(&page);
    assert_eq!(page.matches("&lt;script&gt;").count(), 2, "reason and comment");
}
