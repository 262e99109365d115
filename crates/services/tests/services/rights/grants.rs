//! Giving and taking: at most what one may do, at once, and for as long as was said.

use std::time::Duration;

use userd_model::{EventKind, GrantKind, GrantSource, Permission, Refusal, Role, RoleRules, UserId};
use userd_services::{
    roles::{Check, GrantInput},
    users::Block,
};

use super::support::titles;
use crate::{
    deliveries::settle,
    fixture::{Fixture, MINUTE, refusal, wrong_fields},
    personas::{PASSWORD, acting, of},
};

const HOUR: Duration = Duration::from_secs(3600);

fn for_good() -> GrantInput {
    GrantInput::default()
}

/// AC-098: a granter gives what they may do, to others, and nobody makes themselves more. (12.1)
#[apply(case)]
async fn nobody_gives_what_they_may_not_do_nor_to_themselves(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, root) = (app.member("ada").await, app.admin().await);
    let granter =
        app.service(&[Permission::ROLES_GRANT, Permission::USERS_READ, Permission::DELIVERIES_READ]).await.actor;
    let (ctx, role) = (|| acting(&app, &granter), GrantKind::Role);
    assert!(app.grants.grant(&ctx(), ada.id, role, "support", &for_good()).await.is_ok());
    for name in [Role::ADMIN, "user_manager", "auditor"] {
        let answer = app.grants.grant(&ctx(), ada.id, role, name, &for_good()).await;
        assert_eq!(refusal(answer), Refusal::Forbidden, "{name}");
    }
    assert_eq!(refusal(app.grants.revoke(&ctx(), root.id, role, Role::ADMIN).await), Refusal::Forbidden);
    assert_eq!(refusal(app.grants.grant(&ctx(), ada.id, role, "nothing", &for_good()).await), Refusal::NotFound);
    let nobody = UserId(uuid::Uuid::nil());
    assert_eq!(refusal(app.grants.grant(&ctx(), nobody, role, "support", &for_good()).await), Refusal::NotFound);
    let root_acts = || async { acting(&app, &app.actor(&root).await) };
    let own = app.grants.grant(&root_acts().await, root.id, role, "support", &for_good()).await;
    assert_eq!(refusal(own), Refusal::Forbidden, "nobody gives to themselves");
    let plain = app.grants.grant(&of(&app, &ada), root.id, role, "support", &for_good()).await;
    assert_eq!(refusal(plain), Refusal::Forbidden);
    let past = GrantInput { expires_at: Some(app.now()), ..for_good() };
    let answer = app.grants.grant(&root_acts().await, ada.id, role, "support", &past).await;
    assert_eq!(wrong_fields(answer), ["/expires_at"]);
    assert_eq!(refusal(app.grants.of_user(&of(&app, &ada), root.id).await), Refusal::Forbidden);
}

/// The last administrator is lost in no way: not by taking the role, not by giving it an end. (11.5, 12.1)
#[apply(case)]
async fn the_last_administrator_keeps_the_role(fixture: Fixture) {
    let app = fixture.app().await;
    let (root, ada) = (app.admin().await, app.member("ada").await);
    let (ctx, role) = (app.operator_context(), GrantKind::Role);
    let ends = GrantInput { expires_at: Some(app.now().plus(HOUR)), ..for_good() };
    assert_eq!(refusal(app.grants.revoke(&ctx, root.id, role, Role::ADMIN).await), Refusal::LastAdministrator);
    assert_eq!(refusal(app.grants.grant(&ctx, root.id, role, Role::ADMIN, &ends).await), Refusal::LastAdministrator);
    // One for an hour is no other administrator.
    app.grants.grant(&ctx, ada.id, role, Role::ADMIN, &ends).await.unwrap();
    assert_eq!(refusal(app.grants.revoke(&ctx, root.id, role, Role::ADMIN).await), Refusal::LastAdministrator);
    assert_eq!(refusal(app.users.block_with(&ctx, root.id, &Block::default()).await), Refusal::LastAdministrator);
    app.grants.grant(&ctx, ada.id, role, Role::ADMIN, &for_good()).await.unwrap();
    let held = app.grants.of_user(&ctx, ada.id).await.unwrap();
    assert!(held.iter().all(|one| one.grant.period.expires_at.is_none()), "for good is without an end on every engine");
    app.grants.revoke(&ctx, root.id, role, Role::ADMIN).await.unwrap();
}

