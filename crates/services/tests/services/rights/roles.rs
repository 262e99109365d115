//! Roles and permissions, made and changed: within what the editor may do, without circles, and at once in every token.

use std::time::Duration;

use serde_json::{Value as Json, json};
use userd_model::{GrantKind, Permission, Refusal, Role, RoleRules, role::AutoApprove};
use userd_services::{
    Authenticated,
    audit::AuditFilter,
    roles::{Check, Declared, GrantInput},
};

use super::support::{allowing, requestable};
use crate::{
    fixture::{Fixture, refusal, wrong_fields},
    personas::{Member, PASSWORD, acting},
};

fn permissions(who: &Authenticated) -> Vec<String> {
    who.token.claims.permissions.clone()
}

/// AC-099: whoever edits roles gives nothing that they lack, and takes nothing that they lack either. (12.1, 12.2)
#[apply(case)]
async fn nobody_puts_into_a_role_what_they_may_not_do_themselves(fixture: Fixture) {
    let app = fixture.app().await;
    let editor = app.service(&[Permission::ROLES_MANAGE, Permission::ROLES_READ, Permission::USERS_READ]).await.actor;
    let ctx = || acting(&app, &editor);
    let narrow = allowing(&["users.read"], RoleRules::default());
    let made = app.roles.create(&ctx(), "reader", &narrow, None).await.unwrap();
    assert_eq!((made.version, made.permissions.as_slice()), (1, ["users.read".to_owned()].as_slice()));
    let wide = allowing(&["users.read", "users.manage"], RoleRules::default());
    assert_eq!(refusal(app.roles.create(&ctx(), "manager", &wide, None).await), Refusal::Forbidden);
    assert_eq!(refusal(app.roles.replace(&ctx(), "reader", &wide, None).await), Refusal::Forbidden);
    // By way of another role.
    app.make_role("strong", &["users.manage"], RoleRules::default()).await;
    let around = RoleRules { includes: vec!["strong".into()], ..RoleRules::default() };
    assert_eq!(refusal(app.roles.replace(&ctx(), "reader", &allowing(&[], around), None).await), Refusal::Forbidden);
    let empty = allowing(&[], RoleRules::default());
    assert_eq!(refusal(app.roles.replace(&ctx(), "strong", &empty, None).await), Refusal::Forbidden);
    assert_eq!(refusal(app.roles.remove(&ctx(), "strong", None).await), Refusal::Forbidden);
    for answer in [
        app.roles.replace(&app.operator_context(), Role::ADMIN, &empty, None).await.map(drop),
        app.roles.remove(&app.operator_context(), Role::ADMIN, None).await,
        app.roles.remove(&app.operator_context(), "support", None).await,
    ] {
        assert_eq!(refusal(answer), Refusal::BuiltIn);
    }
    assert_eq!(refusal(app.roles.create(&ctx(), "auditor", &narrow, None).await), Refusal::NameTaken);
    assert_eq!(refusal(app.roles.create(&ctx(), "reader", &narrow, None).await), Refusal::NameTaken);
    assert_eq!(refusal(app.roles.replace(&ctx(), "reader", &narrow, Some(7)).await), Refusal::VersionMismatch);
    assert_eq!(refusal(app.roles.show(&ctx(), "nothing").await), Refusal::NotFound);
    let nobody = app.service(&[Permission::USERS_READ]).await.actor;
    assert_eq!(refusal(app.roles.create(&acting(&app, &nobody), "x", &empty, None).await), Refusal::Forbidden);
    assert_eq!(refusal(app.roles.page(&acting(&app, &nobody), None, 10).await), Refusal::Forbidden);
}

