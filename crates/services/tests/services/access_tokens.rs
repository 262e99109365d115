//! Access tokens: what they say, and everything after which they are refused at once.

use std::{sync::Arc, time::Duration};

use userd_model::{Actor, Permission, Refusal, Role};
use userd_services::testing::TestOptions;
use userd_storage::testing::{Counted, Counting};

use crate::{
    fixture::{Fixture, refusal},
    personas::{PASSWORD, acting, at, home, of_id},
};

#[apply(case)]
async fn a_token_says_who_acts_and_what_they_may(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, root) = (app.member("ada").await, app.admin().await);
    let service = app.service(&[Permission::USERS_READ]).await;
    let Actor::User { id, session_id, permissions } = app.actor(&ada).await else { panic!("a user") };
    assert_eq!((id, session_id, permissions), (ada.id, ada.tokens.session_id, vec![]));
    let Actor::User { permissions, .. } = app.actor(&root).await else { panic!("a user") };
    assert_eq!(permissions, Permission::WELL_KNOWN);
    assert_eq!(
        service.actor,
        Actor::Service { id: service.id, permissions: vec![Permission::USERS_READ], prefix: None }
    );
    let who = app.who(&service.token).await.unwrap();
    assert_eq!((who.user(), who.auth_time), (Err(Refusal::Forbidden), None));
    assert_eq!(who.token.claims.scope.as_deref(), Some("users.read"));
}

#[apply(case)]
async fn a_role_gives_what_its_row_says(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let words = ["users.read", "no.such.permission", "users.read", "clients.read"].map(str::to_owned).to_vec();
    let (role, now) = (&Role { name: "support".into(), permissions: words, ..Role::default() }, app.now());
    let give = app.deps.store.transact("give_role", |mut uow| async move {
        uow.roles().upsert(role, now).await?;
        let mut user = uow.users().find(ada.id).await?.unwrap();
        user.roles = vec!["support".to_owned(), "unknown".to_owned()];
        uow.users().update(&user).await?;
        uow.commit(()).await
    });
    give.await.unwrap();
    let signed_in = app.login("ada", PASSWORD).await.unwrap();
    let Actor::User { permissions, .. } = app.who(&signed_in.tokens.access_token).await.unwrap().actor else {
        panic!("a user")
    };
    // A word of another service is carried for it; here it allows nothing.
    let open = Permission::parse("no.such.permission").unwrap();
    assert_eq!(permissions, [Permission::USERS_READ, Permission::CLIENTS_READ, open]);
}

/// Verified tokens are remembered: whose one is is asked once, and then no request reads the database for it.
#[apply(case)]
async fn checking_a_token_asks_the_database_nothing(fixture: Fixture) {
    let (engine, counting) = Counting::over(Arc::clone(fixture.store.engine()));
    let app = Fixture::over(engine).app().await;
    let ada = app.member("ada").await;
    app.who(&ada.tokens.access_token).await.unwrap();
    // Introspection says what its user holds now, which is remembered too.
    app.introspect(&app.operator_context(), &ada.tokens.access_token).await.unwrap();
    counting.take();
    for _ in 0..3 {
        app.who(&ada.tokens.access_token).await.unwrap();
        app.introspect(&app.operator_context(), &ada.tokens.access_token).await.unwrap();
    }
    assert_eq!(counting.take(), Counted::default());
}

/// ASVS V9.2.1
#[apply(case)]
async fn a_token_ends_with_its_time(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.advance(Duration::from_secs(599));
    assert!(app.who(&ada.tokens.access_token).await.is_ok());
    app.advance(Duration::from_secs(1));
    assert_eq!(app.who(&ada.tokens.access_token).await.unwrap_err(), Refusal::NotSignedIn);
    for nonsense in ["", "a.b.c", &"x".repeat(100_000)] {
        assert_eq!(app.who(nonsense).await.unwrap_err(), Refusal::NotSignedIn);
    }
}

/// ASVS V7.4.1, V7.4.2, V8.3.2
#[apply(case)]
async fn a_session_end_a_block_and_a_raised_epoch_kill_tokens_at_once(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace, hedy) = (app.member("ada").await, app.member("grace").await, app.member("hedy").await);
    for member in [&ada, &grace, &hedy] {
        assert!(app.who(&member.tokens.access_token).await.is_ok(), "verified and remembered");
    }
    app.sessions.end(&of_id(&app, ada.id), ada.id, ada.tokens.session_id).await.unwrap();
    app.users.block(&app.operator_context(), grace.id).await.unwrap();
    app.users.sign_out(&app.operator_context(), hedy.id).await.unwrap();
    for member in [&ada, &grace, &hedy] {
        assert_eq!(app.who(&member.tokens.access_token).await.unwrap_err(), Refusal::NotSignedIn);
        assert!(!app.introspect(&app.operator_context(), &member.tokens.access_token).await.unwrap().active);
    }
    for name in ["ada", "hedy"] {
        let again = app.login(name, PASSWORD).await.unwrap();
        assert!(app.who(&again.tokens.access_token).await.is_ok(), "what is issued after is good");
    }
}

