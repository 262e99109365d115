//! A database that went back in time: what is not in it any more is dead, although signatures on it are good (fault 22).

use std::{sync::Arc, time::Duration};

use userd_crypto::AccessClaims;
use userd_model::{Permission, Refusal, SessionId, TokenId, UserId};
use userd_services::testing::TestOptions;
use userd_storage::testing::Counting;
use uuid::Uuid;

use crate::{
    fixture::{Fixture, TestApp, refusal},
    personas::{PASSWORD, of_id},
};

/// The same database as a process sees it that has met nobody yet.
async fn restarted(fixture: &Fixture, app: &TestApp) -> TestApp {
    let clock = Some(Arc::clone(&app.clock));
    fixture.app_with(TestOptions { clock, seed: 9, ..TestOptions::default() }).await
}

/// A good token of what the database does not have: the backup is from before it was made.
async fn lost(app: &TestApp, token: &str, lose: impl FnOnce(&mut AccessClaims)) -> String {
    let mut claims = app.who(token).await.unwrap().token.claims.clone();
    claims.jti = TokenId::mint(app.deps.random.as_ref());
    lose(&mut claims);
    app.deps.crypto.tokens.issue(&claims).unwrap()
}

/// (fault 22) Tokens of accounts and of sessions that are not in the database are dead everywhere: at introspection, on
/// account routes, and for administrators, who would else block the ones that are there.
#[apply(case)]
async fn a_token_whose_account_or_session_is_not_there_is_dead(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, root) = (app.member("ada").await, app.admin().await);
    let service = app.service(&[Permission::TOKENS_INTROSPECT]).await;
    let stranger = Uuid::from_u128(7);
    let mut dead = Vec::new();
    for token in [&ada.tokens.access_token, &root.tokens.access_token] {
        dead.push(lost(&app, token, |claims| claims.sid = Some(SessionId(stranger))).await);
        dead.push(lost(&app, token, |claims| claims.sub = stranger).await);
    }
    let client = |claims: &mut AccessClaims| {
        claims.sub = stranger;
        claims.client_id = stranger.to_string();
    };
    dead.push(lost(&app, &service.token, client).await);
    let after = restarted(&fixture, &app).await;
    for _again in 0..2 {
        for token in &dead {
            assert_eq!(after.who(token).await.unwrap_err(), Refusal::NotSignedIn);
            assert!(!after.introspect(&after.operator_context(), token).await.unwrap().active);
        }
        for token in [&ada.tokens.access_token, &root.tokens.access_token, &service.token] {
            assert!(after.who(token).await.is_ok(), "who is there is not shut out");
        }
    }
}

/// (fault 22) A session that was removed takes its tokens along, whoever has met them before.
#[apply(case)]
async fn a_session_that_is_gone_is_dead_for_whoever_did_not_know_it(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let (system, id) = (app.changes.system_context(), ada.tokens.session_id);
    let removed = app.changes.run(&system, "lose", |mut change| async move {
        change.sessions().remove(id).await?;
        change.commit(()).await
    });
    removed.await.unwrap();
    let after = restarted(&fixture, &app).await;
    assert!(after.is_out(&ada.tokens).await);
    assert!(after.login("ada", PASSWORD).await.is_ok(), "and may come back");
}

/// (fault 22) What was lost under a running service is not signed in where the account is read anyhow.
#[apply(case)]
async fn whoever_is_not_there_is_not_signed_in_rather_than_not_found(fixture: Fixture) {
    let app = fixture.app().await;
    let stranger = UserId(Uuid::from_u128(7));
    assert_eq!(refusal(app.user_reader.show_own(stranger).await), Refusal::NotSignedIn);
    let ctx = of_id(&app, stranger);
    assert_eq!(refusal(app.accounts.change_username(&ctx, "ada2", None).await), Refusal::NotSignedIn);
    assert_eq!(refusal(app.users.show(&app.operator_context(), stranger).await), Refusal::NotFound);
}

/// (fault 22) Whose a token is is asked once a token, not once a request; and what introspection says of its user is remembered.
#[apply(case)]
async fn whose_a_token_is_is_asked_once(fixture: Fixture) {
    let (engine, counting) = Counting::over(Arc::clone(fixture.store.engine()));
    let app = Fixture::over(engine).app().await;
    let ada = app.member("ada").await;
    counting.take();
    for _ in 0..20 {
        app.who(&ada.tokens.access_token).await.unwrap();
        app.introspect(&app.operator_context(), &ada.tokens.access_token).await.unwrap();
        app.advance(Duration::from_secs(1));
    }
    let counted = counting.take();
    assert_eq!(counted.reads.into_iter().collect::<Vec<_>>(), [("sessions.with_user", 1), ("users.by_id", 1)]);
}
