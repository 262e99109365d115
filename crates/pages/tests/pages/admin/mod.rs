//! Administration in a browser: who sees it, what it shows, and that it refuses what the API refuses.

mod clients;
mod log;
mod messages;
pub mod requests;
mod roles;
mod system;
mod users;
mod webhooks;

use userd_model::{Actor, GrantKind};
use userd_services::{UserView, roles::GrantInput};

use crate::browser::Place;

pub const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

/// Gives somebody a role or permission, as the operator does.
pub async fn give(place: &Place, to: &UserView, kind: GrantKind, name: &str) {
    let services = place.services();
    let ctx = services.context().acting_as(Actor::Operator);
    services.grants.grant(&ctx, to.id, kind, name, &GrantInput::default()).await.unwrap();
}

/// A place with an administrator `boss`, and `ada`.
pub async fn administered() -> (Place, UserView, UserView) {
    let place = Place::new().await;
    let root = place.member("boss").await;
    give(&place, &root, GrantKind::Role, "admin").await;
    let ada = place.member_called("ada", "Ada Lovelace").await;
    (place, root, ada)
}

pub fn is_safe(page: &str) {
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
}

#[tokio::test]
async fn every_page_of_administration_is_there_for_the_administrator_in_both_languages() {
    let (place, _, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    give(&place, &ada, GrantKind::Role, "admin").await;
    let of_ada = |rest: &str| format!("/admin/users/{}{rest}", ada.id);
    let mut pages =
        vec!["/admin/users".to_owned(), of_ada(""), of_ada("/grants/give"), of_ada("/grants/role/admin/take")];
    for path in
        ["/roles", "/roles/support", "/roles/+make", "/roles/support/change", "/roles/support/remove", "/permissions"]
    {
        pages.push(format!("/admin{path}"));
    }
    pages.extend(
        [
            "/admin/permissions/register",
            "/admin/clients",
            "/admin/clients/make",
            "/admin/webhooks",
            "/admin/webhooks/make",
        ]
        .map(str::to_owned),
    );
    for act in [
        "block",
        "sign-out",
        "require-password-change",
        "send-password-reset",
        "reset-factors",
        "delete",
        "hold",
        "lift-hold",
    ] {
        pages.push(of_ada(&format!("/acts/{act}")));
    }
    for (language, title) in [("en", "Administration"), ("ru", "Администрирование")] {
        browser.headers.push(("accept-language", language.to_owned()));
        for path in &pages {
            let page = browser.get(path).await;
            assert_eq!(page.status, 200, "{path}: {}", page.text());
            let html = page.text();
            assert!(html.contains(&format!("<html lang=\"{language}\">")) && html.contains(title), "{path}: {html}");
            assert!(!html.contains(" style=") && !html.contains("{n}") && !html.contains("{name}"), "{path}: {html}");
            for id in ["users", "main"] {
                assert_eq!(html.matches(&format!("id=\"{id}\"")).count(), usize::from(id == "main"), "{path}");
            }
            assert!(page.body.len() < 40 * 1024, "{path}: {} bytes", page.body.len());
        }
        browser.headers.pop();
    }
}

#[tokio::test]
async fn administration_is_not_there_for_others() {
    let (place, root, _) = administered().await;
    let mut browser = place.browser_of("ada").await;
    assert!(!browser.get("/account").await.text().contains("/admin"), "not shown");
    let of_root = |rest: &str| format!("/admin/users/{}{rest}", root.id);
    for path in [
        "/admin",
        "/admin/users",
        "/admin/audit",
        "/admin/roles",
        "/admin/permissions",
        "/admin/clients",
        "/admin/webhooks",
        "/admin/overview",
        "/admin/templates",
        "/admin/configuration",
        "/admin/doctor",
        "/admin/audit/export",
        "/admin/invitations",
        "/admin/deliveries",
        "/admin/signing-keys",
        &of_root(""),
        &of_root("/acts/block"),
        &of_root("/grants/give"),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.text().contains("There is no such page") && page.text().contains("Orchard"), "in the same look");
        let turned = place.browser().get(path).await;
        assert_eq!(turned.status, 303, "{path}: nobody is led to the sign-in");
    }
    let token = crate::browser::form_of(&browser.get("/account").await.text(), "/sign-out")[0].1.clone();
    let tried = browser.post(&of_root("/acts/block"), &format!("form_token={token}")).await;
    assert_eq!(tried.status, 404, "refused if tried");
    assert!(place.browser_of("boss").await.get("/account").await.text().contains("href=\"/admin\""));
}

/// What is there already is said at its field, as everything else is that is wrong with one.
#[tokio::test]
async fn a_name_that_is_taken_is_marked_where_it_was_typed() {
    let (place, ..) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let word = ("name", "billing.read");
    assert_eq!(browser.submit("/admin/permissions/register", &[word]).await.status, 303);
    for (path, fields, field, told) in [
        ("/admin/roles/+make", [("name", "support"), ("description", "Helps")], "name", "The name is taken."),
        ("/admin/permissions/register", [word, ("description", "Helps")], "name", "The name is taken."),
        ("/admin/permissions/register", [("name", "users.read"), ("description", "Helps")], "name", "This is built in"),
        ("/admin/users/+make", [("email", "ada@example.org"), ("username", "")], "email", "address is taken."),
        ("/admin/users/+make", [("username", "ada"), ("email", "")], "username", "The username is taken."),
    ] {
        let refused = browser.submit(path, &fields).await;
        let page = refused.text();
        assert_eq!(refused.status, 409, "{path}: {page}");
        let marked = page.split_once(&format!("<p class=\"wrong\" id=\"{field}-wrong\">"));
        let (_, said) = marked.unwrap_or_else(|| panic!("{path}: no mark at {field}: {page}"));
        assert!(said.split('<').next().unwrap().contains(told), "{path}: {page}");
        assert!(page.contains(&format!("value=\"{}\"", fields[0].1)), "what was typed stays: {page}");
    }
}