/// A word is registered before it can be given; the words of others are given by whoever registers them.
#[apply(case)]
async fn a_permission_is_registered_before_it_can_be_used(fixture: Fixture) {
    let app = fixture.app().await;
    let root = app.admin().await;
    let ctx = || async { acting(&app, &app.actor(&root).await) };
    let role = allowing(&["billing.invoices.read"], RoleRules::default());
    let wrong = wrong_fields(app.roles.create(&ctx().await, "billing", &role, None).await);
    assert_eq!(wrong, ["/permissions/0"]);
    assert_eq!(
        refusal(app.permissions.register(&ctx().await, "users.read", None, false, None).await),
        Refusal::BuiltIn
    );
    assert_eq!(wrong_fields(app.permissions.register(&ctx().await, "Bad Word", None, false, None).await), ["/name"]);
    app.permissions.register(&ctx().await, "billing.invoices.read", Some("See invoices"), true, None).await.unwrap();
    let again = app.permissions.register(&ctx().await, "billing.invoices.read", None, false, None).await;
    assert_eq!(refusal(again), Refusal::NameTaken);
    app.roles.create(&ctx().await, "billing", &role, None).await.unwrap();
    let listed = app.permissions.page(&ctx().await, Some("billing"), 2).await.unwrap();
    let names: Vec<_> = listed.iter().map(|one| (one.name.as_str(), one.built_in, one.requestable)).collect();
    assert_eq!(names, [("billing.invoices.read", false, true), ("clients.manage", true, false)]);
    assert_eq!(refusal(app.permissions.remove(&ctx().await, "billing.invoices.read").await), Refusal::InUse);
    app.roles.remove(&ctx().await, "billing", None).await.unwrap();
    app.permissions.remove(&ctx().await, "billing.invoices.read").await.unwrap();
    assert_eq!(refusal(app.permissions.remove(&ctx().await, "billing.invoices.read").await), Refusal::NotFound);
    assert_eq!(refusal(app.permissions.remove(&ctx().await, "users.read").await), Refusal::BuiltIn);
}

#[apply(case)]
async fn roles_include_roles_but_never_in_a_circle(fixture: Fixture) {
    let app = fixture.app().await;
    app.register_permission("cms.read").await;
    app.register_permission("cms.write").await;
    let including = |names: &[&str]| RoleRules {
        includes: names.iter().map(|name| (*name).to_owned()).collect(),
        ..RoleRules::default()
    };
    app.make_role("reader", &["cms.read"], RoleRules::default()).await;
    app.make_role("writer", &["cms.write"], including(&["reader"])).await;
    app.make_role("chief", &[], including(&["writer", "support"])).await;
    let all = app.role_reader.permissions(&["chief".to_owned()]).await.unwrap();
    let words: Vec<_> = all.iter().map(Permission::as_str).collect();
    assert_eq!(words, ["users.read", "deliveries.read", "cms.read", "cms.write"]);
    let ctx = app.operator_context();
    for (name, rules, pointers) in [
        ("reader", including(&["chief"]), vec!["/includes/0"]),
        ("reader", including(&["reader"]), vec!["/includes"]),
        ("reader", including(&["nothing"]), vec!["/includes/0"]),
    ] {
        let answer = app.roles.replace(&ctx, name, &allowing(&["cms.read"], rules), None).await;
        assert_eq!(wrong_fields(answer), pointers, "{name}");
    }
    assert_eq!(refusal(app.roles.remove(&ctx, "reader", None).await), Refusal::InUse, "another one includes it");
}

