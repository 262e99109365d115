//! Administration of accounts, by administrators, services and the operator.

use std::time::Duration;

use userd_model::{Actor, EventKind, Permission, Refusal, UserId, UserStatus};

use crate::{
    personas::{PASSWORD, acting},
    stage::{Stage, refusal},
};

/// AC-095: whoever may see accounts may not therefore change them.
/// ASVS V8.2.1, V8.3.1
#[apply(case)]
pub(crate) async fn only_who_may_administers_accounts(stage: Stage) {
    let house = stage.house().await;
    let (ada, grace, root) = (house.member("ada").await, house.member("grace").await, house.admin().await);
    let reader = house.service(&[Permission::USERS_READ]).await.actor;
    let manager = house.service(&[Permission::USERS_MANAGE]).await.actor;
    let (ada_acts, root_acts) = (house.actor(&ada).await, house.actor(&root).await);
    for (actor, reads, manages) in [
        (&ada_acts, false, false),
        (&reader, true, false),
        (&manager, false, true),
        (&root_acts, true, true),
        (&Actor::Operator, true, true),
    ] {
        for (answer, allowed) in [
            (house.users.page(&acting(&house, actor), None, 10).await.map(drop), reads),
            (house.users.show(&acting(&house, actor), grace.id).await.map(drop), reads),
            (house.users.find(&acting(&house, actor), "grace").await.map(drop), reads),
            (house.users.block(&acting(&house, actor), grace.id).await.map(drop), manages),
            (house.users.unblock(&acting(&house, actor), grace.id).await.map(drop), manages),
            (house.users.sign_out(&acting(&house, actor), grace.id).await.map(drop), manages),
        ] {
            match allowed {
                true => answer.unwrap(),
                false => assert_eq!(refusal(answer), Refusal::Forbidden, "{actor:?}"),
            }
        }
    }
    assert_eq!(house.users.show(&acting(&house, &ada_acts), ada.id).await.unwrap().id, ada.id, "oneself is no secret");
    assert_eq!(
        refusal(house.users.block(&acting(&house, &root_acts), root.id).await),
        Refusal::Forbidden,
        "nobody shuts themself out"
    );
    assert_eq!(house.count_of(root.id, EventKind::RoleGranted).await, 1, "who gave the role is told once");
}

#[apply(case)]
pub(crate) async fn accounts_are_found_by_any_login_and_paged(stage: Stage) {
    let house = stage.house().await;
    let mut all = Vec::new();
    for name in ["ada", "grace", "hedy", "joan", "mary"] {
        all.push(house.member(name).await.id);
        house.advance(Duration::from_secs(1));
    }
    for login in ["grace", "GRACE@example.org"] {
        assert_eq!(house.users.find(&house.operator_context(), login).await.unwrap().id, all[1]);
    }
    for login in ["nobody", "", "@", "nobody@example.org"] {
        assert_eq!(refusal(house.users.find(&house.operator_context(), login).await), Refusal::NotFound);
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = house.users.page(&house.operator_context(), after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.created_at, last.id));
        seen.extend(page.iter().map(|user| user.id));
    }
    assert_eq!(seen, all);
    let nobody = UserId(uuid::Uuid::nil());
    assert_eq!(refusal(house.users.show(&house.operator_context(), nobody).await), Refusal::NotFound);
}

/// ASVS V7.4.5
#[apply(case)]
pub(crate) async fn a_block_shuts_an_account_and_an_unblock_opens_it(stage: Stage) {
    let house = stage.house().await;
    let ada = house.member("ada").await;
    house.user_reader.show(ada.id).await.unwrap();
    let blocked = house.users.block(&house.operator_context(), ada.id).await.unwrap();
    assert_eq!((blocked.status, blocked.version), (UserStatus::Blocked, 2));
    assert_eq!(house.user_reader.show(ada.id).await.unwrap().status, UserStatus::Blocked);
    assert!(house.is_out(&ada.tokens).await);
    house.users.block(&house.operator_context(), ada.id).await.unwrap();
    let open = house.users.unblock(&house.operator_context(), ada.id).await.unwrap();
    assert_eq!(open.status, UserStatus::Active);
    assert!(house.login("ada", PASSWORD).await.is_ok());
    for (kind, times) in [(EventKind::UserBlocked, 2), (EventKind::UserUnblocked, 1), (EventKind::SessionEnded, 1)] {
        assert_eq!(house.count_of(ada.id, kind).await, times, "{kind:?}");
    }
}

/// ASVS V7.4.5
#[apply(case)]
pub(crate) async fn a_sign_out_ends_everything_and_the_account_stays_open(stage: Stage) {
    let house = stage.house().await;
    let ada = house.member("ada").await;
    let phone = house.login("ada", PASSWORD).await.unwrap().tokens;
    let view = house.users.sign_out(&house.operator_context(), ada.id).await.unwrap();
    assert_eq!(view.status, UserStatus::Active);
    assert!(house.is_out(&ada.tokens).await && house.is_out(&phone).await);
    let again = house.login("ada", PASSWORD).await.unwrap();
    assert!(!house.is_out(&again.tokens).await);
}

#[apply(case)]
pub(crate) async fn deleted_and_unknown_accounts_are_not_administered(stage: Stage) {
    let house = stage.house().await;
    let ada = house.member("ada").await;
    house.delete(ada.id).await;
    for id in [ada.id, UserId(uuid::Uuid::nil())] {
        assert_eq!(refusal(house.users.block(&house.operator_context(), id).await), Refusal::NotFound);
        assert_eq!(refusal(house.users.unblock(&house.operator_context(), id).await), Refusal::NotFound);
    }
    assert_eq!(house.count_of(ada.id, EventKind::UserBlocked).await, 0);
}