#[apply(case)]
async fn one_token_is_revoked_and_its_session_goes_on(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.access_tokens.revoke(&at(&app, home()), &ada.tokens.access_token).await.unwrap();
    assert!(app.who(&ada.tokens.access_token).await.is_err());
    let next = app.refresh(&ada.tokens.refresh_token).await.unwrap();
    assert!(app.who(&next.tokens.access_token).await.is_ok());
    app.access_tokens.revoke(&at(&app, home()), &ada.tokens.access_token).await.unwrap();
    app.access_tokens.revoke(&at(&app, home()), "nonsense").await.unwrap();
    assert_eq!(
        app.revocations.feed(&app.operator_context(), None, 100).await.unwrap().entries.len(),
        1,
        "a dead token is not revoked again"
    );
}

#[apply(case)]
async fn introspection_tells_all_or_nothing(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let told = app.introspect(&app.operator_context(), &ada.tokens.access_token).await.unwrap();
    let told = serde_json::to_value(told).unwrap();
    assert_eq!(told["active"], true);
    assert_eq!(told["sub"], ada.id.to_string());
    assert_eq!(told["sid"], ada.tokens.session_id.to_string());
    assert_eq!((told["iss"].as_str(), told["aud"].as_str()), (Some("http://127.0.0.1:8080"), Some("userd")));
    assert_eq!(told["token_type"], "Bearer");
    assert_eq!(told["exp"], app.now().seconds() + 600);
    for dead in ["nonsense", &ada.tokens.refresh_token] {
        assert_eq!(
            serde_json::to_value(app.introspect(&app.operator_context(), dead).await.unwrap()).unwrap(),
            serde_json::json!({ "active": false })
        );
    }
}

/// AC-058: a token for another audience, or of another issuer, signed with our own keys.
/// ASVS V9.2.3
#[apply(case)]
async fn a_token_for_somebody_else_is_refused(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    for change in [
        |settings: &mut userd_services::Settings| settings.audiences = vec!["another".into()],
        |settings: &mut userd_services::Settings| settings.issuer = "https://another.example".into(),
    ] {
        let options = TestOptions { clock: Some(Arc::clone(&app.clock)), seed: 7, ..crate::fixture::with(change) };
        let neighbour = fixture.app_with(options).await;
        assert!(neighbour.who(&ada.tokens.access_token).await.is_err());
    }
}

/// A flood of tokens with unknown keys loads the keys once a second, and a key from elsewhere is found by it.
#[apply(case)]
async fn an_unknown_key_is_looked_up_once_a_second(fixture: Fixture) {
    let (engine, counting) = Counting::over(Arc::clone(fixture.store.engine()));
    let (here, there) = Fixture::over(engine).two_apps().await;
    let ada = there.member("ada").await;
    let kid = there.deps.crypto.tokens.active_kid().unwrap();
    // Two rotations: the second one signs with a key that `here` has never seen.
    for _ in 0..2 {
        there.signing_keys.rotate(&there.operator_context()).await.unwrap();
    }
    let token = there.refresh(&ada.tokens.refresh_token).await.unwrap().tokens.access_token;
    assert_ne!(there.deps.crypto.tokens.active_kid(), Some(kid));
    here.advance(Duration::from_secs(5));
    counting.take();
    assert_eq!(here.who(&token).await.unwrap().user().unwrap().0, ada.id);
    let forged = with_unknown_key(&token);
    for _ in 0..20 {
        assert!(here.who(&forged).await.is_err());
        assert!(!here.introspect(&here.operator_context(), &forged).await.unwrap().active);
    }
    let loads = |reads: std::collections::BTreeMap<&str, u64>| reads.get("signing_keys.every").copied();
    assert_eq!(loads(counting.take().reads), Some(1), "one load");
    here.advance(Duration::from_secs(1));
    assert!(here.who(&forged).await.is_err());
    // Those of shared signals are in the same set.
    let reads = counting.take().reads;
    assert_eq!(reads.values().collect::<Vec<_>>(), [&1, &1], "{reads:?}");
}

/// The same token under the name of a key that nobody has.
fn with_unknown_key(token: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let (_, rest) = token.split_once('.').unwrap();
    let header = serde_json::json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": "nobody" });
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
}

#[apply(case)]
async fn a_member_is_forbidden_what_a_service_is_for(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let actor = app.actor(&ada).await;
    assert_eq!(refusal(app.users.page(&acting(&app, &actor), None, 1).await), Refusal::Forbidden);
    assert_eq!(refusal(app.clients.page(&acting(&app, &actor), None, 1).await), Refusal::Forbidden);
    assert_eq!(refusal(app.signing_keys.list(&acting(&app, &actor)).await), Refusal::Forbidden);
}
