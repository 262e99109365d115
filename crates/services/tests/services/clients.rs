//! Service accounts.

use std::sync::Arc;

use userd_model::{ClientId, GrantKind, Permission, Refusal, RoleRules};
use userd_services::{
    clients::ClientInput,
    roles::{Check, GrantInput},
};

use crate::{
    fixture::{Fixture, MINUTE, at_once, refusal, with, wrong_fields},
    personas::{acting, home},
    rights::support::allowing,
};

fn words(permissions: &[Permission]) -> Vec<String> {
    permissions.iter().map(|permission| permission.as_str().to_owned()).collect()
}

/// Each service has an account of its own, and tokens that live for minutes.
/// ASVS V13.2.1
#[apply(case)]
async fn a_service_gets_a_token_with_its_secret(fixture: Fixture) {
    let app = fixture.app().await;
    let root = app.admin().await;
    let actor = app.actor(&root).await;
    let asked = words(&[Permission::TOKENS_INTROSPECT, Permission::USERS_READ, Permission::USERS_READ]);
    let made = app.clients.create(&acting(&app, &actor), " Billing ", &asked, None).await.unwrap();
    assert_eq!(made.client.permissions, ["users.read", "tokens.introspect"]);
    let token = app.client_token(made.client.id, &made.client_secret).await.unwrap();
    assert_eq!((token.expires_in, token.scope.as_str()), (600, "users.read tokens.introspect"));
    let stored = app.reading().clients().find(made.client.id).await.unwrap().unwrap();
    assert_eq!(stored.created_by, Some(root.id));
    assert!(!format!("{:?}", stored.secret_hash).contains(&made.client_secret), "only a hash is stored");
    let other = app.service(&[]).await;
    for (id, secret) in [
        (made.client.id.to_string(), other.secret.as_str()),
        (other.id.to_string(), made.client_secret.as_str()),
        (made.client.id.to_string(), ""),
        (made.client.id.to_string(), "udc_short"),
        (ClientId(uuid::Uuid::nil()).to_string(), made.client_secret.as_str()),
        ("../etc".to_owned(), made.client_secret.as_str()),
    ] {
        assert_eq!(refusal(app.clients.authenticate(&id, secret, &home()).await), Refusal::InvalidClient);
    }
    let page = app.clients.page(&acting(&app, &actor), None, 10).await.unwrap();
    assert_eq!(page.len(), 2);
    let after = Some((page[0].created_at, page[0].id));
    assert_eq!(app.clients.page(&acting(&app, &actor), after, 10).await.unwrap(), page[1..]);
}

/// AC-108: a service account with more rights than its maker's.
#[apply(case)]
async fn nobody_gives_a_service_what_they_do_not_hold(fixture: Fixture) {
    let app = fixture.app().await;
    let deputy = app.service(&[Permission::CLIENTS_MANAGE, Permission::USERS_READ]).await;
    let more = words(&[Permission::USERS_READ, Permission::USERS_MANAGE]);
    assert_eq!(
        wrong_fields(app.clients.create(&acting(&app, &deputy.actor), "x", &more, None).await),
        ["/permissions/1"]
    );
    let unknown = app.clients.create(&acting(&app, &deputy.actor), "x", &["no.such".to_owned()], None).await;
    assert_eq!(wrong_fields(unknown), ["/permissions/0"]);
    assert_eq!(wrong_fields(app.clients.create(&acting(&app, &deputy.actor), "\n", &[], None).await), ["/name"]);
    assert!(
        app.clients.create(&acting(&app, &deputy.actor), "x", &words(&[Permission::USERS_READ]), None).await.is_ok()
    );
}