/// Roles whose holders are granted something at once are as much named as approvers are: they must be there, few, and nobody removes
/// one under them, or whoever makes one of that name again would be trusted. (12.2)
#[apply(case)]
async fn a_role_that_is_trusted_must_be_there_and_stays(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = app.operator_context();
    let trusting = |names: &[&str]| {
        let roles = names.iter().map(|name| (*name).to_owned()).collect();
        allowing(&[], RoleRules { auto_approve: AutoApprove::Holders { roles }, ..requestable() })
    };
    app.make_role("staff", &[], RoleRules::default()).await;
    let many = vec!["staff"; Role::MAX_ROLES + 1];
    for (names, wrong) in [
        (&["staff", "nobody"][..], "/auto_approve/roles/0"),
        (&["Not A Name"][..], "/auto_approve/roles/0"),
        (&many[..], "/auto_approve/roles"),
    ] {
        let answer = app.roles.create(&ctx, "tools", &trusting(names), None).await;
        assert_eq!(wrong_fields(answer), [wrong], "{names:?}");
    }
    let made = app.roles.create(&ctx, "tools", &trusting(&["support", "staff", "tools", "staff"]), None).await.unwrap();
    let trusted = |role: &Role| role.rules.auto_approve.roles().join(" ");
    assert_eq!(trusted(&made), "staff support tools", "each once; its own holders renew it");
    assert_eq!(refusal(app.roles.remove(&ctx, "staff", None).await), Refusal::InUse);
    assert_eq!(wrong_fields(app.roles.replace(&ctx, "tools", &trusting(&["nobody"]), None).await).len(), 1);
    app.roles.replace(&ctx, "tools", &trusting(&["support", "tools"]), None).await.unwrap();
    app.roles.remove(&ctx, "staff", None).await.unwrap();
    app.roles.remove(&ctx, "tools", None).await.unwrap();
}

/// A rule that grants at once gives rights: whoever makes it, or changes what it leads to, is one who may give them. (0064)
#[apply(case)]
async fn a_rule_that_grants_at_once_needs_the_right_to_grant(fixture: Fixture) {
    let app = fixture.app().await;
    let editor = app.service(&[Permission::ROLES_MANAGE, Permission::USERS_READ]).await.actor;
    let giver = app.service(&[Permission::ROLES_MANAGE, Permission::ROLES_GRANT, Permission::USERS_READ]).await.actor;
    let (edits, gives) = (|| acting(&app, &editor), || acting(&app, &giver));
    let rule = || RoleRules { auto_approve: AutoApprove::All(true), ..requestable() };
    let (ruled, emptied) = (allowing(&["users.read"], rule()), allowing(&[], rule()));
    let plain = allowing(&["users.read"], requestable());
    assert_eq!(refusal(app.roles.create(&edits(), "tools", &ruled, None).await), Refusal::Forbidden);
    app.roles.create(&gives(), "tools", &ruled, None).await.unwrap();
    for input in [&emptied, &plain] {
        assert_eq!(refusal(app.roles.replace(&edits(), "tools", input, None).await), Refusal::Forbidden);
    }
    // What such a role includes is a part of it.
    app.make_role("inner", &[], RoleRules::default()).await;
    app.make_role("outer", &[], RoleRules { includes: vec!["inner".into()], ..rule() }).await;
    assert_eq!(refusal(app.roles.replace(&edits(), "inner", &plain, None).await), Refusal::Forbidden);
    app.roles.replace(&gives(), "inner", &plain, None).await.unwrap();
    // Without the rule it is a role like any other.
    app.roles.replace(&gives(), "tools", &plain, None).await.unwrap();
    app.roles.replace(&edits(), "tools", &allowing(&[], requestable()), None).await.unwrap();
    assert_eq!(refusal(app.roles.replace(&edits(), "tools", &emptied, None).await), Refusal::Forbidden);
}

