//! Service accounts.

use std::sync::Arc;

use userd_model::{ClientId, Permission, Refusal};

use crate::{
    personas::{acting, home},
    stage::{MINUTE, Stage, at_once, refusal, with, wrong_fields},
};

fn words(permissions: &[Permission]) -> Vec<String> {
    permissions.iter().map(|permission| permission.as_str().to_owned()).collect()
}

#[apply(case)]
pub(crate) async fn a_service_gets_a_token_with_its_secret(stage: Stage) {
    let house = stage.house().await;
    let root = house.admin().await;
    let actor = house.actor(&root).await;
    let asked = words(&[Permission::TOKENS_INTROSPECT, Permission::USERS_READ, Permission::USERS_READ]);
    let made = house.clients.create(&acting(&house, &actor), " Billing ", &asked, None).await.unwrap();
    assert_eq!(made.client.permissions, ["users.read", "tokens.introspect"]);
    let token = house.client_token(made.client.id, &made.client_secret).await.unwrap();
    assert_eq!((token.expires_in, token.scope.as_str()), (600, "users.read tokens.introspect"));
    let stored = house.reading().clients().find(made.client.id).await.unwrap().unwrap();
    assert_eq!(stored.created_by, Some(root.id));
    assert!(!format!("{:?}", stored.secret_hash).contains(&made.client_secret), "only a hash is stored");
    let other = house.service(&[]).await;
    for (id, secret) in [
        (made.client.id.to_string(), other.secret.as_str()),
        (other.id.to_string(), made.client_secret.as_str()),
        (made.client.id.to_string(), ""),
        (made.client.id.to_string(), "udc_short"),
        (ClientId(uuid::Uuid::nil()).to_string(), made.client_secret.as_str()),
        ("../etc".to_owned(), made.client_secret.as_str()),
    ] {
        assert_eq!(refusal(house.clients.authenticate(&id, secret, &home()).await), Refusal::InvalidClient);
    }
    let page = house.clients.page(&acting(&house, &actor), None, 10).await.unwrap();
    assert_eq!(page.len(), 2);
    let after = Some((page[0].created_at, page[0].id));
    assert_eq!(house.clients.page(&acting(&house, &actor), after, 10).await.unwrap(), page[1..]);
}

/// AC-108: a service account with more rights than its maker's.
#[apply(case)]
pub(crate) async fn nobody_gives_a_service_what_they_do_not_hold(stage: Stage) {
    let house = stage.house().await;
    let deputy = house.service(&[Permission::CLIENTS_MANAGE, Permission::USERS_READ]).await;
    let more = words(&[Permission::USERS_READ, Permission::USERS_MANAGE]);
    assert_eq!(
        wrong_fields(house.clients.create(&acting(&house, &deputy.actor), "x", &more, None).await),
        ["/permissions/1"]
    );
    let unknown = house.clients.create(&acting(&house, &deputy.actor), "x", &["no.such".to_owned()], None).await;
    assert_eq!(wrong_fields(unknown), ["/permissions/0"]);
    assert_eq!(wrong_fields(house.clients.create(&acting(&house, &deputy.actor), "\n", &[], None).await), ["/name"]);
    assert!(
        house
            .clients
            .create(&acting(&house, &deputy.actor), "x", &words(&[Permission::USERS_READ]), None)
            .await
            .is_ok()
    );
}

/// AC-108: whoever may manage service accounts takes over one that may do more, by giving it a new secret.
#[apply(case)]
pub(crate) async fn nobody_takes_over_a_service_that_may_do_more(stage: Stage) {
    let house = stage.house().await;
    let deputy = house.service(&[Permission::CLIENTS_MANAGE]).await;
    let strong = house.service(&[Permission::USERS_MANAGE]).await;
    assert_eq!(
        refusal(house.clients.rotate_secret(&acting(&house, &deputy.actor), strong.id).await),
        Refusal::Forbidden
    );
    assert!(house.client_token(strong.id, &strong.secret).await.is_ok(), "nothing has happened");
    let equal = house.service(&[Permission::CLIENTS_MANAGE]).await;
    assert!(house.clients.rotate_secret(&acting(&house, &deputy.actor), equal.id).await.is_ok());
    house.clients.disable(&acting(&house, &deputy.actor), strong.id).await.unwrap();
}

