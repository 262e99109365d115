//! What roles and grants cost: the same, however many there are.

use std::sync::Arc;

use userd_model::{Role, RoleRules};
use userd_services::roles::Check;
use userd_storage::{
    engines::{SqliteEngine, SqliteLocation, SqliteOptions},
    testing::{Counted, Counting, schema_on},
};

use crate::{
    fixture::{Fixture, TestApp},
    personas::{PASSWORD, acting, home, login_with},
};

/// What each of these asks of the database, with so many roles, each held by somebody.
async fn asked(roles: usize) -> Vec<Counted> {
    let engine = Arc::new(SqliteEngine::open(&SqliteOptions::at(SqliteLocation::Memory)).unwrap());
    schema_on(engine.clone()).await.unwrap();
    let (engine, counting) = Counting::over(engine);
    let app = Fixture::over(engine).app().await;
    app.register_permission("cms.write").await;
    for name in ["a", "b", "c"] {
        app.make_role(name, &["cms.write"], RoleRules::default()).await;
    }
    fill(&app, roles).await;
    let ada = app.member("ada").await;
    for name in ["a", "b", "c"] {
        app.give_role(&ada, name).await;
    }
    let service = acting(&app, &app.service(&[userd_model::Permission::PERMISSIONS_CHECK]).await.actor);
    let check = [Check { subject: ada.id, permission: "cms.write".to_owned() }];
    let mut found = Vec::new();
    // Cold, and warm.
    for _ in 0..2 {
        counting.take();
        let ctx = app.context().from_origin(home());
        let signed_in = app.sessions.login(&ctx, login_with("ada", PASSWORD)).await.unwrap();
        found.push(counting.take());
        let token = signed_in.signed_in().unwrap().tokens.refresh_token;
        app.refresh(&token).await.unwrap();
        found.push(counting.take());
        // The sign-in has changed the account: the first question reads it, the next does not.
        for _ in 0..2 {
            assert!(app.permission_checks.check(&service, &check).await.unwrap()[0].allowed);
            found.push(counting.take());
        }
    }
    found
}

/// Roles, and accounts that hold one each.
async fn fill(app: &TestApp, roles: usize) {
    let (now, sample) = (app.now(), &app.member("sample").await);
    let sample = &app.reading().users().find(sample.id).await.unwrap().unwrap();
    let made = app.deps.store.transact("fill", |mut uow| async move {
        for number in 0..roles {
            let name = format!("role{number}");
            let permissions = vec![format!("app.right{number}")];
            uow.roles().upsert(&Role { name: name.clone(), permissions, version: 1, ..Role::default() }, now).await?;
            let id = userd_model::UserId(uuid::Uuid::from_u128(number as u128 + 1));
            let user = userd_model::User { id, username: None, email: None, roles: vec![name], ..sample.clone() };
            uow.users().insert(&user).await?;
        }
        uow.commit(()).await
    });
    made.await.unwrap();
}

/// (12) Statement by statement: with ten roles, and with two thousand that as many accounts hold.
#[tokio::test]
async fn sign_in_refresh_and_check_run_the_same_statements_however_many_roles_there_are() {
    let (few, many) = (asked(10).await, asked(2000).await);
    assert_eq!(few, many);
    assert_eq!(few[7], Counted::default(), "warm, a question is answered from memory");
}
