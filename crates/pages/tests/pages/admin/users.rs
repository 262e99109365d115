//! Accounts in the browser: found, shown, blocked, given roles.

use std::time::Duration;

use userd_model::{GrantKind, UserStatus};
use userd_services::UserView;

use super::{HOSTILE, administered, give, is_safe};
use crate::browser::{PASSWORD, Place, form_of};

fn of(user: &UserView, rest: &str) -> String {
    format!("/admin/users/{}{rest}", user.id)
}

async fn status(place: &Place, user: &UserView) -> UserStatus {
    place.services().user_reader.show(user.id).await.unwrap().status
}

#[tokio::test]
async fn an_account_is_found_by_its_address_its_name_and_its_id() {
    let (place, root, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let link = format!("href=\"{}\"", of(&ada, ""));
    for query in ["ada@example.org", "ad", "Ada+Love", &ada.id.to_string()] {
        let page = browser.get(&format!("/admin/users?query={query}")).await.text();
        assert!(page.contains(&link) && !page.contains(&of(&root, "")), "{query}: {page}");
    }
    for query in ["?query=nobody@example.org", "?query=zz", "?status=deleted", "?created_after=2030-01-01"] {
        let page = browser.get(&format!("/admin/users{query}")).await.text();
        assert!(!page.contains(&link) && page.contains("Nothing is here that fits"), "{query}: {page}");
    }
    assert!(browser.get("/admin/users?role=admin").await.text().contains(&of(&root, "")));
    assert_eq!(browser.get("/admin/users?created_after=yesterday").await.status, 400);
}

/// AC-113: the place of a page is one that this service has made for this list.
#[tokio::test]
async fn a_long_list_goes_on_with_its_filters_and_takes_no_other_place() {
    let (place, ..) = administered().await;
    for number in 0..35 {
        place.member(&format!("user{number:02}")).await;
    }
    let mut browser = place.browser_of("boss").await;
    // The link to the form for a new account is none to an account.
    let accounts =
        |page: &str| page.matches("href=\"/admin/users/").count() - page.matches("href=\"/admin/users/+").count();
    let page = browser.get("/admin/users?query=user&status=active").await.text();
    assert_eq!(accounts(&page), 25);
    let start = page.find("/admin/users?query=user&amp;status=active&amp;cursor=").unwrap();
    let next = crate::browser::unescaped(page[start..].split('"').next().unwrap());
    let page = browser.get(&next).await.text();
    assert_eq!(accounts(&page), 10);
    assert!(page.contains("To the beginning") && !page.contains("Next page"));
    assert_eq!(browser.get(&next.replace("status=active", "status=blocked")).await.status, 400, "another list's");
    assert_eq!(browser.get("/admin/users?cursor=AAAA").await.status, 400);
}

#[tokio::test]
async fn the_detail_shows_what_is_known() {
    let (place, _, ada) = administered().await;
    give(&place, &ada, GrantKind::Permission, "audit.read").await;
    place.browser_of("ada").await;
    let page = place.browser_of("boss").await.get(&of(&ada, "")).await.text();
    for shown in ["Ada Lovelace", "ada@example.org", "not confirmed", "active", "audit.read", "operator", "2 sessions"]
    {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("/acts/unblock") && !page.contains("/acts/restore"), "nothing that does not fit");
}

#[tokio::test]
async fn an_account_is_blocked_with_a_reason_and_unblocked() {
    let (place, _, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let mut of_ada = place.browser_of("ada").await;
    let block = of(&ada, "/acts/block");
    let wrong = browser.submit(&block, &[("reason", "spam"), ("until", "2020-01-01T10:00")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("Must lie ahead.") && wrong.text().contains("value=\"spam\""), "{}", wrong.text());
    let answer = browser.submit(&block, &[("reason", "spam"), ("until", "2030-01-01T10:00")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, of(&ada, "?done=block").as_str()));
    let page = browser.get(&of(&ada, "?done=block")).await.text();
    for shown in ["The account is blocked.", "spam", "1 January 2030, 10:00 UTC", "/acts/unblock"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert_eq!(of_ada.get("/account").await.status, 303, "the session is over at once");
    assert_eq!(browser.submit(&of(&ada, "/acts/unblock"), &[]).await.status, 303);
    assert_eq!(status(&place, &ada).await, UserStatus::Active);
}

/// Sends: /admin/users/{id}/acts/{act}
#[tokio::test]
async fn an_account_is_signed_out_deleted_restored_and_erased() {
    let (place, _, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let mut of_ada = place.browser_of("ada").await;
    assert_eq!(browser.submit(&of(&ada, "/acts/sign-out"), &[]).await.status, 303);
    assert_eq!(of_ada.get("/account").await.status, 303);
    for act in ["require-password-change", "send-password-reset", "reset-factors"] {
        let answer = browser.submit(&of(&ada, &format!("/acts/{act}")), &[]).await;
        assert_eq!(answer.status, 303, "{act}: {}", answer.text());
    }
    for (act, left) in
        [("delete", UserStatus::Deleted), ("restore", UserStatus::Active), ("delete", UserStatus::Deleted)]
    {
        assert_eq!(browser.submit(&of(&ada, &format!("/acts/{act}")), &[]).await.status, 303, "{act}");
        assert_eq!(status(&place, &ada).await, left, "{act}");
    }
    let page = browser.get(&of(&ada, "")).await.text();
    assert!(page.contains("/acts/restore") && page.contains("/acts/purge") && !page.contains("/acts/sign-out"));
    assert!(page.contains("/acts/block"), "who was deleted comes back blocked then");
    let answer = browser.submit(&of(&ada, "/acts/purge"), &[]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/admin/users?done=purge"));
}

#[tokio::test]
async fn what_an_administrator_may_not_do_is_not_shown_and_refused() {
    let (place, root, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let page = browser.get(&of(&root, "")).await.text();
    assert!(!page.contains("/acts/block") && !page.contains("/acts/delete") && page.contains("/acts/sign-out"));
    assert!(!page.contains("/grants/give"), "nobody gives to themself");
    assert_eq!(browser.get(&of(&root, "/acts/block")).await.status, 403);
    let token = form_of(&page, "/sign-out")[0].1.clone();
    let body = format!("form_token={token}");
    assert_eq!(browser.post(&of(&root, "/acts/delete"), &body).await.status, 403);
    assert_eq!(browser.get(&of(&ada, "/acts/dance")).await.status, 404);
    let last = browser.submit(&of(&root, "/grants/role/admin/take"), &[]).await;
    assert_eq!(last.status, 409);
    assert!(last.text().contains("This is the last administrator"), "{}", last.text());

    let viewer = place.member("viewer").await;
    give(&place, &viewer, GrantKind::Permission, "users.read").await;
    let mut viewing = place.browser_of("viewer").await;
    let page = viewing.get(&of(&ada, "")).await;
    assert!(page.status == 200 && !page.text().contains("/acts/") && !page.text().contains("/grants/"));
    let token = form_of(&page.text(), "/sign-out")[0].1.clone();
    for path in ["/acts/block", "/acts/delete", "/acts/sign-out", "/grants/give"] {
        assert_eq!(viewing.get(&of(&ada, path)).await.status, 403, "{path}");
        let tried = viewing.post(&of(&ada, path), &format!("form_token={token}&name=admin")).await;
        assert_eq!(tried.status, 403, "{path}");
        assert!(tried.text().contains("You may not do this"), "{path}");
    }
    assert_eq!(status(&place, &ada).await, UserStatus::Active);
}

#[tokio::test]
async fn a_form_of_another_site_administers_nothing() {
    let (place, _, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let block = of(&ada, "/acts/block");
    let token = form_of(&browser.get(&block).await.text(), &block)[0].1.clone();
    let good = format!("form_token={token}");
    for (headers, sent) in [
        (vec![("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")], good.as_str()),
        (vec![("origin", "https://evil.example")], &good),
        (vec![("sec-fetch-site", "same-origin")], "form_token=0000"),
        (vec![("sec-fetch-site", "same-origin")], "reason=x"),
    ] {
        assert_eq!(browser.send("POST", &block, &headers, sent).await.status, 403, "{headers:?} {sent}");
    }
    assert_eq!(status(&place, &ada).await, UserStatus::Active);
}

/// ASVS V7.5.3, V8.4.2
#[tokio::test]
async fn what_matters_most_asks_for_a_fresh_proof_and_comes_back() {
    let (place, _, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let path = of(&ada, "/acts/reset-factors");
    let sent = format!("form_token={}", form_of(&browser.get(&path).await.text(), &path)[0].1);
    place.app.clock.advance(Duration::from_secs(3600));
    let to = format!("/account/prove?next={}", path.replace('/', "%2F"));
    for answer in [browser.get(&path).await, browser.post(&path, &sent).await] {
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, to.as_str()));
    }
}

/// Sends: /admin/users/{id}/grants/give, /admin/users/{id}/grants/{kind}/{name}/take
#[tokio::test]
async fn a_role_is_given_with_a_reason_and_an_end_and_taken() {
    let (place, _, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let path = of(&ada, "/grants/give");
    assert!(browser.get(&path).await.text().contains("<option value=\"admin\">"));
    let fields = [("kind", "role"), ("name", "admin"), ("reason", "stands in"), ("expires_at", "2020-01-01T00:00")];
    let wrong = browser.submit(&path, &fields).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("Must lie ahead.") && wrong.text().contains("value=\"stands in\""));
    for (kind, told) in [("role", "No such role."), ("permission", "No such permission.")] {
        let unknown = browser.submit(&path, &[("kind", kind), ("name", "king"), ("reason", "stands in")]).await;
        let html = unknown.text();
        assert_eq!(unknown.status, 422, "{html}");
        assert!(html.contains("id=\"name-wrong\"") && html.contains(told), "{html}");
        assert!(
            html.contains("value=\"king\"") && html.contains("value=\"stands in\""),
            "what was typed stays: {html}"
        );
    }
    let fields = [("kind", "role"), ("name", "admin"), ("reason", "stands in"), ("expires_at", "2030-01-01T00:00")];
    assert_eq!(browser.submit(&path, &fields).await.status, 303);
    let page = browser.get(&of(&ada, "?done=given")).await.text();
    for shown in ["It is given.", "stands in", "1 January 2030", "/grants/role/admin/take"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let mut of_ada = place.browser_of("ada").await;
    assert_eq!(of_ada.get("/admin/users").await.status, 200);
    assert_eq!(browser.submit(&of(&ada, "/grants/role/admin/take"), &[]).await.status, 303);
    assert_eq!(of_ada.get("/admin/users").await.status, 404, "at once");
}

/// AC-118: names, reasons and devices are shown as text.
#[tokio::test]
async fn what_people_write_is_shown_to_administrators_as_text() {
    let (place, ..) = administered().await;
    let eve = place.member_called("eve", HOSTILE).await;
    let mut of_eve = place.browser();
    of_eve.headers.push(("user-agent", HOSTILE.to_owned()));
    of_eve.submit("/sign-in", &[("login", "eve"), ("password", PASSWORD)]).await;
    let mut browser = place.browser_of("boss").await;
    let given = [("kind", "permission"), ("name", "audit.read"), ("reason", HOSTILE)];
    assert_eq!(browser.submit(&of(&eve, "/grants/give"), &given).await.status, 303);
    let page = browser.get(&of(&eve, "")).await.text();
    is_safe(&page);
    assert!(page.matches("&lt;script&gt;").count() >= 4, "title, name, device, reason: {page}");
    is_safe(&browser.submit(&of(&eve, "/acts/block"), &[("reason", HOSTILE), ("until", HOSTILE)]).await.text());
    assert_eq!(browser.submit(&of(&eve, "/acts/block"), &[("reason", HOSTILE)]).await.status, 303);
    is_safe(&browser.get(&of(&eve, "")).await.text());
    let encoded: String = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    for name in ["query", "role", "provider", "status", "created_after", "done", "cursor"] {
        let page = browser.get(&format!("/admin/users?{name}={encoded}")).await.text();
        assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{name}: {page}");
    }
    is_safe(&browser.get("/admin/users?status=blocked").await.text());
}

#[tokio::test]
async fn an_account_is_held_back_from_erasure_and_let_go_again() {
    let (place, _, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    assert_eq!(browser.submit(&of(&ada, "/acts/hold"), &[("reason", HOSTILE)]).await.status, 303);
    let page = browser.get(&of(&ada, "?done=hold")).await.text();
    is_safe(&page);
    assert!(page.contains("May not be erased") && page.contains("/acts/lift-hold") && !page.contains("/acts/hold\""));
    browser.submit(&of(&ada, "/acts/delete"), &[]).await;
    let refused = browser.submit(&of(&ada, "/acts/purge"), &[]).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(browser.submit(&of(&ada, "/acts/lift-hold"), &[]).await.status, 303);
    let page = browser.get(&of(&ada, "")).await.text();
    assert!(!page.contains("May not be erased") && page.contains("/acts/hold\""), "{page}");
    browser.submit(&of(&ada, "/acts/restore"), &[]).await;
    give(&place, &ada, GrantKind::Permission, "users.read").await;
    let mut of_ada = place.browser_of("ada").await;
    let root = place.services().users.find(&place.services().operator_context(), "boss").await.unwrap();
    let page = of_ada.get(&of(&root, "")).await.text();
    assert!(!page.contains("hold"), "not shown to whoever may not: {page}");
    assert_eq!(of_ada.get(&of(&root, "/acts/hold")).await.status, 403);
}

/// The list is the same page for a script that looks it up anew while somebody types.
#[tokio::test]
async fn what_a_script_replaces_while_somebody_types_is_marked() {
    let (place, ..) = administered().await;
    let page = place.browser_of("boss").await.get("/admin/users?query=ada").await.text();
    assert!(page.contains("data-live=\"found\"") && page.contains("<div id=\"found\" aria-live=\"polite\">"), "{page}");
}

/// Sends: /admin/users/{id}/identities/{identity}/unlink
#[tokio::test]
async fn an_account_elsewhere_is_unlinked_by_whoever_may_and_only_where_it_is_linked() {
    let (place, root, ada) = administered().await;
    let none = "/identities/0197a5c1-4b1c-7d8e-8f00-000000000001/unlink";
    let mut browser = place.browser_of("boss").await;
    let token = form_of(&browser.get("/account").await.text(), "/sign-out")[0].1.clone();
    assert_eq!(browser.get(&of(&ada, none)).await.status, 404);
    assert_eq!(browser.post(&of(&ada, none), &format!("form_token={token}")).await.status, 404);
    assert_eq!(browser.post(&of(&ada, none), "").await.status, 403, "not a form of this browser");
    assert_eq!(browser.get(&of(&root, none)).await.status, 403, "one's own are unlinked in the account");
    give(&place, &ada, GrantKind::Permission, "users.read").await;
    assert_eq!(place.browser_of("ada").await.get(&of(&root, none)).await.status, 404);
}

/// Sends: /admin/users/{id}/change
#[tokio::test]
async fn an_account_is_made_for_somebody_and_its_profile_is_changed() {
    let (place, _, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let wrong = browser.submit("/admin/users/+make", &[("email", "no address"), ("roles", "no.such")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("email-wrong") && wrong.text().contains("roles-wrong"), "{}", wrong.text());
    let fields = [("email", "eve@example.org"), ("display_name", HOSTILE), ("locale", "ru")];
    let made = browser.submit("/admin/users/+make", &fields).await;
    let at = made.header("location").to_owned();
    assert!(made.status == 303 && at.ends_with("?done=made"), "{}", made.text());
    let page = browser.get(&at).await.text();
    is_safe(&page);
    let path = at.trim_end_matches("?done=made").to_owned();
    for way in [format!("{path}/change"), path.replace("/admin/users/", "/admin/audit?subject=")] {
        assert!(page.contains(&format!("href=\"{way}\"")), "{way}: {page}");
    }
    let form = format!("{path}/change");
    let stale = form_of(&browser.get(&form).await.text(), &form);
    let changed =
        browser.submit(&form, &[("display_name", "Eve"), ("locale", "en"), ("time_zone", "Europe/Moscow")]).await;
    assert_eq!(changed.header("location"), format!("{path}?done=changed"), "{}", changed.text());
    assert!(browser.get(&path).await.text().contains("Eve"));
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(stale.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    body.append_pair("display_name", "Eve the Second");
    let late = browser.post(&form, &body.finish()).await;
    assert_eq!(late.status, 412, "changed in another window meanwhile");
    assert!(
        late.text().contains("changed in another window") && late.text().contains("Eve the Second"),
        "{}",
        late.text()
    );
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form_of(&late.text(), &form)).append_pair("display_name", "Eve the Second");
    assert_eq!(browser.post(&form, &body.finish()).await.status, 303, "the second try is over that change");
    assert_eq!(browser.submit(&form, &[("time_zone", "Mars/Phobos")]).await.status, 422);
    give(&place, &ada, GrantKind::Permission, "users.read").await;
    let mut browser = place.browser_of("ada").await;
    assert!(!browser.get(&path).await.text().contains("/change\""));
    for path in [form.as_str(), "/admin/users/+make"] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
}