/// Whoever may manage roles for an hour does not put that into a role that they hold for good, nor into one that it includes, nor
/// brings a built-in one back that allows them more. Administrators may, where that does not end itself. (0064)
#[apply(case)]
async fn nobody_adds_to_a_role_that_they_hold_themselves(fixture: Fixture) {
    let app = fixture.app().await;
    let operator = app.operator_context();
    let including = |name: &str| RoleRules { includes: vec![name.to_owned()], ..RoleRules::default() };
    app.make_role("inner", &[], RoleRules::default()).await;
    app.make_role("outer", &[], including("inner")).await;
    app.make_role("keeper", &["roles.manage"], RoleRules::default()).await;
    app.make_role("other", &[], RoleRules::default()).await;
    let fewer = allowing(&["users.read"], RoleRules::default());
    app.roles.replace(&operator, "support", &fewer, None).await.unwrap();
    app.make_role("soon", &[], RoleRules::default()).await;
    let ada = app.member("ada").await;
    for role in ["outer", "support"] {
        app.give_role(&ada, role).await;
    }
    let later = GrantInput { starts_at: Some(app.now().plus(Duration::from_secs(7200))), ..GrantInput::default() };
    app.grants.grant(&operator, ada.id, GrantKind::Role, "soon", &later).await.unwrap();
    let an_hour = GrantInput { expires_at: Some(app.now().plus(Duration::from_secs(3600))), ..GrantInput::default() };
    for right in ["roles.manage", "deliveries.read"] {
        app.grants.grant(&operator, ada.id, GrantKind::Permission, right, &an_hour).await.unwrap();
    }
    let ada = Member { tokens: app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens, ..ada };
    let ctx = &acting(&app, &app.actor(&ada).await);
    let wide = &allowing(&["roles.manage"], RoleRules::default());
    let around = &allowing(&[], including("keeper"));
    for (name, input) in [("outer", wide), ("outer", around), ("inner", wide), ("inner", around), ("soon", wide)] {
        assert_eq!(refusal(app.roles.replace(ctx, name, input, None).await), Refusal::Forbidden, "{name}");
    }
    assert_eq!(refusal(app.roles.remove(ctx, "support", None).await), Refusal::Forbidden);
    // What they do not hold they may change, and what they hold may allow no more than before.
    app.roles.replace(ctx, "other", wide, None).await.unwrap();
    app.roles.replace(ctx, "outer", &allowing(&[], requestable()), None).await.unwrap();
    app.roles.replace(&operator, "inner", wide, None).await.unwrap();

    // An administrator for an hour holds everything for an hour.
    let root = app.admin().await;
    for (name, ends) in [("boris", true), ("carol", false)] {
        let member = app.member(name).await;
        app.give_role(&member, "soon").await;
        let input = if ends { an_hour.clone() } else { GrantInput::default() };
        app.grants.grant(&operator, member.id, GrantKind::Role, Role::ADMIN, &input).await.unwrap();
        let member = Member { tokens: app.refresh(&member.tokens.refresh_token).await.unwrap().tokens, ..member };
        let answer = app.roles.replace(&acting(&app, &app.actor(&member).await), "soon", wide, None).await;
        assert_eq!(answer.is_err(), ends, "{name}");
    }
    assert!(app.roles.replace(&acting(&app, &app.actor(&root).await), "soon", around, None).await.is_ok());
}

/// What a role allows no longer is gone from tokens in use, in every replica; what it allows more is in the next token.
/// The same for roles that include it. (12.1)
#[apply(case)]
async fn a_role_that_allows_less_kills_the_tokens_that_carry_more(fixture: Fixture) {
    let (app, other) = fixture.two_apps().await;
    for word in ["cms.read", "cms.write", "cms.print"] {
        app.register_permission(word).await;
    }
    app.make_role("writer", &["cms.read", "cms.write"], RoleRules::default()).await;
    let above = RoleRules { includes: vec!["writer".into()], ..RoleRules::default() };
    app.make_role("chief", &[], above).await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    app.give_role(&ada, "writer").await;
    app.give_role(&grace, "chief").await;
    let ada_tokens = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    let grace_tokens = app.refresh(&grace.tokens.refresh_token).await.unwrap().tokens;
    assert_eq!(permissions(&app.who(&ada_tokens.access_token).await.unwrap()), ["cms.read", "cms.write"]);
    assert!(other.who(&grace_tokens.access_token).await.is_ok());

    let ctx = app.operator_context();
    let more = allowing(&["cms.read", "cms.write", "cms.print"], RoleRules::default());
    app.roles.replace(&ctx, "writer", &more, Some(1)).await.unwrap();
    assert!(app.who(&ada_tokens.access_token).await.is_ok(), "what it allows more kills no token");
    assert!(app.who(&grace_tokens.access_token).await.is_ok());
    let above = app.role_reader.permissions(&["chief".to_owned()]).await.unwrap();
    assert!(above.iter().any(|word| word.as_str() == "cms.print"), "what is remembered of the role above follows");
    let less = allowing(&["cms.read"], RoleRules::default());
    app.roles.replace(&ctx, "writer", &less, Some(2)).await.unwrap();
    other.follow_revocations().await.unwrap();
    for (replica, token) in [(&app, &ada_tokens), (&other, &ada_tokens), (&app, &grace_tokens), (&other, &grace_tokens)]
    {
        assert_eq!(replica.who(&token.access_token).await.unwrap_err(), Refusal::NotSignedIn);
    }
    // In the same second: versions tell tokens of before and after apart, not times.
    for (replica, token) in [(&app, &ada_tokens), (&other, &grace_tokens)] {
        let next = replica.refresh(&token.refresh_token).await.unwrap().tokens;
        let who = app.who(&next.access_token).await.unwrap();
        assert_eq!(permissions(&who), ["cms.read"]);
        assert_eq!(who.token.claims.role_versions, [3], "a role that includes another one changes with it");
    }
}