/// AC-108: a service that is limited to words of its own reaches beyond them, by itself or by one that it makes. (12.4)
#[apply(case)]
async fn a_service_with_a_prefix_deals_with_its_own_words_alone(fixture: Fixture) {
    let app = fixture.app().await;
    let operator = app.operator_context();
    let held = [
        Permission::PERMISSIONS_MANAGE,
        Permission::PERMISSIONS_CHECK,
        Permission::ROLES_MANAGE,
        Permission::ROLES_GRANT,
        Permission::CLIENTS_MANAGE,
        Permission::USERS_READ,
    ];
    let permissions = &words(&held);
    let input =
        |prefix| ClientInput { name: "billing", permissions, permission_prefix: prefix, ..ClientInput::default() };
    for wrong in ["users.", "billing", ""] {
        let answer = app.clients.create_for(&operator, input(Some(wrong)), None).await;
        assert_eq!(wrong_fields(answer), ["/permission_prefix"], "{wrong}");
    }
    let made = app.clients.create_for(&operator, input(Some("billing.")), None).await.unwrap();
    assert_eq!(made.client.permission_prefix.as_deref(), Some("billing."));
    let token = app.client_token(made.client.id, &made.client_secret).await.unwrap();
    let ctx = acting(&app, &app.who(&token.access_token).await.unwrap().actor);
    let ada = app.member("ada").await;

    // Its own words: registered, put into a role of its own, given, asked about, taken.
    app.permissions.register(&ctx, "billing.read", None, false, None).await.unwrap();
    app.register_permission("cms.write").await;
    let role = |permissions: &[&str]| allowing(permissions, RoleRules::default());
    app.roles.create(&ctx, "billing.clerk", &role(&["billing.read"]), None).await.unwrap();
    let (none, input) = (GrantInput::default(), role(&["billing.read", "users.read"]));
    app.grants.grant(&ctx, ada.id, GrantKind::Role, "billing.clerk", &none).await.unwrap();
    let check = |permission: &str| Check { subject: ada.id, permission: permission.to_owned() };
    assert!(app.permission_checks.check(&ctx, &[check("billing.read")]).await.unwrap()[0].allowed);

    // Others': refused, also what it holds itself, also beside its own, also under a name of its own.
    assert_eq!(refusal(app.permissions.register(&ctx, "cms.read", None, false, None).await), Refusal::Forbidden);
    assert_eq!(refusal(app.permissions.remove(&ctx, "cms.write").await), Refusal::Forbidden);
    let both = [check("billing.read"), check("cms.write")];
    assert_eq!(refusal(app.permission_checks.check(&ctx, &both).await), Refusal::Forbidden);
    for name in ["cms.write", "users.read"] {
        let answer = app.grants.grant(&ctx, ada.id, GrantKind::Permission, name, &none).await;
        assert_eq!(refusal(answer), Refusal::Forbidden, "{name}");
    }
    app.make_role("marker", &[], RoleRules::default()).await;
    assert_eq!(refusal(app.grants.grant(&ctx, ada.id, GrantKind::Role, "marker", &none).await), Refusal::Forbidden);
    assert_eq!(refusal(app.roles.create(&ctx, "clerk", &role(&[]), None).await), Refusal::Forbidden);
    assert_eq!(refusal(app.roles.create(&ctx, "billing.all", &input, None).await), Refusal::Forbidden);
    assert_eq!(refusal(app.roles.replace(&ctx, "billing.clerk", &input, None).await), Refusal::Forbidden);
    app.roles.replace(&operator, "billing.clerk", &input, None).await.unwrap();
    let taken = app.grants.revoke(&ctx, ada.id, GrantKind::Role, "billing.clerk").await;
    assert_eq!(refusal(taken), Refusal::Forbidden, "it allows more by now");

    // One that it makes is limited as it is, or more.
    let own = &["billing.read".to_owned()];
    let input =
        |prefix| ClientInput { name: "x", permissions: own, permission_prefix: prefix, ..ClientInput::default() };
    let heir = app.clients.create_for(&ctx, input(None), None).await.unwrap();
    assert_eq!(heir.client.permission_prefix.as_deref(), Some("billing."));
    assert!(app.clients.create_for(&ctx, input(Some("billing.invoices.")), None).await.is_ok());
    assert_eq!(wrong_fields(app.clients.create_for(&ctx, input(Some("cms.")), None).await), ["/permission_prefix"]);
}