#[apply(case)]
pub(crate) async fn who_may_not_manage_services_is_refused(stage: Stage) {
    let house = stage.house().await;
    let ada = house.member("ada").await;
    let reader = house.service(&[Permission::CLIENTS_READ]).await;
    for actor in [house.actor(&ada).await, reader.actor.clone()] {
        assert_eq!(refusal(house.clients.create(&acting(&house, &actor), "x", &[], None).await), Refusal::Forbidden);
        assert_eq!(refusal(house.clients.disable(&acting(&house, &actor), reader.id).await), Refusal::Forbidden);
        assert_eq!(refusal(house.clients.rotate_secret(&acting(&house, &actor), reader.id).await), Refusal::Forbidden);
    }
    assert_eq!(house.clients.page(&acting(&house, &reader.actor), None, 5).await.unwrap().len(), 1);
}

#[apply(case)]
pub(crate) async fn a_new_secret_kills_what_the_old_one_got_and_nothing_else(stage: Stage) {
    let house = stage.house().await;
    let service = house.service(&[Permission::USERS_READ]).await;
    for _ in 0..3 {
        let rotated = house.clients.rotate_secret(&house.operator_context(), service.id).await.unwrap();
        assert_eq!(refusal(house.client_token(service.id, &service.secret).await), Refusal::InvalidClient);
        assert!(house.who(&service.token).await.is_err());
        let fresh = house.client_token(service.id, &rotated.client_secret).await.unwrap().access_token;
        assert!(house.who(&fresh).await.is_ok(), "the service works on with its new secret at once");
        house.clients.rotate_secret(&house.operator_context(), service.id).await.unwrap();
        assert!(house.who(&fresh).await.is_err());
        let other = house.service(&[]).await;
        assert!(house.who(&other.token).await.is_ok(), "others are not concerned");
        house.advance(MINUTE);
    }
}

#[apply(case)]
pub(crate) async fn a_shut_service_is_out_at_once_and_for_good(stage: Stage) {
    let house = stage.house().await;
    let service = house.service(&[Permission::USERS_READ]).await;
    house.clients.disable(&house.operator_context(), service.id).await.unwrap();
    assert!(house.who(&service.token).await.is_err());
    assert_eq!(refusal(house.client_token(service.id, &service.secret).await), Refusal::InvalidClient);
    assert_eq!(refusal(house.clients.disable(&house.operator_context(), service.id).await), Refusal::NotFound);
    assert_eq!(refusal(house.clients.rotate_secret(&house.operator_context(), service.id).await), Refusal::NotFound);
    let page = house.clients.page(&house.operator_context(), None, 5).await.unwrap();
    assert!(page[0].disabled_at.is_some(), "its row stays, so that its id is never used again");
}

/// ASVS V2.3.4
#[apply(case)]
pub(crate) async fn sixty_four_repeats_at_once_make_one_service(stage: Stage) {
    let house = stage.house().await;
    let services = house.shared();
    let answers = at_once(64, |_| {
        let services = Arc::clone(&services);
        async move {
            let once = services.idempotency.request("create_client", "key", b"body");
            services.clients.create(&services.operator_context(), "Billing", &[], Some(&once)).await.unwrap()
        }
    })
    .await;
    assert!(answers.iter().all(|made| made.client_secret == answers[0].client_secret));
    assert_eq!(house.clients.page(&house.operator_context(), None, 100).await.unwrap().len(), 1);
    let other = house.idempotency.request("create_client", "key", b"another body");
    let answer = house.clients.create(&house.operator_context(), "Billing", &[], Some(&other)).await;
    assert_eq!(refusal(answer), Refusal::IdempotencyMismatch);
}

#[apply(case)]
pub(crate) async fn secrets_are_not_guessed_without_end(stage: Stage) {
    let house = stage
        .house_with(with(|settings| {
            settings.limits.enabled = true;
            settings.limits.client_per_network.burst = 5;
        }))
        .await;
    let service = house.service(&[]).await;
    for _ in 0..20 {
        house.client_token(service.id, &service.secret).await.unwrap();
    }
    let mut compared = 0;
    for _ in 0..20 {
        compared += usize::from(refusal(house.client_token(service.id, "udc_wrong").await) == Refusal::InvalidClient);
    }
    assert_eq!(compared, 5);
    assert!(matches!(refusal(house.client_token(service.id, &service.secret).await), Refusal::TooManyAttempts(_)));
}