/// A built-in role can be changed, and comes back as it was when that is removed.
#[apply(case)]
async fn a_changed_built_in_role_comes_back(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = app.operator_context();
    let input = allowing(&["users.read", "users.manage"], requestable());
    let changed = app.roles.replace(&ctx, "support", &input, None).await.unwrap();
    assert_eq!((changed.version, changed.rules.requestable), (1, true));
    assert_eq!(app.roles.show(&ctx, "support").await.unwrap(), changed);
    app.roles.remove(&ctx, "support", None).await.unwrap();
    let back = app.roles.show(&ctx, "support").await.unwrap();
    assert_eq!(back.permissions, Role::built_in("support").unwrap().permissions);
    assert!(back.version > changed.version, "tokens with the changed one stay dead");
}

#[apply(case)]
async fn roles_are_listed_by_name_with_the_built_in_ones(fixture: Fixture) {
    let app = fixture.app().await;
    for name in ["aa", "moderator", "zz"] {
        app.make_role(name, &[], RoleRules::default()).await;
    }
    let (ctx, mut names, mut after) = (app.operator_context(), Vec::new(), None);
    loop {
        let page = app.roles.page(&ctx, after.as_deref(), 2).await.unwrap();
        after = page.last().map(|role: &Role| role.name.clone());
        names.extend(page.into_iter().map(|role| role.name));
        if after.is_none() {
            break;
        }
    }
    assert_eq!(names, ["aa", "admin", "approver", "auditor", "moderator", "support", "user_manager", "zz"]);
}

/// More than fits into a token is not in it; the service knows it all the same, and others ask. (12.1)
#[apply(case)]
async fn a_token_that_is_too_small_says_so(fixture: Fixture) {
    let app = fixture.app().await;
    let words: Vec<String> = (0..60).map(|number| format!("shop.{}.{number}", "x".repeat(80))).collect();
    for word in &words {
        app.register_permission(word).await;
    }
    let mut all: Vec<&str> = words.iter().map(String::as_str).collect();
    all.push("users.read");
    app.make_role("everything", &all, RoleRules::default()).await;
    let ada = app.member("ada").await;
    app.give_role(&ada, "everything").await;
    let tokens = app.login("ada", PASSWORD).await.unwrap().tokens;
    assert!(tokens.access_token.len() < 8000);
    let who = app.who(&tokens.access_token).await.unwrap();
    let claims = &who.token.claims;
    assert!(!claims.permissions_complete && claims.permissions.is_empty());
    assert_eq!(claims.roles, ["everything"]);
    // Here nothing is missing.
    assert!(app.users.show(&acting(&app, &who.actor), ada.id).await.is_ok());
    assert!(app.users.page(&acting(&app, &who.actor), None, 1).await.is_ok());
    let asking = app.service(&[Permission::PERMISSIONS_CHECK]).await.actor;
    let check = |word: &str| Check { subject: ada.id, permission: word.to_owned() };
    let checks = [check(&words[59]), check("users.manage")];
    let answers = app.permission_checks.check(&acting(&app, &asking), &checks).await.unwrap();
    assert_eq!(
        answers.iter().map(|one| (one.allowed, one.reason)).collect::<Vec<_>>(),
        [(true, "granted"), (false, "not_granted")]
    );
}

