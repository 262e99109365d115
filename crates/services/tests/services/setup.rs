//! The first administrator.

use std::sync::Arc;

use userd_model::{Refusal, Role};

use crate::{
    fixture::{DAY, Fixture, at_once, refusal, wrong_fields},
    personas::{at, elsewhere, home, registration, started},
};

/// ASVS V6.3.2, V6.4.1, V13.2.3
#[apply(case)]
async fn the_setup_link_makes_one_administrator_and_dies(fixture: Fixture) {
    let app = fixture.app().await;
    assert!(app.reading().users().page(None, 10).await.unwrap().is_empty(), "there are no default accounts");
    assert!(app.setup.is_open().await.unwrap());
    let token = app.setup.open(&app.operator_context()).await.unwrap().unwrap();
    let other = app.setup.open(&app.operator_context()).await.unwrap().unwrap();
    let wrong = app.setup.finish(&at(&app, home()), &token, registration(Some("no address"), None)).await.map(started);
    assert_eq!(wrong_fields(wrong), ["/email"], "a mistake does not use the link up");
    let root = app
        .setup
        .finish(&at(&app, home()), &token, registration(Some("root@example.org"), Some("admin")))
        .await
        .map(started)
        .unwrap();
    assert_eq!(root.user.roles, [Role::ADMIN]);
    let actor = app.who(&root.tokens.access_token).await.unwrap().actor;
    assert!(actor.may(&userd_model::Act::SignOutUser(root.user.id)).is_ok());
    assert!(!app.setup.is_open().await.unwrap());
    assert_eq!(app.setup.open(&app.operator_context()).await.unwrap(), None);
    for link in [&token, &other] {
        let late =
            app.setup.finish(&at(&app, home()), link, registration(Some("eve@example.org"), None)).await.map(started);
        assert_eq!(refusal(late), Refusal::SetupDone);
    }
    assert_eq!(app.events_of(root.user.id).await, ["session.started", "user.registered", "user.role_granted"]);
}

#[apply(case)]
async fn a_wrong_or_old_setup_link_is_refused(fixture: Fixture) {
    let app = fixture.app().await;
    let token = app.setup.open(&app.operator_context()).await.unwrap().unwrap();
    let forged = token.replace("uds_", "udc_");
    for wrong in ["", "uds_", &forged, &format!("uds_{}", "A".repeat(43))] {
        let answer =
            app.setup.finish(&at(&app, home()), wrong, registration(Some("eve@example.org"), None)).await.map(started);
        assert_eq!(refusal(answer), Refusal::InvalidCode);
    }
    app.advance(DAY);
    let late =
        app.setup.finish(&at(&app, home()), &token, registration(Some("eve@example.org"), None)).await.map(started);
    assert_eq!(refusal(late), Refusal::InvalidCode, "a link lives a day");
    assert!(app.setup.is_open().await.unwrap());
}

/// AC-107: the setup is raced with two links and sixty-four browsers.
/// AC-143
#[apply(case)]
async fn sixty_four_set_up_at_once_and_one_becomes_administrator(fixture: Fixture) {
    let app = fixture.app().await;
    let links = [
        app.setup.open(&app.operator_context()).await.unwrap().unwrap(),
        app.setup.open(&app.operator_context()).await.unwrap().unwrap(),
    ];
    let services = app.shared();
    let answers = at_once(64, |n| {
        let (services, link) = (Arc::clone(&services), links[n % 2].clone());
        let email = format!("n{n}@example.org");
        async move {
            services
                .setup
                .finish(&at(&services, elsewhere(n)), &link, registration(Some(&email), None))
                .await
                .map(started)
        }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for answer in lost {
        assert!(matches!(refusal(answer), Refusal::SetupDone | Refusal::InvalidCode));
    }
    assert_eq!(app.reading().users().page(None, 100).await.unwrap().len(), 1);
}

/// AC-107: the link of the first start is used after the operator has made an administrator.
#[apply(case)]
async fn the_operator_shuts_the_link_by_making_an_administrator(fixture: Fixture) {
    let app = fixture.app().await;
    let token = app.setup.open(&app.operator_context()).await.unwrap().unwrap();
    let root = app.setup.create_administrator(&app.operator_context(), registration(None, Some("root"))).await.unwrap();
    assert_eq!(root.roles, [Role::ADMIN], "and reserved names are free for the operator");
    let late =
        app.setup.finish(&at(&app, home()), &token, registration(Some("eve@example.org"), None)).await.map(started);
    assert_eq!(refusal(late), Refusal::SetupDone);
    let second =
        app.setup.create_administrator(&app.operator_context(), registration(None, Some("root2"))).await.unwrap();
    assert_eq!(second.roles, [Role::ADMIN], "the operator may make more");
    assert_eq!(
        refusal(app.setup.create_administrator(&app.operator_context(), registration(None, Some("root2"))).await),
        Refusal::UsernameTaken
    );
}

#[apply(case)]
async fn the_operator_makes_several_administrators_at_once(fixture: Fixture) {
    let app = fixture.app().await;
    let services = app.shared();
    let made = at_once(8, |n| {
        let services = Arc::clone(&services);
        let name = format!("root{n}x");
        async move {
            services.setup.create_administrator(&services.operator_context(), registration(None, Some(&name))).await
        }
    })
    .await;
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    assert!(!app.setup.is_open().await.unwrap());
}

/// The first administrator leaves the house to the second: nobody becomes administrator by a link for that.
#[apply(case)]
async fn set_up_stays_shut_when_the_first_administrator_is_erased(fixture: Fixture) {
    let app = fixture.app().await;
    let operator = app.operator_context();
    let link = app.setup.open(&operator).await.unwrap().unwrap();
    let first = app.setup.create_administrator(&operator, registration(None, Some("root1"))).await.unwrap();
    let second = app.setup.create_administrator(&operator, registration(None, Some("root2"))).await.unwrap();
    app.deletions.delete(&operator, first.id).await.unwrap();
    app.deletions.purge(&operator, first.id).await.unwrap();
    let kept = app.reading().claims().of_owner(first.id).await.unwrap();
    assert!(kept.iter().any(|claim| claim.kind == "first_admin"), "{kept:?}");
    let enter = async || {
        let eve = registration(Some("eve@example.org"), None);
        refusal(app.setup.finish(&at(&app, home()), &link, eve).await.map(started))
    };
    assert!(!app.setup.is_open().await.unwrap());
    assert_eq!(enter().await, Refusal::SetupDone);

    // An earlier version let the claim go.
    let claim = &kept.iter().find(|claim| claim.kind == "first_admin").unwrap().hash;
    let let_go = app.deps.store.transact("let_go", |mut uow| async move {
        uow.claims().remove(claim).await?;
        uow.commit(()).await
    });
    let_go.await.unwrap();
    assert!(!app.setup.is_open().await.unwrap());
    assert_eq!(app.setup.open(&operator).await.unwrap(), None);
    assert_eq!(enter().await, Refusal::SetupDone);
    assert_eq!(app.user_reader.show(second.id).await.unwrap().roles, [Role::ADMIN]);
}