/// AC-108: whoever may manage service accounts takes over one that may do more, by giving it a new secret.
#[apply(case)]
async fn nobody_takes_over_a_service_that_may_do_more(fixture: Fixture) {
    let app = fixture.app().await;
    let deputy = app.service(&[Permission::CLIENTS_MANAGE]).await;
    let strong = app.service(&[Permission::USERS_MANAGE]).await;
    assert_eq!(
        refusal(app.clients.rotate_secret(&acting(&app, &deputy.actor), strong.id, None).await),
        Refusal::Forbidden
    );
    assert!(app.client_token(strong.id, &strong.secret).await.is_ok(), "nothing has happened");
    let equal = app.service(&[Permission::CLIENTS_MANAGE]).await;
    assert!(app.clients.rotate_secret(&acting(&app, &deputy.actor), equal.id, None).await.is_ok());
    app.clients.disable(&acting(&app, &deputy.actor), strong.id).await.unwrap();
    assert_eq!(refusal(app.clients.enable(&acting(&app, &deputy.actor), strong.id, None).await), Refusal::Forbidden);
    app.clients.disable(&acting(&app, &deputy.actor), equal.id).await.unwrap();
    assert!(app.clients.enable(&acting(&app, &deputy.actor), equal.id, None).await.is_ok());
}

#[apply(case)]
async fn who_may_not_manage_services_is_refused(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let reader = app.service(&[Permission::CLIENTS_READ]).await;
    for actor in [app.actor(&ada).await, reader.actor.clone()] {
        assert_eq!(refusal(app.clients.create(&acting(&app, &actor), "x", &[], None).await), Refusal::Forbidden);
        assert_eq!(refusal(app.clients.disable(&acting(&app, &actor), reader.id).await), Refusal::Forbidden);
        assert_eq!(
            refusal(app.clients.rotate_secret(&acting(&app, &actor), reader.id, None).await),
            Refusal::Forbidden
        );
        assert_eq!(refusal(app.clients.enable(&acting(&app, &actor), reader.id, None).await), Refusal::Forbidden);
    }
    assert_eq!(app.clients.page(&acting(&app, &reader.actor), None, 5).await.unwrap().len(), 1);
}

/// A service that acts for somebody asks what they may do: what it may do itself is no answer.
/// ASVS V8.3.3
#[apply(case)]
async fn a_service_is_told_what_the_person_may_do_and_not_what_it_may_itself(fixture: Fixture) {
    let app = fixture.app().await;
    let (root, ada) = (app.admin().await, app.member("ada").await);
    let service = app.service(&[Permission::PERMISSIONS_CHECK, Permission::USERS_READ]).await;
    let ask = |subject| Check { subject, permission: Permission::USERS_READ.as_str().to_owned() };
    let asked = [ask(ada.id), ask(root.id)];
    let answers = app.permission_checks.check(&acting(&app, &service.actor), &asked).await.unwrap();
    assert_eq!(answers.iter().map(|answer| answer.allowed).collect::<Vec<_>>(), [false, true]);
}

/// ASVS V13.2.1
#[apply(case)]
async fn a_new_secret_kills_what_the_old_one_got_and_nothing_else(fixture: Fixture) {
    let app = fixture.app().await;
    let service = app.service(&[Permission::USERS_READ]).await;
    for _ in 0..3 {
        let rotated = app.clients.rotate_secret(&app.operator_context(), service.id, None).await.unwrap();
        assert_eq!(refusal(app.client_token(service.id, &service.secret).await), Refusal::InvalidClient);
        assert!(app.who(&service.token).await.is_err());
        let fresh = app.client_token(service.id, &rotated.client_secret).await.unwrap().access_token;
        assert!(app.who(&fresh).await.is_ok(), "the service works on with its new secret at once");
        app.clients.rotate_secret(&app.operator_context(), service.id, None).await.unwrap();
        assert!(app.who(&fresh).await.is_err());
        let other = app.service(&[]).await;
        assert!(app.who(&other.token).await.is_ok(), "others are not concerned");
        app.advance(MINUTE);
    }
}

