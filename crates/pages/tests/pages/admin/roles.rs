//! Roles and permissions in the browser.

use userd_model::{Actor, GrantKind, RoleRules, role::AutoApprove};
use userd_services::roles::{Declared, RoleInput};

use super::{HOSTILE, administered, give, is_safe};
use crate::browser::form_of;

/// Sends: /admin/roles/{name}/remove, /admin/permissions/{name}/remove
#[tokio::test]
async fn a_permission_is_registered_and_a_role_is_made_of_it() {
    let (place, ..) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let wrong =
        browser.submit("/admin/permissions/register", &[("name", "Not a word"), ("description", HOSTILE)]).await;
    assert_eq!(wrong.status, 422);
    is_safe(&wrong.text());
    let fields = [("name", "billing.read"), ("description", HOSTILE)];
    assert_eq!(browser.submit("/admin/permissions/register", &fields).await.status, 303);
    let page = browser.get("/admin/permissions?done=registered").await.text();
    assert!(page.contains("billing.read") && page.contains("can be given"), "{page}");
    is_safe(&page);
    let wrong =
        browser.submit("/admin/roles/+make", &[("name", "clerk"), ("other_permissions", "billing.write")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("billing.write: No such permission: register it first."), "{}", wrong.text());
    let fields =
        [("name", "clerk"), ("permissions", "billing.read"), ("description", HOSTILE), ("includes", "support")];
    let made = browser.submit("/admin/roles/+make", &fields).await;
    assert_eq!(
        (made.status.as_u16(), made.header("location")),
        (303, "/admin/roles/clerk?done=made"),
        "{}",
        made.text()
    );
    let page = browser.get("/admin/roles/clerk?done=made").await.text();
    for shown in ["The role is made.", "billing.read", "users.read", "href=\"/admin/roles/support\"", "made here"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    is_safe(&page);
    is_safe(&browser.get("/admin/roles").await.text());
    let used = browser.submit("/admin/permissions/billing.read/remove", &[]).await;
    assert_eq!(used.status, 409, "a role has it");
    assert_eq!(browser.submit("/admin/roles/clerk/remove", &[]).await.status, 303);
    assert_eq!(browser.submit("/admin/permissions/billing.read/remove", &[]).await.status, 303);
    assert!(!browser.get("/admin/permissions").await.text().contains("billing.read"));
    browser.cookies.insert("__Host-userd_language".to_owned(), "ru".to_owned());
    assert!(browser.get("/admin/permissions").await.text().contains("Видеть любую учётную запись и её сеансы."));
    assert!(browser.get("/admin/roles").await.text().contains("Ведёт учётные записи"));
}

/// Sends: /admin/roles/{name}/change
#[tokio::test]
async fn what_a_change_of_a_role_does_is_shown_before_it_is_done() {
    let (place, _, ada) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let services = place.services();
    let operator = services.context().acting_as(Actor::Operator);
    let rules = RoleRules {
        description: Some("Helps".to_owned()),
        includes: vec!["support".to_owned()],
        ..RoleRules::default()
    };
    let input = RoleInput { permissions: vec!["audit.read".to_owned()], rules };
    services.roles.create(&operator, "clerk", &input, None).await.unwrap();
    give(&place, &ada, GrantKind::Role, "clerk").await;
    let page = browser.get("/admin/roles/clerk").await.text();
    assert!(page.contains("Ada Lovelace") && page.contains(&format!("/admin/users/{}", ada.id)), "who has it: {page}");
    let path = "/admin/roles/clerk/change";
    let kept = [("description", "Helps"), ("quorum", "1"), ("decline_quorum", "1"), ("request_ttl", "7d")];
    let with = |more: &[(&'static str, &'static str)]| [kept.as_slice(), more].concat();
    let same = browser.submit(path, &with(&[("permissions", "audit.read"), ("includes", "support")])).await.text();
    assert!(same.contains("Nothing changes by this.") && !same.contains("value=\"yes\">Save"), "{same}");
    let fields = with(&[("permissions", "users.read"), ("includes", "support approver"), ("requestable", "yes")]);
    let shown = browser.submit(path, &fields).await;
    assert_eq!(shown.status, 200);
    let page = shown.text();
    for told in
        ["Added: <code>users.read</code>", "Taken away: <code>audit.read</code>", "Added: <code>approver</code>"]
    {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(page.contains("People may ask for it") && !page.contains("How many must approve"), "only what changes");
    let before = services.roles.show(&operator, "clerk").await.unwrap();
    assert_eq!(before.permissions, ["audit.read"], "nothing is changed yet");
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form_of(&page, path));
    let body = body.finish();
    let again = browser.post(path, &format!("{body}&again=yes")).await.text();
    assert!(again.contains("value=\"support approver\"") || again.contains("value=\"approver support\""), "{again}");
    assert_eq!(browser.post(path, &format!("{body}&confirmed=yes")).await.status, 303);
    let after = services.roles.show(&operator, "clerk").await.unwrap();
    assert_eq!((after.permissions, after.rules.requestable), (vec!["users.read".to_owned()], true));
    let late = browser.post(path, &format!("{body}&permissions=audit.read&confirmed=yes")).await;
    assert_eq!(late.status, 412, "it was changed since: {}", late.text());
    let wrong = browser.submit(path, &with(&[("quorum", "many"), ("max_duration", "long")])[1..]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("Must be a number with s, m, h or d."), "{}", wrong.text());
}

#[tokio::test]
async fn a_role_that_cannot_be_changed_here_says_why() {
    let (place, _, ada) = administered().await;
    let services = place.services();
    let operator = services.context().acting_as(Actor::Operator);
    let declared = Declared { roles: vec![("declared".to_owned(), RoleInput::default())], ..Declared::default() };
    services.roles.apply(&operator, &services.permissions, &declared).await.unwrap();
    let mut browser = place.browser_of("boss").await;
    for (role, why) in [("declared", "The configuration declares this role"), ("admin", "nobody changes it")] {
        let page = browser.get(&format!("/admin/roles/{role}")).await.text();
        assert!(page.contains(why) && !page.contains("/change\""), "{role}: {page}");
        let tried = browser.get(&format!("/admin/roles/{role}/change")).await;
        assert!(tried.status.is_client_error(), "{role}: {}", tried.status);
    }
    let token = form_of(&browser.get("/admin/roles").await.text(), "/sign-out")[0].1.clone();
    let tried = browser.post("/admin/roles/declared/remove", &format!("form_token={token}")).await;
    assert_eq!(tried.status, 409);
    for permission in ["roles.read", "roles.manage"] {
        give(&place, &ada, GrantKind::Permission, permission).await;
    }
    let mut of_ada = place.browser_of("ada").await;
    let page = of_ada.get("/admin/roles/support").await.text();
    assert!(page.contains("you may not do yourself") && !page.contains("/change\""), "{page}");
    assert_eq!(of_ada.get("/admin/roles/support/change").await.status, 403);
    assert!(!page.contains("Who has it"), "that is for whoever may see accounts");
    let form = of_ada.get("/admin/roles/+make").await.text();
    assert!(form.contains("value=\"users.purge\" disabled") && form.contains("Greyed out"), "{form}");
}

#[tokio::test]
async fn whoever_may_only_read_roles_is_shown_no_way_to_change_them() {
    let (place, _, ada) = administered().await;
    give(&place, &ada, GrantKind::Permission, "roles.read").await;
    let mut browser = place.browser_of("ada").await;
    let page = browser.get("/admin/roles").await.text();
    assert!(page.contains("support") && !page.contains("+make"), "{page}");
    assert!(!browser.get("/admin/permissions").await.text().contains("/register"));
    let token = form_of(&page, "/sign-out")[0].1.clone();
    for path in [
        "/admin/roles/+make",
        "/admin/roles/support/change",
        "/admin/roles/support/remove",
        "/admin/permissions/register",
        "/admin/permissions/users.read/remove",
    ] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
        assert_eq!(browser.post(path, &format!("form_token={token}")).await.status, 404, "{path}");
    }
    let mut of_boss = place.browser_of("boss").await;
    assert_eq!(of_boss.post("/admin/roles/support/remove", "").await.status, 403, "not a form of this browser");
}

/// What asks for more than somebody may give is mended where it was written.
#[tokio::test]
async fn a_role_that_is_more_than_its_maker_keeps_what_was_written() {
    let (place, root, ada) = administered().await;
    for permission in ["roles.read", "roles.manage", "roles.grant", "users.read"] {
        give(&place, &ada, GrantKind::Permission, permission).await;
    }
    let mut browser = place.browser_of("ada").await;
    let fields = [("name", "clerk"), ("description", "Helps"), ("includes", "user_manager")];
    let refused = browser.submit("/admin/roles/+make", &fields).await;
    let page = refused.text();
    assert_eq!(refused.status, 403, "{page}");
    for kept in ["role=\"alert\"", "Your rights do not suffice", "value=\"Helps\"", "value=\"user_manager\""] {
        assert!(page.contains(kept), "{kept}: {page}");
    }
    let give_to = format!("/admin/users/{}/grants/give", root.id);
    let refused = browser.submit(&give_to, &[("kind", "role"), ("name", "user_manager"), ("reason", "to help")]).await;
    let page = refused.text();
    assert!(refused.status == 403 && page.contains("value=\"to help\""), "{page}");
}

/// Decision 0064: whoever manages roles and gives none is not offered what is refused to them afterwards.
#[tokio::test]
async fn a_role_that_a_rule_gives_is_changed_by_those_alone_who_may_give_it() {
    let (place, _, ada) = administered().await;
    let services = place.services();
    let operator = services.context().acting_as(Actor::Operator);
    let at_once = RoleRules { requestable: true, auto_approve: AutoApprove::All(true), ..RoleRules::default() };
    let above = RoleRules { includes: vec!["within".to_owned()], ..at_once.clone() };
    for (name, rules) in [("plain", RoleRules::default()), ("within", RoleRules::default()), ("above", above)] {
        let input = RoleInput { permissions: Vec::new(), rules };
        services.roles.create(&operator, name, &input, None).await.unwrap();
    }
    let input = RoleInput { permissions: Vec::new(), rules: at_once };
    services.roles.create(&operator, "given", &input, None).await.unwrap();
    for permission in ["roles.read", "roles.manage"] {
        give(&place, &ada, GrantKind::Permission, permission).await;
    }
    let (mut of_ada, mut of_boss) = (place.browser_of("ada").await, place.browser_of("boss").await);
    for path in ["/admin/roles/+make", "/admin/roles/plain/change"] {
        let (offered, page) = ("name=\"auto_approve\"", of_ada.get(path).await.text());
        assert!(!page.contains(offered) && page.contains("by those who may give rights, too"), "{path}: {page}");
        assert!(of_boss.get(path).await.text().contains(offered), "{path}");
    }
    let made = of_ada.submit("/admin/roles/+make", &[("name", "by-ada")]).await;
    assert_eq!(made.header("location"), "/admin/roles/by-ada?done=made", "{}", made.text());
    for (name, is_kept) in [("plain", false), ("within", true), ("above", true), ("given", true)] {
        let path = format!("/admin/roles/{name}");
        let page = of_ada.get(&path).await.text();
        assert!(page.contains("/remove\""), "that takes no rule: {name}: {page}");
        assert_eq!(page.contains("A rule gives this role"), is_kept, "{name}: {page}");
        assert_eq!(page.contains("/change\""), !is_kept, "{name}: {page}");
        let status = of_ada.get(&format!("{path}/change")).await.status;
        assert_eq!(status, if is_kept { 403 } else { 200 }, "{name}");
        assert!(of_boss.get(&path).await.text().contains("/change\""), "{name}");
    }
}