/// What is given is in the next token and in checks at once; what is taken is gone from tokens in use, everywhere. (12.1)
#[apply(case)]
async fn what_is_given_and_taken_counts_at_once(fixture: Fixture) {
    let (app, other) = fixture.two_apps().await;
    app.register_permission("cms.write").await;
    app.make_role("writer", &["cms.write"], RoleRules::default()).await;
    let ada = app.member("ada").await;
    let asking = app.service(&[Permission::PERMISSIONS_CHECK]).await.actor;
    let check = [Check { subject: ada.id, permission: "cms.write".to_owned() }];
    let asks = async |replica: &crate::fixture::TestApp| {
        replica.permission_checks.check(&acting(replica, &asking), &check).await.unwrap()[0].reason
    };
    assert_eq!((asks(&app).await, asks(&other).await), ("not_granted", "not_granted"));
    app.give_role(&ada, "writer").await;
    other.follow_revocations().await.unwrap();
    assert_eq!((asks(&app).await, asks(&other).await), ("granted", "granted"));
    let old = app.who(&ada.tokens.access_token).await.unwrap();
    assert!(old.token.claims.permissions.is_empty(), "the token of before goes on, without it");
    let tokens = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    assert_eq!(other.who(&tokens.access_token).await.unwrap().token.claims.permissions, ["cms.write"]);

    app.grants.revoke(&app.operator_context(), ada.id, GrantKind::Role, "writer").await.unwrap();
    other.follow_revocations().await.unwrap();
    for replica in [&app, &other] {
        assert_eq!(replica.who(&tokens.access_token).await.unwrap_err(), Refusal::NotSignedIn);
        assert_eq!(asks(replica).await, "not_granted");
    }
    let next = app.refresh(&tokens.refresh_token).await.unwrap().tokens;
    let claims = app.who(&next.access_token).await.unwrap().token.claims.clone();
    assert!(claims.roles.is_empty() && claims.permissions.is_empty());
    let events = app.events_of(ada.id).await;
    let of_roles: Vec<_> = events.iter().filter(|kind| kind.starts_with("user.role")).collect();
    assert_eq!(of_roles, ["user.role_granted", "user.role_revoked"]);
    let again = app.grants.revoke(&app.operator_context(), ada.id, GrantKind::Role, "writer").await;
    assert_eq!(refusal(again), Refusal::NotFound);
}

/// Introspection says what a user holds when it is asked: what was given after the token, what did not fit into it, and no
/// longer than the first end among it. (12.1)
#[apply(case)]
async fn introspection_says_what_is_held_now(fixture: Fixture) {
    let (app, other) = fixture.two_apps().await;
    let long: Vec<String> = (0..60).map(|number| format!("shop.{}.{number}", "x".repeat(80))).collect();
    for word in long.iter().map(String::as_str).chain(["cms.write"]) {
        app.register_permission(word).await;
    }
    app.make_role("writer", &["cms.write"], RoleRules::default()).await;
    app.make_role("shop", &long.iter().map(String::as_str).collect::<Vec<_>>(), RoleRules::default()).await;
    let ada = app.member("ada").await;
    let told = async |token: &str| {
        other.follow_revocations().await.unwrap();
        let mut said = Vec::new();
        for replica in [&app, &other] {
            said.push(replica.introspect(&replica.operator_context(), token).await.unwrap().token.unwrap());
        }
        assert_eq!(said[0], said[1], "every replica says the same");
        said.remove(0)
    };
    let token = ada.tokens.access_token.as_str();
    let before = told(token).await;
    assert_eq!((&before["roles"], &before["permissions"]), (&serde_json::json!([]), &serde_json::json!([])));

    let end = app.now().plus(MINUTE * 3);
    let for_minutes = GrantInput { expires_at: Some(end), ..for_good() };
    app.grants.grant(&app.operator_context(), ada.id, GrantKind::Role, "writer", &for_minutes).await.unwrap();
    let after = told(token).await;
    assert_eq!(after["roles"], serde_json::json!(["writer"]));
    assert_eq!(after["role_versions"], serde_json::json!([1]));
    assert_eq!(after["permissions"], serde_json::json!(["cms.write"]));
    assert_eq!(after["exp"], end.seconds(), "what ends first ends what is said");
    app.advance(MINUTE * 3);
    let ended = told(token).await;
    assert_eq!((&ended["permissions"], &ended["exp"]), (&serde_json::json!([]), &before["exp"]));

    app.give_role(&ada, "shop").await;
    let small = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    assert!(!app.who(&small.access_token).await.unwrap().token.claims.permissions_complete);
    let full = told(&small.access_token).await;
    assert_eq!(full["permissions"].as_array().unwrap().len(), 60);
    assert!(!full.contains_key("permissions_complete"), "nothing is missing");
}