#[apply(case)]
async fn a_disabled_service_is_out_at_once_until_it_is_enabled_with_another_secret(fixture: Fixture) {
    let app = fixture.app().await;
    let service = app.service(&[Permission::USERS_READ]).await;
    app.clients.disable(&app.operator_context(), service.id).await.unwrap();
    assert!(app.who(&service.token).await.is_err());
    assert_eq!(refusal(app.client_token(service.id, &service.secret).await), Refusal::InvalidClient);
    assert_eq!(refusal(app.clients.disable(&app.operator_context(), service.id).await), Refusal::NotFound);
    assert_eq!(refusal(app.clients.rotate_secret(&app.operator_context(), service.id, None).await), Refusal::NotFound);
    let page = app.clients.page(&app.operator_context(), None, 5).await.unwrap();
    assert!(page[0].disabled_at.is_some(), "its row stays, so that its id is never used again");

    let enabled = app.clients.enable(&app.operator_context(), service.id, None).await.unwrap();
    assert_eq!((enabled.client.id, enabled.client.disabled_at), (service.id, None));
    assert_eq!(enabled.client.permissions, ["users.read"], "it may do what it could");
    let old = app.client_token(service.id, &service.secret).await;
    assert_eq!(refusal(old), Refusal::InvalidClient, "what it was disabled for may be this secret");
    assert!(app.who(&service.token).await.is_err());
    let token = app.client_token(service.id, &enabled.client_secret).await.unwrap().access_token;
    assert!(app.who(&token).await.is_ok());
    assert_eq!(refusal(app.clients.enable(&app.operator_context(), service.id, None).await), Refusal::NotFound);
    let nobody = ClientId(uuid::Uuid::nil());
    assert_eq!(refusal(app.clients.enable(&app.operator_context(), nobody, None).await), Refusal::NotFound);
    let kinds: Vec<_> = app.facts_of(service.id).await.into_iter().map(|fact| fact.kind).collect();
    assert_eq!(kinds, ["client.created", "client.disabled", "client.enabled"]);
}

/// ASVS V2.3.4
#[apply(case)]
async fn sixty_four_repeats_at_once_make_one_service(fixture: Fixture) {
    let app = fixture.app().await;
    let services = app.shared();
    let answers = at_once(64, |_| {
        let services = Arc::clone(&services);
        async move {
            let once = services.idempotency.request("create_client", "key", b"body");
            services.clients.create(&services.operator_context(), "Billing", &[], Some(&once)).await.unwrap()
        }
    })
    .await;
    assert!(answers.iter().all(|made| made.client_secret == answers[0].client_secret));
    assert_eq!(app.clients.page(&app.operator_context(), None, 100).await.unwrap().len(), 1);
    let other = app.idempotency.request("create_client", "key", b"another body");
    let answer = app.clients.create(&app.operator_context(), "Billing", &[], Some(&other)).await;
    assert_eq!(refusal(answer), Refusal::IdempotencyMismatch);
}

/// A service that goes on with its old secret keeps none of its neighbours out, and not itself either once it has the new one.
#[apply(case)]
async fn only_wrong_secrets_are_counted_against_a_network(fixture: Fixture) {
    let app = fixture
        .app_with(with(|settings| {
            settings.limits.enabled = true;
            settings.limits.client_per_network.burst = 5;
        }))
        .await;
    let service = app.service(&[]).await;
    for _ in 0..20 {
        app.client_token(service.id, &service.secret).await.unwrap();
    }
    let mut compared = 0;
    for _ in 0..20 {
        compared += usize::from(refusal(app.client_token(service.id, "udc_wrong").await) == Refusal::InvalidClient);
    }
    assert_eq!(compared, 5);
    assert!(matches!(refusal(app.client_token(service.id, "udc_wrong").await), Refusal::TooManyAttempts(_)));
    let neighbour = app.service(&[]).await;
    for right in [&service, &neighbour] {
        app.client_token(right.id, &right.secret).await.unwrap();
    }
}