/// The log says of roles, permissions and grants what was before and what is now, also of rules that nobody's token carries,
/// and of what the configuration takes over or lets go.
#[apply(case)]
async fn the_log_says_what_a_role_was_before(fixture: Fixture) {
    let app = fixture.app().await;
    let (ctx, ada) = (app.operator_context(), app.member("ada").await);
    app.register_permission("cms.write").await;
    let rules = RoleRules { requestable: true, decide_in_chat: true, ..RoleRules::default() };
    app.make_role("writer", &["cms.write"], rules.clone()).await;
    let stricter = RoleRules { quorum: 2, decide_in_chat: false, ..rules };
    app.roles.replace(&ctx, "writer", &allowing(&[], stricter.clone()), None).await.unwrap();
    let mut declared = Declared { permissions: Vec::new(), roles: vec![("writer".into(), allowing(&[], stricter))] };
    app.roles.apply(&ctx, &app.permissions, &declared).await.unwrap();
    declared.roles.clear();
    app.roles.apply(&ctx, &app.permissions, &declared).await.unwrap();
    let month = app.now().plus(Duration::from_secs(30 * 24 * 3600));
    let input = GrantInput { reason: Some("stands in".into()), expires_at: Some(month), ..GrantInput::default() };
    app.grants.grant(&ctx, ada.id, GrantKind::Role, "writer", &input).await.unwrap();
    app.grants.grant(&ctx, ada.id, GrantKind::Role, "writer", &GrantInput::default()).await.unwrap();
    app.grants.revoke(&ctx, ada.id, GrantKind::Role, "writer").await.unwrap();
    app.roles.remove(&ctx, "writer", None).await.unwrap();

    app.event_log.tick().await.unwrap();
    let told = |subject: String| {
        let (app, ctx) = (&app, &ctx);
        async move {
            let filter = AuditFilter { subject: Some(subject), oldest_first: true, ..AuditFilter::default() };
            let entries = app.audit.list(ctx, &filter, None, 100).await.unwrap().items;
            entries.into_iter().map(|one| (one.act, one.before, one.after, one.data)).collect::<Vec<_>>()
        }
    };
    let nothing = || json!({ "permissions": [] });
    let fact = |act: &str, before: Option<Json>, after: Option<Json>, data: Json| (act.to_owned(), before, after, data);
    let made = json!({ "permissions": ["cms.write"], "requestable": true, "decide_in_chat": true });
    let was = json!({ "permissions": ["cms.write"], "quorum": 1, "decide_in_chat": true });
    let is = json!({ "permissions": [], "quorum": 2, "decide_in_chat": false });
    let (managed, free) = (json!({ "managed": true }), json!({ "managed": false }));
    assert_eq!(
        told("writer".to_owned()).await,
        [
            fact("role.created", None, Some(made), json!({ "permissions": ["cms.write"] })),
            fact("role.changed", Some(was), Some(is), nothing()),
            fact("role.changed", Some(free.clone()), Some(managed.clone()), nothing()),
            fact("role.changed", Some(managed), Some(free), nothing()),
            fact("role.removed", Some(json!({ "quorum": 2, "requestable": true })), None, json!({})),
        ]
    );
    let month = month.to_string();
    let first = json!({ "role": "writer", "source": "direct", "expires_at": month });
    let of_then = json!({ "source": "direct", "expires_at": month });
    let grants: Vec<_> = told(ada.id.to_string()).await.into_iter().filter(|one| one.0.contains("role_")).collect();
    assert_eq!(
        grants,
        [
            fact("user.role_granted", None, Some(json!({ "reason": "stands in" })), first),
            fact("user.role_granted", Some(of_then), None, json!({ "role": "writer", "source": "direct" })),
            fact("user.role_revoked", None, None, json!({ "role": "writer", "reason": "revoked" })),
        ]
    );
}