/// A grant ends by itself: no token outlives it, and whoever writes it down changes nothing for anybody. (12.1)
#[apply(case)]
async fn a_grant_ends_by_itself_and_no_token_outlives_it(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let end = app.now().plus(MINUTE * 3);
    let input = GrantInput { reason: Some("stands in".into()), expires_at: Some(end), ..for_good() };
    let ctx = app.operator_context();
    app.grants.grant(&ctx, ada.id, GrantKind::Role, "support", &input).await.unwrap();
    let tokens = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    assert_eq!(tokens.expires_in, 180);
    let who = app.who(&tokens.access_token).await.unwrap();
    assert_eq!((who.token.claims.exp, who.token.claims.roles.as_slice()), (end, ["support".to_owned()].as_slice()));
    let held = app.grants.of_user(&of(&app, &ada), ada.id).await.unwrap();
    assert_eq!((held[0].reason.as_deref(), held[0].grant.source), (Some("stands in"), GrantSource::Direct));

    app.advance(MINUTE * 3);
    assert_eq!(app.who(&tokens.access_token).await.unwrap_err(), Refusal::NotSignedIn);
    // Before anybody has swept.
    let next = app.refresh(&tokens.refresh_token).await.unwrap();
    assert_eq!((next.user.roles.len(), next.tokens.expires_in), (0, 600));
    assert_eq!(app.grants.of_user(&of(&app, &ada), ada.id).await.unwrap(), []);
    let asking = app.service(&[Permission::PERMISSIONS_CHECK]).await.actor;
    let check = [Check { subject: ada.id, permission: "users.read".to_owned() }];
    let answer = app.permission_checks.check(&acting(&app, &asking), &check).await.unwrap();
    assert_eq!(answer[0].reason, "not_granted");

    assert_eq!(app.count_of(ada.id, EventKind::RoleRevoked).await, 0);
    assert_eq!(app.grants.end_due().await.unwrap(), 1);
    assert_eq!(app.grants.end_due().await.unwrap(), 0);
    assert_eq!(app.count_of(ada.id, EventKind::RoleRevoked).await, 1);
    let stored = app.reading().users().find(ada.id).await.unwrap().unwrap();
    assert!(stored.roles.is_empty() && stored.held.is_empty());
    assert!(app.who(&next.tokens.access_token).await.is_ok(), "nothing was revoked by it");
}

#[apply(case)]
async fn a_grant_may_start_later(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let input = GrantInput { starts_at: Some(app.now().plus(HOUR)), ..for_good() };
    app.register_permission("cms.write").await;
    let ctx = app.operator_context();
    app.grants.grant(&ctx, ada.id, GrantKind::Permission, "cms.write", &input).await.unwrap();
    let tokens = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    assert!(app.who(&tokens.access_token).await.unwrap().token.claims.permissions.is_empty());
    app.advance(HOUR);
    let next = app.refresh(&tokens.refresh_token).await.unwrap().tokens;
    assert_eq!(app.who(&next.access_token).await.unwrap().token.claims.permissions, ["cms.write"]);
}

/// Whoever was given something for long is told before it ends, once.
#[apply(case)]
async fn whoever_holds_something_for_a_while_is_reminded_once(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let ctx = app.operator_context();
    let (long, short) = (HOUR * 24 * 10, HOUR * 24 * 5);
    for (role, life) in [("support", long), ("auditor", short)] {
        let input = GrantInput { expires_at: Some(app.now().plus(life)), ..for_good() };
        app.grants.grant(&ctx, ada.id, GrantKind::Role, role, &input).await.unwrap();
    }
    assert_eq!(app.grants.remind().await.unwrap(), 0);
    app.advance(HOUR * 24 * 8);
    for _ in 0..2 {
        app.grants.remind().await.unwrap();
    }
    settle(&app).await;
    let told = titles(&app, &ada).await;
    let about: Vec<_> = told.iter().filter(|title| title.contains("ends soon")).collect();
    assert_eq!(about.len(), 1, "{told:?}");
}

/// A role that somebody has from the beginning is a grant like any other.
#[apply(case)]
async fn the_roles_of_a_new_account_are_grants(fixture: Fixture) {
    let app = fixture.app().await;
    let root = app.admin().await;
    let held = app.grants.of_user(&of(&app, &root), root.id).await.unwrap();
    let [one] = held.as_slice() else { panic!("{held:?}") };
    assert_eq!((one.grant.name.as_str(), one.grant.granted_by.as_str()), ("admin", "operator"));
    assert_eq!(app.login(&root.email, PASSWORD).await.unwrap().user.roles, ["admin"]);
}
